//! Answers, own and on behalf, and who was told by another channel.

use minicbor::{Decode, Encode};

use super::convened::{Attended, attended};
use super::records::{Acknowledgement, Channel, Choice, Entered, Response};
use crate::apply::Context;
use crate::cbor::UnknownKeys;
use crate::id::{MeetingKey, MemberId, OrganisationId};
use crate::organisation::Act;
use crate::record::{Effect, Put};
use crate::rejection::{Fault, Field, Rejection};
use crate::world::Stop;

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

pub(crate) fn respond(c: &Context<'_>, i: &Respond) -> Result<Effect, Stop> {
    let at = attended(c, i.meeting, i.organisation)?;
    c.permit(&Act::Respond {
        organisation: i.organisation,
        convened: at.is_convened(c, at.my_id())?,
    })?;
    answer(c, &at, at.my_id(), i.choice, i.notice_version, None)
}

pub(crate) fn respond_on_behalf(c: &Context<'_>, i: &RespondOnBehalf) -> Result<Effect, Stop> {
    let at = attended(c, i.meeting, i.organisation)?;
    c.permit(&Act::RespondOnBehalf(at.about(c, i.member)?))?;
    let entered = entered_by(&at, i.member, i.channel)?;
    answer(c, &at, i.member, i.choice, i.notice_version, entered)
}

pub(crate) fn mark_informed(c: &Context<'_>, i: &MarkInformed) -> Result<Effect, Stop> {
    let at = attended(c, i.meeting, i.organisation)?;
    c.permit(&Act::MarkInformed(at.about(c, i.member)?))?;
    let Some(entered) = entered_by(&at, i.member, i.channel)? else {
        return Err(invalid(Field::Choice, Fault::UnknownValue).into());
    };
    at.not_cancelled()?;
    at.notice_version(i.notice_version)?;
    let key = Acknowledgement::entered_key(i.meeting, i.organisation, i.member, at.my_id());
    let old = c.existing::<Acknowledgement>(key)?;
    if old
        .as_ref()
        .is_some_and(|old| old.body.notice_version >= i.notice_version)
    {
        return Ok(Effect::default());
    }
    let told = Acknowledgement {
        member: i.member,
        meeting: i.meeting,
        notice_version: i.notice_version,
        made_at: c.made_at,
        entered: Some(entered),
        unknown: old.map(|old| old.body.unknown).unwrap_or_default(),
    };
    Ok(Effect {
        puts: vec![Put::of(key, i.meeting.0.id, &told)],
    })
}

/// Stores an answer. One that reaches the server after the deadline is kept as late; none is refused for the time.
fn answer(
    c: &Context<'_>,
    at: &Attended,
    member: MemberId,
    choice: Choice,
    notice_version: u32,
    entered: Option<Entered>,
) -> Result<Effect, Stop> {
    if matches!(choice, Choice::Unknown { .. }) {
        return Err(invalid(Field::Choice, Fault::UnknownValue).into());
    }
    at.not_cancelled()?;
    at.not_confirmed(c)?;
    at.notice_version(notice_version)?;
    let key = if entered.is_some() {
        Response::entered_key(at.key, at.organisation, member, at.my_id())
    } else {
        Response::key(at.key, at.organisation, member)
    };
    let old = c.existing::<Response>(key)?;
    // Of two phones the one that saw the newer notice speaks last, whichever comes back first.
    if old
        .as_ref()
        .is_some_and(|old| old.body.notice_version > notice_version)
    {
        return Ok(Effect::default());
    }
    let late = at
        .meeting
        .notice()
        .is_some_and(|notice| c.now.at > notice.answer_by);
    let response = Response {
        member,
        meeting: at.key,
        choice,
        notice_version,
        made_at: c.made_at,
        late,
        entered,
        unknown: old.map(|old| old.body.unknown).unwrap_or_default(),
    };
    Ok(Effect {
        puts: vec![Put::of(key, at.key.0.id, &response)],
    })
}

/// Under whose name something said by `member` is entered: none where the actor speaks for himself. Refuses the handbook as a
/// channel: a word that came through it was entered by the member.
pub(super) fn entered_by(
    at: &Attended,
    member: MemberId,
    channel: Channel,
) -> Result<Option<Entered>, Rejection> {
    if member == at.my_id() {
        return Ok(None);
    }
    if matches!(channel, Channel::Handbook | Channel::Unknown { .. }) {
        return Err(invalid(Field::Choice, Fault::UnknownValue));
    }
    Ok(Some(Entered {
        by: at.my_id(),
        channel,
        unknown: UnknownKeys::none(),
    }))
}

const fn invalid(field: Field, why: Fault) -> Rejection {
    Rejection::Invalid { field, why }
}
