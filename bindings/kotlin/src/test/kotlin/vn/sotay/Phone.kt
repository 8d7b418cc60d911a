package vn.sotay

import vn.sotay.client.DeviceSigner
import vn.sotay.client.KeyVault
import vn.sotay.client.VaultAnswer
import vn.sotay.client.VaultException
import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import kotlin.test.assertNotNull

/** A vault for tests: the root key in a plain file. It can be locked, lose its key, or fail. */
class FileKeyVault(
    private val file: File,
) : KeyVault {
    enum class Condition { Ordinary, Locked, Lost, Failing }

    @Volatile var condition = Condition.Ordinary

    override fun rootKey(): VaultAnswer =
        when (condition) {
            Condition.Ordinary -> if (file.exists()) VaultAnswer.Key(file.readBytes()) else VaultAnswer.Empty
            Condition.Locked -> VaultAnswer.LockedNow
            Condition.Lost -> VaultAnswer.Lost
            Condition.Failing -> throw VaultException.Failed()
        }

    override fun store(root: ByteArray) = file.writeBytes(root)

    override fun erase() {
        file.delete()
    }

    /** Whether it holds a key. */
    fun isKept() = file.exists()
}

/** A phone: a folder and a vault, and the handbook in them. */
class Phone private constructor(
    private val place: Path,
    val vault: FileKeyVault,
    private val signer: DeviceSigner?,
    first: MemberHandbook,
) : AutoCloseable {
    val folder: File get() = place.resolve("handbook").toFile()

    var handbook = first
        private set

    /** The app is closed and started again. */
    suspend fun restart() {
        handbook.close()
        handbook = MemberHandbook.open(folder.path, vault, signer)
    }

    /** Joins, and has whoever runs the server confirm the digits that the phone shows. */
    suspend fun join(
        server: ScenarioServer,
        invitation: String,
        name: String,
    ) {
        server.become("confirm ${handbook.join(invitation, "phone $name").digits}")
        assertNotNull(handbook.finishJoining())
    }

    override fun close() {
        handbook.close()
        place.toFile().deleteRecursively()
    }

    companion object {
        /** A phone on which nobody has joined; its key is the [signer]'s where there is one. */
        suspend fun empty(signer: DeviceSigner? = null): Phone {
            val place = Files.createTempDirectory("sotay")
            val vault = FileKeyVault(place.resolve("key").toFile())
            val folder = place.resolve("handbook").toFile().apply { mkdir() }
            return Phone(place, vault, signer, MemberHandbook.open(folder.path, vault, signer))
        }

        /** A phone that has joined and fetched everything. */
        suspend fun joined(
            name: String,
            server: ScenarioServer,
        ): Phone =
            empty().apply {
                join(server, server.name("invitation.$name"), name)
                handbook.sync()
            }
    }
}
