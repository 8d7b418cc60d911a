package vn.sotay

import vn.sotay.client.KeyVault
import vn.sotay.client.VaultAnswer
import vn.sotay.client.VaultException

/** A key store in memory, as a phone's is in hardware: nothing of it lies in any file. It can be locked, lose its key, or fail. */
class MemoryVault : KeyVault {
    enum class Condition { Ordinary, Locked, Lost, Failing }

    @Volatile var condition = Condition.Ordinary

    /** Every root that it was given to keep, the last one in force. */
    val stored = ArrayList<List<Byte>>()

    @Volatile private var root: ByteArray? = null

    override fun rootKey(): VaultAnswer =
        when (condition) {
            Condition.Ordinary -> root?.let { VaultAnswer.Key(it.copyOf()) } ?: VaultAnswer.Empty
            Condition.Locked -> VaultAnswer.LockedNow
            Condition.Lost -> VaultAnswer.Lost
            Condition.Failing -> throw VaultException.Failed()
        }

    override fun store(root: ByteArray) {
        if (condition != Condition.Ordinary) throw VaultException.Failed()
        this.root = root.copyOf()
        stored += root.toList()
    }

    override fun erase() {
        root = null
    }
}
