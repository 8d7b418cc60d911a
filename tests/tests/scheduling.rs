//! Syncing on networks as they are: slow, deaf in one direction, gone in the middle; and in the few seconds that an operating
//! system grants in the background.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::time::{Duration, Instant};

use common::{Village, publish};
use sotay_client::documents::{AttachmentForm, DocumentForm, SectionForm};
use sotay_client::meetings::NoticeForm;
use sotay_client::{HandbookError, NextTryReason, Query, SyncOutcome, SyncStateView};
use sotay_model::documents::{ConfidentialityLevel, DocumentKind};
use sotay_model::meetings::{Choice, MeetingKind, MeetingMode};
use sotay_server::commune::Certificates;
use sotay_tests::examiner::agree;
use sotay_tests::fault::{BUSY_SECONDS, Fault, FaultServer};
use sotay_tests::network::Direction;
use sotay_tests::phone::Phone;
use sotay_tests::server::{Program, ServerProcess};

/// What a mobile network at the edge of a commune gives: 50 kbit/s, 400 ms there and back.
const SLOW: (u32, Duration) = (6_250, Duration::from_millis(400));
/// What an operating system grants.
const BUDGET_MS: u32 = 5_000;

/// A notice whose text does not compress: noise from a small generator, so that slow networks have something to carry.
fn noisy(number: u64) -> NoticeForm {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut noise = || {
        (0..120)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                char::from(b'a' + (state % 26) as u8)
            })
            .collect::<String>()
    };
    let starts_at = sotay_server::system_clock().plus_minutes(2 * 24 * 60);
    NoticeForm {
        kind: MeetingKind::Regular,
        title: format!("Sinh hoạt {number}"),
        starts_at,
        ends_at: starts_at.plus_minutes(90),
        place: noise(),
        mode: MeetingMode::InRoom,
        agenda: vec![noise(), noise()],
        documents: vec![],
        guests: vec![],
        answer_by: None,
        absence_by: None,
    }
}

#[test]
fn promise_22_a_background_run_of_five_seconds_progresses_on_a_slow_network_and_fetches_nothing_twice()
 {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    for number in 1..=120 {
        secretary
            .handbook()
            .publish_notice(noisy(number), vec![])
            .unwrap();
    }
    secretary.handbook().sync().unwrap();

    let network = village.network();
    let mut phone = Phone::new(village.path(), "slow").unwrap();
    let invitation = village.invitation("c1-03", network.address());
    sotay_tests::commune::join(phone.handbook(), &village.data(), invitation, "slow").unwrap();
    network.slow(SLOW.0, SLOW.1);
    let (mut runs, mut received, mut shown) = (0, 0, 0);
    loop {
        // Each run is a process of its own, as the operating system starts it.
        phone.restart().unwrap();
        let began = Instant::now();
        let report = phone.handbook().sync_for(BUDGET_MS).unwrap();
        assert!(
            began.elapsed() < Duration::from_millis(u64::from(BUDGET_MS) + 1_500),
            "{:?}",
            began.elapsed()
        );
        received += report.received;
        runs += 1;
        // What is shown of it never goes back, not even in a new process, and is never more than there is.
        let progress = phone.handbook().sync_state().unwrap().progress.unwrap();
        assert!(progress.received >= shown, "{progress:?} after {shown}");
        assert!(progress.received <= progress.total, "{progress:?}");
        shown = progress.received;
        if report.finished {
            assert_eq!(progress.received, progress.total);
            break;
        }
        assert!(progress.received < progress.total, "{progress:?}");
        assert!(report.received > 0, "run {runs} brought something");
        let state = phone.handbook().sync_state().unwrap();
        assert_eq!(state.last_outcome, Some(SyncOutcome::OutOfTime));
        assert!(runs < 30, "{received} records in {runs} runs");
    }
    assert!(runs > 1, "one run was enough: the network was not slow");
    let fresh = village.phone("c1-04");
    let meetings = |phone: &Phone| phone.handbook().meetings(None, 1).unwrap().count;
    assert_eq!(meetings(&phone), 120);
    agree(&phone, &village.data()).unwrap();
    let all = sotay_tests::examiner::contents(&fresh)
        .unwrap()
        .scopes
        .values()
        .map(|(_, shown)| shown.len())
        .sum::<usize>();
    let all = u32::try_from(all).unwrap();
    // The two differ by what is personal.
    assert!(received.abs_diff(all) <= 4, "{received} of {all} records");
    assert_eq!(shown, i64::from(received), "the total was an honest one");
}

#[test]
fn promise_22_a_background_run_sends_what_waits_on_a_slow_network() {
    let village = Village::new();
    let network = village.network();
    let secretary = village.phone("c1-01");
    let meeting = publish(&secretary, "Sinh hoạt");
    let phone = village.phone_through("c1-03", network.address());
    network.slow(SLOW.0, SLOW.1);
    for number in 0..250 {
        let choice = if number % 2 == 0 {
            Choice::WillAttend
        } else {
            Choice::Undecided
        };
        phone.handbook().respond(meeting, choice, 1).unwrap();
    }
    let (mut accepted, mut runs) = (0, 0);
    loop {
        let report = phone.handbook().sync_for(BUDGET_MS).unwrap();
        accepted += report.accepted;
        runs += 1;
        if report.finished {
            break;
        }
        assert!(report.accepted > 0, "run {runs} sent something");
    }
    assert!(runs > 1, "one run was enough: the network was not slow");
    // What the server carried out while its answer was under way at the end of a run is counted by the next.
    assert_eq!(accepted, 250);
    assert!(phone.handbook().outbox().unwrap().unsent.is_empty());
    agree(&phone, &village.data()).unwrap();
}

#[test]
fn promise_06_a_network_that_is_deaf_in_one_direction_loses_and_doubles_nothing() {
    let village = Village::new();
    let network = village.network();
    let secretary = village.phone("c1-01");
    let meeting = publish(&secretary, "Sinh hoạt");
    let phone = village.phone_through("c1-03", network.address());
    for (direction, choice) in [
        (Direction::Up, Choice::WillAttend),
        (Direction::Down, Choice::Undecided),
    ] {
        phone.handbook().respond(meeting, choice, 1).unwrap();
        network.lose(direction);
        let report = phone.handbook().sync_for(700).unwrap();
        assert!(!report.finished);
        assert_eq!(phone.handbook().sync_state().unwrap().pending, 1);
        network.restore();
        assert_eq!(
            phone.handbook().sync().unwrap().accepted,
            1,
            "{direction:?}"
        );
        assert_eq!(phone.handbook().sync_state().unwrap().pending, 0);
        secretary.handbook().sync().unwrap();
        let answers = secretary.handbook().answers(meeting).unwrap();
        let me = phone.handbook().joined().unwrap().unwrap().member;
        let line = answers.lines.iter().find(|line| line.member == me).unwrap();
        assert_eq!(line.answer.as_ref().unwrap().choice, choice);
    }
    agree(&phone, &village.data()).unwrap();
}

#[test]
fn a_sync_that_nobody_answers_ends_at_once_when_it_is_cancelled_paused_or_shut_down() {
    let village = Village::new();
    let network = village.network();
    let secretary = village.phone("c1-01");
    let meeting = publish(&secretary, "Sinh hoạt");
    let phone = village.phone_through("c1-03", network.address());
    phone
        .handbook()
        .respond(meeting, Choice::WillAttend, 1)
        .unwrap();

    type End = fn(&Phone, &sotay_client::SyncCall);
    let ways: [(End, HandbookError); 3] = [
        (|_, call| call.cancel().unwrap(), HandbookError::Cancelled),
        (
            |phone, _| phone.handbook().pause(2_000).unwrap(),
            HandbookError::Paused,
        ),
        (
            |phone, _| phone.handbook().shutdown().unwrap(),
            HandbookError::Cancelled,
        ),
    ];
    let mut phone = phone;
    for (end, expected) in ways {
        network.lose(Direction::Down);
        let (call, waiting) = (
            phone.handbook().sync_call().unwrap(),
            phone.handbook().sync_call().unwrap(),
        );
        let ended = std::thread::scope(|scope| {
            let running = scope.spawn(|| call.run(None));
            while !phone.handbook().sync_state().unwrap().running {
                std::thread::yield_now();
            }
            // A second one waits for its turn, and can be given up there too.
            let second = scope.spawn(|| waiting.run(None));
            waiting.cancel().unwrap();
            assert_eq!(second.join().unwrap(), Err(HandbookError::Cancelled));
            let began = Instant::now();
            end(&phone, &call);
            let ended = running.join().unwrap();
            assert!(began.elapsed() < Duration::from_secs(5));
            ended
        });
        assert_eq!(ended, Err(expected));
        network.restore();
        phone.restart().unwrap();
        assert_eq!(phone.handbook().outbox().unwrap().unsent.len(), 1);
    }
    assert_eq!(phone.handbook().sync().unwrap().accepted, 1);
    agree(&phone, &village.data()).unwrap();
}

#[test]
fn a_download_and_an_upload_cancelled_at_many_points_go_on_where_they_were() {
    let village = Village::new();
    let network = village.network();
    let secretary = village.phone("c1-01");
    let meeting = publish(&secretary, "Sinh hoạt");
    for number in 1..=60 {
        secretary
            .handbook()
            .publish_notice(noisy(number), vec![])
            .unwrap();
    }
    let phone = village.phone_through("c1-03", network.address());
    secretary.handbook().sync().unwrap();
    network.slow(100_000, Duration::from_millis(10));
    for number in 0..40 {
        let choice = if number % 2 == 0 {
            Choice::WillAttend
        } else {
            Choice::Undecided
        };
        phone.handbook().respond(meeting, choice, 1).unwrap();
    }
    let mut cancelled = 0;
    for bytes in (100..8_000).step_by(900) {
        let (_, down) = network.passed();
        let call = phone.handbook().sync_call().unwrap();
        let result = std::thread::scope(|scope| {
            let running = scope.spawn(|| call.run(None));
            while network.passed().1 < down + bytes && !running.is_finished() {
                std::thread::yield_now();
            }
            call.cancel().unwrap();
            running.join().unwrap()
        });
        match result {
            Ok(report) => assert!(report.finished),
            Err(error) => {
                assert_eq!(error, HandbookError::Cancelled);
                cancelled += 1;
            }
        }
    }
    assert!(cancelled > 3, "only {cancelled} were cancelled");
    phone.handbook().sync().unwrap();
    assert!(phone.handbook().outbox().unwrap().unsent.is_empty());
    assert_eq!(phone.handbook().meetings(None, 1).unwrap().count, 61);
    let own = phone.handbook().meeting(meeting).unwrap().card.my_answer;
    assert_eq!(
        own.unwrap().choice,
        Choice::Undecided,
        "the last one stands"
    );
    agree(&phone, &village.data()).unwrap();
}

#[test]
fn on_a_metered_network_no_attachment_comes_by_itself() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let path = village.path().join("attached.pdf");
    std::fs::write(&path, vec![7; 100_000]).unwrap();
    let attached = AttachmentForm {
        name: "Nghị quyết.pdf".into(),
        media_type: "application/pdf".into(),
        path: path.to_string_lossy().into_owned(),
    };
    let document = DocumentForm {
        title: "Nghị quyết mẫu".into(),
        number: None,
        issuer: "Chi ủy mẫu".into(),
        kind: DocumentKind::Resolution,
        level: ConfidentialityLevel::Internal,
        issued_on: "2026-11-01".parse().unwrap(),
        for_meeting: None,
        sections: vec![SectionForm {
            number: "1".into(),
            heading: "Mục".into(),
            text: "Xem tệp đính kèm.".into(),
        }],
    };
    let document = secretary
        .handbook()
        .publish_document_with_attachments(document, vec![attached])
        .unwrap();
    secretary.handbook().sync().unwrap();
    let phone = village.phone("c1-03");
    let handbook = phone.handbook();
    handbook.pin_attachment(document, 0, true).unwrap();
    handbook.set_metered(true).unwrap();
    assert_eq!(handbook.fetch_pinned_attachments(), Ok(0));
    handbook.set_metered(false).unwrap();
    assert_eq!(handbook.fetch_pinned_attachments(), Ok(1));
}

/// Waits on the live query of the state until it is so.
fn state_when(phone: &Phone, is_so: impl Fn(&SyncStateView) -> bool) -> SyncStateView {
    let handbook = phone.handbook();
    let watch = handbook.watch(Query::SyncState).unwrap();
    loop {
        let state = handbook.sync_state().unwrap();
        if is_so(&state) {
            handbook.unwatch(watch).unwrap();
            return state;
        }
        handbook.next_changes().unwrap();
    }
}

#[test]
fn promise_04_a_busy_server_is_left_alone_as_long_as_it_asked_and_then_everything_is_sent() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    publish(&secretary, "Sinh hoạt");
    let Village { server, folder, .. } = village;
    let (address, data) = (server.address(), folder.path().join("server"));
    server.kill().unwrap();
    let tls = Certificates::open(&data, sotay_server::system_clock())
        .unwrap()
        .tls()
        .unwrap();
    let busy = FaultServer::start(address, Fault::Busy, tls).unwrap();
    let run = secretary.handbook().start_sync().unwrap();
    let asked = |state: &SyncStateView| state.next_reason == Some(NextTryReason::AskedByServer);
    let state = state_when(&secretary, asked);
    assert_eq!(
        state.last_outcome,
        Some(SyncOutcome::ServerFailed { code: 503 })
    );
    let pause = state.next_try.unwrap().0 - state.last_try.unwrap().0;
    assert!(
        pause >= i64::try_from(BUSY_SECONDS * 1_000).unwrap(),
        "{pause}"
    );
    // An entry does not make it come earlier.
    secretary
        .handbook()
        .publish_notice(noisy(1), vec![])
        .unwrap();
    assert_eq!(
        secretary.handbook().sync_state().unwrap().last_try,
        state.last_try
    );
    drop(busy);
    let program = Program::find().unwrap();
    let _again = ServerProcess::start(&program, &data, address).unwrap();
    state_when(&secretary, |state| {
        state.pending == 0 && state.failures == 0
    });
    run.cancel().unwrap();
}
