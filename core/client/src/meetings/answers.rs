//! Who answered what: for the office.

use sotay_model::MeetingKey;
use sotay_model::meetings::{AbsenceState, Choice, Meeting};
use sotay_model::organisation::MemberStatus;
use sotay_model::world::Found;

use super::cards::{Words, convened_by, standing_notice};
use super::views::{AnswerLine, AnswersView};
use crate::current::Current;
use crate::error::HandbookError;
use crate::organisation::{DirectoryLine, directory};

/// The answers of the own organisation.
pub(crate) fn answers_view(
    current: &Current<'_>,
    meeting: &Found<Meeting>,
) -> Result<AnswersView, HandbookError> {
    let key = MeetingKey(meeting.record.key);
    let organisation = convened_by(current, &meeting.body)?;
    let words = Words::about(current, key)?;
    let lines = directory(current, organisation)?
        .into_iter()
        .filter(|line| line.status != MemberStatus::Suspended)
        .map(|person| answer_line(current, meeting, &words, person))
        .collect::<Result<Vec<_>, _>>()?;
    let count = |wanted: &dyn Fn(&AnswerLine) -> bool| -> u32 {
        u32::try_from(lines.iter().filter(|line| wanted(line)).count()).unwrap_or(u32::MAX)
    };
    Ok(AnswersView {
        meeting: key,
        notice_version: standing_notice(&meeting.body)?.number,
        expected: count(&is_expected),
        will_attend: count(&|line| {
            line.answer.as_ref().is_some_and(|answer| {
                !answer.for_old_time
                    && matches!(answer.choice, Choice::WillAttend | Choice::WillAttendOnline)
            }) && line
                .absence
                .as_ref()
                .is_none_or(|absence| absence.state != AbsenceState::Granted)
        }),
        absences_waiting: count(&|line| {
            line.absence
                .as_ref()
                .is_some_and(|absence| absence.state == AbsenceState::Waiting)
        }),
        not_reached: count(&|line| {
            is_expected(line) && line.known_version == 0 && line.absence.is_none()
        }),
        lines,
    })
}

/// Exempt members and those elsewhere may answer, but are not waited for.
fn is_expected(line: &AnswerLine) -> bool {
    matches!(
        line.status,
        MemberStatus::Official | MemberStatus::Probationary | MemberStatus::TemporaryIn
    )
}

fn answer_line(
    current: &Current<'_>,
    meeting: &Found<Meeting>,
    words: &Words,
    person: DirectoryLine,
) -> Result<AnswerLine, HandbookError> {
    Ok(AnswerLine {
        answer: words.answer(current, &meeting.body, person.member)?,
        absence: words.absence(current, person.member)?,
        known_version: words.known_version(person.member),
        informed: words.informed(current, person.member)?,
        member: person.member,
        name: person.name,
        status: person.status,
        phone: person.phone,
    })
}
