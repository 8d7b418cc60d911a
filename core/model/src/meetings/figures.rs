//! The two figures for the minutes, never one: the vote base and the attendance rate, each with how it was counted.

use super::records::{ConfirmedLine, MeetingKind};
use crate::cbor::cbor_code;
use crate::organisation::Policy;

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
pub fn figures(_lines: &[ConfirmedLine], _kind: MeetingKind, _policy: &Policy) -> Figures {
    todo!()
}
