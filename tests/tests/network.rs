//! Networks that fail at the worst moment: nothing is lost, nothing is done twice, and phone and server end up with the same records.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Village, publish};
use sotay_client::HandbookError;
use sotay_model::meetings::{Choice, Response};
use sotay_model::{Kind, OrganisationId};
use sotay_tests::commune::confirm;
use sotay_tests::examiner::{agree, contents};
use sotay_tests::phone::Phone;

/// In how many steps a response is cut.
const STEP: usize = 97;
/// More than any response here has, with the handshake before it.
const LONGEST: u64 = 3_500;

#[test]
fn a_response_lost_after_the_commit_is_carried_out_once() {
    let village = Village::new();
    let network = village.network();
    let secretary = village.phone("c1-01");
    let phone = village.phone_through("c1-03", network.address());
    let meeting = publish(&secretary, "Sinh hoạt");
    phone.handbook().sync().unwrap();

    phone
        .handbook()
        .respond(meeting, Choice::WillAttend, 1)
        .unwrap();
    network.cut_after(0);
    let lost = phone.handbook().sync();
    assert_eq!(
        network.cuts(),
        1,
        "the connection was open, and its first answer was cut"
    );
    if let Err(error) = lost {
        assert!(is_network(&error), "{error:?}");
        assert_eq!(
            phone.handbook().outbox().unwrap().unsent.len(),
            1,
            "the answer is kept"
        );
    }
    secretary.handbook().sync().unwrap();
    assert_eq!(
        secretary.handbook().answers(meeting).unwrap().will_attend,
        1,
        "the server had it"
    );

    phone.handbook().sync().unwrap();
    assert!(phone.handbook().outbox().unwrap().unsent.is_empty());
    assert_eq!(
        version_of_answer(&phone, &village),
        1,
        "it was written once"
    );
    agree(&phone, &village.data()).unwrap();
}

/// How often the server wrote the phone's own answer.
fn version_of_answer(phone: &Phone, village: &Village) -> u64 {
    let me = phone.handbook().joined().unwrap().unwrap().member;
    let cell = village.commune.organisations["c1"];
    let meeting = phone.handbook().meetings(None, 1).unwrap().meetings[0].meeting;
    let key = Response::key(meeting, OrganisationId(cell.0), me);
    let found = contents(phone)
        .unwrap()
        .scopes
        .into_values()
        .find_map(|(_, mut shown)| shown.remove(&key));
    let record = found.unwrap();
    assert_eq!(record.kind, Kind::Response);
    record.stamp.version
}

#[test]
fn a_phone_cut_at_any_byte_of_its_responses_converges() {
    let village = Village::new();
    let network = village.network();
    let secretary = village.phone("c1-01");
    let phone = village.phone_through("c1-03", network.address());
    let meeting = publish(&secretary, "Sinh hoạt");
    phone.handbook().sync().unwrap();

    let mut failed = 0;
    for (round, bytes) in (0..LONGEST).step_by(STEP).enumerate() {
        // Something in both directions each time, and every other time with a new handshake before it.
        let choice = if round % 2 == 0 {
            Choice::WillAttend
        } else {
            Choice::Undecided
        };
        phone.handbook().respond(meeting, choice, 1).unwrap();
        secretary.handbook().respond(meeting, choice, 1).unwrap();
        secretary.handbook().sync().unwrap();
        if round % 2 == 0 {
            network.cut();
            network.restore();
        }
        network.cut_after(bytes);
        if let Err(error) = phone.handbook().sync() {
            assert!(is_network(&error), "after {bytes} bytes: {error:?}");
            failed += 1;
        }
    }
    assert!(failed > 10, "only {failed} responses were cut");
    network.restore();
    phone.handbook().sync().unwrap();
    assert!(phone.handbook().outbox().unwrap().unsent.is_empty());
    assert!(phone.handbook().outbox().unwrap().refused.is_empty());
    agree(&phone, &village.data()).unwrap();
}

#[test]
fn joining_can_be_cut_at_any_byte_and_tried_again_with_the_same_invitation() {
    let village = Village::new();
    let members = (1..=12).map(|number| format!("c2-{number:02}"));
    for (member, bytes) in members.zip((200..LONGEST).step_by(280)) {
        let network = village.network();
        let invitation = village.invitation(&member, network.address());
        let phone = Phone::new(village.path(), &member).unwrap();
        network.cut_after(bytes);
        if let Err(error) = phone.handbook().join(invitation.clone(), member.clone()) {
            assert!(is_network(&error), "after {bytes} bytes: {error:?}");
            assert_eq!(
                phone.handbook().joined().unwrap(),
                None,
                "nothing is left behind"
            );
            phone.handbook().join(invitation, member).unwrap();
        }
        let digits = phone.handbook().joining().unwrap().unwrap().digits;
        confirm(&village.data(), &digits).unwrap();
        if let Err(error) = phone.handbook().finish_joining() {
            assert!(is_network(&error), "after {bytes} bytes: {error:?}");
            phone.handbook().finish_joining().unwrap().unwrap();
        }
        network.restore();
        phone.handbook().sync().unwrap();
        agree(&phone, &village.data()).unwrap();
    }
}

#[test]
fn a_killed_server_comes_back_with_everything_it_answered() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let meeting = publish(&secretary, "Sinh hoạt");
    secretary
        .handbook()
        .respond(meeting, Choice::WillAttend, 1)
        .unwrap();
    secretary.handbook().sync().unwrap();

    let Village { server, folder, .. } = village;
    let (address, data) = (server.address(), folder.path().join("server"));
    server.kill().unwrap();
    secretary
        .handbook()
        .respond(meeting, Choice::Undecided, 1)
        .unwrap();
    assert!(matches!(
        secretary.handbook().sync(),
        Err(HandbookError::ServerUnreachable { .. })
    ));

    let program = sotay_tests::server::Program::find().unwrap();
    let _again = sotay_tests::server::ServerProcess::start(&program, &data, address).unwrap();
    secretary.handbook().sync().unwrap();
    agree(&secretary, &data).unwrap();
}

fn is_network(error: &HandbookError) -> bool {
    matches!(
        error,
        HandbookError::ServerUnreachable { .. } | HandbookError::ServerUnexpected { .. }
    )
}
