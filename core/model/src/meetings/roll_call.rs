//! Roll call (điểm danh): who is convened, frozen at the opening; marks; and which of differing marks stands.

use minicbor::{Decode, Encode};

use super::confirmation::{complete, lines_of};
use super::convened::{self, Attended, attended};
use super::records::{
    Attendance, AttendanceMark, ChairDelegation, Mark, MarkSource, ParticipationMode, RollCall,
};
use super::sheet::{is_present, standing_mark, votes};
use crate::apply::Context;
use crate::cbor::UnknownKeys;
use crate::id::{MeetingKey, MemberId, OrganisationId};
use crate::organisation::{Act, Marking, MemberStatus, Seat};
use crate::record::{Effect, Put};
use crate::rejection::{Closing, Denial, Fault, Field, Rejection, Subject};
use crate::text::{self, MAX_NOTE};
use crate::world::{Found, Stop};

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
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
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

pub(crate) fn open_roll_call(c: &Context<'_>, i: &OpenRollCall) -> Result<Effect, Stop> {
    let at = attended(c, i.meeting, i.organisation)?;
    let delegation = c
        .world
        .get::<ChairDelegation>(ChairDelegation::key(i.meeting, i.organisation))?;
    c.permit(&Act::OpenRollCall {
        organisation: i.organisation,
        chair: i.chair,
        asked: delegation.map(|found| found.body.chair),
    })?;
    at.not_cancelled()?;
    // Two phones open the same meeting apart: the first one counts, the second finds what it wanted.
    if at.roll_call(c)?.is_some() {
        return Ok(Effect::default());
    }
    if i.minute_taker == Some(i.chair) {
        return Err(denied(Denial::SecondPersonNeeded));
    }
    for officer in std::iter::once(i.chair).chain(i.minute_taker) {
        official(c, &at, officer)?;
    }
    opened(c, &at, i.chair, i.minute_taker, None)
}

pub(crate) fn delegate_chair(c: &Context<'_>, i: &DelegateChair) -> Result<Effect, Stop> {
    let at = attended(c, i.meeting, i.organisation)?;
    c.permit(&Act::DelegateChair {
        organisation: i.organisation,
    })?;
    at.not_cancelled()?;
    official(c, &at, i.member)?;
    let key = RollCall::key(i.meeting, i.organisation);
    if let Some(found) = c.existing::<RollCall>(key)? {
        return taken_over(&found, i.member, None, false);
    }
    let key = ChairDelegation::key(i.meeting, i.organisation);
    let old = c.existing::<ChairDelegation>(key)?;
    let asked = ChairDelegation {
        chair: i.member,
        by: at.my_id(),
        made_at: c.made_at,
        unknown: old.map(|old| old.body.unknown).unwrap_or_default(),
    };
    Ok(Effect {
        puts: vec![Put::of(key, i.meeting.0.id, &asked)],
    })
}

pub(crate) fn assume_chair(c: &Context<'_>, i: &AssumeChair) -> Result<Effect, Stop> {
    let reason = text::required_lines(Field::Reason, &i.reason, MAX_NOTE)?;
    let at = attended(c, i.meeting, i.organisation)?;
    at.not_cancelled()?;
    let key = RollCall::key(i.meeting, i.organisation);
    let found = c.existing::<RollCall>(key)?;
    c.permit(&Act::AssumeChair {
        organisation: i.organisation,
        convened_as: at.convened_as(c, at.my_id())?,
        occupied: match &found {
            Some(found) => found.body.chair != at.my_id() && chair_is_there(c, found)?,
            None => false,
        },
    })?;
    let Some(found) = found else {
        return opened(c, &at, at.my_id(), None, Some(reason));
    };
    if found.body.chair == at.my_id() {
        return Ok(Effect::default());
    }
    taken_over(&found, at.my_id(), Some(reason), at.leads())
}

pub(crate) fn ratify_chair(c: &Context<'_>, i: &RatifyChair) -> Result<Effect, Stop> {
    let at = attended(c, i.meeting, i.organisation)?;
    c.permit(&Act::RatifyChair {
        organisation: i.organisation,
    })?;
    let mut found = roll_call(c, &at)?;
    if found.body.assumed.is_none() || found.body.ratified {
        return Err(invalid(Field::Mutation, Fault::NoChange));
    }
    found.body.ratified = true;
    // Both may have confirmed while the chair was provisional: then this is what the version waited for.
    let lines = lines_of(c, &found)?;
    Ok(complete(c, found, lines))
}

pub(crate) fn mark_attendance(c: &Context<'_>, i: &MarkAttendance) -> Result<Effect, Stop> {
    if matches!(i.mark, AttendanceMark::Unknown { .. })
        || matches!(i.mode, ParticipationMode::Unknown { .. })
    {
        return Err(invalid(Field::Mark, Fault::UnknownValue));
    }
    let at = attended(c, i.meeting, i.organisation)?;
    let roll_call = roll_call(c, &at)?.body;
    let wanted = marking(&at, &roll_call, i.member, i.mark);
    c.permit(&Act::MarkAttendance(wanted))?;
    let source = source_of(&at, &wanted)?;
    convened::not_confirmed(Some(&roll_call))?;
    let mut line = line_of(c, &at, i.member)?;
    let me = at.my_id();
    line.body.marks.retain(|mark| mark.by != me);
    if i.mark != AttendanceMark::Unmarked {
        line.body.marks.push(Mark {
            by: me,
            source,
            mark: i.mark,
            mode: if is_present(i.mark) {
                i.mode
            } else {
                ParticipationMode::InRoom
            },
            made_at: c.made_at,
            voted: i.voted && source != MarkSource::OwnSelf,
            unknown: UnknownKeys::none(),
        });
    }
    // The order of arrival leaves no trace, so two phones that mark apart meet in the same record.
    line.body.marks.sort_by_key(|mark| mark.by);
    // Whoever decided a conflict and marks again has changed that decision.
    if line
        .body
        .resolved
        .as_ref()
        .is_some_and(|resolved| resolved.by == me)
    {
        line.body.resolved = None;
    }
    note_vote(&mut line.body);
    Ok(Effect {
        puts: vec![Put::of(line.record.key, line.record.parent, &line.body)],
    })
}

pub(crate) fn resolve_marks(c: &Context<'_>, i: &ResolveMarks) -> Result<Effect, Stop> {
    if matches!(
        i.mark,
        AttendanceMark::Unknown { .. } | AttendanceMark::Unmarked
    ) {
        return Err(invalid(Field::Mark, Fault::UnknownValue));
    }
    let at = attended(c, i.meeting, i.organisation)?;
    let roll_call = roll_call(c, &at)?.body;
    let wanted = marking(&at, &roll_call, i.member, i.mark);
    c.permit(&Act::ResolveMarks(wanted))?;
    let source = source_of(&at, &wanted)?;
    convened::not_confirmed(Some(&roll_call))?;
    let mut line = line_of(c, &at, i.member)?;
    let same = line.body.marks.iter().find(|mark| mark.mark == i.mark);
    let mode = same.map_or(ParticipationMode::InRoom, |mark| mark.mode);
    let voted = same.is_some_and(|mark| mark.voted);
    line.body.resolved = Some(Mark {
        by: at.my_id(),
        source,
        mark: i.mark,
        mode,
        made_at: c.made_at,
        voted,
        unknown: UnknownKeys::none(),
    });
    note_vote(&mut line.body);
    Ok(Effect {
        puts: vec![Put::of(line.record.key, line.record.parent, &line.body)],
    })
}

/// Brings the line's own word on the vote in step with the mark that stands.
pub(super) fn note_vote(line: &mut Attendance) {
    line.voted = standing_mark(line)
        .0
        .is_some_and(|mark| votes(line.convened_as, mark));
}

/// The roll call, which must have been opened.
pub(super) fn roll_call(c: &Context<'_>, at: &Attended) -> Result<Found<RollCall>, Stop> {
    let key = RollCall::key(at.key, at.organisation);
    let found = c.world.get::<RollCall>(key)?;
    found.ok_or(Stop::Rejected(Rejection::NotFound {
        what: Subject::RollCall,
    }))
}

/// A member's line of the roll call.
pub(super) fn line_of(
    c: &Context<'_>,
    at: &Attended,
    member: MemberId,
) -> Result<Found<Attendance>, Stop> {
    let key = Attendance::key(at.key, at.organisation, member);
    let found = c.world.get::<Attendance>(key)?;
    found.ok_or(Stop::Rejected(Rejection::NotFound {
        what: Subject::AttendanceLine,
    }))
}

/// The roll call with a line for everyone convened.
fn opened(
    c: &Context<'_>,
    at: &Attended,
    chair: MemberId,
    minute_taker: Option<MemberId>,
    assumed: Option<String>,
) -> Result<Effect, Stop> {
    let key = RollCall::key(at.key, at.organisation);
    c.fresh(key)?;
    let roll_call = RollCall {
        meeting: at.key,
        organisation: at.organisation,
        opened_at: c.now.at,
        recorder: at.my_id(),
        chair,
        minute_taker,
        ratified: assumed.is_some() && at.leads(),
        assumed,
        confirmations: Vec::new(),
        versions: Vec::new(),
        correction: None,
        unknown: UnknownKeys::none(),
    };
    let mut puts = vec![Put::of(key, at.key.0.id, &roll_call)];
    for convened in convened::all(c, &at.meeting, at.organisation)?.into_values() {
        let line = Attendance {
            member: convened.member,
            meeting: at.key,
            name: convened.name,
            convened_as: convened.status,
            marks: Vec::new(),
            resolved: None,
            voted: false,
            objections: Vec::new(),
            proposed: None,
            unknown: UnknownKeys::none(),
        };
        let line_key = Attendance::key(at.key, at.organisation, convened.member);
        puts.push(Put::of(line_key, key.id, &line));
    }
    Ok(Effect { puts })
}

/// Another chair for an opened roll call: who confirmed under the old one must do so again.
fn taken_over(
    found: &Found<RollCall>,
    chair: MemberId,
    assumed: Option<String>,
    ratified: bool,
) -> Result<Effect, Stop> {
    if let Some(version) = found.body.confirmed()
        && found.body.correction.is_none()
    {
        return Err(Rejection::Closed {
            what: Closing::RollCallConfirmed,
            since: Some(version.confirmed_at),
        }
        .into());
    }
    let minute_taker = found
        .body
        .minute_taker
        .filter(|minute_taker| *minute_taker != chair);
    let roll_call = RollCall {
        chair,
        minute_taker,
        assumed,
        ratified,
        confirmations: Vec::new(),
        ..found.body.clone()
    };
    Ok(Effect {
        puts: vec![Put::of(found.record.key, found.record.parent, &roll_call)],
    })
}

/// Refuses everyone but official members of the organisation who are convened here.
fn official(c: &Context<'_>, at: &Attended, member: MemberId) -> Result<(), Stop> {
    match at.convened(c, member)?.status {
        MemberStatus::Official => Ok(()),
        _ => Err(denied(Denial::OfficialMemberNeeded)),
    }
}

/// What the roll call says of the actor, apart from standing in for a minute-taker.
pub(super) fn seat(at: &Attended, roll_call: &RollCall) -> Seat {
    let me = at.my_id();
    Seat {
        chair: roll_call.chair == me,
        recorder: roll_call.recorder == me,
        minute_taker: roll_call.minute_taker == Some(me),
        stands_in: false,
    }
}

/// A mark that the actor wants to make.
fn marking(at: &Attended, roll_call: &RollCall, member: MemberId, mark: AttendanceMark) -> Marking {
    Marking {
        organisation: at.organisation,
        member,
        mark,
        seat: seat(at, roll_call),
    }
}

/// In which capacity the actor marks a member.
fn source_of(at: &Attended, wanted: &Marking) -> Result<MarkSource, Stop> {
    let source = wanted.seat.marks_as(&at.me, wanted);
    source.ok_or(denied(Denial::OfficeNeeded))
}

/// Whether the chair is marked as present: a chair who is there is not replaced by somebody who wants to be.
fn chair_is_there(c: &Context<'_>, found: &Found<RollCall>) -> Result<bool, Stop> {
    let roll_call = &found.body;
    let key = Attendance::key(roll_call.meeting, roll_call.organisation, roll_call.chair);
    Ok(c.world.get::<Attendance>(key)?.is_some_and(|line| {
        standing_mark(&line.body)
            .0
            .is_some_and(|mark| is_present(mark.mark))
    }))
}

const fn denied(why: Denial) -> Stop {
    Stop::Rejected(Rejection::NotAllowed { why })
}

const fn invalid(field: Field, why: Fault) -> Stop {
    Stop::Rejected(Rejection::Invalid { field, why })
}

crate::redacted! {
    AssumeChair { meeting, organisation, reason },
}
