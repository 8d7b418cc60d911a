package vn.sotay

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration.Companion.seconds

/** A test that suspends, and fails rather than hangs. */
fun test(body: suspend () -> Unit) = runBlocking { withTimeout(60.seconds) { body() } }

/** Collects a flow beside the test, which takes what it gives one by one. */
suspend fun <T> following(
    flow: Flow<T>,
    body: suspend (Channel<T>) -> Unit,
) = coroutineScope {
    val values = Channel<T>(Channel.UNLIMITED)
    val collecting = launch(Dispatchers.Default) { flow.collect { values.send(it) } }
    body(values)
    collecting.cancel()
}

/** The next value that is wanted. */
suspend fun <T> Channel<T>.receiveUntil(wanted: (T) -> Boolean): T {
    while (true) receive().let { if (wanted(it)) return it }
}
