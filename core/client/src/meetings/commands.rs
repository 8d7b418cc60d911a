//! What a member or an office holder does about a meeting.

use sotay_model::meetings::{
    AbsenceReason, AcknowledgeNotice, AssumeChair, AttendanceMark, Base, CancelMeeting,
    ChangeNotice, Channel, Choice, ConfirmRollCall, CorrectRollCall, DecideAbsence, DelegateChair,
    MarkAttendance, MarkChange, MarkInformed, NoticeText, ObjectToMark, OpenRollCall,
    ParticipationMode, PublishNotice, RatifyChair, RequestAbsence, ResolveMarks, Respond,
    RespondOnBehalf, WithdrawAbsence,
};
use sotay_model::rejection::Version;
use sotay_model::{Intent, MeetingKey, MemberId, OrganisationId, RecordKey, Scope};

use super::views::NoticeForm;
use crate::error::HandbookError;
use crate::handbook::Handbook;

/// A changed mark of a correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct MarkCorrection {
    /// Whose line.
    pub member: MemberId,
    /// The mark it should be.
    pub mark: AttendanceMark,
    /// In the room or online.
    pub mode: ParticipationMode,
}

impl From<NoticeForm> for NoticeText {
    fn from(form: NoticeForm) -> Self {
        Self {
            title: form.title,
            starts_at: form.starts_at,
            ends_at: form.ends_at,
            place: form.place,
            mode: form.mode,
            agenda: form.agenda,
            documents: form.documents,
            guests: form.guests,
            answer_by: form.answer_by,
            absence_by: form.absence_by,
        }
    }
}

/// The notice.
#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// Announces a meeting of the own cell; several cells meet jointly when `with` names the others.
    pub fn publish_notice(
        &self,
        form: NoticeForm,
        with: Vec<OrganisationId>,
    ) -> Result<MeetingKey, HandbookError> {
        let organisation = self.cell()?;
        let meeting = MeetingKey(RecordKey::new(
            Scope::organisation(organisation),
            self.new_id()?,
        ));
        let mut participating = vec![organisation];
        participating.extend(with.into_iter().filter(|other| *other != organisation));
        let kind = form.kind;
        self.submit(
            PublishNotice {
                meeting,
                participating,
                kind,
                notice: form.into(),
            }
            .into(),
        )?;
        Ok(meeting)
    }

    /// Changes the notice. `base` is the version the form was filled from; if another change came first, the answer is
    /// `Refused { Stale }` and nothing is overwritten. `urgent` asks for the answers again.
    pub fn change_notice(
        &self,
        meeting: MeetingKey,
        base: Version,
        form: NoticeForm,
        urgent: bool,
    ) -> Result<(), HandbookError> {
        let base = match self.read(|current| current.pending_change(meeting.0))? {
            Some(n) => Base::After(n),
            None => Base::Confirmed(base.into()),
        };
        self.submit(
            ChangeNotice {
                meeting,
                base,
                notice: form.into(),
                urgent,
            }
            .into(),
        )?;
        Ok(())
    }

    /// Cancels the meeting; the reason is read by everyone.
    pub fn cancel_meeting(&self, meeting: MeetingKey, reason: String) -> Result<(), HandbookError> {
        self.submit(CancelMeeting { meeting, reason }.into())?;
        Ok(())
    }

    /// "I know this version of the notice."
    pub fn acknowledge_notice(
        &self,
        meeting: MeetingKey,
        notice_version: u32,
    ) -> Result<(), HandbookError> {
        self.enter(meeting, |organisation| AcknowledgeNotice {
            meeting,
            organisation,
            notice_version,
        })
    }

    /// "I told this member", for those without the handbook or out of its reach.
    pub fn mark_informed(
        &self,
        meeting: MeetingKey,
        member: MemberId,
        channel: Channel,
        notice_version: u32,
    ) -> Result<(), HandbookError> {
        self.enter(meeting, |organisation| MarkInformed {
            meeting,
            organisation,
            member,
            channel,
            notice_version,
        })
    }
}

/// Answers and absences.
#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// Answers a notice. After the deadline it is kept and shown as late.
    pub fn respond(
        &self,
        meeting: MeetingKey,
        choice: Choice,
        notice_version: u32,
    ) -> Result<(), HandbookError> {
        self.enter(meeting, |organisation| Respond {
            meeting,
            organisation,
            choice,
            notice_version,
        })
    }

    /// Enters another member's answer on that member's word. The own later answer wins.
    pub fn respond_on_behalf(
        &self,
        meeting: MeetingKey,
        member: MemberId,
        choice: Choice,
        channel: Channel,
        notice_version: u32,
    ) -> Result<(), HandbookError> {
        self.enter(meeting, |organisation| RespondOnBehalf {
            meeting,
            organisation,
            member,
            choice,
            channel,
            notice_version,
        })
    }

    /// Asks to be excused, or reports an absence on the way: accepted until the roll call is confirmed.
    pub fn request_absence(
        &self,
        meeting: MeetingKey,
        reason: AbsenceReason,
        note: Option<String>,
    ) -> Result<(), HandbookError> {
        let me = self.me()?;
        self.request_absence_on_behalf(meeting, me, reason, note, Channel::Handbook)
    }

    /// Enters another member's request on that member's word.
    pub fn request_absence_on_behalf(
        &self,
        meeting: MeetingKey,
        member: MemberId,
        reason: AbsenceReason,
        note: Option<String>,
        channel: Channel,
    ) -> Result<(), HandbookError> {
        self.enter(meeting, |organisation| RequestAbsence {
            meeting,
            organisation,
            member,
            reason,
            note,
            channel,
        })
    }

    /// Takes the own request back.
    pub fn withdraw_absence(&self, meeting: MeetingKey) -> Result<(), HandbookError> {
        self.enter(meeting, |organisation| WithdrawAbsence {
            meeting,
            organisation,
        })
    }

    /// Decides on another member's request.
    pub fn decide_absence(
        &self,
        meeting: MeetingKey,
        member: MemberId,
        granted: bool,
        answer: Option<String>,
    ) -> Result<(), HandbookError> {
        self.enter(meeting, |organisation| DecideAbsence {
            meeting,
            organisation,
            member,
            granted,
            answer,
        })
    }
}

/// Roll call and confirmation.
#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// Opens the roll call: from now on it is fixed who is convened with which status.
    pub fn open_roll_call(
        &self,
        meeting: MeetingKey,
        chair: MemberId,
        minute_taker: Option<MemberId>,
    ) -> Result<(), HandbookError> {
        self.enter(meeting, |organisation| OpenRollCall {
            meeting,
            organisation,
            chair,
            minute_taker,
        })
    }

    /// Asks another official member to take the chair.
    pub fn delegate_chair(
        &self,
        meeting: MeetingKey,
        member: MemberId,
    ) -> Result<(), HandbookError> {
        self.enter(meeting, |organisation| DelegateChair {
            meeting,
            organisation,
            member,
        })
    }

    /// Takes the chair, secretary and deputy being out of reach.
    pub fn assume_chair(&self, meeting: MeetingKey, reason: String) -> Result<(), HandbookError> {
        self.enter(meeting, |organisation| AssumeChair {
            meeting,
            organisation,
            reason,
        })
    }

    /// Agrees to an assumed chair.
    pub fn ratify_chair(&self, meeting: MeetingKey) -> Result<(), HandbookError> {
        self.enter(meeting, |organisation| RatifyChair {
            meeting,
            organisation,
        })
    }

    /// Marks a member; `Unmarked` takes the own mark back. `voted` matters for exempt members only.
    pub fn mark_attendance(
        &self,
        meeting: MeetingKey,
        member: MemberId,
        mark: AttendanceMark,
        mode: ParticipationMode,
        voted: bool,
    ) -> Result<(), HandbookError> {
        self.enter(meeting, |organisation| MarkAttendance {
            meeting,
            organisation,
            member,
            mark,
            mode,
            voted,
        })
    }

    /// Decides between differing marks of one member.
    pub fn resolve_marks(
        &self,
        meeting: MeetingKey,
        member: MemberId,
        mark: AttendanceMark,
    ) -> Result<(), HandbookError> {
        self.enter(meeting, |organisation| ResolveMarks {
            meeting,
            organisation,
            member,
            mark,
        })
    }

    /// Confirms the roll call as seen: `seen` comes from the `RollCallView` on the screen.
    pub fn confirm_roll_call(
        &self,
        meeting: MeetingKey,
        seen: Vec<u8>,
    ) -> Result<(), HandbookError> {
        self.enter(meeting, |organisation| ConfirmRollCall {
            meeting,
            organisation,
            seen,
        })
    }

    /// Proposes a correction of the confirmed version `from`; it takes effect when two have confirmed it.
    pub fn correct_roll_call(
        &self,
        meeting: MeetingKey,
        from: u32,
        changes: Vec<MarkCorrection>,
        reason: String,
    ) -> Result<(), HandbookError> {
        let changes = changes
            .into_iter()
            .map(|c| MarkChange {
                member: c.member,
                mark: c.mark,
                mode: c.mode,
            })
            .collect();
        self.enter(meeting, |organisation| CorrectRollCall {
            meeting,
            organisation,
            from,
            changes,
            reason,
        })
    }

    /// Objects to the own line of a confirmed roll call.
    pub fn object_to_mark(&self, meeting: MeetingKey, text: String) -> Result<(), HandbookError> {
        self.enter(meeting, |organisation| ObjectToMark {
            meeting,
            organisation,
            text,
        })
    }
}

impl Handbook {
    /// Submits what a member wants, in the organisation through which they are convened.
    fn enter<I: Into<Intent>>(
        &self,
        meeting: MeetingKey,
        intent: impl FnOnce(OrganisationId) -> I,
    ) -> Result<(), HandbookError> {
        let organisation = self.convened_by(meeting)?;
        self.submit(intent(organisation).into())?;
        Ok(())
    }
}
