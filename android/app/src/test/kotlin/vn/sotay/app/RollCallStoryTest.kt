package vn.sotay.app

import androidx.compose.ui.test.junit4.createAndroidComposeRule
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import vn.sotay.model.AttendanceMark

/** The secretary takes the roll call on the app; the deputy's phone marks one member otherwise, and confirms. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "vi-w360dp-h740dp-xhdpi", application = TestApplication::class)
class RollCallStoryTest {
    @get:Rule
    val rule = createAndroidComposeRule<MainActivity>()
    private val commune = Commune()

    @After
    fun end() = commune.close()

    @Test
    fun `opens, marks, decides between two marks, and two persons confirm`() {
        val app = Story(rule)
        val deputy = commune.phone("deputy")
        val meeting =
            runBlocking { deputy.meetings.publishNotice(notice(inMinutes = 10)).also { deputy.sync() } }

        fun button(
            name: String,
            label: Int,
        ) = app.string(R.string.roll_of_person, name, app.string(label))

        app.type(R.string.join_address, commune.name("address"))
        app.type(R.string.join_code, commune.name("code.secretary"))
        app.press(R.string.join_submit)
        app.sees(app.string(R.string.join_waiting))
        commune.confirm("all")
        app.sees("Sinh hoạt thường kỳ tháng 12")

        app.press(R.string.meeting_roll_call)
        app.press(
            app.string(
                R.string.roll_of_person,
                app.string(R.string.roll_minute_taker),
                app.string(R.string.roll_nobody),
            ),
        )
        app.choose("Trần Thị Mẫu")
        app.press(R.string.roll_open)
        app.sees(app.string(R.string.roll_summary, 0, 6))

        // The deputy marks one member otherwise, before the secretary's mark is known.
        app.until {
            deputy.sync()
            deputy.meetings
                .rollCall(meeting)
                .read()
                .openedAt != null
        }
        runBlocking {
            deputy.meetings.markAttendance(meeting, commune.name("member.vidu"), AttendanceMark.AbsentUnexcused)
        }

        for (name in listOf("Nguyễn Văn Thử", "Trần Thị Mẫu", "Lê Văn Ví Dụ", "Hoàng Văn Mẫu Hai", "Vũ Thị Mẫu Miễn")) {
            app.press(button(name, R.string.roll_present))
        }
        app.press(button("Hoàng Văn Mẫu Hai", R.string.roll_late))
        app.press(button("Phạm Thị Mẫu Một", R.string.roll_absent_ask))
        app.press(button("Phạm Thị Mẫu Một", R.string.roll_excused))
        app.press(button("Đặng Văn Mẫu Ba", R.string.roll_absent_ask))
        app.press(button("Đặng Văn Mẫu Ba", R.string.roll_excused))
        app.press(button("Đặng Văn Mẫu Ba", R.string.roll_undo))
        app.sees(app.string(R.string.roll_summary, 5, 1))
        app.press(button("Đặng Văn Mẫu Ba", R.string.roll_absent_ask))
        app.press(button("Đặng Văn Mẫu Ba", R.string.roll_unexcused))
        app.sees(app.string(R.string.roll_summary, 5, 0))

        runBlocking { deputy.sync() }
        val choosePresent = app.string(R.string.roll_choose, app.string(R.string.mark_present))
        app.press(app.string(R.string.roll_of_person, "Lê Văn Ví Dụ", choosePresent))
        app.seesNo(app.string(R.string.roll_conflict))

        app.press(R.string.roll_confirm)
        app.until {
            deputy.sync()
            deputy.meetings
                .rollCall(meeting)
                .read()
                .confirmations
                .any { it.valid }
        }
        runBlocking {
            val sheet = deputy.meetings.rollCall(meeting).read()
            assertEquals(listOf(5u, 2u, 0u, 0u), listOf(sheet.present, sheet.absent, sheet.unmarked, sheet.conflicts))
            assertTrue(sheet.mayConfirm)
            deputy.meetings.confirmRollCall(meeting, sheet.seen)
            deputy.sync()
        }
        app.sees(app.string(R.string.roll_confirmed, 1))
        app.sees(app.string(R.string.figures_title))
        val figures = runBlocking { deputy.meetings.rollCall(meeting).read() }.confirmed?.figures
        assertEquals(listOf(1u, 1u), listOf(figures?.absentExcused, figures?.absentUnexcused))
    }
}
