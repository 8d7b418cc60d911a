package vn.sotay.app.meetings

import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import vn.sotay.app.R
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Screen
import vn.sotay.app.design.Words
import vn.sotay.app.text.dateTime
import vn.sotay.app.text.name
import vn.sotay.client.MeetingCard
import vn.sotay.client.MeetingPage
import vn.sotay.client.MeetingStage
import vn.sotay.model.AbsenceState
import vn.sotay.model.MeetingKey

/** Cuộc họp: those to come, the next one first, then past ones. */
@Composable
fun MeetingsScreen(
    page: MeetingPage,
    onOpen: (MeetingKey) -> Unit,
) {
    Screen(stringResource(R.string.meetings_title)) {
        if (page.meetings.isEmpty()) Words(stringResource(R.string.meetings_none))
        for (card in page.meetings) MeetingLine(card) { onOpen(card.meeting) }
    }
}

@Composable
private fun MeetingLine(
    card: MeetingCard,
    onOpen: () -> Unit,
) {
    val resources = LocalContext.current.resources
    Panel(onClick = onOpen) {
        Words(resources.dateTime(card.startsAt), style = MaterialTheme.typography.titleMedium)
        Words(card.title)
        Remark(card.place)
        if (card.stage != MeetingStage.ANNOUNCED) Words(stringResource(stageName(card.stage)))
        val absence = card.myAbsence?.takeIf { it.state !is AbsenceState.Withdrawn }
        val answer = card.myAnswer
        if (absence != null) {
            Remark(stringResource(R.string.absence_mine, resources.name(absence.state)))
        } else if (answer != null) {
            Remark(stringResource(R.string.meeting_answered, resources.name(answer.choice)))
        }
    }
}

/** Where a meeting stands. */
fun stageName(stage: MeetingStage): Int =
    when (stage) {
        MeetingStage.ANNOUNCED -> R.string.stage_announced
        MeetingStage.CANCELLED -> R.string.stage_cancelled
        MeetingStage.OPEN -> R.string.stage_open
        MeetingStage.CONFIRMED -> R.string.stage_confirmed
    }
