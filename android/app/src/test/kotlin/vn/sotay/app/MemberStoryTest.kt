package vn.sotay.app

import androidx.compose.ui.test.junit4.createAndroidComposeRule
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import vn.sotay.client.AnswerLine
import vn.sotay.model.AbsenceReason
import vn.sotay.model.AbsenceState
import vn.sotay.model.Choice

/** A member joins by typing an invitation, answers, and asks to be excused; the secretary's phone sees it. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "vi-w360dp-h740dp-xhdpi", application = TestApplication::class)
class MemberStoryTest {
    @get:Rule
    val rule = createAndroidComposeRule<MainActivity>()
    private val commune = Commune()

    @After
    fun end() = commune.close()

    @Test
    fun `joins, answers, asks to be excused and is excused`() {
        val app = Story(rule)
        val secretary = commune.phone("secretary")
        val member = commune.name("member.vidu")
        val meeting =
            runBlocking {
                secretary.meetings.publishNotice(notice(inMinutes = 2880)).also { secretary.sync() }
            }

        suspend fun seenBySecretary(): AnswerLine {
            secretary.sync()
            return secretary.meetings
                .answers(meeting)
                .read()
                .lines
                .first { it.member == member }
        }

        app.type(R.string.join_address, commune.name("address"))
        app.type(R.string.join_code, "ABCD-EFGH")
        app.press(R.string.join_submit)
        app.sees(app.string(R.string.error_invitation_length, 8))
        app.clear(R.string.join_code)
        app.type(R.string.join_code, commune.name("code.a"))
        app.press(R.string.join_submit)
        app.sees(app.string(R.string.join_waiting))
        commune.confirm("all")
        app.sees(app.string(R.string.home_greeting, "Lê Văn Ví Dụ"))
        app.sees("Sinh hoạt thường kỳ tháng 12")

        app.press(R.string.home_will_attend)
        app.sees(app.string(R.string.meeting_answered, app.string(R.string.choice_will_attend)))
        app.until { seenBySecretary().answer?.choice is Choice.WillAttend }

        app.press(R.string.home_ask_absence)
        app.choose(app.string(R.string.reason_health))
        app.type(R.string.absence_note, "Tôi đi khám bệnh.")
        app.press(R.string.absence_send)
        app.sees(app.string(R.string.absence_mine, app.string(R.string.absence_waiting)))
        app.until { seenBySecretary().absence?.state is AbsenceState.Waiting }
        val asked = runBlocking { seenBySecretary().absence }
        assertEquals(AbsenceReason.Health to "Tôi đi khám bệnh.", asked?.reason to asked?.note)

        runBlocking {
            secretary.meetings.decideAbsence(meeting, member, true, "Chúc đồng chí mau khỏe.")
            secretary.sync()
        }
        app.sees(app.string(R.string.absence_mine, app.string(R.string.absence_granted)))
        app.sees("Chúc đồng chí mau khỏe.", substring = true)
    }
}
