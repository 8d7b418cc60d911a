//! Confirmation by the cell: chair and minute-taker say "this is how it was"; corrections make a new version; objections stay visible.

use minicbor::{Decode, Encode};

use super::convened::attended;
use super::records::{
    Attendance, AttendanceMark, Confirmation, ConfirmedVersion, Mark, MarkSource, Objection,
    ParticipationMode, RollCall,
};
use super::roll_call::{line_of, note_vote, roll_call, seat};
use super::sheet::{SheetDigest, conflict_count, is_present, sheet, sheet_digest, unmarked_count};
use crate::apply::Context;
use crate::cbor::UnknownKeys;
use crate::id::{MeetingKey, MemberId, OrganisationId, Scope};
use crate::organisation::{Act, MemberStatus, Organisation, Seat};
use crate::record::{Effect, Put};
use crate::rejection::{Closing, Denial, Fault, Field, Rejection, Subject};
use crate::text::{self, MAX_LIST, MAX_NOTE};
use crate::world::{Found, Stop};

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
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
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
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
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

pub(crate) fn confirm_roll_call(c: &Context<'_>, i: &ConfirmRollCall) -> Result<Effect, Stop> {
    let at = attended(c, i.meeting, i.organisation)?;
    let mut found = roll_call(c, &at)?;
    if let Some(version) = found.body.confirmed()
        && found.body.correction.is_none()
    {
        return Err(Rejection::Closed {
            what: Closing::RollCallConfirmed,
            since: Some(version.confirmed_at),
        }
        .into());
    }
    let lines = lines_of(c, &found)?;
    let bodies: Vec<Attendance> = lines.iter().map(|line| line.body.clone()).collect();
    let me = at.my_id();
    let seat = seat(&at, &found.body);
    c.permit(&Act::ConfirmRollCall {
        organisation: i.organisation,
        seat: Seat {
            stands_in: !seat.chair && !seat.minute_taker && may_confirm(&found.body, &bodies, me),
            ..seat
        },
    })?;
    let unmarked = unmarked_count(&bodies);
    if unmarked > 0 {
        return Err(Rejection::Unmarked { count: unmarked }.into());
    }
    let conflicts = conflict_count(&bodies);
    if conflicts > 0 {
        return Err(Rejection::Conflict { count: conflicts }.into());
    }
    let digest = sheet_digest(&bodies);
    if digest != i.seen {
        return Err(Rejection::Stale {
            current: found.record.stamp.into(),
        }
        .into());
    }
    // A mark that changed meanwhile made earlier confirmations void: they speak of another sheet.
    found
        .body
        .confirmations
        .retain(|confirmation| confirmation.seen == digest);
    if found
        .body
        .confirmations
        .iter()
        .any(|confirmation| confirmation.by == me)
    {
        return Err(Rejection::NotAllowed {
            why: Denial::SecondPersonNeeded,
        }
        .into());
    }
    found.body.confirmations.push(Confirmation {
        by: me,
        seen: digest,
        at: c.now.at,
        unknown: UnknownKeys::none(),
    });
    Ok(complete(c, found, lines))
}

pub(crate) fn correct_roll_call(c: &Context<'_>, i: &CorrectRollCall) -> Result<Effect, Stop> {
    let reason = text::required_lines(Field::Reason, &i.reason, MAX_NOTE)?;
    check_changes(&i.changes)?;
    let at = attended(c, i.meeting, i.organisation)?;
    let mut found = roll_call(c, &at)?;
    c.permit(&Act::CorrectRollCall {
        organisation: i.organisation,
        seat: seat(&at, &found.body),
    })?;
    let Some(standing) = found.body.confirmed() else {
        return Err(Rejection::NotFound {
            what: Subject::RollCall,
        }
        .into());
    };
    if standing.number != i.from {
        return Err(Rejection::Stale {
            current: found.record.stamp.into(),
        }
        .into());
    }
    let lines = lines_of(c, &found)?;
    for change in &i.changes {
        if !lines.iter().any(|line| line.body.member == change.member) {
            return Err(Rejection::NotFound {
                what: Subject::AttendanceLine,
            }
            .into());
        }
    }
    let differs = i.changes.iter().any(|change| {
        standing.lines.iter().any(|line| {
            line.member == change.member && (line.mark, line.mode) != (change.mark, change.mode)
        })
    });
    if !differs {
        return Err(invalid(Field::Changes, Fault::NoChange).into());
    }
    let mut puts = Vec::new();
    for mut line in lines {
        let change = i
            .changes
            .iter()
            .find(|change| change.member == line.body.member);
        let proposed = change.map(|change| Mark {
            by: at.my_id(),
            source: MarkSource::Recorder,
            mark: change.mark,
            mode: change.mode,
            made_at: c.made_at,
            voted: line.body.voted,
            unknown: UnknownKeys::none(),
        });
        // A new proposal takes the place of an earlier one as a whole.
        if proposed.is_some() || line.body.proposed.is_some() {
            line.body.proposed = proposed;
            puts.push(Put::of(line.record.key, line.record.parent, &line.body));
        }
    }
    found.body.correction = Some(reason);
    found.body.confirmations.clear();
    puts.push(Put::of(found.record.key, found.record.parent, &found.body));
    Ok(Effect { puts })
}

pub(crate) fn object_to_mark(c: &Context<'_>, i: &ObjectToMark) -> Result<Effect, Stop> {
    let text = text::required_lines(Field::Text, &i.text, MAX_NOTE)?;
    let at = attended(c, i.meeting, i.organisation)?;
    c.permit(&Act::ObjectToMark {
        organisation: i.organisation,
    })?;
    let roll_call = roll_call(c, &at)?.body;
    let Some(version) = roll_call.confirmed() else {
        return Err(Rejection::NotFound {
            what: Subject::RollCall,
        }
        .into());
    };
    let mut line = line_of(c, &at, at.my_id())?;
    let organisation =
        c.require::<Organisation>(Organisation::key(i.organisation), Subject::Organisation)?;
    let days = i64::from(organisation.body.policy.objection_days);
    let until = version
        .confirmed_at
        .plus_minutes(days.saturating_mul(24 * 60));
    if c.now.is_past(until) {
        let what = Closing::ObjectionPeriod;
        return Err(Rejection::Closed {
            what,
            since: Some(until),
        }
        .into());
    }
    if line.body.objections.len() >= MAX_LIST as usize {
        return Err(Rejection::TooLarge {
            field: Field::Text,
            limit: MAX_LIST,
        }
        .into());
    }
    line.body.objections.push(Objection {
        text,
        at: c.now.at,
        version: version.number,
        unknown: UnknownKeys::none(),
    });
    Ok(Effect {
        puts: vec![Put::of(line.record.key, line.record.parent, &line.body)],
    })
}

/// Who may confirm: the chair; the minute-taker; where there is none, any other official member present.
pub fn may_confirm(roll_call: &RollCall, lines: &[Attendance], member: MemberId) -> bool {
    if member == roll_call.chair {
        return true;
    }
    match roll_call.minute_taker {
        Some(minute_taker) => minute_taker == member,
        None => sheet(lines).iter().any(|line| {
            line.member == member
                && line.convened_as == MemberStatus::Official
                && is_present(line.mark)
        }),
    }
}

/// Whether the chair only assumed the chair and nobody has agreed yet. Confirmations are taken, the version waits.
pub const fn is_provisional(roll_call: &RollCall) -> bool {
    roll_call.assumed.is_some() && !roll_call.ratified
}

/// The lines of a roll call.
pub(super) fn lines_of(
    c: &Context<'_>,
    roll_call: &Found<RollCall>,
) -> Result<Vec<Found<Attendance>>, Stop> {
    let scope = Scope::organisation(roll_call.body.organisation);
    c.world
        .children::<Attendance>(scope, roll_call.record.key.id)
}

/// Writes the roll call; and, once the chair and another entitled person confirmed the sheet as it stands, the next version.
pub(super) fn complete(
    c: &Context<'_>,
    mut found: Found<RollCall>,
    lines: Vec<Found<Attendance>>,
) -> Effect {
    let bodies: Vec<Attendance> = lines.iter().map(|line| line.body.clone()).collect();
    let digest = sheet_digest(&bodies);
    let roll_call = &mut found.body;
    let entitled: Vec<Confirmation> = roll_call
        .confirmations
        .iter()
        .filter(|held| held.seen == digest && may_confirm(roll_call, &bodies, held.by))
        .cloned()
        .collect();
    let by_chair = entitled.iter().any(|held| held.by == roll_call.chair);
    let by_another = entitled.iter().any(|held| held.by != roll_call.chair);
    let mut puts = Vec::new();
    if by_chair && by_another && !is_provisional(roll_call) {
        let number = roll_call
            .confirmed()
            .map_or(0, |version| version.number)
            .saturating_add(1);
        roll_call.versions.push(ConfirmedVersion {
            number,
            confirmations: entitled,
            lines: sheet(&bodies),
            confirmed_at: c.now.at,
            reason: roll_call.correction.take(),
            unknown: UnknownKeys::none(),
        });
        roll_call.confirmations.clear();
        for mut line in lines {
            if let Some(proposed) = line.body.proposed.take() {
                line.body.resolved = Some(proposed);
                note_vote(&mut line.body);
                puts.push(Put::of(line.record.key, line.record.parent, &line.body));
            }
        }
    }
    puts.push(Put::of(found.record.key, found.record.parent, &found.body));
    Effect { puts }
}

fn check_changes(changes: &[MarkChange]) -> Result<(), Rejection> {
    if changes.is_empty() {
        return Err(invalid(Field::Changes, Fault::Empty));
    }
    let mut members: Vec<MemberId> = changes.iter().map(|change| change.member).collect();
    members.sort_unstable();
    if members.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(invalid(Field::Changes, Fault::Repeated));
    }
    let unknown = changes.iter().any(|change| {
        matches!(
            change.mark,
            AttendanceMark::Unknown { .. } | AttendanceMark::Unmarked
        ) || matches!(change.mode, ParticipationMode::Unknown { .. })
    });
    if unknown {
        return Err(invalid(Field::Mark, Fault::UnknownValue));
    }
    Ok(())
}

const fn invalid(field: Field, why: Fault) -> Rejection {
    Rejection::Invalid { field, why }
}

crate::redacted! {
    CorrectRollCall { meeting, organisation, from, changes, reason },
    ObjectToMark { meeting, organisation, text },
}
