package vn.sotay.app.meetings

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.lazy.LazyColumn
import androidx.compose.foundation.lazy.items
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.platform.testTag
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import vn.sotay.app.R
import vn.sotay.app.design.Choices
import vn.sotay.app.design.Heading
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.OtherButton
import vn.sotay.app.design.Panel
import vn.sotay.app.design.TitleBar
import vn.sotay.app.design.Tone
import vn.sotay.app.design.WhoSees
import vn.sotay.app.design.Words
import vn.sotay.app.text.name
import vn.sotay.client.ConfirmationWait
import vn.sotay.client.PersonName
import vn.sotay.client.RollCallView
import vn.sotay.model.AttendanceMark
import vn.sotay.model.MemberId
import vn.sotay.model.ParticipationMode

/** What the roll call can lead to. */
class RollCallActions(
    val open: (chair: MemberId, minuteTaker: MemberId?) -> Unit = { _, _ -> },
    val mark: (MemberId, AttendanceMark, ParticipationMode, voted: Boolean) -> Unit = { _, _, _, _ -> },
    val resolve: (MemberId, AttendanceMark) -> Unit = { _, _ -> },
    val ratify: () -> Unit = {},
    val confirm: (seen: ByteArray) -> Unit = {},
)

/**
 * Điểm danh. The summary stays in sight; the list scrolls below it. Before it is opened, chair and minute-taker are chosen among
 * [people]; [me] is proposed as the chair.
 */
@Composable
fun RollCallScreen(
    view: RollCallView,
    me: MemberId?,
    people: List<PersonName>,
    actions: RollCallActions,
    back: () -> Unit,
) {
    Surface(Modifier.fillMaxSize(), color = MaterialTheme.colorScheme.background) {
        Column {
            TitleBar(stringResource(R.string.roll_title), back)
            if (view.openedAt != null) Summary(view)
            LazyColumn(
                Modifier.fillMaxSize().testTag("roll call"),
                contentPadding = PaddingValues(start = 16.dp, end = 16.dp, top = 8.dp, bottom = 24.dp),
                verticalArrangement = Arrangement.spacedBy(12.dp),
            ) {
                item { Words(view.title, style = MaterialTheme.typography.titleMedium) }
                if (view.openedAt == null) {
                    item { Opening(view, me, people, actions) }
                } else {
                    view.assumed?.let { why -> item { Assumed(why, view.ratified, actions) } }
                    items(view.lines, key = { it.member }) { line ->
                        RollCallLine(line, view.mayMark && view.confirmed == null, actions)
                    }
                    item { Confirming(view, actions) }
                    (view.confirmed?.figures ?: view.figures)?.let { item { FiguresPanel(it) } }
                }
                item { WhoSees(stringResource(R.string.who_sees_cell)) }
            }
        }
    }
}

@Composable
private fun Summary(view: RollCallView) {
    Surface(Modifier.fillMaxWidth(), color = MaterialTheme.colorScheme.surfaceContainerHigh) {
        Column(
            Modifier
                .padding(horizontal = 16.dp, vertical = 10.dp)
                .semantics(mergeDescendants = true) { liveRegion = LiveRegionMode.Polite },
        ) {
            Words(
                stringResource(R.string.roll_summary, view.present.toInt(), view.unmarked.toInt()),
                style = MaterialTheme.typography.titleLarge,
            )
            if (view.absent > 0u) Words(stringResource(R.string.roll_absent, view.absent.toInt()))
        }
    }
}

@Composable
private fun Opening(
    view: RollCallView,
    me: MemberId?,
    people: List<PersonName>,
    actions: RollCallActions,
) {
    var chair by rememberSaveable { mutableStateOf(view.chair?.member ?: me) }
    var minuteTaker by rememberSaveable { mutableStateOf(view.minuteTaker?.member) }
    Column(verticalArrangement = Arrangement.spacedBy(12.dp)) {
        Words(stringResource(R.string.roll_open_explained))
        Person(R.string.roll_chair, people, chair) { chair = it }
        Person(R.string.roll_minute_taker, people.filter { it.member != chair }, minuteTaker) { minuteTaker = it }
        MainButton(
            stringResource(R.string.roll_open),
            { chair?.let { actions.open(it, minuteTaker) } },
            enabled = chair != null && chair != minuteTaker,
        )
    }
}

/** Who it is; the list to choose from unfolds on demand. */
@Composable
private fun Person(
    label: Int,
    people: List<PersonName>,
    chosen: MemberId?,
    onChoose: (MemberId) -> Unit,
) {
    var choosing by rememberSaveable { mutableStateOf(false) }
    val nobody = stringResource(R.string.roll_nobody)
    val name = people.firstOrNull { it.member == chosen }?.name ?: nobody
    Heading(stringResource(label))
    if (choosing) {
        Choices(people.map { it.member }, chosen, { id -> people.first { it.member == id }.name }) {
            choosing = false
            onChoose(it)
        }
    } else {
        OtherButton(
            name,
            { choosing = true },
            spoken = stringResource(R.string.roll_of_person, stringResource(label), name),
        )
    }
}

@Composable
private fun Assumed(
    why: String,
    ratified: Boolean,
    actions: RollCallActions,
) {
    Panel(tone = Tone.Attention) {
        Words(stringResource(R.string.roll_assumed, why))
        if (!ratified) OtherButton(stringResource(R.string.roll_ratify), actions.ratify)
    }
}

@Composable
private fun Confirming(
    view: RollCallView,
    actions: RollCallActions,
) {
    Column(verticalArrangement = Arrangement.spacedBy(12.dp)) {
        val confirmed = view.confirmed
        if (confirmed != null) {
            Panel(tone = Tone.Good) {
                Words(
                    stringResource(R.string.roll_confirmed, confirmed.number.toInt()),
                    style = MaterialTheme.typography.titleMedium,
                )
                Words(stringResource(R.string.roll_confirmed_by, confirmed.confirmedBy.joinToString { it.name }))
            }
            return@Column
        }
        val by = view.confirmations.filter { it.valid }
        if (by.isNotEmpty()) Words(stringResource(R.string.roll_confirmed_by, by.joinToString { it.by.name }))
        if (view.waitsFor.isNotEmpty()) {
            Panel(tone = Tone.Attention) {
                Words(stringResource(R.string.roll_waits), style = MaterialTheme.typography.titleMedium)
                for (wait in view.waitsFor) Words(waitText(wait))
            }
        }
        MainButton(stringResource(R.string.roll_confirm), { actions.confirm(view.seen) }, enabled = view.mayConfirm)
    }
}

@Composable
private fun waitText(wait: ConfirmationWait): String =
    when (wait) {
        is ConfirmationWait.Opening -> stringResource(R.string.roll_wait_opening)
        is ConfirmationWait.Marks -> stringResource(R.string.roll_wait_marks, wait.count.toInt())
        is ConfirmationWait.Conflicts -> stringResource(R.string.roll_wait_conflicts, wait.count.toInt())
        is ConfirmationWait.Chair -> stringResource(R.string.roll_wait_chair)
        is ConfirmationWait.SecondPerson -> stringResource(R.string.roll_wait_second)
        is ConfirmationWait.Ratification -> stringResource(R.string.roll_wait_ratify)
    }

/** What a mark is called, and in which way where that is not the usual one. */
@Composable
fun markText(
    mark: AttendanceMark,
    mode: ParticipationMode,
): String {
    val resources = LocalContext.current.resources
    val name = resources.name(mark)
    val present = mark is AttendanceMark.Present || mark is AttendanceMark.Late || mark is AttendanceMark.LeftEarly
    return if (present && mode is ParticipationMode.Online) "$name (${stringResource(R.string.roll_online)})" else name
}
