//! Notices, answers, and absences.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use sotay_model::id::Scope;
use sotay_model::meetings::{
    AbsenceReason, AbsenceRequest, AbsenceState, AcknowledgeNotice, Acknowledgement, Base,
    CancelMeeting, ChangeNotice, Channel, Choice, DecideAbsence, MarkInformed, Meeting,
    MeetingKind, NoticeField, NoticeText, PublishNotice, RequestAbsence, Respond, RespondOnBehalf,
    Response, WithdrawAbsence, differences, standing_answer, standing_request,
};
use sotay_model::organisation::{OrganisationLevel, Role};
use sotay_model::record::Stamp;
use sotay_model::rejection::{Closing, Denial, Fault, Field, Rejection, SecrecyMarking, Subject};
use sotay_model::time::{Now, Timestamp};
use sotay_model::{Actor, MemberId, Outcome};

fn stored(commune: &Commune) -> Meeting {
    commune.store.body(the_meeting().0).unwrap()
}

fn with_text(notice: NoticeText) -> PublishNotice {
    PublishNotice {
        notice,
        ..publish()
    }
}

fn change(commune: &Commune, notice: NoticeText) -> ChangeNotice {
    let base = Base::Confirmed(commune.store.stamp(the_meeting().0));
    ChangeNotice {
        meeting: the_meeting(),
        base,
        notice,
        urgent: false,
    }
}

fn later() -> NoticeText {
    NoticeText {
        starts_at: start().plus_minutes(30),
        ends_at: start().plus_minutes(120),
        ..notice()
    }
}

fn respond(choice: Choice) -> Respond {
    Respond {
        meeting: the_meeting(),
        organisation: org(CELL),
        choice,
        notice_version: 1,
    }
}

fn on_behalf(member: u32, choice: Choice) -> RespondOnBehalf {
    RespondOnBehalf {
        meeting: the_meeting(),
        organisation: org(CELL),
        member: person(member),
        choice,
        channel: Channel::PhoneCall,
        notice_version: 1,
    }
}

fn answers(commune: &Commune, member: u32) -> Vec<Response> {
    let mut all = commune.store.all::<Response>();
    all.retain(|answer| answer.member == person(member));
    all
}

fn counts(commune: &Commune, member: u32) -> Choice {
    standing_answer(&answers(commune, member)).unwrap().choice
}

fn acknowledge(notice_version: u32) -> AcknowledgeNotice {
    AcknowledgeNotice {
        meeting: the_meeting(),
        organisation: org(CELL),
        notice_version,
    }
}

fn ask(member: u32, channel: Channel) -> RequestAbsence {
    RequestAbsence {
        meeting: the_meeting(),
        organisation: org(CELL),
        member: person(member),
        reason: AbsenceReason::Health,
        note: None,
        channel,
    }
}

fn decide(member: u32, granted: bool) -> DecideAbsence {
    DecideAbsence {
        meeting: the_meeting(),
        organisation: org(CELL),
        member: person(member),
        granted,
        answer: None,
    }
}

fn request_of(commune: &Commune, member: u32) -> AbsenceRequest {
    let mut all = commune.store.all::<AbsenceRequest>();
    all.retain(|request| request.member == person(member));
    standing_request(&all).unwrap().clone()
}

const fn denied(why: Denial) -> Rejection {
    Rejection::NotAllowed { why }
}

const fn invalid(field: Field, why: Fault) -> Rejection {
    Rejection::Invalid { field, why }
}

fn cancel() -> CancelMeeting {
    CancelMeeting {
        meeting: the_meeting(),
        reason: "Bão".to_owned(),
    }
}

fn cancelled(commune: &Commune) -> Rejection {
    Rejection::Closed {
        what: Closing::MeetingCancelled,
        since: stored(commune).cancelled_at,
    }
}

// --- the notice

#[test]
fn a_notice_is_shown_to_the_cell_with_deadlines_by_its_policy() {
    let commune = Commune::with_notice();
    let meeting = stored(&commune);
    let notice = meeting.notice().unwrap();
    assert_eq!(notice.number, 1);
    assert_eq!(notice.answer_by, start().plus_minutes(-12 * 60));
    assert_eq!(notice.published_by, person(SECRETARY));
    assert!(!notice.late && !notice.urgent);
    assert_eq!(
        commune.store.audience(the_meeting().0),
        vec![Scope::organisation(org(CELL))]
    );
}

#[test]
fn a_notice_less_than_a_day_ahead_is_late_and_still_leaves_time_to_answer() {
    let mut commune = Commune::new();
    commune.now = Now::server(start().plus_minutes(-60));
    commune.done(SECRETARY, publish());
    let meeting = stored(&commune);
    let notice = meeting.notice().unwrap();
    assert!(notice.late);
    assert_eq!((notice.answer_by, notice.absence_by), (start(), start()));
}

#[test]
fn only_who_leads_the_cell_announces() {
    let mut commune = Commune::new();
    for member in [ANN, ASSISTANT, STRANGER, VISITOR, OFFICER] {
        assert_eq!(
            commune.refused(member, publish()),
            denied(Denial::OfficeNeeded),
            "{member}"
        );
    }
    assert_eq!(
        commune.refused_to(Actor::Operator, publish()),
        denied(Denial::NotAMember)
    );
    assert_eq!(
        commune.refused_to(Actor::Member(MemberId(id(999))), publish()),
        denied(Denial::NotAMember)
    );
}

#[test]
fn bad_notices_are_refused_field_by_field() {
    let mut commune = Commune::new();
    let n = notice;
    let late = Timestamp(i64::MAX);
    for (text, expected) in [
        (
            NoticeText {
                title: "  ".into(),
                ..n()
            },
            invalid(Field::Title, Fault::Empty),
        ),
        (
            NoticeText {
                title: "a".repeat(100_000),
                ..n()
            },
            Rejection::TooLarge {
                field: Field::Title,
                limit: 200,
            },
        ),
        (
            NoticeText {
                title: "Họp\u{0}".into(),
                ..n()
            },
            invalid(Field::Title, Fault::ControlCharacter),
        ),
        (
            NoticeText {
                place: "Nhà\u{202E}A".into(),
                ..n()
            },
            invalid(Field::Place, Fault::DirectionOverride),
        ),
        (
            NoticeText {
                agenda: vec!["Công tác MẬT".into()],
                ..n()
            },
            Rejection::Secret {
                field: Field::Agenda,
                level: SecrecyMarking::Secret,
            },
        ),
        (
            NoticeText {
                guests: vec![String::new()],
                ..n()
            },
            invalid(Field::Guests, Fault::Empty),
        ),
        (
            NoticeText {
                agenda: vec!["a".into(); 101],
                ..n()
            },
            Rejection::TooLarge {
                field: Field::Agenda,
                limit: 100,
            },
        ),
        (
            NoticeText {
                ends_at: start().plus_minutes(-1),
                ..n()
            },
            invalid(Field::EndsAt, Fault::EndBeforeStart),
        ),
        (
            NoticeText {
                ends_at: start(),
                ..n()
            },
            invalid(Field::EndsAt, Fault::EndBeforeStart),
        ),
        (
            NoticeText {
                starts_at: late,
                ends_at: late,
                ..n()
            },
            invalid(Field::StartsAt, Fault::Malformed),
        ),
        (
            NoticeText {
                answer_by: Some(start().plus_minutes(1)),
                ..n()
            },
            invalid(Field::AnswerBy, Fault::AfterStart),
        ),
        (
            NoticeText {
                documents: vec![document(org(CELL), 7)],
                ..n()
            },
            Rejection::NotFound {
                what: Subject::Document,
            },
        ),
        (
            NoticeText {
                documents: vec![document(org(CELL), 7); 2],
                ..n()
            },
            invalid(Field::Documents, Fault::Repeated),
        ),
    ] {
        assert_eq!(commune.refused(SECRETARY, with_text(text)), expected);
    }
    let unknown = PublishNotice {
        kind: MeetingKind::Unknown { code: 77 },
        ..publish()
    };
    assert_eq!(
        commune.refused(SECRETARY, unknown),
        invalid(Field::Choice, Fault::UnknownValue)
    );
}

#[test]
fn documents_of_the_notice_are_those_the_secretary_sees() {
    let mut commune = Commune::new();
    commune.done(COMMITTEE_MEMBER, publication(COMMITTEE, 700));
    commune.done(OTHER_SECRETARY, publication(OTHER_CELL, 701));
    let own = NoticeText {
        documents: vec![document(org(COMMITTEE), 700)],
        ..notice()
    };
    let others = NoticeText {
        documents: vec![document(org(OTHER_CELL), 701)],
        ..notice()
    };
    assert_eq!(
        commune.refused(SECRETARY, with_text(others)),
        Rejection::NotFound {
            what: Subject::Document
        }
    );
    commune.done(SECRETARY, with_text(own));
}

#[test]
fn cells_meet_jointly_when_the_committee_above_calls_them() {
    let mut commune = Commune::new();
    let both = vec![org(CELL), org(OTHER_CELL)];
    let joint = PublishNotice {
        participating: both.clone(),
        ..publish()
    };
    assert_eq!(
        commune.refused(SECRETARY, joint.clone()),
        denied(Denial::OfficeNeeded)
    );
    let key = meeting(org(COMMITTEE), 1_002);
    commune.done(
        OFFICER,
        PublishNotice {
            meeting: key,
            ..joint.clone()
        },
    );
    let mut audience = vec![
        Scope::organisation(org(COMMITTEE)),
        Scope::organisation(org(CELL)),
        Scope::organisation(org(OTHER_CELL)),
    ];
    audience.sort_unstable();
    assert_eq!(commune.store.audience(key.0), audience);
    // Whoever leads both may call them alone.
    commune.appoint(SECRETARY, OTHER_CELL, Role::DeputySecretary);
    commune.done(SECRETARY, joint);
    let nobody = PublishNotice {
        participating: Vec::new(),
        meeting: meeting(org(CELL), 8),
        ..publish()
    };
    assert_eq!(
        commune.refused(SECRETARY, nobody),
        invalid(Field::Participants, Fault::Empty)
    );
}

#[test]
fn a_leader_far_above_calls_only_what_the_tree_shows_him() {
    let mut commune = Commune::new();
    commune.found(60, None, OrganisationLevel::ProvincialCommittee);
    commune.found(COMMITTEE, Some(60), OrganisationLevel::CommuneCommittee);
    commune.enter(600, 60, sotay_model::organisation::MemberStatus::Official);
    commune.appoint(600, 60, Role::Secretary);
    let call = |organisation: u32| PublishNotice {
        meeting: meeting(org(60), 61),
        participating: vec![org(organisation)],
        ..publish()
    };
    assert_eq!(
        commune.refused(600, call(CELL)),
        denied(Denial::OfficeNeeded)
    );
    commune.done(600, call(COMMITTEE));
}

#[test]
fn a_change_is_a_new_version_with_its_differences() {
    let mut commune = Commune::with_notice();
    let changed = change(&commune, later());
    commune.done(DEPUTY, changed);
    let meeting = stored(&commune);
    assert_eq!(meeting.versions.len(), 2);
    assert_eq!(
        differences(&meeting.versions[0], &meeting.versions[1]),
        vec![
            NoticeField::StartsAt,
            NoticeField::EndsAt,
            NoticeField::AnswerBy,
            NoticeField::AbsenceBy
        ]
    );
}

#[test]
fn a_change_made_on_an_older_version_is_stale() {
    let mut commune = Commune::with_notice();
    let old = change(
        &commune,
        NoticeText {
            place: "Trường học".into(),
            ..notice()
        },
    );
    let first = change(&commune, later());
    commune.done(SECRETARY, first);
    let current = commune.store.stamp(the_meeting().0);
    assert_eq!(
        commune.refused(DEPUTY, old.clone()),
        Rejection::Stale {
            current: current.into()
        }
    );
    let base = Base::Confirmed(Stamp {
        incarnation: 9,
        version: 2,
    });
    assert!(matches!(
        commune.refused(
            DEPUTY,
            ChangeNotice {
                base,
                ..old.clone()
            }
        ),
        Rejection::Stale { .. }
    ));
    // The driver resolves `After`; the rule lets it pass.
    commune.done(
        SECRETARY,
        ChangeNotice {
            base: Base::After(3),
            ..old
        },
    );
}

#[test]
fn a_change_that_changes_nothing_is_refused() {
    let mut commune = Commune::with_notice();
    let same = change(&commune, notice());
    assert_eq!(
        commune.refused(SECRETARY, same),
        invalid(Field::Mutation, Fault::NoChange)
    );
}

#[test]
fn an_urgent_change_reopens_the_deadlines_until_the_beginning() {
    let mut commune = Commune::with_notice();
    commune.now = Now::server(start().plus_minutes(-30));
    let urgent = ChangeNotice {
        urgent: true,
        ..change(&commune, later())
    };
    commune.done(SECRETARY, urgent);
    let meeting = stored(&commune);
    let notice = meeting.notice().unwrap();
    assert!(notice.urgent && notice.late);
    assert_eq!(
        (notice.answer_by, notice.absence_by),
        (notice.starts_at, notice.starts_at)
    );
    commune.now = Now::server(start().plus_minutes(20));
    commune.done(
        ANN,
        Respond {
            notice_version: 2,
            ..respond(Choice::WillAttend)
        },
    );
    assert!(!answers(&commune, ANN)[0].late);
}

#[test]
fn only_the_calling_office_changes_and_cancels_and_only_before_the_opening() {
    let mut commune = Commune::with_notice();
    let changed = change(&commune, later());
    for member in [ANN, OFFICER, OTHER_SECRETARY] {
        assert_eq!(
            commune.refused(member, changed.clone()),
            denied(Denial::OfficeNeeded)
        );
        assert_eq!(
            commune.refused(member, cancel()),
            denied(Denial::OfficeNeeded)
        );
    }
    commune.done(SECRETARY, open());
    let opened = Rejection::Closed {
        what: Closing::MeetingOpened,
        since: Some(commune.roll_call().opened_at),
    };
    assert_eq!(commune.refused(SECRETARY, changed), opened);
    assert_eq!(commune.refused(SECRETARY, cancel()), opened);
}

#[test]
fn nothing_happens_to_a_cancelled_meeting() {
    let mut commune = Commune::with_notice();
    commune.done(ANN, ask(ANN, Channel::Handbook));
    commune.done(SECRETARY, cancel());
    let closed = cancelled(&commune);
    assert_eq!(commune.refused(SECRETARY, cancel()), closed);
    let changed = change(&commune, later());
    assert_eq!(commune.refused(SECRETARY, changed), closed);
    assert_eq!(commune.refused(SECRETARY, open()), closed);
    assert_eq!(commune.refused(ANN, respond(Choice::WillAttend)), closed);
    assert_eq!(
        commune.refused(SECRETARY, on_behalf(EXEMPT, Choice::WillAttend)),
        closed
    );
    assert_eq!(commune.refused(BINH, ask(BINH, Channel::Handbook)), closed);
    assert_eq!(commune.refused(SECRETARY, decide(ANN, true)), closed);
    // To know that it was cancelled is still worth saying.
    commune.done(ANN, acknowledge(1));
}

#[test]
fn a_cancellation_says_why() {
    let mut commune = Commune::with_notice();
    let silent = CancelMeeting {
        reason: "\n".into(),
        ..cancel()
    };
    assert_eq!(
        commune.refused(SECRETARY, silent),
        invalid(Field::Reason, Fault::Empty)
    );
}

// --- who knows it

#[test]
fn an_acknowledgement_never_goes_back() {
    let mut commune = Commune::with_notice();
    let changed = change(&commune, later());
    commune.done(SECRETARY, changed);
    commune.done(ANN, acknowledge(2));
    commune.done(ANN, acknowledge(1));
    let key = Acknowledgement::key(the_meeting(), org(CELL), person(ANN));
    assert_eq!(
        commune
            .store
            .body::<Acknowledgement>(key)
            .unwrap()
            .notice_version,
        2
    );
    for version in [0, 3, u32::MAX] {
        assert_eq!(
            commune.refused(ANN, acknowledge(version)),
            invalid(Field::NoticeVersion, Fault::UnknownValue)
        );
    }
}

#[test]
fn whoever_tells_a_member_says_how() {
    let mut commune = Commune::with_notice();
    let told = MarkInformed {
        meeting: the_meeting(),
        organisation: org(CELL),
        member: person(EXEMPT),
        channel: Channel::PhoneCall,
        notice_version: 1,
    };
    commune.done(ASSISTANT, told.clone());
    let key =
        Acknowledgement::entered_key(the_meeting(), org(CELL), person(EXEMPT), person(ASSISTANT));
    let stored = commune.store.body::<Acknowledgement>(key).unwrap();
    assert_eq!(stored.entered.unwrap().channel, Channel::PhoneCall);
    assert_eq!(
        commune.refused(ANN, told.clone()),
        denied(Denial::OfficeNeeded)
    );
    let by_handbook = MarkInformed {
        channel: Channel::Handbook,
        ..told
    };
    assert_eq!(
        commune.refused(SECRETARY, by_handbook),
        invalid(Field::Choice, Fault::UnknownValue)
    );
}

// --- answers

#[test]
fn an_answer_is_shown_to_the_office_and_the_member_only() {
    let mut commune = Commune::with_notice();
    commune.done(ANN, respond(Choice::WillAttend));
    let mut audience = vec![Scope::office(org(CELL)), Scope::person(person(ANN))];
    audience.sort_unstable();
    let key = Response::key(the_meeting(), org(CELL), person(ANN));
    assert_eq!(commune.store.audience(key), audience);
}

#[test]
fn an_answer_after_the_deadline_is_kept_as_late() {
    let mut commune = Commune::with_notice();
    commune.now = Now::server(start().plus_minutes(-60));
    commune.done(ANN, respond(Choice::WillAttend));
    assert!(answers(&commune, ANN)[0].late);
    // Even one that arrives when the meeting is on.
    commune.now = Now::server(start().plus_minutes(30));
    commune.done(SECRETARY, open());
    commune.done(BINH, respond(Choice::WillAttendOnline));
    assert!(answers(&commune, BINH)[0].late);
}

#[test]
fn an_answer_to_a_confirmed_meeting_is_closed() {
    let mut commune = Commune::confirmed();
    let since = commune
        .roll_call()
        .confirmed()
        .map(|version| version.confirmed_at);
    let closed = Rejection::Closed {
        what: Closing::RollCallConfirmed,
        since,
    };
    assert_eq!(commune.refused(ANN, respond(Choice::WillAttend)), closed);
    assert_eq!(commune.refused(ANN, ask(ANN, Channel::Handbook)), closed);
}

#[test]
fn only_those_convened_answer() {
    let mut commune = Commune::with_notice();
    commune.done(VISITOR, respond(Choice::WillAttend));
    commune.done(EXEMPT, respond(Choice::WillAttend));
    for member in [STRANGER, CANDIDATE] {
        assert_eq!(
            commune.refused(member, respond(Choice::WillAttend)),
            denied(Denial::NotAMember)
        );
    }
    commune.appoint(COMMITTEE_MEMBER, CELL, Role::CellFollower);
    assert_eq!(
        commune.refused(COMMITTEE_MEMBER, respond(Choice::WillAttend)),
        denied(Denial::NotConvened)
    );
    let unknown = respond(Choice::Unknown { code: 9 });
    assert_eq!(
        commune.refused(ANN, unknown),
        invalid(Field::Choice, Fault::UnknownValue)
    );
}

#[test]
fn to_a_committee_meeting_only_the_office_holders_are_convened() {
    let mut commune = Commune::new();
    commune.done(
        SECRETARY,
        PublishNotice {
            kind: MeetingKind::Committee,
            ..publish()
        },
    );
    commune.done(DEPUTY, respond(Choice::WillAttend));
    assert_eq!(
        commune.refused(ANN, respond(Choice::WillAttend)),
        denied(Denial::NotConvened)
    );
}

#[test]
fn the_own_answer_wins_over_one_entered_for_the_same_notice() {
    for own_first in [true, false] {
        let mut commune = Commune::with_notice();
        if own_first {
            commune.done(EXEMPT, respond(Choice::WillAttend));
            commune.done(ASSISTANT, on_behalf(EXEMPT, Choice::Undecided));
        } else {
            commune.done(ASSISTANT, on_behalf(EXEMPT, Choice::Undecided));
            commune.done(EXEMPT, respond(Choice::WillAttend));
        }
        assert_eq!(answers(&commune, EXEMPT).len(), 2, "both stay visible");
        assert_eq!(counts(&commune, EXEMPT), Choice::WillAttend);
    }
}

#[test]
fn a_word_on_the_new_notice_wins_over_an_own_one_on_the_old() {
    let mut commune = Commune::with_notice();
    commune.done(EXEMPT, respond(Choice::WillAttend));
    let changed = change(&commune, later());
    commune.done(SECRETARY, changed);
    commune.done(
        SECRETARY,
        RespondOnBehalf {
            notice_version: 2,
            ..on_behalf(EXEMPT, Choice::Undecided)
        },
    );
    assert_eq!(counts(&commune, EXEMPT), Choice::Undecided);
    // A second phone that comes back with an answer to the old one does not undo a newer own answer.
    commune.done(
        EXEMPT,
        Respond {
            notice_version: 2,
            ..respond(Choice::WillAttendOnline)
        },
    );
    commune.done(EXEMPT, respond(Choice::Undecided));
    assert_eq!(counts(&commune, EXEMPT), Choice::WillAttendOnline);
}

#[test]
fn answers_are_entered_by_office_and_assistant_with_the_channel() {
    let mut commune = Commune::with_notice();
    assert_eq!(
        commune.refused(ANN, on_behalf(EXEMPT, Choice::WillAttend)),
        denied(Denial::OfficeNeeded)
    );
    let by_handbook = RespondOnBehalf {
        channel: Channel::Handbook,
        ..on_behalf(EXEMPT, Choice::WillAttend)
    };
    assert_eq!(
        commune.refused(SECRETARY, by_handbook),
        invalid(Field::Choice, Fault::UnknownValue)
    );
    assert_eq!(
        commune.refused(SECRETARY, on_behalf(STRANGER, Choice::WillAttend)),
        denied(Denial::NotConvened)
    );
    // For oneself it is simply the own answer.
    commune.done(SECRETARY, on_behalf(SECRETARY, Choice::WillAttend));
    assert_eq!(answers(&commune, SECRETARY)[0].entered, None);
}

// --- absences

#[test]
fn an_absence_is_asked_for_and_granted() {
    let mut commune = Commune::with_notice();
    commune.done(ANN, ask(ANN, Channel::Handbook));
    assert_eq!(request_of(&commune, ANN).state, AbsenceState::Waiting);
    commune.done(SECRETARY, decide(ANN, true));
    let request = request_of(&commune, ANN);
    assert_eq!(request.state, AbsenceState::Granted);
    assert_eq!(request.decided_by, Some(person(SECRETARY)));
    let mut audience = vec![Scope::office(org(CELL)), Scope::person(person(ANN))];
    audience.sort_unstable();
    let key = AbsenceRequest::key(the_meeting(), org(CELL), person(ANN));
    assert_eq!(commune.store.audience(key), audience);
}

#[test]
fn nobody_decides_on_the_own_absence_and_an_assistant_never_does() {
    let mut commune = Commune::with_notice();
    commune.done(SECRETARY, ask(SECRETARY, Channel::Handbook));
    assert_eq!(
        commune.refused(SECRETARY, decide(SECRETARY, true)),
        denied(Denial::OwnAbsence)
    );
    assert_eq!(
        commune.refused(ASSISTANT, decide(SECRETARY, true)),
        denied(Denial::AssistantNeverDecides)
    );
    assert_eq!(
        commune.refused(ANN, decide(SECRETARY, true)),
        denied(Denial::OfficeNeeded)
    );
    commune.done(DEPUTY, decide(SECRETARY, false));
    assert_eq!(request_of(&commune, SECRETARY).state, AbsenceState::Refused);
}

#[test]
fn a_late_request_is_accepted_until_the_confirmation() {
    let mut commune = Commune::with_roll_call();
    commune.done(EXEMPT, ask(EXEMPT, Channel::Handbook));
    assert!(request_of(&commune, EXEMPT).late);
    commune.done(SECRETARY, decide(EXEMPT, true));
}

#[test]
fn a_request_entered_by_an_assistant_is_seen_by_him_and_decided_with_the_own_one() {
    let mut commune = Commune::with_notice();
    commune.done(ASSISTANT, ask(EXEMPT, Channel::PhoneCall));
    commune.done(EXEMPT, ask(EXEMPT, Channel::Handbook));
    commune.done(SECRETARY, decide(EXEMPT, true));
    let all = commune.store.all::<AbsenceRequest>();
    assert_eq!(all.len(), 2);
    assert!(
        all.iter()
            .all(|request| request.state == AbsenceState::Granted)
    );
    let since = Some(commune.now.at);
    let closed = Rejection::Closed {
        what: Closing::AbsenceDecided,
        since,
    };
    assert_eq!(
        commune.refused(ASSISTANT, ask(EXEMPT, Channel::PhoneCall)),
        closed
    );
    assert_eq!(
        commune.refused(EXEMPT, ask(EXEMPT, Channel::Handbook)),
        closed
    );
    assert_eq!(
        commune.refused(ANN, ask(EXEMPT, Channel::PhoneCall)),
        denied(Denial::OfficeNeeded)
    );
}

#[test]
fn a_decision_is_changed_by_whoever_made_it_and_not_unseen_by_another() {
    let mut commune = Commune::with_notice();
    commune.done(ANN, ask(ANN, Channel::Handbook));
    commune.done(SECRETARY, decide(ANN, false));
    let since = Some(commune.now.at);
    assert_eq!(
        commune.refused(DEPUTY, decide(ANN, true)),
        Rejection::Closed {
            what: Closing::AbsenceDecided,
            since
        }
    );
    commune.done(DEPUTY, decide(ANN, false));
    commune.done(SECRETARY, decide(ANN, true));
    assert_eq!(request_of(&commune, ANN).state, AbsenceState::Granted);
}

#[test]
fn the_member_takes_back_what_was_asked_also_by_others() {
    let mut commune = Commune::with_notice();
    let withdraw = WithdrawAbsence {
        meeting: the_meeting(),
        organisation: org(CELL),
    };
    let none = Rejection::NotFound {
        what: Subject::AbsenceRequest,
    };
    assert_eq!(commune.refused(EXEMPT, withdraw.clone()), none);
    commune.done(ASSISTANT, ask(EXEMPT, Channel::PhoneCall));
    commune.done(EXEMPT, ask(EXEMPT, Channel::Handbook));
    commune.done(EXEMPT, withdraw.clone());
    assert_eq!(request_of(&commune, EXEMPT).state, AbsenceState::Withdrawn);
    assert_eq!(commune.refused(SECRETARY, decide(EXEMPT, true)), none);
    commune.done(EXEMPT, ask(EXEMPT, Channel::Handbook));
    assert_eq!(request_of(&commune, EXEMPT).state, AbsenceState::Waiting);
    commune.done(SECRETARY, decide(EXEMPT, true));
    commune.done(EXEMPT, withdraw);
    assert_eq!(request_of(&commune, EXEMPT).state, AbsenceState::Withdrawn);
}

#[test]
fn a_congress_is_excused_by_the_convening_committee() {
    let mut commune = Commune::new();
    let key = meeting(org(COMMITTEE), 1_002);
    commune.done(
        OFFICER,
        PublishNotice {
            meeting: key,
            kind: MeetingKind::Congress,
            ..publish()
        },
    );
    commune.done(
        ANN,
        RequestAbsence {
            meeting: key,
            ..ask(ANN, Channel::Handbook)
        },
    );
    let decision = DecideAbsence {
        meeting: key,
        ..decide(ANN, true)
    };
    assert_eq!(
        commune.refused(SECRETARY, decision.clone()),
        denied(Denial::OfficeNeeded)
    );
    commune.done(OFFICER, decision);
    assert_eq!(request_of(&commune, ANN).state, AbsenceState::Granted);
}

#[test]
fn names_do_not_cross_between_cells_that_meet_jointly() {
    let mut commune = Commune::new();
    commune.appoint(SECRETARY, OTHER_CELL, Role::DeputySecretary);
    let both = vec![org(CELL), org(OTHER_CELL)];
    commune.done(
        SECRETARY,
        PublishNotice {
            participating: both,
            ..publish()
        },
    );
    commune.done(
        STRANGER,
        Respond {
            organisation: org(OTHER_CELL),
            ..respond(Choice::WillAttend)
        },
    );
    let key = Response::key(the_meeting(), org(OTHER_CELL), person(STRANGER));
    assert!(
        !commune
            .store
            .audience(key)
            .contains(&Scope::office(org(CELL)))
    );
    assert_eq!(
        commune.refused(STRANGER, respond(Choice::WillAttend)),
        denied(Denial::NotAMember)
    );
}

#[test]
fn a_phone_with_a_wrong_clock_refuses_nothing() {
    let mut commune = Commune::with_notice();
    for years in [-10, 10] {
        commune.now = Now::phone(start().plus_minutes(years * 365 * 24 * 60));
        let mutation = sotay_model::Mutation {
            made_at: commune.now.at,
            needs: Vec::new(),
            intent: respond(Choice::WillAttend).into(),
        };
        let actor = Actor::Member(person(SECRETARY));
        let outcome = commune.store.decide(actor, commune.now, &mutation, None);
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        let cancel = sotay_model::Mutation {
            intent: cancel().into(),
            ..mutation
        };
        let outcome = commune.store.decide(actor, commune.now, &cancel, None);
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    }
}
