//! Confirmation by the cell: chair and minute-taker say "this is how it was"; corrections make a new version; objections stay visible.

use super::records::{AttendanceMark, ParticipationMode};
use super::roll_call::SheetDigest;
use crate::apply::Context;
use crate::id::{MeetingKey, MemberId, OrganisationId};
use crate::record::Effect;
use crate::world::Stop;
use minicbor::{Decode, Encode};

/// Confirms the sheet as seen. The second confirmation by another entitled person makes the version.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ConfirmRollCall {
    /// The meeting.
    #[n(0)]
    pub meeting: MeetingKey,
    /// The participating organisation.
    #[n(1)]
    pub organisation: OrganisationId,
    /// The digest of the sheet on the screen.
    #[n(2)]
    pub seen: SheetDigest,
}

/// Proposes a correction of a confirmed version.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CorrectRollCall {
    /// The meeting.
    #[n(0)]
    pub meeting: MeetingKey,
    /// The participating organisation.
    #[n(1)]
    pub organisation: OrganisationId,
    /// The version to correct.
    #[n(2)]
    pub from: u32,
    /// What to change.
    #[n(3)]
    pub changes: Vec<MarkChange>,
    /// Why.
    #[n(4)]
    pub reason: String,
}

/// One changed mark.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MarkChange {
    /// Whose line.
    #[n(0)]
    pub member: MemberId,
    /// The mark it should be.
    #[n(1)]
    pub mark: AttendanceMark,
    /// In the room or online.
    #[n(2)]
    pub mode: ParticipationMode,
}

/// Objects to the own line of a confirmed version.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ObjectToMark {
    /// The meeting.
    #[n(0)]
    pub meeting: MeetingKey,
    /// The participating organisation.
    #[n(1)]
    pub organisation: OrganisationId,
    /// What the member says.
    #[n(2)]
    pub text: String,
}

pub(crate) fn confirm_roll_call(_c: &Context<'_>, _i: &ConfirmRollCall) -> Result<Effect, Stop> {
    todo!()
}

pub(crate) fn correct_roll_call(_c: &Context<'_>, _i: &CorrectRollCall) -> Result<Effect, Stop> {
    todo!()
}

pub(crate) fn object_to_mark(_c: &Context<'_>, _i: &ObjectToMark) -> Result<Effect, Stop> {
    todo!()
}
