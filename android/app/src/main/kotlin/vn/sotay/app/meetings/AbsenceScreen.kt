package vn.sotay.app.meetings

import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableIntStateOf
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import vn.sotay.app.R
import vn.sotay.app.design.Choices
import vn.sotay.app.design.Field
import vn.sotay.app.design.Heading
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Screen
import vn.sotay.app.design.WhoSees
import vn.sotay.app.text.dateTime
import vn.sotay.app.text.name
import vn.sotay.client.MeetingView
import vn.sotay.model.AbsenceReason

private val reasons =
    listOf(AbsenceReason.Health, AbsenceReason.Family, AbsenceReason.Work, AbsenceReason.Away, AbsenceReason.Other)

/** Xin vắng: one of five reasons, and more in own words. */
@Composable
fun AbsenceScreen(
    view: MeetingView,
    onSend: (AbsenceReason, note: String?) -> Unit,
    back: () -> Unit,
) {
    val resources = LocalContext.current.resources
    var chosen by rememberSaveable { mutableIntStateOf(-1) }
    var note by rememberSaveable { mutableStateOf("") }
    Screen(stringResource(R.string.absence_title), back = back) {
        Remark("${view.card.title}\n${resources.dateTime(view.card.startsAt)}")
        Heading(stringResource(R.string.absence_why))
        Choices(reasons, reasons.getOrNull(chosen), resources::name) { chosen = reasons.indexOf(it) }
        Field(stringResource(R.string.absence_note), note, { note = it }, lines = 2)
        WhoSees(stringResource(R.string.who_sees_office))
        MainButton(
            stringResource(R.string.absence_send),
            { onSend(reasons[chosen], note.trim().ifEmpty { null }) },
            enabled = chosen >= 0,
        )
    }
}
