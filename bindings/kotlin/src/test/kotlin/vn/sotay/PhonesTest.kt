package vn.sotay

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Test
import vn.sotay.client.ActDone
import vn.sotay.client.Confirmation
import vn.sotay.client.HandbookException
import vn.sotay.client.JoiningPhoneView
import vn.sotay.client.TaskForm
import vn.sotay.model.Fault
import vn.sotay.model.Field
import vn.sotay.model.Rejection
import vn.sotay.model.Role
import vn.sotay.model.Subject
import java.time.Instant
import java.time.LocalDate
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** Inviting, confirming, renaming and revoking phones, from a phone. */
class PhonesTest {
    private val server = ScenarioServer.ofMeeting()
    private val phones = ArrayList<Phone>()
    private val member = server.name("member.vidu")

    @AfterEach
    fun end() {
        phones.forEach { it.close() }
        server.close()
    }

    private suspend fun empty(signer: JdkSigner? = null) = Phone.empty(signer).also { phones += it }

    private suspend fun joined(
        name: String,
        signer: JdkSigner? = null,
    ) = empty(signer).apply {
        join(server, server.name("invitation.$name"), name)
        handbook.sync()
    }

    private suspend inline fun refusal(crossinline entry: suspend () -> Unit): Rejection =
        assertFailsWith<HandbookException.Refused> { entry() }.why

    private suspend fun waitingAt(officer: Phone): JoiningPhoneView =
        officer.handbook.phones
            .joining()
            .single()

    // ---- Inviting and confirming

    @Test
    fun `auth 4 a secretary invites, sees the same digits, and confirms`() =
        runBlocking<Unit> {
            val secretary = joined("secretary")
            val invitation = secretary.handbook.phones.invite(member, 14)
            assertEquals(server.name("address"), invitation.host)
            assertTrue(invitation.text.startsWith("sotay://join/${invitation.host}/"), invitation.text)
            assertEquals(
                List(invitation.qr.size.toInt()) { invitation.qr.size.toInt() },
                invitation.qr.rows.map { it.size },
            )
            assertTrue(invitation.until > Instant.now())
            // Whom the phone may invite: the cell's own members; nobody, without office.
            assertTrue(
                member in
                    secretary.handbook.phones
                        .invitable()
                        .map { it.member },
            )

            val phone = empty()
            // As somebody types it who was told address and code.
            val joining =
                phone.handbook.join(
                    "${invitation.host} ${invitation.code.lowercase()}",
                    "Máy của đồng chí Ví Dụ",
                )
            val waiting = waitingAt(secretary)
            assertEquals(joining.digits, waiting.digits)
            assertEquals(
                listOf(member, "Lê Văn Ví Dụ", "Chi bộ Mẫu 1", "Máy của đồng chí Ví Dụ"),
                listOf(waiting.member, waiting.memberName, waiting.cellName, waiting.deviceName),
            )
            assertIs<Confirmation.Confirmed>(secretary.handbook.phones.confirm(waiting.installation, joining.digits))
            assertEquals(emptyList(), secretary.handbook.phones.joining())
            assertEquals("Lê Văn Ví Dụ", phone.handbook.finishJoining()?.memberName)
            assertTrue(phone.handbook.sync().finished)
            // Once it is confirmed, nobody waits any more.
            assertEquals(
                Rejection.NotFound(Subject.Phone),
                refusal { secretary.handbook.phones.confirm(waiting.installation, joining.digits) },
            )
        }

    @Test
    fun `auth 4 what is not six digits costs no try, and five wrong ones void the claim`() =
        runBlocking<Unit> {
            val secretary = joined("secretary")
            val phone = empty()
            val digits = phone.handbook.join(server.name("invitation.a"), "phone a").digits
            val waiting = waitingAt(secretary).installation
            for (malformed in listOf("", "12345", "1234567", "12345a", "１２３４５６")) {
                assertFailsWith<HandbookException.DigitsMalformed>(malformed) {
                    secretary.handbook.phones.confirm(waiting, malformed)
                }
            }
            val wrong = if (digits == "000000") "000001" else "000000"
            for (left in 4 downTo 0) {
                val answer = secretary.handbook.phones.confirm(waiting, wrong)
                assertEquals(left.toUInt(), assertIs<Confirmation.WrongDigits>(answer).triesLeft)
            }
            assertEquals(emptyList(), secretary.handbook.phones.joining())
            assertEquals(
                Rejection.NotFound(Subject.Phone),
                refusal { secretary.handbook.phones.confirm(waiting, digits) },
            )
            assertFailsWith<HandbookException.InvitationUnusable> { phone.handbook.finishJoining() }
            assertNull(phone.handbook.joining())
        }

    @Test
    fun `auth 4 an officer who sees other digits refuses the phone`() =
        runBlocking<Unit> {
            val secretary = joined("secretary")
            val phone = empty()
            phone.handbook.join(server.name("invitation.a"), "phone a")
            secretary.handbook.phones.refuse(waitingAt(secretary).installation)
            assertEquals(emptyList(), secretary.handbook.phones.joining())
            assertFailsWith<HandbookException.InvitationUnusable> { phone.handbook.finishJoining() }
            assertNull(phone.handbook.joined())
        }

    @Test
    fun `authz a member without office invites nobody, sees nobody who waits, and confirms nobody`() =
        runBlocking<Unit> {
            val plain = joined("b")
            val secretary = joined("secretary")
            assertIs<Rejection.NotAllowed>(refusal { plain.handbook.phones.invite(member, 7) })
            assertEquals(emptyList(), plain.handbook.phones.invitable())
            val digits = empty().handbook.join(server.name("invitation.a"), "phone a").digits
            assertEquals(emptyList(), plain.handbook.phones.joining())
            val waiting = waitingAt(secretary).installation
            assertEquals(Rejection.NotFound(Subject.Phone), refusal { plain.handbook.phones.confirm(waiting, digits) })
            assertEquals(Rejection.NotFound(Subject.Phone), refusal { plain.handbook.phones.refuse(waiting) })
            assertIs<Rejection.NotAllowed>(refusal { plain.handbook.phones.of(member) })
            // None of it touched the phone that waits.
            assertIs<Confirmation.Confirmed>(secretary.handbook.phones.confirm(waiting, digits))
        }

    // ---- The own phones

    @Test
    fun `a member lists and renames the own phones and has three at most`() =
        runBlocking<Unit> {
            val secretary = joined("secretary")
            val first = joined("a")
            val mine = first.handbook.phones
            mine.rename(mine.list().single().installation, "Máy cũ")
            for (name in listOf("hai", "ba")) {
                val phone = empty()
                phone.join(
                    server,
                    secretary.handbook.phones
                        .invite(member, 1)
                        .text,
                    name,
                )
            }
            val listed = mine.list()
            assertEquals(setOf("Máy cũ", "phone hai", "phone ba"), listed.map { it.name }.toSet())
            assertEquals("Máy cũ", listed.single { it.`this` }.name)
            assertTrue(listed.all { it.active })
            assertEquals(
                listed
                    .map {
                        it.installation
                    }.toSet(),
                secretary.handbook.phones
                    .of(member)
                    .map { it.installation }
                    .toSet(),
            )

            val fourth = secretary.handbook.phones.invite(member, 1)
            assertFailsWith<HandbookException.InvitationUnusable> { empty().handbook.join(fourth.text, "phone bốn") }
            assertEquals(3, mine.list().size)
            // The secretary's phone is nobody else's to rename.
            val others =
                secretary.handbook.phones
                    .list()
                    .single()
                    .installation
            assertIs<Rejection.NotAllowed>(refusal { mine.rename(others, "Máy của tôi") })
        }

    @Test
    fun `a name or a time that the server would not take is refused by field`() =
        runBlocking<Unit> {
            val secretary = joined("secretary").handbook.phones
            val mine = secretary.list().single()
            for (empty in listOf("", "  ", "\n")) {
                assertEquals(
                    Rejection.Invalid(Field.Name, Fault.Empty),
                    refusal { secretary.rename(mine.installation, empty) },
                )
            }
            assertEquals(
                Rejection.TooLarge(Field.Name, 80u),
                refusal { secretary.rename(mine.installation, "a".repeat(81)) },
            )
            secretary.rename(mine.installation, "ă".repeat(80))
            assertEquals("ă".repeat(80), secretary.list().single().name)
            for (days in listOf(-1, 0, 15, Int.MAX_VALUE)) {
                assertEquals(
                    Rejection.Invalid(Field.Period, Fault.Malformed),
                    refusal { secretary.invite(member, days) },
                )
            }
            // A phone or a member that nobody knows.
            assertEquals(Rejection.NotFound(Subject.Phone), refusal { secretary.rename(member, "Máy") })
            assertEquals(Rejection.NotFound(Subject.Phone), refusal { secretary.confirm(member, "123456") })
            assertEquals(Rejection.NotFound(Subject.Phone), refusal { secretary.refuse(member) })
            assertIs<Rejection.NotAllowed>(refusal { secretary.invite(mine.installation, 7) })
        }

    // ---- Privileged acts

    @Test
    fun `loss a secretary revokes a lost phone by the hardware's second key, and it is wiped`() =
        runBlocking<Unit> {
            val signer = JdkSigner()
            val secretary = joined("secretary", signer)
            val lost = joined("a")
            assertTrue(lost.vault.isKept())
            val its =
                secretary.handbook.phones
                    .of(member)
                    .single()
                    .installation
            secretary.handbook.phones.beginRevoking(its).use { act ->
                // Another key's signature, the device key's, and what is none at all: nothing is done.
                assertFailsWith<HandbookException.NotApproved> { act.finish(JdkSigner().approve(act.challenge)) }
                assertFailsWith<HandbookException.NotApproved> { act.finish(signer.sign(act.challenge)) }
                assertFailsWith<HandbookException.NotApproved> { act.finish(ByteArray(0)) }
                assertFailsWith<HandbookException.NotApproved> {
                    act.finish(
                        signer.approve("something else".toByteArray()),
                    )
                }
                assertTrue(lost.handbook.sync().finished)
                assertIs<ActDone.Done>(act.finish(signer.approve(act.challenge)))
                assertFailsWith<HandbookException.NotApproved> { act.finish(signer.approve(act.challenge)) }
            }
            assertEquals(emptyList(), secretary.handbook.phones.of(member))

            assertFailsWith<HandbookException.Revoked> { lost.handbook.sync() }
            assertFailsWith<HandbookException.Revoked> { lost.handbook.joined() }
            assertEquals(
                listOf("lock"),
                lost.folder
                    .list()
                    .orEmpty()
                    .toList(),
            )
            assertFalse(lost.vault.isKept())
            lost.restart()
            assertNull(lost.handbook.joined())
        }

    @Test
    fun `auth 3 a phone without a key for privileged acts begins none`() =
        runBlocking<Unit> {
            val plain = joined("secretary")
            val deputy = joined("deputy", JdkSigner(hasApprovalKey = false))
            val its =
                joined("a")
                    .handbook.phones
                    .list()
                    .single()
                    .installation
            for (officer in listOf(plain, deputy)) {
                assertFailsWith<HandbookException.NotApproved> { officer.handbook.phones.beginRevoking(its) }
            }
        }

    @Test
    fun `auth 3 a task is given and the own data is exported only after an unlock`() =
        runBlocking<Unit> {
            val signer = JdkSigner()
            val secretary = joined("secretary", signer)
            val task =
                TaskForm(
                    member,
                    server.name("organisation.c1"),
                    Role.EnrolmentHelper,
                    null,
                    LocalDate.now().minusDays(1),
                    null,
                )
            secretary.handbook.phones
                .beginGranting(
                    task,
                ).use { assertIs<ActDone.Done>(it.finish(signer.approve(it.challenge))) }

            // The helper confirms from now on.
            val helper = joined("a", JdkSigner())
            val joining = empty().handbook.join(server.name("invitation.b"), "phone b")
            val waiting = waitingAt(helper)
            assertEquals(joining.digits, waiting.digits)
            assertIs<Confirmation.Confirmed>(helper.handbook.phones.confirm(waiting.installation, joining.digits))

            val me = assertNotNull(secretary.handbook.joined()).member
            secretary.handbook.phones.beginExporting(me).use {
                val done = assertIs<ActDone.Export>(it.finish(signer.approve(it.challenge)))
                assertTrue("Nguyễn Văn Thử" in done.json, done.json.take(200))
            }
            assertIs<Rejection.NotAllowed>(refusal { secretary.handbook.phones.beginExporting(member) })
        }

    @Test
    fun `nothing about phones waits for the network`() =
        runBlocking<Unit> {
            val secretary = joined("secretary")
            server.become("stop")
            assertFailsWith<HandbookException.ServerUnreachable> { secretary.handbook.phones.list() }
            assertFailsWith<HandbookException.ServerUnreachable> { secretary.handbook.phones.invite(member, 7) }
            assertFailsWith<HandbookException.ServerUnreachable> { secretary.handbook.phones.joining() }
            server.become("start")
            assertEquals(
                1,
                secretary.handbook.phones
                    .list()
                    .size,
            )
        }
}
