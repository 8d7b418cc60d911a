//! What a QR code says to a reader by other authors.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use proptest::prelude::*;
use sotay_model::enrolment::{Code, Invitation};
use sotay_model::qr::{QUIET_ZONE, Qr, TooLongForQr};

const PIXELS: usize = 4;

/// Reads a code as a camera would see it: some pixels for each module, the quiet zone around.
fn read(qr: &Qr) -> String {
    let side = (qr.size() + 2 * QUIET_ZONE) as usize * PIXELS;
    let module = |pixel: usize| ((pixel / PIXELS) as u32).wrapping_sub(QUIET_ZONE);
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
        if qr.is_dark(module(x), module(y)) {
            0
        } else {
            255
        }
    });
    let found = picture.detect_grids();
    assert_eq!(found.len(), 1);
    found[0].decode().unwrap().1
}

#[test]
fn an_invitation_is_read_as_it_is_printed_with_its_scheme_in_small_letters() {
    let invitation = Invitation::new("sotay.xamau.vn:8443", Code::from_random([7; 8])).unwrap();
    let qr = Qr::of(&invitation.text()).unwrap();
    let text = read(&qr);
    assert!(text.starts_with("sotay://join/"), "{text}");
    assert_eq!(text, invitation.text());
}

#[test]
fn the_code_of_an_invitation_is_packed_closer() {
    let text = Invitation::new("sotay.xamau.vn", Code::from_random([7; 8]))
        .unwrap()
        .text();
    let packed = Qr::of(&text).unwrap().size();
    let not_packed = Qr::of(&text.to_lowercase()).unwrap().size();
    assert_eq!((packed, not_packed), (29, 33));
}

#[test]
fn runs_are_the_dark_modules_of_a_row() {
    let qr = Qr::of("SOTAY").unwrap();
    for row in 0..qr.size() {
        let mut of_runs = vec![false; qr.size() as usize];
        for (begins, many) in qr.runs(row) {
            of_runs[begins as usize..(begins + many) as usize].fill(true);
        }
        let one_by_one: Vec<bool> = (0..qr.size())
            .map(|column| qr.is_dark(column, row))
            .collect();
        assert_eq!(of_runs, one_by_one);
    }
    assert_eq!(qr.runs(qr.size()).count(), 0);
}

#[test]
fn a_text_that_fits_into_no_code_is_refused() {
    assert_eq!(Qr::of(&"ă".repeat(2_000)), Err(TooLongForQr));
    assert!(Qr::of("").is_ok());
}

#[test]
fn storage_2_a_code_does_not_show_in_debug_output() {
    let (one, other) = (Qr::of("AAAAAA").unwrap(), Qr::of("BBBBBB").unwrap());
    assert_ne!(one, other);
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9]{0,20}(\\.[a-z][a-z0-9-]{0,20}[a-z0-9]){0,4}(:[1-9][0-9]{0,3})?",
        "[1-9][0-9]\\.[1-9][0-9]\\.0\\.1(:[1-9][0-9]{0,3})?",
        "\\[::[1-9a-f]{1,4}\\](:[1-9][0-9]{0,3})?",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_invitation_survives_being_read_from_its_code(host in host(), random: [u8; 8]) {
        let invitation = Invitation::new(&host, Code::from_random(random)).unwrap();
        let text = read(&Qr::of(&invitation.text()).unwrap());
        prop_assert_eq!(Invitation::parse(&text), Ok(invitation));
    }

    #[test]
    fn any_text_survives_being_read_from_its_code(text in "[A-Z0-9 a-zđếợ:/.-]{0,60}[A-Z0-9]{1,30}") {
        prop_assert_eq!(read(&Qr::of(&text).unwrap()), text);
    }
}
