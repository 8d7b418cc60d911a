//! Asking to be excused, and the decision.

use minicbor::{Decode, Encode};

use super::convened::{attended, not_cancelled, not_confirmed};
use super::records::{
    AbsenceReason, AbsenceRequest, AbsenceState, Channel, Meeting, MeetingKind, RollCall,
};
use super::responses::entered_by;
use crate::apply::Context;
use crate::id::{MeetingKey, MemberId, OrganisationId, Scope};
use crate::organisation::Act;
use crate::record::{Effect, Put};
use crate::rejection::{Closing, Fault, Field, Rejection, Subject};
use crate::text::{self, MAX_NOTE};
use crate::world::{Found, Stop};

/// Asks to be excused, or reports an absence on the way; later than the deadline it counts as late.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
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
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
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

pub(crate) fn request_absence(c: &Context<'_>, i: &RequestAbsence) -> Result<Effect, Stop> {
    let note = text::optional_lines(Field::Note, i.note.as_deref(), MAX_NOTE)?;
    if matches!(i.reason, AbsenceReason::Unknown { .. }) {
        return Err(Rejection::Invalid {
            field: Field::Reason,
            why: Fault::UnknownValue,
        }
        .into());
    }
    let at = attended(c, i.meeting, i.organisation)?;
    c.permit(&Act::RequestAbsence(at.about(c, i.member)?))?;
    let entered = entered_by(&at, i.member, i.channel)?;
    at.not_cancelled()?;
    at.not_confirmed(c)?;
    // What the actor may see: all about the own absence, and what the actor entered for this member.
    let known = requests_about(c, Scope::person(at.my_id()), i.meeting, i.member)?;
    let decided = known.iter().find_map(|found| match found.body.state {
        AbsenceState::Granted | AbsenceState::Refused => Some(found.body.decided_at),
        _ => None,
    });
    if let Some(since) = decided {
        return Err(Rejection::Closed {
            what: Closing::AbsenceDecided,
            since,
        }
        .into());
    }
    let key = if entered.is_some() {
        AbsenceRequest::entered_key(i.meeting, i.organisation, i.member, at.my_id())
    } else {
        AbsenceRequest::key(i.meeting, i.organisation, i.member)
    };
    let old = c.existing::<AbsenceRequest>(key)?;
    let caller = at.meeting.organisation;
    let above = at.meeting.kind == MeetingKind::Congress && caller != i.organisation;
    let request = AbsenceRequest {
        member: i.member,
        meeting: i.meeting,
        reason: i.reason,
        note,
        made_at: c.made_at,
        late: at
            .meeting
            .notice()
            .is_some_and(|notice| c.now.at > notice.absence_by),
        state: AbsenceState::Waiting,
        decided_by: None,
        decided_at: None,
        answer: None,
        entered,
        decided_above: above.then_some(caller),
        unknown: old.map(|old| old.body.unknown).unwrap_or_default(),
    };
    Ok(Effect {
        puts: vec![Put::of(key, i.meeting.0.id, &request)],
    })
}

pub(crate) fn withdraw_absence(c: &Context<'_>, i: &WithdrawAbsence) -> Result<Effect, Stop> {
    let at = attended(c, i.meeting, i.organisation)?;
    c.permit(&Act::WithdrawAbsence {
        organisation: i.organisation,
    })?;
    at.not_confirmed(c)?;
    // Also what others entered on the member's behalf: the member's own word goes before.
    let requests = requests_about(c, Scope::person(at.my_id()), i.meeting, at.my_id())?;
    if requests.is_empty() {
        return Err(Rejection::NotFound {
            what: Subject::AbsenceRequest,
        }
        .into());
    }
    Ok(rewritten(requests, |request| {
        if request.state == AbsenceState::Withdrawn {
            return false;
        }
        request.state = AbsenceState::Withdrawn;
        true
    }))
}

pub(crate) fn decide_absence(c: &Context<'_>, i: &DecideAbsence) -> Result<Effect, Stop> {
    let answer = text::optional_lines(Field::Note, i.answer.as_deref(), MAX_NOTE)?;
    let me = c.me()?;
    let meeting = c.require::<Meeting>(i.meeting.0, Subject::Meeting)?.body;
    if !meeting.participating.contains(&i.organisation) {
        return Err(Rejection::NotFound {
            what: Subject::Meeting,
        }
        .into());
    }
    // Secretary or deputy decide; on a congress the convening committee does.
    let deciding = match meeting.kind {
        MeetingKind::Congress => meeting.organisation,
        _ => i.organisation,
    };
    c.permit(&Act::DecideAbsence {
        organisation: i.organisation,
        deciding,
        member: i.member,
    })?;
    not_cancelled(&meeting)?;
    let roll_call = c.see::<RollCall>(RollCall::key(i.meeting, i.organisation))?;
    not_confirmed(roll_call.map(|found| found.body).as_ref())?;
    let open: Vec<_> = requests_about(c, Scope::office(deciding), i.meeting, i.member)?
        .into_iter()
        .filter(|found| {
            found.record.key.home == Scope::organisation(i.organisation)
                && found.body.state != AbsenceState::Withdrawn
        })
        .collect();
    if open.is_empty() {
        return Err(Rejection::NotFound {
            what: Subject::AbsenceRequest,
        }
        .into());
    }
    let state = if i.granted {
        AbsenceState::Granted
    } else {
        AbsenceState::Refused
    };
    // Whoever decided may think again; another decision by somebody else must not pass unseen.
    let contradicted = open.iter().find(|found| {
        matches!(
            found.body.state,
            AbsenceState::Granted | AbsenceState::Refused
        ) && found.body.state != state
            && found.body.decided_by != Some(me.member.id)
    });
    if let Some(found) = contradicted {
        let since = found.body.decided_at;
        return Err(Rejection::Closed {
            what: Closing::AbsenceDecided,
            since,
        }
        .into());
    }
    Ok(rewritten(open, |request| {
        if request.state == state && request.answer == answer {
            return false;
        }
        request.state = state;
        request.decided_by = Some(me.member.id);
        request.decided_at = Some(c.now.at);
        request.answer.clone_from(&answer);
        true
    }))
}

/// The requests about one member's absence that a scope shows.
fn requests_about(
    c: &Context<'_>,
    scope: Scope,
    meeting: MeetingKey,
    member: MemberId,
) -> Result<Vec<Found<AbsenceRequest>>, Stop> {
    let mut found = c.world.children::<AbsenceRequest>(scope, meeting.0.id)?;
    found.retain(|found| found.body.member == member && found.body.meeting == meeting);
    Ok(found)
}

/// Writes those that `change` says it changed.
fn rewritten(
    requests: Vec<Found<AbsenceRequest>>,
    mut change: impl FnMut(&mut AbsenceRequest) -> bool,
) -> Effect {
    let mut puts = Vec::new();
    for mut found in requests {
        if change(&mut found.body) {
            puts.push(Put::of(found.record.key, found.record.parent, &found.body));
        }
    }
    Effect { puts }
}

crate::redacted! {
    RequestAbsence { meeting, organisation, member, reason, note, channel },
    DecideAbsence { meeting, organisation, member, granted, answer },
}
