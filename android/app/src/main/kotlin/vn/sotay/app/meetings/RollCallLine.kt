@file:OptIn(ExperimentalLayoutApi::class)

package vn.sotay.app.meetings

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.ExperimentalLayoutApi
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.FlowRowScope
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import vn.sotay.app.R
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.OtherButton
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Tick
import vn.sotay.app.design.Tone
import vn.sotay.app.design.Words
import vn.sotay.app.text.name
import vn.sotay.client.LineView
import vn.sotay.model.AttendanceMark
import vn.sotay.model.MemberStatus
import vn.sotay.model.ParticipationMode

private val here = listOf(AttendanceMark.Present, AttendanceMark.Late, AttendanceMark.LeftEarly)

/** One member's line of the roll call: what is marked, and what can be marked. */
@Composable
fun RollCallLine(
    line: LineView,
    mayMark: Boolean,
    actions: RollCallActions,
) {
    val tone =
        when {
            line.conflict -> Tone.Important
            line.mark in here -> Tone.Good
            line.mark is AttendanceMark.Unmarked -> Tone.Plain
            else -> Tone.Attention
        }
    Panel(tone = tone) {
        Words(line.name, style = MaterialTheme.typography.titleLarge)
        Known(line)
        if (line.conflict) {
            Conflict(line, mayMark, actions)
        } else if (line.mark is AttendanceMark.Unmarked) {
            if (mayMark) Unmarked(line, actions)
        } else {
            Words(markText(line.mark, line.mode), style = MaterialTheme.typography.titleMedium)
            if (mayMark) Marked(line, actions)
        }
        for (objection in line.objections) Words(stringResource(R.string.roll_objection, objection.text))
    }
}

/** What the office knew beforehand. */
@Composable
private fun Known(line: LineView) {
    val resources = LocalContext.current.resources
    if (line.convenedAs is MemberStatus.Exempt) {
        Words(stringResource(R.string.roll_exempt))
    } else if (line.convenedAs !is MemberStatus.Official) {
        Remark(resources.name(line.convenedAs))
    }
    line.expected?.let { Remark(stringResource(R.string.roll_expected, resources.name(it))) }
    line.absence?.let { Remark(stringResource(R.string.absence_mine, resources.name(it))) }
    if (line.pending) Remark(stringResource(R.string.waiting_to_be_sent))
}

@Composable
private fun Unmarked(
    line: LineView,
    actions: RollCallActions,
) {
    var absent by remember(line.member) { mutableStateOf(false) }
    Buttons {
        if (absent) {
            Mark(line, R.string.roll_excused, AttendanceMark.AbsentExcused, actions)
            Mark(line, R.string.roll_unexcused, AttendanceMark.AbsentUnexcused, actions)
            OtherButton(
                stringResource(R.string.cancel),
                { absent = false },
                Modifier.weight(1f),
                spoken = spoken(line, R.string.cancel),
            )
        } else {
            MainButton(
                stringResource(R.string.roll_present),
                { actions.mark(line.member, AttendanceMark.Present, ParticipationMode.InRoom, line.voted) },
                Modifier.weight(1f),
                spoken = spoken(line, R.string.roll_present),
            )
            OtherButton(
                stringResource(R.string.roll_absent_ask),
                { absent = true },
                Modifier.weight(1f),
                spoken = spoken(line, R.string.roll_absent_ask),
            )
        }
    }
}

@Composable
private fun Marked(
    line: LineView,
    actions: RollCallActions,
) {
    val present = line.mark in here
    if (present && line.convenedAs is MemberStatus.Exempt) {
        Tick(stringResource(R.string.roll_voted), line.voted) { actions.mark(line.member, line.mark, line.mode, it) }
    }
    Buttons {
        if (present && line.mark !is AttendanceMark.Late) {
            Mark(line, R.string.roll_late, AttendanceMark.Late, actions)
        }
        if (present && line.mode !is ParticipationMode.Online) {
            OtherButton(
                stringResource(R.string.roll_online),
                { actions.mark(line.member, line.mark, ParticipationMode.Online, line.voted) },
                Modifier.weight(1f),
                spoken = spoken(line, R.string.roll_online),
            )
        }
        Mark(line, R.string.roll_undo, AttendanceMark.Unmarked, actions)
    }
}

@Composable
private fun FlowRowScope.Mark(
    line: LineView,
    label: Int,
    mark: AttendanceMark,
    actions: RollCallActions,
) {
    // A change of the mark keeps the way of taking part; a new one begins in the room.
    val mode = if (mark in here) line.mode else ParticipationMode.InRoom
    OtherButton(
        stringResource(label),
        { actions.mark(line.member, mark, mode, line.voted) },
        Modifier.weight(1f),
        spoken = spoken(line, label),
    )
}

/** Both marks, and who made them; whoever takes the roll call chooses. */
@Composable
private fun Conflict(
    line: LineView,
    mayMark: Boolean,
    actions: RollCallActions,
) {
    val resources = LocalContext.current.resources
    Words(stringResource(R.string.roll_conflict))
    for (mark in line.marks) {
        Words(
            stringResource(
                R.string.roll_mark_by,
                mark.by.name,
                resources.name(mark.source),
                markText(mark.mark, mark.mode),
            ),
        )
    }
    if (!mayMark) return
    for (mark in line.marks.map { it.mark }.distinct()) {
        val label = stringResource(R.string.roll_choose, resources.name(mark))
        OtherButton(
            label,
            { actions.resolve(line.member, mark) },
            spoken = stringResource(R.string.roll_of_person, line.name, label),
        )
    }
}

/** Side by side where they fit; below each other with large text. */
@Composable
private fun Buttons(content: @Composable FlowRowScope.() -> Unit) =
    FlowRow(
        Modifier.fillMaxWidth(),
        horizontalArrangement = Arrangement.spacedBy(8.dp),
        verticalArrangement = Arrangement.spacedBy(8.dp),
        content = content,
    )

/** Which of the many buttons that look alike: "Nguyễn Văn Thử: Có mặt". */
@Composable
private fun spoken(
    line: LineView,
    label: Int,
): String = stringResource(R.string.roll_of_person, line.name, stringResource(label))
