//! Live queries and the sync in the background: who is told what, and when.

#![allow(clippy::unwrap_used, clippy::panic, reason = "of tests")]

mod common;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use common::{Commune, Phone};
use sotay_client::{Handbook, Query};
use sotay_model::meetings::Choice;

/// Longer than anything here takes; never waited for where all is well.
const TOO_LONG: Duration = Duration::from_secs(30);

/// Every change of a handbook, as it is delivered.
fn changes(handbook: &Arc<Handbook>) -> Receiver<i64> {
    let (tell, told) = channel();
    let handbook = Arc::clone(handbook);
    std::thread::spawn(move || {
        while let Ok(changes) = handbook.next_changes() {
            for change in changes {
                if tell.send(change.watch).is_err() {
                    return;
                }
            }
        }
    });
    told
}

/// Waits for something that another thread brings about.
fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_there() {
        assert!(began.elapsed() < TOO_LONG, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_query_is_told_at_once_then_only_of_what_it_shows() {
    let commune = Commune::new();
    let secretary = commune.phone("bt");
    let (first, second) = (secretary.notice("Một"), secretary.notice("Hai"));
    let handbook = &secretary.handbook;
    let told = changes(handbook);
    let one = handbook.watch(Query::Meeting { meeting: first }).unwrap();
    let library = handbook.watch(Query::Library).unwrap();
    let mut begun = [
        told.recv_timeout(TOO_LONG).unwrap(),
        told.recv_timeout(TOO_LONG).unwrap(),
    ];
    begun.sort_unstable();
    assert_eq!(begun, [one, library]);

    handbook.respond(second, Choice::WillAttend, 1).unwrap();
    handbook.respond(first, Choice::WillAttend, 1).unwrap();
    assert_eq!(told.recv_timeout(TOO_LONG).unwrap(), one);
    let outbox = handbook.watch(Query::Outbox).unwrap();
    assert_eq!(
        told.recv_timeout(TOO_LONG).unwrap(),
        outbox,
        "nothing else was delivered in between"
    );

    handbook.unwatch(one).unwrap();
    handbook.respond(first, Choice::Undecided, 1).unwrap();
    assert_eq!(told.recv_timeout(TOO_LONG).unwrap(), outbox);
}

#[test]
fn an_entry_on_one_phone_reaches_the_screen_of_another_by_itself() {
    let commune = Commune::new();
    let (secretary, member) = (commune.phone("bt"), commune.phone("a"));
    let told = changes(&member.handbook);
    let meetings = member.handbook.watch(Query::Meetings).unwrap();
    assert_eq!(told.recv_timeout(TOO_LONG).unwrap(), meetings);
    let runs = [
        secretary.handbook.start_sync().unwrap(),
        member.handbook.start_sync().unwrap(),
    ];
    let meeting = secretary.notice("Tự đến");
    wait_for("the notice", || {
        let _ = told.recv_timeout(Duration::from_millis(100));
        member.handbook.meeting(meeting).is_ok()
    });
    wait_for("the receipt", || {
        secretary.handbook.home().unwrap().delivery.unsent == 0
    });
    for run in runs {
        run.cancel().unwrap();
    }
}

#[test]
fn what_waits_is_sent_when_the_server_is_back_without_any_action() {
    let mut commune = Commune::new();
    let secretary = commune.phone("bt");
    let run = secretary.handbook.start_sync().unwrap();
    commune.stop();
    secretary.notice("Chờ mạng");
    wait_for("the failure", || {
        secretary.handbook.home().unwrap().delivery.offline
    });
    assert_eq!(secretary.handbook.home().unwrap().delivery.unsent, 1);
    commune.start();
    wait_for("the receipt", || {
        secretary.handbook.home().unwrap().delivery.unsent == 0
    });
    assert!(!secretary.handbook.home().unwrap().delivery.offline);
    run.cancel().unwrap();
}

#[test]
fn starting_twice_gives_the_same_run_and_cancelling_ends_it_promptly() {
    let mut commune = Commune::new();
    let secretary = commune.phone("bt");
    let (one, other) = (
        secretary.handbook.start_sync().unwrap(),
        secretary.handbook.start_sync().unwrap(),
    );
    let began = Instant::now();
    one.cancel().unwrap();
    other.cancel().unwrap();
    assert!(began.elapsed() < Duration::from_secs(2));
    commune.stop();
    secretary.notice("Sau khi dừng");
    assert_eq!(secretary.handbook.home().unwrap().delivery.unsent, 1);
    // A new run starts afresh.
    commune.start();
    let again = secretary.handbook.start_sync().unwrap();
    wait_for("the receipt", || {
        secretary.handbook.home().unwrap().delivery.unsent == 0
    });
    again.cancel().unwrap();
}

#[test]
fn promise_28_after_a_pause_every_query_is_told_again_whether_it_was_read_or_not() {
    let commune = Commune::new();
    let secretary = commune.phone("bt");
    let handbook = &secretary.handbook;
    let meeting = secretary.notice("Một");
    let queries = [
        Query::Home,
        Query::Library,
        Query::Meeting { meeting },
        Query::SyncState,
    ];
    let mut watches: Vec<i64> = queries
        .into_iter()
        .map(|query| handbook.watch(query).unwrap())
        .collect();
    handbook.next_changes().unwrap();
    handbook.respond(meeting, Choice::WillAttend, 1).unwrap();
    handbook.pause(2_000).unwrap();
    // Told, but not to be read any more.
    handbook.next_changes().unwrap();
    handbook.meeting(meeting).unwrap_err();
    handbook.resume().unwrap();
    let mut told: Vec<i64> = handbook
        .next_changes()
        .unwrap()
        .iter()
        .map(|change| change.watch)
        .collect();
    told.sort_unstable();
    watches.sort_unstable();
    assert_eq!(told, watches);
    let answer = handbook.meeting(meeting).unwrap().card.my_answer;
    assert_eq!(answer.unwrap().choice, Choice::WillAttend);
}

#[test]
fn a_pause_stills_the_background_and_resuming_wakes_it() {
    let commune = Commune::new();
    let (secretary, member) = (commune.phone("bt"), commune.phone("a"));
    let _run = member.handbook.start_sync().unwrap();
    member.handbook.pause(2_000).unwrap();
    let meeting = secretary.notice("Trong lúc nghỉ");
    secretary.handbook.sync().unwrap();
    member.handbook.resume().unwrap();
    wait_for("the notice", || member.handbook.meeting(meeting).is_ok());
    member.handbook.shutdown().unwrap();
}

#[test]
fn a_handbook_without_a_member_waits_for_the_join() {
    let commune = Commune::new();
    let phone = Phone::new(commune.folder.path().join("new"));
    let run = phone.handbook.start_sync().unwrap();
    commune.join(&phone.handbook, "a");
    wait_for("the first sync", || {
        phone
            .handbook
            .home()
            .is_ok_and(|home| home.cell_name == "Chi bộ Mẫu 1")
    });
    run.cancel().unwrap();
}
