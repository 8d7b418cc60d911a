//! An old backup over a newer server, as phones meet it: they send again what it lacks, and nothing is done twice.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Village, plan, publish};
use sotay_client::HandbookError;
use sotay_model::meetings::Choice;
use sotay_server::commune::{self, BackupFault, CommuneError};
use sotay_server::storage::Storage;
use sotay_tests::examiner::agree;
use sotay_tests::server::{Program, ServerProcess};

#[test]
fn backup_that_is_old_over_a_newer_server_loses_nothing_that_phones_still_hold() {
    let village = Village::new();
    let (data, address) = (village.data(), village.server.address());
    let (secretary, member) = (village.phone("c1-01"), village.phone("c1-03"));
    let first = publish(&secretary, "Trước khi sao lưu");
    member.handbook().sync().unwrap();
    let identity = village.path().join("identity.txt");
    let recipient = commune::make_identity(&identity).unwrap();
    let backup = village.path().join("backup.age");
    let now = sotay_server::system_clock();
    commune::back_up(&data, &backup, &[recipient], now).unwrap();

    // The server goes on, and the backup does not know of it.
    let second = publish(&secretary, "Sau khi sao lưu");
    member
        .handbook()
        .respond(first, Choice::WillAttend, 1)
        .unwrap();
    member.handbook().sync().unwrap();
    member
        .handbook()
        .respond(second, Choice::Undecided, 1)
        .unwrap();
    member.handbook().sync().unwrap();

    let Village {
        server,
        commune: _commune,
        folder,
    } = village;
    server.kill().unwrap();
    commune::restore(&data, &backup, &identity, now).unwrap();
    let program = Program::find().unwrap();
    let server = ServerProcess::start(&program, &data, address).unwrap();

    for _ in 0..2 {
        secretary.handbook().sync().unwrap();
        member.handbook().sync().unwrap();
    }
    for phone in [&secretary, &member] {
        let outbox = phone.handbook().outbox().unwrap();
        assert!(outbox.unsent.is_empty() && outbox.refused.is_empty());
        agree(phone, &data).unwrap();
    }
    for (meeting, choice) in [(first, Choice::WillAttend), (second, Choice::Undecided)] {
        let answer = member.handbook().meeting(meeting).unwrap().card.my_answer;
        assert_eq!(answer.unwrap().choice, choice);
    }
    // The log says what happened: also what the backup lacked, and that it was restored.
    let mut storage = Storage::open(&data.join(commune::DATABASE)).unwrap();
    let transaction = storage.read().unwrap();
    let mut said = String::new();
    transaction
        .audit_entries(Some(None), |entry| {
            said.extend(entry.event().map(|event| format!("{event}\n")));
            true
        })
        .unwrap();
    assert!(said.contains("backup made") && said.contains("restored from a backup"));
    drop((server, folder));
}

#[test]
fn backup_that_is_old_knows_who_joined_after_it_and_wipes_who_was_revoked() {
    let village = Village::new();
    let (data, address) = (village.data(), village.server.address());
    let secretary = village.phone("c1-01");
    let identity = village.path().join("identity.txt");
    let recipient = commune::make_identity(&identity).unwrap();
    let backup = village.path().join("backup.age");
    let now = sotay_server::system_clock();
    commune::back_up(&data, &backup, &[recipient], now).unwrap();

    let (lost, member) = (village.phone("c1-03"), village.phone("c1-04"));
    let meeting = publish(&secretary, "Sau khi sao lưu");
    member.handbook().sync().unwrap();
    member
        .handbook()
        .respond(meeting, Choice::WillAttend, 1)
        .unwrap();
    member.handbook().sync().unwrap();
    assert_eq!(commune::revoke(&data, "c1-03", None, now).unwrap(), 1);

    let Village {
        server,
        commune: _commune,
        folder,
    } = village;
    server.kill().unwrap();
    // Who makes a commune anew first, as for the first time, is told: its keys are none that any phone knows.
    let anew = folder.path().join("anew");
    plan().enter(&anew, now).unwrap();
    assert!(matches!(
        commune::restore(&anew, &backup, &identity, now),
        Err(CommuneError::Backup(BackupFault::AnotherCommune { path })) if path == anew
    ));

    assert!(
        commune::restore(&data, &backup, &identity, now)
            .unwrap()
            .revocations_kept
    );
    let program = Program::find().unwrap();
    let server = ServerProcess::start(&program, &data, address).unwrap();
    assert_eq!(lost.handbook().sync(), Err(HandbookError::Revoked));
    for _ in 0..2 {
        secretary.handbook().sync().unwrap();
        member.handbook().sync().unwrap();
    }
    agree(&member, &data).unwrap();
    let answer = member.handbook().meeting(meeting).unwrap().card.my_answer;
    assert_eq!(answer.unwrap().choice, Choice::WillAttend);
    // Lost later: it can be named.
    assert_eq!(commune::revoke(&data, "c1-04", None, now).unwrap(), 1);
    assert_eq!(member.handbook().sync(), Err(HandbookError::Revoked));
    server.kill().unwrap();

    // Into a new folder, as on another machine: phones go on.
    let moved = folder.path().join("moved");
    let later = now.plus_minutes(60);
    let restored = commune::restore(&moved, &backup, &identity, later).unwrap();
    assert!(!restored.revocations_kept && restored.before.is_none());
    let server = ServerProcess::start(&program, &moved, address).unwrap();
    for _ in 0..2 {
        secretary.handbook().sync().unwrap();
    }
    agree(&secretary, &moved).unwrap();
    drop((server, folder));
}
