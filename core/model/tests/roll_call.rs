//! Roll call, conflicts between marks, confirmation, correction, objection.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use sotay_model::Effect;
use sotay_model::id::Scope;
use sotay_model::meetings::{
    AssumeChair, Attendance, AttendanceMark, ConfirmRollCall, CorrectRollCall, DelegateChair,
    MarkAttendance, MarkChange, MarkSource, MeetingKind, ObjectToMark, OpenRollCall,
    ParticipationMode, PublishNotice, RatifyChair, ResolveMarks, RollCall, is_provisional,
    standing_mark,
};
use sotay_model::organisation::MemberStatus;
use sotay_model::rejection::{Closing, Denial, Fault, Field, Rejection, Subject};
use sotay_model::time::Now;

const fn denied(why: Denial) -> Rejection {
    Rejection::NotAllowed { why }
}

const fn invalid(field: Field, why: Fault) -> Rejection {
    Rejection::Invalid { field, why }
}

fn resolve(member: u32, mark: AttendanceMark) -> ResolveMarks {
    ResolveMarks {
        meeting: the_meeting(),
        organisation: org(CELL),
        member: person(member),
        mark,
    }
}

fn delegate(member: u32) -> DelegateChair {
    DelegateChair {
        meeting: the_meeting(),
        organisation: org(CELL),
        member: person(member),
    }
}

fn assume() -> AssumeChair {
    AssumeChair {
        meeting: the_meeting(),
        organisation: org(CELL),
        reason: "Bí thư và phó bí thư đều vắng".to_owned(),
    }
}

fn ratify() -> RatifyChair {
    RatifyChair {
        meeting: the_meeting(),
        organisation: org(CELL),
    }
}

fn correct(member: u32, mark: AttendanceMark) -> CorrectRollCall {
    CorrectRollCall {
        meeting: the_meeting(),
        organisation: org(CELL),
        from: 1,
        changes: vec![MarkChange {
            member: person(member),
            mark,
            mode: ParticipationMode::InRoom,
        }],
        reason: "Ghi nhầm".to_owned(),
    }
}

fn object(text: &str) -> ObjectToMark {
    ObjectToMark {
        meeting: the_meeting(),
        organisation: org(CELL),
        text: text.to_owned(),
    }
}

fn stands(commune: &Commune, member: u32) -> Option<AttendanceMark> {
    standing_mark(&commune.line(member)).0.map(|mark| mark.mark)
}

fn in_conflict(commune: &Commune, member: u32) -> bool {
    standing_mark(&commune.line(member)).1
}

// --- opening

#[test]
fn the_opening_freezes_who_is_convened_with_which_status() {
    let mut commune = Commune::with_roll_call();
    let expected = [
        (SECRETARY, MemberStatus::Official),
        (DEPUTY, MemberStatus::Official),
        (ANN, MemberStatus::Official),
        (BINH, MemberStatus::Official),
        (ASSISTANT, MemberStatus::Probationary),
        (EXEMPT, MemberStatus::Exempt),
        (AWAY, MemberStatus::TemporaryOut),
        (SUSPENDED, MemberStatus::Suspended),
        (VISITOR, MemberStatus::TemporaryIn),
    ];
    let mut lines: Vec<_> = commune
        .lines()
        .iter()
        .map(|l| (l.member, l.convened_as))
        .collect();
    lines.sort_unstable();
    let mut expected: Vec<_> = expected.into_iter().map(|(n, s)| (person(n), s)).collect();
    expected.sort_unstable();
    assert_eq!(lines, expected);
    commune.enter(ASSISTANT, CELL, MemberStatus::Official);
    commune.enter(ANN, OTHER_CELL, MemberStatus::Official);
    assert_eq!(
        commune.line(ASSISTANT).convened_as,
        MemberStatus::Probationary
    );
    assert_eq!(commune.line(ANN).convened_as, MemberStatus::Official);
}

#[test]
fn a_line_is_shown_to_the_organisation_and_the_member() {
    let commune = Commune::with_roll_call();
    let mut audience = vec![
        Scope::organisation(org(CELL)),
        Scope::person(person(VISITOR)),
    ];
    audience.sort_unstable();
    let key = Attendance::key(the_meeting(), org(CELL), person(VISITOR));
    assert_eq!(commune.store.audience(key), audience);
}

#[test]
fn only_who_leads_opens_and_officers_are_official_members() {
    let mut commune = Commune::with_notice();
    for member in [ANN, ASSISTANT, VISITOR] {
        assert_eq!(
            commune.refused(member, open()),
            denied(Denial::OfficeNeeded)
        );
    }
    assert_eq!(commune.refused(OFFICER, open()), denied(Denial::NotAMember));
    for chair in [ASSISTANT, VISITOR, EXEMPT, AWAY, SUSPENDED] {
        let opening = OpenRollCall {
            chair: person(chair),
            ..open()
        };
        assert_eq!(
            commune.refused(SECRETARY, opening),
            denied(Denial::OfficialMemberNeeded)
        );
    }
    let stranger = OpenRollCall {
        minute_taker: Some(person(STRANGER)),
        ..open()
    };
    assert_eq!(
        commune.refused(SECRETARY, stranger),
        denied(Denial::NotConvened)
    );
    let alone = OpenRollCall {
        minute_taker: Some(person(ANN)),
        ..open()
    };
    assert_eq!(
        commune.refused(SECRETARY, alone),
        denied(Denial::SecondPersonNeeded)
    );
    let unknown = OpenRollCall {
        meeting: meeting(org(CELL), 9),
        ..open()
    };
    assert_eq!(
        commune.refused(SECRETARY, unknown),
        Rejection::NotFound {
            what: Subject::Meeting
        }
    );
}

#[test]
fn the_second_of_two_openings_changes_nothing() {
    let mut commune = Commune::with_roll_call();
    let second = OpenRollCall {
        chair: person(DEPUTY),
        minute_taker: None,
        ..open()
    };
    assert_eq!(commune.done(DEPUTY, second), Effect::default());
    assert_eq!(commune.roll_call().chair, person(ANN));
    // The second opener marks all the same.
    commune.done(DEPUTY, mark(BINH, AttendanceMark::Present));
}

#[test]
fn at_a_committee_meeting_each_office_holder_has_one_line() {
    let mut commune = Commune::new();
    let key = meeting(org(COMMITTEE), 1_002);
    commune.done(
        OFFICER,
        PublishNotice {
            meeting: key,
            participating: vec![org(COMMITTEE)],
            kind: MeetingKind::Committee,
            ..publish()
        },
    );
    commune.done(
        OFFICER,
        OpenRollCall {
            meeting: key,
            organisation: org(COMMITTEE),
            chair: person(OFFICER),
            minute_taker: Some(person(COMMITTEE_MEMBER)),
        },
    );
    assert_eq!(commune.lines().len(), 2);
}

#[test]
fn without_an_opening_there_is_nothing_to_mark() {
    let mut commune = Commune::with_notice();
    assert_eq!(
        commune.refused(SECRETARY, mark(ANN, AttendanceMark::Present)),
        Rejection::NotFound {
            what: Subject::RollCall
        }
    );
}

// --- the chair

#[test]
fn whoever_was_asked_to_take_the_chair_opens() {
    let mut commune = Commune::with_notice();
    assert_eq!(
        commune.refused(ANN, delegate(ANN)),
        denied(Denial::OfficeNeeded)
    );
    assert_eq!(
        commune.refused(SECRETARY, delegate(ASSISTANT)),
        denied(Denial::OfficialMemberNeeded)
    );
    commune.done(SECRETARY, delegate(ANN));
    let for_another = OpenRollCall {
        chair: person(BINH),
        minute_taker: None,
        ..open()
    };
    assert_eq!(
        commune.refused(ANN, for_another),
        denied(Denial::ChairNeeded)
    );
    commune.done(ANN, open());
    assert!(!is_provisional(&commune.roll_call()));
}

#[test]
fn the_chair_may_pass_on_during_the_meeting_and_confirmations_start_again() {
    let mut commune = Commune::all_marked();
    let confirm = commune.confirm();
    commune.done(ANN, confirm);
    commune.done(SECRETARY, delegate(BINH));
    let roll_call = commune.roll_call();
    assert_eq!(
        (roll_call.chair, roll_call.minute_taker),
        (person(BINH), None)
    );
    assert!(roll_call.confirmations.is_empty());
}

#[test]
fn an_assumed_chair_is_provisional_and_the_version_waits_for_the_ratification() {
    let mut commune = Commune::with_notice();
    commune.done(ANN, assume());
    assert!(is_provisional(&commune.roll_call()));
    for member in [SECRETARY, DEPUTY, BINH, ASSISTANT, VISITOR] {
        commune.done(ANN, mark(member, AttendanceMark::Present));
    }
    commune.done(ANN, mark(ANN, AttendanceMark::Present));
    let confirm = commune.confirm();
    commune.done(ANN, confirm.clone());
    commune.done(BINH, confirm);
    assert_eq!(commune.roll_call().confirmed(), None);
    assert_eq!(
        commune.refused(BINH, ratify()),
        denied(Denial::OfficeNeeded)
    );
    commune.done(SECRETARY, ratify());
    assert_eq!(commune.roll_call().confirmed().unwrap().number, 1);
    assert_eq!(
        commune.refused(SECRETARY, ratify()),
        invalid(Field::Mutation, Fault::NoChange)
    );
}

#[test]
fn a_chair_who_is_there_is_not_replaced() {
    let mut commune = Commune::with_roll_call();
    commune.done(SECRETARY, mark(ANN, AttendanceMark::Present));
    assert_eq!(commune.refused(BINH, assume()), denied(Denial::ChairNeeded));
    commune.done(SECRETARY, mark(ANN, AttendanceMark::AbsentUnexcused));
    commune.done(BINH, assume());
    assert_eq!(commune.roll_call().chair, person(BINH));
    assert_eq!(
        commune.refused(ASSISTANT, assume()),
        denied(Denial::OfficialMemberNeeded)
    );
    assert_eq!(
        commune.refused(VISITOR, assume()),
        denied(Denial::OfficialMemberNeeded)
    );
}

// --- marks

#[test]
fn who_has_a_task_marks_others_and_nobody_else() {
    let mut commune = Commune::with_roll_call();
    for (member, source) in [
        (SECRETARY, MarkSource::Recorder),
        (BINH, MarkSource::Recorder),
        (DEPUTY, MarkSource::Deputy),
        (ANN, MarkSource::Assistant),
        (ASSISTANT, MarkSource::Assistant),
    ] {
        commune.done(member, mark(VISITOR, AttendanceMark::Present));
        let line = commune.line(VISITOR);
        let held = line
            .marks
            .iter()
            .find(|mark| mark.by == person(member))
            .unwrap();
        assert_eq!(held.source, source, "{member}");
    }
    assert_eq!(
        commune.refused(VISITOR, mark(ANN, AttendanceMark::Present)),
        denied(Denial::OfficeNeeded)
    );
    assert_eq!(
        commune.refused(EXEMPT, mark(ANN, AttendanceMark::Present)),
        denied(Denial::OfficeNeeded)
    );
    for stranger in [STRANGER, OFFICER, CANDIDATE] {
        assert_eq!(
            commune.refused(stranger, mark(ANN, AttendanceMark::Present)),
            denied(Denial::NotAMember)
        );
    }
}

#[test]
fn a_member_checks_in_and_never_excuses_himself() {
    let mut commune = Commune::with_roll_call();
    commune.done(VISITOR, mark(VISITOR, AttendanceMark::Late));
    assert_eq!(commune.line(VISITOR).marks[0].source, MarkSource::OwnSelf);
    for (member, own) in [
        (VISITOR, AttendanceMark::AbsentExcused),
        (VISITOR, AttendanceMark::LeftEarly),
        (SECRETARY, AttendanceMark::AbsentExcused),
        (SECRETARY, AttendanceMark::AbsentUnexcused),
    ] {
        assert_eq!(
            commune.refused(member, mark(member, own)),
            denied(Denial::OwnAbsence)
        );
    }
    commune.done(SECRETARY, mark(SECRETARY, AttendanceMark::LeftEarly));
    assert_eq!(
        commune.refused(ANN, resolve(ANN, AttendanceMark::AbsentExcused)),
        denied(Denial::OwnAbsence)
    );
}

#[test]
fn a_later_mark_of_the_same_person_replaces_the_earlier_and_unmarked_takes_it_back() {
    let mut commune = Commune::with_roll_call();
    commune.done(SECRETARY, mark(BINH, AttendanceMark::AbsentUnexcused));
    commune.done(SECRETARY, mark(BINH, AttendanceMark::Present));
    assert_eq!(commune.line(BINH).marks.len(), 1);
    assert_eq!(stands(&commune, BINH), Some(AttendanceMark::Present));
    commune.done(SECRETARY, mark(BINH, AttendanceMark::Unmarked));
    assert_eq!(stands(&commune, BINH), None);
}

#[test]
fn presence_beats_absence_then_the_task_decides_and_both_stay_visible() {
    for (first, second, expected) in [
        (
            AttendanceMark::AbsentExcused,
            AttendanceMark::Late,
            AttendanceMark::Late,
        ),
        (
            AttendanceMark::Present,
            AttendanceMark::AbsentUnexcused,
            AttendanceMark::Present,
        ),
        (
            AttendanceMark::Late,
            AttendanceMark::Present,
            AttendanceMark::Late,
        ),
        (
            AttendanceMark::AbsentExcused,
            AttendanceMark::AbsentUnexcused,
            AttendanceMark::AbsentExcused,
        ),
    ] {
        for recorder_first in [true, false] {
            let mut commune = Commune::with_roll_call();
            let mut marks = [(SECRETARY, first), (DEPUTY, second)];
            if !recorder_first {
                marks.reverse();
            }
            for (by, what) in marks {
                commune.done(by, mark(VISITOR, what));
            }
            assert_eq!(stands(&commune, VISITOR), Some(expected));
            assert!(in_conflict(&commune, VISITOR));
            assert_eq!(commune.line(VISITOR).marks.len(), 2);
        }
    }
}

#[test]
fn two_who_agree_are_no_conflict() {
    let mut commune = Commune::with_roll_call();
    commune.done(SECRETARY, mark(VISITOR, AttendanceMark::Present));
    commune.done(VISITOR, mark(VISITOR, AttendanceMark::Present));
    assert!(!in_conflict(&commune, VISITOR));
}

#[test]
fn the_chair_decides_between_marks() {
    let mut commune = Commune::with_roll_call();
    commune.done(SECRETARY, mark(VISITOR, AttendanceMark::AbsentExcused));
    commune.done(DEPUTY, mark(VISITOR, AttendanceMark::Present));
    assert_eq!(
        commune.refused(BINH, resolve(VISITOR, AttendanceMark::Present)),
        denied(Denial::ChairNeeded)
    );
    assert_eq!(
        commune.refused(ANN, resolve(VISITOR, AttendanceMark::Unmarked)),
        invalid(Field::Mark, Fault::UnknownValue)
    );
    commune.done(ANN, resolve(VISITOR, AttendanceMark::AbsentExcused));
    assert_eq!(
        stands(&commune, VISITOR),
        Some(AttendanceMark::AbsentExcused)
    );
    assert!(!in_conflict(&commune, VISITOR));
    // Whoever decided and marks again opens the question again.
    commune.done(ANN, mark(VISITOR, AttendanceMark::Late));
    assert!(in_conflict(&commune, VISITOR));
}

#[test]
fn only_an_exempt_member_who_came_is_noted_as_voting() {
    let mut commune = Commune::with_roll_call();
    let voting = |member, what| MarkAttendance {
        voted: true,
        ..mark(member, what)
    };
    commune.done(SECRETARY, voting(EXEMPT, AttendanceMark::Present));
    assert!(commune.line(EXEMPT).voted);
    commune.done(EXEMPT, mark(EXEMPT, AttendanceMark::Present));
    assert!(
        commune.line(EXEMPT).voted,
        "the own check-in says nothing about the vote"
    );
    commune.done(SECRETARY, voting(EXEMPT, AttendanceMark::AbsentExcused));
    assert!(!commune.line(EXEMPT).voted);
    commune.done(SECRETARY, voting(BINH, AttendanceMark::Present));
    assert!(!commune.line(BINH).voted);
}

#[test]
fn unknown_marks_and_lines_are_refused() {
    let mut commune = Commune::with_roll_call();
    assert_eq!(
        commune.refused(SECRETARY, mark(ANN, AttendanceMark::Unknown { code: 9 })),
        invalid(Field::Mark, Fault::UnknownValue)
    );
    assert_eq!(
        commune.refused(SECRETARY, mark(STRANGER, AttendanceMark::Present)),
        Rejection::NotFound {
            what: Subject::AttendanceLine
        }
    );
}

// --- confirmation

#[test]
fn chair_and_minute_taker_make_the_version() {
    let mut commune = Commune::all_marked();
    let confirm = commune.confirm();
    commune.done(BINH, confirm.clone());
    assert_eq!(commune.roll_call().confirmed(), None);
    assert_eq!(
        commune.refused(BINH, confirm.clone()),
        denied(Denial::SecondPersonNeeded)
    );
    commune.done(ANN, confirm.clone());
    let roll_call = commune.roll_call();
    let version = roll_call.confirmed().unwrap();
    assert_eq!(
        (
            version.number,
            version.lines.len(),
            version.confirmations.len()
        ),
        (1, 9, 2)
    );
    assert_eq!(version.reason, None);
    let since = Some(version.confirmed_at);
    let closed = Rejection::Closed {
        what: Closing::RollCallConfirmed,
        since,
    };
    assert_eq!(commune.refused(ANN, confirm), closed);
    assert_eq!(
        commune.refused(SECRETARY, mark(BINH, AttendanceMark::Late)),
        closed
    );
    assert_eq!(
        commune.refused(ANN, resolve(BINH, AttendanceMark::Late)),
        closed
    );
    assert_eq!(commune.refused(SECRETARY, delegate(BINH)), closed);
}

#[test]
fn nobody_else_confirms() {
    let mut commune = Commune::all_marked();
    let confirm = commune.confirm();
    for member in [SECRETARY, DEPUTY, ASSISTANT, VISITOR, EXEMPT] {
        assert_eq!(
            commune.refused(member, confirm.clone()),
            denied(Denial::NotAConfirmer)
        );
    }
    assert_eq!(
        commune.refused(STRANGER, confirm),
        denied(Denial::NotAMember)
    );
}

#[test]
fn without_a_minute_taker_another_official_member_present_confirms() {
    let mut commune = Commune::with_notice();
    commune.done(
        SECRETARY,
        OpenRollCall {
            minute_taker: None,
            ..open()
        },
    );
    for member in [SECRETARY, ANN, ASSISTANT, VISITOR] {
        commune.done(SECRETARY, mark(member, AttendanceMark::Present));
    }
    for member in [DEPUTY, BINH] {
        commune.done(SECRETARY, mark(member, AttendanceMark::AbsentExcused));
    }
    let confirm = commune.confirm();
    for member in [BINH, DEPUTY, ASSISTANT, VISITOR] {
        assert_eq!(
            commune.refused(member, confirm.clone()),
            denied(Denial::NotAConfirmer)
        );
    }
    // Two members present are not enough: the chair must be one of the two.
    commune.done(SECRETARY, confirm.clone());
    assert_eq!(commune.roll_call().confirmed(), None);
    commune.done(ANN, confirm);
    assert!(commune.roll_call().confirmed().is_some());
}

#[test]
fn everyone_expected_must_be_marked() {
    let mut commune = Commune::all_marked();
    commune.done(SECRETARY, mark(BINH, AttendanceMark::Unmarked));
    commune.done(SECRETARY, mark(VISITOR, AttendanceMark::Unmarked));
    let confirm = commune.confirm();
    assert_eq!(
        commune.refused(ANN, confirm),
        Rejection::Unmarked { count: 2 }
    );
}

#[test]
fn an_open_conflict_makes_the_confirmation_wait() {
    let mut commune = Commune::all_marked();
    commune.done(DEPUTY, mark(VISITOR, AttendanceMark::AbsentUnexcused));
    let confirm = commune.confirm();
    assert_eq!(
        commune.refused(ANN, confirm),
        Rejection::Conflict { count: 1 }
    );
    commune.done(SECRETARY, resolve(VISITOR, AttendanceMark::Present));
    let confirm = commune.confirm();
    commune.done(ANN, confirm);
}

#[test]
fn a_sheet_that_changed_meanwhile_is_stale_and_earlier_confirmations_are_void() {
    let mut commune = Commune::all_marked();
    let seen = commune.confirm();
    commune.done(ANN, seen.clone());
    commune.done(SECRETARY, mark(VISITOR, AttendanceMark::Late));
    let current = commune.store.stamp(RollCall::key(the_meeting(), org(CELL)));
    assert_eq!(
        commune.refused(BINH, seen.clone()),
        Rejection::Stale {
            current: current.into()
        }
    );
    let nonsense = ConfirmRollCall {
        seen: vec![1, 2, 3],
        ..seen
    };
    assert!(matches!(
        commune.refused(BINH, nonsense),
        Rejection::Stale { .. }
    ));
    let confirm = commune.confirm();
    commune.done(BINH, confirm.clone());
    assert_eq!(
        commune.roll_call().confirmed(),
        None,
        "the chair saw another sheet"
    );
    commune.done(ANN, confirm);
    assert!(commune.roll_call().confirmed().is_some());
}

// --- correction

#[test]
fn a_correction_needs_two_confirmations_and_leaves_the_old_version_untouched() {
    let mut commune = Commune::confirmed();
    let first = commune.roll_call().versions[0].clone();
    commune.done(SECRETARY, correct(VISITOR, AttendanceMark::AbsentExcused));
    assert_eq!(commune.roll_call().versions, vec![first.clone()]);
    assert_eq!(stands(&commune, VISITOR), Some(AttendanceMark::Present));
    let confirm = commune.confirm();
    commune.done(ANN, confirm.clone());
    commune.done(BINH, confirm);
    let roll_call = commune.roll_call();
    assert_eq!(roll_call.versions[0], first);
    assert_eq!(roll_call.versions[1].number, 2);
    assert_eq!(roll_call.versions[1].reason.as_deref(), Some("Ghi nhầm"));
    assert_eq!(roll_call.correction, None);
    assert_eq!(
        stands(&commune, VISITOR),
        Some(AttendanceMark::AbsentExcused)
    );
    assert_eq!(commune.line(VISITOR).proposed, None);
}

#[test]
fn a_second_proposal_takes_the_place_of_the_first() {
    let mut commune = Commune::confirmed();
    commune.done(SECRETARY, correct(VISITOR, AttendanceMark::Late));
    let confirm = commune.confirm();
    commune.done(ANN, confirm);
    commune.done(BINH, correct(DEPUTY, AttendanceMark::Late));
    assert_eq!(commune.line(VISITOR).proposed, None);
    assert!(commune.roll_call().confirmations.is_empty());
}

#[test]
fn bad_corrections_are_refused() {
    let mut commune = Commune::all_marked();
    let correction = correct(VISITOR, AttendanceMark::Late);
    assert_eq!(
        commune.refused(SECRETARY, correction.clone()),
        Rejection::NotFound {
            what: Subject::RollCall
        }
    );
    let mut commune = Commune::confirmed();
    assert_eq!(
        commune.refused(EXEMPT, correction.clone()),
        denied(Denial::OfficeNeeded)
    );
    let current = commune.store.stamp(RollCall::key(the_meeting(), org(CELL)));
    assert_eq!(
        commune.refused(
            SECRETARY,
            CorrectRollCall {
                from: 2,
                ..correction.clone()
            }
        ),
        Rejection::Stale {
            current: current.into()
        }
    );
    for (changes, why) in [
        (Vec::new(), Fault::Empty),
        (vec![correction.changes[0].clone(); 2], Fault::Repeated),
        (
            correct(VISITOR, AttendanceMark::Present).changes,
            Fault::NoChange,
        ),
    ] {
        assert_eq!(
            commune.refused(
                SECRETARY,
                CorrectRollCall {
                    changes,
                    ..correction.clone()
                }
            ),
            invalid(Field::Changes, why)
        );
    }
    assert_eq!(
        commune.refused(SECRETARY, correct(VISITOR, AttendanceMark::Unmarked)),
        invalid(Field::Mark, Fault::UnknownValue)
    );
    assert_eq!(
        commune.refused(SECRETARY, correct(STRANGER, AttendanceMark::Late)),
        Rejection::NotFound {
            what: Subject::AttendanceLine
        }
    );
    assert_eq!(
        commune.refused(
            SECRETARY,
            CorrectRollCall {
                reason: String::new(),
                ..correction
            }
        ),
        invalid(Field::Reason, Fault::Empty)
    );
}

// --- objection

#[test]
fn a_member_objects_to_the_own_line_within_the_days_of_the_policy() {
    let mut commune = Commune::confirmed();
    commune.done(VISITOR, object("Tôi đến đúng giờ"));
    let objections = commune.line(VISITOR).objections;
    assert_eq!((objections.len(), objections[0].version), (1, 1));
    assert_eq!(
        commune.refused(STRANGER, object("Không")),
        denied(Denial::NotAMember)
    );
    let confirmed_at = commune.roll_call().confirmed().unwrap().confirmed_at;
    let until = confirmed_at.plus_minutes(7 * 24 * 60);
    commune.now = Now::server(until);
    commune.done(BINH, object("Vào phút chót"));
    commune.now = Now::server(until.plus_minutes(1));
    assert_eq!(
        commune.refused(BINH, object("Quá hạn")),
        Rejection::Closed {
            what: Closing::ObjectionPeriod,
            since: Some(until)
        }
    );
}

#[test]
fn an_objection_needs_a_confirmed_version_and_a_line() {
    let mut commune = Commune::all_marked();
    assert_eq!(
        commune.refused(VISITOR, object("Sai")),
        Rejection::NotFound {
            what: Subject::RollCall
        }
    );
    let mut commune = Commune::confirmed();
    commune.enter(300, CELL, MemberStatus::Official);
    assert_eq!(
        commune.refused(300, object("Sai")),
        Rejection::NotFound {
            what: Subject::AttendanceLine
        }
    );
}
