package vn.sotay.app.keys

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import android.util.AtomicFile
import vn.sotay.client.KeyVault
import vn.sotay.client.VaultAnswer
import vn.sotay.client.VaultException
import java.io.File
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.KeyStore
import javax.crypto.AEADBadTagException
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/**
 * The handbook's root key, sealed in [file] under an AES-GCM key that never leaves Android's key store.
 *
 * [whenErased] erases what belongs to the handbook beside it.
 *
 * The file is written whole or not at all. A sealed root without its key, or one that the key does not open, is lost for good.
 */
class KeystoreVault(
    private val file: File,
    private val alias: String = "sotay root",
    private val whenErased: () -> Unit = {},
) : KeyVault {
    override fun rootKey(): VaultAnswer =
        answering {
            if (!file.exists()) return@answering VaultAnswer.Empty
            val wrapping = wrappingKey() ?: return@answering VaultAnswer.Lost
            val sealed = AtomicFile(file).readFully()
            if (sealed.size <= NONCE) return@answering VaultAnswer.Lost
            try {
                val cipher = Cipher.getInstance(TRANSFORMATION)
                cipher.init(Cipher.DECRYPT_MODE, wrapping, GCMParameterSpec(TAG_BITS, sealed, 0, NONCE))
                VaultAnswer.Key(cipher.doFinal(sealed, NONCE, sealed.size - NONCE))
            } catch (_: KeyPermanentlyInvalidatedException) {
                VaultAnswer.Lost
            } catch (_: AEADBadTagException) {
                VaultAnswer.Lost
            }
        }

    override fun store(root: ByteArray) =
        answering {
            val cipher = Cipher.getInstance(TRANSFORMATION)
            cipher.init(Cipher.ENCRYPT_MODE, wrappingKey() ?: newWrappingKey())
            val sealed = cipher.iv + cipher.doFinal(root)
            val target = AtomicFile(file)
            val stream = target.startWrite()
            try {
                stream.write(sealed)
                target.finishWrite(stream)
            } catch (why: IOException) {
                target.failWrite(stream)
                throw why
            }
        }

    override fun erase() =
        answering {
            // The key first: without it the file says nothing.
            keyStore().deleteEntry(alias)
            AtomicFile(file).delete()
            whenErased()
        }

    private fun keyStore(): KeyStore = KeyStore.getInstance(PROVIDER).apply { load(null) }

    private fun wrappingKey(): SecretKey? = keyStore().getKey(alias, null) as SecretKey?

    private fun newWrappingKey(): SecretKey {
        val specification =
            KeyGenParameterSpec
                .Builder(alias, KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT)
                .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
                .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
                .setKeySize(KEY_BITS)
                .build()
        return KeyGenerator
            .getInstance(KeyProperties.KEY_ALGORITHM_AES, PROVIDER)
            .apply { init(specification) }
            .generateKey()
    }

    /** Whatever else goes wrong may go right next time. Nothing of the cause crosses the border. */
    private fun <T> answering(block: () -> T): T =
        try {
            block()
        } catch (_: GeneralSecurityException) {
            throw VaultException.Failed()
        } catch (_: IOException) {
            throw VaultException.Failed()
        } catch (_: IllegalStateException) {
            throw VaultException.Failed()
        }

    private companion object {
        const val PROVIDER = "AndroidKeyStore"
        const val TRANSFORMATION = "AES/GCM/NoPadding"
        const val NONCE = 12
        const val TAG_BITS = 128
        const val KEY_BITS = 256
    }
}
