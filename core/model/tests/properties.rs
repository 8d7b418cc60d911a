//! What holds for every sequence of mutations by anybody: the same answer twice, no panic, no change by a refusal, and the
//! same decision on a world cut down to the actor's scopes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;

use common::*;
use proptest::prelude::*;
use proptest::sample::select;
use sotay_model::cbor::{from_bytes, to_bytes};
use sotay_model::documents::{ConfidentialityLevel, PublishDocument};
use sotay_model::id::{MeetingKey, MemberId, OrganisationId, RecordKey, Scope};
use sotay_model::meetings::{
    AbsenceReason, AcknowledgeNotice, AssumeChair, AttendanceMark, Base, CancelMeeting,
    ChangeNotice, Channel, Choice, ConfirmRollCall, CorrectRollCall, DecideAbsence, DelegateChair,
    MarkAttendance, MarkChange, MarkInformed, Meeting, MeetingKind, MeetingMode, NoticeText,
    ObjectToMark, OpenRollCall, ParticipationMode, PublishNotice, RatifyChair, RequestAbsence,
    ResolveMarks, Respond, RespondOnBehalf, RollCall, WithdrawAbsence, sheet, sheet_digest,
    standing_mark,
};
use sotay_model::organisation::{
    EndAppointment, IntroduceTemporarily, MemberStatus, Organisation, Role,
};
use sotay_model::profile::{ProfileField, RequestCorrection};
use sotay_model::record::{Record, Stamp};
use sotay_model::time::{Now, Timestamp};
use sotay_model::world::World;
use sotay_model::{Actor, Intent, Mutation, Outcome, apply};

const PEOPLE: [u32; 16] = [
    SECRETARY,
    DEPUTY,
    ANN,
    BINH,
    ASSISTANT,
    EXEMPT,
    AWAY,
    SUSPENDED,
    CANDIDATE,
    EXPELLED,
    STRANGER,
    VISITOR,
    OTHER_SECRETARY,
    OFFICER,
    COMMITTEE_MEMBER,
    999,
];

fn member() -> impl Strategy<Value = MemberId> {
    select(&PEOPLE[..]).prop_map(person)
}

fn organisation() -> impl Strategy<Value = OrganisationId> {
    prop_oneof![6 => Just(CELL), 2 => Just(OTHER_CELL), 2 => Just(COMMITTEE), 1 => Just(77)]
        .prop_map(org)
}

fn any_meeting() -> impl Strategy<Value = MeetingKey> {
    prop_oneof![
        8 => Just(the_meeting()),
        1 => Just(meeting(org(COMMITTEE), 1_002)),
        1 => Just(meeting(org(OTHER_CELL), 1_003)),
        1 => member().prop_map(|m| MeetingKey(RecordKey::new(Scope::person(m), id(1)))),
        // A key at which something that is no meeting lies.
        1 => Just(MeetingKey(Organisation::key(org(CELL)))),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => Just("Nội dung thử".to_owned()),
        1 => ".{0,12}",
        1 => select(&["", " ", "MẬT", "a\u{202E}b", "a\u{0}b", "e\u{301}"][..]).prop_map(str::to_owned),
    ]
}

fn instant() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        8 => (-3_000_i64..3_000).prop_map(|minutes| start().plus_minutes(minutes)),
        1 => any::<i64>().prop_map(Timestamp),
        1 => select(&[i64::MIN, i64::MAX, 0][..]).prop_map(Timestamp),
    ]
}

fn code() -> impl Strategy<Value = u32> {
    prop_oneof![9 => 1_u32..7, 1 => any::<u32>()]
}

prop_compose! {
    fn notice_text()(
        title in text(), starts_at in instant(), minutes in -10_i64..200, place in text(), mode in code(),
        agenda in prop::collection::vec(text(), 0..3), guests in prop::collection::vec(text(), 0..2),
        documents in prop::collection::vec(select(&[700_u32, 701][..]), 0..2),
        answer_by in prop::option::weighted(0.2, instant()), absence_by in prop::option::weighted(0.2, instant()),
    ) -> NoticeText {
        NoticeText {
            title, starts_at, ends_at: starts_at.plus_minutes(minutes), place, mode: MeetingMode::from_code(mode), agenda,
            documents: documents.into_iter().map(|n| document(org(CELL), n)).collect(),
            guests, answer_by, absence_by,
        }
    }
}

/// Where a mutation about a meeting points.
fn place() -> impl Strategy<Value = (MeetingKey, OrganisationId)> {
    (any_meeting(), organisation())
}

fn before_the_meeting() -> BoxedStrategy<Intent> {
    let base = prop_oneof![
        any::<i64>().prop_map(Base::After),
        (0_u64..4).prop_map(|version| Base::Confirmed(Stamp {
            incarnation: 1,
            version
        })),
    ];
    prop_oneof![
        (
            any_meeting(),
            prop::collection::vec(organisation(), 0..3),
            code(),
            notice_text()
        )
            .prop_map(|(meeting, participating, kind, notice)| {
                let kind = MeetingKind::from_code(kind);
                PublishNotice {
                    meeting,
                    participating,
                    kind,
                    notice,
                }
                .into()
            }),
        (any_meeting(), base, notice_text(), any::<bool>()).prop_map(
            |(meeting, base, notice, urgent)| ChangeNotice {
                meeting,
                base,
                notice,
                urgent
            }
            .into()
        ),
        (any_meeting(), text())
            .prop_map(|(meeting, reason)| CancelMeeting { meeting, reason }.into()),
        (place(), 0_u32..4).prop_map(|((meeting, organisation), notice_version)| {
            AcknowledgeNotice {
                meeting,
                organisation,
                notice_version,
            }
            .into()
        }),
        (place(), member(), code(), 0_u32..4).prop_map(
            |((meeting, organisation), member, channel, notice_version)| {
                let channel = Channel::from_code(channel);
                MarkInformed {
                    meeting,
                    organisation,
                    member,
                    channel,
                    notice_version,
                }
                .into()
            }
        ),
        (place(), code(), 0_u32..4).prop_map(
            |((meeting, organisation), choice, notice_version)| {
                let choice = Choice::from_code(choice);
                Respond {
                    meeting,
                    organisation,
                    choice,
                    notice_version,
                }
                .into()
            }
        ),
        (place(), member(), code(), code(), 0_u32..4).prop_map(
            |((meeting, organisation), member, choice, channel, notice_version)| {
                let (choice, channel) = (Choice::from_code(choice), Channel::from_code(channel));
                RespondOnBehalf {
                    meeting,
                    organisation,
                    member,
                    choice,
                    channel,
                    notice_version,
                }
                .into()
            }
        ),
        (place(), member(), code(), prop::option::of(text()), code()).prop_map(
            |((meeting, organisation), member, reason, note, channel)| {
                let reason = AbsenceReason::from_code(reason);
                let channel = Channel::from_code(channel);
                RequestAbsence {
                    meeting,
                    organisation,
                    member,
                    reason,
                    note,
                    channel,
                }
                .into()
            }
        ),
        place().prop_map(|(meeting, organisation)| WithdrawAbsence {
            meeting,
            organisation
        }
        .into()),
        (place(), member(), any::<bool>(), prop::option::of(text())).prop_map(
            |((meeting, organisation), member, granted, answer)| {
                DecideAbsence {
                    meeting,
                    organisation,
                    member,
                    granted,
                    answer,
                }
                .into()
            }
        ),
    ]
    .boxed()
}

fn at_the_meeting() -> BoxedStrategy<Intent> {
    let change = (member(), code(), code()).prop_map(|(member, mark, mode)| MarkChange {
        member,
        mark: AttendanceMark::from_code(mark),
        mode: ParticipationMode::from_code(mode),
    });
    let rest = prop_oneof![
        (place(), member(), prop::option::of(member())).prop_map(
            |((meeting, organisation), chair, minute_taker)| {
                OpenRollCall {
                    meeting,
                    organisation,
                    chair,
                    minute_taker,
                }
                .into()
            }
        ),
        (place(), member()).prop_map(|((meeting, organisation), member)| {
            DelegateChair {
                meeting,
                organisation,
                member,
            }
            .into()
        }),
        (place(), text()).prop_map(|((meeting, organisation), reason)| {
            AssumeChair {
                meeting,
                organisation,
                reason,
            }
            .into()
        }),
        place().prop_map(|(meeting, organisation)| RatifyChair {
            meeting,
            organisation
        }
        .into()),
        (place(), member(), code()).prop_map(|((meeting, organisation), member, mark)| {
            let mark = AttendanceMark::from_code(mark);
            ResolveMarks {
                meeting,
                organisation,
                member,
                mark,
            }
            .into()
        }),
        (
            place(),
            0_u32..4,
            prop::collection::vec(change, 0..3),
            text()
        )
            .prop_map(|((meeting, organisation), from, changes, reason)| {
                CorrectRollCall {
                    meeting,
                    organisation,
                    from,
                    changes,
                    reason,
                }
                .into()
            }),
        (place(), text()).prop_map(|((meeting, organisation), text)| {
            ObjectToMark {
                meeting,
                organisation,
                text,
            }
            .into()
        }),
    ];
    prop_oneof![
        7 => rest,
        4 => (place(), member(), code(), 1_u32..3, any::<bool>()).prop_map(
            |((meeting, organisation), member, mark, mode, voted)| {
                let mark = AttendanceMark::from_code(mark);
                let mode = ParticipationMode::from_code(mode);
                MarkAttendance { meeting, organisation, member, mark, mode, voted }.into()
            }
        ),
        // An empty digest stands for the sheet as it is: see `Step::intent`.
        3 => (place(), prop::option::weighted(0.1, any::<[u8; 32]>())).prop_map(
            |((meeting, organisation), seen)| {
                let seen = seen.map(Vec::from).unwrap_or_default();
                ConfirmRollCall { meeting, organisation, seen }.into()
            }
        ),
    ]
    .boxed()
}

fn beside_the_meeting() -> BoxedStrategy<Intent> {
    prop_oneof![
        (
            select(&PEOPLE[..]),
            select(&[CELL, OTHER_CELL, 77][..]),
            1_u32..12
        )
            .prop_map(|(n, cell, status)| entry(n, cell, MemberStatus::from_code(status)).into()),
        (
            select(&PEOPLE[..]),
            select(&[CELL, OTHER_CELL, COMMITTEE, 77][..]),
            code()
        )
            .prop_map(|(n, organisation, role)| appointment(
                n,
                organisation,
                Role::from_code(role)
            )
            .into()),
        (member(), select(&[4_000 + SECRETARY * 10 + 1, 1][..])).prop_map(|(member, n)| {
            EndAppointment {
                member,
                id: id(n),
                until: date("2026-12-31"),
            }
            .into()
        }),
        (member(), organisation(), 0_u32..3).prop_map(|(member, host, n)| {
            let (from, until) = (date("2026-12-01"), date("2027-05-31"));
            IntroduceTemporarily {
                id: id(n),
                member,
                host,
                from,
                until,
            }
            .into()
        }),
        (0_u32..3, code(), text()).prop_map(|(n, field, text)| {
            RequestCorrection {
                id: id(n),
                field: ProfileField::from_code(field),
                text,
            }
            .into()
        }),
        (
            select(&[CELL, COMMITTEE, OTHER_CELL][..]),
            700_u32..702,
            text(),
            code(),
            prop::option::of(any_meeting()),
        )
            .prop_map(|(home, n, title, level, for_meeting)| {
                let level = ConfidentialityLevel::from_code(level);
                PublishDocument {
                    title,
                    level,
                    for_meeting,
                    ..publication(home, n)
                }
                .into()
            }),
        any::<u32>().prop_map(|n| Intent::Unknown {
            code: n.saturating_add(1_000)
        }),
    ]
    .boxed()
}

/// One submission.
#[derive(Debug, Clone)]
struct Step {
    actor: Actor,
    made_at: Timestamp,
    minutes: i64,
    intent: Intent,
}

impl Step {
    /// The intent, with the digest of the sheet as it is where the step does not name one.
    fn intent(&self, commune: &Commune) -> Intent {
        let mut intent = self.intent.clone();
        if let Intent::ConfirmRollCall(confirm) = &mut intent
            && confirm.seen.is_empty()
        {
            let mut lines = commune.lines();
            lines.retain(|line| line.meeting == confirm.meeting);
            confirm.seen = sheet_digest(&lines);
        }
        intent
    }
}

fn step() -> BoxedStrategy<Step> {
    let actor = prop_oneof![
        4 => select(&[SECRETARY, DEPUTY, ANN, BINH][..]).prop_map(|n| Actor::Member(person(n))),
        3 => member().prop_map(Actor::Member),
        1 => Just(Actor::Operator),
    ];
    let intent =
        prop_oneof![3 => before_the_meeting(), 4 => at_the_meeting(), 1 => beside_the_meeting()];
    (actor, instant(), 0_i64..500, intent)
        .prop_map(|(actor, made_at, minutes, intent)| Step {
            actor,
            made_at,
            minutes,
            intent,
        })
        .boxed()
}

/// Two cells meet jointly; one has opened its roll call, and there are answers and requests, own and entered by others.
fn joint() -> Commune {
    let mut commune = Commune::new();
    commune.appoint(SECRETARY, OTHER_CELL, Role::DeputySecretary);
    let participating = vec![org(CELL), org(OTHER_CELL)];
    commune.done(
        SECRETARY,
        PublishNotice {
            participating,
            ..publish()
        },
    );
    for (by, member) in [(EXEMPT, EXEMPT), (ANN, ANN), (ASSISTANT, BINH)] {
        let own = by == member;
        commune.done(
            by,
            RequestAbsence {
                meeting: the_meeting(),
                organisation: org(CELL),
                member: person(member),
                reason: AbsenceReason::Health,
                note: None,
                channel: if own {
                    Channel::Handbook
                } else {
                    Channel::PhoneCall
                },
            },
        );
        commune.done(
            DEPUTY,
            DecideAbsence {
                meeting: the_meeting(),
                organisation: org(CELL),
                member: person(member),
                granted: own,
                answer: None,
            },
        );
    }
    commune.done(SECRETARY, open());
    commune
}

/// A correction that lacks one confirmation.
fn almost_corrected() -> Commune {
    let mut commune = Commune::confirmed();
    let (member, mark) = (person(VISITOR), AttendanceMark::Late);
    commune.done(
        SECRETARY,
        CorrectRollCall {
            meeting: the_meeting(),
            organisation: org(CELL),
            from: 1,
            changes: vec![MarkChange {
                member,
                mark,
                mode: ParticipationMode::InRoom,
            }],
            reason: "Đến sau khi khai mạc".to_owned(),
        },
    );
    let confirm = commune.confirm();
    commune.done(ANN, confirm);
    commune
}

fn stages() -> BoxedStrategy<Commune> {
    prop_oneof![
        Just(Commune::new as fn() -> Commune),
        Just(Commune::with_notice as fn() -> Commune),
        Just(Commune::with_roll_call as fn() -> Commune),
        Just(Commune::all_marked as fn() -> Commune),
        Just(Commune::confirmed as fn() -> Commune),
        Just(joint as fn() -> Commune),
        Just(almost_corrected as fn() -> Commune),
    ]
    .prop_map(|stage| stage())
    .boxed()
}

/// What must be true of a store after every step.
fn check(commune: &Commune, before: &Commune) {
    for (record, audience) in commune.store.records() {
        assert!(!audience.is_empty(), "nobody sees {}", record.key);
        let sorted: BTreeSet<Scope> = audience.iter().copied().collect();
        assert!(sorted.iter().eq(audience.iter()), "audience out of order");
    }
    for (record, _) in before.store.records() {
        if let Ok(old) = record.read::<RollCall>() {
            let new: RollCall = commune.store.body(record.key).unwrap();
            assert!(
                new.versions.starts_with(&old.versions),
                "a confirmed version changed"
            );
        }
        if let Ok(old) = record.read::<Meeting>() {
            let new: Meeting = commune.store.body(record.key).unwrap();
            assert!(
                new.versions.starts_with(&old.versions),
                "a published notice changed"
            );
        }
    }
}

proptest! {

    #[test]
    fn sequences_by_anybody_keep_the_rules(
        mut commune in stages(),
        steps in prop::collection::vec(step(), 1..40),
    ) {
        for step in steps {
            commune.now = Now::server(commune.now.at.plus_minutes(step.minutes));
            let before = commune.clone();
            let intent = step.intent(&commune);
            let mutation = Mutation { made_at: step.made_at, needs: vec![], intent };
            let first = commune.store.decide(step.actor, commune.now, &mutation, None);
            let second = commune.store.decide(step.actor, commune.now, &mutation, None);
            prop_assert_eq!(&first, &second, "two answers to one question");
            if let Actor::Member(member) = step.actor {
                let scopes = commune.store.scopes(member, commune.now.at.date());
                let cut = commune.store.decide(step.actor, commune.now, &mutation, Some(&scopes));
                prop_assert_eq!(&cut, &first, "the actor's own records decide otherwise: {:?}", mutation);
            }
            match &first {
                Outcome::Done(effect) => {
                    let keys: BTreeSet<_> = effect.puts.iter().map(|put| put.key).collect();
                    prop_assert_eq!(keys.len(), effect.puts.len(), "a record written twice");
                    commune.store.write(effect);
                    check(&commune, &before);
                }
                Outcome::Rejected(_) | Outcome::NotYet => {
                    prop_assert!(commune.store == before.store);
                }
                Outcome::Need(_) => unreachable!("the store answers every question"),
            }
            // Bytes as they travel say the same.
            let travelled: Mutation = from_bytes(&to_bytes(&mutation)).unwrap();
            prop_assert_eq!(travelled, mutation);
        }
    }

    #[test]
    fn damaged_mutations_and_records_never_panic(
        commune in stages(),
        step in step(),
        at in any::<prop::sample::Index>(),
        with: u8,
        which in any::<prop::sample::Index>(),
    ) {
        let mutation = Mutation { made_at: step.made_at, needs: vec![], intent: step.intent(&commune) };
        let mut bytes = to_bytes(&mutation);
        let place = at.index(bytes.len());
        bytes[place] = with;
        if let Ok(damaged) = from_bytes::<Mutation>(&bytes) {
            commune.store.decide(step.actor, commune.now, &damaged, None);
        }
        // A record whose bytes were damaged reads as none or as another one; no rule falls over it.
        let mut damaged = commune.store.clone();
        let records: Vec<Record> = damaged.records().map(|(record, _)| record.clone()).collect();
        let mut record = which.get(&records).clone();
        let place = at.index(record.body.len());
        record.body[place] = with;
        damaged.replace(record);
        damaged.decide(step.actor, commune.now, &mutation, None);
    }

    #[test]
    fn what_an_empty_world_needs_is_always_something(step in step()) {
        let commune = Commune::new();
        let mutation = Mutation { made_at: step.made_at, needs: vec![], intent: step.intent(&commune) };
        if let Outcome::Need(needs) = apply(&World::new(), step.actor, commune.now, &mutation) {
            prop_assert!(!needs.is_empty());
        }
    }

    #[test]
    fn a_sheet_says_the_same_in_every_order(
        marks in prop::collection::vec((0_usize..6, 2_u32..7), 0..12),
        order in Just(()).prop_perturb(|(), rng| rng),
    ) {
        let mut commune = Commune::with_roll_call();
        let people = [SECRETARY, DEPUTY, ANN, BINH, ASSISTANT, VISITOR];
        for (who, what) in marks {
            let intent = mark(people[who], AttendanceMark::from_code(what));
            commune.submit(Actor::Member(person(SECRETARY)), intent);
        }
        let mut lines = commune.lines();
        let (expected_sheet, expected) = (sheet(&lines), sheet_digest(&lines));
        let mut rng = order;
        for at in (1..lines.len()).rev() {
            lines.swap(at, rng.random_range(0..=at));
        }
        prop_assert_eq!(sheet_digest(&lines), expected.clone());
        prop_assert_eq!(sheet(&lines), expected_sheet);
        // And another sheet says something else.
        if let Some(line) = lines.first_mut() {
            line.convened_as = MemberStatus::Guest;
        }
        prop_assert_ne!(sheet_digest(&lines), expected);
    }

    #[test]
    fn two_phones_that_mark_apart_converge(
        first in marks_by_one(), second in marks_by_one(),
        other in select(&[DEPUTY, BINH, ASSISTANT, ANN][..]),
    ) {
        let mut one = Commune::with_roll_call();
        let mut two = one.clone();
        for (commune, secretary_first) in [(&mut one, true), (&mut two, false)] {
            let mut phones = [(SECRETARY, &first), (other, &second)];
            if !secretary_first {
                phones.reverse();
            }
            for (by, marks) in phones {
                for (made_at, intent) in marks {
                    let mutation = Mutation { made_at: *made_at, needs: vec![], intent: intent.clone().into() };
                    let actor = Actor::Member(person(by));
                    if let Outcome::Done(effect) = commune.store.decide(actor, commune.now, &mutation, None) {
                        commune.store.write(&effect);
                    }
                }
            }
        }
        prop_assert_eq!(one.lines(), two.lines());
        for (a, b) in one.lines().iter().zip(&two.lines()) {
            prop_assert_eq!(standing_mark(a), standing_mark(b));
        }
    }
}

/// Marks as one phone makes them, one after the other.
fn marks_by_one() -> impl Strategy<Value = Vec<(Timestamp, MarkAttendance)>> {
    let who = select(&[SECRETARY, DEPUTY, ANN, BINH, ASSISTANT, EXEMPT, VISITOR][..]);
    let one = (instant(), who, 1_u32..7, 1_u32..3, any::<bool>()).prop_map(
        |(made_at, who, what, mode, voted)| {
            let mode = ParticipationMode::from_code(mode);
            (
                made_at,
                MarkAttendance {
                    mode,
                    voted,
                    ..mark(who, AttendanceMark::from_code(what))
                },
            )
        },
    );
    prop::collection::vec(one, 0..8)
}

#[test]
fn the_whole_story_fits_into_a_small_stack() {
    // Apps call from threads of their own, with far less stack than a main thread has.
    let small = std::thread::Builder::new().stack_size(256 << 10);
    let told = small
        .spawn(|| Commune::confirmed().roll_call().versions.len())
        .unwrap();
    assert_eq!(told.join().unwrap(), 1);
}
