//! Meetings on the phone: commands and what the screens show.

mod commands;
mod reads;
mod views;

pub use commands::MarkCorrection;
pub use views::{
    AbsenceView, AnswerLine, AnswerView, AnswersView, ConfirmationView, ConfirmationWait, ConfirmedView, EnteredView,
    LineView, MarkView, MeetingCard, MeetingPage, MeetingStage, MeetingView, NoticeChangeView, NoticeDifference,
    NoticeForm, ObjectionView, PersonName, RollCallView,
};
