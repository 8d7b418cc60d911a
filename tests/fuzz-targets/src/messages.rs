//! Messages that travel, and how each is read on its side.

use std::fmt::Debug;

use minicbor::{Decode, Encode};
use sotay_client::foreign as phone;
use sotay_model::Rejection;
use sotay_model::cbor;
use sotay_model::wire::{
    BlobState, ClaimEnrolment, CurrentBody, EnrolmentClaimed, EnrolmentOpened, EnrolmentState,
    OpenEnrolment, Page, PhonesAnswer, PhonesRequest, PrivilegedAct, Problem, Receipt,
    SyncResponse,
};
use sotay_server::audit::{Checkpoint, Event, Kept};
use sotay_server::http::foreign as server;
use sotay_server::shape::{self, Misshapen};

use crate::determinism::form;

/// Reads a message; what was read is written in the one deterministic form and read back as the same.
pub(crate) fn stable<T>(input: &[u8]) -> Option<T>
where
    T: for<'b> Decode<'b, ()> + Encode<()> + PartialEq + Debug,
{
    let value: T = cbor::from_bytes(input).ok()?;
    let written = cbor::to_bytes(&value);
    assert!(
        form(&written).deterministic,
        "not deterministic: {written:02x?}"
    );
    let again: T = cbor::from_bytes(&written).expect("what was written is read");
    assert_eq!(again, value, "read back as something else");
    assert_eq!(cbor::to_bytes(&again), written, "written in two ways");
    Some(value)
}

/// A server's answer, on the phone.
pub fn sync_response(input: &[u8]) {
    let read = stable::<SyncResponse>(input);
    // The engine reads the same message with bodies that stay where they are.
    assert_eq!(
        phone::response_is_sound(input).is_some(),
        read.is_some(),
        "the two readers differ"
    );
}

/// A phone's request, on the server: the first byte says how the head announces the body.
pub fn sync_request(input: &[u8]) {
    let Some((coding, body)) = input.split_first() else {
        return;
    };
    let coding = [None, Some("identity"), Some("zstd"), Some("gzip")][usize::from(coding % 4)];
    let Ok(request) = server::sync_request(coding, body) else {
        return;
    };
    let plain = cbor::to_bytes(&request);
    assert_eq!(
        stable::<sotay_model::wire::SyncRequest>(&plain),
        Some(request.clone())
    );
    assert_eq!(server::sync_request(None, &plain), Ok(request));
}

/// The messages of an enrolment, on both sides; the first byte says which.
pub fn enrolment_message(input: &[u8]) {
    let Some((which, body)) = input.split_first() else {
        return;
    };
    match which % 8 {
        0 => {
            let read = stable::<OpenEnrolment>(body);
            assert_eq!(server::open_enrolment(body).ok(), read);
        }
        1 => {
            stable::<EnrolmentOpened>(body);
        }
        2 => {
            stable::<ClaimEnrolment>(body);
        }
        3 => {
            stable::<EnrolmentClaimed>(body);
        }
        4 => {
            stable::<EnrolmentState>(body);
        }
        5 => {
            stable::<PhonesRequest>(body);
        }
        6 => {
            stable::<PhonesAnswer>(body);
        }
        _ => {
            stable::<PrivilegedAct>(body);
        }
    }
}

/// The small messages: receipts, refusals, states; the first byte says which.
pub fn receipt(input: &[u8]) {
    let Some((which, body)) = input.split_first() else {
        return;
    };
    match which % 6 {
        0 => {
            stable::<Receipt>(body);
        }
        1 => {
            stable::<Problem>(body);
        }
        2 => {
            stable::<BlobState>(body);
        }
        3 => {
            if let Some(rejection) = stable::<Rejection>(body) {
                assert!(!rejection.to_string().is_empty());
            }
        }
        4 => {
            stable::<Page>(body);
        }
        _ => {
            stable::<CurrentBody>(body);
        }
    }
}

/// What an auditor brings: a checkpoint as text, or what stands in one; the first byte says which.
pub fn audit(input: &[u8]) {
    let Some((which, body)) = input.split_first() else {
        return;
    };
    match which % 3 {
        0 => {
            if let Ok(kept) = String::from_utf8_lossy(body).parse::<Kept>() {
                assert_eq!(kept.to_string().parse().as_ref(), Ok(&kept));
                // Nobody signs for a key that is not known.
                assert_eq!(kept.open(&[]), None);
            }
        }
        1 => {
            stable::<Event>(body);
        }
        _ => {
            stable::<Checkpoint>(body);
        }
    }
}

/// Any message, before anybody reads what it says.
pub fn message_shape(input: &[u8]) {
    let shape = shape::check(input);
    if shape.is_ok() {
        let mut decoder = minicbor::Decoder::new(input);
        assert!(decoder.skip().is_ok() && decoder.position() == input.len());
    }
    // What is this short has no list and no text that is too long.
    if form(input).deterministic && input.len() < 4_096 {
        assert!(
            matches!(shape, Ok(()) | Err(Misshapen::TooDeep)),
            "{shape:?}"
        );
    }
}
