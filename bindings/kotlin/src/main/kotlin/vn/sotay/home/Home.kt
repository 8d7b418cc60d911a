package vn.sotay.home

import vn.sotay.Changes
import vn.sotay.Live
import vn.sotay.blocking
import vn.sotay.client.Handbook
import vn.sotay.client.HomeView
import vn.sotay.client.OutboxView
import vn.sotay.client.Query

/** The first screen, and the entries that wait to be sent or were refused. */
class Home internal constructor(
    private val engine: Handbook,
    private val changes: Changes,
) {
    /** The first screen. */
    fun view(): Live<HomeView> = changes.live(Query.Home) { engine.home() }

    /** What waits to be sent, and what was refused. */
    fun outbox(): Live<OutboxView> = changes.live(Query.Outbox) { engine.outbox() }

    /** Puts the refused entry [n] away for good. */
    suspend fun discardRefused(n: Long) = blocking { engine.discardRefused(n) }

    /** Sends the refused entry [n] again as a new one, decided by the rules as they stand now. */
    suspend fun sendAgain(n: Long) = blocking { engine.sendAgain(n) }
}
