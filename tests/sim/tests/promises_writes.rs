//! What the engine promises about writes, and some of what it promises about reads while there are writes: each numbered
//! promise as a directed test. The simulator looks for the rest by chance.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;

use common::{
    ACCEPTED, PARKED, PENDING, Stage, WHOLE, mutation_of, rejection, shown, states, title,
};
use sotay_client::HandbookError;
use sotay_client::simulation::{Held, Round};
use sotay_model::documents::{ConfidentialityLevel, DocumentKind, PublishDocument, SectionDraft};
use sotay_model::meetings::{
    CancelMeeting, ChangeNotice, Choice, MeetingState, OpenRollCall, Respond, Response, RollCall,
};
use sotay_model::mutation::MAX_MUTATION_BYTES;
use sotay_model::rejection::{Denial, Field};
use sotay_model::text::MAX_LINE;
use sotay_model::wire::{Sent, Verdict};
use sotay_model::{
    DocumentKey, Id, Intent, MeetingKey, Mutation, RecordKey, Rejection, Scope, Stamp, cbor, defect,
};
use sotay_sim::ground::Ground;

/// A rejected mutation is parked with the reason, and what builds on it with the number it depends on. What is behind them is
/// carried out in the same round. The author sees both, can send the words again, and puts them away when they like.
#[test]
fn promise_01_a_rejected_mutation_never_delays_those_behind_it() {
    let mut stage = Stage::new(&[0, 3]);
    let (secretary, deputy) = (0, 1);
    stage.sync(secretary);
    stage.submit(secretary, stage.notice(secretary, 1));
    let meeting = stage.meeting(secretary, 1);
    stage.sync(secretary);
    stage.sync(deputy);

    // The deputy is faster; what the secretary enters next stands on an older version.
    stage.submit(deputy, stage.change(deputy, meeting, "Của phó bí thư"));
    stage.sync(deputy);
    let stale = stage.submit(secretary, stage.change(secretary, meeting, "Của bí thư"));
    let dependant = stage.submit(secretary, stage.change(secretary, meeting, "Sửa tiếp"));
    let other = stage.submit(secretary, stage.notice(secretary, 2));
    let second = stage.meeting(secretary, 2);
    let answer = stage.submit(secretary, stage.answer(secretary, second));
    let entered = stage.held(secretary).outbox;

    assert_eq!(stage.sync(secretary), 1, "one round trip decides on all");
    let held = stage.held(secretary);
    assert_eq!(
        states(&held),
        [
            (1, ACCEPTED),
            (stale, PARKED),
            (dependant, PARKED),
            (other, ACCEPTED),
            (answer, ACCEPTED),
        ]
    );
    assert!(matches!(rejection(&held, stale), Rejection::Stale { .. }));
    assert_eq!(
        rejection(&held, dependant),
        Rejection::DependsOn { n: stale }
    );
    stage.sync(deputy);
    assert_eq!(title(&stage.held(deputy), second).unwrap(), "Sinh hoạt 2");
    assert_eq!(title(&held, meeting).unwrap(), "Của phó bí thư");

    // Nothing of the words is lost, not by a restart and not by further syncs.
    stage.reopen(secretary);
    stage.sync(secretary);
    let held = stage.held(secretary);
    for n in [stale, dependant] {
        assert_eq!(held.outbox[&n].state, PARKED);
        assert_eq!(held.outbox[&n].mutation, entered[&n].mutation);
    }

    // Sent again on the version that stands, they pass.
    let words = |n| match mutation_of(&held, n).intent {
        Intent::ChangeNotice(change) => change.notice,
        other => panic!("{} is parked", other.name()),
    };
    for n in [stale, dependant] {
        let again = ChangeNotice {
            notice: words(n),
            ..stage.change(secretary, meeting, "")
        };
        stage.submit(secretary, again);
    }
    stage.sync(secretary);
    stage.sync(deputy);
    assert_eq!(title(&stage.held(deputy), meeting).unwrap(), "Sửa tiếp");

    // Only what is parked can be put away.
    for n in [stale, dependant] {
        stage.phones[secretary].phone.discard(n).unwrap();
    }
    let accepted = stage.phones[secretary].phone.discard(other);
    assert_eq!(accepted, Err(HandbookError::NotHere));
    let held = stage.held(secretary);
    assert!(held.outbox.values().all(|own| own.state == ACCEPTED));
    assert_eq!(held.outbox.len(), 5);
}

/// The server commits, and the response is lost: the retry gets the receipt that was stored with the effect, however much
/// later it comes, and the effect is there once. Other bytes under the number are refused. Once the phone has said that the
/// number is settled the receipt is forgotten, and the number never carried out again.
#[test]
fn promise_02_a_lost_response_costs_nothing() {
    let mut stage = Stage::new(&[0, 3]);
    let (secretary, deputy) = (0, 1);
    stage.sync(secretary);
    let n = stage.submit(secretary, stage.notice(secretary, 1));
    let meeting = stage.meeting(secretary, 1);

    let mut round = Round::new(WHOLE, 0, 4);
    let (sent, lost) = stage.ask(secretary, &mut round).unwrap();
    assert!(matches!(lost.receipts[0].verdict, Verdict::Done(_)));
    let after_commit = stage.stored(meeting.0).unwrap();
    assert_eq!(states(&stage.held(secretary)), [(n, PENDING)]);

    stage.reopen(secretary);
    stage.now = stage.now.plus_minutes(10 * 365 * 24 * 60);
    let mut round = Round::new(WHOLE, 0, 4);
    let (again, answer) = stage.ask(secretary, &mut round).unwrap();
    assert_eq!(again.mutations, sent.mutations, "the same bytes");
    assert_eq!(answer.receipts, lost.receipts, "the stored receipt");
    assert_eq!(answer.pages, lost.pages, "the feeds did not move");
    assert_eq!(stage.stored(meeting.0).unwrap(), after_commit);
    stage.apply(secretary, &mut round, &answer);
    assert_eq!(states(&stage.held(secretary)), [(n, ACCEPTED)]);

    // Another mutation under the same number.
    let other = cbor::to_bytes(&Mutation {
        made_at: stage.now,
        needs: Vec::new(),
        intent: stage.notice(secretary, 2).into(),
    });
    let own = sent.mutations[0].mutation.clone();
    let refused = stage.send(secretary, &[(1, &other)]);
    assert_eq!(
        refused[0].verdict,
        Verdict::Rejected(Rejection::NumberReused)
    );
    let repeated = stage.send(secretary, &[(1, &own)]);
    assert_eq!(repeated, lost.receipts, "the receipt is still there");
    assert_eq!(stage.stored(stage.meeting(secretary, 2).0), None);

    // The phone settles number 1 with its second mutation.
    let settling = Stage::crafted(
        vec![Sent {
            n: 2,
            mutation: other.clone(),
        }],
        1,
    );
    let receipts = stage.serve(secretary, &settling).unwrap().receipts;
    assert!(matches!(receipts[0].verdict, Verdict::Done(_)));
    let second = stage.meeting(secretary, 2);
    let (first_stands, second_stands) = (stage.stored(meeting.0), stage.stored(second.0));
    for bytes in [&own, &other] {
        let expired = stage.send(secretary, &[(1, bytes)]);
        assert_eq!(expired[0].verdict, Verdict::Rejected(Rejection::Expired));
    }
    assert_eq!(
        stage.send(secretary, &[(2, &other)]),
        receipts,
        "above the floor the receipt is kept"
    );
    assert_eq!(stage.stored(meeting.0), first_stands);
    assert_eq!(stage.stored(second.0), second_stands);
    stage.sync(deputy);
    let versions: Vec<u64> = [meeting, second]
        .iter()
        .map(|meeting| stage.held(deputy).base[&meeting.0].stamp.version)
        .collect();
    assert_eq!(versions, [1, 1], "each was written once");
}

/// What the rules or the limits refuse is refused by the call that enters it, and leaves no trace: nothing in the outbox,
/// nothing in the journal, no number used, nothing to send.
#[test]
fn promise_05_an_oversized_or_invalid_mutation_is_refused_at_submit() {
    let mut stage = Stage::new(&[0, 6]);
    let (secretary, member) = (0, 1);
    for phone in [secretary, member] {
        stage.sync(phone);
    }
    let with_title = |title: String| {
        let mut notice = stage.notice(secretary, 1);
        notice.notice.title = title;
        Intent::from(notice)
    };
    let mut ends_before_it_starts = stage.notice(secretary, 1);
    ends_before_it_starts.notice.ends_at = ends_before_it_starts.notice.starts_at.plus_minutes(-60);
    let home = Scope::organisation(stage.phones[secretary].cell);
    let section = |number: usize| SectionDraft {
        number: number.to_string(),
        heading: format!("Mục {number}"),
        text: "Nội dung thử ".repeat(1_000),
    };
    // Every field is within its limit; together they are more than a mutation may have.
    let long = PublishDocument {
        document: DocumentKey(RecordKey::new(home, Id::from_bytes([9; 16]))),
        title: "Văn bản thử".into(),
        number: None,
        issuer: "Đảng ủy xã Mẫu".into(),
        kind: DocumentKind::Resolution,
        level: ConfidentialityLevel::Internal,
        issued_on: stage.now.date(),
        for_meeting: None,
        sections: (1..=200).map(section).collect(),
        attachments: Vec::new(),
    };

    let too_large = |field, limit| Rejection::TooLarge { field, limit };
    let whole = too_large(Field::Mutation, u32::try_from(MAX_MUTATION_BYTES).unwrap());
    let long_title = too_large(Field::Title, MAX_LINE);
    let office_needed = Rejection::NotAllowed {
        why: Denial::OfficeNeeded,
    };
    let invalid = |why: &Rejection| matches!(why, Rejection::Invalid { .. });
    refused(&stage, secretary, long.into(), |why| *why == whole);
    refused(&stage, secretary, with_title("ộ".repeat(201)), |why| {
        *why == long_title
    });
    refused(&stage, secretary, with_title(String::new()), invalid);
    refused(&stage, secretary, ends_before_it_starts.into(), invalid);
    refused(&stage, member, stage.notice(member, 1).into(), |why| {
        *why == office_needed
    });

    // Nothing comes back with a restart, and the first number is still free.
    stage.reopen(secretary);
    assert_eq!(states(&stage.held(secretary)), []);
    assert_eq!(stage.submit(secretary, stage.notice(secretary, 1)), 1);
    let request = stage.request(secretary, &mut Round::new(WHOLE, 0, 4));
    assert_eq!(request.unwrap().mutations.len(), 1);
}

/// A phone refuses an intent, and holds and keeps what it held and kept before.
fn refused(stage: &Stage, phone: usize, intent: Intent, expected: impl Fn(&Rejection) -> bool) {
    let name = intent.name();
    let (held, journal) = (stage.held(phone), stage.journal(phone));
    match stage.try_submit(phone, intent) {
        Err(HandbookError::Refused { why }) => assert!(expected(&why), "{name}: {why:?}"),
        other => panic!("{name}: {other:?}"),
    }
    assert_eq!(stage.held(phone), held, "{name} left something");
    assert_eq!(stage.journal(phone), journal, "{name} is in the journal");
    let request = stage.request(phone, &mut Round::new(WHOLE, 0, 4)).unwrap();
    assert_eq!(request.mutations, [], "{name} would be sent");
}

/// Phones lose power, messages are lost, doubled and late, disks are full, servers are restored; then the faults end. The
/// simulator's rest asks of every phone that nothing waits any more, in a bounded number of round trips and by syncs alone.
#[test]
fn promise_06_after_any_schedule_of_faults_the_queue_drains() {
    let ground = Ground::make().unwrap();
    let (mut entered, mut kinds) = (0, BTreeSet::new());
    for seed in 0..24 {
        let outcome = sotay_sim::run_twice(&ground, seed);
        assert!(
            outcome.violation.is_none(),
            "seed {seed}: {:?}",
            outcome.violation
        );
        entered += outcome.tally.entered;
        kinds.extend(outcome.tally.faults.into_keys());
    }
    assert!(entered > 300, "only {entered} mutations were entered");
    for kind in [
        "request lost",
        "response lost",
        "response doubled",
        "late response",
        "time-out",
        "phone killed",
        "phone loses power",
        "server loses power",
        "server restored",
        "disk full",
        "I/O error",
        "clock jumps",
    ] {
        assert!(kinds.contains(kind), "no seed had a {kind}");
    }
}

fn stamp(held: &Held, key: RecordKey) -> Stamp {
    held.base[&key].stamp
}

/// A member's answer is seen through the office's feed and the person's own. The newer version arrives through one of them,
/// then an older response through the other, then a receipt from before both: the newest stays.
#[test]
fn promise_09_no_record_goes_back_in_time() {
    // Two phones of the deputy; the office's feed shows both.
    let mut stage = Stage::new(&[0, 3, 3]);
    let (secretary, deputy, other_phone) = (0, 1, 2);
    stage.sync(secretary);
    stage.submit(secretary, stage.notice(secretary, 1));
    let meeting = stage.meeting(secretary, 1);
    for phone in [secretary, deputy, other_phone] {
        stage.sync(phone);
    }
    let actor = &stage.phones[deputy];
    let (cell, member) = (actor.cell, actor.member);
    let key = Response::key(meeting, cell, member);
    let through = [Scope::office(cell), Scope::person(member)];

    for (older_comes_by, newer_comes_by) in [(0, 1), (1, 0)] {
        // An own answer, whose response is on its way for long.
        let choose = |choice| Respond {
            choice,
            ..stage.answer(deputy, meeting)
        };
        let (first, second) = (choose(Choice::WillAttend), choose(Choice::Undecided));
        let n = stage.submit(deputy, first);
        let mut waiting = Round::new(WHOLE, 0, 4);
        let (_, mut old) = stage.ask(deputy, &mut waiting).unwrap();
        let mut unanswered = old.clone();
        unanswered.pages.clear();
        unanswered.more = true;
        assert!(
            old.pages
                .iter()
                .any(|page| page.scope == through[older_comes_by])
        );
        old.pages
            .retain(|page| page.scope == through[older_comes_by]);
        old.receipts.clear();
        old.bodies.clear();
        old.more = true;

        // The other phone answers otherwise.
        stage.submit(other_phone, second);
        stage.sync(other_phone);
        let newest = stage.stored(key).unwrap();

        // The newer version comes by one feed only: a response may leave pages for the next.
        let mut round = Round::new(WHOLE, 0, 4);
        let (_, mut new) = stage.ask(deputy, &mut round).unwrap();
        new.pages
            .retain(|page| page.scope == through[newer_comes_by]);
        assert_eq!(new.pages.len(), 1);
        new.more = true;
        stage.apply(deputy, &mut round, &new);
        assert_eq!(stage.held(deputy).outbox[&n].state, ACCEPTED);
        let check = |stage: &Stage, after: &str| {
            let held = stage.held(deputy);
            assert_eq!(stamp(&held, key), newest.0, "after {after}");
            assert_eq!(shown(&held, key).unwrap(), newest.1, "after {after}");
        };
        check(&stage, "the newer page");

        // The older page fits where its feed stands, so it is applied; and it changes nothing that is seen.
        let before = stage.held(deputy).scopes[&through[older_comes_by]].cursor;
        stage.apply(deputy, &mut waiting, &old);
        let after = stage.held(deputy).scopes[&through[older_comes_by]].cursor;
        assert!(after > before, "the older page was to be applied");
        check(&stage, "the older page");
        stage.apply(deputy, &mut waiting, &unanswered);
        check(&stage, "the older receipt");
        stage.sync(deputy);
        check(&stage, "the rest");
        // Once more, when everything newer is here.
        stage.apply(deputy, &mut waiting, &old);
        stage.apply(deputy, &mut waiting, &unanswered);
        check(&stage, "older responses that fit nowhere");
        assert_eq!(stage.sync(deputy), 1, "nothing was broken");
        stage.sync(other_phone);
    }
}

/// Pages of one row: own writes are confirmed long before their feed reaches them. They are shown at every moment all the same,
/// from the pending mutation, then from the receipt, then from the page, and through restarts between.
#[test]
fn promise_10_an_own_write_never_flickers() {
    let mut stage = Stage::new(&[0, 3]);
    let (secretary, deputy) = (0, 1);
    stage.sync(secretary);
    stage.submit(secretary, stage.notice(secretary, 1));
    let changed = stage.meeting(secretary, 1);
    stage.sync(secretary);
    // Much to fetch, in front of what is written now.
    stage.sync(deputy);
    for number in 10..20 {
        stage.submit(deputy, stage.notice(deputy, number));
    }
    stage.sync(deputy);

    stage.submit(secretary, stage.notice(secretary, 2));
    let published = stage.meeting(secretary, 2);
    stage.submit(secretary, stage.change(secretary, changed, "Đã đổi"));
    let answer = stage.submit(secretary, stage.answer(secretary, published));
    let actor = &stage.phones[secretary];
    let own_answer = Response::key(published, actor.cell, actor.member);
    let answer_shown = shown(&stage.held(secretary), own_answer).unwrap().to_vec();

    let mut round = Round::new(1, 0, 4);
    let (mut from_receipt, mut from_page) = (0, 0);
    for trip in 0.. {
        let held = stage.held(secretary);
        assert_eq!(title(&held, published).unwrap(), "Sinh hoạt 2", "{trip}");
        assert_eq!(title(&held, changed).unwrap(), "Đã đổi", "{trip}");
        assert_eq!(shown(&held, own_answer).unwrap(), answer_shown, "{trip}");
        if let Some(confirmed) = held.base.get(&published.0) {
            assert_eq!(held.outbox[&answer].state, ACCEPTED);
            match confirmed.provisional {
                Some(_) => from_receipt += 1,
                None => from_page += 1,
            }
        }
        let Some((_, response)) = stage.ask(secretary, &mut round) else {
            break;
        };
        let rows: usize = response.pages.iter().map(|page| page.rows.len()).sum();
        assert!(rows <= 1, "the pages are cut short");
        stage.apply(secretary, &mut round, &response);
        if trip % 3 == 0 {
            stage.reopen(secretary);
        }
    }
    assert!(from_receipt > 5, "confirmed before its page");
    assert!(from_page > 0, "the page came in the end");
    assert_eq!(stage.held(secretary).overlay.len(), 0);
}

/// One mutation is parked, and one waits for a server that knows its kind: what others write arrives with every response, and
/// the pending one stays laid over it.
#[test]
fn promise_11_server_changes_keep_arriving_while_mutations_are_pending_or_parked() {
    let mut stage = Stage::new(&[0, 3]);
    let (secretary, deputy) = (0, 1);
    stage.sync(secretary);
    for number in [1, 2] {
        stage.submit(secretary, stage.notice(secretary, number));
    }
    let (meeting, cancelled) = (stage.meeting(secretary, 1), stage.meeting(secretary, 2));
    stage.sync(secretary);
    stage.sync(deputy);
    stage.submit(deputy, stage.change(deputy, meeting, "Lần 1"));
    stage.sync(deputy);

    let parked = stage.submit(
        secretary,
        stage.change(secretary, meeting, "Không được nhận"),
    );
    let cancel = |meeting| CancelMeeting {
        meeting,
        reason: "Lý do thử".into(),
    };
    let waiting = stage.submit(secretary, cancel(cancelled));
    defect::pretend_older_server(true);
    stage.sync(secretary);
    assert_eq!(
        states(&stage.held(secretary)),
        [
            (1, ACCEPTED),
            (2, ACCEPTED),
            (parked, PARKED),
            (waiting, PENDING)
        ]
    );
    assert_eq!(title(&stage.held(secretary), meeting).unwrap(), "Lần 1");

    let arrived = stage.meeting(secretary, 15);
    for number in 2..6 {
        let new = stage.submit(deputy, stage.notice(deputy, 10 + number));
        stage.submit(
            deputy,
            stage.change(deputy, meeting, &format!("Lần {number}")),
        );
        stage.sync(deputy);
        assert_eq!(stage.held(deputy).outbox[&new].state, ACCEPTED);
        stage.sync(secretary);
        let held = stage.held(secretary);
        assert_eq!(title(&held, meeting).unwrap(), format!("Lần {number}"));
        let newest = stage.meeting(secretary, 10 + number);
        assert_eq!(
            title(&held, newest).unwrap(),
            format!("Sinh hoạt {}", 10 + number)
        );
        assert_eq!(held.outbox[&parked].state, PARKED);
        assert_eq!(held.outbox[&waiting].state, PENDING);
        assert_eq!(state(&held, cancelled), MeetingState::Cancelled);
    }

    // What the rules of the phone would refuse by now has no effect, and waits all the same: the server decides.
    let overtaken = stage.submit(secretary, cancel(arrived));
    assert_eq!(
        state(&stage.held(secretary), arrived),
        MeetingState::Cancelled
    );
    let organisation = stage.phones[deputy].cell;
    stage.submit(
        deputy,
        OpenRollCall {
            meeting: arrived,
            organisation,
            chair: stage.phones[deputy].member,
            minute_taker: None,
        },
    );
    stage.sync(deputy);
    stage.sync(secretary);
    let held = stage.held(secretary);
    let roll_call = RollCall::key(arrived, organisation);
    assert!(held.base.contains_key(&roll_call), "the roll call arrived");
    assert_eq!(state(&held, arrived), MeetingState::Announced);
    assert_eq!(held.outbox[&overtaken].state, PENDING);
    assert_eq!(state(&held, cancelled), MeetingState::Cancelled);

    // The server comes to know the kind, and what waited is carried out without being entered again.
    defect::pretend_older_server(false);
    stage.sync(secretary);
    stage.sync(deputy);
    let held = stage.held(secretary);
    assert_eq!(held.outbox[&waiting].state, ACCEPTED);
    assert!(matches!(
        rejection(&held, overtaken),
        Rejection::Closed { .. }
    ));
    assert_eq!(
        state(&stage.held(deputy), cancelled),
        MeetingState::Cancelled
    );
}

fn state(held: &Held, meeting: MeetingKey) -> MeetingState {
    common::meeting(held, meeting).unwrap().state
}

/// A feed keeps the newest version of a record alone: what a new phone fetches does not grow with how often it was changed.
#[test]
fn promise_14_ten_thousand_changes_to_one_record_cost_a_new_phone_one_record() {
    let mut stage = Stage::new(&[0, 6]);
    let (secretary, member) = (0, 1);
    stage.sync(secretary);
    stage.submit(secretary, stage.notice(secretary, 1));
    let meeting = stage.meeting(secretary, 1);
    stage.sync(secretary);
    stage.sync(member);
    let actor = &stage.phones[member];
    let key = Response::key(meeting, actor.cell, actor.member);

    let answer = |stage: &Stage, n: u64| {
        let choice = if n.is_multiple_of(2) {
            Choice::WillAttend
        } else {
            Choice::Undecided
        };
        cbor::to_bytes(&Mutation {
            made_at: stage.now,
            needs: Vec::new(),
            intent: Respond {
                choice,
                ..stage.answer(member, meeting)
            }
            .into(),
        })
    };
    let change = |stage: &mut Stage, numbers: std::ops::RangeInclusive<u64>| {
        let sent: Vec<Sent> = numbers
            .map(|n| Sent {
                n,
                mutation: answer(stage, n),
            })
            .collect();
        let settled = sent[0].n - 1;
        let response = stage.serve(member, &Stage::crafted(sent, settled)).unwrap();
        for receipt in response.receipts {
            assert!(matches!(receipt.verdict, Verdict::Done(written) if written.len() == 1));
        }
    };
    let first_download = |stage: &mut Stage| {
        let phone = stage.add_phone(6);
        let mut round = Round::new(WHOLE, 0, 4);
        let (_, response) = stage.ask(phone, &mut round).unwrap();
        assert!(!response.more, "one round trip brings everything");
        let rows = response.pages.iter().flat_map(|page| &page.rows);
        let of_the_record = rows.clone().filter(|row| row.key == key).count();
        stage.apply(phone, &mut round, &response);
        (of_the_record, rows.count(), stamp(&stage.held(phone), key))
    };

    change(&mut stage, 1..=1);
    let (once, all, stamp_then) = first_download(&mut stage);
    assert_eq!((once, stamp_then.version), (1, 1));
    for batch in 0..10 {
        change(&mut stage, batch * 1_000 + 2..=batch * 1_000 + 1_001);
    }
    let (still_once, still_all, stamp_now) = first_download(&mut stage);
    assert_eq!(stamp_now.version, 10_001);
    assert_eq!((still_once, still_all), (1, all));
}
