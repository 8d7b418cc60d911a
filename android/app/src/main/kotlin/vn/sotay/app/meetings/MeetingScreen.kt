package vn.sotay.app.meetings

import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import vn.sotay.app.R
import vn.sotay.app.design.Field
import vn.sotay.app.design.Heading
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.OtherButton
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Screen
import vn.sotay.app.design.Tone
import vn.sotay.app.design.WhoSees
import vn.sotay.app.design.Words
import vn.sotay.app.documents.DocumentLine
import vn.sotay.app.text.name
import vn.sotay.client.MeetingStage
import vn.sotay.client.MeetingView
import vn.sotay.model.AbsenceState
import vn.sotay.model.Choice
import vn.sotay.model.DocumentKey

/** What a meeting's screen can lead to. */
class MeetingActions(
    val acknowledge: (UInt) -> Unit = {},
    val respond: (Choice) -> Unit = {},
    val askAbsence: () -> Unit = {},
    val withdrawAbsence: () -> Unit = {},
    val openDocument: (DocumentKey) -> Unit = {},
    val openAnswers: () -> Unit = {},
    val openRollCall: () -> Unit = {},
    val edit: () -> Unit = {},
    val cancel: (reason: String) -> Unit = {},
)

/** A meeting: when, where, the own answer, what it is about. */
@Composable
fun MeetingScreen(
    view: MeetingView,
    actions: MeetingActions,
    back: () -> Unit,
) {
    val resources = LocalContext.current.resources
    val card = view.card
    Screen(resources.name(card.kind), back = back) {
        view.change?.let { ChangePanel(it) { actions.acknowledge(it.noticeVersion) } }
        Panel { WhenAndWhere(card) }
        StandingAnswer(card)
        view.cancelReason?.let { Words(stringResource(R.string.meeting_cancelled_why, it)) }
        AnswerButtons(card, actions.respond, actions.askAbsence)
        val answer = card.myAnswer
        if (card.stage == MeetingStage.ANNOUNCED && answer != null && answer.choice !is Choice.Undecided) {
            OtherButton(stringResource(R.string.meeting_undecided), { actions.respond(Choice.Undecided) })
        }
        if (card.myAbsence?.state is AbsenceState.Waiting) {
            OtherButton(stringResource(R.string.absence_withdraw), actions.withdrawAbsence)
        }
        Attendance(view)
        if (view.noticeLate) Remark(stringResource(R.string.meeting_notice_late))
        Heading(stringResource(R.string.meeting_agenda))
        view.agenda.forEachIndexed { position, entry -> Words("${position + 1}. $entry") }
        if (view.documents.isNotEmpty()) {
            Heading(stringResource(R.string.meeting_documents, view.documents.size))
            for (document in view.documents) DocumentLine(document) { actions.openDocument(document.document) }
        }
        Names(R.string.meeting_guests, view.guests)
        if (view.participating.size > 1) Names(R.string.meeting_participating, view.participating)
        if (view.leads || view.takesRollCall) ForOffice(view, actions)
    }
}

@Composable
private fun Attendance(view: MeetingView) {
    val resources = LocalContext.current.resources
    val line = view.myLine
    if (line == null && view.confirmed == null) return
    Panel(tone = Tone.Good) {
        line?.let { Words(stringResource(R.string.meeting_my_line, resources.name(it.mark))) }
        if (view.confirmed != null) Words(stringResource(R.string.meeting_attendance_confirmed))
    }
}

@Composable
private fun Names(
    heading: Int,
    names: List<String>,
) {
    if (names.isEmpty()) return
    Heading(stringResource(heading))
    for (name in names) Words(name)
}

@Composable
private fun ForOffice(
    view: MeetingView,
    actions: MeetingActions,
) {
    var cancelling by rememberSaveable { mutableStateOf(false) }
    var reason by rememberSaveable { mutableStateOf("") }
    Heading(stringResource(R.string.home_for_secretary))
    if (view.takesRollCall) MainButton(stringResource(R.string.meeting_roll_call), actions.openRollCall)
    if (!view.leads) return
    OtherButton(stringResource(R.string.meeting_answers), actions.openAnswers)
    if (view.card.stage != MeetingStage.ANNOUNCED) return
    OtherButton(stringResource(R.string.meeting_edit), actions.edit)
    if (cancelling) {
        Panel(tone = Tone.Attention) {
            Field(stringResource(R.string.meeting_cancel_reason), reason, { reason = it }, lines = 2)
            WhoSees(stringResource(R.string.who_sees_cell))
            MainButton(stringResource(R.string.meeting_cancel), { actions.cancel(reason) })
            OtherButton(stringResource(R.string.cancel), { cancelling = false })
        }
    } else {
        OtherButton(stringResource(R.string.meeting_cancel), { cancelling = true })
    }
}
