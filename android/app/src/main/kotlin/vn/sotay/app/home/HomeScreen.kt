package vn.sotay.app.home

import android.content.res.Resources
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
import vn.sotay.app.documents.DocumentLine
import vn.sotay.app.meetings.AnswerButtons
import vn.sotay.app.meetings.ChangePanel
import vn.sotay.app.meetings.StandingAnswer
import vn.sotay.app.meetings.WhenAndWhere
import vn.sotay.app.text.dateTime
import vn.sotay.client.DeliveryView
import vn.sotay.client.HomeView
import vn.sotay.client.MeetingCard
import vn.sotay.client.WaitingItem
import vn.sotay.model.Choice
import vn.sotay.model.DocumentKey
import vn.sotay.model.MeetingKey

/** What the first screen can lead to. */
class HomeActions(
    val acknowledge: (MeetingKey, UInt) -> Unit = { _, _ -> },
    val respond: (MeetingCard, Choice) -> Unit = { _, _ -> },
    val askAbsence: (MeetingKey) -> Unit = {},
    val openMeeting: (MeetingKey) -> Unit = {},
    val openAnswers: (MeetingKey) -> Unit = {},
    val openRollCall: (MeetingKey) -> Unit = {},
    val openDocument: (DocumentKey) -> Unit = {},
    val openOutbox: () -> Unit = {},
    val newNotice: (from: MeetingKey?) -> Unit = {},
    val call: (phone: String) -> Unit = {},
)

/** Trang chính. */
@Composable
fun HomeScreen(
    view: HomeView,
    actions: HomeActions,
) {
    Screen(stringResource(R.string.home_greeting, view.memberName)) {
        Remark(view.cellName)
        Delivery(view.delivery, actions.openOutbox)
        for (change in view.changes) {
            ChangePanel(change) { actions.acknowledge(change.meeting, change.noticeVersion) }
        }
        Heading(stringResource(R.string.home_next_meeting))
        val next = view.nextMeeting
        if (next == null) Words(stringResource(R.string.home_no_meeting)) else NextMeeting(next, actions)
        if (view.waiting.isNotEmpty()) {
            Heading(stringResource(R.string.home_waiting, view.waiting.size))
            for (item in view.waiting) Waiting(item, actions)
        }
        if (view.newDocuments.isNotEmpty()) {
            Heading(stringResource(R.string.home_new_documents))
            for (document in view.newDocuments) DocumentLine(document) { actions.openDocument(document.document) }
        }
        if (view.leads) ForSecretary(next?.meeting, actions)
        view.secretary?.phone?.let { phone ->
            OtherButton(stringResource(R.string.home_call_secretary), { actions.call(phone) })
        }
        Remark(stringResource(R.string.official_app_notice))
    }
}

@Composable
private fun Delivery(
    delivery: DeliveryView,
    onOpen: () -> Unit,
) {
    val unsent = delivery.unsent.toInt()
    when {
        unsent > 0 -> {
            Panel(tone = Tone.Attention, onClick = onOpen) {
                Words(stringResource(if (delivery.offline) R.string.not_sent_yet else R.string.waiting_to_be_sent))
                Words(stringResource(R.string.home_unsent, unsent))
            }
        }

        delivery.lastSyncedAt == null -> {
            Panel(tone = Tone.Attention) { Words(stringResource(R.string.home_never_synced)) }
        }

        delivery.offline -> {
            delivery.lastSyncedAt?.let {
                Remark(stringResource(R.string.home_last_synced, LocalContext.current.resources.dateTime(it)))
            }
        }
    }
}

@Composable
private fun NextMeeting(
    card: MeetingCard,
    actions: HomeActions,
) {
    Panel {
        WhenAndWhere(card)
        StandingAnswer(card)
        AnswerButtons(card, { actions.respond(card, it) }, { actions.askAbsence(card.meeting) })
        OtherButton(stringResource(R.string.home_open_meeting), { actions.openMeeting(card.meeting) })
    }
}

@Composable
private fun Waiting(
    item: WaitingItem,
    actions: HomeActions,
) {
    val text = LocalContext.current.resources.waiting(item)
    val open =
        when (item) {
            is WaitingItem.Acknowledge -> ({ actions.openMeeting(item.meeting) })
            is WaitingItem.Answer -> ({ actions.openMeeting(item.meeting) })
            is WaitingItem.Read -> ({ actions.openDocument(item.document) })
            is WaitingItem.DecideAbsences -> ({ actions.openAnswers(item.meeting) })
            is WaitingItem.ResolveMarks -> ({ actions.openRollCall(item.meeting) })
            is WaitingItem.Confirm -> ({ actions.openRollCall(item.meeting) })
            is WaitingItem.RatifyChair -> ({ actions.openRollCall(item.meeting) })
            is WaitingItem.UpdateApp, is WaitingItem.UpdateNeeded -> null
            is WaitingItem.Refused -> actions.openOutbox
        }
    Panel(onClick = open) { Words(text) }
}

/** What waits, as a line of the list. */
fun Resources.waiting(item: WaitingItem): String =
    when (item) {
        is WaitingItem.Acknowledge -> getString(R.string.waiting_acknowledge, item.title)
        is WaitingItem.Answer -> getString(R.string.waiting_answer, item.title, dateTime(item.answerBy))
        is WaitingItem.Read -> getString(R.string.waiting_read, item.title)
        is WaitingItem.DecideAbsences -> getString(R.string.waiting_decide, item.count.toInt(), item.title)
        is WaitingItem.ResolveMarks -> getString(R.string.waiting_resolve, item.count.toInt(), item.title)
        is WaitingItem.Confirm -> getString(R.string.waiting_confirm, item.title)
        is WaitingItem.RatifyChair -> getString(R.string.waiting_ratify, item.title)
        is WaitingItem.UpdateNeeded -> getString(R.string.waiting_update_needed, item.minimum)
        is WaitingItem.UpdateApp -> getString(R.string.waiting_update_app, item.count.toInt())
        is WaitingItem.Refused -> getString(R.string.waiting_refused, item.count.toInt())
    }

@Composable
private fun ForSecretary(
    next: MeetingKey?,
    actions: HomeActions,
) {
    Heading(stringResource(R.string.home_for_secretary))
    if (next != null) {
        MainButton(stringResource(R.string.meeting_roll_call), { actions.openRollCall(next) })
        OtherButton(stringResource(R.string.meeting_answers), { actions.openAnswers(next) })
        OtherButton(stringResource(R.string.home_new_notice_from_last), { actions.newNotice(next) })
    }
    OtherButton(stringResource(R.string.home_new_notice), { actions.newNotice(null) })
}
