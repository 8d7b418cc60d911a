//! Everything that can be tried, each valid but for the question whether this person may.

use super::common::*;
use super::ground::*;
use sotay_model::documents::PublishDocument;
use sotay_model::id::{MeetingKey, OrganisationId, Scope};
use sotay_model::meetings::{
    AbsenceReason, AcknowledgeNotice, AssumeChair, AttendanceMark, Base, CancelMeeting,
    ChangeNotice, Channel, Choice, ConfirmRollCall, CorrectRollCall, DecideAbsence, DelegateChair,
    MarkAttendance, MarkChange, MarkInformed, MeetingKind, NoticeText, ObjectToMark, OpenRollCall,
    ParticipationMode, PublishNotice, RatifyChair, RequestAbsence, ResolveMarks, Respond,
    RespondOnBehalf, WithdrawAbsence, sheet_digest,
};
use sotay_model::organisation::{
    Act, Appoint, EndAppointment, FoundOrganisation, IntroduceTemporarily, MemberStatus,
    OrganisationLevel, Policy, Role,
};
use sotay_model::profile::{ProfileField, RequestCorrection};
use sotay_model::record::Stamp;
use sotay_model::{Intent, Mutation};

/// One thing to try.
#[derive(Debug)]
pub(crate) struct Trial {
    /// The section of the page.
    pub(crate) act: &'static str,
    /// The word of its column "Case".
    pub(crate) case: &'static str,
    /// What.
    pub(crate) want: Want,
}

/// How it is tried.
#[derive(Debug)]
pub(crate) enum Want {
    /// By carrying the mutation out.
    Do(Box<Mutation>),
    /// By asking for permission: only the server carries it out.
    Ask(Act),
    /// By looking at the scopes that the person holds.
    Read(Scope),
    /// By asking what the server asks before it takes bytes.
    HandOver(Scope),
}

/// The section of an act that only the server carries out, or that is no mutation. Whoever adds an act adds it here, and to
/// the page.
pub(crate) const fn section(act: &Act) -> Option<&'static str> {
    Some(match act {
        Act::HandOverBlob { .. } => "HandOverBlob",
        Act::Read { .. } => "Read",
        Act::Invite { .. } => "Invite",
        Act::ConfirmEnrolment { .. } => "ConfirmEnrolment",
        Act::ListPhones { .. } => "ListPhones",
        Act::RenamePhone { .. } => "RenamePhone",
        Act::RevokePhone { .. } => "RevokePhone",
        Act::GrantRole { .. } => "GrantRole",
        Act::ExportProfile { .. } => "ExportProfile",
        // Each is asked by the rule of the mutation with its name.
        Act::FoundOrganisation
        | Act::EnterMember
        | Act::Appoint
        | Act::EndAppointment
        | Act::IntroduceTemporarily
        | Act::RequestCorrection
        | Act::PublishNotice { .. }
        | Act::ChangeNotice { .. }
        | Act::CancelMeeting { .. }
        | Act::AcknowledgeNotice { .. }
        | Act::MarkInformed(_)
        | Act::Respond { .. }
        | Act::RespondOnBehalf(_)
        | Act::RequestAbsence(_)
        | Act::WithdrawAbsence { .. }
        | Act::DecideAbsence { .. }
        | Act::OpenRollCall { .. }
        | Act::DelegateChair { .. }
        | Act::AssumeChair { .. }
        | Act::RatifyChair { .. }
        | Act::MarkAttendance(_)
        | Act::ResolveMarks(_)
        | Act::ConfirmRollCall { .. }
        | Act::CorrectRollCall { .. }
        | Act::ObjectToMark { .. }
        | Act::PublishDocument { .. } => return None,
    })
}

fn act(trials: &mut Vec<Trial>, case: &'static str, intent: impl Into<Intent>) {
    let intent = intent.into();
    trials.push(Trial {
        act: intent.name(),
        case,
        want: Want::Do(Box::new(Mutation {
            made_at: now(),
            needs: Vec::new(),
            intent,
        })),
    });
}

fn ask(trials: &mut Vec<Trial>, case: &'static str, wanted: Act) {
    trials.push(Trial {
        act: section(&wanted).unwrap(),
        case,
        want: Want::Ask(wanted),
    });
}

/// All trials.
pub(crate) fn all() -> Vec<Trial> {
    let mut trials = Vec::new();
    register(&mut trials);
    notices(&mut trials);
    answers(&mut trials);
    absences(&mut trials);
    chair(&mut trials);
    marks(&mut trials);
    confirmation(&mut trials);
    reading(&mut trials);
    phones(&mut trials);
    trials
}

fn register(t: &mut Vec<Trial>) {
    let founded = FoundOrganisation {
        id: org(20),
        above: Some(acted_on()),
        level: OrganisationLevel::PartyGroup,
        name: "Tổ đảng thử".to_owned(),
        policy: Policy::default(),
    };
    act(t, "once", founded);
    act(
        t,
        "once",
        entry(950, super::ground::T, MemberStatus::Official),
    );
    let office = Appoint {
        id: id(4_999),
        member: person(MINH),
        organisation: acted_on(),
        role: Role::Assistant,
        phone: None,
        from: today(),
        until: None,
    };
    act(t, "once", office);
    let end = EndAppointment {
        member: person(SCRIBE),
        id: id(HELPERS_OFFICE),
        until: today(),
    };
    act(t, "once", end);
    let introduction = IntroduceTemporarily {
        id: id(5_999),
        member: person(MINH),
        host: org(X),
        from: today(),
        until: today(),
    };
    act(t, "once", introduction);
    let correction = RequestCorrection {
        id: id(6_000),
        field: ProfileField::Name,
        text: "Tên viết sai.".to_owned(),
    };
    act(t, "once", correction);
}

fn notices(t: &mut Vec<Trial>) {
    for (case, other) in [
        ("itself", None),
        ("with a child", Some(K)),
        ("with one further below", Some(N)),
        ("with a sibling", Some(U)),
        ("with one above", Some(C)),
        ("with a foreign one", Some(E)),
    ] {
        let participating: Vec<OrganisationId> =
            std::iter::once(acted_on()).chain(other.map(org)).collect();
        let wanted = PublishNotice {
            meeting: meeting(acted_on(), 2_000),
            participating,
            kind: MeetingKind::Regular,
            notice: notice(),
        };
        act(t, case, wanted);
    }
    let changed = ChangeNotice {
        meeting: announced(),
        base: Base::Confirmed(Stamp {
            incarnation: 1,
            version: 1,
        }),
        notice: NoticeText {
            place: "Trường tiểu học".to_owned(),
            ..notice()
        },
        urgent: false,
    };
    act(t, "once", changed);
    let cancelled = CancelMeeting {
        meeting: announced(),
        reason: "Bão.".to_owned(),
    };
    act(t, "once", cancelled);
}

fn answers(t: &mut Vec<Trial>) {
    let organisation = acted_on();
    for (case, meeting) in [("members", announced()), ("committee", of_committee())] {
        let known = AcknowledgeNotice {
            meeting,
            organisation,
            notice_version: 1,
        };
        act(t, case, known);
        let answer = Respond {
            meeting,
            organisation,
            choice: Choice::WillAttend,
            notice_version: 1,
        };
        act(t, case, answer);
    }
    let told = MarkInformed {
        meeting: announced(),
        organisation,
        member: person(MINH),
        channel: Channel::PhoneCall,
        notice_version: 1,
    };
    act(t, "another", told);
    for (case, member) in [("another", MINH), ("oneself", ACTOR)] {
        let answer = RespondOnBehalf {
            meeting: announced(),
            organisation,
            member: person(member),
            choice: Choice::WillAttend,
            channel: Channel::PhoneCall,
            notice_version: 1,
        };
        act(t, case, answer);
    }
}

fn absences(t: &mut Vec<Trial>) {
    let organisation = acted_on();
    for (case, member) in [("another", MINH), ("oneself", ACTOR)] {
        let request = RequestAbsence {
            meeting: announced(),
            organisation,
            member: person(member),
            reason: AbsenceReason::Work,
            note: None,
            channel: Channel::PhoneCall,
        };
        act(t, case, request);
    }
    let withdrawal = WithdrawAbsence {
        meeting: announced(),
        organisation,
    };
    act(t, "once", withdrawal);
    for (case, meeting, member) in [
        ("of another", announced(), MINH),
        ("of oneself", announced(), ACTOR),
        ("for a congress called above", congress(), MINH),
    ] {
        let decision = DecideAbsence {
            meeting,
            organisation,
            member: person(member),
            granted: true,
            answer: None,
        };
        act(t, case, decision);
    }
}

fn chair(t: &mut Vec<Trial>) {
    let organisation = acted_on();
    for (case, meeting, chair) in [
        ("names another", announced(), CHAIR),
        ("was asked and names another", asked(), CHAIR),
        ("was asked and takes the chair", asked(), ACTOR),
    ] {
        let opening = OpenRollCall {
            meeting,
            organisation,
            chair: person(chair),
            minute_taker: None,
        };
        act(t, case, opening);
    }
    let delegation = DelegateChair {
        meeting: announced(),
        organisation,
        member: person(CHAIR),
    };
    act(t, "once", delegation);
    for (case, meeting) in [
        ("not opened", announced()),
        ("chair absent", without_chair()),
        ("chair present", opened("no seat", false)),
    ] {
        let taken = AssumeChair {
            meeting,
            organisation,
            reason: "Bí thư không đến.".to_owned(),
        };
        act(t, case, taken);
    }
    let ratified = RatifyChair {
        meeting: assumed(),
        organisation,
    };
    act(t, "once", ratified);
}

fn mark(meeting: MeetingKey, member: u32, mark: AttendanceMark) -> MarkAttendance {
    MarkAttendance {
        meeting,
        organisation: acted_on(),
        member: person(member),
        mark,
        mode: ParticipationMode::InRoom,
        voted: false,
    }
}

fn marks(t: &mut Vec<Trial>) {
    use AttendanceMark::{AbsentExcused, LeftEarly, Present};
    for (case, seat, member, of) in [
        ("another/no seat", "no seat", MINH, AbsentExcused),
        ("another/chair", "chair", MINH, AbsentExcused),
        ("another/recorder", "recorder", MINH, AbsentExcused),
        ("another/minute-taker", "minute-taker", MINH, AbsentExcused),
        ("another/stands in", "stands in", MINH, AbsentExcused),
        ("own present/no seat", "no seat", ACTOR, Present),
        ("own present/chair", "chair", ACTOR, Present),
        ("own left early/no seat", "no seat", ACTOR, LeftEarly),
        ("own left early/chair", "chair", ACTOR, LeftEarly),
        ("own absent/no seat", "no seat", ACTOR, AbsentExcused),
        ("own absent/chair", "chair", ACTOR, AbsentExcused),
        ("own absent/recorder", "recorder", ACTOR, AbsentExcused),
    ] {
        act(t, case, mark(opened(seat, false), member, of));
    }
    for (case, seat, member, of) in [
        ("another/no seat", "no seat", MINH, AbsentExcused),
        ("another/chair", "chair", MINH, AbsentExcused),
        ("another/recorder", "recorder", MINH, AbsentExcused),
        ("own absent/chair", "chair", ACTOR, AbsentExcused),
    ] {
        let decided = ResolveMarks {
            meeting: opened(seat, false),
            organisation: acted_on(),
            member: person(member),
            mark: of,
        };
        act(t, case, decided);
    }
}

fn confirmation(t: &mut Vec<Trial>) {
    let organisation = acted_on();
    for seat in SEATS {
        let meeting = opened(seat, false);
        let confirmed = ConfirmRollCall {
            meeting,
            organisation,
            seen: sheet_digest(&lines(meeting)),
        };
        act(t, seat, confirmed);
        let corrected = CorrectRollCall {
            meeting: opened(seat, true),
            organisation,
            from: 1,
            changes: vec![MarkChange {
                member: person(MINH),
                mark: AttendanceMark::Late,
                mode: ParticipationMode::InRoom,
            }],
            reason: "Ghi nhầm.".to_owned(),
        };
        act(t, seat, corrected);
    }
    let objection = ObjectToMark {
        meeting: opened("no seat", true),
        organisation,
        text: "Tôi đến đúng giờ.".to_owned(),
    };
    act(t, "once", objection);
}

fn reading(t: &mut Vec<Trial>) {
    let document = PublishDocument {
        ..publication(super::ground::T, 3_000)
    };
    act(t, "once", document);
    let home = Scope::organisation(acted_on());
    t.push(Trial {
        act: "HandOverBlob",
        case: "once",
        want: Want::HandOver(home),
    });
    for (case, scope) in [
        ("organisation", home),
        ("office", Scope::office(acted_on())),
        ("own person", Scope::person(person(ACTOR))),
        ("another's person", Scope::person(person(MINH))),
    ] {
        t.push(Trial {
            act: "Read",
            case,
            want: Want::Read(scope),
        });
    }
}

fn phones(t: &mut Vec<Trial>) {
    for (case, member) in [
        ("a member", MINH),
        ("a candidate", YOUNG),
        ("whose membership ended", GONE),
    ] {
        let member = person(member);
        ask(t, case, Act::Invite { member });
        ask(t, case, Act::ConfirmEnrolment { member });
        ask(t, case, Act::RevokePhone { member });
    }
    for (case, member) in [("own", ACTOR), ("another's", MINH)] {
        let member = person(member);
        ask(t, case, Act::ListPhones { member });
        ask(t, case, Act::RenamePhone { member });
        ask(t, case, Act::ExportProfile { member });
    }
    let member = person(ACTOR);
    ask(t, "own", Act::RevokePhone { member });
    for (case, role) in [
        ("assistant", Role::Assistant),
        ("helper", Role::EnrolmentHelper),
        ("secretary", Role::Secretary),
        ("deputy", Role::DeputySecretary),
        ("committee member", Role::CommitteeMember),
        ("follower", Role::CellFollower),
        ("unknown", Role::Unknown { code: 99 }),
    ] {
        let organisation = acted_on();
        ask(t, case, Act::GrantRole { organisation, role });
    }
}
