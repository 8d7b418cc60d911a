//! Records of meetings.

use crate::cbor::{cbor_code, cbor_map};
use crate::id::{DocumentKey, Id, MeetingKey, MemberId, OrganisationId, RecordKey, Scope};
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
        0 => number: u32,
        /// Title.
        1 => title: String,
        /// Beginning.
        2 => starts_at: Timestamp,
        /// End.
        3 => ends_at: Timestamp,
        /// Place.
        4 => place: String,
        /// In the room, online, or both.
        5 => mode: MeetingMode,
        /// nội dung
        6 => agenda: Vec<String>,
        /// Documents to read before.
        7 => documents: Vec<DocumentKey>,
        /// Guests: on the agenda only, outside every figure.
        8 => guests: Vec<String>,
        /// Until when an answer counts as in time.
        9 => answer_by: Timestamp,
        /// Until when an absence may be asked for without counting as late.
        10 => absence_by: Timestamp,
        /// When this version was published (server time).
        11 => published_at: Timestamp,
        /// Who published it.
        12 => published_by: MemberId,
        /// Published later than the policy asks for.
        13 => late: bool,
        /// Changed shortly before the beginning: earlier answers read "for the old time" and are asked again.
        14 => urgent: bool,
    }
}

cbor_map! {
    /// A meeting. Home `org:<organisation that called it>`, parent: that organisation. Shown to all participating organisations.
    pub struct Meeting {
        /// Who called it.
        0 => organisation: OrganisationId,
        /// Who meets: the cell itself, or several cells jointly. Roll call, figures and confirmation are per organisation.
        1 => participating: Vec<OrganisationId>,
        /// What kind.
        2 => kind: MeetingKind,
        /// Announced or cancelled.
        3 => state: MeetingState,
        /// All versions, oldest first; the last one stands. Never empty.
        4 => versions: Vec<NoticeVersion>,
        /// Why it was cancelled.
        5 => cancel_reason: Option<String>,
        /// When it was cancelled.
        6 => cancelled_at: Option<Timestamp>,
    }
}

impl Body for Meeting {
    const KIND: Kind = Kind::Meeting;

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
        0 => by: MemberId,
        /// On whose word: how it came.
        1 => channel: Channel,
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
        0 => member: MemberId,
        /// The meeting.
        1 => meeting: MeetingKey,
        /// The answer.
        2 => choice: Choice,
        /// The version of the notice it answers; an older one reads "for the old time".
        3 => notice_version: u32,
        /// When it was given, by the phone's clock. Shown, never used for order.
        4 => made_at: Timestamp,
        /// It reached the server after the deadline.
        5 => late: bool,
        /// Entered by another person. The own later answer wins.
        6 => entered: Option<Entered>,
    }
}

impl Body for Response {
    const KIND: Kind = Kind::Response;

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
        0 => member: MemberId,
        /// The meeting.
        1 => meeting: MeetingKey,
        /// The highest version known.
        2 => notice_version: u32,
        /// When, by the phone's clock.
        3 => made_at: Timestamp,
        /// Told by another person.
        4 => entered: Option<Entered>,
    }
}

impl Body for Acknowledgement {
    const KIND: Kind = Kind::Acknowledgement;

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
        0 => member: MemberId,
        /// The meeting.
        1 => meeting: MeetingKey,
        /// Why.
        2 => reason: AbsenceReason,
        /// More, in the member's words.
        3 => note: Option<String>,
        /// When it was made, by the phone's clock.
        4 => made_at: Timestamp,
        /// It reached the server after the deadline; accepted until the roll call is confirmed, shown as late.
        5 => late: bool,
        /// Where it stands.
        6 => state: AbsenceState,
        /// Who decided.
        7 => decided_by: Option<MemberId>,
        /// When it was decided.
        8 => decided_at: Option<Timestamp>,
        /// What the decision says to the member.
        9 => answer: Option<String>,
        /// Entered by another person.
        10 => entered: Option<Entered>,
        /// For a congress the convening committee decides, where it is not the own organisation.
        11 => decided_above: Option<OrganisationId>,
    }
}

impl Body for AbsenceRequest {
    const KIND: Kind = Kind::AbsenceRequest;

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
        0 => by: MemberId,
        /// In which capacity.
        1 => source: MarkSource,
        /// What.
        2 => mark: AttendanceMark,
        /// In the room or online.
        3 => mode: ParticipationMode,
        /// When, by the phone's clock.
        4 => made_at: Timestamp,
        /// Whether whoever marked says that an exempt member voted.
        5 => voted: bool,
    }
}

cbor_map! {
    /// A member's objection to the own line, visible to both.
    pub struct Objection {
        /// What the member says.
        0 => text: String,
        /// When it arrived.
        1 => at: Timestamp,
        /// Which confirmed version it speaks of.
        2 => version: u32,
    }
}

cbor_map! {
    /// A convened member's line of the roll call. Home `org:<organisation>`, parent: the roll call. Shown to the organisation,
    /// as minutes are read out to it, and to the member.
    pub struct Attendance {
        /// Who.
        0 => member: MemberId,
        /// The meeting.
        1 => meeting: MeetingKey,
        /// The name at the opening.
        2 => name: String,
        /// The status at the opening (Convocation): later changes of status do not touch this meeting.
        3 => convened_as: MemberStatus,
        /// The latest mark of each person who marked.
        4 => marks: Vec<Mark>,
        /// The mark decided on where marks differed.
        5 => resolved: Option<Mark>,
        /// An exempt member who came and voted counts in the vote base; what the standing mark says of it.
        6 => voted: bool,
        /// The member's objections.
        7 => objections: Vec<Objection>,
        /// The mark that a proposed correction wants.
        8 => proposed: Option<Mark>,
    }
}

impl Body for Attendance {
    const KIND: Kind = Kind::Attendance;

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
        0 => by: MemberId,
        /// The digest of the sheet that was on the confirmer's screen.
        1 => seen: Vec<u8>,
        /// When it reached the server.
        2 => at: Timestamp,
    }
}

cbor_map! {
    /// A line of a confirmed version.
    pub struct ConfirmedLine {
        /// Who.
        0 => member: MemberId,
        /// Name at the opening.
        1 => name: String,
        /// Status at the opening.
        2 => convened_as: MemberStatus,
        /// The mark.
        3 => mark: AttendanceMark,
        /// In the room or online.
        4 => mode: ParticipationMode,
        /// Whether an exempt member voted.
        5 => voted: bool,
    }
}

cbor_map! {
    /// A confirmed version of the roll call: immutable.
    pub struct ConfirmedVersion {
        /// Counts from 1.
        0 => number: u32,
        /// Who confirmed.
        1 => confirmations: Vec<Confirmation>,
        /// The lines as confirmed, sorted by member.
        2 => lines: Vec<ConfirmedLine>,
        /// When the second confirmation arrived.
        3 => confirmed_at: Timestamp,
        /// Why the version before was corrected.
        4 => reason: Option<String>,
    }
}

cbor_map! {
    /// The secretary, being away, asked an official member to chair a meeting that is not opened yet. Home `org:<organisation>`,
    /// parent: the meeting. Shown to the organisation.
    pub struct ChairDelegation {
        /// Who takes the chair, and may open the roll call.
        0 => chair: MemberId,
        /// The secretary or deputy who asked.
        1 => by: MemberId,
        /// When, by the phone's clock.
        2 => made_at: Timestamp,
    }
}

impl Body for ChairDelegation {
    const KIND: Kind = Kind::ChairDelegation;

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
        0 => meeting: MeetingKey,
        /// Which participating organisation.
        1 => organisation: OrganisationId,
        /// The actual beginning.
        2 => opened_at: Timestamp,
        /// Who opened it: the meeting's recorder.
        3 => recorder: MemberId,
        /// chủ trì
        4 => chair: MemberId,
        /// thư ký
        5 => minute_taker: Option<MemberId>,
        /// Why an official member took the chair without being asked; provisional until ratified.
        6 => assumed: Option<String>,
        /// Whether the assumed chair was ratified.
        7 => ratified: bool,
        /// Confirmations of the sheet as it stands, by different persons.
        8 => confirmations: Vec<Confirmation>,
        /// Confirmed versions, oldest first.
        9 => versions: Vec<ConfirmedVersion>,
        /// Why a correction is proposed; it takes effect with two confirmations.
        10 => correction: Option<String>,
    }
}

impl Body for RollCall {
    const KIND: Kind = Kind::RollCall;

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
