package vn.sotay

import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Test
import vn.sotay.client.HandbookException
import vn.sotay.client.NextTryReason
import vn.sotay.client.SyncOutcome
import vn.sotay.model.Choice
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Syncing by plan, in a given time, and on networks that fail in one direction: on the real library and a real server. */
class SyncTest {
    private val server = ScenarioServer.ofMeeting()
    private val phones = ArrayList<Phone>()

    /** What becomes of the network under an answer on its way. */
    private val faults = listOf("lose-up", "lose-down", "cut-after 0", "cut-after 700", "cut", "lose-down", "lose-up")

    @AfterEach
    fun end() {
        phones.forEach { it.close() }
        server.close()
    }

    private suspend fun phone(name: String) = Phone.joined(name, server).also { phones += it }

    private suspend fun phoneThroughRelay(name: String) =
        Phone.empty().also {
            phones += it
            it.join(server, server.invitationThroughRelay(name), name)
            it.handbook.sync()
        }

    @Test
    fun `promise 02 and 06 a network that fails in one direction loses and doubles no answer`() =
        test {
            val secretary = phone("secretary").handbook
            val meeting = secretary.meetings.publishNotice(notice())
            secretary.sync()
            val phone = phoneThroughRelay("a")
            val member = assertNotNull(phone.handbook.joined()).member
            var entered = 0
            var accepted = 0u
            for (fault in faults) {
                val choice = if (entered % 2 == 0) Choice.WillAttend else Choice.Undecided
                phone.handbook.meetings.respond(meeting, choice, 1u)
                entered++
                server.become("relay $fault")
                accepted +=
                    try {
                        phone.handbook.syncFor(500.milliseconds).accepted
                    } catch (_: HandbookException.ServerUnreachable) {
                        0u
                    } catch (_: HandbookException.ServerUnexpected) {
                        0u
                    }
                server.become("relay restore")
                if (entered % 3 == 0) phone.restart()
                accepted += phone.handbook.sync().accepted
                assertTrue(
                    phone.handbook.home
                        .outbox()
                        .read()
                        .unsent
                        .isEmpty(),
                    fault,
                )
                secretary.sync()
                val answers = secretary.meetings.answers(meeting).read()
                val line = answers.lines.single { it.member == member }
                assertEquals(choice, line.answer?.choice, fault)
                assertEquals(if (choice == Choice.WillAttend) 1u else 0u, answers.willAttend, fault)
                assertEquals(1, answers.lines.count { it.answer != null }, fault)
            }
            assertEquals(entered.toUInt(), accepted, "each answer was accepted once")
            assertTrue(
                phone.handbook.home
                    .outbox()
                    .read()
                    .refused
                    .isEmpty(),
            )
        }

    @Test
    fun `the state tells of the last try and is told anew when it changes`() =
        test {
            val phone = phone("secretary")
            val handbook = phone.handbook
            following(handbook.syncState()) { states ->
                val first = states.receive()
                assertTrue(first.joined)
                assertEquals(SyncOutcome.Done, first.lastOutcome)
                assertNotNull(first.lastSuccess)
                assertNull(first.nextReason)
                server.become("stop")
                handbook.meetings.publishNotice(notice())
                assertEquals(1u, states.receiveUntil { it.pending == 1u }.pending)
                assertFailsWith<HandbookException.ServerUnreachable> { handbook.sync() }
                assertTrue(states.receiveUntil { it.offline && !it.running }.failures >= 1u)
                server.become("start")
                handbook.startSync().use {
                    val well = states.receiveUntil { it.pending == 0u && it.nextReason == NextTryReason.POLL }
                    assertIs<SyncOutcome.Done>(well.lastOutcome)
                    assertNotNull(well.nextTry)
                    it.close()
                }
            }
            val text = handbook.supportText()
            assertTrue("last try" in text, text)
            assertFalse(assertNotNull(handbook.joined()).member in text)
        }

    @Test
    fun `a sync that nobody answers ends when its coroutine is cancelled and what waits stays`() =
        test {
            val secretary = phone("secretary").handbook
            val meeting = secretary.meetings.publishNotice(notice())
            secretary.sync()
            val phone = phoneThroughRelay("a").handbook
            phone.meetings.respond(meeting, Choice.WillAttend, 1u)
            server.become("relay lose-down")
            coroutineScope {
                val sync = launch(Dispatchers.Default, CoroutineStart.UNDISPATCHED) { phone.sync() }
                phone.syncState().first { it.running }
                sync.cancelAndJoin()
            }
            assertEquals(1u, phone.syncState().read().pending)
            assertEquals(SyncOutcome.Cancelled, phone.syncState().read().lastOutcome)
            server.become("relay restore")
            assertEquals(1u, phone.sync().accepted)
        }

    @Test
    fun `a pause ends a sync that nobody answers`() =
        test {
            val phone = phoneThroughRelay("a").handbook
            server.become("relay lose-down")
            coroutineScope {
                val sync = async(Dispatchers.Default) { runCatching { phone.sync() }.exceptionOrNull() }
                phone.syncState().first { it.running }
                phone.pause(2.seconds)
                assertIs<HandbookException.Paused>(sync.await())
            }
            server.become("relay restore")
            phone.resume()
            assertTrue(phone.sync().finished)
        }

    @Test
    fun `a metered network is remembered and entries are sent all the same`() =
        test {
            val phone = phone("secretary").handbook
            phone.setMetered(true)
            phone.startSync().use {
                phone.meetings.publishNotice(notice())
                val state = phone.syncState().first { it.pending == 0u }
                assertTrue(state.metered)
                it.close()
            }
        }
}
