package vn.sotay.app

import android.app.Application
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch
import vn.sotay.MemberHandbook
import vn.sotay.app.background.makeChannels
import vn.sotay.app.keys.ApprovingSigner
import vn.sotay.app.keys.KeystoreSigner
import vn.sotay.app.keys.KeystoreVault
import vn.sotay.client.HandbookException
import vn.sotay.client.KeyVault
import java.io.File

/** Where the handbook's opening stands. */
sealed interface Opening {
    data object Opens : Opening

    class Open(
        val handbook: MemberHandbook,
    ) : Opening

    class Failed(
        val why: HandbookException,
    ) : Opening
}

/** Holds the one handbook of this app, from the first screen or background job until the process ends. */
open class SotayApplication : Application() {
    val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main)
    private val state = MutableStateFlow<Opening>(Opening.Opens)
    val opening: StateFlow<Opening> = state.asStateFlow()

    /** A private folder, kept out of every backup. */
    protected open val folder: File get() = File(noBackupFilesDir, "handbook")

    protected open fun vault(): KeyVault =
        KeystoreVault(File(noBackupFilesDir, "handbook.key"), whenErased = signer::erase)

    /** The phone's hardware, with which the handbook is always opened. */
    open val signer: ApprovingSigner by lazy { KeystoreSigner() }

    override fun onCreate() {
        super.onCreate()
        makeChannels(this)
        open()
    }

    /** Opens the handbook, or tries again after a failure. */
    fun open() = open { folder, vault -> MemberHandbook.open(folder, vault, signer) }

    /** Where the database cannot be read: makes a new one with the unsent entries, once the person agreed. */
    fun rebuild() = open { folder, vault -> MemberHandbook.rebuild(folder, vault, signer) }

    private fun open(how: suspend (folder: String, vault: KeyVault) -> MemberHandbook) {
        state.value = Opening.Opens
        scope.launch {
            state.value =
                try {
                    folder.mkdirs()
                    Opening.Open(how(folder.path, vault()))
                } catch (why: HandbookException) {
                    Opening.Failed(why)
                }
        }
    }
}
