package vn.sotay.app

import android.app.Activity
import android.content.Intent
import android.net.Uri
import androidx.compose.ui.test.hasText
import androidx.compose.ui.test.junit4.createAndroidComposeRule
import androidx.compose.ui.test.onFirst
import androidx.compose.ui.test.performClick
import kotlinx.coroutines.runBlocking
import org.json.JSONObject
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import java.io.ByteArrayOutputStream

/** Coming by a link, taking along what is kept about oneself, and leaving. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "vi-w360dp-h740dp-xhdpi", application = TestApplication::class)
class LeavingStoryTest {
    @get:Rule
    val rule = createAndroidComposeRule<MainActivity>()
    private val commune = Commune()
    private val app = Story(rule)

    @After
    fun end() = commune.close()

    private fun joined(
        code: String,
        name: String,
    ) {
        app.type(R.string.join_address, commune.name("address"))
        app.type(R.string.join_code, commune.name(code))
        app.press(R.string.join_submit)
        app.sees(app.string(R.string.join_read_out))
        commune.confirm("all")
        app.sees(app.string(R.string.home_greeting, name))
        openProfile()
    }

    private fun openProfile() = rule.onAllNodes(hasText(app.string(R.string.tab_profile))).onFirst().performClick()

    @Test
    fun `platform a link joins nothing by itself, and says which server it leads to`() {
        val secretary = commune.phone("secretary")
        val link = Intent(Intent.ACTION_VIEW, Uri.parse(commune.name("invitation.a")))
        rule.runOnUiThread { rule.activity.onNewIntent(link) }
        app.sees(commune.name("address"))
        assertTrue(runBlocking { secretary.phones.joining() }.isEmpty())
        app.press(R.string.join_submit)
        app.sees(app.string(R.string.join_read_out))
        // Also beside the digits.
        app.sees(commune.name("address"))
        assertEquals(1, runBlocking { secretary.phones.joining() }.size)
    }

    @Test
    fun `auth 3 what is kept about a member goes into a file of the member's choice`() {
        joined("code.a", "Lê Văn Ví Dụ")
        app.press(R.string.take_along_title)
        app.press(R.string.take_along_fetch)
        val screen = shadowOf(rule.activity)
        var asked: Intent? = null
        app.waitsUntil {
            val started = screen.nextStartedActivityForResult?.intent
            if (started?.action == Intent.ACTION_CREATE_DOCUMENT) asked = started
            asked != null
        }
        val place = Uri.parse("content://vn.sotay.test/so-tay.json")
        val file = ByteArrayOutputStream()
        shadowOf(rule.activity.contentResolver).registerOutputStream(place, file)
        rule.runOnUiThread { screen.receiveResult(asked, Activity.RESULT_OK, Intent().setData(place)) }
        app.sees(app.string(R.string.take_along_kept))
        val text = file.toString(Charsets.UTF_8)
        assertTrue(text.take(200), "Lê Văn Ví Dụ" in text)
        assertTrue(JSONObject(text).getJSONArray("records").length() > 0)
    }

    @Test
    fun `loss signing out says what was not sent, and loses it only when that is accepted`() {
        joined("code.a", "Lê Văn Ví Dụ")
        commune.become("stop")
        app.press(R.string.profile_wrong)
        app.choose(app.string(R.string.field_other))
        app.type(R.string.correction_right, "Số nhà đã đổi.")
        app.press(R.string.send)
        app.sees(app.string(R.string.waiting_to_be_sent))

        app.press(R.string.erase_do)
        app.press(R.string.erase_do)
        app.sees(app.string(R.string.sign_out_unsent, 1))
        app.press(R.string.erase_keep)
        app.sees("Lê Văn Ví Dụ")
        app.press(R.string.erase_do)
        app.press(R.string.erase_do)
        app.press(R.string.sign_out_lose)
        app.sees(app.string(R.string.gone_erased, 1))
        app.press(R.string.gone_join)
        app.sees(app.string(R.string.join_greeting))
    }
}
