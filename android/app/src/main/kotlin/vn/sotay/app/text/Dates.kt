package vn.sotay.app.text

import android.content.res.Resources
import vn.sotay.app.R
import java.time.Instant
import java.time.LocalDate
import java.time.LocalTime
import java.time.ZoneId

/** Meetings are held in Vietnam, wherever the phone is. */
val VIETNAM: ZoneId = ZoneId.of("Asia/Ho_Chi_Minh")

fun Instant.day(): LocalDate = atZone(VIETNAM).toLocalDate()

fun Instant.timeOfDay(): LocalTime = atZone(VIETNAM).toLocalTime()

/** "19 giờ 30" */
fun Resources.time(time: LocalTime): String =
    if (time.minute == 0) {
        getString(R.string.time_hour, time.hour)
    } else {
        getString(R.string.time_hour_minute, time.hour, time.minute)
    }

/** "thứ Hai 05/01"; with the year where it is another than today's. */
fun Resources.day(
    day: LocalDate,
    today: LocalDate = LocalDate.now(VIETNAM),
): String {
    val weekday = getStringArray(R.array.weekdays)[day.dayOfWeek.value - 1]
    return if (day.year == today.year) {
        getString(R.string.date_weekday, weekday, day.dayOfMonth, day.monthValue)
    } else {
        getString(R.string.date_weekday_year, weekday, day.dayOfMonth, day.monthValue, day.year)
    }
}

/** "05/01/2026" */
fun Resources.plainDay(day: LocalDate): String =
    getString(R.string.date_plain, day.dayOfMonth, day.monthValue, day.year)

/** "19 giờ 30, thứ Hai 05/01" */
fun Resources.dateTime(
    at: Instant,
    today: LocalDate = LocalDate.now(VIETNAM),
): String = getString(R.string.date_time, time(at.timeOfDay()), day(at.day(), today))

/** "19 giờ 30 đến 21 giờ, thứ Hai 05/01", or two whole instants where it goes past midnight. */
fun Resources.dateTimeSpan(
    from: Instant,
    until: Instant,
    today: LocalDate = LocalDate.now(VIETNAM),
): String =
    if (from.day() == until.day()) {
        val times = getString(R.string.time_span, time(from.timeOfDay()), time(until.timeOfDay()))
        getString(R.string.date_time, times, day(from.day(), today))
    } else {
        getString(R.string.time_span, dateTime(from, today), dateTime(until, today))
    }
