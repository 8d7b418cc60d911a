//! Retention: what is stated beside each kind is kept, on the server and on phones.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use common::{NOW, Phone, Place, fresh_id, publish, verdicts};
use sotay_model::inventory::of;
use sotay_model::meetings::{
    AbsenceReason, AcknowledgeNotice, AttendanceMark, Channel, Choice, MarkAttendance,
    OpenRollCall, ParticipationMode, RequestAbsence, Respond,
};
use sotay_model::organisation::{Appoint, Appointment, IntroduceTemporarily, Role};
use sotay_model::profile::{ProfileField, RequestCorrection};
use sotay_model::wire::Verdict;
use sotay_model::{Id, Intent, Kind, MeetingKey, MemberId, RecordKey, Stamp, Timestamp};
use sotay_server::audit::Event;
use sotay_server::commune;
use sotay_server::engine::{Engine, REMOVED_AT_ONCE};
use sotay_server::{Server, ServerConfig};

const DAY: i64 = 24 * 60;
/// The kinds that a date of their own ends, and that the server removes.
const REMOVED: [Kind; 6] = [
    Kind::TemporaryActivity,
    Kind::Appointment,
    Kind::CorrectionRequest,
    Kind::Response,
    Kind::Acknowledgement,
    Kind::AbsenceRequest,
];

fn days(count: i64) -> Timestamp {
    NOW.plus_minutes(count * DAY)
}

type Live = BTreeMap<RecordKey, (Stamp, Vec<u8>)>;

fn live(phone: &Phone) -> Live {
    let feeds = phone.feeds.values();
    feeds.flat_map(|feed| feed.live.clone()).collect()
}

fn say(phone: &mut Phone, engine: &mut Engine, intent: impl Into<Intent>) {
    let sent = phone.next(intent);
    let response = phone.sync(engine, vec![sent]);
    assert!(
        matches!(verdicts(&response)[..], [Verdict::Done(_)]),
        "{:?}",
        response.receipts
    );
}

fn over(engine: &mut Engine, now: Timestamp) -> BTreeMap<Kind, usize> {
    let found = engine.over(now).unwrap();
    found.into_iter().map(|(k, keys)| (k, keys.len())).collect()
}

/// A meeting with everything that is said about one: answers, requests, a roll call; an office and a temporary activity that end.
fn a_year_of_a_cell(place: &Place, engine: &mut Engine) -> (Phone, Phone, MeetingKey) {
    let cell = place.cell("CB1");
    let member = |code: &str| place.commune.members[code];
    let day = |count| days(count).date();
    let entered = engine.enter(
        [
            Appoint {
                id: fresh_id(),
                member: member("M04"),
                organisation: cell,
                role: Role::Assistant,
                phone: None,
                from: day(-10),
                until: Some(day(30)),
            }
            .into(),
            IntroduceTemporarily {
                id: fresh_id(),
                member: member("M06"),
                host: cell,
                from: day(-10),
                until: day(150),
            }
            .into(),
        ],
        NOW,
    );
    entered.unwrap().unwrap();
    let mut secretary = place.phone(engine, "M01");
    let mut deputy = place.phone(engine, "M02");
    secretary.sync_all(engine);
    deputy.sync_all(engine);
    let notice = publish(cell, "Sinh hoạt tháng 11");
    let meeting = notice.meeting;
    say(&mut secretary, engine, notice);
    let mine = |choice| Respond {
        meeting,
        organisation: cell,
        choice,
        notice_version: 1,
    };
    say(&mut deputy, engine, mine(Choice::WillAttend));
    let known = AcknowledgeNotice {
        meeting,
        organisation: cell,
        notice_version: 1,
    };
    say(&mut deputy, engine, known);
    let request = RequestAbsence {
        meeting,
        organisation: cell,
        member: member("M01"),
        reason: AbsenceReason::Health,
        note: Some("Đi viện".into()),
        channel: Channel::Handbook,
    };
    say(&mut secretary, engine, request);
    let correction = RequestCorrection {
        id: fresh_id(),
        field: ProfileField::Born,
        text: "Ghi sai năm sinh".into(),
    };
    say(&mut deputy, engine, correction);
    let open = OpenRollCall {
        meeting,
        organisation: cell,
        chair: member("M01"),
        minute_taker: Some(member("M02")),
    };
    say(&mut secretary, engine, open);
    let mark = MarkAttendance {
        meeting,
        organisation: cell,
        member: member("M06"),
        mark: AttendanceMark::Present,
        mode: ParticipationMode::InRoom,
        voted: false,
    };
    say(&mut deputy, engine, mark);
    secretary.sync_all(engine);
    deputy.sync_all(engine);
    (secretary, deputy, meeting)
}

#[test]
fn retention_what_is_over_goes_from_server_and_phones_and_nothing_else_changes() {
    let place = Place::new();
    let mut engine = place.engine();
    let (mut secretary, mut deputy, meeting) = a_year_of_a_cell(&place, &mut engine);
    let before = [live(&secretary), live(&deputy)];

    // A year after its last day each goes, and none before.
    assert_eq!(over(&mut engine, days(366)), BTreeMap::new());
    let later = days(366 + 40);
    let expected = [
        (Kind::Appointment, 1),
        (Kind::CorrectionRequest, 1),
        (Kind::Response, 1),
        (Kind::Acknowledgement, 1),
        (Kind::AbsenceRequest, 1),
    ];
    assert_eq!(over(&mut engine, later), BTreeMap::from(expected));
    let later = days(366 + 160);
    let found = engine.over(later).unwrap();
    let kinds: BTreeSet<Kind> = found.keys().copied().collect();
    assert_eq!(kinds, BTreeSet::from(REMOVED));
    let gone: Vec<RecordKey> = found.into_values().flatten().collect();
    let (removed, _) = engine.remove_over(&gone, later).unwrap();
    assert_eq!((removed, gone.len()), (6, 6));

    for (phone, before) in [&mut secretary, &mut deputy].into_iter().zip(before) {
        phone.sync_all(&mut engine);
        let mut left = before.clone();
        left.retain(|key, _| !gone.contains(key));
        // Sheet, marks and notice are byte for byte what they were, so every figure is.
        assert_eq!(live(phone), left);
        assert!(left.len() < before.len() && phone.holds(meeting.0));
        // A phone that comes only now gets the same.
        phone.feeds.clear();
        phone.sync_all(&mut engine);
        assert_eq!(live(phone), left);
    }
    for key in gone {
        assert_eq!(engine.storage().read().unwrap().record(key).unwrap(), None);
    }
    assert_eq!(over(&mut engine, later), BTreeMap::new());
    let mut said = Vec::new();
    let transaction = engine.storage().read().unwrap();
    let all = transaction.audit_entries(Some(None), |entry| {
        said.extend(entry.event());
        true
    });
    all.unwrap();
    assert!(said.contains(&Event::Expired { records: 6 }));
}

#[test]
fn retention_what_was_removed_and_comes_again_is_newer_than_what_phones_still_hold() {
    let place = Place::new();
    let mut engine = place.engine();
    let appoint = |until: i64| Appoint {
        id: Id::from_bytes([9; 16]),
        member: place.commune.members["M04"],
        organisation: place.cell("CB1"),
        role: Role::Assistant,
        phone: None,
        from: days(-10).date(),
        until: Some(days(until).date()),
    };
    for until in [10, 20] {
        engine.enter([appoint(until).into()], NOW).unwrap().unwrap();
    }
    let mut phone = place.phone(&mut engine, "M01");
    phone.sync_all(&mut engine);
    let key = *live(&phone)
        .keys()
        .find(|key| key.id.as_bytes() == &[9; 16])
        .unwrap();
    let held = live(&phone)[&key].0;
    let (removed, _) = engine.remove_over(&[key], days(400)).unwrap();
    assert_eq!(removed, 1);
    engine.enter([appoint(30).into()], NOW).unwrap().unwrap();
    phone.sync_all(&mut engine);
    assert!(live(&phone)[&key].0 > held);
}

#[test]
fn retention_nothing_younger_than_its_time_is_ever_removed() {
    let place = Place::new();
    let mut engine = place.engine();
    let members: Vec<MemberId> = place.commune.members.values().copied().collect();
    let mut dice = 20_261_123_u64;
    let mut draw = |below: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ((dice >> 33) % below).cast_signed()
    };
    let offices = (0..500).map(|_| {
        let from = draw(1_500) - 1_000;
        Intent::from(Appoint {
            id: fresh_id(),
            member: members[usize::try_from(draw(members.len() as u64)).unwrap()],
            organisation: place.cell("CB2"),
            role: Role::Assistant,
            phone: None,
            from: days(from).date(),
            until: (draw(5) > 0).then(|| days(from + draw(700)).date()),
        })
    });
    let offices: Vec<Intent> = offices.collect();
    engine.enter(offices, NOW).unwrap().unwrap();
    let stands = |engine: &mut Engine| -> BTreeMap<RecordKey, Appointment> {
        let transaction = engine.storage().read().unwrap();
        let keys = transaction.keys_of(Kind::Appointment).unwrap();
        let read = |key| {
            transaction
                .record(key)
                .unwrap()
                .unwrap()
                .record
                .read()
                .unwrap()
        };
        keys.into_iter().map(|key| (key, read(key))).collect()
    };
    let all = stands(&mut engine);
    let mut total = 0;
    for step in 0..40 {
        let now = days(step * 37 - 500);
        let before = stands(&mut engine);
        let found: Vec<RecordKey> = engine.over(now).unwrap().into_values().flatten().collect();
        for some in found.chunks(REMOVED_AT_ONCE) {
            total += engine.remove_over(some, now).unwrap().0;
        }
        let after = stands(&mut engine);
        for (key, office) in before {
            // By the calendar: the same day of the next year.
            let whole_years = office
                .until
                .map_or(0, |until| until.years_until(now.date()));
            let removed = !after.contains_key(&key);
            assert!(
                !removed || whole_years >= 1,
                "{office:?} at {:?}",
                now.date()
            );
            let long_over = office
                .until
                .is_some_and(|u| u < now.plus_minutes(-368 * DAY).date());
            assert!(
                removed || !long_over,
                "{office:?} stays at {:?}",
                now.date()
            );
        }
    }
    // Not vacuous: many went, and all without an end are here.
    assert!(total > 200, "{total}");
    let endless = all.iter().filter(|(_, office)| office.until.is_none());
    let left = stands(&mut engine);
    assert!(endless.clone().count() > 50);
    assert!(endless.into_iter().all(|(key, _)| left.contains_key(key)));
    // Whoever asks for what is young removes nothing.
    let young: Vec<RecordKey> = left.keys().copied().collect();
    assert_eq!(engine.remove_over(&young, NOW).unwrap().0, 0);
}

#[test]
fn retention_counting_changes_nothing_and_only_stated_kinds_are_removed() {
    let place = Place::new();
    let mut engine = place.engine();
    drop(a_year_of_a_cell(&place, &mut engine));
    let lines = |engine: &mut Engine| engine.storage().read().unwrap().lines_ever().unwrap();
    let before = lines(&mut engine);
    let far = days(40_000);
    let counted = commune::count_over(&place.data(), far).unwrap();
    assert_eq!(lines(&mut engine), before);
    for kind in Kind::ALL {
        let stated = of(*kind).unwrap().kept.until.is_kept_by_server();
        assert_eq!(stated, REMOVED.contains(kind), "{}", kind.name());
        assert!(stated || !counted.contains_key(kind), "{}", kind.name());
    }
    let all: usize = counted.values().sum();
    assert_eq!(commune::remove_over(&place.data(), far).unwrap(), all);
    assert_eq!(commune::remove_over(&place.data(), far).unwrap(), 0);
}

#[test]
fn retention_a_server_that_runs_removes_it_by_itself() {
    let place = Place::new();
    drop(a_year_of_a_cell(&place, &mut place.engine()));
    let later = || days(366 + 160);
    let left = || commune::count_over(&place.data(), later()).unwrap();
    assert_eq!(left().len(), REMOVED.len());
    let mut config = ServerConfig::new(place.data(), ([127, 0, 0, 1], 0).into());
    config.clock = || days(366 + 160);
    let running = Server::start(config).unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    while !left().is_empty() {
        assert!(Instant::now() < patience, "{:?} are left", left());
        std::thread::yield_now();
    }
    running.shutdown();
}
