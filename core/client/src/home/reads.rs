//! Reading the first screen, and settling what was refused.

use sotay_model::meetings::{AbsenceState, Meeting, MeetingState, is_provisional};
use sotay_model::organisation::Member;
use sotay_model::world::Found;
use sotay_model::{Intent, MeetingKey};

use super::views::{DeliveryView, HomeView, OutboxLine, OutboxView, WaitingItem};
use crate::current::{Current, OutboxEntry};
use crate::documents::{DocumentCard, document_card, document_cards, newest_first};
use crate::error::HandbookError;
use crate::handbook::Handbook;
use crate::meetings::{
    MeetingCard, MeetingStage, NoticeChangeView, Words, in_screen_order, is_to_come, meeting_card,
    notice_change, open_sheets, standing_notice,
};
use crate::organisation::{contact, leads, organisation_name};

/// How many unopened documents the first screen shows.
const NEW_DOCUMENTS: usize = 5;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// The first screen.
    pub fn home(&self) -> Result<HomeView, HandbookError> {
        self.read(home_view)
    }

    /// What waits to be sent, and what was refused.
    pub fn outbox(&self) -> Result<OutboxView, HandbookError> {
        self.read(|current| {
            let mut view = OutboxView {
                unsent: Vec::new(),
                refused: Vec::new(),
            };
            for entry in current.outbox()? {
                let line = outbox_line(current, entry)?;
                if line.refusal.is_some() {
                    view.refused.push(line)
                } else {
                    view.unsent.push(line)
                }
            }
            Ok(view)
        })
    }

    /// Puts a refused entry away for good.
    pub fn discard_refused(&self, n: i64) -> Result<(), HandbookError> {
        self.discard(n)
    }

    /// Sends a refused entry again as a new one, decided by the rules as they stand now.
    pub fn send_again(&self, n: i64) -> Result<(), HandbookError> {
        self.resend(n)?;
        Ok(())
    }
}

/// A meeting to come with what this phone knows about it.
struct ToCome {
    meeting: Found<Meeting>,
    card: MeetingCard,
    words: Words,
    change: Option<NoticeChangeView>,
}

fn home_view(current: &Current<'_>) -> Result<HomeView, HandbookError> {
    let mut to_come = Vec::new();
    for meeting in in_screen_order(current)? {
        if !is_to_come(current, &meeting)? {
            break;
        }
        let words = Words::about(current, MeetingKey(meeting.record.key))?;
        to_come.push(ToCome {
            card: meeting_card(current, &meeting, &words)?,
            change: notice_change(current, &meeting, &words)?,
            meeting,
            words,
        });
    }
    let member = current.get::<Member>(Member::key(current.me()))?;
    let delivery = current.delivery()?;
    Ok(HomeView {
        member_name: member.map(|found| found.body.name).unwrap_or_default(),
        cell_name: organisation_name(current, current.cell())?,
        leads: leads(current, current.me(), current.cell())?,
        waiting: waiting(current, &to_come, delivery.refused)?,
        changes: to_come
            .iter()
            .filter_map(|item| item.change.clone())
            .collect(),
        next_meeting: to_come.into_iter().next().map(|item| item.card),
        new_documents: new_documents(current)?,
        secretary: contact(current, current.cell())?,
        delivery: DeliveryView {
            unsent: delivery.unsent,
            refused: delivery.refused,
            last_synced_at: delivery.last_synced_at,
            offline: delivery.offline,
        },
    })
}

/// What waits for the member, the most urgent first: a newer app, what was refused, what changed, what is asked, what to read.
fn waiting(
    current: &Current<'_>,
    to_come: &[ToCome],
    refused: u32,
) -> Result<Vec<WaitingItem>, HandbookError> {
    let mut items = Vec::new();
    if let Some(minimum) = current.wanted {
        let minimum = minimum.to_string();
        items.push(WaitingItem::UpdateNeeded { minimum });
    }
    if refused > 0 {
        items.push(WaitingItem::Refused { count: refused });
    }
    let unknown = current.of_unknown_kinds()?;
    if unknown > 0 {
        items.push(WaitingItem::UpdateApp { count: unknown });
    }
    office_items(current, to_come, &mut items)?;
    for item in to_come {
        let (meeting, title) = (item.card.meeting, item.card.title.clone());
        if item.change.is_some() {
            items.push(WaitingItem::Acknowledge {
                meeting,
                title: title.clone(),
            });
        }
        if needs_answer(&item.card) {
            items.push(WaitingItem::Answer {
                meeting,
                title,
                answer_by: item.card.answer_by,
            });
        }
    }
    if let Some(next) = to_come.first() {
        let named = standing_notice(&next.meeting.body)?.documents.clone();
        for card in document_cards(current, &named)?
            .into_iter()
            .filter(|card| !card.opened)
        {
            items.push(WaitingItem::Read {
                document: card.document,
                title: card.title,
            });
        }
    }
    Ok(items)
}

/// An answer is waited for while the meeting is announced and the member has neither answered the time that stands nor asked
/// to be excused.
fn needs_answer(card: &MeetingCard) -> bool {
    let answered = card
        .my_answer
        .as_ref()
        .is_some_and(|answer| !answer.for_old_time);
    let excused = card.my_absence.as_ref().is_some_and(|absence| {
        matches!(absence.state, AbsenceState::Waiting | AbsenceState::Granted)
    });
    card.stage == MeetingStage::Announced && !answered && !excused
}

/// What waits for those who lead a meeting or confirm it.
fn office_items(
    current: &Current<'_>,
    to_come: &[ToCome],
    items: &mut Vec<WaitingItem>,
) -> Result<(), HandbookError> {
    let me = current.me();
    for sheet in open_sheets(current)? {
        if sheet.meeting.body.state == MeetingState::Cancelled {
            continue;
        }
        let meeting = MeetingKey(sheet.meeting.record.key);
        let title = standing_notice(&sheet.meeting.body)?.title.clone();
        let provisional = sheet
            .roll_call
            .as_ref()
            .is_some_and(|found| is_provisional(&found.body));
        if provisional && leads(current, me, sheet.organisation)? {
            items.push(WaitingItem::RatifyChair {
                meeting,
                title: title.clone(),
            });
        }
        let count = sheet.conflicts();
        if count > 0 && sheet.taken_by(current, me)? {
            items.push(WaitingItem::ResolveMarks {
                meeting,
                title: title.clone(),
                count,
            });
        }
        if sheet.may_confirm(me) {
            items.push(WaitingItem::Confirm { meeting, title });
        }
    }
    for item in to_come {
        let mut waiting: Vec<_> = Vec::new();
        for found in item
            .words
            .absences
            .iter()
            .filter(|found| found.body.member != me)
        {
            let absence = item.words.absence(current, found.body.member)?;
            if absence.is_some_and(|absence| absence.state == AbsenceState::Waiting) {
                waiting.push(found.body.member);
            }
        }
        waiting.sort_unstable();
        waiting.dedup();
        if !waiting.is_empty() && leads(current, me, current.cell())? {
            items.push(WaitingItem::DecideAbsences {
                meeting: item.card.meeting,
                title: item.card.title.clone(),
                count: u32::try_from(waiting.len()).unwrap_or(u32::MAX),
            });
        }
    }
    Ok(())
}

fn new_documents(current: &Current<'_>) -> Result<Vec<DocumentCard>, HandbookError> {
    let mut new = Vec::new();
    for found in newest_first(current)? {
        let card = document_card(current, &found)?;
        if !card.opened {
            new.push(card);
        }
        if new.len() == NEW_DOCUMENTS {
            break;
        }
    }
    Ok(new)
}

fn outbox_line(current: &Current<'_>, entry: OutboxEntry) -> Result<OutboxLine, HandbookError> {
    let intent = &entry.mutation.intent;
    let meeting = meeting_of(intent);
    let title = match meeting {
        Some(meeting) => current
            .get::<Meeting>(meeting.0)?
            .and_then(|found| found.body.notice().map(|notice| notice.title.clone())),
        None => None,
    };
    Ok(OutboxLine {
        n: entry.n,
        intent: intent.name().to_owned(),
        meeting,
        title,
        words: words_of(intent),
        made_at: entry.mutation.made_at,
        refusal: entry.refusal,
    })
}

/// The meeting an intent is about.
fn meeting_of(intent: &Intent) -> Option<MeetingKey> {
    match intent {
        Intent::PublishNotice(i) => Some(i.meeting),
        Intent::ChangeNotice(i) => Some(i.meeting),
        Intent::CancelMeeting(i) => Some(i.meeting),
        Intent::AcknowledgeNotice(i) => Some(i.meeting),
        Intent::MarkInformed(i) => Some(i.meeting),
        Intent::Respond(i) => Some(i.meeting),
        Intent::RespondOnBehalf(i) => Some(i.meeting),
        Intent::RequestAbsence(i) => Some(i.meeting),
        Intent::WithdrawAbsence(i) => Some(i.meeting),
        Intent::DecideAbsence(i) => Some(i.meeting),
        Intent::OpenRollCall(i) => Some(i.meeting),
        Intent::DelegateChair(i) => Some(i.meeting),
        Intent::AssumeChair(i) => Some(i.meeting),
        Intent::RatifyChair(i) => Some(i.meeting),
        Intent::MarkAttendance(i) => Some(i.meeting),
        Intent::ResolveMarks(i) => Some(i.meeting),
        Intent::ConfirmRollCall(i) => Some(i.meeting),
        Intent::CorrectRollCall(i) => Some(i.meeting),
        Intent::ObjectToMark(i) => Some(i.meeting),
        Intent::PublishDocument(i) => i.for_meeting,
        _ => None,
    }
}

/// The author's own words in an intent.
fn words_of(intent: &Intent) -> Option<String> {
    match intent {
        Intent::PublishNotice(i) => Some(i.notice.title.clone()),
        Intent::ChangeNotice(i) => Some(i.notice.title.clone()),
        Intent::CancelMeeting(i) => Some(i.reason.clone()),
        Intent::RequestAbsence(i) => i.note.clone(),
        Intent::DecideAbsence(i) => i.answer.clone(),
        Intent::AssumeChair(i) => Some(i.reason.clone()),
        Intent::CorrectRollCall(i) => Some(i.reason.clone()),
        Intent::ObjectToMark(i) => Some(i.text.clone()),
        Intent::PublishDocument(i) => Some(i.title.clone()),
        Intent::RequestCorrection(i) => Some(i.text.clone()),
        _ => None,
    }
}
