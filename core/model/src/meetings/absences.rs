//! Asking to be excused, and the decision.

use super::records::{AbsenceReason, AbsenceRequest, AbsenceState, Channel};
use crate::apply::Context;
use crate::id::{MeetingKey, MemberId, OrganisationId};
use crate::record::Effect;
use crate::world::Stop;
use minicbor::{Decode, Encode};

/// Asks to be excused, or reports an absence on the way; later than the deadline it counts as late.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RequestAbsence {
    /// The meeting.
    #[n(0)]
    pub meeting: MeetingKey,
    /// The participating organisation.
    #[n(1)]
    pub organisation: OrganisationId,
    /// Who asks to be excused.
    #[n(2)]
    pub member: MemberId,
    /// Why.
    #[n(3)]
    pub reason: AbsenceReason,
    /// More, in own words.
    #[n(4)]
    pub note: Option<String>,
    /// `Handbook` for the own request; else how the word came to who enters it.
    #[n(5)]
    pub channel: Channel,
}

/// Takes the own request back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct WithdrawAbsence {
    /// The meeting.
    #[n(0)]
    pub meeting: MeetingKey,
    /// The participating organisation.
    #[n(1)]
    pub organisation: OrganisationId,
}

/// Decides on a request.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DecideAbsence {
    /// The meeting.
    #[n(0)]
    pub meeting: MeetingKey,
    /// The participating organisation.
    #[n(1)]
    pub organisation: OrganisationId,
    /// Whose request.
    #[n(2)]
    pub member: MemberId,
    /// Whether it is granted.
    #[n(3)]
    pub granted: bool,
    /// What the decision says to the member.
    #[n(4)]
    pub answer: Option<String>,
}

/// Which of the requests about one member counts: a decided one before a waiting one, a waiting one before a withdrawn one;
/// then the one decided last; then the own one before one entered by another person; then the later one by the phones' clocks.
pub fn standing_request<'a>(
    requests: impl IntoIterator<Item = &'a AbsenceRequest>,
) -> Option<&'a AbsenceRequest> {
    requests.into_iter().max_by_key(|request| {
        let rank = match request.state {
            AbsenceState::Granted | AbsenceState::Refused => 2,
            AbsenceState::Waiting => 1,
            AbsenceState::Withdrawn | AbsenceState::Unknown { .. } => 0,
        };
        (
            rank,
            request.decided_at,
            request.entered.is_none(),
            request.made_at,
        )
    })
}

pub(crate) fn request_absence(_c: &Context<'_>, _i: &RequestAbsence) -> Result<Effect, Stop> {
    todo!()
}

pub(crate) fn withdraw_absence(_c: &Context<'_>, _i: &WithdrawAbsence) -> Result<Effect, Stop> {
    todo!()
}

pub(crate) fn decide_absence(_c: &Context<'_>, _i: &DecideAbsence) -> Result<Effect, Stop> {
    todo!()
}
