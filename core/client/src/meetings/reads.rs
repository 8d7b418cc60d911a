//! Reading the meeting screens.

use std::cmp::Reverse;

use sotay_model::meetings::{Meeting, MeetingKind, MeetingMode, NoticeVersion, RollCall};
use sotay_model::world::Found;
use sotay_model::{MeetingKey, OrganisationId, Timestamp};

use super::answers::answers_view;
use super::cards::{
    Words, convened_by, meeting_card, meeting_record, notice_change, standing_notice,
};
use super::sheet::Sheet;
use super::views::{AnswersView, MeetingPage, MeetingStage, MeetingView, NoticeForm, RollCallView};
use crate::current::Current;
use crate::documents::document_cards;
use crate::error::HandbookError;
use crate::handbook::Handbook;
use crate::organisation::{leads, organisation_name};

/// The most lines of one page.
pub(crate) const MAX_PAGE: u32 = 200;

/// How long after its planned end an announced meeting still counts as the next one: people meet late.
const GRACE_MINUTES: i64 = 3 * 60;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// A page of the list of meetings behind `after`, at most 200 lines: those to come, the next one first, then past
    /// ones, the latest first.
    pub fn meetings(
        &self,
        after: Option<MeetingKey>,
        limit: u32,
    ) -> Result<MeetingPage, HandbookError> {
        self.read(|current| {
            let all = in_screen_order(current)?;
            let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
            let start = after.map_or(0, |after| {
                all.iter()
                    .position(|found| found.record.key == after.0)
                    .map_or(all.len(), |position| position + 1)
            });
            let meetings = all
                .iter()
                .skip(start)
                .take(limit.clamp(1, MAX_PAGE) as usize)
                .map(|found| {
                    meeting_card(
                        current,
                        found,
                        &Words::about(current, MeetingKey(found.record.key))?,
                    )
                })
                .collect::<Result<_, _>>()?;
            Ok(MeetingPage { meetings, count })
        })
    }

    /// The meeting screen.
    pub fn meeting(&self, meeting: MeetingKey) -> Result<MeetingView, HandbookError> {
        self.read(|current| meeting_view(current, meeting_record(current, meeting)?))
    }

    /// The form for a new notice: copied from `from`, moved to the next month, or empty.
    pub fn new_notice_form(&self, from: Option<MeetingKey>) -> Result<NoticeForm, HandbookError> {
        self.read(|current| match from {
            Some(meeting) => {
                let found = meeting_record(current, meeting)?;
                let form = form_of(found.body.kind, standing_notice(&found.body)?);
                Ok(moved_past(form, current.now()))
            }
            None => {
                let starts_at = current
                    .now()
                    .date()
                    .start()
                    .plus_minutes(7 * 24 * 60 + 19 * 60);
                Ok(NoticeForm {
                    kind: MeetingKind::Regular,
                    title: String::new(),
                    starts_at,
                    ends_at: starts_at.plus_minutes(90),
                    place: String::new(),
                    mode: MeetingMode::InRoom,
                    agenda: Vec::new(),
                    documents: Vec::new(),
                    guests: Vec::new(),
                    answer_by: None,
                    absence_by: None,
                })
            }
        })
    }

    /// The form for a change of this notice.
    pub fn notice_form(&self, meeting: MeetingKey) -> Result<NoticeForm, HandbookError> {
        self.read(|current| {
            let found = meeting_record(current, meeting)?;
            Ok(form_of(found.body.kind, standing_notice(&found.body)?))
        })
    }

    /// Who answered what: for the office.
    pub fn answers(&self, meeting: MeetingKey) -> Result<AnswersView, HandbookError> {
        self.read(|current| answers_view(current, &meeting_record(current, meeting)?))
    }

    /// The roll call of the own organisation.
    pub fn roll_call(&self, meeting: MeetingKey) -> Result<RollCallView, HandbookError> {
        self.read(|current| {
            let found = meeting_record(current, meeting)?;
            let organisation = convened_by(current, &found.body)?;
            Sheet::read(current, found, organisation)?.view(current)
        })
    }
}

impl Handbook {
    /// The participating organisation through which the member is convened.
    pub(super) fn convened_by(&self, meeting: MeetingKey) -> Result<OrganisationId, HandbookError> {
        self.read(|current| convened_by(current, &meeting_record(current, meeting)?.body))
    }
}

/// All meetings on this phone: those to come, the next one first, then past ones, the latest first.
pub(crate) fn in_screen_order(current: &Current<'_>) -> Result<Vec<Found<Meeting>>, HandbookError> {
    let mut all: Vec<(bool, Timestamp, Found<Meeting>)> = Vec::new();
    for found in current.all::<Meeting>()? {
        let Some(starts_at) = found.body.notice().map(|notice| notice.starts_at) else {
            continue;
        };
        all.push((!is_to_come(current, &found)?, starts_at, found));
    }
    all.sort_by_key(|(past, starts_at, found)| {
        (
            *past,
            if *past {
                Err(Reverse(*starts_at))
            } else {
                Ok(*starts_at)
            },
            found.record.key,
        )
    });
    Ok(all.into_iter().map(|(_, _, found)| found).collect())
}

/// Whether a meeting can still be the next one: neither cancelled nor confirmed, and not long over.
pub(crate) fn is_to_come(
    current: &Current<'_>,
    meeting: &Found<Meeting>,
) -> Result<bool, HandbookError> {
    let Some(notice) = meeting.body.notice() else {
        return Ok(false);
    };
    if notice.ends_at.plus_minutes(GRACE_MINUTES) < current.now() {
        return Ok(false);
    }
    let stage = super::cards::stage(current, meeting, convened_by(current, &meeting.body)?)?;
    Ok(matches!(
        stage,
        MeetingStage::Announced | MeetingStage::Open
    ))
}

fn meeting_view(
    current: &Current<'_>,
    found: Found<Meeting>,
) -> Result<MeetingView, HandbookError> {
    let key = MeetingKey(found.record.key);
    let words = Words::about(current, key)?;
    let card = meeting_card(current, &found, &words)?;
    let change = notice_change(current, &found, &words)?;
    let organisation = convened_by(current, &found.body)?;
    let sheet = Sheet::read(current, found, organisation)?;
    let meeting = &sheet.meeting.body;
    let notice = standing_notice(meeting)?;
    let my_line = sheet
        .line_of(current.me())
        .map(|line| sheet.line(current, line, &words))
        .transpose()?;
    Ok(MeetingView {
        card,
        notice_version: notice.number,
        base: sheet.meeting.record.stamp.into(),
        organisation,
        participating: meeting
            .participating
            .iter()
            .map(|id| organisation_name(current, *id))
            .collect::<Result<_, _>>()?,
        agenda: notice.agenda.clone(),
        documents: document_cards(current, &notice.documents)?,
        guests: notice.guests.clone(),
        absence_by: notice.absence_by,
        published_at: notice.published_at,
        notice_late: notice.late,
        cancel_reason: meeting.cancel_reason.clone(),
        change,
        my_line,
        confirmed: sheet.confirmed(current)?,
        leads: leads(current, current.me(), organisation)?,
        takes_roll_call: sheet.taken_by(current, current.me())?,
    })
}

fn form_of(kind: MeetingKind, notice: &NoticeVersion) -> NoticeForm {
    NoticeForm {
        kind,
        title: notice.title.clone(),
        starts_at: notice.starts_at,
        ends_at: notice.ends_at,
        place: notice.place.clone(),
        mode: notice.mode,
        agenda: notice.agenda.clone(),
        documents: notice.documents.clone(),
        guests: notice.guests.clone(),
        answer_by: Some(notice.answer_by),
        absence_by: Some(notice.absence_by),
    }
}

/// The same text for a meeting in weeks to come: the same weekday and time of day, at least four weeks later and not in the
/// past; deadlines as the policy says, documents and guests chosen anew.
fn moved_past(mut form: NoticeForm, now: Timestamp) -> NoticeForm {
    const WEEK: i64 = 7 * 24 * 60;
    let behind = (now.0 - form.starts_at.0).max(0) / (WEEK * 60_000) + 1;
    let minutes = behind.max(4) * WEEK;
    form.starts_at = form.starts_at.plus_minutes(minutes);
    form.ends_at = form.ends_at.plus_minutes(minutes);
    (form.answer_by, form.absence_by) = (None, None);
    form.documents.clear();
    form.guests.clear();
    form
}

/// Meetings whose roll call is open, for those who take part in taking it.
pub(crate) fn open_sheets(current: &Current<'_>) -> Result<Vec<Sheet>, HandbookError> {
    let mut sheets = Vec::new();
    for roll_call in current.all::<RollCall>()? {
        let body = &roll_call.body;
        let settled = body.confirmed().is_some() && body.correction.is_none();
        if settled {
            continue;
        }
        if let Some(meeting) = current.get::<Meeting>(body.meeting.0)? {
            sheets.push(Sheet::read(current, meeting, body.organisation)?);
        }
    }
    Ok(sheets)
}
