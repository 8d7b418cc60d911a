//! How syncing is planned, cancelled and told: on a real server in this process.

#![allow(clippy::unwrap_used, clippy::panic, reason = "of tests")]

mod common;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Commune, Phone, Vault};
use sotay_client::{
    Handbook, HandbookError, KeyVault, NextTryReason, Query, SyncOutcome, SyncStateView,
    VaultAnswer, VaultError,
};
use sotay_model::Rejection;
use sotay_model::meetings::Choice;

/// Longer than anything here takes; never waited for where all is well.
const TOO_LONG: Duration = Duration::from_secs(30);

/// Waits on the live query of the state until it is so.
fn state_when(handbook: &Arc<Handbook>, is_so: impl Fn(&SyncStateView) -> bool) -> SyncStateView {
    let watch = handbook.watch(Query::SyncState).unwrap();
    let began = Instant::now();
    loop {
        let state = handbook.sync_state().unwrap();
        if is_so(&state) {
            handbook.unwatch(watch).unwrap();
            return state;
        }
        assert!(began.elapsed() < TOO_LONG, "it stays so: {state:?}");
        handbook.next_changes().unwrap();
    }
}

#[test]
fn the_state_tells_what_happened_from_the_beginning_on() {
    let mut commune = Commune::new();
    let phone = Phone::new(commune.folder.path().join("new"));
    let state = phone.handbook.sync_state().unwrap();
    assert!(!state.joined && state.last_success.is_none() && state.last_try.is_none());
    assert_eq!(
        phone.handbook.sync().unwrap_err(),
        HandbookError::NotEnrolled
    );
    let state = phone.handbook.sync_state().unwrap();
    assert_eq!(state.last_outcome, Some(SyncOutcome::NotJoined));

    let secretary = commune.phone("bt");
    let state = secretary.handbook.sync_state().unwrap();
    assert!(state.joined && !state.offline && !state.running && !state.clock_uncertain);
    assert_eq!(state.last_outcome, Some(SyncOutcome::Done));
    assert_eq!(
        (state.pending, state.parked_count, state.failures),
        (0, 0, 0)
    );
    assert!(state.last_success.is_some());
    assert!(state.bytes_up > 0 && state.bytes_down > 0);
    assert!(state.last_bytes_down > 0 && state.last_bytes_down <= state.bytes_down);
    assert_eq!((state.next_try, state.next_reason), (None, None));
    assert_eq!(state.protocol, 1);

    commune.stop();
    secretary.notice("Chờ");
    for failures in 1..=2 {
        secretary.handbook.sync().unwrap_err();
        let state = secretary.handbook.sync_state().unwrap();
        assert!(state.offline);
        assert_eq!(
            (state.last_outcome, state.failures, state.pending),
            (Some(SyncOutcome::Unreachable), failures, 1)
        );
    }
    commune.start();
    secretary.handbook.sync().unwrap();
    let state = secretary.handbook.sync_state().unwrap();
    assert_eq!(
        (state.offline, state.failures, state.pending),
        (false, 0, 0)
    );
}

#[test]
fn the_text_for_the_support_desk_holds_nothing_of_the_person() {
    let commune = Commune::new();
    let (secretary, deputy) = (commune.phone("bt"), commune.phone("pbt"));
    let meeting = secretary.notice("Chuyện riêng của chi bộ");
    secretary.handbook.sync().unwrap();
    deputy.handbook.sync().unwrap();
    for (phone, title) in [(&secretary, "Tên thứ nhất"), (&deputy, "Tên thứ hai")] {
        let base = phone.handbook.meeting(meeting).unwrap().base;
        let mut form = phone.handbook.notice_form(meeting).unwrap();
        form.title = title.into();
        phone
            .handbook
            .change_notice(meeting, base, form, false)
            .unwrap();
        phone.handbook.sync().unwrap();
    }
    let state = deputy.handbook.sync_state().unwrap();
    assert_eq!(state.parked_count, 1);
    assert!(matches!(state.parked[0].why, Rejection::Stale { .. }));
    let text = deputy.handbook.support_text().unwrap();
    assert!(
        text.contains(&format!("parked {} Stale", state.parked[0].n)),
        "{text}"
    );
    assert!(text.contains("last try") && text.contains("Done"), "{text}");
    let joined = deputy.handbook.joined().unwrap().unwrap();
    let address = commune.address.to_string();
    for secret in [
        joined.member.to_string(),
        joined.cell.to_string(),
        joined.member_name,
        meeting.to_string(),
        "Tên thứ".to_owned(),
        "Chuyện riêng".to_owned(),
        "Nhà văn hóa".to_owned(),
        address,
    ] {
        assert!(!text.contains(&secret), "{secret} in {text}");
    }
    assert!(text.is_ascii());
}

#[test]
fn promise_04_a_server_that_does_not_know_the_phone_pauses_the_background_until_something_happens()
{
    let mut commune = Commune::new();
    let secretary = commune.phone("bt");
    commune.stop();
    let server = rusqlite::Connection::open(commune.data().join("sotay.db")).unwrap();
    server
        .execute_batch("PRAGMA foreign_keys = OFF; CREATE TABLE kept AS SELECT * FROM installation; DELETE FROM installation",
            )
        .unwrap();
    commune.start();
    let run = secretary.handbook.start_sync().unwrap();
    let state = state_when(&secretary.handbook, |state| {
        state.next_reason == Some(NextTryReason::PhoneNotKnown)
    });
    assert_eq!(state.next_try, None);
    assert_eq!(state.last_outcome, Some(SyncOutcome::PhoneNotKnown));
    let failures = state.failures;

    // An entry is such a thing; it stays, and is tried once.
    secretary.notice("Vẫn còn");
    state_when(&secretary.handbook, |state| {
        state.failures > failures && state.next_reason == Some(NextTryReason::PhoneNotKnown)
    });
    assert_eq!(secretary.handbook.sync_state().unwrap().pending, 1);

    server
        .execute_batch("INSERT INTO installation SELECT * FROM kept; DROP TABLE kept")
        .unwrap();
    // An explicit sync is another.
    assert_eq!(secretary.handbook.sync().unwrap().accepted, 1);
    state_when(&secretary.handbook, |state| {
        state.next_reason == Some(NextTryReason::Poll) && state.next_try.is_some()
    });
    run.cancel().unwrap();
    state_when(&secretary.handbook, |state| state.next_reason.is_none());
}

#[test]
fn promise_04_after_time_outs_the_next_try_is_planned_and_comes_without_any_entry() {
    let mut commune = Commune::new();
    let secretary = commune.phone("bt");
    secretary.notice("Chờ mạng");
    commune.stop();
    let run = secretary.handbook.start_sync().unwrap();
    let state = state_when(&secretary.handbook, |state| {
        state.next_reason == Some(NextTryReason::BackOff) && state.failures >= 2
    });
    assert!(state.next_try.unwrap() > state.last_try.unwrap());
    commune.start();
    state_when(&secretary.handbook, |state| {
        state.pending == 0 && state.failures == 0
    });
    run.cancel().unwrap();
}

#[test]
fn promise_04_a_phone_for_which_there_is_no_place_to_listen_asks_now_and_then_instead() {
    let commune = Commune::limited(|limits| limits.streams = 1);
    let (first, second) = (commune.phone("bt"), commune.phone("pbt"));
    let listening = first.handbook.start_sync().unwrap();
    common::wait_until_it_hears(&first.handbook);

    // Once more with nothing new: so much comes down for that.
    second.handbook.sync().unwrap();
    let before = second.handbook.sync_state().unwrap();
    let polling = second.handbook.start_sync().unwrap();
    state_when(&second.handbook, |state| {
        state.next_reason == Some(NextTryReason::Poll)
    });
    // The refusal is the only other message that comes.
    let began = Instant::now();
    let down = || second.handbook.sync_state().unwrap().bytes_down;
    while down() <= before.bytes_down + before.last_bytes_down {
        assert!(began.elapsed() < TOO_LONG, "it was not refused");
        std::thread::yield_now();
    }
    let after = second.handbook.sync_state().unwrap();
    assert!(!common::hears(&after));
    let pause = common::planned_in_ms(&after).unwrap();
    assert!(pause <= 10 * 60_000 + 1_000, "{pause}");
    assert_eq!((after.failures, after.offline), (0, false), "it may sync");
    assert_eq!(after.last_outcome, Some(SyncOutcome::Done));

    // What is new comes when it asks.
    let meeting = first.notice("Sinh hoạt");
    state_when(&first.handbook, |state| state.pending == 0);
    second.handbook.sync().unwrap();
    assert!(second.handbook.meeting(meeting).is_ok());
    listening.cancel().unwrap();
    polling.cancel().unwrap();
}

#[test]
fn a_stream_that_the_server_ends_begins_again_and_fetches_nothing_that_is_here() {
    let commune = Commune::limited(|limits| limits.stream_age = Duration::from_millis(200));
    let phone = commune.phone("bt");
    phone.notice("Sinh hoạt");
    phone.handbook.sync().unwrap();
    let run = phone.handbook.start_sync().unwrap();
    common::wait_until_it_hears(&phone.handbook);
    for _ in 0..2 {
        // Between two streams it plans to ask more often.
        state_when(&phone.handbook, |state| {
            !common::hears(state) && state.next_reason == Some(NextTryReason::Poll)
        });
        let state = state_when(&phone.handbook, common::hears);
        assert_eq!((state.failures, state.offline), (0, false));
        assert!(state.last_bytes_down < 500, "{}", state.last_bytes_down);
    }
    run.cancel().unwrap();
}

#[test]
fn on_a_metered_network_nothing_is_listened_to_and_entries_are_sent_all_the_same() {
    let commune = Commune::new();
    let (secretary, member) = (commune.phone("bt"), commune.phone("a"));
    secretary.handbook.set_metered(true).unwrap();
    let run = secretary.handbook.start_sync().unwrap();
    let state = state_when(&secretary.handbook, |state| {
        state.next_reason == Some(NextTryReason::Poll)
    });
    assert!(state.metered);
    // Half of an hour or more: chance takes at most half of it.
    let pause = state.next_try.unwrap().0 - state.last_try.unwrap().0;
    assert!(pause > 29 * 60_000, "{pause}");
    let meeting = secretary.notice("Gửi ngay");
    state_when(&secretary.handbook, |state| state.pending == 0);
    member.handbook.sync().unwrap();
    member
        .handbook
        .respond(meeting, Choice::WillAttend, 1)
        .unwrap();
    member.handbook.sync().unwrap();

    // Not metered any more: what was missed comes by itself, and wake-ups are listened to again.
    secretary.handbook.set_metered(false).unwrap();
    let watch = secretary
        .handbook
        .watch(Query::Answers { meeting })
        .unwrap();
    while secretary.handbook.answers(meeting).unwrap().will_attend == 0 {
        secretary.handbook.next_changes().unwrap();
    }
    secretary.handbook.unwatch(watch).unwrap();
    run.cancel().unwrap();
}

#[test]
fn a_call_that_was_cancelled_before_it_ran_does_nothing() {
    let commune = Commune::new();
    let secretary = commune.phone("bt");
    secretary.notice("Chưa gửi");
    let call = secretary.handbook.sync_call().unwrap();
    call.cancel().unwrap();
    assert_eq!(call.run(None).unwrap_err(), HandbookError::Cancelled);
    assert_eq!(secretary.handbook.sync_state().unwrap().pending, 1);
    let call = secretary.handbook.sync_call().unwrap();
    assert!(call.run(Some(20_000)).unwrap().finished);
    assert_eq!(secretary.handbook.sync_state().unwrap().pending, 0);
}

#[test]
fn without_any_time_nothing_is_done_and_nothing_lost() {
    let commune = Commune::new();
    let secretary = commune.phone("bt");
    secretary.notice("Chưa gửi");
    let report = secretary.handbook.sync_for(0).unwrap();
    assert!(!report.finished);
    assert_eq!(report.accepted, 0);
    assert!(secretary.handbook.sync_for(20_000).unwrap().finished);
    assert_eq!(secretary.handbook.home().unwrap().delivery.unsent, 0);
}

#[test]
fn after_shutdown_every_call_says_so() {
    let commune = Commune::new();
    let secretary = commune.phone("bt");
    let call = secretary.handbook.sync_call().unwrap();
    secretary.handbook.shutdown().unwrap();
    let handbook = &secretary.handbook;
    assert_eq!(call.run(None).unwrap_err(), HandbookError::Cancelled);
    assert_eq!(handbook.sync().unwrap_err(), HandbookError::Cancelled);
    assert_eq!(handbook.sync_for(10).unwrap_err(), HandbookError::Cancelled);
    assert_eq!(handbook.sync_state().unwrap_err(), HandbookError::Cancelled);
    assert_eq!(handbook.start_sync().unwrap_err(), HandbookError::Cancelled);
    assert_eq!(
        handbook.set_metered(true).unwrap_err(),
        HandbookError::Cancelled
    );
    assert_eq!(
        handbook
            .publish_notice(common::form("Muộn"), Vec::new())
            .unwrap_err(),
        HandbookError::Cancelled
    );
    assert_eq!(
        handbook.watch(Query::Home).unwrap_err(),
        HandbookError::Cancelled
    );
}

/// A key store that notes which files there were when the key was destroyed.
#[derive(Default)]
struct Noting {
    vault: Vault,
    folder: Mutex<std::path::PathBuf>,
    at_the_end: Mutex<Vec<String>>,
}

impl KeyVault for Noting {
    fn root_key(&self) -> Result<VaultAnswer, VaultError> {
        self.vault.root_key()
    }

    fn store(&self, root: Vec<u8>) -> Result<(), VaultError> {
        self.vault.store(root)
    }

    fn destroy(&self) -> Result<(), VaultError> {
        let names = std::fs::read_dir(&*self.folder.lock().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        *self.at_the_end.lock().unwrap() = names.collect();
        self.vault.destroy()
    }
}

#[test]
fn promise_19_signing_out_tells_what_is_unsent_kills_the_key_first_and_leaves_nothing_to_the_next_member()
 {
    let mut commune = Commune::new();
    let folder = commune.folder.path().join("shared");
    std::fs::create_dir(&folder).unwrap();
    let vault = Arc::new(Noting::default());
    *vault.folder.lock().unwrap() = folder.clone();
    let open = || {
        let path = folder.to_string_lossy().into_owned();
        Handbook::open(path, Arc::clone(&vault) as Arc<dyn KeyVault>).unwrap()
    };
    let first = open();
    commune.join(&first, "bt");
    first.sync().unwrap();
    let run = first.start_sync().unwrap();
    commune.stop();
    let lost = first
        .publish_notice(common::form("Chưa gửi của người trước"), Vec::new())
        .unwrap();
    assert_eq!(first.sync_state().unwrap().pending, 1, "told before");
    assert_eq!(first.wipe(), Ok(1), "and with the wipe");
    let there = vault.at_the_end.lock().unwrap().clone();
    assert!(
        there.contains(&"handbook.db".to_owned()) && there.contains(&"journal".to_owned()),
        "the key was destroyed while the files were still there: {there:?}"
    );
    assert_eq!(first.sync().unwrap_err(), HandbookError::Cancelled);
    run.cancel().unwrap();

    commune.start();
    let second = open();
    assert_eq!(second.joined().unwrap(), None);
    commune.join(&second, "a");
    second.sync().unwrap();
    assert!(second.outbox().unwrap().unsent.is_empty());
    assert_eq!(second.meeting(lost).unwrap_err(), HandbookError::NotHere);
    let other = commune.phone("pbt");
    assert_eq!(
        other.handbook.meeting(lost).unwrap_err(),
        HandbookError::NotHere,
        "no request of the second carried what the first had entered"
    );
    let server = rusqlite::Connection::open(commune.data().join("sotay.db")).unwrap();
    let keys: u32 = server
        .query_row(
            "SELECT count(DISTINCT public_key) FROM installation",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(keys, 3, "each has a key of its own");
}
