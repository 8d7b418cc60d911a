package vn.sotay.app

import vn.sotay.client.KeyVault
import vn.sotay.client.VaultAnswer
import java.io.File
import java.nio.file.Files

/** The app on a fresh folder, with a vault in memory: Robolectric has no Android Keystore. */
class TestApplication : SotayApplication() {
    private val place: File by lazy { Files.createTempDirectory("sotay-app").toFile() }

    override val folder: File get() = File(place, "handbook")

    override fun vault(): KeyVault = MemoryVault()

    override fun onTerminate() {
        (opening.value as? Opening.Open)?.handbook?.close()
        place.deleteRecursively()
        super.onTerminate()
    }
}

/** Keeps the root key in memory. */
class MemoryVault : KeyVault {
    private var root: ByteArray? = null

    override fun rootKey(): VaultAnswer = root?.let { VaultAnswer.Key(it) } ?: VaultAnswer.Empty

    override fun store(root: ByteArray) {
        this.root = root
    }

    override fun erase() {
        root = null
    }
}
