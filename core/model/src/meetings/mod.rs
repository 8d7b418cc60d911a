//! A cell's meeting, from the notice to the attendance that the cell confirms.
//!
//! ```text
//! PublishNotice ─▶ ChangeNotice* ─▶ OpenRollCall ─▶ Mark* ─▶ ConfirmRollCall ×2 ─▶ (CorrectRollCall ─▶ ConfirmRollCall ×2)*
//!       │ Respond, AcknowledgeNotice, RequestAbsence, DecideAbsence            │ figures: vote base, attendance rate
//!       └─▶ CancelMeeting
//! ```
//! * `notice` – publish, change, cancel, acknowledge
//! * `responses` – answers, also on behalf; who was told by another channel
//! * `absences` – requests and decisions
//! * `convened` – who belongs to a meeting, and with which status
//! * `roll_call` – convocation frozen at the opening, marks, conflicts between them
//! * `sheet` – which of differing marks stands, and the digest that confirmers sign
//! * `confirmation` – two confirmers, corrections, objections
//! * `figures` – the numbers for the minutes, each with how it was counted

mod absences;
mod confirmation;
mod convened;
mod figures;
mod notice;
mod records;
mod responses;
mod roll_call;
mod sheet;

pub use absences::{DecideAbsence, RequestAbsence, WithdrawAbsence, standing_request};
pub(crate) use absences::{decide_absence, request_absence, withdraw_absence};
pub use confirmation::{
    ConfirmRollCall, CorrectRollCall, MarkChange, ObjectToMark, is_provisional, may_confirm,
};
pub(crate) use confirmation::{confirm_roll_call, correct_roll_call, object_to_mark};
pub use figures::{Figure, Figures, Step, StepReason, figures};
pub use notice::{
    AcknowledgeNotice, Base, CancelMeeting, ChangeNotice, NoticeField, NoticeText, PublishNotice,
    differences,
};
pub(crate) use notice::{acknowledge_notice, cancel_meeting, change_notice, publish_notice};
pub use records::{
    AbsenceReason, AbsenceRequest, AbsenceState, Acknowledgement, Attendance, AttendanceMark,
    ChairDelegation, Channel, Choice, Confirmation, ConfirmedLine, ConfirmedVersion, Entered, Mark,
    MarkSource, Meeting, MeetingKind, MeetingMode, MeetingState, NoticeVersion, Objection,
    ParticipationMode, Response, RollCall,
};
pub use responses::{MarkInformed, Respond, RespondOnBehalf, standing_answer};
pub(crate) use responses::{mark_informed, respond, respond_on_behalf};
pub use roll_call::{
    AssumeChair, DelegateChair, MarkAttendance, OpenRollCall, RatifyChair, ResolveMarks,
};
pub(crate) use roll_call::{
    assume_chair, delegate_chair, mark_attendance, open_roll_call, ratify_chair, resolve_marks,
};
pub use sheet::{
    SheetDigest, conflict_count, is_present, needs_mark, sheet, sheet_digest, standing_mark,
    unmarked_count,
};
