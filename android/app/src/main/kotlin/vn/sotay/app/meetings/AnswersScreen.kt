package vn.sotay.app.meetings

import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import vn.sotay.app.R
import vn.sotay.app.design.Choices
import vn.sotay.app.design.Heading
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.OtherButton
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Screen
import vn.sotay.app.design.Tone
import vn.sotay.app.design.WhoSees
import vn.sotay.app.design.Words
import vn.sotay.app.text.name
import vn.sotay.client.AnswerLine
import vn.sotay.client.AnswersView
import vn.sotay.model.AbsenceState
import vn.sotay.model.Channel
import vn.sotay.model.Choice
import vn.sotay.model.MemberId

/** What the answers' screen can lead to. */
class AnswersActions(
    val decide: (MemberId, granted: Boolean) -> Unit = { _, _ -> },
    val informed: (MemberId, Channel) -> Unit = { _, _ -> },
    val respondOnBehalf: (MemberId, Choice, Channel) -> Unit = { _, _, _ -> },
    val openRollCall: () -> Unit = {},
    val call: (phone: String) -> Unit = {},
)

/** In which part of the screen a member's line stands. */
private enum class Group { Absence, NotReached, NotAnswered, Answered }

private fun AnswerLine.group(version: UInt): Group =
    when {
        absence?.state is AbsenceState.Waiting -> Group.Absence

        answer != null ||
            absence?.state.let {
                it is AbsenceState.Granted || it is AbsenceState.Refused
            }
        -> Group.Answered

        knownVersion < version -> Group.NotReached

        else -> Group.NotAnswered
    }

private val told = listOf(Channel.PhoneCall, Channel.InPerson, Channel.Message, Channel.ThroughOthers)
private val choices = listOf(Choice.WillAttend, Choice.WillAttendOnline, Choice.Undecided)

/** Who answered what: for the secretary. */
@Composable
fun AnswersScreen(
    view: AnswersView,
    actions: AnswersActions,
    back: () -> Unit,
) {
    val groups = view.lines.groupBy { it.group(view.noticeVersion) }
    Screen(stringResource(R.string.answers_title), back = back) {
        Words(
            stringResource(R.string.answers_summary, view.willAttend.toInt(), view.expected.toInt()),
            style = MaterialTheme.typography.titleLarge,
        )
        MainButton(stringResource(R.string.meeting_roll_call), actions.openRollCall)
        Lines(R.string.answers_absences, groups[Group.Absence]) { AbsenceToDecide(it, actions) }
        Lines(R.string.answers_not_reached, groups[Group.NotReached]) { NotReached(it, actions) }
        Lines(R.string.answers_not_answered, groups[Group.NotAnswered]) { NotAnswered(it, actions) }
        Lines(R.string.answers_answered, groups[Group.Answered]) { Answered(it) }
        WhoSees(stringResource(R.string.who_sees_office_and_person))
    }
}

@Composable
private fun Lines(
    heading: Int,
    lines: List<AnswerLine>?,
    line: @Composable (AnswerLine) -> Unit,
) {
    if (lines == null) return
    Heading(stringResource(heading, lines.size))
    for (one in lines) line(one)
}

@Composable
private fun Name(line: AnswerLine) = Words(line.name, style = MaterialTheme.typography.titleMedium)

@Composable
private fun AbsenceToDecide(
    line: AnswerLine,
    actions: AnswersActions,
) {
    val resources = LocalContext.current.resources
    val grant = stringResource(R.string.answers_grant)
    val refuse = stringResource(R.string.answers_refuse)
    Panel(tone = Tone.Attention) {
        Name(line)
        line.absence?.let { absence ->
            Words(resources.name(absence.reason))
            absence.note?.let { Words("“$it”") }
            if (absence.late) Words(stringResource(R.string.absence_late))
            absence.entered?.let { EnteredBy(it) }
        }
        val spoken = R.string.roll_of_person
        MainButton(grant, { actions.decide(line.member, true) }, spoken = stringResource(spoken, line.name, grant))
        OtherButton(refuse, { actions.decide(line.member, false) }, spoken = stringResource(spoken, line.name, refuse))
    }
}

@Composable
private fun NotReached(
    line: AnswerLine,
    actions: AnswersActions,
) {
    var asking by remember(line.member) { mutableStateOf(false) }
    val informed = stringResource(R.string.answers_informed)
    Panel {
        Name(line)
        if (asking) {
            Words(stringResource(R.string.answers_told_how, line.name))
            HowButtons {
                asking = false
                actions.informed(line.member, it)
            }
        } else {
            MainButton(
                informed,
                { asking = true },
                spoken = stringResource(R.string.roll_of_person, line.name, informed),
            )
        }
        CallButton(line, actions)
        OnBehalf(line, actions)
    }
}

@Composable
private fun NotAnswered(
    line: AnswerLine,
    actions: AnswersActions,
) {
    val resources = LocalContext.current.resources
    Panel {
        Name(line)
        val informed = line.informed
        if (informed == null) {
            Remark(stringResource(R.string.answers_knows))
        } else {
            val how = resources.name(informed.channel)
            val by = informed.by
            val told =
                if (by ==
                    null
                ) {
                    stringResource(R.string.answers_told, how)
                } else {
                    stringResource(R.string.answers_told_by, by, how)
                }
            Remark(told)
        }
        CallButton(line, actions)
        OnBehalf(line, actions)
    }
}

@Composable
private fun Answered(line: AnswerLine) {
    val resources = LocalContext.current.resources
    Panel {
        Name(line)
        line.absence?.let {
            Words(stringResource(R.string.absence_mine, resources.name(it.state)))
            Remark(resources.name(it.reason))
        }
        line.answer?.let { answer ->
            Words(resources.name(answer.choice))
            if (answer.forOldTime) Words(stringResource(R.string.meeting_for_old_time))
            if (answer.late) Remark(stringResource(R.string.meeting_answer_late))
            answer.entered?.let { EnteredBy(it) }
        }
    }
}

@Composable
private fun CallButton(
    line: AnswerLine,
    actions: AnswersActions,
) {
    line.phone?.let { phone ->
        val spoken = stringResource(R.string.call_person, line.name)
        OtherButton(stringResource(R.string.call), { actions.call(phone) }, spoken = spoken)
    }
}

@Composable
private fun OnBehalf(
    line: AnswerLine,
    actions: AnswersActions,
) {
    val resources = LocalContext.current.resources
    var open by remember(line.member) { mutableStateOf(false) }
    var choice by remember(line.member) { mutableStateOf<Choice?>(null) }
    val label = stringResource(R.string.answers_on_behalf)
    if (!open) {
        OtherButton(label, { open = true }, spoken = stringResource(R.string.roll_of_person, line.name, label))
        return
    }
    Words(stringResource(R.string.answers_on_behalf_title, line.name))
    Choices(choices, choice, resources::name) { choice = it }
    choice?.let { chosen ->
        Words(stringResource(R.string.answers_on_behalf_how))
        HowButtons {
            open = false
            actions.respondOnBehalf(line.member, chosen, it)
        }
    }
    OtherButton(stringResource(R.string.cancel), { open = false })
}

@Composable
private fun HowButtons(onChoose: (Channel) -> Unit) {
    val resources = LocalContext.current.resources
    for (channel in told) {
        OtherButton(resources.name(channel).replaceFirstChar { it.uppercase() }, { onChoose(channel) })
    }
}
