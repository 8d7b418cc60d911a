package vn.sotay.app

import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.AlertDialog
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.rememberCoroutineScope
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.catch
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.OtherButton
import vn.sotay.app.design.Screen
import vn.sotay.app.design.Words
import vn.sotay.app.text.sentence
import vn.sotay.client.HandbookException

private sealed interface Reading<out T> {
    data object Opens : Reading<Nothing>

    data class Shown<T>(
        val value: T,
    ) : Reading<T>

    data class Failed(
        val why: HandbookException,
    ) : Reading<Nothing>
}

/** Shows what a flow gives while the screen is in sight; [about] says when it is another flow. */
@Composable
fun <T> Reads(
    flow: () -> Flow<T>,
    vararg about: Any?,
    back: (() -> Unit)? = null,
    content: @Composable (T) -> Unit,
) {
    val readings =
        remember(*about) {
            flow()
                .map<T, Reading<T>> { Reading.Shown(it) }
                .catch { if (it is HandbookException) emit(Reading.Failed(it)) else throw it }
        }
    val reading by readings.collectAsStateWithLifecycle(Reading.Opens)
    when (val now = reading) {
        is Reading.Opens -> Screen("", back = back) { Words(stringResource(R.string.loading)) }
        is Reading.Shown -> content(now.value)
        is Reading.Failed -> ProblemScreen(now.why, back)
    }
}

/** Why nothing can be shown, and what to do. */
@Composable
fun ProblemScreen(
    why: HandbookException,
    back: (() -> Unit)? = null,
    onRetry: (() -> Unit)? = null,
    onRebuild: (() -> Unit)? = null,
    onErase: (() -> Unit)? = null,
) {
    Screen(stringResource(R.string.error_title), back = back) {
        Words(LocalContext.current.resources.sentence(why))
        if (onRebuild != null && why is HandbookException.DatabaseUnreadable) {
            MainButton(stringResource(R.string.error_rebuild), onRebuild)
        }
        if (onRetry != null) OtherButton(stringResource(R.string.retry), onRetry)
        if (onErase != null) OtherButton(stringResource(R.string.erase_do), onErase)
    }
}

/** What is entered on the screens, one after another in the order of the taps; what fails is told. */
class Entries(
    private val scope: CoroutineScope,
) {
    private val turn = Mutex()

    /** A form is being sent. */
    var busy by mutableStateOf(false)
        private set
    var problem by mutableStateOf<HandbookException?>(null)

    /** Keeps something that nobody asked for, such as where reading stopped: what fails is not told. */
    fun quietly(entry: suspend () -> Unit) {
        scope.launch {
            try {
                entry()
            } catch (_: HandbookException) {
                // Nothing that was written is lost by it.
            }
        }
    }

    /** Enters something. [done] is called when it is kept. */
    fun enter(
        done: () -> Unit = {},
        entry: suspend () -> Unit,
    ) {
        scope.launch {
            turn.withLock {
                problem = null
                try {
                    entry()
                    done()
                } catch (why: HandbookException) {
                    problem = why
                }
            }
        }
    }

    /** Sends a form: a second tap before that is done does nothing, so that nothing is published twice. */
    fun send(
        done: () -> Unit = {},
        entry: suspend () -> Unit,
    ) {
        if (busy) return
        busy = true
        enter(done) {
            try {
                entry()
            } finally {
                busy = false
            }
        }
    }
}

@Composable
fun rememberEntries(): Entries {
    val scope = rememberCoroutineScope()
    return remember(scope) { Entries(scope) }
}

/** Tells why an entry was refused. */
@Composable
fun ProblemDialog(entries: Entries) {
    val why = entries.problem ?: return
    val sentence = LocalContext.current.resources.sentence(why)
    AlertDialog(
        onDismissRequest = { entries.problem = null },
        title = { Text(stringResource(R.string.error_title), style = MaterialTheme.typography.titleLarge) },
        text = { Column(Modifier.verticalScroll(rememberScrollState())) { Words(sentence) } },
        confirmButton = {
            MainButton(stringResource(R.string.close), { entries.problem = null }, Modifier.padding(top = 8.dp))
        },
    )
}
