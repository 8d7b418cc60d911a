package vn.sotay.app.keys

import android.app.Activity
import android.hardware.biometrics.BiometricManager.Authenticators
import android.hardware.biometrics.BiometricPrompt
import android.os.Build
import android.os.CancellationSignal
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import android.security.keystore.StrongBoxUnavailableException
import android.security.keystore.UserNotAuthenticatedException
import androidx.annotation.RequiresApi
import kotlinx.coroutines.suspendCancellableCoroutine
import vn.sotay.app.R
import vn.sotay.client.DeviceSigner
import vn.sotay.client.HandbookException
import vn.sotay.client.SignerException
import java.security.GeneralSecurityException
import java.security.InvalidAlgorithmParameterException
import java.security.KeyPairGenerator
import java.security.KeyStore
import java.security.PrivateKey
import java.security.ProviderException
import java.security.Signature
import java.security.spec.ECGenParameterSpec
import kotlin.coroutines.resume

/** The phone's hardware, and the way to have its owner approve a privileged act. */
interface ApprovingSigner : DeviceSigner {
    /**
     * Asks for a face, a finger or the phone's code and signs [challenge] with the key for privileged acts; null where the person
     * would not. [HandbookException.KeyFailed] where the key cannot be used.
     */
    suspend fun approve(
        activity: Activity,
        challenge: ByteArray,
    ): ByteArray?

    /** Forgets the keys, so that whoever joins on this phone next has others. */
    fun erase()
}

/**
 * Two keys on P-256 that never leave Android's key store, in StrongBox where the phone has one: the device key, which signs without
 * asking anybody, and the key for privileged acts, of which every use asks for a fresh unlock.
 *
 * A phone has no key for privileged acts before Android 9, and none where no screen lock was set when it was first asked for.
 */
class KeystoreSigner(
    private val device: String = "sotay device",
    private val approval: String = "sotay approval",
) : ApprovingSigner {
    override fun deviceKey(): ByteArray = answering { publicKey(device) ?: newKey(device, asks = false) }

    override fun sign(message: ByteArray): ByteArray =
        answering {
            signing(device).run {
                update(message)
                sign()
            }
        }

    override fun approvalKey(): ByteArray? {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.P) return null
        return answering {
            try {
                publicKey(approval) ?: newKey(approval, asks = true)
            } catch (_: InvalidAlgorithmParameterException) {
                // No screen lock, or before Android 11 no finger, by which anybody could be asked.
                null
            }
        }
    }

    override suspend fun approve(
        activity: Activity,
        challenge: ByteArray,
    ): ByteArray? {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.P) return null
        return try {
            val unlocked = unlocked(activity, signing(approval)) ?: return null
            unlocked.update(challenge)
            unlocked.sign()
        } catch (_: GeneralSecurityException) {
            throw HandbookException.KeyFailed()
        } catch (_: ProviderException) {
            throw HandbookException.KeyFailed()
        }
    }

    override fun erase() {
        val keys = keyStore()
        keys.deleteEntry(device)
        keys.deleteEntry(approval)
    }

    /** The same signature, once the owner of the phone has unlocked it. */
    @RequiresApi(Build.VERSION_CODES.P)
    private suspend fun unlocked(
        activity: Activity,
        signature: Signature,
    ): Signature? =
        suspendCancellableCoroutine { waiting ->
            val cancel = CancellationSignal()
            waiting.invokeOnCancellation { cancel.cancel() }
            val prompt = BiometricPrompt.Builder(activity).setTitle(activity.getString(R.string.approve_title))
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
                prompt.setAllowedAuthenticators(Authenticators.BIOMETRIC_STRONG or Authenticators.DEVICE_CREDENTIAL)
            } else {
                prompt.setNegativeButton(activity.getString(R.string.cancel), activity.mainExecutor) { _, _ ->
                    if (waiting.isActive) waiting.resume(null)
                }
            }
            val answer =
                object : BiometricPrompt.AuthenticationCallback() {
                    override fun onAuthenticationSucceeded(result: BiometricPrompt.AuthenticationResult) {
                        if (waiting.isActive) waiting.resume(result.cryptoObject?.signature)
                    }

                    override fun onAuthenticationError(
                        code: Int,
                        text: CharSequence?,
                    ) {
                        if (waiting.isActive) waiting.resume(null)
                    }
                }
            prompt.build().authenticate(BiometricPrompt.CryptoObject(signature), cancel, activity.mainExecutor, answer)
        }

    private fun keyStore(): KeyStore = KeyStore.getInstance(PROVIDER).apply { load(null) }

    private fun publicKey(alias: String): ByteArray? = keyStore().getCertificate(alias)?.publicKey?.encoded

    private fun signing(alias: String): Signature {
        val key = keyStore().getKey(alias, null) as PrivateKey? ?: throw GeneralSecurityException("no key")
        return Signature.getInstance("SHA256withECDSA").apply { initSign(key) }
    }

    private fun newKey(
        alias: String,
        asks: Boolean,
    ): ByteArray {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.P) return newKey(specification(alias, asks).build())
        return try {
            newKey(specification(alias, asks).setIsStrongBoxBacked(true).build())
        } catch (_: StrongBoxUnavailableException) {
            newKey(specification(alias, asks).build())
        }
    }

    private fun newKey(specification: KeyGenParameterSpec): ByteArray =
        KeyPairGenerator
            .getInstance(KeyProperties.KEY_ALGORITHM_EC, PROVIDER)
            .apply { initialize(specification) }
            .generateKeyPair()
            .public.encoded

    private fun specification(
        alias: String,
        asks: Boolean,
    ) = KeyGenParameterSpec
        .Builder(alias, KeyProperties.PURPOSE_SIGN)
        .setAlgorithmParameterSpec(ECGenParameterSpec("secp256r1"))
        .setDigests(KeyProperties.DIGEST_SHA256)
        .setUserAuthenticationRequired(asks)
        .apply {
            // Each use is asked for. Before Android 11 that is so without saying it, and the phone's code alone does not do.
            if (asks && Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
                setUserAuthenticationParameters(
                    0,
                    KeyProperties.AUTH_BIOMETRIC_STRONG or KeyProperties.AUTH_DEVICE_CREDENTIAL,
                )
            }
        }

    /** Nothing of the cause crosses the border. */
    private fun <T> answering(block: () -> T): T =
        try {
            block()
        } catch (_: UserNotAuthenticatedException) {
            throw SignerException.LockedNow()
        } catch (_: GeneralSecurityException) {
            throw SignerException.Failed()
        } catch (_: ProviderException) {
            throw SignerException.Failed()
        } catch (_: IllegalStateException) {
            throw SignerException.Failed()
        }

    private companion object {
        const val PROVIDER = "AndroidKeyStore"
    }
}
