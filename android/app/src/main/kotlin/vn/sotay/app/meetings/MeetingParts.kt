package vn.sotay.app.meetings

import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.semantics
import vn.sotay.app.R
import vn.sotay.app.design.Labelled
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.OtherButton
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Tone
import vn.sotay.app.design.Words
import vn.sotay.app.text.dateTime
import vn.sotay.app.text.dateTimeSpan
import vn.sotay.app.text.difference
import vn.sotay.app.text.name
import vn.sotay.client.AbsenceView
import vn.sotay.client.AnswerView
import vn.sotay.client.EnteredView
import vn.sotay.client.MeetingCard
import vn.sotay.client.MeetingStage
import vn.sotay.client.NoticeChangeView
import vn.sotay.model.AbsenceState
import vn.sotay.model.Choice
import vn.sotay.model.MeetingMode

/** What a meeting is called, when it is and where. */
@Composable
fun WhenAndWhere(card: MeetingCard) {
    val resources = LocalContext.current.resources
    Words(card.title, Modifier.semantics { heading() }, style = MaterialTheme.typography.titleMedium)
    Labelled(
        stringResource(R.string.meeting_when),
        resources.dateTimeSpan(card.startsAt, card.endsAt),
        MaterialTheme.typography.titleMedium,
    )
    val place = if (card.mode is MeetingMode.InRoom) card.place else "${card.place} (${resources.name(card.mode)})"
    Labelled(stringResource(R.string.meeting_where), place, MaterialTheme.typography.titleMedium)
}

/** What the member answered or asked, and how it stands. */
@Composable
fun StandingAnswer(card: MeetingCard) {
    if (card.stage == MeetingStage.CANCELLED) {
        Panel(tone = Tone.Important) { Words(stringResource(R.string.meeting_cancelled)) }
        return
    }
    card.myAnswer?.let { AnswerPanel(it) }
    card.myAbsence?.let { if (it.state !is AbsenceState.Withdrawn) AbsencePanel(it) }
    if (card.myAnswer == null && card.myAbsence == null && card.stage == MeetingStage.ANNOUNCED) {
        val until = LocalContext.current.resources.dateTime(card.answerBy)
        Words(stringResource(R.string.meeting_not_answered))
        Remark(stringResource(R.string.meeting_answer_by, until))
    }
}

@Composable
private fun AnswerPanel(answer: AnswerView) {
    val resources = LocalContext.current.resources
    Panel(tone = if (answer.forOldTime) Tone.Attention else Tone.Good) {
        Words(stringResource(R.string.meeting_answered, resources.name(answer.choice)))
        if (answer.forOldTime) Words(stringResource(R.string.meeting_for_old_time))
        if (answer.late) Words(stringResource(R.string.meeting_answer_late))
        answer.entered?.let { EnteredBy(it) }
        if (answer.pending) Words(stringResource(R.string.waiting_to_be_sent))
    }
}

@Composable
private fun AbsencePanel(absence: AbsenceView) {
    val resources = LocalContext.current.resources
    Panel(tone = if (absence.state is AbsenceState.Granted) Tone.Good else Tone.Attention) {
        Words(stringResource(R.string.absence_mine, resources.name(absence.state)))
        Words(resources.name(absence.reason))
        absence.note?.let { Words(it) }
        if (absence.late) Words(stringResource(R.string.absence_late))
        absence.entered?.let { EnteredBy(it) }
        val by = absence.decidedBy
        val answer = absence.answer
        if (by != null && answer != null) {
            Words(stringResource(R.string.absence_decided_by, by, answer))
        } else if (by != null) {
            Words(stringResource(R.string.absence_decided_by_plain, by))
        }
        if (absence.pending) Words(stringResource(R.string.waiting_to_be_sent))
    }
}

/** Who entered something on another's word, and how the word came. */
@Composable
fun EnteredBy(entered: EnteredView) {
    val how = LocalContext.current.resources.name(entered.channel)
    val by = entered.by
    Words(
        if (by == null) {
            stringResource(R.string.meeting_entered, how)
        } else {
            stringResource(R.string.meeting_entered_by, by, how)
        },
    )
}

/** [Tôi sẽ dự] [Xin vắng], or [Đổi] where that was already said. */
@Composable
fun AnswerButtons(
    card: MeetingCard,
    onRespond: (Choice) -> Unit,
    onAskAbsence: () -> Unit,
) {
    if (card.stage == MeetingStage.CANCELLED || card.stage == MeetingStage.CONFIRMED) return
    val answer = card.myAnswer
    val attends = answer?.choice is Choice.WillAttend && answer.forOldTime.not()
    if (!attends) MainButton(stringResource(R.string.home_will_attend), { onRespond(Choice.WillAttend) })
    if (card.mode !is MeetingMode.InRoom && (answer?.choice !is Choice.WillAttendOnline || answer.forOldTime)) {
        OtherButton(stringResource(R.string.meeting_online), { onRespond(Choice.WillAttendOnline) })
    }
    val asked = card.myAbsence?.state
    if (asked == null || asked is AbsenceState.Withdrawn) {
        OtherButton(stringResource(R.string.home_ask_absence), onAskAbsence)
    }
}

/** What changed in a notice, and [Tôi đã biết]. */
@Composable
fun ChangePanel(
    change: NoticeChangeView,
    onAcknowledge: () -> Unit,
) {
    val resources = LocalContext.current.resources
    Panel(tone = Tone.Important) {
        Words(
            stringResource(if (change.urgent) R.string.changed_urgent else R.string.changed_title),
            Modifier.semantics { heading() },
            style = MaterialTheme.typography.titleLarge,
        )
        Words(change.title)
        for (difference in change.differences) {
            val text = resources.difference(difference)
            Words("${text.heading}:", style = MaterialTheme.typography.titleMedium)
            for (line in text.lines) Words(line)
        }
        MainButton(stringResource(R.string.home_acknowledge), onAcknowledge)
    }
}
