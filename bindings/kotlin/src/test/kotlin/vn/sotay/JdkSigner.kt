package vn.sotay

import vn.sotay.client.DeviceSigner
import vn.sotay.client.SignerException
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.Signature
import java.security.spec.ECGenParameterSpec
import java.util.concurrent.atomic.AtomicInteger

/**
 * What a phone's secure hardware does, by the JDK's own provider: P-256 keys that are never shown, signatures in DER. It can be
 * locked or fail.
 */
class JdkSigner(
    hasApprovalKey: Boolean = true,
) : DeviceSigner {
    enum class Condition { Ordinary, Locked, Failing, Broken }

    @Volatile var condition = Condition.Ordinary

    /** How often the device key signed. */
    val signed = AtomicInteger()

    private val device = pair()
    private val approval = if (hasApprovalKey) pair() else null

    override fun deviceKey(): ByteArray = answering { device.public.encoded }

    override fun sign(message: ByteArray): ByteArray =
        answering {
            signed.incrementAndGet()
            signature(device, message)
        }

    override fun approvalKey(): ByteArray? = answering { approval?.public?.encoded }

    /** What the hardware does once the officer has shown a finger. */
    fun approve(challenge: ByteArray): ByteArray = signature(checkNotNull(approval), challenge)

    private fun <T> answering(answer: () -> T): T =
        when (condition) {
            Condition.Ordinary -> answer()
            Condition.Locked -> throw SignerException.LockedNow()
            Condition.Failing -> throw SignerException.Failed()
            Condition.Broken -> throw IllegalStateException("none of the answers that were agreed on")
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
