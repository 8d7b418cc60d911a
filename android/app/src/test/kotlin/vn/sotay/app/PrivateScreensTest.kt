package vn.sotay.app

import android.Manifest
import android.app.Notification
import android.app.NotificationManager
import android.widget.Magnifier
import androidx.activity.ComponentActivity
import androidx.compose.foundation.text.selection.SelectionContainer
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.ui.geometry.Rect
import androidx.compose.ui.platform.LocalTextToolbar
import androidx.compose.ui.platform.TextToolbar
import androidx.compose.ui.platform.TextToolbarStatus
import androidx.compose.ui.semantics.SemanticsActions
import androidx.compose.ui.test.SemanticsMatcher
import androidx.compose.ui.test.hasSetTextAction
import androidx.compose.ui.test.junit4.createAndroidComposeRule
import androidx.compose.ui.test.longClick
import androidx.compose.ui.test.performScrollTo
import androidx.compose.ui.test.performTouchInput
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import vn.sotay.app.background.News
import vn.sotay.app.background.makeChannels
import vn.sotay.app.background.tell
import vn.sotay.app.design.SotayTheme
import vn.sotay.app.samples.Gallery

/** What is private leaves the screen by no way that the app has in hand. That screenshots are refused is seen in [ActivityTest]. */
@RunWith(RobolectricTestRunner::class)
@Config(
    sdk = [35],
    qualifiers = "vi-w360dp-h740dp-hdpi",
    application = android.app.Application::class,
    shadows = [NoMagnifier::class],
)
class PrivateScreensTest {
    @get:Rule
    val rule = createAndroidComposeRule<ComponentActivity>()

    /** Counts how often it was offered to copy something. */
    private class CountingToolbar : TextToolbar {
        var offered = 0

        override val status = TextToolbarStatus.Hidden

        override fun hide() = Unit

        override fun showMenu(
            rect: Rect,
            onCopyRequested: (() -> Unit)?,
            onPasteRequested: (() -> Unit)?,
            onCutRequested: (() -> Unit)?,
            onSelectAllRequested: (() -> Unit)?,
        ) {
            if (onCopyRequested != null) offered++
        }
    }

    /** How often copying is offered when each text is pressed for long. */
    private fun offered(content: @Composable () -> Unit): Int {
        val toolbar = CountingToolbar()
        rule.setContent { CompositionLocalProvider(LocalTextToolbar provides toolbar) { SotayTheme { content() } } }
        val text = SemanticsMatcher.keyIsDefined(SemanticsActions.GetTextLayoutResult)
        val texts = rule.onAllNodes(text, useUnmergedTree = true)
        val count = texts.fetchSemanticsNodes().size
        assertTrue("no text", count > 0)
        for (position in 0 until count) {
            val node = texts[position]
            try {
                node.performScrollTo()
            } catch (_: AssertionError) {
                // It stands where nothing scrolls.
            }
            node.performTouchInput { longClick() }
            rule.waitForIdle()
        }
        assertEquals(0, rule.onAllNodes(hasSetTextAction()).fetchSemanticsNodes().size)
        return toolbar.offered
    }

    @Test
    fun `platform a text that could be copied would be noticed here`() {
        assertTrue(offered { SelectionContainer { Text("Lê Văn Ví Dụ") } } > 0)
    }

    @Test
    fun `platform nothing of the profile can be copied`() {
        assertEquals(0, offered { Gallery.Profile.Show() })
    }

    @Test
    fun `platform no digit of a PIN can be copied`() {
        assertEquals(0, offered { Gallery.Lock.Show() })
    }

    @Test
    fun `platform a notification says that there is news and nothing of what it says`() {
        val application = RuntimeEnvironment.getApplication()
        shadowOf(application).grantPermissions(Manifest.permission.POST_NOTIFICATIONS)
        makeChannels(application)
        val manager = checkNotNull(application.getSystemService(NotificationManager::class.java))
        val allowed =
            setOf(R.string.app_name, R.string.notification_meeting, R.string.notification_document)
                .map { application.getString(it) }
        for (news in News.entries) tell(application, news)
        val shown = manager.activeNotifications.map { it.notification }
        assertEquals(News.entries.size, shown.size)
        for (notification in shown) {
            val extras = notification.extras
            val texts = extras.keySet().mapNotNull { extras.getCharSequence(it)?.toString() }
            assertTrue("$texts", texts.size >= 2)
            assertEquals(emptyList<String>(), texts - allowed.toSet())
            // Nor is anything of it for everybody to see on the lock screen.
            assertEquals(Notification.VISIBILITY_PRIVATE, notification.visibility)
            val channel = manager.getNotificationChannel(notification.channelId)
            assertEquals(Notification.VISIBILITY_PRIVATE, channel.lockscreenVisibility)
            assertEquals(null, notification.tickerText)
            assertEquals(null, notification.publicVersion)
        }
    }

    @Test
    fun `platform these screens are private`() {
        val expected =
            listOf(
                ScreenName.Profile,
                ScreenName.Correction,
                ScreenName.Phones,
                ScreenName.JoiningPhones,
                ScreenName.Invite,
                ScreenName.MembersPhones,
                ScreenName.PhonesOf,
                ScreenName.Pin,
                ScreenName.TakeAlong,
            )
        assertEquals(expected, ScreenName.entries.filter { it.isPrivate })
    }
}

/** The glass that shows where a selection ends: Robolectric has no surface for it. */
@Implements(Magnifier::class)
class NoMagnifier {
    @Implementation
    @Suppress("UNUSED_PARAMETER")
    fun show(
        sourceCenterX: Float,
        sourceCenterY: Float,
        magnifierCenterX: Float,
        magnifierCenterY: Float,
    ) = Unit

    @Implementation
    fun update() = Unit

    @Implementation
    fun dismiss() = Unit
}
