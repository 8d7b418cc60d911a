package vn.sotay

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.flow.transformWhile
import kotlinx.coroutines.launch
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Test
import vn.sotay.client.HandbookException
import vn.sotay.client.NoticeForm
import vn.sotay.model.Choice
import vn.sotay.model.MeetingKind
import vn.sotay.model.MeetingMode
import java.time.Duration
import java.time.Instant
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

fun notice(
    title: String = "Sinh hoạt thường kỳ",
    inMinutes: Long = 3000,
    lasting: Long = 90,
): NoticeForm {
    val start = Instant.now() + Duration.ofMinutes(inMinutes)
    return NoticeForm(
        kind = MeetingKind.Regular,
        title = title,
        startsAt = start,
        endsAt = start + Duration.ofMinutes(lasting),
        place = "Nhà văn hóa",
        mode = MeetingMode.InRoom,
        agenda = listOf("Đánh giá tháng"),
        documents = emptyList(),
        guests = emptyList(),
        answerBy = null,
        absenceBy = null,
    )
}

/** Flows of screens, each test on phones of its own and a server of its own. */
class LiveTest {
    private val server = ScenarioServer.ofMeeting()
    private val phones = ArrayList<Phone>()

    @AfterEach
    fun end() {
        phones.forEach { it.close() }
        server.close()
    }

    private suspend fun phone(name: String) = Phone.joined(name, server).also { phones += it }

    @Test
    fun `the first view comes at once and the next after an entry`() =
        test {
            val handbook = phone("secretary").handbook
            following(handbook.home.view()) { views ->
                assertNull(views.receive().nextMeeting)
                val meeting = handbook.meetings.publishNotice(notice())
                assertEquals(meeting, views.receiveUntil { it.nextMeeting != null }.nextMeeting?.meeting)
            }
        }

    @Test
    fun `a slow reader skips to the last view`() =
        test {
            val handbook = phone("secretary").handbook
            val first = Channel<Unit>()
            val seen = ArrayList<UInt>()
            coroutineScope {
                launch {
                    handbook.meetings
                        .list()
                        .transformWhile {
                            emit(it)
                            it.count < 20u
                        }.collect {
                            seen += it.count
                            if (seen.size == 1) first.receive()
                        }
                }
                repeat(20) { handbook.meetings.publishNotice(notice("Sinh hoạt $it")) }
                first.send(Unit)
            }
            assertEquals(20u, seen.last())
            assertEquals(seen.sorted(), seen)
            assertTrue(seen.size < 20, "$seen")
        }

    @Test
    fun `several readers of one screen each get their views and one that goes leaves the others alone`() =
        test {
            val handbook = phone("secretary").handbook
            val meeting = handbook.meetings.publishNotice(notice())
            val screen = handbook.meetings.meeting(meeting)
            assertEquals(meeting, screen.first().card.meeting)
            coroutineScope {
                repeat(4) { launch(Dispatchers.Default) { screen.first { it.card.myAnswer != null } } }
                handbook.meetings.respond(meeting, Choice.Undecided, 1u)
            }
        }

    @Test
    fun `what another phone enters arrives by the background sync`() =
        test {
            val member = phone("a").handbook
            val secretary = phone("secretary").handbook
            member.startSync().use {
                following(member.home.view()) { views ->
                    assertNull(views.receive().nextMeeting)
                    val meeting = secretary.meetings.publishNotice(notice())
                    secretary.sync()
                    assertEquals(meeting, views.receiveUntil { it.nextMeeting != null }.nextMeeting?.meeting)
                }
                it.close()
            }
        }

    @Test
    fun `while paused calls are refused and afterwards a flow goes on`() =
        test {
            val handbook = phone("secretary").handbook
            following(handbook.home.view()) { views ->
                views.receive()
                handbook.pause()
                assertFailsWith<HandbookException.Paused> { handbook.home.view().read() }
                assertFailsWith<HandbookException.Paused> { handbook.meetings.publishNotice(notice()) }
                handbook.resume()
                views.receive()
                handbook.meetings.publishNotice(notice())
                assertNotNull(views.receiveUntil { it.nextMeeting != null }.nextMeeting)
            }
        }

    @Test
    fun `a meeting that is not on this phone is told as such`() =
        test {
            val meeting = phone("secretary").handbook.meetings.publishNotice(notice())
            val other = phone("other").handbook
            assertFailsWith<HandbookException.NotHere> { other.meetings.meeting(meeting).first() }
        }

    @Test
    fun `closing ends flows and calls and a second time does nothing`() =
        test {
            val handbook = phone("a").handbook
            val began = Channel<Unit>(Channel.CONFLATED)
            coroutineScope {
                launch {
                    handbook.home
                        .view()
                        .also { began.trySend(Unit) }
                        .toList()
                }
                began.receive()
                handbook.home.view().first()
                handbook.close()
            }
            handbook.close()
            assertFailsWith<HandbookException.Cancelled> { handbook.home.view().read() }
            assertFailsWith<HandbookException.Cancelled> { handbook.home.view().first() }
            assertFailsWith<HandbookException.Cancelled> { handbook.sync() }
        }
}
