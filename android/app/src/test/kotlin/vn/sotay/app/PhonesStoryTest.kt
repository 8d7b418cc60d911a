package vn.sotay.app

import android.os.Build
import androidx.compose.ui.semantics.SemanticsProperties
import androidx.compose.ui.semantics.getOrNull
import androidx.compose.ui.test.SemanticsMatcher
import androidx.compose.ui.test.hasContentDescription
import androidx.compose.ui.test.hasText
import androidx.compose.ui.test.junit4.createAndroidComposeRule
import androidx.compose.ui.test.onFirst
import androidx.compose.ui.test.performClick
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import vn.sotay.app.design.spelled
import vn.sotay.client.Confirmation
import vn.sotay.client.HandbookException

/** Six digits on the app: as the member who joins, and as the secretary who invites and confirms. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "vi-w360dp-h740dp-xhdpi", application = TestApplication::class)
class PhonesStoryTest {
    @get:Rule
    val rule = createAndroidComposeRule<MainActivity>()
    private val commune = Commune()
    private val code =
        SemanticsMatcher(
            "an invitation's code",
        ) {
            code(
                it.config
                    .getOrNull(SemanticsProperties.Text)
                    ?.firstOrNull()
                    ?.text,
            )
        }

    private fun code(text: String?) = text != null && Regex("[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{5}").matches(text)

    @After
    fun end() = commune.close()

    private fun join(
        app: Story,
        code: String,
    ) {
        app.type(R.string.join_address, commune.name("address"))
        app.type(R.string.join_code, commune.name(code))
        app.press(R.string.join_submit)
    }

    @Test
    fun `auth 4 the member reads out six digits, an officer confirms them, and the handbook opens by itself`() {
        val app = Story(rule)
        val deputy = commune.phone("deputy")
        join(app, "code.a")
        app.sees(app.string(R.string.join_read_out))
        val waiting = runBlocking { deputy.phones.joining() }.single()
        app.sees(waiting.digits.chunked(3).joinToString(" "))
        // A screen reader says them one by one.
        assertEquals("4 2 8, 1 9 7", spelled("428197"))
        assertEquals(1, rule.onAllNodes(hasContentDescription(spelled(waiting.digits))).fetchSemanticsNodes().size)
        assertTrue(
            runBlocking { deputy.phones.confirm(waiting.installation, waiting.digits) } is Confirmation.Confirmed,
        )
        app.sees(app.string(R.string.home_greeting, "Lê Văn Ví Dụ"))
    }

    @Test
    fun `auth 4 the secretary invites a member, compares the digits, confirms, and refuses a second phone`() {
        val app = Story(rule)
        join(app, "code.secretary")
        app.sees(app.string(R.string.join_read_out))
        commune.confirm("all")
        app.sees(app.string(R.string.home_greeting, "Nguyễn Văn Thử"))

        rule.onAllNodes(hasText(app.string(R.string.tab_profile))).onFirst().performClick()
        app.press(R.string.phones_title)
        app.sees(app.string(R.string.phones_here))
        app.press(R.string.invite_title)
        app.choose("Lê Văn Ví Dụ")
        app.press(R.string.invite_make)
        app.sees(commune.name("address"))
        val typed =
            rule
                .onNode(code)
                .fetchSemanticsNode()
                .config[SemanticsProperties.Text]
                .first()
                .text
        app.press(R.string.close)

        val member = commune.emptyPhone()
        val joining = runBlocking { member.join("${commune.name("address")} $typed", "Máy của đồng chí Ví Dụ") }
        app.press(R.string.joining_title)
        app.sees(app.string(R.string.joining_device, "Máy của đồng chí Ví Dụ"))
        app.sees(joining.digits.chunked(3).joinToString(" "))
        app.press(app.string(R.string.joining_same_of, "Lê Văn Ví Dụ"))
        app.sees(app.string(R.string.joining_confirmed, "Lê Văn Ví Dụ"))
        assertEquals("Lê Văn Ví Dụ", runBlocking { member.finishJoining() }?.memberName)
        app.sees(app.string(R.string.joining_nobody))

        // Somebody else's phone comes by the invitation of another member, and shows other digits.
        val other = commune.emptyPhone()
        runBlocking { other.join(commune.name("invitation.b"), "Máy lạ") }
        app.press(app.string(R.string.joining_other_of, "Phạm Thị Mẫu Một"))
        app.press(app.string(R.string.joining_refuse_of, "Phạm Thị Mẫu Một"))
        app.sees(app.string(R.string.joining_refused, "Phạm Thị Mẫu Một"))
        app.until { runCatching { other.finishJoining() }.isFailure }

        // The own phone gets another name.
        app.press(R.string.back)
        app.press(app.string(R.string.phones_rename_this, Build.MODEL))
        app.clear(R.string.phones_name)
        app.type(R.string.phones_name, "Máy của bí thư")
        app.press(R.string.phones_save)
        app.sees("Máy của bí thư")
        app.seesNo(app.string(R.string.phones_save))
    }

    @Test
    fun `loss a member removes a lost phone from another one, and it is wiped`() {
        val app = Story(rule)
        join(app, "code.a")
        app.sees(app.string(R.string.join_read_out))
        commune.confirm("all")
        app.sees(app.string(R.string.home_greeting, "Lê Văn Ví Dụ"))
        val secretary = commune.phone("secretary")
        val lost = commune.emptyPhone()
        runBlocking {
            commune.confirm(
                lost.join(secretary.phones.invite(commune.name("member.vidu"), 1).text, "Máy đã mất").digits,
            )
            lost.finishJoining()
            lost.sync()
        }
        rule.onAllNodes(hasText(app.string(R.string.tab_profile))).onFirst().performClick()
        app.press(R.string.phones_title)
        app.press(app.string(R.string.phones_remove_this, "Máy đã mất"))
        app.press(R.string.phones_remove_yes)
        app.seesNo("Máy đã mất")
        val why = runBlocking { runCatching { lost.sync() } }.exceptionOrNull()
        assertTrue("$why", why is HandbookException.Revoked)
    }
}
