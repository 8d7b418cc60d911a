package vn.sotay.app.home

import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import vn.sotay.app.R
import vn.sotay.app.design.Heading
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.OtherButton
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Screen
import vn.sotay.app.design.Tone
import vn.sotay.app.design.Words
import vn.sotay.app.text.dateTime
import vn.sotay.app.text.sentence
import vn.sotay.client.OutboxLine
import vn.sotay.client.OutboxView

/** What waits to be sent, and what was refused with everything that was written in it. */
@Composable
fun OutboxScreen(
    view: OutboxView,
    onSendAgain: (Long) -> Unit,
    onDiscard: (Long) -> Unit,
    back: () -> Unit,
) {
    Screen(stringResource(R.string.outbox_title), back = back) {
        if (view.unsent.isEmpty() && view.refused.isEmpty()) Words(stringResource(R.string.outbox_empty))
        if (view.refused.isNotEmpty()) {
            Heading(stringResource(R.string.outbox_refused, view.refused.size))
            Words(stringResource(R.string.outbox_kept))
            for (line in view.refused) {
                Panel(tone = Tone.Important) {
                    Entry(line)
                    MainButton(stringResource(R.string.outbox_again), { onSendAgain(line.n) })
                    OtherButton(stringResource(R.string.outbox_discard), { onDiscard(line.n) })
                }
            }
        }
        if (view.unsent.isNotEmpty()) {
            Heading(stringResource(R.string.outbox_unsent, view.unsent.size))
            for (line in view.unsent) Panel { Entry(line) }
        }
    }
}

@Composable
private fun Entry(line: OutboxLine) {
    val resources = LocalContext.current.resources
    Words(stringResource(intentName(line.intent)), style = MaterialTheme.typography.titleMedium)
    line.title?.let { Words(it) }
    line.words?.let { Words("“$it”") }
    Remark(stringResource(R.string.outbox_made_at, resources.dateTime(line.madeAt)))
    line.refusal?.let { Words(resources.sentence(it)) }
}

private fun intentName(intent: String): Int =
    when (intent) {
        "Respond", "RespondOnBehalf" -> R.string.intent_answer

        "RequestAbsence", "WithdrawAbsence" -> R.string.intent_absence

        "DecideAbsence" -> R.string.intent_decision

        "PublishNotice", "ChangeNotice", "CancelMeeting" -> R.string.intent_notice

        "AcknowledgeNotice", "MarkInformed" -> R.string.intent_known

        "OpenRollCall", "DelegateChair", "AssumeChair", "RatifyChair", "MarkAttendance", "ResolveMarks",
        "ConfirmRollCall", "CorrectRollCall", "ObjectToMark",
        -> R.string.intent_roll_call

        "PublishDocument" -> R.string.intent_document

        "RequestCorrection" -> R.string.intent_correction

        else -> R.string.intent_other
    }
