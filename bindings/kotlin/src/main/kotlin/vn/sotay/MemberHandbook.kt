package vn.sotay

import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import vn.sotay.client.DeviceSigner
import vn.sotay.client.Handbook
import vn.sotay.client.HandbookException
import vn.sotay.client.JoinedView
import vn.sotay.client.JoiningView
import vn.sotay.client.KeyVault
import vn.sotay.client.Query
import vn.sotay.client.SyncReport
import vn.sotay.client.SyncStateView
import vn.sotay.client.eraseHandbook
import vn.sotay.documents.Documents
import vn.sotay.home.Home
import vn.sotay.meetings.Meetings
import vn.sotay.phones.Phones
import vn.sotay.profile.Profile
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * One person's handbook in one folder of one phone: the Rust engine in the manner of Kotlin.
 *
 * - What the engine blocks in suspends here, on `Dispatchers.IO`. Cancelling a coroutine never undoes an entry that the engine has
 *   begun to store: an entry is either kept as a whole or refused with an exception.
 * - What a screen shows is a [Live]: a cold flow whose first value comes at once and the next ones whenever it may have changed.
 * - Whatever goes wrong is a [HandbookException]; each of its cases is something that a person can act on, with the facts as fields.
 *
 * The functions of each domain are found under its name: [home], [meetings], [documents], [profile], [phones].
 */
class MemberHandbook private constructor(
    private val engine: Handbook,
) : AutoCloseable {
    private val closed = AtomicBoolean()
    private val changes = Changes(engine)

    /** The first screen, and what waits to be sent. */
    val home = Home(engine, changes)

    /** Notices, answers, absences, roll call. */
    val meetings = Meetings(engine, changes)

    /** Documents to read without a network. */
    val documents = Documents(engine, changes)

    /** The own profile and card. */
    val profile = Profile(engine, changes)

    /** The own phones; for officers also invitations, confirmations and revocations. */
    val phones = Phones(engine)

    /** Whose handbook it is; none before [join]. */
    suspend fun joined(): JoinedView? = blocking { engine.joined() }

    /**
     * Claims an [invitation]: the text of a scanned code, `sotay://join/<host:port>/<code>`, or `host:port` and the thirteen
     * typed symbols, separated by a space. Needs the network; nothing is left behind when it fails. Its six digits are shown until
     * an officer has compared and confirmed them.
     */
    suspend fun join(
        invitation: String,
        deviceName: String,
    ): JoiningView = blocking { engine.join(invitation, deviceName) }

    /** The claim that waits for an officer, also after a new start of the app; none before [join] and once joined. */
    suspend fun joining(): JoiningView? = blocking { engine.joining() }

    /**
     * Asks the server, once, whether an officer has confirmed the digits; none while they wait. `InvitationUnusable` where the claim
     * was refused or has run out: then it is forgotten.
     */
    suspend fun finishJoining(): JoinedView? = blocking { engine.finishJoining() }

    /** Forgets a claim that waits. */
    suspend fun stopJoining() = blocking { engine.stopJoining() }

    /** Sends what is pending and fetches what is new, until nothing is left. Cancelling the coroutine ends it without loss. */
    suspend fun sync(): SyncReport = syncWithin(null)

    /**
     * The same for no longer than [budget], as an operating system grants in the background. What it did until then is kept, and the
     * next one goes on from there: `finished` in the report says whether anything is left.
     */
    suspend fun syncFor(budget: Duration): SyncReport = syncWithin(budget.milliseconds())

    /** How syncing stands: what a person and a support desk want to know. */
    fun syncState(): Live<SyncStateView> = changes.live(Query.SyncState) { engine.syncState() }

    /** The same as lines of text for a support desk, without anything that says who the person is. */
    suspend fun supportText(): String = blocking { engine.supportText() }

    /**
     * Says whether the network costs money by the byte. Where it does, wake-ups are not listened to, the server is asked less often and
     * nothing large is downloaded by itself. Entries are sent at once all the same.
     */
    suspend fun setMetered(metered: Boolean) = blocking { engine.setMetered(metered) }

    /** Syncs in the background until the result is closed: after each entry, and again with growing pauses without a network. */
    suspend fun startSync(): BackgroundSync = blocking { BackgroundSync(engine.startSync()) }

    /**
     * Refuses new work and closes every file, within [deadline]. Flows stay open and go on after [resume]; other calls fail with
     * [HandbookException.Paused] until then.
     */
    suspend fun pause(deadline: Duration = 5.seconds) {
        blocking {
            engine.pause(deadline.milliseconds())
        }
    }

    /** Opens the files again, and has every flow read anew. */
    suspend fun resume() {
        blocking { engine.resume() }
        changes.resumed()
    }

    /** Deletes everything of this handbook from the phone, the key first. Says how many unsent entries are lost. */
    suspend fun wipe(): Int = blocking { engine.wipe().toInt() }

    /**
     * Leaves the handbook: the same as [wipe], but while something entered was not sent it fails with [HandbookException.Unsent] and
     * does nothing, unless [loseUnsent] says that the member knows.
     */
    suspend fun signOut(loseUnsent: Boolean = false): Int = blocking { engine.signOut(loseUnsent).toInt() }

    /** Whether opening asks for a PIN. */
    suspend fun hasPin(): Boolean = blocking { engine.hasPin() }

    /** Sets a PIN, six digits, that every later opening asks for. */
    suspend fun setPin(pin: String) = blocking { engine.setPin(pin) }

    /** Sets another PIN. [HandbookException.PinWrong] costs a try, as when opening. */
    suspend fun changePin(
        pin: String,
        new: String,
    ) = blocking { engine.changePin(pin, new) }

    /** Takes the PIN away. [HandbookException.PinWrong] costs a try, as when opening. */
    suspend fun removePin(pin: String) = blocking { engine.removePin(pin) }

    /** Gives the vault a new root key. Nothing is encrypted anew, and the PIN stays. */
    suspend fun rotateKeys() = blocking { engine.rotateKeys() }

    /** Ends syncing, waiting calls and flows, and closes the files. Blocks until that is done; a second time it does nothing. */
    override fun close() {
        if (!closed.compareAndSet(false, true)) return
        try {
            engine.shutdown()
        } finally {
            changes.close()
            engine.close()
        }
    }

    /** A call that another thread ends when the coroutine is cancelled: whoever blocks cannot hear it. */
    private suspend fun syncWithin(budget: UInt?): SyncReport =
        blocking { engine.syncCall() }.use { call ->
            coroutineScope {
                val ending =
                    launch(Dispatchers.IO, CoroutineStart.UNDISPATCHED) {
                        try {
                            awaitCancellation()
                        } finally {
                            call.cancel()
                        }
                    }
                try {
                    blocking { call.run(budget) }
                } finally {
                    ending.cancelAndJoin()
                }
            }
        }

    companion object {
        private fun Duration.milliseconds() = inWholeMilliseconds.coerceIn(0, Int.MAX_VALUE.toLong()).toUInt()

        /**
         * Opens the handbook in a private [folder] of the app, or makes an empty one. In one process a folder belongs to one
         * handbook at a time: whoever opens it a second time shares the engine, and closing either one ends both.
         *
         * [signer] is the phone's secure hardware; without it the engine holds the phone's key, and the phone can do no privileged act. A
         * handbook that was joined with hardware is opened with it again: without, it shows what it has and cannot sync.
         *
         * [pin] is given once opening has answered [HandbookException.PinNeeded]. [HandbookException.PinWrong] says how many tries are
         * left; the tenth wrong one in a row deletes the handbook, [HandbookException.WipedAfterTries].
         */
        suspend fun open(
            folder: String,
            vault: KeyVault,
            signer: DeviceSigner? = null,
            pin: String? = null,
        ): MemberHandbook =
            blocking {
                MemberHandbook(
                    when {
                        signer != null -> Handbook.openWithSigner(folder, vault, signer, pin)
                        pin != null -> Handbook.openWithPin(folder, vault, pin)
                        else -> Handbook.open(folder, vault)
                    },
                )
            }

        /**
         * After [HandbookException.DatabaseUnreadable], once the person agreed: puts the broken file aside and opens a new database
         * with the unsent entries in it. The next sync fetches the rest. [signer] and [pin] are those of [open].
         */
        suspend fun rebuild(
            folder: String,
            vault: KeyVault,
            signer: DeviceSigner? = null,
            pin: String? = null,
        ): MemberHandbook =
            blocking {
                MemberHandbook(
                    when {
                        signer != null -> Handbook.rebuildWithSigner(folder, vault, signer, pin)
                        pin != null -> Handbook.rebuildWithPin(folder, vault, pin)
                        else -> Handbook.rebuild(folder, vault)
                    },
                )
            }

        /**
         * Deletes a handbook that cannot be opened because its key is lost or its PIN forgotten, so that the phone can join again. Says
         * how many unsent entries are lost: ask the person first.
         */
        suspend fun erase(
            folder: String,
            vault: KeyVault,
        ): Int = blocking { eraseHandbook(folder, vault).toInt() }
    }
}
