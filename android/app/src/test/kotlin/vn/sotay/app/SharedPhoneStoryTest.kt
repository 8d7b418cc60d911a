package vn.sotay.app

import androidx.compose.ui.test.hasText
import androidx.compose.ui.test.junit4.createAndroidComposeRule
import androidx.compose.ui.test.onFirst
import androidx.compose.ui.test.performClick
import androidx.lifecycle.Lifecycle
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import vn.sotay.app.background.News
import vn.sotay.app.background.SyncJob
import vn.sotay.client.HandbookException

/** Two people share one phone, each with a handbook and a lock of their own. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "vi-w360dp-h740dp-xhdpi", application = TestApplication::class)
class SharedPhoneStoryTest {
    @get:Rule
    val rule = createAndroidComposeRule<MainActivity>()
    private val commune = Commune()
    private val app by lazy { Story(rule) }
    private val application get() = rule.activity.application as TestApplication
    private val handbooks get() = application.handbooks

    @After
    fun end() = commune.close()

    private fun greeting(name: String) = app.string(R.string.home_greeting, name)

    private fun join(
        code: String,
        name: String,
    ) {
        app.type(R.string.join_address, commune.name("address"))
        app.type(R.string.join_code, commune.name(code))
        app.press(R.string.join_submit)
        app.sees(app.string(R.string.join_read_out))
        commune.confirm("all")
        app.sees(greeting(name))
    }

    private fun openProfile() = rule.onAllNodes(hasText(app.string(R.string.tab_profile))).onFirst().performClick()

    private fun typePin(then: Int) {
        repeat(3) { for (digit in "42") app.press(digit.toString()) }
        app.press(then)
    }

    private fun isLocked(kept: KeptHandbook) =
        (kept.opening.value as? Opening.Failed)?.why is HandbookException.PinNeeded

    @Test
    fun `auth 2 two people share a phone, and neither sees anything of the other's handbook`() {
        val secretary = commune.phone("secretary")
        join("code.a", FIRST)
        openProfile()
        app.press(R.string.chooser_other)
        app.sees(app.string(R.string.chooser_title))
        app.sees(FIRST)

        // The second one joins, sets a PIN, and hands the phone back: it is locked at once.
        app.press(R.string.chooser_add)
        app.sees(app.string(R.string.join_greeting))
        join("code.b", SECOND)
        openProfile()
        app.press(R.string.pin_title)
        app.press(R.string.pin_set)
        typePin(R.string.pin_next)
        typePin(R.string.pin_save)
        app.sees(app.string(R.string.pin_told_set))
        app.press(R.string.back)
        app.press(R.string.chooser_other)
        app.sees(app.string(R.string.chooser_locked))
        app.sees(FIRST)
        app.seesNo(SECOND)
        val (first, second) = handbooks.all.value
        app.waitsUntil { isLocked(second) }
        assertNotEquals(first.signer.deviceKey().toList(), second.signer.deviceKey().toList())

        // The first one reads on as before; only the open handbook syncs and brings news.
        app.choose(FIRST)
        app.sees(app.string(R.string.profile_title))
        rule.activityRule.scenario.moveToState(Lifecycle.State.CREATED)
        runBlocking {
            secretary.meetings.publishNotice(notice(inMinutes = 2880))
            secretary.sync()
        }
        assertEquals(setOf(News.Meeting), runBlocking { SyncJob.run(handbooks.all.value) })
        assertTrue(isLocked(second))
        rule.activityRule.scenario.moveToState(Lifecycle.State.RESUMED)

        // A third one that nobody joins in goes again.
        openProfile()
        app.press(R.string.chooser_other)
        app.press(R.string.chooser_add)
        app.sees(app.string(R.string.join_greeting))
        app.press(R.string.chooser_other)
        app.sees(app.string(R.string.chooser_locked))
        app.seesNo(app.string(R.string.chooser_empty))
        app.waitsUntil {
            application.place
                .list()
                .orEmpty()
                .toSet() == setOf("handbook", "handbook-2")
        }

        // The lock of the second opens for its PIN only, and what is there is the second one's.
        app.choose(app.string(R.string.chooser_locked))
        app.sees(app.string(R.string.lock_title))
        app.press(R.string.chooser_other)
        app.choose(app.string(R.string.chooser_locked))
        typePin(R.string.lock_open)
        app.sees(app.string(R.string.profile_title))
        app.sees(SECOND)
    }

    @Test
    fun `auth 2 after a new start it is asked whose handbook it is, and one alone opens by itself`() {
        join("code.a", FIRST)
        application.close()
        val alone = Handbooks(application.place, application.scope, application::keep)
        assertEquals(listOf("handbook"), alone.all.value.map { it.folder.name })
        assertEquals(alone.all.value.single(), alone.chosen.value)
        alone.add()
        app.waitsUntil {
            alone.all.value
                .last()
                .folder.isDirectory
        }
        val two = Handbooks(application.place, application.scope, application::keep)
        assertEquals(listOf("handbook", "handbook-2"), two.all.value.map { it.folder.name })
        assertNull(two.chosen.value)
        repeat(Handbooks.MOST) { two.add() }
        assertEquals(Handbooks.MOST, two.all.value.size)
    }

    private companion object {
        const val FIRST = "Lê Văn Ví Dụ"
        const val SECOND = "Phạm Thị Mẫu Một"
    }
}
