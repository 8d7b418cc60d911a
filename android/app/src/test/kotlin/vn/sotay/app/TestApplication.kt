package vn.sotay.app

import android.app.Activity
import vn.sotay.app.keys.ApprovingSigner
import vn.sotay.client.KeyVault
import vn.sotay.client.VaultAnswer
import java.io.File
import java.nio.file.Files
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.Signature
import java.security.spec.ECGenParameterSpec

/** The app on a fresh folder, with vaults in memory: Robolectric has no Android Keystore. */
class TestApplication : SotayApplication() {
    public override val place: File by lazy { Files.createTempDirectory("sotay-app").toFile() }
    private val hardware = HashMap<String, Pair<JdkSigner, MemoryVault>>()

    /** The same keys for the same name, as a phone has them after a new start too. */
    public override fun keep(name: String): KeptHandbook {
        val (signer, vault) = hardware.getOrPut(name) { JdkSigner().let { it to MemoryVault(it::erase) } }
        return KeptHandbook(File(place, name), vault, signer, scope)
    }

    /** What keeps the root key of this handbook. */
    fun vault(of: KeptHandbook): MemoryVault = hardware.getValue(of.folder.name).second

    /** Closes what is open, as the end of the process does. */
    fun close() = handbooks.all.value.forEach { (it.opening.value as? Opening.Open)?.handbook?.close() }

    override fun onTerminate() {
        close()
        place.deleteRecursively()
        super.onTerminate()
    }
}

/** What the hardware does, by the JDK's own provider; whoever is asked to unlock the phone does so. */
class JdkSigner : ApprovingSigner {
    private var device = pair()
    private var approval = pair()

    override fun deviceKey(): ByteArray = device.public.encoded

    override fun sign(message: ByteArray): ByteArray = signature(device, message)

    override fun approvalKey(): ByteArray = approval.public.encoded

    override suspend fun approve(
        activity: Activity,
        challenge: ByteArray,
    ): ByteArray = signature(approval, challenge)

    override fun erase() {
        device = pair()
        approval = pair()
    }

    private fun pair(): KeyPair =
        KeyPairGenerator.getInstance("EC").run {
            initialize(ECGenParameterSpec("secp256r1"))
            generateKeyPair()
        }

    private fun signature(
        pair: KeyPair,
        message: ByteArray,
    ): ByteArray =
        Signature.getInstance("SHA256withECDSA").run {
            initSign(pair.private)
            update(message)
            sign()
        }
}

/** Keeps the root key in memory. */
class MemoryVault(
    private val whenErased: () -> Unit = {},
) : KeyVault {
    private var root: ByteArray? = null

    /** The key is gone, as after a reset of the phone's key store. */
    @Volatile var isLost = false

    override fun rootKey(): VaultAnswer =
        when {
            isLost -> VaultAnswer.Lost
            else -> root?.let { VaultAnswer.Key(it) } ?: VaultAnswer.Empty
        }

    override fun store(root: ByteArray) {
        this.root = root
    }

    override fun erase() {
        root = null
        isLost = false
        whenErased()
    }
}
