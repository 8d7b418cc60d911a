//! An in-memory store that drives `apply` as the server does (all records) and as a phone does (only what the actor's
//! scopes show), and a commune to test in.

#![allow(dead_code)]

use std::collections::BTreeMap;

use sotay_model::documents::{ConfidentialityLevel, DocumentKind, PublishDocument, SectionDraft};
use sotay_model::id::{DocumentKey, Id, MeetingKey, MemberId, OrganisationId, RecordKey, Scope};
use sotay_model::meetings::{
    Attendance, AttendanceMark, ConfirmRollCall, MarkAttendance, MeetingKind, MeetingMode,
    NoticeText, OpenRollCall, ParticipationMode, PublishNotice, RollCall, sheet_digest,
};
use sotay_model::organisation::{
    Appoint, EnterMember, FoundOrganisation, IntroduceTemporarily, MemberStatus, OrganisationLevel,
    Policy, Role, scopes_of,
};
use sotay_model::record::{Body, Record, Stamp};
use sotay_model::time::{CalendarDate, Now, Timestamp};
use sotay_model::world::{Children, Need, Reader, Stop, World};
use sotay_model::{Actor, Effect, Intent, Mutation, Outcome, Rejection, apply};

/// Far more rounds of loading than any rule takes.
const MAX_ROUNDS: usize = 200;

/// Records with their audiences.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Store {
    records: BTreeMap<RecordKey, (Record, Vec<Scope>)>,
}

impl Store {
    /// What a rule asks for; with `scopes` only what these show.
    pub(crate) fn load(&self, world: &mut World, need: &Need, scopes: Option<&[Scope]>) {
        let shown = |audience: &[Scope]| {
            scopes.is_none_or(|held| audience.iter().any(|scope| held.contains(scope)))
        };
        match need {
            Need::Record(key) => {
                let found = self
                    .records
                    .get(key)
                    .filter(|(_, audience)| shown(audience));
                world.load_record(*key, found.map(|(record, _)| record.clone()));
            }
            Need::Children(question) => {
                let holds = scopes.is_none_or(|held| held.contains(&question.scope));
                let found = self.children(question, holds);
                world.load_children(*question, found);
            }
        }
    }

    fn children(&self, question: &Children, holds: bool) -> Vec<Record> {
        self.records
            .values()
            .filter(|(record, audience)| {
                holds && question.include(record.kind, record.parent, audience)
            })
            .map(|(record, _)| record.clone())
            .collect()
    }

    /// Decides on a mutation over all records, or over those that `scopes` show.
    pub(crate) fn decide(
        &self,
        actor: Actor,
        now: Now,
        mutation: &Mutation,
        scopes: Option<&[Scope]>,
    ) -> Outcome {
        let mut world = World::new();
        for _ in 0..MAX_ROUNDS {
            match apply(&world, actor, now, mutation) {
                Outcome::Need(needs) => {
                    assert!(!needs.is_empty(), "a need that asks for nothing");
                    for need in &needs {
                        assert!(!world.knows(need), "asked again for {need:?}");
                        self.load(&mut world, need, scopes);
                    }
                }
                decided => return decided,
            }
        }
        panic!("never decided: {mutation:?}");
    }

    /// Writes an effect.
    pub(crate) fn write(&mut self, effect: &Effect) {
        for put in &effect.puts {
            let version = self
                .records
                .get(&put.key)
                .map_or(0, |(old, _)| old.stamp.version)
                + 1;
            let record = Record {
                key: put.key,
                kind: put.kind,
                parent: put.parent,
                stamp: Stamp {
                    incarnation: 1,
                    version,
                },
                body: put.body.clone(),
            };
            self.records.insert(put.key, (record, put.audience.clone()));
        }
    }

    /// Puts another version in a record's place, whatever it says.
    pub(crate) fn replace(&mut self, record: Record) {
        if let Some((stored, _)) = self.records.get_mut(&record.key) {
            *stored = record;
        }
    }

    /// Takes a record away as if it had never been.
    pub(crate) fn forget(&mut self, key: RecordKey) {
        self.records.remove(&key);
    }

    /// The scopes of a member on a day.
    pub(crate) fn scopes(&self, member: MemberId, day: CalendarDate) -> Vec<Scope> {
        let mut world = World::new();
        for _ in 0..MAX_ROUNDS {
            let reader = Reader::new(&world);
            match scopes_of(&reader, member, day) {
                Ok(scopes) => return scopes,
                Err(Stop::Rejected(rejection)) => panic!("{rejection}"),
                Err(Stop::Unloaded) => {
                    for need in reader.into_needs() {
                        self.load(&mut world, &need, None);
                    }
                }
            }
        }
        panic!("never decided");
    }

    /// A record's body.
    pub(crate) fn body<T: Body>(&self, key: RecordKey) -> Option<T> {
        self.records
            .get(&key)
            .map(|(record, _)| record.read().unwrap())
    }

    /// A record's stamp.
    pub(crate) fn stamp(&self, key: RecordKey) -> Stamp {
        self.records[&key].0.stamp
    }

    /// Who is shown a record.
    pub(crate) fn audience(&self, key: RecordKey) -> Vec<Scope> {
        self.records[&key].1.clone()
    }

    /// All bodies of a kind.
    pub(crate) fn all<T: Body>(&self) -> Vec<T> {
        let of_kind = self
            .records
            .values()
            .filter(|(record, _)| record.kind == T::KIND);
        of_kind.map(|(record, _)| record.read().unwrap()).collect()
    }

    /// All records with their audiences.
    pub(crate) fn records(&self) -> impl Iterator<Item = &(Record, Vec<Scope>)> {
        self.records.values()
    }
}

/// An id that a test can name.
pub(crate) fn id(n: u32) -> Id {
    let mut bytes = [0; 16];
    bytes[12..].copy_from_slice(&n.to_be_bytes());
    Id::from_bytes(bytes)
}

pub(crate) fn org(n: u32) -> OrganisationId {
    OrganisationId(id(n))
}

pub(crate) fn person(n: u32) -> MemberId {
    MemberId(id(n))
}

pub(crate) fn meeting(home: OrganisationId, n: u32) -> MeetingKey {
    MeetingKey(RecordKey::new(Scope::organisation(home), id(n)))
}

pub(crate) fn document(home: OrganisationId, n: u32) -> DocumentKey {
    DocumentKey(RecordKey::new(Scope::organisation(home), id(n)))
}

pub(crate) fn date(text: &str) -> CalendarDate {
    text.parse().unwrap()
}

/// The commune committee.
pub(crate) const COMMITTEE: u32 = 1;
/// The cell in which most tests happen.
pub(crate) const CELL: u32 = 2;
/// Another cell of the same commune.
pub(crate) const OTHER_CELL: u32 = 3;

/// Of CELL: official members, the first two with office.
pub(crate) const SECRETARY: u32 = 101;
pub(crate) const DEPUTY: u32 = 102;
pub(crate) const ANN: u32 = 103;
pub(crate) const BINH: u32 = 104;
/// A probationary member, who types for the secretary.
pub(crate) const ASSISTANT: u32 = 105;
pub(crate) const EXEMPT: u32 = 106;
/// Official, elsewhere for a time.
pub(crate) const AWAY: u32 = 107;
pub(crate) const SUSPENDED: u32 = 108;
pub(crate) const CANDIDATE: u32 = 109;
pub(crate) const EXPELLED: u32 = 110;
/// Of OTHER_CELL.
pub(crate) const STRANGER: u32 = 201;
/// Of OTHER_CELL, in CELL for a time.
pub(crate) const VISITOR: u32 = 202;
pub(crate) const OTHER_SECRETARY: u32 = 203;
/// Secretary and committee member of the committee; home in OTHER_CELL.
pub(crate) const OFFICER: u32 = 204;
pub(crate) const COMMITTEE_MEMBER: u32 = 205;

/// Monday, 4 January 2027, 19:00 in Vietnam.
pub(crate) fn start() -> Timestamp {
    date("2027-01-04").start().plus_minutes(19 * 60)
}

/// The meeting of CELL in most tests.
pub(crate) fn the_meeting() -> MeetingKey {
    meeting(org(CELL), 1_001)
}

/// A commune with its clock.
#[derive(Debug, Clone)]
pub(crate) struct Commune {
    pub(crate) store: Store,
    pub(crate) now: Now,
}

impl Commune {
    /// One committee, two cells, members of every status; two days before the meeting.
    pub(crate) fn new() -> Self {
        let now = Now::server(start().plus_minutes(-2 * 24 * 60));
        let mut commune = Self {
            store: Store::default(),
            now,
        };
        commune.found(COMMITTEE, None, OrganisationLevel::CommuneCommittee);
        commune.found(CELL, Some(COMMITTEE), OrganisationLevel::PartyCell);
        commune.found(OTHER_CELL, Some(COMMITTEE), OrganisationLevel::PartyCell);
        for (n, cell, status) in [
            (SECRETARY, CELL, MemberStatus::Official),
            (DEPUTY, CELL, MemberStatus::Official),
            (ANN, CELL, MemberStatus::Official),
            (BINH, CELL, MemberStatus::Official),
            (ASSISTANT, CELL, MemberStatus::Probationary),
            (EXEMPT, CELL, MemberStatus::Exempt),
            (AWAY, CELL, MemberStatus::Official),
            (SUSPENDED, CELL, MemberStatus::Suspended),
            (CANDIDATE, CELL, MemberStatus::Candidate),
            (EXPELLED, CELL, MemberStatus::Expelled),
            (STRANGER, OTHER_CELL, MemberStatus::Official),
            (VISITOR, OTHER_CELL, MemberStatus::Official),
            (OTHER_SECRETARY, OTHER_CELL, MemberStatus::Official),
            (OFFICER, OTHER_CELL, MemberStatus::Official),
            (COMMITTEE_MEMBER, OTHER_CELL, MemberStatus::Official),
        ] {
            commune.enter(n, cell, status);
        }
        for (n, organisation, role) in [
            (SECRETARY, CELL, Role::Secretary),
            (DEPUTY, CELL, Role::DeputySecretary),
            (ASSISTANT, CELL, Role::Assistant),
            (OTHER_SECRETARY, OTHER_CELL, Role::Secretary),
            (OFFICER, COMMITTEE, Role::Secretary),
            (OFFICER, COMMITTEE, Role::CommitteeMember),
            (COMMITTEE_MEMBER, COMMITTEE, Role::CommitteeMember),
        ] {
            commune.appoint(n, organisation, role);
        }
        commune.introduce(AWAY, OTHER_CELL);
        commune.introduce(VISITOR, CELL);
        commune
    }

    /// The commune with a meeting of CELL announced.
    pub(crate) fn with_notice() -> Self {
        let mut commune = Self::new();
        commune.done(SECRETARY, publish());
        commune
    }

    /// The commune at the meeting: Ann in the chair, Bình takes the minutes, opened by the secretary.
    pub(crate) fn with_roll_call() -> Self {
        let mut commune = Self::with_notice();
        commune.now = Now::server(start());
        commune.done(SECRETARY, open());
        commune
    }

    /// The commune with everyone of CELL marked who must be.
    pub(crate) fn all_marked() -> Self {
        let mut commune = Self::with_roll_call();
        for member in [SECRETARY, DEPUTY, ANN, BINH, ASSISTANT, VISITOR] {
            commune.done(SECRETARY, mark(member, AttendanceMark::Present));
        }
        commune
    }

    /// The commune with the first version confirmed.
    pub(crate) fn confirmed() -> Self {
        let mut commune = Self::all_marked();
        let confirm = commune.confirm();
        commune.done(ANN, confirm.clone());
        commune.done(BINH, confirm);
        commune
    }

    /// Confirms the sheet as it stands.
    pub(crate) fn confirm(&self) -> ConfirmRollCall {
        ConfirmRollCall {
            meeting: the_meeting(),
            organisation: org(CELL),
            seen: sheet_digest(&self.lines()),
        }
    }

    /// The lines of the meeting's roll call.
    pub(crate) fn lines(&self) -> Vec<Attendance> {
        self.store.all::<Attendance>()
    }

    pub(crate) fn line(&self, member: u32) -> Attendance {
        self.store
            .body(Attendance::key(the_meeting(), org(CELL), person(member)))
            .unwrap()
    }

    pub(crate) fn roll_call(&self) -> RollCall {
        self.store
            .body(RollCall::key(the_meeting(), org(CELL)))
            .unwrap()
    }

    pub(crate) fn found(&mut self, n: u32, above: Option<u32>, level: OrganisationLevel) {
        self.operate(FoundOrganisation {
            id: org(n),
            above: above.map(org),
            level,
            name: format!("Tổ chức thử {n}"),
            policy: Policy::default(),
        });
    }

    pub(crate) fn enter(&mut self, n: u32, cell: u32, status: MemberStatus) {
        self.operate(entry(n, cell, status));
    }

    pub(crate) fn appoint(&mut self, n: u32, organisation: u32, role: Role) {
        self.operate(appointment(n, organisation, role));
    }

    pub(crate) fn introduce(&mut self, n: u32, host: u32) {
        self.operate(IntroduceTemporarily {
            id: id(5_000 + n),
            member: person(n),
            host: org(host),
            from: date("2026-11-01"),
            until: date("2027-06-30"),
        });
    }

    /// Decides, on all records and on those of the actor's scopes, which must agree; writes what is allowed.
    pub(crate) fn submit(&mut self, actor: Actor, intent: impl Into<Intent>) -> Outcome {
        let mutation = Mutation {
            made_at: self.now.at,
            needs: Vec::new(),
            intent: intent.into(),
        };
        let outcome = self.store.decide(actor, self.now, &mutation, None);
        if let Actor::Member(member) = actor {
            let scopes = self.store.scopes(member, self.now.at.date());
            let on_phone = self.store.decide(actor, self.now, &mutation, Some(&scopes));
            assert_eq!(
                on_phone, outcome,
                "the actor's own records decide otherwise: {mutation:?}"
            );
        }
        if let Outcome::Done(effect) = &outcome {
            self.store.write(effect);
        }
        outcome
    }

    pub(crate) fn operate(&mut self, intent: impl Into<Intent>) -> Effect {
        match self.submit(Actor::Operator, intent) {
            Outcome::Done(effect) => effect,
            other => panic!("{other:?}"),
        }
    }

    /// Submits what must be allowed.
    pub(crate) fn done(&mut self, member: u32, intent: impl Into<Intent>) -> Effect {
        match self.submit(Actor::Member(person(member)), intent) {
            Outcome::Done(effect) => effect,
            other => panic!("{other:?}"),
        }
    }

    /// Submits what must be refused, and checks that it changed nothing.
    pub(crate) fn refused(&mut self, member: u32, intent: impl Into<Intent>) -> Rejection {
        self.refused_to(Actor::Member(person(member)), intent)
    }

    pub(crate) fn refused_to(&mut self, actor: Actor, intent: impl Into<Intent>) -> Rejection {
        let before = self.store.clone();
        match self.submit(actor, intent) {
            Outcome::Rejected(rejection) => {
                assert!(self.store == before, "a refused mutation changed something");
                rejection
            }
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn entry(n: u32, cell: u32, status: MemberStatus) -> EnterMember {
    EnterMember {
        id: person(n),
        cell: org(cell),
        name: format!("Đồng chí Mẫu {n}"),
        status,
        phone: None,
        born: None,
        born_year: Some(1970),
        admitted_on: None,
        official_on: None,
        card_number: Some("00.000000".to_owned()),
        card_issued_on: None,
        card_issued_by: None,
    }
}

pub(crate) fn appointment(n: u32, organisation: u32, role: Role) -> Appoint {
    Appoint {
        id: id(4_000 + n * 10 + role.code()),
        member: person(n),
        organisation: org(organisation),
        role,
        phone: None,
        from: date("2025-01-01"),
        until: None,
    }
}

pub(crate) fn notice() -> NoticeText {
    NoticeText {
        title: "Sinh hoạt thường kỳ tháng 01".to_owned(),
        starts_at: start(),
        ends_at: start().plus_minutes(90),
        place: "Nhà văn hóa thôn Thử".to_owned(),
        mode: MeetingMode::InRoom,
        agenda: vec!["Thông tin thời sự".to_owned()],
        documents: Vec::new(),
        guests: vec!["Đại diện cấp trên".to_owned()],
        answer_by: None,
        absence_by: None,
    }
}

pub(crate) fn publish() -> PublishNotice {
    PublishNotice {
        meeting: the_meeting(),
        participating: vec![org(CELL)],
        kind: MeetingKind::Regular,
        notice: notice(),
    }
}

pub(crate) fn open() -> OpenRollCall {
    OpenRollCall {
        meeting: the_meeting(),
        organisation: org(CELL),
        chair: person(ANN),
        minute_taker: Some(person(BINH)),
    }
}

pub(crate) fn mark(member: u32, mark: AttendanceMark) -> MarkAttendance {
    MarkAttendance {
        meeting: the_meeting(),
        organisation: org(CELL),
        member: person(member),
        mark,
        mode: ParticipationMode::InRoom,
        voted: false,
    }
}

pub(crate) fn publication(home: u32, n: u32) -> PublishDocument {
    PublishDocument {
        document: document(org(home), n),
        title: "Dự thảo nghị quyết".to_owned(),
        number: Some("01-NQ/CB".to_owned()),
        issuer: "Chi bộ thử".to_owned(),
        kind: DocumentKind::Draft,
        level: ConfidentialityLevel::Internal,
        issued_on: date("2027-01-02"),
        for_meeting: None,
        sections: vec![
            section("1", "Đánh giá"),
            section("1.1", "Kết quả"),
            section("2", "Nhiệm vụ"),
        ],
        attachments: vec![],
    }
}

pub(crate) fn section(number: &str, heading: &str) -> SectionDraft {
    SectionDraft {
        number: number.to_owned(),
        heading: heading.to_owned(),
        text: "Một đoạn.\nĐoạn hai.".to_owned(),
    }
}
