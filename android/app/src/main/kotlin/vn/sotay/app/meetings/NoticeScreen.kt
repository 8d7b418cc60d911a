package vn.sotay.app.meetings

import android.app.DatePickerDialog
import android.app.TimePickerDialog
import android.content.Context
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import vn.sotay.app.R
import vn.sotay.app.design.Choices
import vn.sotay.app.design.Field
import vn.sotay.app.design.Heading
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.OtherButton
import vn.sotay.app.design.Screen
import vn.sotay.app.design.Tick
import vn.sotay.app.design.WhoSees
import vn.sotay.app.text.VIETNAM
import vn.sotay.app.text.day
import vn.sotay.app.text.name
import vn.sotay.app.text.time
import vn.sotay.app.text.timeOfDay
import vn.sotay.client.DocumentCard
import vn.sotay.client.NoticeForm
import vn.sotay.model.MeetingKind
import vn.sotay.model.MeetingMode
import java.time.Instant
import java.time.LocalDate
import java.time.LocalTime

private val kinds =
    listOf(
        MeetingKind.Regular,
        MeetingKind.Thematic,
        MeetingKind.Extraordinary,
        MeetingKind.Committee,
        MeetingKind.MembersConference,
        MeetingKind.Congress,
    )
private val modes = listOf(MeetingMode.InRoom, MeetingMode.Online, MeetingMode.Mixed)

/** The notice: a new one, or a [change] of one. [documents] are those that can be sent along. */
@Composable
fun NoticeScreen(
    filled: NoticeForm,
    change: Boolean,
    documents: List<DocumentCard>,
    onPublish: (NoticeForm, urgent: Boolean) -> Unit,
    back: () -> Unit,
) {
    val context = LocalContext.current
    val resources = context.resources
    var form by remember(filled) { mutableStateOf(filled) }
    // Lines are kept as typed, else an empty line under the pen would vanish.
    var agenda by remember(filled) { mutableStateOf(filled.agenda.joinToString("\n")) }
    var guests by remember(filled) { mutableStateOf(filled.guests.joinToString("\n")) }
    var urgent by remember(filled) { mutableStateOf(false) }
    Screen(stringResource(if (change) R.string.notice_change_title else R.string.notice_new_title), back = back) {
        Field(stringResource(R.string.notice_name), form.title, { form = form.copy(title = it) }, lines = 2)
        OtherButton(
            stringResource(R.string.notice_day, resources.day(form.startsAt.day())),
            {
                context.askDay(form.startsAt.day()) {
                    form =
                        form.copy(startsAt = form.startsAt.on(it), endsAt = form.endsAt.on(it))
                }
            },
        )
        OtherButton(
            stringResource(R.string.notice_starts, resources.time(form.startsAt.timeOfDay())),
            { context.askTime(form.startsAt.timeOfDay()) { form = form.copy(startsAt = form.startsAt.at(it)) } },
        )
        OtherButton(
            stringResource(R.string.notice_ends, resources.time(form.endsAt.timeOfDay())),
            { context.askTime(form.endsAt.timeOfDay()) { form = form.copy(endsAt = form.endsAt.at(it)) } },
        )
        Field(stringResource(R.string.notice_place), form.place, { form = form.copy(place = it) }, lines = 2)
        Field(stringResource(R.string.notice_agenda), agenda, { agenda = it }, lines = 4)
        if (!change) {
            Heading(stringResource(R.string.notice_kind))
            Choices(kinds, form.kind, resources::name) { form = form.copy(kind = it) }
        }
        Heading(stringResource(R.string.notice_mode))
        Choices(modes, form.mode, resources::name) { form = form.copy(mode = it) }
        if (documents.isNotEmpty()) {
            Heading(stringResource(R.string.notice_documents))
            for (card in documents) {
                val ticked = card.document in form.documents
                Tick(card.title, ticked) {
                    val kept = form.documents - card.document
                    form = form.copy(documents = if (it) kept + card.document else kept)
                }
            }
        }
        Field(stringResource(R.string.notice_guests), guests, { guests = it }, lines = 2)
        if (change) Tick(stringResource(R.string.notice_urgent), urgent) { urgent = it }
        WhoSees(stringResource(R.string.who_sees_cell))
        MainButton(
            stringResource(if (change) R.string.notice_save else R.string.notice_publish),
            { onPublish(form.copy(agenda = agenda.entries(), guests = guests.entries()), urgent) },
        )
    }
}

private fun String.entries(): List<String> = lines().map { it.trim() }.filter { it.isNotEmpty() }

private fun Instant.on(day: LocalDate): Instant = timeOfDay().atDate(day).atZone(VIETNAM).toInstant()

private fun Instant.at(time: LocalTime): Instant = day().atTime(time).atZone(VIETNAM).toInstant()

private fun Context.askDay(
    day: LocalDate,
    onChoose: (LocalDate) -> Unit,
) = DatePickerDialog(
    this,
    { _, year, month, date -> onChoose(LocalDate.of(year, month + 1, date)) },
    day.year,
    day.monthValue - 1,
    day.dayOfMonth,
).show()

private fun Context.askTime(
    time: LocalTime,
    onChoose: (LocalTime) -> Unit,
) = TimePickerDialog(
    this,
    { _, hour, minute -> onChoose(LocalTime.of(hour, minute)) },
    time.hour,
    time.minute,
    true,
).show()
