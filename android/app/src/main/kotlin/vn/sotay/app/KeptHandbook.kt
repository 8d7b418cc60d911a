package vn.sotay.app

import android.os.SystemClock
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import vn.sotay.MemberHandbook
import vn.sotay.app.keys.ApprovingSigner
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

    /** The person had it deleted, and so many unsent entries with it. */
    class Erased(
        val unsent: Int,
    ) : Opening
}

/**
 * One handbook on this phone: where it lies, what opens it, and whether it is open now.
 *
 * Where a PIN is set the handbook closes itself after [UNLOCKED] out of sight, whether anybody comes back or not: from then on nothing in
 * this process can read it, and the background job does nothing with it, until somebody enters the PIN.
 *
 * [scope] is the main thread's; all functions are called there.
 */
class KeptHandbook(
    val folder: File,
    private val vault: KeyVault,
    val signer: ApprovingSigner,
    private val scope: CoroutineScope,
) {
    private val state = MutableStateFlow<Opening>(Opening.Opens)
    val opening: StateFlow<Opening> = state.asStateFlow()
    private var changing: Job? = null

    /** The database could not be read and a new one is wanted: also once the PIN was asked for. */
    private var rebuilds = false
    private var hasPin = false
    private var hiddenSince: Long? = null
    private var hiding: Job? = null

    /** Opens the handbook, or tries again after a failure. */
    fun open() {
        rebuilds = false
        change { opened(null) }
    }

    /** Where the database cannot be read: makes a new one with the unsent entries, once the person agreed. */
    fun rebuild() {
        rebuilds = true
        change { opened(null) }
    }

    /** Does with the [pin] what could not be done without. */
    fun unlock(pin: String) = change { opened(pin) }

    /** Deletes a handbook that nobody can open, once the person agreed. */
    fun erase() = change { Opening.Erased(MemberHandbook.erase(folder.path, vault)) }

    /** The handbook ended by itself: it was deleted after ten wrong PINs, or because the organisation revoked this phone. */
    fun ended(
        handbook: MemberHandbook,
        why: HandbookException,
    ) {
        if ((state.value as? Opening.Open)?.handbook !== handbook) return
        change {
            close(handbook)
            Opening.Failed(why)
        }
    }

    /** The member signed out, which deleted it, and so many unsent entries with it. */
    fun left(
        handbook: MemberHandbook,
        unsent: Int,
    ) {
        if ((state.value as? Opening.Open)?.handbook !== handbook) return
        change {
            close(handbook)
            Opening.Erased(unsent)
        }
    }

    /** The app went out of sight. */
    fun outOfSight() {
        hiddenSince = SystemClock.elapsedRealtime()
        hiding?.cancel()
        hiding =
            scope.launch {
                delay(UNLOCKED)
                lockIfDue()
            }
        // It may have been set meanwhile, and who comes back is not to see anything before that is known.
        scope.launch { (state.value as? Opening.Open)?.let { hasPin = hasPin(it.handbook) } }
    }

    /** The app is in sight again. */
    fun inSight() {
        hiding?.cancel()
        // A phone that slept has not counted.
        lockIfDue()
        hiddenSince = null
    }

    /** Locks the handbook if it has been out of sight for long enough. */
    fun lockIfDue() {
        val hidden = hiddenSince?.let { SystemClock.elapsedRealtime() - it } ?: return
        if (hidden >= UNLOCKED) lock()
    }

    /** Locks the handbook, where a PIN is set. */
    fun lock() {
        val open = state.value as? Opening.Open ?: return
        if (hasPin) {
            lock(open)
        } else {
            scope.launch { if (hasPin(open.handbook) && state.value === open) lock(open) }
        }
    }

    private fun lock(open: Opening.Open) {
        rebuilds = false
        change {
            close(open.handbook)
            opened(null)
        }
    }

    private suspend fun opened(pin: String?): Opening {
        folder.mkdirs()
        val handbook =
            if (rebuilds) {
                MemberHandbook.rebuild(folder.path, vault, signer, pin)
            } else {
                MemberHandbook.open(folder.path, vault, signer, pin)
            }
        hasPin = hasPin(handbook)
        return Opening.Open(handbook)
    }

    private suspend fun hasPin(handbook: MemberHandbook): Boolean =
        try {
            handbook.hasPin()
        } catch (_: HandbookException) {
            // It ends just now. What was known of it still holds.
            hasPin
        }

    private suspend fun close(handbook: MemberHandbook) =
        withContext(Dispatchers.IO) {
            try {
                handbook.close()
            } catch (_: HandbookException) {
                // It is closed all the same.
            }
        }

    /** One change after another, and nothing to be seen in between. */
    private fun change(to: suspend () -> Opening) {
        if (changing?.isActive == true) return
        state.value = Opening.Opens
        changing =
            scope.launch {
                state.value =
                    try {
                        to()
                    } catch (why: HandbookException) {
                        Opening.Failed(why)
                    }
            }
    }

    /** Nobody joined in it, or it was deleted. */
    suspend fun isNobodys(): Boolean {
        changing?.join()
        return when (val now = state.value) {
            is Opening.Opens -> {
                false
            }

            is Opening.Erased -> {
                true
            }

            is Opening.Failed -> {
                now.why is HandbookException.WipedAfterTries || now.why is HandbookException.Revoked
            }

            is Opening.Open -> {
                try {
                    now.handbook.joined() == null && now.handbook.joining() == null
                } catch (_: HandbookException) {
                    false
                }
            }
        }
    }

    /** Takes a handbook that [isNobodys] away from the phone. */
    suspend fun remove() {
        (state.value as? Opening.Open)?.let { close(it.handbook) }
        state.value = Opening.Opens
        try {
            MemberHandbook.erase(folder.path, vault)
            withContext(Dispatchers.IO) { folder.deleteRecursively() }
        } catch (_: HandbookException) {
            // There is nothing in it. It stands in the list again at the next start.
        }
    }

    companion object {
        /** So long out of sight, in milliseconds, and a handbook with a PIN is locked: a call or a glance elsewhere costs no PIN. */
        const val UNLOCKED = 60_000L
    }
}
