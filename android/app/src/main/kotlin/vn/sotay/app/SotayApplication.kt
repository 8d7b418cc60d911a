package vn.sotay.app

import android.app.Application
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import vn.sotay.app.background.makeChannels
import vn.sotay.app.keys.KeystoreSigner
import vn.sotay.app.keys.KeystoreVault
import java.io.File

/** Holds the handbooks on this phone, from the first screen or background job until the process ends. */
open class SotayApplication : Application() {
    val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main)

    val handbooks: Handbooks by lazy { Handbooks(place, scope, ::keep) }

    /** A private folder that is kept out of every backup. */
    protected open val place: File get() = noBackupFilesDir

    /** A handbook with keys in the phone's hardware that are no other one's. */
    protected open fun keep(name: String): KeptHandbook {
        val own = name.removePrefix(Handbooks.FIRST)
        val signer = KeystoreSigner("sotay device$own", "sotay approval$own")
        val vault = KeystoreVault(File(place, "$name.key"), "sotay root$own", signer::erase)
        return KeptHandbook(File(place, name), vault, signer, scope)
    }

    override fun onCreate() {
        super.onCreate()
        makeChannels(this)
        handbooks.open()
    }
}
