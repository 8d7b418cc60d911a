//! Bad input that needs more than a scenario: servers of nobody's, and files that are not what they should be.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::{Village, publish};
use sotay_client::{Handbook, HandbookError, ServerFault};
use sotay_model::meetings::Choice;
use sotay_tests::commune::unknown_invitation;
use sotay_tests::examiner;
use sotay_tests::fault::{Fault, FaultServer, self_signed};
use sotay_tests::phone::{FileVault, Phone};

#[test]
fn joining_a_server_that_is_none_says_what_it_answered() {
    let folder = tempfile::tempdir().unwrap();
    for (word, fault) in Fault::ALL {
        let server =
            FaultServer::start(([127, 0, 0, 1], 0).into(), fault, self_signed().unwrap()).unwrap();
        let invitation = unknown_invitation(&server.address().to_string()).unwrap();
        let phone = Phone::new(folder.path(), word).unwrap();
        let error = phone
            .handbook()
            .join(invitation.text(), "phone".into())
            .unwrap_err();
        let HandbookError::ServerUnexpected {
            address,
            fault: found,
        } = error
        else {
            panic!("{word}: {error:?}");
        };
        assert_eq!(address, server.address().to_string());
        let expected = match fault {
            Fault::Html => ServerFault::Html,
            Fault::Status500 => ServerFault::Status { code: 500 },
            Fault::Half => ServerFault::Truncated,
            Fault::Nothing => ServerFault::Empty,
            Fault::Garbage => ServerFault::Unreadable,
            Fault::Bomb | Fault::Flood => ServerFault::TooLarge,
            Fault::Busy => ServerFault::Status { code: 503 },
        };
        assert_eq!(found, expected, "{word}");
        assert_eq!(phone.handbook().joined().unwrap(), None);
    }
}

#[test]
fn a_server_with_a_certificate_of_nobodys_is_not_trusted_and_the_answer_waits() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let meeting = publish(&secretary, "Sinh hoạt");
    secretary
        .handbook()
        .respond(meeting, Choice::WillAttend, 1)
        .unwrap();

    let Village { server, folder, .. } = village;
    let address = server.address();
    server.kill().unwrap();
    let _other = FaultServer::start(address, Fault::Html, self_signed().unwrap()).unwrap();
    let error = secretary.handbook().sync().unwrap_err();
    assert!(
        matches!(
            error,
            HandbookError::ServerUnexpected {
                fault: ServerFault::Untrusted,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(secretary.handbook().outbox().unwrap().unsent.len(), 1);
    drop(folder);
}

#[test]
fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
    let village = Village::new();
    let phone = village.phone("c1-03");
    let member = phone.handbook().joined().unwrap();
    phone.handbook().shutdown().unwrap();
    let set_version = |version: u32| {
        let database = examiner::open_database_to_write(&phone).unwrap();
        database
            .pragma_update(None, "user_version", version)
            .unwrap();
    };
    let open = || {
        let vault = Arc::new(FileVault(phone.folder().with_extension("key")));
        Handbook::open(phone.folder().to_string_lossy().into_owned(), vault)
    };
    set_version(99);
    match open() {
        Err(HandbookError::NewerDatabase { found: 99, known }) => set_version(known),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        open().unwrap().joined().unwrap(),
        member,
        "an app that knows it opens it"
    );
}

#[test]
fn a_file_that_is_no_database_keeps_the_answers_and_can_be_rebuilt() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let meeting = publish(&secretary, "Sinh hoạt");
    let phone = village.phone("c1-03");
    phone
        .handbook()
        .respond(meeting, Choice::WillAttend, 1)
        .unwrap();
    phone.handbook().shutdown().unwrap();
    std::fs::write(
        phone.folder().join("handbook.db"),
        "không phải cơ sở dữ liệu".repeat(500),
    )
    .unwrap();

    let folder = phone.folder().to_string_lossy().into_owned();
    let vault = Arc::new(FileVault(phone.folder().with_extension("key")));
    match Handbook::open(folder.clone(), vault.clone()) {
        Err(HandbookError::DatabaseUnreadable { unsent: 1 }) => {}
        other => panic!("{other:?}"),
    }
    let rebuilt = Handbook::rebuild(folder, vault).unwrap();
    rebuilt.sync().unwrap();
    secretary.handbook().sync().unwrap();
    assert_eq!(
        secretary.handbook().answers(meeting).unwrap().will_attend,
        1,
        "the answer arrived"
    );
}
