//! A phone, a cell, an address that asks too often: told so, held back alone, and nothing it entered is lost.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Village, publish};
use sotay_client::{HandbookError, ServerFault};
use sotay_model::meetings::Choice;
use sotay_server::{Rate, Rates, Server, ServerConfig};
use sotay_tests::phone::Phone;

/// Slow enough that no test sees a token come back.
const fn only(burst: u32) -> Rate {
    Rate {
        burst,
        every_ms: 3_600_000,
    }
}

/// Syncs until it is told to wait; how often it got through.
fn until_told_to_wait(phone: &Phone) -> u32 {
    for done in 0..100 {
        match phone.handbook().sync() {
            Ok(_) => {}
            Err(HandbookError::ServerUnexpected {
                fault: ServerFault::Status { code: 429 },
                ..
            }) => return done,
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("never told to wait");
}

fn with_rates(rates: Rates, then: impl FnOnce(&[Phone; 3])) {
    let village = Village::new();
    let phones = ["c1-01", "c1-03", "c2-01"].map(|member| village.phone(member));
    let meeting = publish(&phones[0], "Sinh hoạt");
    phones[1].handbook().sync().unwrap();
    let (data, address) = (village.data(), village.server.address());
    let Village { server, .. } = village_keeping_its_folder(village);
    server.kill().unwrap();
    let mut config = ServerConfig::new(&data, address);
    config.limits.rates = rates;
    let running = Server::start(config).unwrap();
    phones[1]
        .handbook()
        .respond(meeting, Choice::WillAttend, 1)
        .unwrap();
    then(&phones);
    running.shutdown();
    std::fs::remove_dir_all(data.parent().unwrap()).unwrap();
}

/// The folder is removed by the caller: the server that runs in it is another one than the village's.
fn village_keeping_its_folder(mut village: Village) -> Village {
    let empty = tempfile::tempdir().unwrap();
    drop(std::mem::replace(&mut village.folder, empty).keep());
    village
}

#[test]
fn server_a_phone_that_asks_too_often_waits_alone_and_keeps_what_it_entered() {
    let rates = Rates {
        phone: only(8),
        ..Rates::default()
    };
    with_rates(rates, |[secretary, member, other]| {
        assert!(until_told_to_wait(secretary) >= 4);
        // Whoever was held back keeps what is entered meanwhile.
        let starts = sotay_server::system_clock().plus_minutes(3 * 24 * 60);
        let before = secretary.handbook().outbox().unwrap().unsent.len();
        let meeting = secretary.handbook().home().unwrap().next_meeting.unwrap();
        assert!(meeting.starts_at < starts);
        secretary
            .handbook()
            .respond(meeting.meeting, Choice::WillAttend, 1)
            .unwrap();
        drop(secretary.handbook().sync());
        let after = secretary.handbook().outbox().unwrap().unsent.len();
        assert_eq!(after, before + 1);
        member.handbook().sync().unwrap();
        other.handbook().sync().unwrap();
        assert!(member.handbook().outbox().unwrap().unsent.is_empty());
    });
}

#[test]
fn server_a_cell_that_asks_too_often_does_not_hold_up_another() {
    let rates = Rates {
        cell: only(8),
        ..Rates::default()
    };
    with_rates(rates, |[secretary, member, other]| {
        until_told_to_wait(secretary);
        assert_eq!(until_told_to_wait(member), 0);
        assert_eq!(member.handbook().outbox().unwrap().unsent.len(), 1);
        other.handbook().sync().unwrap();
    });
}

#[test]
fn server_one_cell_joining_too_fast_does_not_hold_up_another() {
    let village = Village::new();
    let (data, address) = (village.data(), village.server.address());
    let Village {
        server,
        commune: _commune,
        folder,
    } = village;
    server.kill().unwrap();
    let mut config = ServerConfig::new(&data, address);
    // One phone takes two steps that name its invitation.
    config.limits.rates.enrolment_in = only(2);
    let running = Server::start(config).unwrap();
    let join = |member: &str| {
        let phone = Phone::new(folder.path(), member).unwrap();
        let host = address.to_string();
        let invited = sotay_tests::commune::invitation(&data, member, &host).unwrap();
        sotay_tests::commune::join(phone.handbook(), &data, invited.text(), member)
            .map_err(|failure| failure.to_string())
    };
    join("c1-03").unwrap();
    let held_back = join("c1-04").unwrap_err();
    assert!(held_back.contains("429"), "{held_back}");
    join("c2-03").unwrap();
    running.shutdown();
}
