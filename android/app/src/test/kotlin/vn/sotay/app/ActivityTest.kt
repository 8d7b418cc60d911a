package vn.sotay.app

import android.content.Intent
import android.net.Uri
import android.view.WindowManager
import androidx.compose.ui.test.hasText
import androidx.compose.ui.test.junit4.createAndroidComposeRule
import androidx.compose.ui.test.performClick
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** What only the activity does: opening an invitation's link, hiding the card from screenshots. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "vi-w360dp-h740dp-xhdpi", application = TestApplication::class)
class ActivityTest {
    @get:Rule
    val rule = createAndroidComposeRule<MainActivity>()
    private val commune = Commune()

    @After
    fun end() = commune.close()

    @Test
    fun `platform joins by a link, and no screenshot shows the profile and what it leads to`() {
        val app = Story(rule)
        val link = Intent(Intent.ACTION_VIEW, Uri.parse(commune.name("invitation.a")))
        rule.runOnUiThread { rule.activity.onNewIntent(link) }
        app.sees(app.string(R.string.join_from_link))
        app.press(R.string.join_submit)
        app.sees(app.string(R.string.join_waiting))
        commune.confirm("all")
        app.sees(app.string(R.string.home_greeting, "Lê Văn Ví Dụ"))
        assertEquals(false, isHidden())

        rule.onNode(hasText(app.string(R.string.tab_profile))).performClick()
        app.sees("Chi bộ Mẫu 1", substring = true)
        assertEquals(true, isHidden())
        val leadsTo =
            mapOf(
                R.string.profile_wrong to R.string.correction_which,
                R.string.phones_title to R.string.phones_here,
                R.string.pin_title to R.string.pin_explained,
                R.string.take_along_title to R.string.take_along_explained,
            )
        for ((screen, shows) in leadsTo) {
            app.press(screen)
            app.sees(app.string(shows))
            app.press(R.string.back)
            assertEquals(true, isHidden())
        }
        app.press(R.string.outbox_title)
        app.sees(app.string(R.string.outbox_title))
        assertEquals(false, isHidden())
        rule.onNode(hasText(app.string(R.string.tab_home))).performClick()
        app.sees(app.string(R.string.home_greeting, "Lê Văn Ví Dụ"))
        assertEquals(false, isHidden())

        // A link that is opened later changes nothing and is explained.
        rule.runOnUiThread { rule.activity.onNewIntent(link) }
        app.sees(app.string(R.string.join_already))
    }

    private fun isHidden(): Boolean {
        rule.waitForIdle()
        return rule.activity.window.attributes.flags and WindowManager.LayoutParams.FLAG_SECURE != 0
    }
}
