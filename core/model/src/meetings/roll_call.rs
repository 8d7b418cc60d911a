//! Roll call (điểm danh): who is convened, frozen at the opening; marks; and which of differing marks stands.

use super::records::{Attendance, AttendanceMark, Mark, ParticipationMode};
use crate::apply::Context;
use crate::id::{MeetingKey, MemberId, OrganisationId};
use crate::record::Effect;
use crate::world::Stop;
use minicbor::{Decode, Encode};

/// Opens the meeting for one organisation: freezes who is convened with which status.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OpenRollCall {
    /// The meeting.
    #[n(0)]
    pub meeting: MeetingKey,
    /// The participating organisation.
    #[n(1)]
    pub organisation: OrganisationId,
    /// chủ trì
    #[n(2)]
    pub chair: MemberId,
    /// thư ký
    #[n(3)]
    pub minute_taker: Option<MemberId>,
}

/// The secretary asks an official member to take the chair.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DelegateChair {
    /// The meeting.
    #[n(0)]
    pub meeting: MeetingKey,
    /// The participating organisation.
    #[n(1)]
    pub organisation: OrganisationId,
    /// Who takes it.
    #[n(2)]
    pub member: MemberId,
}

/// An official member takes the chair, and opens the roll call if nobody has; provisional until ratified.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AssumeChair {
    /// The meeting.
    #[n(0)]
    pub meeting: MeetingKey,
    /// The participating organisation.
    #[n(1)]
    pub organisation: OrganisationId,
    /// Why.
    #[n(2)]
    pub reason: String,
}

/// The secretary or deputy agrees to an assumed chair.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RatifyChair {
    /// The meeting.
    #[n(0)]
    pub meeting: MeetingKey,
    /// The participating organisation.
    #[n(1)]
    pub organisation: OrganisationId,
}

/// Marks a member.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MarkAttendance {
    /// The meeting.
    #[n(0)]
    pub meeting: MeetingKey,
    /// The participating organisation.
    #[n(1)]
    pub organisation: OrganisationId,
    /// Whose line.
    #[n(2)]
    pub member: MemberId,
    /// The mark; `Unmarked` takes the own mark back.
    #[n(3)]
    pub mark: AttendanceMark,
    /// In the room or online.
    #[n(4)]
    pub mode: ParticipationMode,
    /// An exempt member who came and votes.
    #[n(5)]
    pub voted: bool,
}

/// Decides between differing marks of one member.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ResolveMarks {
    /// The meeting.
    #[n(0)]
    pub meeting: MeetingKey,
    /// The participating organisation.
    #[n(1)]
    pub organisation: OrganisationId,
    /// Whose line.
    #[n(2)]
    pub member: MemberId,
    /// The mark that stands.
    #[n(3)]
    pub mark: AttendanceMark,
}

/// The digest of a sheet as a confirmer sees it: SHA-256, 32 bytes.
pub type SheetDigest = Vec<u8>;

/// Which mark stands for a line, and whether a conflict is open.
///
/// A resolved mark stands. Else Present, Late or LeftEarly beats an absence; then the meeting's recorder, the secretary, the deputy,
/// an assistant, the member; then the later one. A conflict is open while marks of different persons differ and nobody decided.
pub fn standing_mark(_line: &Attendance) -> (Option<&Mark>, bool) {
    todo!()
}

/// What confirmers sign: the standing marks of all lines, in the order of the members.
pub fn sheet_digest(_lines: &[Attendance]) -> SheetDigest {
    todo!()
}

pub(crate) fn open_roll_call(_c: &Context<'_>, _i: &OpenRollCall) -> Result<Effect, Stop> {
    todo!()
}

pub(crate) fn delegate_chair(_c: &Context<'_>, _i: &DelegateChair) -> Result<Effect, Stop> {
    todo!()
}

pub(crate) fn assume_chair(_c: &Context<'_>, _i: &AssumeChair) -> Result<Effect, Stop> {
    todo!()
}

pub(crate) fn ratify_chair(_c: &Context<'_>, _i: &RatifyChair) -> Result<Effect, Stop> {
    todo!()
}

pub(crate) fn mark_attendance(_c: &Context<'_>, _i: &MarkAttendance) -> Result<Effect, Stop> {
    todo!()
}

pub(crate) fn resolve_marks(_c: &Context<'_>, _i: &ResolveMarks) -> Result<Effect, Stop> {
    todo!()
}
