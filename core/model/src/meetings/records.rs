//! Records of meetings.

use crate::cbor::{cbor_code, cbor_map};
use crate::id::{DocumentKey, Id, MeetingKey, MemberId, OrganisationId, RecordKey, Scope};
use crate::inventory::{Kept, Retention};
use crate::organisation::MemberStatus;
use crate::record::{Body, Kind};
use crate::time::Timestamp;

cbor_code! {
    /// What kind of meeting.
    pub enum MeetingKind {
        /// sinh hoạt thường kỳ, monthly
        Regular = 1,
        /// sinh hoạt chuyên đề
        Thematic = 2,
        /// bất thường
        Extraordinary = 3,
        /// họp chi ủy
        Committee = 4,
        /// hội nghị đảng viên
        MembersConference = 5,
        /// đại hội
        Congress = 6,
    }
}

cbor_code! {
    /// How people come together.
    pub enum MeetingMode {
        /// tại chỗ
        InRoom = 1,
        /// trực tuyến
        Online = 2,
        /// Both.
        Mixed = 3,
    }
}

cbor_code! {
    /// Where a meeting stands, for all participating organisations together.
    pub enum MeetingState {
        /// Announced.
        Announced = 1,
        /// Cancelled.
        Cancelled = 2,
    }
}

cbor_map! {
    /// One version of a notice's text. Earlier versions are kept so that everybody sees what changed for them.
    pub struct NoticeVersion {
        /// Counts from 1.
        0 => number: u32 [No],
        /// Title.
        1 => title: String [Words],
        /// Beginning.
        2 => starts_at: Timestamp [No],
        /// End.
        3 => ends_at: Timestamp [No],
        /// Place.
        4 => place: String [Words],
        /// In the room, online, or both.
        5 => mode: MeetingMode [No],
        /// nội dung
        6 => agenda: Vec<String> [Words],
        /// Documents to read before.
        7 => documents: Vec<DocumentKey> [No],
        /// Guests: on the agenda only, outside every figure.
        8 => guests: Vec<String> [Words],
        /// Until when an answer counts as in time.
        9 => answer_by: Timestamp [No],
        /// Until when an absence may be asked for without counting as late.
        10 => absence_by: Timestamp [No],
        /// When this version was published (server time).
        11 => published_at: Timestamp [No],
        /// Who published it.
        12 => published_by: MemberId [Who],
        /// Published later than the policy asks for.
        13 => late: bool [No],
        /// Changed shortly before the beginning: earlier answers read "for the old time" and are asked again.
        14 => urgent: bool [No],
    }
}

cbor_map! {
    /// A meeting. Home `org:<organisation that called it>`, parent: that organisation. Shown to all participating organisations.
    pub struct Meeting {
        /// Who called it.
        0 => organisation: OrganisationId [No],
        /// Who meets: the cell itself, or several cells jointly. Roll call, figures and confirmation are per organisation.
        1 => participating: Vec<OrganisationId> [No],
        /// What kind.
        2 => kind: MeetingKind [No],
        /// Announced or cancelled.
        3 => state: MeetingState [No],
        /// All versions, oldest first; the last one stands. Never empty.
        4 => versions: Vec<NoticeVersion> [No],
        /// Why it was cancelled.
        5 => cancel_reason: Option<String> [Words],
        /// When it was cancelled.
        6 => cancelled_at: Option<Timestamp> [No],
    }
}

impl Body for Meeting {
    const KIND: Kind = Kind::Meeting;
    const KEPT: Kept = Kept {
        purpose: "Members know what meets when and where, what changed, and what to read before.",
        about: "Guests named in the notice, and whoever published it.",
        seen_by: "The members of all participating organisations.",
        until: Retention::People("As long as the organisation keeps minutes"),
        because: "",
    };

    fn audience(&self, _home: Scope) -> Vec<Scope> {
        std::iter::once(self.organisation)
            .chain(self.participating.iter().copied())
            .map(Scope::organisation)
            .collect()
    }
}

impl Meeting {
    /// The version that stands.
    pub fn notice(&self) -> Option<&NoticeVersion> {
        self.versions.last()
    }
}

cbor_code! {
    /// A member's answer to a notice.
    pub enum Choice {
        /// sẽ dự
        WillAttend = 1,
        /// sẽ dự trực tuyến
        WillAttendOnline = 2,
        /// chưa chắc
        Undecided = 3,
    }
}

cbor_code! {
    /// How a word reached the one who entered it.
    pub enum Channel {
        /// The handbook itself.
        Handbook = 1,
        /// A telephone call.
        PhoneCall = 2,
        /// In person.
        InPerson = 3,
        /// A text or chat message.
        Message = 4,
        /// Through a family member or neighbour.
        ThroughOthers = 5,
    }
}

cbor_map! {
    /// Who entered something for another person, and how the word came. The person sees it.
    pub struct Entered {
        /// Who entered it.
        0 => by: MemberId [Who],
        /// On whose word: how it came.
        1 => channel: Channel [About],
    }
}

/// The key of what exists once for the parts, in an organisation: whoever makes it, wherever, makes the same one.
fn derived_key(organisation: OrganisationId, label: &str, parts: &[Id]) -> RecordKey {
    RecordKey::new(Scope::organisation(organisation), Id::derived(label, parts))
}

/// Answers and requests are shown to the office, to the member they are about, and to whoever entered them.
fn office_member_and_author(
    home: Scope,
    member: MemberId,
    entered: Option<&Entered>,
) -> Vec<Scope> {
    let mut audience = vec![
        Scope::office(OrganisationId(home.id)),
        Scope::person(member),
    ];
    audience.extend(entered.map(|entered| Scope::person(entered.by)));
    audience
}

cbor_map! {
    /// A member's answer. One record for the own answer and one for each person who entered an answer on the member's behalf:
    /// so nobody writes over another's word unseen; [`super::standing_answer`] says which counts. Home `org:<own organisation>`, parent: the meeting. Shown to the office and to the member.
    pub struct Response {
        /// Whose answer.
        0 => member: MemberId [Who],
        /// The meeting.
        1 => meeting: MeetingKey [No],
        /// The answer.
        2 => choice: Choice [About],
        /// The version of the notice it answers; an older one reads "for the old time".
        3 => notice_version: u32 [About],
        /// When it was given, by the phone's clock. Shown, never used for order.
        4 => made_at: Timestamp [About],
        /// It reached the server after the deadline.
        5 => late: bool [About],
        /// Entered by another person. The own later answer wins.
        6 => entered: Option<Entered> [Who],
    }
}

impl Body for Response {
    const KIND: Kind = Kind::Response;
    const KEPT: Kept = Kept {
        purpose: "The secretary knows who comes, and whom to ask.",
        about: "The member's, and whoever entered it on the member's word.",
        seen_by: "The office, the member, and whoever entered it.",
        until: Retention::Meeting { years: 1 },
        because: "",
    };

    fn audience(&self, home: Scope) -> Vec<Scope> {
        office_member_and_author(home, self.member, self.entered.as_ref())
    }
}

impl Response {
    /// The key of a member's answer; `organisation` is the participating one the member belongs to.
    pub fn key(meeting: MeetingKey, organisation: OrganisationId, member: MemberId) -> RecordKey {
        derived_key(organisation, "response", &[meeting.0.id, member.0])
    }

    /// The key of what `by` entered on the member's behalf.
    pub fn entered_key(
        meeting: MeetingKey,
        organisation: OrganisationId,
        member: MemberId,
        by: MemberId,
    ) -> RecordKey {
        derived_key(
            organisation,
            "response on behalf",
            &[meeting.0.id, member.0, by.0],
        )
    }
}

cbor_map! {
    /// A member knows a version of the notice. One record for the own word, one for each person who told the member. Home `org:<own organisation>`, parent: the meeting. Shown to the office and to the member.
    pub struct Acknowledgement {
        /// Who knows it.
        0 => member: MemberId [Who],
        /// The meeting.
        1 => meeting: MeetingKey [No],
        /// The highest version known.
        2 => notice_version: u32 [About],
        /// When, by the phone's clock.
        3 => made_at: Timestamp [About],
        /// Told by another person.
        4 => entered: Option<Entered> [Who],
    }
}

impl Body for Acknowledgement {
    const KIND: Kind = Kind::Acknowledgement;
    const KEPT: Kept = Kept {
        purpose: "The secretary knows who has heard of a change, and calls the others.",
        about: "The member's, and whoever told the member.",
        seen_by: "The office, the member, and whoever told the member.",
        until: Retention::Meeting { years: 1 },
        because: "",
    };

    fn audience(&self, home: Scope) -> Vec<Scope> {
        office_member_and_author(home, self.member, self.entered.as_ref())
    }
}

impl Acknowledgement {
    /// The key of a member's acknowledgement.
    pub fn key(meeting: MeetingKey, organisation: OrganisationId, member: MemberId) -> RecordKey {
        derived_key(organisation, "acknowledgement", &[meeting.0.id, member.0])
    }

    /// The key of what `by` entered on the member's behalf.
    pub fn entered_key(
        meeting: MeetingKey,
        organisation: OrganisationId,
        member: MemberId,
        by: MemberId,
    ) -> RecordKey {
        derived_key(
            organisation,
            "acknowledgement on behalf",
            &[meeting.0.id, member.0, by.0],
        )
    }
}

cbor_code! {
    /// Why a member asks to be excused. A code, seen by who decides and by the member; minutes print "có lý do".
    pub enum AbsenceReason {
        /// sức khỏe
        Health = 1,
        /// gia đình
        Family = 2,
        /// công tác
        Work = 3,
        /// đi xa
        Away = 4,
        /// khác
        Other = 5,
    }
}

cbor_code! {
    /// Where an absence request stands.
    pub enum AbsenceState {
        /// chờ duyệt
        Waiting = 1,
        /// đã đồng ý
        Granted = 2,
        /// chưa đồng ý
        Refused = 3,
        /// Withdrawn by the member.
        Withdrawn = 4,
    }
}

cbor_map! {
    /// A member asks to be excused (xin vắng). One record for the own request and one for each person who entered one on the
    /// member's behalf; a decision is written into all of them, [`super::standing_request`] says which counts. Home `org:<own organisation>`, parent: the meeting. Shown to the office and to the member.
    pub struct AbsenceRequest {
        /// Who asks.
        0 => member: MemberId [Who],
        /// The meeting.
        1 => meeting: MeetingKey [No],
        /// Why.
        2 => reason: AbsenceReason [Private],
        /// More, in the member's words.
        3 => note: Option<String> [Words],
        /// When it was made, by the phone's clock.
        4 => made_at: Timestamp [About],
        /// It reached the server after the deadline; accepted until the roll call is confirmed, shown as late.
        5 => late: bool [About],
        /// Where it stands.
        6 => state: AbsenceState [About],
        /// Who decided.
        7 => decided_by: Option<MemberId> [Who],
        /// When it was decided.
        8 => decided_at: Option<Timestamp> [About],
        /// What the decision says to the member.
        9 => answer: Option<String> [Words],
        /// Entered by another person.
        10 => entered: Option<Entered> [Who],
        /// For a congress the convening committee decides, where it is not the own organisation.
        11 => decided_above: Option<OrganisationId> [No],
    }
}

impl Body for AbsenceRequest {
    const KIND: Kind = Kind::AbsenceRequest;
    const KEPT: Kept = Kept {
        purpose: "The office decides whether the member is excused.",
        about: "The member's, and whoever entered or decided it.",
        seen_by: "The office that decides, the member, and whoever entered it.",
        until: Retention::Meeting { years: 1 },
        because: ": three absences in a row within a year are noticed",
    };

    fn audience(&self, home: Scope) -> Vec<Scope> {
        let mut audience = office_member_and_author(home, self.member, self.entered.as_ref());
        audience.extend(self.decided_above.map(Scope::office));
        audience
    }
}

impl AbsenceRequest {
    /// The key of a member's request.
    pub fn key(meeting: MeetingKey, organisation: OrganisationId, member: MemberId) -> RecordKey {
        derived_key(organisation, "absence", &[meeting.0.id, member.0])
    }

    /// The key of what `by` entered on the member's behalf.
    pub fn entered_key(
        meeting: MeetingKey,
        organisation: OrganisationId,
        member: MemberId,
        by: MemberId,
    ) -> RecordKey {
        derived_key(
            organisation,
            "absence on behalf",
            &[meeting.0.id, member.0, by.0],
        )
    }
}

cbor_code! {
    /// A mark of the roll call (điểm danh). Unmarked never turns into unexcused by itself.
    pub enum AttendanceMark {
        /// chưa điểm danh
        Unmarked = 1,
        /// có mặt
        Present = 2,
        /// đi muộn
        Late = 3,
        /// về sớm
        LeftEarly = 4,
        /// vắng có lý do
        AbsentExcused = 5,
        /// vắng không lý do
        AbsentUnexcused = 6,
    }
}

cbor_code! {
    /// How a present member takes part.
    pub enum ParticipationMode {
        /// tại chỗ
        InRoom = 1,
        /// trực tuyến
        Online = 2,
    }
}

cbor_code! {
    /// In which capacity somebody marked; of conflicting marks the earlier in this list counts, after presence itself.
    pub enum MarkSource {
        /// The meeting's recorder: who opened the roll call, or the minute-taker.
        Recorder = 1,
        /// The secretary.
        Secretary = 2,
        /// The deputy secretary.
        Deputy = 3,
        /// An assistant or another official member who was asked to.
        Assistant = 4,
        /// The member.
        OwnSelf = 5,
    }
}

cbor_map! {
    /// One person's mark for one member.
    pub struct Mark {
        /// Who marked.
        0 => by: MemberId [Who],
        /// In which capacity.
        1 => source: MarkSource [About],
        /// What.
        2 => mark: AttendanceMark [About],
        /// In the room or online.
        3 => mode: ParticipationMode [About],
        /// When, by the phone's clock.
        4 => made_at: Timestamp [About],
        /// Whether whoever marked says that an exempt member voted.
        5 => voted: bool [About],
    }
}

cbor_map! {
    /// A member's objection to the own line, visible to both.
    pub struct Objection {
        /// What the member says.
        0 => text: String [Words],
        /// When it arrived.
        1 => at: Timestamp [About],
        /// Which confirmed version it speaks of.
        2 => version: u32 [About],
    }
}

cbor_map! {
    /// A convened member's line of the roll call. Home `org:<organisation>`, parent: the roll call. Shown to the organisation,
    /// as minutes are read out to it, and to the member.
    pub struct Attendance {
        /// Who.
        0 => member: MemberId [Who],
        /// The meeting.
        1 => meeting: MeetingKey [No],
        /// The name at the opening.
        2 => name: String [Who],
        /// The status at the opening (Convocation): later changes of status do not touch this meeting.
        3 => convened_as: MemberStatus [About],
        /// The latest mark of each person who marked.
        4 => marks: Vec<Mark> [About],
        /// The mark decided on where marks differed.
        5 => resolved: Option<Mark> [About],
        /// An exempt member who came and voted counts in the vote base; what the standing mark says of it.
        6 => voted: bool [About],
        /// The member's objections.
        7 => objections: Vec<Objection> [Words],
        /// The mark that a proposed correction wants.
        8 => proposed: Option<Mark> [About],
    }
}

impl Body for Attendance {
    const KIND: Kind = Kind::Attendance;
    const KEPT: Kept = Kept {
        purpose: "Who was present, marked by whom, and what the member objects to.",
        about: "The member's, and whoever marked.",
        seen_by: "The organisation's members, as minutes are read out to them, and the member.",
        until: Retention::People("As long as the organisation keeps minutes"),
        because: "",
    };

    fn audience(&self, home: Scope) -> Vec<Scope> {
        vec![home, Scope::person(self.member)]
    }
}

impl Attendance {
    /// The key of a member's line.
    pub fn key(meeting: MeetingKey, organisation: OrganisationId, member: MemberId) -> RecordKey {
        derived_key(organisation, "attendance", &[meeting.0.id, member.0])
    }
}

cbor_map! {
    /// One confirmer's word: this is how it was.
    pub struct Confirmation {
        /// Who.
        0 => by: MemberId [Who],
        /// The digest of the sheet that was on the confirmer's screen.
        1 => seen: Vec<u8> [No],
        /// When it reached the server.
        2 => at: Timestamp [About],
    }
}

cbor_map! {
    /// A line of a confirmed version.
    pub struct ConfirmedLine {
        /// Who.
        0 => member: MemberId [Who],
        /// Name at the opening.
        1 => name: String [Who],
        /// Status at the opening.
        2 => convened_as: MemberStatus [About],
        /// The mark.
        3 => mark: AttendanceMark [About],
        /// In the room or online.
        4 => mode: ParticipationMode [About],
        /// Whether an exempt member voted.
        5 => voted: bool [About],
    }
}

cbor_map! {
    /// A confirmed version of the roll call: immutable.
    pub struct ConfirmedVersion {
        /// Counts from 1.
        0 => number: u32 [No],
        /// Who confirmed.
        1 => confirmations: Vec<Confirmation> [Who],
        /// The lines as confirmed, sorted by member.
        2 => lines: Vec<ConfirmedLine> [About],
        /// When the second confirmation arrived.
        3 => confirmed_at: Timestamp [No],
        /// Why the version before was corrected.
        4 => reason: Option<String> [Words],
    }
}

cbor_map! {
    /// The secretary, being away, asked an official member to chair a meeting that is not opened yet. Home `org:<organisation>`,
    /// parent: the meeting. Shown to the organisation.
    pub struct ChairDelegation {
        /// Who takes the chair, and may open the roll call.
        0 => chair: MemberId [Who],
        /// The secretary or deputy who asked.
        1 => by: MemberId [Who],
        /// When, by the phone's clock.
        2 => made_at: Timestamp [About],
    }
}

impl Body for ChairDelegation {
    const KIND: Kind = Kind::ChairDelegation;
    const KEPT: Kept = Kept {
        purpose: "The cell knows who chairs when the secretary is away.",
        about: "The one who chairs, and who asked.",
        seen_by: "The organisation's members.",
        until: Retention::People("As long as the organisation keeps minutes"),
        because: "",
    };

    fn audience(&self, home: Scope) -> Vec<Scope> {
        vec![home]
    }
}

impl ChairDelegation {
    /// The key of an organisation's delegation for a meeting.
    pub fn key(meeting: MeetingKey, organisation: OrganisationId) -> RecordKey {
        derived_key(
            organisation,
            "chair delegation",
            &[meeting.0.id, organisation.0],
        )
    }
}

cbor_map! {
    /// The roll call of one participating organisation. Home `org:<organisation>`, parent: the meeting. Shown to the organisation.
    pub struct RollCall {
        /// The meeting.
        0 => meeting: MeetingKey [No],
        /// Which participating organisation.
        1 => organisation: OrganisationId [No],
        /// The actual beginning.
        2 => opened_at: Timestamp [No],
        /// Who opened it: the meeting's recorder.
        3 => recorder: MemberId [Who],
        /// chủ trì
        4 => chair: MemberId [Who],
        /// thư ký
        5 => minute_taker: Option<MemberId> [Who],
        /// Why an official member took the chair without being asked; provisional until ratified.
        6 => assumed: Option<String> [Words],
        /// Whether the assumed chair was ratified.
        7 => ratified: bool [No],
        /// Confirmations of the sheet as it stands, by different persons.
        8 => confirmations: Vec<Confirmation> [Who],
        /// Confirmed versions, oldest first.
        9 => versions: Vec<ConfirmedVersion> [About],
        /// Why a correction is proposed; it takes effect with two confirmations.
        10 => correction: Option<String> [Words],
    }
}

impl Body for RollCall {
    const KIND: Kind = Kind::RollCall;
    const KEPT: Kept = Kept {
        purpose: "The sheet that the cell confirmed, and every version that it corrected.",
        about: "Everybody convened, and the confirmers.",
        seen_by: "The organisation's members.",
        until: Retention::People("As long as the organisation keeps minutes"),
        because: "",
    };

    fn audience(&self, home: Scope) -> Vec<Scope> {
        vec![home]
    }
}

impl RollCall {
    /// The key of an organisation's roll call.
    pub fn key(meeting: MeetingKey, organisation: OrganisationId) -> RecordKey {
        derived_key(organisation, "roll call", &[meeting.0.id, organisation.0])
    }

    /// The confirmed version that stands.
    pub fn confirmed(&self) -> Option<&ConfirmedVersion> {
        self.versions.last()
    }
}
