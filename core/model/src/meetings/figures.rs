//! The two figures for the minutes, never one: the vote base and the attendance rate, each with how it was counted.

use super::records::{ConfirmedLine, MeetingKind, ParticipationMode};
use super::sheet::{is_present, needs_mark};
use crate::cbor::cbor_code;
use crate::meetings::AttendanceMark;
use crate::organisation::{MemberStatus, Policy};

cbor_code! {
    /// A step in counting a figure.
    pub enum StepReason {
        /// Official members convened, also those who are exempt, suspended, or elsewhere.
        OfficialConvened = 1,
        /// Probationary members convened.
        ProbationaryConvened = 2,
        /// Less: official members introduced to temporary activity elsewhere.
        TemporaryElsewhere = 3,
        /// Less: exempt and absent, or present without voting.
        ExemptNotVoting = 4,
        /// Less: suspended or detained.
        Suspended = 5,
        /// Less: absent throughout with a good reason that was accepted.
        AbsentExcused = 6,
        /// Members here for a temporary activity.
        TemporaryIn = 8,
        /// Present in the room.
        PresentInRoom = 9,
        /// Present online.
        PresentOnline = 10,
    }
}

/// One step of the counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Step {
    /// What was counted.
    pub reason: StepReason,
    /// How many; negative where they are taken off.
    pub count: i32,
}

/// A number and how it was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Figure {
    /// The number.
    pub value: u32,
    /// The steps that add up to it.
    pub counted: Vec<Step>,
}

/// What the minutes state (DOMAIN: total, official, probationary, temporary, exempt, elsewhere; present by kind; absentees).
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Figures {
    /// All members of the cell's list, guests left out.
    pub total: u32,
    /// Official members, those elsewhere included.
    pub official: u32,
    /// Probationary members.
    pub probationary: u32,
    /// Members here for a temporary activity.
    pub temporary_in: u32,
    /// Exempt members.
    pub exempt: u32,
    /// Members elsewhere for a temporary activity.
    pub elsewhere: u32,
    /// Suspended members.
    pub suspended: u32,
    /// Official members present (late and left early included).
    pub present_official: u32,
    /// Probationary members present.
    pub present_probationary: u32,
    /// Exempt members present.
    pub present_exempt: u32,
    /// Temporary members present.
    pub present_temporary: u32,
    /// Of those present, how many online.
    pub present_online: u32,
    /// Absent with an accepted reason.
    pub absent_excused: u32,
    /// Absent without one.
    pub absent_unexcused: u32,
    /// Without a mark.
    pub unmarked: u32,
    /// Who may vote, as QĐ 294 §9.3.2 counts it.
    pub vote_base: Figure,
    /// The rule was written for congresses and conferences; for other meetings it is applied by the cell's own decision.
    pub vote_base_by_rule: bool,
    /// Who counts as present for the attendance rate.
    pub attending: Figure,
    /// Whom the attendance rate is counted of.
    pub attendance_base: Figure,
    /// Above the policy's mark.
    pub attendance_good: bool,
    /// More than half of the vote base (§9.3.4).
    pub ordinary_majority: u32,
    /// At least two thirds of the vote base (§9.3.4): admission, recognition, removal, expulsion.
    pub two_thirds_majority: u32,
}

/// Counts the figures of a sheet.
///
/// `vote_base` (QĐ 294 §9.3.2) starts from all who are official members, and takes off those elsewhere for a time, the exempt
/// who are absent or do not vote, the suspended, and those absent throughout with an accepted reason. `attendance_base` starts
/// from official and probationary members convened; the exempt and the suspended stay outside, and the policy says whether
/// accepted excuses lower it and whether members here for a time count.
pub fn figures(lines: &[ConfirmedLine], kind: MeetingKind, policy: &Policy) -> Figures {
    let sheet = Sheet(lines);
    let all = |_: &ConfirmedLine| true;
    let present = |line: &ConfirmedLine| is_present(line.mark);
    let excused = |line: &ConfirmedLine| line.mark == AttendanceMark::AbsentExcused;
    let here = sheet.count(MemberStatus::Official, all);
    let elsewhere = sheet.count(MemberStatus::TemporaryOut, all);
    let probationary = sheet.count(MemberStatus::Probationary, all);
    let exempt = sheet.count(MemberStatus::Exempt, all);
    let suspended = sheet.count(MemberStatus::Suspended, all);
    let temporary_in = sheet.count(MemberStatus::TemporaryIn, all);
    let exempt_voting = sheet.count(MemberStatus::Exempt, |l| present(l) && l.voted);

    let vote_base = Figure::of([
        (
            StepReason::OfficialConvened,
            plus(here + elsewhere + exempt + suspended),
        ),
        (StepReason::TemporaryElsewhere, minus(elsewhere)),
        (StepReason::ExemptNotVoting, minus(exempt - exempt_voting)),
        (StepReason::Suspended, minus(suspended)),
        (
            StepReason::AbsentExcused,
            minus(sheet.count(MemberStatus::Official, excused)),
        ),
    ]);

    let counts_in_rate = |line: &ConfirmedLine| match line.convened_as {
        MemberStatus::Official | MemberStatus::Probationary => true,
        MemberStatus::TemporaryIn => policy.temporary_in_counts,
        _ => false,
    };
    let in_rate = |wanted: &dyn Fn(&ConfirmedLine) -> bool| {
        size(
            lines
                .iter()
                .filter(|line| counts_in_rate(line) && wanted(line))
                .count(),
        )
    };
    let online = |line: &ConfirmedLine| line.mode == ParticipationMode::Online;
    let attending = Figure::of([
        (
            StepReason::PresentInRoom,
            plus(in_rate(&|l| present(l) && !online(l))),
        ),
        (
            StepReason::PresentOnline,
            plus(in_rate(&|l| present(l) && online(l))),
        ),
    ]);
    let excused_in_rate = if policy.excused_leave_rate_base {
        in_rate(&excused)
    } else {
        0
    };
    let attendance_base = Figure::of([
        (StepReason::OfficialConvened, plus(here + elsewhere)),
        (StepReason::TemporaryElsewhere, minus(elsewhere)),
        (StepReason::ProbationaryConvened, plus(probationary)),
        (
            StepReason::TemporaryIn,
            plus(if policy.temporary_in_counts {
                temporary_in
            } else {
                0
            }),
        ),
        (StepReason::AbsentExcused, minus(excused_in_rate)),
    ]);
    let attendance_good = attendance_base.value > 0
        && u64::from(attending.value) * 100
            > u64::from(attendance_base.value) * u64::from(policy.good_attendance_percent);

    let no_guest = |line: &&ConfirmedLine| line.convened_as != MemberStatus::Guest;
    let marked = |mark: AttendanceMark| {
        size(
            lines
                .iter()
                .filter(no_guest)
                .filter(|line| line.mark == mark)
                .count(),
        )
    };
    Figures {
        total: here + elsewhere + probationary + exempt + suspended,
        official: here + elsewhere,
        probationary,
        temporary_in,
        exempt,
        elsewhere,
        suspended,
        present_official: sheet.count(MemberStatus::Official, present)
            + sheet.count(MemberStatus::TemporaryOut, present),
        present_probationary: sheet.count(MemberStatus::Probationary, present),
        present_exempt: sheet.count(MemberStatus::Exempt, present),
        present_temporary: sheet.count(MemberStatus::TemporaryIn, present),
        present_online: size(
            lines
                .iter()
                .filter(no_guest)
                .filter(|l| present(l) && online(l))
                .count(),
        ),
        absent_excused: marked(AttendanceMark::AbsentExcused),
        absent_unexcused: marked(AttendanceMark::AbsentUnexcused),
        unmarked: size(
            lines
                .iter()
                .filter(|l| needs_mark(l.convened_as) && l.mark == AttendanceMark::Unmarked)
                .count(),
        ),
        ordinary_majority: if vote_base.value == 0 {
            0
        } else {
            vote_base.value / 2 + 1
        },
        two_thirds_majority: (u64::from(vote_base.value) * 2)
            .div_ceil(3)
            .try_into()
            .unwrap_or(u32::MAX),
        vote_base,
        vote_base_by_rule: matches!(kind, MeetingKind::Congress | MeetingKind::MembersConference),
        attending,
        attendance_base,
        attendance_good,
    }
}

/// The lines to count.
struct Sheet<'l>(&'l [ConfirmedLine]);

impl Sheet<'_> {
    /// How many lines of one status fit.
    fn count(&self, status: MemberStatus, fits: impl Fn(&ConfirmedLine) -> bool) -> u32 {
        size(
            self.0
                .iter()
                .filter(|line| line.convened_as == status && fits(line))
                .count(),
        )
    }
}

impl Figure {
    /// The sum of the steps; those that count nobody are left out, except the first.
    fn of(steps: impl IntoIterator<Item = (StepReason, i32)>) -> Self {
        let counted: Vec<Step> = steps
            .into_iter()
            .enumerate()
            .filter(|(at, (_, count))| *at == 0 || *count != 0)
            .map(|(_, (reason, count))| Step { reason, count })
            .collect();
        let sum = counted
            .iter()
            .fold(0_i32, |sum, step| sum.saturating_add(step.count));
        Self {
            value: u32::try_from(sum).unwrap_or(0),
            counted,
        }
    }
}

fn size(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn plus(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn minus(count: u32) -> i32 {
    plus(count).saturating_neg()
}
