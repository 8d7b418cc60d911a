//! The ground of the matrix: a tree around one organisation, its meetings in every state, and one person who is given
//! office, home and status from outside, whatever the register's rules would say: records come from history, and a
//! secretary may have been suspended since.

use super::common::*;
use sotay_model::cbor::UnknownKeys;
use sotay_model::id::{MeetingKey, OrganisationId, Scope};
use sotay_model::meetings::{
    AbsenceReason, AbsenceRequest, AbsenceState, Attendance, AttendanceMark, ChairDelegation,
    ConfirmedVersion, Mark, MarkSource, Meeting, MeetingKind, MeetingMode, MeetingState,
    NoticeVersion, ParticipationMode, RollCall, sheet,
};
use sotay_model::organisation::{
    Appointment, Member, MemberStatus, Organisation, OrganisationLevel, Policy, Role,
    TemporaryActivity,
};
use sotay_model::record::{Body, Put};
use sotay_model::{CalendarDate, Effect, RecordKey, Timestamp};

/// P over C over T over K over N; U beside T; F over E and X in another tree. T is acted on.
pub(crate) const P: u32 = 1;
pub(crate) const C: u32 = 2;
pub(crate) const T: u32 = 3;
pub(crate) const K: u32 = 4;
pub(crate) const N: u32 = 5;
pub(crate) const U: u32 = 6;
pub(crate) const F: u32 = 7;
pub(crate) const E: u32 = 8;
pub(crate) const X: u32 = 9;

/// Who acts.
pub(crate) const ACTOR: u32 = 900;
/// Of T, official.
pub(crate) const MINH: u32 = 901;
/// Of T, in the chair where nobody else is.
pub(crate) const CHAIR: u32 = 902;
/// Of T, takes the minutes; helper in X.
pub(crate) const SCRIBE: u32 = 903;
/// Of T, a candidate.
pub(crate) const YOUNG: u32 = 904;
/// Of T, removed.
pub(crate) const GONE: u32 = 905;
/// The number of SCRIBE's appointment in X.
pub(crate) const HELPERS_OFFICE: u32 = 4_500;
/// The numbers of the actor's appointment and temporary activity.
const THE_OFFICE: u32 = 4_900;
const THE_VISIT: u32 = 5_900;

/// Two hours before the meetings, on their day: today is the one day on which what is in force is in force.
pub(crate) fn now() -> Timestamp {
    start().plus_minutes(-120)
}

const TODAY: &str = "2027-01-04";
const YESTERDAY: &str = "2027-01-03";
const TOMORROW: &str = "2027-01-05";

/// Whether T is a cell or a committee over cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tree {
    Cell,
    Committee,
}

/// One person, in the words of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) office: &'static str,
    pub(crate) relation: &'static str,
    pub(crate) term: &'static str,
    pub(crate) belongs: &'static str,
    pub(crate) status: &'static str,
}

pub(crate) const RELATIONS: [&str; 6] = [
    "own",
    "child",
    "descendant",
    "ancestor",
    "sibling",
    "foreign",
];
pub(crate) const TERMS: [&str; 3] = ["before", "in force", "after"];
pub(crate) const OFFICES: [&str; 6] = [
    "secretary",
    "deputy",
    "committee member",
    "follower",
    "assistant",
    "helper",
];
const STATUSES: [&str; 9] = [
    "official",
    "probationary",
    "exempt",
    "temporary out",
    "suspended",
    "transferred",
    "removed",
    "expelled",
    "candidate",
];
const VISITS: [&str; 3] = ["temporary in", "visit ahead", "visit over"];

/// Every home together with every status that goes with it.
pub(crate) fn belongings() -> Vec<(&'static str, &'static str)> {
    let mut all = Vec::new();
    for belongs in ["member", "below", "above", "beside", "outside"] {
        all.extend(STATUSES.map(|status| (belongs, status)));
        if matches!(belongs, "beside" | "outside") {
            all.extend(VISITS.map(|status| (belongs, status)));
        }
    }
    all
}

/// Every person of one home and status: without office, and with each office, everywhere, at every time.
pub(crate) fn persons(tree: Tree, (belongs, status): (&'static str, &'static str)) -> Vec<Person> {
    let person = |office, relation, term| Person {
        office,
        relation,
        term,
        belongs,
        status,
    };
    let mut all = vec![person("none", "own", "in force")];
    for office in OFFICES {
        for relation in RELATIONS {
            for term in TERMS {
                let of_cell = is_cell(tree, seat_of(relation));
                let office = match office {
                    "committee member" if of_cell => "cell committee member",
                    other => other,
                };
                all.push(person(office, relation, term));
            }
        }
    }
    all
}

/// Where the office is held so that T stands to it like this.
fn seat_of(relation: &str) -> u32 {
    match relation {
        "own" => T,
        "child" => C,
        "descendant" => P,
        "ancestor" => K,
        "sibling" => U,
        "foreign" => E,
        other => panic!("{other}"),
    }
}

fn home_of(belongs: &str) -> u32 {
    match belongs {
        "member" => T,
        "below" => K,
        "above" => C,
        "beside" => U,
        "outside" => E,
        other => panic!("{other}"),
    }
}

fn level_of(tree: Tree, organisation: u32) -> OrganisationLevel {
    match (organisation, tree) {
        (P, _) => OrganisationLevel::ProvincialCommittee,
        (C | F, _) => OrganisationLevel::CommuneCommittee,
        (T | U | E, Tree::Committee) => OrganisationLevel::SectionCommittee,
        (T | U | E, Tree::Cell) | (X, _) | (K, Tree::Committee) => OrganisationLevel::PartyCell,
        _ => OrganisationLevel::PartyGroup,
    }
}

fn is_cell(tree: Tree, organisation: u32) -> bool {
    matches!(
        level_of(tree, organisation),
        OrganisationLevel::PartyCell | OrganisationLevel::PartyGroup
    )
}

/// The meetings of T.
pub(crate) fn announced() -> MeetingKey {
    meeting(org(T), 1_001)
}
/// A meeting of T's committee.
pub(crate) fn of_committee() -> MeetingKey {
    meeting(org(T), 1_002)
}
/// A congress that C calls, T taking part.
pub(crate) fn congress() -> MeetingKey {
    meeting(org(C), 1_003)
}
/// One whose chair the secretary asked the actor to take.
pub(crate) fn asked() -> MeetingKey {
    meeting(org(T), 1_004)
}
/// Opened, the chair unmarked.
pub(crate) fn without_chair() -> MeetingKey {
    meeting(org(T), 1_005)
}
/// Opened under a chair that was assumed.
pub(crate) fn assumed() -> MeetingKey {
    meeting(org(T), 1_006)
}
/// Opened, everybody marked, the actor having this seat; confirmed or not.
pub(crate) fn opened(seat: &str, confirmed: bool) -> MeetingKey {
    let number = SEATS.iter().position(|name| *name == seat).unwrap();
    let number = u32::try_from(number).unwrap();
    meeting(org(T), if confirmed { 1_200 } else { 1_100 } + number)
}

pub(crate) const SEATS: [&str; 5] = ["no seat", "chair", "recorder", "minute-taker", "stands in"];

/// The lines of a roll call of T in which everybody is marked as present.
pub(crate) fn lines(meeting: MeetingKey) -> Vec<Attendance> {
    let marked = [MINH, CHAIR, SCRIBE, ACTOR];
    marked.map(|member| line(meeting, member, true)).to_vec()
}

/// Everything but the actor.
pub(crate) fn ground(tree: Tree) -> Store {
    let mut store = Store::default();
    let tops = [(P, None), (C, Some(P)), (T, Some(C)), (K, Some(T))];
    let others = [
        (N, Some(K)),
        (U, Some(C)),
        (F, None),
        (E, Some(F)),
        (X, Some(F)),
    ];
    for (n, above) in tops.into_iter().chain(others) {
        let body = Organisation {
            id: org(n),
            above: above.map(org),
            level: level_of(tree, n),
            name: format!("Tổ chức thử {n}"),
            policy: Policy::default(),
            unknown: UnknownKeys::none(),
        };
        put(
            &mut store,
            Organisation::key(org(n)),
            above.unwrap_or(n),
            &body,
        );
    }
    for (n, status) in [
        (MINH, MemberStatus::Official),
        (CHAIR, MemberStatus::Official),
        (SCRIBE, MemberStatus::Official),
        (YOUNG, MemberStatus::Candidate),
        (GONE, MemberStatus::Removed),
    ] {
        enter(&mut store, n, T, status);
    }
    let helper = (SCRIBE, X, Role::EnrolmentHelper);
    appoint_as(&mut store, HELPERS_OFFICE, helper, (YESTERDAY, None));

    let at_t = [announced(), asked(), without_chair(), assumed()];
    for key in at_t {
        announce(&mut store, key, MeetingKind::Regular);
    }
    announce(&mut store, of_committee(), MeetingKind::Committee);
    announce(&mut store, congress(), MeetingKind::Congress);
    absences(&mut store);
    let delegation = ChairDelegation {
        chair: person(ACTOR),
        by: person(CHAIR),
        made_at: now(),
        unknown: UnknownKeys::none(),
    };
    let key = ChairDelegation::key(asked(), org(T));
    write(&mut store, Put::of(key, asked().0.id, &delegation));

    open_roll_call(&mut store, without_chair(), "no seat", |_| {});
    let absent = line(without_chair(), CHAIR, false);
    put_line(&mut store, &absent);
    open_roll_call(&mut store, assumed(), "no seat", |roll_call| {
        roll_call.assumed = Some("Bí thư đi vắng.".to_owned());
    });
    for seat in SEATS {
        announce(&mut store, opened(seat, false), MeetingKind::Regular);
        open_roll_call(&mut store, opened(seat, false), seat, |_| {});
        announce(&mut store, opened(seat, true), MeetingKind::Regular);
        open_roll_call(&mut store, opened(seat, true), seat, |roll_call| {
            roll_call.versions = vec![ConfirmedVersion {
                number: 1,
                confirmations: Vec::new(),
                lines: sheet(&lines(roll_call.meeting)),
                confirmed_at: now(),
                reason: None,
                unknown: UnknownKeys::none(),
            }];
        });
    }
    store
}

/// Gives the actor office, home and status, and takes what the actor was before.
pub(crate) fn place(store: &mut Store, who: &Person) {
    for number in [THE_VISIT, THE_OFFICE] {
        store.forget(RecordKey::new(Scope::person(person(ACTOR)), id(number)));
    }
    let home = home_of(who.belongs);
    let status = match who.status {
        "probationary" => MemberStatus::Probationary,
        "exempt" => MemberStatus::Exempt,
        "suspended" => MemberStatus::Suspended,
        "transferred" => MemberStatus::Transferred,
        "removed" => MemberStatus::Removed,
        "expelled" => MemberStatus::Expelled,
        "candidate" => MemberStatus::Candidate,
        _ => MemberStatus::Official,
    };
    enter(store, ACTOR, home, status);
    let activity = match who.status {
        "temporary out" => Some((X, TODAY, TODAY)),
        "temporary in" => Some((T, TODAY, TODAY)),
        "visit ahead" => Some((T, TOMORROW, "2027-06-30")),
        "visit over" => Some((T, "2026-10-01", YESTERDAY)),
        _ => None,
    };
    if let Some((host, from, until)) = activity {
        let body = TemporaryActivity {
            member: person(ACTOR),
            name: "Đồng chí Mẫu".to_owned(),
            home_cell: org(home),
            host: org(host),
            from: date(from),
            until: date(until),
            status,
            unknown: UnknownKeys::none(),
        };
        let key = RecordKey::new(Scope::person(person(ACTOR)), id(THE_VISIT));
        put(store, key, host, &body);
    }
    let role = match who.office {
        "secretary" => Role::Secretary,
        "deputy" => Role::DeputySecretary,
        "committee member" | "cell committee member" => Role::CommitteeMember,
        "follower" => Role::CellFollower,
        "assistant" => Role::Assistant,
        "helper" => Role::EnrolmentHelper,
        _ => return,
    };
    let term = match who.term {
        "before" => (TOMORROW, None),
        "in force" => (TODAY, Some(TODAY)),
        _ => ("2025-01-01", Some(YESTERDAY)),
    };
    let office = (ACTOR, seat_of(who.relation), role);
    appoint_as(store, THE_OFFICE, office, term);
}

fn appoint_as(
    store: &mut Store,
    number: u32,
    (member, organisation, role): (u32, u32, Role),
    (from, until): (&str, Option<&str>),
) {
    let body = Appointment {
        member: person(member),
        organisation: org(organisation),
        role,
        name: "Đồng chí Mẫu".to_owned(),
        phone: None,
        from: date(from),
        until: until.map(date),
        unknown: UnknownKeys::none(),
    };
    let key = RecordKey::new(Scope::person(person(member)), id(number));
    put(store, key, organisation, &body);
}

fn enter(store: &mut Store, n: u32, home: u32, status: MemberStatus) {
    let body = Member {
        id: person(n),
        cell: org(home),
        name: format!("Đồng chí Mẫu {n}"),
        status,
        phone: None,
        unknown: UnknownKeys::none(),
    };
    put(store, Member::key(person(n)), home, &body);
}

fn announce(store: &mut Store, key: MeetingKey, kind: MeetingKind) {
    let notice = NoticeVersion {
        number: 1,
        title: "Sinh hoạt".to_owned(),
        starts_at: start(),
        ends_at: start().plus_minutes(90),
        place: "Nhà văn hóa".to_owned(),
        mode: MeetingMode::InRoom,
        agenda: Vec::new(),
        documents: Vec::new(),
        guests: Vec::new(),
        answer_by: start(),
        absence_by: start(),
        published_at: now(),
        published_by: person(CHAIR),
        late: false,
        urgent: false,
        unknown: UnknownKeys::none(),
    };
    let body = Meeting {
        organisation: key.organisation(),
        participating: vec![org(T)],
        kind,
        state: MeetingState::Announced,
        versions: vec![notice],
        cancel_reason: None,
        cancelled_at: None,
        unknown: UnknownKeys::none(),
    };
    write(store, Put::of(key.0, key.organisation().0, &body));
}

/// Requests that wait: MINH's and the actor's own, for a meeting of T and for the congress.
fn absences(store: &mut Store) {
    for (meeting, member, decided_above) in [
        (announced(), MINH, None),
        (announced(), ACTOR, None),
        (congress(), MINH, Some(org(C))),
    ] {
        let body = AbsenceRequest {
            member: person(member),
            meeting,
            reason: AbsenceReason::Work,
            note: None,
            made_at: now(),
            late: false,
            state: AbsenceState::Waiting,
            decided_by: None,
            decided_at: None,
            answer: None,
            entered: None,
            decided_above,
            unknown: UnknownKeys::none(),
        };
        let key = AbsenceRequest::key(meeting, org(T), person(member));
        write(store, Put::of(key, meeting.0.id, &body));
    }
}

fn open_roll_call(
    store: &mut Store,
    meeting: MeetingKey,
    seat: &str,
    change: impl FnOnce(&mut RollCall),
) {
    let or_actor = |holds: &str, other: u32| person(if seat == holds { ACTOR } else { other });
    let mut body = RollCall {
        meeting,
        organisation: org(T),
        opened_at: now(),
        recorder: or_actor("recorder", CHAIR),
        chair: or_actor("chair", CHAIR),
        minute_taker: Some(or_actor("minute-taker", SCRIBE)).filter(|_| seat != "stands in"),
        assumed: None,
        ratified: false,
        confirmations: Vec::new(),
        versions: Vec::new(),
        correction: None,
        unknown: UnknownKeys::none(),
    };
    change(&mut body);
    let key = RollCall::key(meeting, org(T));
    write(store, Put::of(key, meeting.0.id, &body));
    for line in lines(meeting) {
        put_line(store, &line);
    }
}

fn line(meeting: MeetingKey, member: u32, marked: bool) -> Attendance {
    let mark = Mark {
        by: person(SCRIBE),
        source: MarkSource::Recorder,
        mark: AttendanceMark::Present,
        mode: ParticipationMode::InRoom,
        made_at: now(),
        voted: false,
        unknown: UnknownKeys::none(),
    };
    Attendance {
        member: person(member),
        meeting,
        name: format!("Đồng chí Mẫu {member}"),
        convened_as: MemberStatus::Official,
        marks: if marked { vec![mark] } else { Vec::new() },
        resolved: None,
        voted: false,
        objections: Vec::new(),
        proposed: None,
        unknown: UnknownKeys::none(),
    }
}

fn put_line(store: &mut Store, line: &Attendance) {
    let key = Attendance::key(line.meeting, org(T), line.member);
    let parent = RollCall::key(line.meeting, org(T)).id;
    write(store, Put::of(key, parent, line));
}

fn put<B: Body>(store: &mut Store, key: RecordKey, parent: u32, body: &B) {
    write(store, Put::of(key, id(parent), body));
}

fn write(store: &mut Store, put: Put) {
    store.write(&Effect { puts: vec![put] });
}

/// Today, the day of all meetings.
pub(crate) fn today() -> CalendarDate {
    date(TODAY)
}

/// The organisation that is acted on.
pub(crate) fn acted_on() -> OrganisationId {
    org(T)
}
