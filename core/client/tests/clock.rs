//! Promise 15: whatever the phone's clock says, nothing changes but what is shown as "now".

#![allow(clippy::unwrap_used, reason = "of tests")]

mod common;

use std::sync::Arc;

use common::{Commune, Vault, form};
use sotay_client::{Clock, Handbook, KeyVault, Reading, SettableClock};
use sotay_model::Timestamp;
use sotay_model::meetings::Choice;
use sotay_server::system_clock;

const YEARS: i64 = 3_652 * 86_400_000;

/// A phone's clocks that are this far off.
fn clocks_off_by(ms: i64) -> Arc<SettableClock> {
    Arc::new(SettableClock::at(Reading {
        wall: Timestamp(system_clock().0 + ms),
        since_boot: 1_000_000,
        boot: [7; 16],
    }))
}

struct OddPhone {
    folder: String,
    vault: Arc<Vault>,
    clock: Arc<SettableClock>,
    handbook: Arc<Handbook>,
}

impl OddPhone {
    fn joined(commune: &Commune, member: &str, ms: i64) -> Self {
        let folder = commune.folder.path().join(format!("{member}{ms}"));
        let (vault, clock) = (Arc::new(Vault::default()), clocks_off_by(ms));
        let folder = folder.to_string_lossy().into_owned();
        let handbook = open(&folder, &vault, &clock);
        commune.join(&handbook, member);
        handbook.sync().unwrap();
        Self {
            folder,
            vault,
            clock,
            handbook,
        }
    }

    fn restart(&mut self) {
        self.handbook.shutdown().unwrap();
        self.handbook = open(&self.folder, &self.vault, &self.clock);
    }
}

fn open(folder: &str, vault: &Arc<Vault>, clock: &Arc<SettableClock>) -> Arc<Handbook> {
    Handbook::open_with_clock(
        folder.to_owned(),
        Arc::clone(vault) as Arc<dyn KeyVault>,
        Arc::clone(clock) as Arc<dyn Clock>,
    )
    .unwrap()
}

#[test]
fn promise_15_a_phone_ten_years_off_joins_reads_answers_and_is_in_time() {
    let commune = Commune::new();
    let secretary = commune.phone("bt");
    let meeting = secretary.notice("Sinh hoạt");
    secretary.handbook.sync().unwrap();
    for (member, ms) in [("a", -YEARS), ("b", YEARS)] {
        let phone = OddPhone::joined(&commune, member, ms);
        assert!(!phone.handbook.sync_state().unwrap().clock_uncertain);
        assert_eq!(
            phone.handbook.home().unwrap().next_meeting.unwrap().meeting,
            meeting,
            "what is to come is told by the server's time"
        );
        phone
            .handbook
            .respond(meeting, Choice::WillAttend, 1)
            .unwrap();
        // Between the entry and its sending the clock jumps the other way.
        phone.clock.jump(-2 * ms);
        assert_eq!(phone.handbook.sync().unwrap().accepted, 1);
        let answer = phone.handbook.meeting(meeting).unwrap().card.my_answer;
        assert_eq!(answer.unwrap().choice, Choice::WillAttend);
    }
    secretary.handbook.sync().unwrap();
    let answers = secretary.handbook.answers(meeting).unwrap();
    assert_eq!(answers.will_attend, 2);
    let given: Vec<_> = answers
        .lines
        .iter()
        .filter_map(|line| line.answer.as_ref())
        .collect();
    assert_eq!(given.len(), 2);
    assert!(given.iter().all(|answer| !answer.late), "{given:?}");
}

#[test]
fn promise_15_after_a_new_start_the_time_is_a_guess_until_the_next_sync() {
    let mut commune = Commune::new();
    let secretary = commune.phone("bt");
    let meeting = secretary.notice("Sinh hoạt");
    secretary.handbook.sync().unwrap();
    let mut phone = OddPhone::joined(&commune, "a", YEARS);
    commune.stop();

    // The app alone is started anew: the time is known.
    phone.clock.jump(-YEARS / 2);
    phone.restart();
    assert!(!phone.handbook.sync_state().unwrap().clock_uncertain);
    // The phone is, and its clock was reset to 1970.
    phone.clock.reboot();
    let back_to_1970 = -phone.clock.read().wall.0;
    phone.clock.jump(back_to_1970);
    phone.restart();
    assert!(phone.handbook.sync_state().unwrap().clock_uncertain);
    phone
        .handbook
        .respond(meeting, Choice::WillAttend, 1)
        .unwrap();
    phone.handbook.sync().unwrap_err();
    assert!(phone.handbook.sync_state().unwrap().clock_uncertain);

    commune.start();
    assert_eq!(phone.handbook.sync().unwrap().accepted, 1);
    assert!(!phone.handbook.sync_state().unwrap().clock_uncertain);
    secretary.handbook.sync().unwrap();
    let answers = secretary.handbook.answers(meeting).unwrap();
    assert_eq!(answers.will_attend, 1);
}

#[test]
fn promise_15_a_clock_that_stands_still_stops_nothing() {
    let commune = Commune::new();
    let phone = OddPhone::joined(&commune, "bt", 0);
    // The clocks stand, as they never are advanced; entries keep their order all the same.
    let titles = ["Một", "Hai", "Ba"];
    let meetings = titles.map(|title| {
        phone
            .handbook
            .publish_notice(form(title), Vec::new())
            .unwrap()
    });
    assert_eq!(phone.handbook.sync().unwrap().accepted, 3);
    for (meeting, title) in meetings.into_iter().zip(titles) {
        assert_eq!(phone.handbook.meeting(meeting).unwrap().card.title, title);
    }
}
