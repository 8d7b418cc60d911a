package vn.sotay.app.text

import android.content.res.Resources
import vn.sotay.app.R
import vn.sotay.client.NoticeDifference
import java.time.Instant
import java.time.LocalDate

/** What changed: a heading, and the lines below it. */
data class DifferenceText(
    val heading: String,
    val lines: List<String>,
)

/** "Đã đổi giờ": "19 giờ → 19 giờ 30". The day is only written where it is another one. */
fun Resources.difference(
    difference: NoticeDifference,
    today: LocalDate = LocalDate.now(VIETNAM),
): DifferenceText =
    when (difference) {
        is NoticeDifference.Title -> {
            changed(R.string.diff_title, difference.before, difference.after)
        }

        is NoticeDifference.Place -> {
            changed(R.string.diff_place, difference.before, difference.after)
        }

        is NoticeDifference.Mode -> {
            changed(R.string.diff_mode, name(difference.before), name(difference.after))
        }

        is NoticeDifference.StartsAt -> {
            if (difference.before.day() == difference.after.day()) {
                times(R.string.diff_starts_at, difference.before, difference.after, today)
            } else {
                times(R.string.diff_starts_at_day, difference.before, difference.after, today)
            }
        }

        is NoticeDifference.EndsAt -> {
            times(R.string.diff_ends_at, difference.before, difference.after, today)
        }

        is NoticeDifference.AnswerBy -> {
            times(R.string.diff_answer_by, difference.before, difference.after, today)
        }

        is NoticeDifference.AbsenceBy -> {
            times(R.string.diff_absence_by, difference.before, difference.after, today)
        }

        is NoticeDifference.Agenda -> {
            entries(R.string.diff_agenda, difference.added, difference.removed)
        }

        is NoticeDifference.Guests -> {
            entries(R.string.diff_guests, difference.added, difference.removed)
        }

        is NoticeDifference.Documents -> {
            val text = entries(R.string.diff_documents, difference.added.map { it.title }, emptyList())
            val removed = difference.removed.toInt()
            if (removed == 0) text else text.copy(lines = text.lines + getString(R.string.diff_removed_count, removed))
        }
    }

private fun Resources.changed(
    heading: Int,
    before: String,
    after: String,
) = DifferenceText(getString(heading), listOf(getString(R.string.change_arrow, before, after)))

private fun Resources.times(
    heading: Int,
    before: Instant,
    after: Instant,
    today: LocalDate,
) = if (before.day() == after.day()) {
    changed(heading, time(before.timeOfDay()), time(after.timeOfDay()))
} else {
    changed(heading, dateTime(before, today), dateTime(after, today))
}

private fun Resources.entries(
    heading: Int,
    added: List<String>,
    removed: List<String>,
) = DifferenceText(
    getString(heading),
    added.map { getString(R.string.diff_added, it) } + removed.map { getString(R.string.diff_removed, it) },
)
