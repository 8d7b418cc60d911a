package vn.sotay

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Test
import vn.sotay.JdkSigner.Condition
import vn.sotay.client.HandbookException
import java.time.Instant
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotEquals
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** A phone shows six digits until an officer has confirmed them; its key may be the hardware's. */
class JoiningTest {
    private val server = ScenarioServer.ofMeeting()
    private val phones = ArrayList<Phone>()

    @AfterEach
    fun end() {
        phones.forEach { it.close() }
        server.close()
    }

    private suspend fun empty(signer: JdkSigner? = null) = Phone.empty(signer).also { phones += it }

    private fun invitation(of: String) = server.name("invitation.$of")

    // ---- Six digits

    @Test
    fun `auth 4 a phone shows its digits and is nobody's until they are confirmed`() =
        runBlocking<Unit> {
            val handbook = empty().handbook
            val joining = handbook.join(invitation("a"), "điện thoại của tôi")
            assertTrue(Regex("[0-9]{6}").matches(joining.digits), joining.digits)
            assertEquals(server.name("address"), joining.host)
            assertTrue(joining.until > Instant.now())
            assertEquals(joining, handbook.joining())
            repeat(2) { assertNull(handbook.finishJoining()) }
            assertNull(handbook.joined())
            assertFailsWith<HandbookException.NotEnrolled> { handbook.sync() }
            assertFailsWith<HandbookException.NotEnrolled> { handbook.home.view().read() }
            assertFailsWith<HandbookException.NotEnrolled> { handbook.phones.list() }

            server.become("confirm ${joining.digits}")
            assertEquals("Lê Văn Ví Dụ", handbook.finishJoining()?.memberName)
            assertNull(handbook.joining())
            assertEquals(handbook.joined(), handbook.finishJoining())
            assertTrue(handbook.sync().finished)
            assertFailsWith<HandbookException.AlreadyEnrolled> { handbook.join(invitation("b"), "phone") }
        }

    @Test
    fun `auth 4 the digits outlive the app and a server that cannot be reached`() =
        runBlocking<Unit> {
            val phone = empty()
            val joining = phone.handbook.join(invitation("a"), "phone a")
            phone.restart()
            assertEquals(joining, phone.handbook.joining())
            server.become("stop")
            assertFailsWith<HandbookException.ServerUnreachable> { phone.handbook.finishJoining() }
            assertEquals(joining, phone.handbook.joining())
            server.become("start")
            assertNull(phone.handbook.finishJoining())
            server.become("confirm ${joining.digits}")
            phone.restart()
            assertNotNull(phone.handbook.finishJoining())
            assertTrue(phone.handbook.sync().finished)
        }

    @Test
    fun `auth 4 a phone that stops waiting joins with another invitation`() =
        runBlocking<Unit> {
            val phone = empty()
            val first = phone.handbook.join(invitation("a"), "phone a")
            phone.handbook.stopJoining()
            assertNull(phone.handbook.joining())
            assertFailsWith<HandbookException.NotEnrolled> { phone.handbook.finishJoining() }
            phone.restart()
            assertNull(phone.handbook.joining())
            // The claim used the invitation up.
            assertFailsWith<HandbookException.InvitationUnusable> { phone.handbook.join(invitation("a"), "phone a") }
            val second = phone.handbook.join(invitation("b"), "phone a")
            assertNotEquals(first.until, second.until)
            server.become("confirm ${second.digits}")
            assertEquals("Phạm Thị Mẫu Một", phone.handbook.finishJoining()?.memberName)
        }

    // ---- Keys in hardware

    @Test
    fun `auth 1 a phone whose key the JDK holds joins, syncs, restarts and is asked once a day`() =
        runBlocking<Unit> {
            val signer = JdkSigner()
            val phone = empty(signer)
            phone.join(server, invitation("secretary"), "secretary")
            phone.handbook.sync()
            phone.handbook.meetings.publishNotice(notice())
            assertEquals(1u, phone.handbook.sync().accepted)
            // Once for the claim, once for the session.
            assertEquals(2, signer.signed.get())
            phone.restart()
            // The session is kept: hardware that is locked meanwhile keeps nothing from being sent.
            signer.condition = Condition.Locked
            phone.handbook.meetings.publishNotice(notice("Sinh hoạt chuyên đề", 5000))
            assertEquals(1u, phone.handbook.sync().accepted)
            assertEquals(2, signer.signed.get())
        }

    @Test
    fun `auth 1 a phone that restarts while it waits signs in anew`() =
        runBlocking<Unit> {
            val signer = JdkSigner(hasApprovalKey = false)
            val phone = empty(signer)
            val joining = phone.handbook.join(invitation("a"), "phone a")
            assertEquals(1, signer.signed.get())
            assertNull(phone.handbook.finishJoining())
            assertEquals(2, signer.signed.get())
            phone.restart()
            server.become("confirm ${joining.digits}")
            assertNotNull(phone.handbook.finishJoining())
            assertEquals(3, signer.signed.get())
            assertTrue(phone.handbook.sync().finished)
        }

    @Test
    fun `auth 1 hardware that is locked or fails is told in its way and nothing is lost`() =
        runBlocking<Unit> {
            val signer = JdkSigner()
            val handbook = empty(signer).handbook
            signer.condition = Condition.Locked
            assertFailsWith<HandbookException.KeyLocked> { handbook.join(invitation("a"), "phone a") }
            for (condition in listOf(Condition.Failing, Condition.Broken)) {
                signer.condition = condition
                assertFailsWith<HandbookException.KeyFailed> { handbook.join(invitation("a"), "phone a") }
            }
            assertNull(handbook.joining())
            // The invitation was not used up by any of it.
            signer.condition = Condition.Ordinary
            val joining = handbook.join(invitation("a"), "phone a")
            server.become("confirm ${joining.digits}")
            signer.condition = Condition.Locked
            assertFailsWith<HandbookException.KeyLocked> { handbook.finishJoining() }
            signer.condition = Condition.Broken
            assertFailsWith<HandbookException.KeyFailed> { handbook.finishJoining() }
            assertEquals(joining, handbook.joining())
            signer.condition = Condition.Ordinary
            assertEquals("Lê Văn Ví Dụ", handbook.finishJoining()?.memberName)
        }
}
