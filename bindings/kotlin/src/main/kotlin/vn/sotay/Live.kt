package vn.sotay

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.withContext
import vn.sotay.client.Handbook
import vn.sotay.client.HandbookException
import vn.sotay.client.Query
import kotlin.concurrent.thread

/**
 * What a screen shows: a cold flow that begins with what stands now and reads again whenever that may have changed, and one reading
 * of it.
 *
 * Each collector registers a query with the engine and ends it when it goes. A slow collector misses values in between, never the
 * last one. The flow completes when the handbook is closed.
 */
class Live<T> internal constructor(
    private val values: Flow<T>,
    private val readNow: () -> T,
) : Flow<T> by values {
    /** Reads it once. */
    suspend fun read(): T = blocking { readNow() }
}

/** Runs what blocks where it may. A handbook that was closed meanwhile says so as one that is shut down does. */
internal suspend fun <T> blocking(block: () -> T): T =
    withContext(Dispatchers.IO) {
        try {
            block()
        } catch (_: IllegalStateException) {
            throw HandbookException.Cancelled()
        }
    }

/**
 * The one thread that waits for the engine's changes and wakes the flows they are for. It runs from the first query until the
 * handbook is closed.
 *
 * A query and its channel are entered under the same lock that a change is handed out under, so the first change of a query, which
 * the engine reports at once, always finds its channel.
 */
internal class Changes(
    private val engine: Handbook,
) : AutoCloseable {
    private val lock = Object()
    private val channels = HashMap<Long, Channel<Unit>>()
    private var waiter: Thread? = null
    private var closed = false

    fun <T> live(
        query: Query,
        read: () -> T,
    ): Live<T> =
        Live(
            flow {
                val (watch, changed) = register(query)
                try {
                    for (change in changed) {
                        val value =
                            try {
                                read()
                            } catch (_: HandbookException.Paused) {
                                // Read again after `resume`, which wakes every flow.
                                continue
                            } catch (_: HandbookException.Cancelled) {
                                // Closed while this was about to read: that completes it like any other flow.
                                break
                            } catch (_: IllegalStateException) {
                                // The same, a moment later.
                                break
                            }
                        emit(value)
                    }
                } finally {
                    end(watch)
                }
            }.conflate().flowOn(Dispatchers.IO),
            read,
        )

    /** Wakes every flow, since what changed during the pause was not read. */
    fun resumed() =
        synchronized(lock) {
            channels.values.forEach { it.trySend(Unit) }
            lock.notifyAll()
        }

    /** To be called once the engine is shut down: only then does the thread come back from it. */
    override fun close() {
        val last =
            synchronized(lock) {
                closed = true
                lock.notifyAll()
                waiter
            }
        // A flow that closes the handbook from within must not wait for itself.
        if (last != null && last !== Thread.currentThread()) last.join()
        synchronized(lock) { endAll(null) }
    }

    private fun register(query: Query): Pair<Long, Channel<Unit>> =
        synchronized(lock) {
            if (closed) throw HandbookException.Cancelled()
            val channel = Channel<Unit>(Channel.CONFLATED)
            val watch = engine.watch(query)
            channels[watch] = channel
            if (waiter == null) waiter = thread(name = "sotay changes", isDaemon = true, block = ::handOut)
            watch to channel
        }

    private fun end(watch: Long) =
        synchronized(lock) {
            channels.remove(watch)
            if (!closed) {
                try {
                    engine.unwatch(watch)
                } catch (_: HandbookException) {
                    // The engine was shut down or paused meanwhile, and has ended its queries or does so when it is closed.
                }
            }
        }

    private fun endAll(why: Throwable?) {
        channels.values.forEach { it.close(why) }
        channels.clear()
    }

    private fun handOut() {
        while (true) {
            val changed =
                try {
                    engine.nextChanges()
                } catch (_: HandbookException.Paused) {
                    synchronized(lock) { if (!closed) lock.wait(PAUSED_MILLISECONDS) }
                    continue
                } catch (why: Exception) {
                    // `Cancelled` is how a shutdown ends it; anything else is told to those who wait, and the next query tries anew.
                    synchronized(lock) {
                        waiter = null
                        endAll(why.takeUnless { it is HandbookException.Cancelled })
                    }
                    return
                }
            synchronized(lock) { changed.forEach { channels[it.watch]?.trySend(Unit) } }
        }
    }

    private companion object {
        /** `resumed` wakes the thread earlier; this is for an engine that was resumed by somebody else. */
        const val PAUSED_MILLISECONDS = 1000L
    }
}

/** The most lines that a page of a list has. */
const val PAGE: Int = 200
