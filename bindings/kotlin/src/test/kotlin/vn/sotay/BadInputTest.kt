package vn.sotay

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Test
import vn.sotay.FileKeyVault.Condition
import vn.sotay.client.HandbookException
import vn.sotay.client.ServerFault
import vn.sotay.model.Choice
import vn.sotay.model.Closing
import vn.sotay.model.Denial
import vn.sotay.model.Fault
import vn.sotay.model.Field
import vn.sotay.model.InvitationFault
import vn.sotay.model.Rejection
import vn.sotay.model.SecrecyMarking
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** Whatever comes in wrong gives a typed error with its facts, and nothing that was entered is lost. */
class BadInputTest {
    private val server = ScenarioServer.ofMeeting()
    private val phones = ArrayList<Phone>()

    @AfterEach
    fun end() {
        phones.forEach { it.close() }
        server.close()
    }

    private suspend fun phone(name: String) = Phone.joined(name, server).also { phones += it }

    private suspend fun emptyPhone() = Phone.empty().also { phones += it }

    private suspend inline fun refusal(crossinline entry: suspend () -> Unit): Rejection =
        assertFailsWith<HandbookException.Refused> { entry() }.why

    // ---- Invitations

    @Test
    fun `an invitation with a mistake says which`() =
        runBlocking<Unit> {
            val handbook = emptyPhone().handbook
            val faults =
                mapOf(
                    "https://example.org/" to InvitationFault.NotAnInvitation,
                    "" to InvitationFault.NotAnInvitation,
                    "${server.name("address")} ABCD" to InvitationFault.Length(4u),
                )
            for ((text, fault) in faults) {
                val why = assertFailsWith<HandbookException.InvitationUnreadable> { handbook.join(text, "phone") }
                assertEquals(fault, why.fault, text)
            }
            assertNull(handbook.joined())
        }

    @Test
    fun `unknown and expired and used invitations are one and the same`() =
        runBlocking<Unit> {
            phone("a")
            val handbook = emptyPhone().handbook
            for (name in listOf("invitation.unknown", "invitation.expired", "invitation.a")) {
                assertFailsWith<HandbookException.InvitationUnusable>(
                    name,
                ) { handbook.join(server.name(name), "phone") }
            }
            assertNull(handbook.joined())
            assertFailsWith<HandbookException.NotEnrolled> { handbook.home.view().read() }
        }

    @Test
    fun `a wrong address is named`() =
        runBlocking<Unit> {
            val invitation = server.name("invitation.a").replace(server.name("address"), "127.0.0.1:1")
            val handbook = emptyPhone().handbook
            val why = assertFailsWith<HandbookException.ServerUnreachable> { handbook.join(invitation, "phone") }
            assertEquals("127.0.0.1:1", why.address)
        }

    // ---- Texts

    @Test
    fun `a notice with a mistake is refused by field and not stored`() =
        runBlocking<Unit> {
            val handbook = phone("secretary").handbook
            val meetings = handbook.meetings
            assertEquals(
                Rejection.Invalid(Field.EndsAt, Fault.EndBeforeStart),
                refusal { meetings.publishNotice(notice(lasting = -30)) },
            )
            val titles =
                mapOf(
                    "" to Rejection.Invalid(Field.Title, Fault.Empty),
                    "Sinh hoạt\u0007" to Rejection.Invalid(Field.Title, Fault.ControlCharacter),
                    "Sinh hoạt \u202Ethường kỳ" to Rejection.Invalid(Field.Title, Fault.DirectionOverride),
                    "MẬT: Sinh hoạt" to Rejection.Secret(Field.Title, SecrecyMarking.Secret),
                )
            for ((title, expected) in titles) {
                assertEquals(expected, refusal { meetings.publishNotice(notice(title)) })
            }
            val long = assertIs<Rejection.TooLarge>(refusal { meetings.publishNotice(notice("a".repeat(100_000))) })
            assertEquals(Field.Title, long.field)
            assertTrue(long.limit > 0u)
            assertEquals(0u, meetings.list().read().count)
            assertTrue(
                handbook.home
                    .outbox()
                    .read()
                    .unsent
                    .isEmpty(),
            )
        }

    // ---- Rules

    @Test
    fun `an answer to a cancelled meeting comes back and the other answer is taken`() =
        runBlocking<Unit> {
            val secretary = phone("secretary").handbook
            val member = phone("a").handbook
            val cancelled = secretary.meetings.publishNotice(notice())
            val other = secretary.meetings.publishNotice(notice("Sinh hoạt chuyên đề", 5000))
            secretary.sync()
            member.sync()
            secretary.meetings.cancelMeeting(cancelled, "Mưa bão")
            secretary.sync()
            member.meetings.respond(cancelled, Choice.WillAttend, 1u)
            member.meetings.respond(other, Choice.WillAttend, 1u)
            val report = member.sync()
            assertEquals(1u to 1u, report.accepted to report.refused)
            val line =
                member.home
                    .outbox()
                    .read()
                    .refused
                    .single()
            val why = assertIs<Rejection.Closed>(line.refusal)
            assertEquals(Closing.MeetingCancelled, why.what)
            assertNotNull(why.since)
            member.home.discardRefused(line.n)
            assertTrue(
                member.home
                    .outbox()
                    .read()
                    .refused
                    .isEmpty(),
            )
        }

    @Test
    fun `a roll call by someone without office is refused`() =
        runBlocking<Unit> {
            val secretary = phone("secretary").handbook
            val member = phone("a").handbook
            val meeting = secretary.meetings.publishNotice(notice(inMinutes = 1))
            secretary.sync()
            member.sync()
            val why = refusal { member.meetings.openRollCall(meeting, server.name("member.vidu")) }
            assertIs<Denial>(assertIs<Rejection.NotAllowed>(why).why)
        }

    // ---- Servers

    @Test
    fun `a server that answers otherwise is told by its fault and a queued answer is sent later`() =
        runBlocking<Unit> {
            val handbook = phone("secretary").handbook
            handbook.meetings.publishNotice(notice())
            val faults =
                mapOf(
                    "html" to ServerFault.Html,
                    "500" to ServerFault.Status(500u),
                    "half" to ServerFault.Truncated,
                    "nothing" to ServerFault.Empty,
                    "garbage" to ServerFault.Unreadable,
                )
            for ((word, fault) in faults) {
                server.become(word)
                val why = assertFailsWith<HandbookException.ServerUnexpected>(word) { handbook.sync() }
                assertEquals(fault to server.name("address"), why.fault to why.address)
                assertEquals(
                    1,
                    handbook.home
                        .outbox()
                        .read()
                        .unsent.size,
                )
            }
            server.become("stop")
            assertFailsWith<HandbookException.ServerUnreachable> { handbook.sync() }
            server.become("start")
            assertEquals(1u, handbook.sync().accepted)
        }

    // ---- Files and keys

    @Test
    fun `a file that is no database is told and rebuilt with what was not sent`() =
        runBlocking<Unit> {
            val phone = phone("secretary")
            phone.handbook.meetings.publishNotice(notice())
            phone.handbook.close()
            val files = phone.folder.listFiles { file -> ".db" in file.name }.orEmpty()
            assertTrue(files.isNotEmpty(), phone.folder.list()?.joinToString())
            for (file in files) file.writeText("Đây không phải cơ sở dữ liệu. ".repeat(500))
            val why =
                assertFailsWith<HandbookException.DatabaseUnreadable> {
                    MemberHandbook.open(phone.folder.path, phone.vault)
                }
            assertEquals(1u, why.unsent)
            MemberHandbook.rebuild(phone.folder.path, phone.vault).use { assertEquals(1u, it.sync().accepted) }
        }

    @Test
    fun `a key that is locked or lost or cannot be had is told each in its way`() =
        runBlocking<Unit> {
            val phone = phone("secretary")
            phone.handbook.meetings.publishNotice(notice())
            phone.handbook.close()
            phone.vault.condition = Condition.Locked
            assertFailsWith<HandbookException.KeyLocked> { MemberHandbook.open(phone.folder.path, phone.vault) }
            phone.vault.condition = Condition.Failing
            assertFailsWith<HandbookException.KeyFailed> { MemberHandbook.open(phone.folder.path, phone.vault) }
            phone.vault.condition = Condition.Lost
            assertFailsWith<HandbookException.KeyLost> { MemberHandbook.open(phone.folder.path, phone.vault) }
            phone.vault.condition = Condition.Ordinary
            MemberHandbook.open(phone.folder.path, phone.vault).use { assertEquals(1u, it.sync().accepted) }
        }
}
