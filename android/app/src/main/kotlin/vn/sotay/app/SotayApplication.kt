package vn.sotay.app

import android.app.Application
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import vn.sotay.app.background.makeChannels
import vn.sotay.app.keys.KeystoreSigner
import vn.sotay.app.keys.KeystoreVault
import java.io.File

/** Holds the one handbook of this app, from the first screen or background job until the process ends. */
open class SotayApplication : Application() {
    val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main)

    val kept: KeptHandbook by lazy { keep() }

    /** In a private folder that is kept out of every backup, with keys in the phone's hardware. */
    protected open fun keep(): KeptHandbook {
        val signer = KeystoreSigner()
        val vault = KeystoreVault(File(noBackupFilesDir, "handbook.key"), whenErased = signer::erase)
        return KeptHandbook(File(noBackupFilesDir, "handbook"), vault, signer, scope)
    }

    override fun onCreate() {
        super.onCreate()
        makeChannels(this)
        kept.open()
    }
}
