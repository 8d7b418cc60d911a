//! What the meeting screens show: values and codes, never sentences.

use sotay_model::meetings::{
    AbsenceReason, AbsenceState, AttendanceMark, Channel, Choice, Figures, MarkSource, MeetingKind,
    MeetingMode, ParticipationMode,
};
use sotay_model::organisation::MemberStatus;
use sotay_model::rejection::Version;
use sotay_model::{MeetingKey, MemberId, OrganisationId, Timestamp};

use crate::documents::DocumentCard;

/// A meeting as a line of a list.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct MeetingCard {
    /// The meeting.
    pub meeting: MeetingKey,
    /// The version of the notice that this line shows: hand it to `respond`.
    pub notice_version: u32,
    /// Title.
    pub title: String,
    /// What kind.
    pub kind: MeetingKind,
    /// Beginning.
    pub starts_at: Timestamp,
    /// End.
    pub ends_at: Timestamp,
    /// Place.
    pub place: String,
    /// In the room, online, or both.
    pub mode: MeetingMode,
    /// Where it stands.
    pub stage: MeetingStage,
    /// Until when an answer counts as in time.
    pub answer_by: Timestamp,
    /// The member's answer.
    pub my_answer: Option<AnswerView>,
    /// The member's absence request.
    pub my_absence: Option<AbsenceView>,
}

/// Where a meeting stands for the member's own organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum MeetingStage {
    /// Announced.
    Announced,
    /// Cancelled.
    Cancelled,
    /// The roll call is open.
    Open,
    /// The roll call is confirmed.
    Confirmed,
}

/// A member's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AnswerView {
    /// The answer.
    pub choice: Choice,
    /// It was given to an older version of the notice that was urgently changed: asked again.
    pub for_old_time: bool,
    /// It came after the deadline.
    pub late: bool,
    /// When it was given, by the phone's clock.
    pub made_at: Timestamp,
    /// Who entered it, where another person did.
    pub entered: Option<EnteredView>,
    /// Not yet confirmed by the server.
    pub pending: bool,
}

/// Who entered something for another, and on whose word.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct EnteredView {
    /// The name; none where it is not on this phone.
    pub by: Option<String>,
    /// How the word came.
    pub channel: Channel,
}

/// A member's absence request.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AbsenceView {
    /// Why.
    pub reason: AbsenceReason,
    /// More, in own words.
    pub note: Option<String>,
    /// Where it stands.
    pub state: AbsenceState,
    /// It came after the deadline.
    pub late: bool,
    /// When it was made, by the phone's clock.
    pub made_at: Timestamp,
    /// What the decision says.
    pub answer: Option<String>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// Who entered it, where another person did.
    pub entered: Option<EnteredView>,
    /// Not yet confirmed by the server.
    pub pending: bool,
}

/// What changed in a notice since the version the member knows.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NoticeChangeView {
    /// The meeting.
    pub meeting: MeetingKey,
    /// Its title now.
    pub title: String,
    /// The version the member acknowledged, or saw first.
    pub known_version: u32,
    /// The version that stands: hand it to `acknowledge_notice`.
    pub notice_version: u32,
    /// One of the changes was urgent.
    pub urgent: bool,
    /// What differs, in the order of the screen.
    pub differences: Vec<NoticeDifference>,
}

/// One field that differs.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum NoticeDifference {
    /// Title.
    Title {
        /// As it was.
        before: String,
        /// As it is.
        after: String,
    },
    /// Beginning.
    StartsAt {
        /// As it was.
        before: Timestamp,
        /// As it is.
        after: Timestamp,
    },
    /// End.
    EndsAt {
        /// As it was.
        before: Timestamp,
        /// As it is.
        after: Timestamp,
    },
    /// Place.
    Place {
        /// As it was.
        before: String,
        /// As it is.
        after: String,
    },
    /// In the room, online, or both.
    Mode {
        /// As it was.
        before: MeetingMode,
        /// As it is.
        after: MeetingMode,
    },
    /// Agenda.
    Agenda {
        /// Entries that are new.
        added: Vec<String>,
        /// Entries that are gone.
        removed: Vec<String>,
    },
    /// Documents.
    Documents {
        /// Documents that are new.
        added: Vec<DocumentCard>,
        /// How many are gone.
        removed: u32,
    },
    /// Guests.
    Guests {
        /// Guests that are new.
        added: Vec<String>,
        /// Guests that are gone.
        removed: Vec<String>,
    },
    /// Deadline for answers.
    AnswerBy {
        /// As it was.
        before: Timestamp,
        /// As it is.
        after: Timestamp,
    },
    /// Deadline for absence requests.
    AbsenceBy {
        /// As it was.
        before: Timestamp,
        /// As it is.
        after: Timestamp,
    },
}

/// The meeting screen.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct MeetingView {
    /// What the list shows.
    pub card: MeetingCard,
    /// The version of the notice: hand it to `respond`.
    pub notice_version: u32,
    /// The record's version: hand it to `change_notice`.
    pub base: Version,
    /// The organisation whose roll call the member belongs to.
    pub organisation: OrganisationId,
    /// Names of the organisations that meet.
    pub participating: Vec<String>,
    /// nội dung
    pub agenda: Vec<String>,
    /// Documents to read before.
    pub documents: Vec<DocumentCard>,
    /// Guests.
    pub guests: Vec<String>,
    /// Until when an absence may be asked for without counting as late.
    pub absence_by: Timestamp,
    /// When this version was published.
    pub published_at: Timestamp,
    /// It was published later than it should have been.
    pub notice_late: bool,
    /// Why it was cancelled.
    pub cancel_reason: Option<String>,
    /// What changed since the member last acknowledged.
    pub change: Option<NoticeChangeView>,
    /// The member's own line of the roll call.
    pub my_line: Option<LineView>,
    /// The confirmed roll call.
    pub confirmed: Option<ConfirmedView>,
    /// The member leads this organisation: answers, absences, roll call may be opened from here.
    pub leads: bool,
    /// The member may see and take the roll call: leads, chairs, takes the minutes, or assists.
    pub takes_roll_call: bool,
}

/// A page of the list of meetings, the next one first, past ones after.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct MeetingPage {
    /// The lines.
    pub meetings: Vec<MeetingCard>,
    /// How many there are in all.
    pub count: u32,
}

/// The form for a notice, empty, copied from an earlier meeting, or filled for a change.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NoticeForm {
    /// What kind.
    pub kind: MeetingKind,
    /// Title.
    pub title: String,
    /// Beginning.
    pub starts_at: Timestamp,
    /// End.
    pub ends_at: Timestamp,
    /// Place.
    pub place: String,
    /// In the room, online, or both.
    pub mode: MeetingMode,
    /// nội dung
    pub agenda: Vec<String>,
    /// Documents to read before.
    pub documents: Vec<sotay_model::DocumentKey>,
    /// Guests.
    pub guests: Vec<String>,
    /// Until when to answer; none: as the organisation's policy says.
    pub answer_by: Option<Timestamp>,
    /// Until when to ask to be excused; none: as the organisation's policy says.
    pub absence_by: Option<Timestamp>,
}

/// The secretary's view of who answered what.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AnswersView {
    /// The meeting.
    pub meeting: MeetingKey,
    /// The version of the notice that stands.
    pub notice_version: u32,
    /// How many members are expected to answer.
    pub expected: u32,
    /// How many will attend, online included.
    pub will_attend: u32,
    /// Every expected member, sorted by name.
    pub lines: Vec<AnswerLine>,
    /// Absence requests that wait for a decision.
    pub absences_waiting: u32,
    /// Members who have neither answered nor acknowledged: to be told by another channel.
    pub not_reached: u32,
}

/// A member's line of the answers.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AnswerLine {
    /// Who.
    pub member: MemberId,
    /// Name.
    pub name: String,
    /// Status.
    pub status: MemberStatus,
    /// The number to call.
    pub phone: Option<String>,
    /// The answer.
    pub answer: Option<AnswerView>,
    /// The absence request.
    pub absence: Option<AbsenceView>,
    /// The highest version of the notice the member is known to know; 0: none.
    pub known_version: u32,
    /// Who told the member, where another person did.
    pub informed: Option<EnteredView>,
}

/// The roll call screen.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct RollCallView {
    /// The meeting.
    pub meeting: MeetingKey,
    /// Whose roll call.
    pub organisation: OrganisationId,
    /// Title of the meeting.
    pub title: String,
    /// The actual beginning; none while it is not opened.
    pub opened_at: Option<Timestamp>,
    /// chủ trì
    pub chair: Option<PersonName>,
    /// thư ký
    pub minute_taker: Option<PersonName>,
    /// Why the chair was taken without being asked.
    pub assumed: Option<String>,
    /// Whether an assumed chair was ratified.
    pub ratified: bool,
    /// The lines, sorted by name.
    pub lines: Vec<LineView>,
    /// Present, late and left early included.
    pub present: u32,
    /// Absent with and without reason.
    pub absent: u32,
    /// Without a mark.
    pub unmarked: u32,
    /// Lines with differing marks that nobody decided between.
    pub conflicts: u32,
    /// The digest of what is on the screen: hand it to `confirm_roll_call`.
    pub seen: Vec<u8>,
    /// Confirmations so far.
    pub confirmations: Vec<ConfirmationView>,
    /// What the figures are as it stands.
    pub figures: Option<Figures>,
    /// The version that stands, once two have confirmed.
    pub confirmed: Option<ConfirmedView>,
    /// Why a correction is proposed.
    pub correction: Option<String>,
    /// Whether the member may confirm now.
    pub may_confirm: bool,
    /// Whether the member may mark others.
    pub may_mark: bool,
    /// What confirmation waits for.
    pub waits_for: Vec<ConfirmationWait>,
}

/// What a confirmation waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum ConfirmationWait {
    /// The roll call is not opened.
    Opening,
    /// Members are unmarked.
    Marks {
        /// How many.
        count: u32,
    },
    /// Marks differ.
    Conflicts {
        /// How many lines.
        count: u32,
    },
    /// The chair has not confirmed.
    Chair,
    /// The minute-taker, or another official member present, has not confirmed.
    SecondPerson,
    /// The assumed chair has not been ratified.
    Ratification,
}

/// A person with the name as this phone knows it.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PersonName {
    /// Who.
    pub member: MemberId,
    /// Name; empty where it is not on this phone.
    pub name: String,
}

/// A line of the roll call.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct LineView {
    /// Who.
    pub member: MemberId,
    /// Name at the opening.
    pub name: String,
    /// Status at the opening.
    pub convened_as: MemberStatus,
    /// The mark that stands.
    pub mark: AttendanceMark,
    /// In the room or online.
    pub mode: ParticipationMode,
    /// Whether an exempt member voted.
    pub voted: bool,
    /// Marks differ and nobody decided.
    pub conflict: bool,
    /// All marks.
    pub marks: Vec<MarkView>,
    /// The mark a proposed correction wants.
    pub proposed: Option<AttendanceMark>,
    /// What the office knows beforehand: the answer.
    pub expected: Option<Choice>,
    /// What the office knows beforehand: where the absence request stands.
    pub absence: Option<AbsenceState>,
    /// The member's objections.
    pub objections: Vec<ObjectionView>,
    /// Not yet confirmed by the server.
    pub pending: bool,
}

/// Somebody's mark.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct MarkView {
    /// Who marked.
    pub by: PersonName,
    /// In which capacity.
    pub source: MarkSource,
    /// What.
    pub mark: AttendanceMark,
    /// In the room or online.
    pub mode: ParticipationMode,
    /// When, by the phone's clock.
    pub made_at: Timestamp,
}

/// An objection.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ObjectionView {
    /// What the member says.
    pub text: String,
    /// When it arrived.
    pub at: Timestamp,
    /// Which confirmed version it speaks of.
    pub version: u32,
}

/// Somebody's confirmation of the sheet as it stands.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ConfirmationView {
    /// Who.
    pub by: PersonName,
    /// When it reached the server.
    pub at: Timestamp,
    /// Whether it is for the sheet as it stands; a later change voids it.
    pub valid: bool,
}

/// A confirmed version.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ConfirmedView {
    /// Counts from 1.
    pub number: u32,
    /// When the second confirmation arrived.
    pub confirmed_at: Timestamp,
    /// Who confirmed.
    pub confirmed_by: Vec<PersonName>,
    /// The figures for the minutes.
    pub figures: Figures,
    /// Why the version before was corrected.
    pub reason: Option<String>,
}

sotay_model::redacted! {
    MeetingCard { meeting, notice_version, title, kind, starts_at, ends_at, place, mode, stage,
        answer_by, my_answer, my_absence },
    EnteredView { by, channel },
    AbsenceView { reason, note, state, late, made_at, answer, decided_by, decided_at, entered,
        pending },
    NoticeChangeView { meeting, title, known_version, notice_version, urgent, differences },
    enum NoticeDifference { Title { before, after }, StartsAt { before, after }, EndsAt {
        before, after }, Place { before, after }, Mode { before, after }, Agenda { added,
        removed }, Documents { added, removed }, Guests { added, removed }, AnswerBy { before,
        after }, AbsenceBy { before, after } },
    MeetingView { card, notice_version, base, organisation, participating, agenda, documents,
        guests, absence_by, published_at, notice_late, cancel_reason, change, my_line,
        confirmed, leads, takes_roll_call },
    NoticeForm { kind, title, starts_at, ends_at, place, mode, agenda, documents, guests,
        answer_by, absence_by },
    AnswerLine { member, name, status, phone, answer, absence, known_version, informed },
    RollCallView { meeting, organisation, title, opened_at, chair, minute_taker, assumed,
        ratified, lines, present, absent, unmarked, conflicts, seen, confirmations, figures,
        confirmed, correction, may_confirm, may_mark, waits_for },
    PersonName { member, name },
    LineView { member, name, convened_as, mark, mode, voted, conflict, marks, proposed,
        expected, absence, objections, pending },
    MarkView { by, source, mark, mode, made_at },
    ObjectionView { text, at, version },
    ConfirmationView { by, at, valid },
    ConfirmedView { number, confirmed_at, confirmed_by, figures, reason },
}
