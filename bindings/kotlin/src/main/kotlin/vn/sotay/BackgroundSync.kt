package vn.sotay

import vn.sotay.client.SyncHandle
import java.util.concurrent.atomic.AtomicBoolean

/** A sync that runs until it is closed. What is under way then is finished, or given up without loss. */
class BackgroundSync internal constructor(
    private val handle: SyncHandle,
) : AutoCloseable {
    private val closed = AtomicBoolean()

    /** Stops it; a second time it does nothing. */
    override fun close() {
        if (closed.compareAndSet(false, true)) handle.use { it.cancel() }
    }
}
