//! The roll call screen: lines, what confirmation waits for, figures as they stand.

use sotay_model::meetings::{
    Attendance, AttendanceMark, ConfirmedVersion, Mark, Meeting, ParticipationMode, RollCall,
    conflict_count, figures, is_present, is_provisional, may_confirm, sheet, sheet_digest,
    standing_mark, unmarked_count,
};
use sotay_model::organisation::{Organisation, Policy, Role};
use sotay_model::world::Found;
use sotay_model::{MeetingKey, MemberId, OrganisationId};

use super::cards::{Words, standing_notice};
use super::views::{
    ConfirmationView, ConfirmationWait, ConfirmedView, LineView, MarkView, ObjectionView,
    PersonName, RollCallView,
};
use crate::current::Current;
use crate::error::HandbookError;
use crate::organisation::{given_name, leads, name_of, roles_of};

/// The roll call of one organisation, as this phone holds it.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) meeting: Found<Meeting>,
    pub(crate) organisation: OrganisationId,
    pub(crate) roll_call: Option<Found<RollCall>>,
    pub(crate) lines: Vec<Found<Attendance>>,
    /// The same lines without their records, as the rules take them.
    bodies: Vec<Attendance>,
    policy: Policy,
}

impl Sheet {
    /// Reads it.
    pub(crate) fn read(
        current: &Current<'_>,
        meeting: Found<Meeting>,
        organisation: OrganisationId,
    ) -> Result<Self, HandbookError> {
        let key = RollCall::key(MeetingKey(meeting.record.key), organisation);
        let roll_call = current.get::<RollCall>(key)?;
        let lines = match &roll_call {
            Some(_) => current.children::<Attendance>(key.id)?,
            None => Vec::new(),
        };
        let policy = current
            .get::<Organisation>(Organisation::key(organisation))?
            .map_or_else(Policy::default, |found| found.body.policy);
        Ok(Self {
            meeting,
            organisation,
            roll_call,
            bodies: lines.iter().map(|found| found.body.clone()).collect(),
            lines,
            policy,
        })
    }

    /// How many lines have differing marks that nobody decided between.
    pub(crate) fn conflicts(&self) -> u32 {
        conflict_count(&self.bodies)
    }

    fn with_mark(&self, wanted: impl Fn(AttendanceMark) -> bool) -> u32 {
        count(
            self.lines
                .iter()
                .filter(|found| wanted(mark_of(&found.body).0)),
        )
    }

    /// Whether the member may confirm the sheet as it stands.
    pub(crate) fn may_confirm(&self, member: MemberId) -> bool {
        let Some(roll_call) = self.roll_call.as_ref().map(|found| &found.body) else {
            return false;
        };
        let digest = sheet_digest(&self.bodies);
        let awaits_confirmation = roll_call.versions.is_empty() || roll_call.correction.is_some();
        let confirmed_already = roll_call
            .confirmations
            .iter()
            .any(|c| c.by == member && c.seen == digest);
        awaits_confirmation
            && !confirmed_already
            && may_confirm(roll_call, &self.bodies, member)
            && conflict_count(&self.bodies) == 0
            && unmarked_count(&self.bodies) == 0
    }

    /// The confirmed version that stands, with its figures.
    pub(crate) fn confirmed(
        &self,
        current: &Current<'_>,
    ) -> Result<Option<ConfirmedView>, HandbookError> {
        self.roll_call
            .as_ref()
            .and_then(|found| found.body.confirmed())
            .map(|version| self.confirmed_view(current, version))
            .transpose()
    }

    fn confirmed_view(
        &self,
        current: &Current<'_>,
        version: &ConfirmedVersion,
    ) -> Result<ConfirmedView, HandbookError> {
        Ok(ConfirmedView {
            number: version.number,
            confirmed_at: version.confirmed_at,
            confirmed_by: version
                .confirmations
                .iter()
                .map(|confirmation| self.person(current, confirmation.by))
                .collect::<Result<_, _>>()?,
            figures: figures(&version.lines, self.meeting.body.kind, &self.policy),
            reason: version.reason.clone(),
        })
    }

    fn person(&self, current: &Current<'_>, member: MemberId) -> Result<PersonName, HandbookError> {
        let on_sheet = self
            .lines
            .iter()
            .find(|found| found.body.member == member)
            .map(|found| found.body.name.clone());
        let name = match on_sheet {
            Some(name) => name,
            None => name_of(current, member)?.unwrap_or_default(),
        };
        Ok(PersonName { member, name })
    }

    fn waits_for(&self) -> Vec<ConfirmationWait> {
        let Some(roll_call) = self.roll_call.as_ref().map(|found| &found.body) else {
            return vec![ConfirmationWait::Opening];
        };
        if !roll_call.versions.is_empty() && roll_call.correction.is_none() {
            return Vec::new();
        }
        let mut waits = Vec::new();
        let unmarked = unmarked_count(&self.bodies);
        if unmarked > 0 {
            waits.push(ConfirmationWait::Marks { count: unmarked });
        }
        let conflicts = self.conflicts();
        if conflicts > 0 {
            waits.push(ConfirmationWait::Conflicts { count: conflicts });
        }
        if is_provisional(roll_call) {
            waits.push(ConfirmationWait::Ratification);
        }
        let digest = sheet_digest(&self.bodies);
        let valid = || roll_call.confirmations.iter().filter(|c| c.seen == digest);
        if !valid().any(|c| c.by == roll_call.chair) {
            waits.push(ConfirmationWait::Chair);
        }
        if !valid().any(|c| c.by != roll_call.chair) {
            waits.push(ConfirmationWait::SecondPerson);
        }
        waits
    }

    /// A member's line.
    pub(crate) fn line(
        &self,
        current: &Current<'_>,
        line: &Found<Attendance>,
        words: &Words,
    ) -> Result<LineView, HandbookError> {
        let body = &line.body;
        let (mark, mode) = mark_of(body);
        let absence = words
            .absence(current, body.member)?
            .map(|absence| absence.state);
        let expected = words
            .answer(current, &self.meeting.body, body.member)?
            .map(|answer| answer.choice);
        Ok(LineView {
            member: body.member,
            name: body.name.clone(),
            convened_as: body.convened_as,
            mark,
            mode,
            voted: body.voted,
            conflict: standing_mark(body).1,
            marks: body
                .marks
                .iter()
                .map(|mark| self.mark_view(current, mark))
                .collect::<Result<_, _>>()?,
            proposed: body.proposed.as_ref().map(|mark| mark.mark),
            expected,
            absence,
            objections: body
                .objections
                .iter()
                .map(|o| ObjectionView {
                    text: o.text.clone(),
                    at: o.at,
                    version: o.version,
                })
                .collect(),
            pending: current.pending_change(line.record.key)?.is_some(),
        })
    }

    fn mark_view(&self, current: &Current<'_>, mark: &Mark) -> Result<MarkView, HandbookError> {
        Ok(MarkView {
            by: self.person(current, mark.by)?,
            source: mark.source,
            mark: mark.mark,
            mode: mark.mode,
            made_at: mark.made_at,
        })
    }

    /// Whether the member may see and take this roll call.
    pub(crate) fn taken_by(
        &self,
        current: &Current<'_>,
        member: MemberId,
    ) -> Result<bool, HandbookError> {
        let named = self.roll_call.as_ref().is_some_and(|found| {
            let r = &found.body;
            r.chair == member || r.minute_taker == Some(member) || r.recorder == member
        });
        Ok(named
            || leads(current, member, self.organisation)?
            || roles_of(current, member, self.organisation)?.contains(&Role::Assistant))
    }

    /// The screen.
    pub(crate) fn view(&self, current: &Current<'_>) -> Result<RollCallView, HandbookError> {
        let meeting = MeetingKey(self.meeting.record.key);
        let words = Words::about(current, meeting)?;
        let mut lines = self
            .lines
            .iter()
            .map(|line| self.line(current, line, &words))
            .collect::<Result<Vec<_>, _>>()?;
        lines.sort_by(|a, b| {
            given_name(&a.name)
                .cmp(given_name(&b.name))
                .then_with(|| a.name.cmp(&b.name))
        });
        let digest = sheet_digest(&self.bodies);
        let roll_call = self.roll_call.as_ref().map(|found| &found.body);
        let confirmations = roll_call
            .map(|r| r.confirmations.as_slice())
            .unwrap_or_default();
        Ok(RollCallView {
            meeting,
            organisation: self.organisation,
            title: standing_notice(&self.meeting.body)?.title.clone(),
            opened_at: roll_call.map(|r| r.opened_at),
            chair: roll_call
                .map(|r| self.person(current, r.chair))
                .transpose()?,
            minute_taker: roll_call
                .and_then(|r| r.minute_taker)
                .map(|m| self.person(current, m))
                .transpose()?,
            assumed: roll_call.and_then(|r| r.assumed.clone()),
            ratified: roll_call.is_some_and(|r| r.ratified),
            present: self.with_mark(is_present),
            absent: self.with_mark(|m| {
                matches!(
                    m,
                    AttendanceMark::AbsentExcused | AttendanceMark::AbsentUnexcused
                )
            }),
            unmarked: unmarked_count(&self.bodies),
            conflicts: self.conflicts(),
            confirmations: confirmations
                .iter()
                .map(|c| {
                    Ok(ConfirmationView {
                        by: self.person(current, c.by)?,
                        at: c.at,
                        valid: c.seen == digest,
                    })
                })
                .collect::<Result<_, HandbookError>>()?,
            seen: digest,
            figures: roll_call
                .map(|_| figures(&sheet(&self.bodies), self.meeting.body.kind, &self.policy)),
            confirmed: self.confirmed(current)?,
            correction: roll_call.and_then(|r| r.correction.clone()),
            may_confirm: self.may_confirm(current.me()),
            may_mark: roll_call.is_some_and(|r| r.versions.is_empty())
                && self.taken_by(current, current.me())?,
            waits_for: self.waits_for(),
            lines,
        })
    }

    /// The lines by member, for those who ask for one.
    pub(crate) fn line_of(&self, member: MemberId) -> Option<&Found<Attendance>> {
        self.lines.iter().find(|found| found.body.member == member)
    }
}

/// The mark that stands for a line; `Unmarked` where nobody marked.
fn mark_of(line: &Attendance) -> (AttendanceMark, ParticipationMode) {
    standing_mark(line).0.map_or(
        (AttendanceMark::Unmarked, ParticipationMode::InRoom),
        |mark| (mark.mark, mark.mode),
    )
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
