//! Reading the meeting screens.

use sotay_model::{MeetingKey, OrganisationId};

use super::views::{AnswersView, MeetingPage, MeetingView, NoticeForm, RollCallView};
use crate::error::HandbookError;
use crate::handbook::Handbook;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// A page of the list of meetings behind `after`, at most 200 lines: those to come, the next one first, then past
    /// ones, the latest first.
    pub fn meetings(&self, after: Option<MeetingKey>, limit: u32) -> Result<MeetingPage, HandbookError> {
        todo!()
    }

    /// The meeting screen.
    pub fn meeting(&self, meeting: MeetingKey) -> Result<MeetingView, HandbookError> {
        todo!()
    }

    /// The form for a new notice: copied from `from`, moved to the next month, or empty.
    pub fn new_notice_form(&self, from: Option<MeetingKey>) -> Result<NoticeForm, HandbookError> {
        todo!()
    }

    /// The form for a change of this notice.
    pub fn notice_form(&self, meeting: MeetingKey) -> Result<NoticeForm, HandbookError> {
        todo!()
    }

    /// Who answered what: for the office.
    pub fn answers(&self, meeting: MeetingKey) -> Result<AnswersView, HandbookError> {
        todo!()
    }

    /// The roll call of the own organisation.
    pub fn roll_call(&self, meeting: MeetingKey) -> Result<RollCallView, HandbookError> {
        todo!()
    }
}

impl Handbook {
    /// The participating organisation through which the member is convened.
    pub(super) fn convened_by(&self, _meeting: MeetingKey) -> Result<OrganisationId, HandbookError> {
        todo!()
    }
}
