//! A meeting as one member sees it: stage, own answer, own absence request, what changed.

use sotay_model::documents::Document;
use sotay_model::meetings::{
    AbsenceRequest, Acknowledgement, Entered, Meeting, MeetingState, NoticeField, NoticeVersion,
    Response, RollCall, differences, standing_answer, standing_request,
};
use sotay_model::world::Found;
use sotay_model::{MeetingKey, MemberId, OrganisationId};

use super::views::{
    AbsenceView, AnswerView, EnteredView, MeetingCard, MeetingStage, NoticeChangeView,
    NoticeDifference,
};
use crate::current::Current;
use crate::documents::document_card;
use crate::error::HandbookError;
use crate::organisation::name_of;

/// A meeting that this phone holds, or `NotHere`.
pub(crate) fn meeting_record(
    current: &Current<'_>,
    meeting: MeetingKey,
) -> Result<Found<Meeting>, HandbookError> {
    current
        .get::<Meeting>(meeting.0)?
        .ok_or(HandbookError::NotHere)
}

/// The version of the notice that stands.
pub(crate) fn standing_notice(meeting: &Meeting) -> Result<&NoticeVersion, HandbookError> {
    meeting.notice().ok_or(HandbookError::NotHere)
}

/// The participating organisation through which the member is convened: the own cell, else the one that hosts the
/// member for a time, else the one that called the meeting.
pub(crate) fn convened_by(
    current: &Current<'_>,
    meeting: &Meeting,
) -> Result<OrganisationId, HandbookError> {
    if meeting.participating.contains(&current.cell()) {
        return Ok(current.cell());
    }
    for organisation in &meeting.participating {
        let visitors =
            current.children::<sotay_model::organisation::TemporaryActivity>(organisation.0)?;
        if visitors
            .iter()
            .any(|found| found.body.member == current.me())
        {
            return Ok(*organisation);
        }
    }
    Ok(meeting.organisation)
}

/// Where the meeting stands for an organisation.
pub(crate) fn stage(
    current: &Current<'_>,
    meeting: &Found<Meeting>,
    organisation: OrganisationId,
) -> Result<MeetingStage, HandbookError> {
    if meeting.body.state == MeetingState::Cancelled {
        return Ok(MeetingStage::Cancelled);
    }
    let key = RollCall::key(MeetingKey(meeting.record.key), organisation);
    Ok(match current.get::<RollCall>(key)? {
        None => MeetingStage::Announced,
        Some(roll_call) if roll_call.body.confirmed().is_some() => MeetingStage::Confirmed,
        Some(_) => MeetingStage::Open,
    })
}

/// What one member has said about a meeting, as far as this phone sees it.
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub(crate) responses: Vec<Found<Response>>,
    pub(crate) acknowledgements: Vec<Found<Acknowledgement>>,
    pub(crate) absences: Vec<Found<AbsenceRequest>>,
}

impl Words {
    /// Everything said about a meeting that this phone sees, by whomever.
    pub(crate) fn about(current: &Current<'_>, meeting: MeetingKey) -> Result<Self, HandbookError> {
        Ok(Self {
            responses: current.children(meeting.0.id)?,
            acknowledgements: current.children(meeting.0.id)?,
            absences: current.children(meeting.0.id)?,
        })
    }

    /// The member's answer that counts.
    pub(crate) fn answer(
        &self,
        current: &Current<'_>,
        notice: &Meeting,
        member: MemberId,
    ) -> Result<Option<AnswerView>, HandbookError> {
        let of_member = self
            .responses
            .iter()
            .filter(|found| found.body.member == member);
        let Some(standing) = standing_answer(of_member.clone().map(|found| &found.body)) else {
            return Ok(None);
        };
        let mut pending = false;
        for found in of_member.filter(|found| found.body == *standing) {
            pending |= current.pending_change(found.record.key)?.is_some();
        }
        Ok(Some(AnswerView {
            choice: standing.choice,
            for_old_time: notice
                .versions
                .iter()
                .any(|v| v.urgent && v.number > standing.notice_version),
            late: standing.late,
            made_at: standing.made_at,
            entered: entered_view(current, standing.entered.as_ref())?,
            pending,
        }))
    }

    /// The member's absence request that counts.
    pub(crate) fn absence(
        &self,
        current: &Current<'_>,
        member: MemberId,
    ) -> Result<Option<AbsenceView>, HandbookError> {
        let of_member = self
            .absences
            .iter()
            .filter(|found| found.body.member == member);
        let Some(standing) = standing_request(of_member.clone().map(|found| &found.body)) else {
            return Ok(None);
        };
        let mut pending = false;
        for found in of_member.filter(|found| found.body == *standing) {
            pending |= current.pending_change(found.record.key)?.is_some();
        }
        let decided_by = match standing.decided_by {
            Some(member) => name_of(current, member)?,
            None => None,
        };
        Ok(Some(AbsenceView {
            reason: standing.reason,
            note: standing.note.clone(),
            state: standing.state,
            late: standing.late,
            made_at: standing.made_at,
            answer: standing.answer.clone(),
            decided_by,
            decided_at: standing.decided_at,
            entered: entered_view(current, standing.entered.as_ref())?,
            pending,
        }))
    }

    /// The highest version of the notice the member is known to know: acknowledged, answered, or told. 0: none.
    pub(crate) fn known_version(&self, member: MemberId) -> u32 {
        let acknowledged = self
            .acknowledgements
            .iter()
            .map(|found| (found.body.member, found.body.notice_version));
        let answered = self
            .responses
            .iter()
            .map(|found| (found.body.member, found.body.notice_version));
        acknowledged
            .chain(answered)
            .filter(|(who, _)| *who == member)
            .map(|(_, version)| version)
            .max()
            .unwrap_or(0)
    }

    /// Who told the member about the highest version, where another person did.
    pub(crate) fn informed(
        &self,
        current: &Current<'_>,
        member: MemberId,
    ) -> Result<Option<EnteredView>, HandbookError> {
        let latest = self
            .acknowledgements
            .iter()
            .filter(|found| found.body.member == member)
            .max_by_key(|found| (found.body.notice_version, found.body.entered.is_none()));
        entered_view(
            current,
            latest.and_then(|found| found.body.entered.as_ref()),
        )
    }
}

fn entered_view(
    current: &Current<'_>,
    entered: Option<&Entered>,
) -> Result<Option<EnteredView>, HandbookError> {
    entered
        .map(|entered| {
            Ok(EnteredView {
                by: name_of(current, entered.by)?,
                channel: entered.channel,
            })
        })
        .transpose()
}

/// A meeting as a line of a list.
pub(crate) fn meeting_card(
    current: &Current<'_>,
    meeting: &Found<Meeting>,
    words: &Words,
) -> Result<MeetingCard, HandbookError> {
    let notice = standing_notice(&meeting.body)?;
    let organisation = convened_by(current, &meeting.body)?;
    Ok(MeetingCard {
        meeting: MeetingKey(meeting.record.key),
        notice_version: notice.number,
        title: notice.title.clone(),
        kind: meeting.body.kind,
        starts_at: notice.starts_at,
        ends_at: notice.ends_at,
        place: notice.place.clone(),
        mode: notice.mode,
        stage: stage(current, meeting, organisation)?,
        answer_by: notice.answer_by,
        my_answer: words.answer(current, &meeting.body, current.me())?,
        my_absence: words.absence(current, current.me())?,
    })
}

/// What changed since the version the member knows; a member who never said anything is shown what changed since the
/// first one, since the word may have reached them by mouth.
pub(crate) fn notice_change(
    current: &Current<'_>,
    meeting: &Found<Meeting>,
    words: &Words,
) -> Result<Option<NoticeChangeView>, HandbookError> {
    let after = standing_notice(&meeting.body)?;
    let known_version = words.known_version(current.me()).max(1);
    let Some(before) = meeting
        .body
        .versions
        .iter()
        .rev()
        .find(|version| version.number <= known_version)
    else {
        return Ok(None);
    };
    if meeting.body.state == MeetingState::Cancelled || before.number >= after.number {
        return Ok(None);
    }
    let differences = differences(before, after)
        .into_iter()
        .filter_map(|field| difference(current, field, before, after).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Some(NoticeChangeView {
        meeting: MeetingKey(meeting.record.key),
        title: after.title.clone(),
        known_version,
        notice_version: after.number,
        urgent: meeting
            .body
            .versions
            .iter()
            .any(|version| version.urgent && version.number > known_version),
        differences,
    }))
}

fn difference(
    current: &Current<'_>,
    field: NoticeField,
    before: &NoticeVersion,
    after: &NoticeVersion,
) -> Result<Option<NoticeDifference>, HandbookError> {
    let (b, a) = (before, after);
    Ok(Some(match field {
        NoticeField::Title => NoticeDifference::Title {
            before: b.title.clone(),
            after: a.title.clone(),
        },
        NoticeField::StartsAt => NoticeDifference::StartsAt {
            before: b.starts_at,
            after: a.starts_at,
        },
        NoticeField::EndsAt => NoticeDifference::EndsAt {
            before: b.ends_at,
            after: a.ends_at,
        },
        NoticeField::Place => NoticeDifference::Place {
            before: b.place.clone(),
            after: a.place.clone(),
        },
        NoticeField::Mode => NoticeDifference::Mode {
            before: b.mode,
            after: a.mode,
        },
        NoticeField::Agenda => NoticeDifference::Agenda {
            added: missing_from(&b.agenda, &a.agenda),
            removed: missing_from(&a.agenda, &b.agenda),
        },
        NoticeField::Documents => {
            let mut added = Vec::new();
            for key in a.documents.iter().filter(|key| !b.documents.contains(key)) {
                if let Some(found) = current.get::<Document>(key.0)? {
                    added.push(document_card(current, &found)?);
                }
            }
            let removed = b
                .documents
                .iter()
                .filter(|key| !a.documents.contains(key))
                .count();
            NoticeDifference::Documents {
                added,
                removed: u32::try_from(removed).unwrap_or(u32::MAX),
            }
        }
        NoticeField::Guests => NoticeDifference::Guests {
            added: missing_from(&b.guests, &a.guests),
            removed: missing_from(&a.guests, &b.guests),
        },
        NoticeField::AnswerBy => NoticeDifference::AnswerBy {
            before: b.answer_by,
            after: a.answer_by,
        },
        NoticeField::AbsenceBy => NoticeDifference::AbsenceBy {
            before: b.absence_by,
            after: a.absence_by,
        },
        NoticeField::Unknown { .. } => return Ok(None),
    }))
}

fn missing_from(have: &[String], want: &[String]) -> Vec<String> {
    want.iter()
        .filter(|entry| !have.contains(entry))
        .cloned()
        .collect()
}
