package vn.sotay

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Test
import vn.sotay.MemoryVault.Condition
import vn.sotay.client.HandbookException
import java.io.File
import java.nio.file.Files
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotEquals
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** Key store, PIN, new keys, and leaving. */
class LockTest {
    private val server = ScenarioServer.ofMeeting()
    private val place = Files.createTempDirectory("sotay-lock").toFile()

    @AfterEach
    fun end() {
        server.close()
        place.deleteRecursively()
    }

    private fun folder(name: String): String = File(place, name).apply { mkdirs() }.path

    private suspend fun joined(
        name: String,
        vault: MemoryVault,
    ): MemberHandbook =
        MemberHandbook.open(folder(name), vault).apply {
            server.become("confirm ${join(server.name("invitation.$name"), "phone $name").digits}")
            finishJoining()
            sync()
        }

    private fun files(name: String) = File(folder(name)).list().orEmpty().toSet()

    @Test
    fun `auth 2 each answer of the key store is told in its way`() =
        runBlocking<Unit> {
            val vault = MemoryVault()
            val folder = folder("secretary")
            // Empty: a root is made and kept.
            joined("secretary", vault).use { it.meetings.publishNotice(notice()) }
            assertEquals(1, vault.stored.size)
            vault.condition = Condition.Locked
            assertFailsWith<HandbookException.KeyLocked> { MemberHandbook.open(folder, vault) }
            vault.condition = Condition.Failing
            assertFailsWith<HandbookException.KeyFailed> { MemberHandbook.open(folder, vault) }
            vault.condition = Condition.Lost
            assertEquals(1u, assertFailsWith<HandbookException.KeyLost> { MemberHandbook.open(folder, vault) }.unsent)
            assertEquals(
                1u,
                assertFailsWith<HandbookException.KeyLost> { MemberHandbook.open(folder, MemoryVault()) }.unsent,
            )
            vault.condition = Condition.Ordinary
            MemberHandbook.open(folder, vault).use { assertEquals(1u, it.sync().accepted) }
            assertEquals(1, vault.stored.size)
        }

    @Test
    fun `crypto 2 new keys go to the key store, and the handbook is what it was`() =
        runBlocking<Unit> {
            val vault = MemoryVault()
            joined("secretary", vault).use { handbook ->
                handbook.meetings.publishNotice(notice())
                handbook.rotateKeys()
                // A key store that is locked meanwhile changes nothing.
                vault.condition = Condition.Locked
                assertFailsWith<HandbookException.KeyLocked> { handbook.rotateKeys() }
                vault.condition = Condition.Ordinary
            }
            assertEquals(2, vault.stored.toSet().size)
            MemberHandbook.open(folder("secretary"), vault).use { assertEquals(1u, it.sync().accepted) }
        }

    @Test
    fun `auth 2 a PIN is asked for, changed and taken away`() =
        runBlocking<Unit> {
            val vault = MemoryVault()
            val folder = folder("secretary")
            joined("secretary", vault).use { handbook ->
                assertFalse(handbook.hasPin())
                for (malformed in listOf("", "12345", "1234567", "12345a", "１２３４５６")) {
                    assertFailsWith<HandbookException.PinMalformed> { handbook.setPin(malformed) }
                }
                handbook.setPin("123456")
                assertTrue(handbook.hasPin())
                assertFailsWith<HandbookException.PinNeeded> { handbook.setPin("654321") }
            }
            assertEquals(
                10u,
                assertFailsWith<HandbookException.PinNeeded> { MemberHandbook.open(folder, vault) }.triesLeft,
            )
            assertFailsWith<HandbookException.PinMalformed> { MemberHandbook.open(folder, vault, pin = "12 456") }
            val wrong =
                assertFailsWith<HandbookException.PinWrong> { MemberHandbook.open(folder, vault, pin = "654321") }
            assertEquals(9u, wrong.triesLeft)
            MemberHandbook.open(folder, vault, pin = "123456").use { handbook ->
                assertFailsWith<HandbookException.PinWrong> { handbook.changePin("111111", "654321") }
                handbook.changePin("123456", "654321")
                handbook.rotateKeys()
            }
            MemberHandbook.open(folder, vault, pin = "654321").use { it.removePin("654321") }
            MemberHandbook.open(folder, vault).use { assertFalse(it.hasPin()) }
        }

    @Test
    fun `auth 2 the tenth wrong PIN deletes the handbook and says so`() =
        runBlocking<Unit> {
            val vault = MemoryVault()
            val folder = folder("secretary")
            joined("secretary", vault).use { handbook ->
                handbook.meetings.publishNotice(notice())
                handbook.setPin("123456")
            }
            for (left in 9 downTo 1) {
                val wrong =
                    assertFailsWith<HandbookException.PinWrong> { MemberHandbook.open(folder, vault, pin = "000000") }
                assertEquals(left.toUInt(), wrong.triesLeft)
            }
            val gone =
                assertFailsWith<HandbookException.WipedAfterTries> {
                    MemberHandbook.open(folder, vault, pin = "000000")
                }
            assertEquals(1u, gone.unsent)
            assertEquals(setOf("lock"), files("secretary"))
            MemberHandbook.open(folder, vault).use { assertNull(it.joined()) }
        }

    @Test
    fun `storage 1 two handbooks on one phone have locks of their own`() =
        runBlocking<Unit> {
            val (vault, other) = MemoryVault() to MemoryVault()
            joined("secretary", vault).use { it.setPin("111111") }
            joined("a", other).use { it.setPin("222222") }
            assertNotEquals(vault.stored.last(), other.stored.last())
            assertFailsWith<HandbookException.PinWrong> { MemberHandbook.open(folder("a"), other, pin = "111111") }
            assertFailsWith<HandbookException.WrongKey> { MemberHandbook.open(folder("a"), vault, pin = "222222") }
            val first = MemberHandbook.open(folder("secretary"), vault, pin = "111111")
            val second = MemberHandbook.open(folder("a"), other, pin = "222222")
            assertNotEquals(first.joined()?.member, second.joined()?.member)
            first.wipe()
            assertEquals(0u, second.sync().refused)
            first.close()
            second.close()
        }

    @Test
    fun `storage 1 signing out tells what was not sent, and then leaves nothing`() =
        runBlocking<Unit> {
            val vault = MemoryVault()
            val handbook = joined("secretary", vault)
            handbook.meetings.publishNotice(notice())
            assertEquals(1u, assertFailsWith<HandbookException.Unsent> { handbook.signOut() }.count)
            assertEquals(1u, handbook.sync().accepted)
            assertEquals(0, handbook.signOut())
            handbook.close()
            assertEquals(setOf("lock"), files("secretary"))
            // Somebody else joins in the same place and sees nothing of the first.
            MemberHandbook.open(folder("secretary"), vault).use { another ->
                assertNull(another.joined())
                server.become("confirm ${another.join(server.name("invitation.a"), "phone a").digits}")
                another.finishJoining()
                another.sync()
                assertEquals("Lê Văn Ví Dụ", another.joined()?.memberName)
                assertEquals(
                    0u,
                    another.home
                        .view()
                        .read()
                        .delivery.unsent,
                )
                assertEquals(0, another.signOut())
            }
        }
}
