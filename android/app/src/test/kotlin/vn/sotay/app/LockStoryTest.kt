package vn.sotay.app

import android.view.WindowManager
import androidx.compose.ui.test.hasText
import androidx.compose.ui.test.junit4.createAndroidComposeRule
import androidx.compose.ui.test.onFirst
import androidx.compose.ui.test.performClick
import androidx.lifecycle.Lifecycle
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import vn.sotay.app.background.News
import vn.sotay.app.background.SyncJob
import vn.sotay.client.Confirmation
import vn.sotay.client.HandbookException
import vn.sotay.model.Choice
import java.time.Duration

/** The handbook behind its PIN, from setting it to the tenth wrong one; and what the app says when the handbook is gone. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "vi-w360dp-h740dp-xhdpi", application = TestApplication::class)
class LockStoryTest {
    @get:Rule
    val rule = createAndroidComposeRule<MainActivity>()
    private val commune = Commune()
    private val app by lazy { Story(rule) }
    private val handbooks get() = (rule.activity.application as TestApplication).handbooks
    private val kept get() = handbooks.all.value.single()

    @After
    fun end() = commune.close()

    private fun greeting() = app.string(R.string.home_greeting, "Lê Văn Ví Dụ")

    private fun join(invitation: String = commune.name("invitation.a")) {
        app.type(R.string.join_address, invitation)
        // A link is an invitation by itself, whatever stands beside it.
        app.type(R.string.join_code, "-")
        app.press(R.string.join_submit)
        app.sees(app.string(R.string.join_read_out))
        commune.confirm("all")
        app.sees(greeting())
    }

    private fun typePin(
        pin: String,
        then: Int,
    ) {
        for (digit in pin) app.press(digit.toString())
        app.press(then)
    }

    private fun tab(name: Int) = rule.onAllNodes(hasText(app.string(name))).onFirst().performClick()

    /** Sets it as a member does, who mistypes it the second time. */
    private fun setPin(pin: String) {
        tab(R.string.tab_profile)
        app.press(R.string.pin_title)
        app.sees(app.string(R.string.pin_warning))
        app.press(R.string.pin_set)
        typePin(pin, R.string.pin_next)
        typePin("000000", R.string.pin_save)
        app.sees(app.string(R.string.pin_differed))
        typePin(pin, R.string.pin_next)
        typePin(pin, R.string.pin_save)
        app.sees(app.string(R.string.pin_told_set))
    }

    private fun leave(seconds: Long) {
        rule.activityRule.scenario.moveToState(Lifecycle.State.CREATED)
        shadowOf(rule.activity.mainLooper).idleFor(Duration.ofSeconds(seconds))
    }

    private fun comeBack() {
        rule.activityRule.scenario.moveToState(Lifecycle.State.RESUMED)
    }

    private fun isLocked() = (kept.opening.value as? Opening.Failed)?.why is HandbookException.PinNeeded

    private fun isHidden(): Boolean {
        rule.waitForIdle()
        return rule.activity.window.attributes.flags and WindowManager.LayoutParams.FLAG_SECURE != 0
    }

    @Test
    fun `auth 2 out of sight for a minute the handbook locks itself, and the PIN brings everything back`() {
        val secretary = commune.phone("secretary")
        val meeting =
            runBlocking {
                secretary.meetings.publishNotice(notice(inMinutes = 2880)).also { secretary.sync() }
            }
        join()
        app.sees("Sinh hoạt thường kỳ tháng 12")
        app.press(R.string.home_will_attend)
        app.sees(app.string(R.string.meeting_answered, app.string(R.string.choice_will_attend)))
        setPin("135790")
        assertTrue(isHidden())

        // A glance elsewhere costs no PIN.
        leave(seconds = 59)
        comeBack()
        app.sees(app.string(R.string.pin_told_set))

        // Nobody has to come back for it to be locked, and what is locked is not synced.
        leave(seconds = 61)
        app.waitsUntil { isLocked() }
        runBlocking {
            secretary.meetings.cancelMeeting(meeting, "Mưa to")
            secretary.sync()
        }
        assertEquals(emptySet<News>(), runBlocking { SyncJob.run(listOf(kept)) })
        assertTrue(isLocked())
        comeBack()
        app.sees(app.string(R.string.lock_title))
        app.sees(app.string(R.string.error_pin_needed, 10))
        app.sees(app.string(R.string.pin_warning))
        assertTrue(isHidden())

        typePin("135791", R.string.lock_open)
        app.sees(app.string(R.string.error_pin_wrong, 9))
        typePin("135790", R.string.lock_open)
        // Where the member was, and all that there was.
        app.sees(app.string(R.string.pin_is_set))
        tab(R.string.tab_home)
        app.sees(greeting())
        val mine =
            runBlocking {
                secretary.sync()
                secretary.meetings.answers(meeting).read()
            }
        assertTrue(
            mine.lines
                .first { it.member == commune.name("member.vidu") }
                .answer
                ?.choice is Choice.WillAttend,
        )
        // The right PIN gives all ten tries back.
        leave(seconds = 61)
        app.waitsUntil { isLocked() }
        comeBack()
        app.sees(app.string(R.string.error_pin_needed, 10))
        typePin("135790", R.string.lock_open)
        app.sees(greeting())

        // Changing it asks for the one in use; taking it away leaves a handbook that opens without.
        tab(R.string.tab_profile)
        app.press(R.string.pin_title)
        app.press(R.string.pin_change)
        typePin("135790", R.string.pin_next)
        typePin("246802", R.string.pin_next)
        typePin("246802", R.string.pin_save)
        app.sees(app.string(R.string.pin_told_changed))
        app.press(R.string.pin_remove)
        typePin("135790", R.string.pin_remove)
        app.sees(app.string(R.string.error_pin_wrong, 9))
        app.press(R.string.close)
        app.press(R.string.pin_remove)
        typePin("246802", R.string.pin_remove)
        app.sees(app.string(R.string.pin_told_removed))
        leave(seconds = 61)
        comeBack()
        // It may have been closed in between; it opens by itself, where the reader was.
        app.sees(app.string(R.string.pin_explained))
    }

    @Test
    fun `auth 2 ten wrong PINs delete the handbook, which is said before and after, and the phone joins again`() {
        val secretary = commune.phone("secretary")
        join()
        setPin("135790")
        leave(seconds = 61)
        app.waitsUntil { isLocked() }
        comeBack()
        for (left in 9 downTo 1) {
            typePin("000000", R.string.lock_open)
            app.sees(app.string(R.string.error_pin_wrong, left))
        }
        typePin("000000", R.string.lock_open)
        app.sees(app.string(R.string.error_wiped_after_tries, 0))
        app.press(R.string.gone_join)
        app.sees(app.string(R.string.join_greeting))
        join(runBlocking { secretary.phones.invite(commune.name("member.vidu"), 1).text })
        // Nothing of the first one's screens stands there, nor is there a PIN.
        leave(seconds = 61)
        comeBack()
        app.sees(greeting())
    }

    @Test
    fun `loss who forgot the PIN has the handbook deleted and is told what is lost`() {
        val secretary = commune.phone("secretary")
        runBlocking {
            secretary.meetings.publishNotice(notice(inMinutes = 2880))
            secretary.sync()
        }
        join()
        setPin("135790")
        commune.become("stop")
        tab(R.string.tab_home)
        app.press(R.string.home_will_attend)
        app.sees(app.string(R.string.meeting_answered, app.string(R.string.choice_will_attend)))
        leave(seconds = 61)
        app.waitsUntil { isLocked() }
        comeBack()
        app.press(R.string.lock_forgotten)
        app.sees(app.string(R.string.lock_forgotten_explained))
        // Not yet: back to the PIN.
        app.press(R.string.erase_keep)
        app.sees(app.string(R.string.lock_title))
        app.press(R.string.lock_forgotten)
        app.press(R.string.erase_do)
        app.sees(app.string(R.string.gone_erased, 1))
        app.press(R.string.gone_join)
        app.sees(app.string(R.string.join_greeting))
    }

    @Test
    fun `loss a phone whose key store lost the key says what is lost, asks once more, and joins again`() {
        val application = rule.activity.application as TestApplication
        val secretary = commune.phone("secretary")
        runBlocking {
            secretary.meetings.publishNotice(notice(inMinutes = 2880))
            secretary.sync()
        }
        join()
        app.sees("Sinh hoạt thường kỳ tháng 12")
        commune.become("stop")
        app.press(R.string.home_will_attend)
        app.sees(app.string(R.string.meeting_answered, app.string(R.string.choice_will_attend)))
        application.vault(kept).isLost = true
        application.close()
        kept.open()
        app.sees(app.string(R.string.error_key_lost, 1))
        // It may be there again the next time.
        application.vault(kept).isLost = false
        app.press(R.string.retry)
        app.sees(greeting())
        application.vault(kept).isLost = true
        application.close()
        kept.open()
        app.sees(app.string(R.string.error_key_lost, 1))
        app.press(R.string.erase_do)
        app.press(R.string.erase_keep)
        app.press(R.string.erase_do)
        app.sees(app.string(R.string.erase_explained))
        app.press(R.string.erase_do)
        app.sees(app.string(R.string.gone_erased, 1))
        app.press(R.string.gone_join)
        app.sees(app.string(R.string.join_greeting))
    }

    @Test
    fun `loss a phone that is revoked while somebody reads on it says so and can join again`() {
        val signer = JdkSigner()
        val deputy = commune.phone("deputy", signer)
        app.type(R.string.join_address, commune.name("address"))
        app.type(R.string.join_code, commune.name("code.a"))
        app.press(R.string.join_submit)
        app.sees(app.string(R.string.join_read_out))
        val phone = runBlocking { deputy.phones.joining() }.single()
        assertTrue(runBlocking { deputy.phones.confirm(phone.installation, phone.digits) } is Confirmation.Confirmed)
        app.sees(greeting())
        runBlocking {
            deputy.phones.beginRevoking(phone.installation).use {
                it.finish(signer.approve(rule.activity, it.challenge))
            }
        }
        // It hears of it when it next speaks with the server: here, by the hourly job.
        runBlocking { deputy.meetings.publishNotice(notice(inMinutes = 2880)) }
        assertEquals(emptySet<News>(), runBlocking { SyncJob.run(listOf(kept)) })
        app.sees(app.string(R.string.error_revoked))
        app.press(R.string.gone_join)
        app.sees(app.string(R.string.join_greeting))
    }
}
