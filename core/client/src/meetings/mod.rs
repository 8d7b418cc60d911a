//! Meetings on the phone: commands and what the screens show.
//!
//! * `commands` – what a member or an office holder does
//! * `reads` – the exported views; `cards` (one member's view of a meeting), `answers` (the office's), `sheet` (roll call)

mod answers;
mod cards;
mod commands;
mod reads;
mod sheet;
mod views;

pub(crate) use cards::{Words, meeting_card, notice_change, standing_notice};
pub use commands::MarkCorrection;
pub(crate) use reads::{MAX_PAGE, in_screen_order, is_to_come, open_sheets};
pub use views::{
    AbsenceView, AnswerLine, AnswerView, AnswersView, ConfirmationView, ConfirmationWait,
    ConfirmedView, EnteredView, LineView, MarkView, MeetingCard, MeetingPage, MeetingStage,
    MeetingView, NoticeChangeView, NoticeDifference, NoticeForm, ObjectionView, PersonName,
    RollCallView,
};
