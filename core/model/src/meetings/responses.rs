//! Answers, own and on behalf, and who was told by another channel.

use super::records::{Channel, Choice, Response};
use crate::apply::Context;
use crate::id::{MeetingKey, MemberId, OrganisationId};
use crate::record::Effect;
use crate::world::Stop;
use minicbor::{Decode, Encode};

/// The member's own answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Respond {
    /// The meeting.
    #[n(0)]
    pub meeting: MeetingKey,
    /// The participating organisation.
    #[n(1)]
    pub organisation: OrganisationId,
    /// The answer.
    #[n(2)]
    pub choice: Choice,
    /// The version of the notice on the screen.
    #[n(3)]
    pub notice_version: u32,
}

/// An answer entered for another member, on that member's word.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RespondOnBehalf {
    /// The meeting.
    #[n(0)]
    pub meeting: MeetingKey,
    /// The participating organisation.
    #[n(1)]
    pub organisation: OrganisationId,
    /// Whose answer.
    #[n(2)]
    pub member: MemberId,
    /// The answer.
    #[n(3)]
    pub choice: Choice,
    /// How the word came.
    #[n(4)]
    pub channel: Channel,
    /// The version of the notice the member was told.
    #[n(5)]
    pub notice_version: u32,
}

/// "I told this member."
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MarkInformed {
    /// The meeting.
    #[n(0)]
    pub meeting: MeetingKey,
    /// The participating organisation.
    #[n(1)]
    pub organisation: OrganisationId,
    /// Who was told.
    #[n(2)]
    pub member: MemberId,
    /// How.
    #[n(3)]
    pub channel: Channel,
    /// The version told.
    #[n(4)]
    pub notice_version: u32,
}

/// Which of the answers about one member counts: the one to the newest version of the notice; for the same version the own
/// one before one entered by another person; then the later one by the phones' clocks.
pub fn standing_answer<'a>(
    answers: impl IntoIterator<Item = &'a Response>,
) -> Option<&'a Response> {
    answers.into_iter().max_by_key(|answer| {
        (
            answer.notice_version,
            answer.entered.is_none(),
            answer.made_at,
        )
    })
}

pub(crate) fn respond(_c: &Context<'_>, _i: &Respond) -> Result<Effect, Stop> {
    todo!()
}

pub(crate) fn respond_on_behalf(_c: &Context<'_>, _i: &RespondOnBehalf) -> Result<Effect, Stop> {
    todo!()
}

pub(crate) fn mark_informed(_c: &Context<'_>, _i: &MarkInformed) -> Result<Effect, Stop> {
    todo!()
}
