package vn.sotay.app.lock

import androidx.activity.compose.BackHandler
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.res.stringResource
import vn.sotay.app.R
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.OtherButton
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Screen
import vn.sotay.app.design.Tone
import vn.sotay.app.design.Words

/** What can be done about the PIN. */
class PinActions(
    val set: (new: String) -> Unit = {},
    val change: (pin: String, new: String) -> Unit = { _, _ -> },
    val remove: (pin: String) -> Unit = {},
)

/** The one question that is asked now: one at a time, each on a page of its own. */
private enum class Question { None, NowToChange, NowToRemove, New, Again }

/** Khóa sổ tay bằng mã PIN: sets a PIN, or changes and removes the one that is set. [told] says what was done last. */
@Composable
fun PinScreen(
    isSet: Boolean,
    told: String?,
    working: Boolean,
    actions: PinActions,
    back: () -> Unit,
) {
    var question by remember { mutableStateOf(Question.None) }
    var now by remember { mutableStateOf<String?>(null) }
    var new by remember { mutableStateOf("") }
    var differed by remember { mutableStateOf(false) }

    fun ask(next: Question) {
        question = next
        if (next == Question.None) {
            now = null
            new = ""
            differed = false
        }
    }
    val leave = { ask(Question.None) }
    when (question) {
        Question.None -> {
            Screen(stringResource(R.string.pin_title), back = back) {
                if (told != null) Panel(tone = Tone.Good) { Words(told) }
                Words(stringResource(if (isSet) R.string.pin_is_set else R.string.pin_explained))
                Panel(tone = Tone.Attention) { Words(stringResource(R.string.pin_warning)) }
                if (isSet) {
                    MainButton(stringResource(R.string.pin_change), { ask(Question.NowToChange) }, enabled = !working)
                    OtherButton(stringResource(R.string.pin_remove), { ask(Question.NowToRemove) }, enabled = !working)
                } else {
                    MainButton(stringResource(R.string.pin_set), { ask(Question.New) }, enabled = !working)
                }
            }
        }

        Question.NowToChange -> {
            PinQuestion(R.string.pin_now, R.string.pin_next, null, leave) {
                now = it
                ask(Question.New)
            }
        }

        Question.NowToRemove -> {
            PinQuestion(R.string.pin_now, R.string.pin_remove, null, leave) {
                actions.remove(it)
                leave()
            }
        }

        Question.New -> {
            PinQuestion(R.string.pin_new, R.string.pin_next, R.string.pin_differed.takeIf { differed }, leave) {
                new = it
                differed = false
                ask(Question.Again)
            }
        }

        Question.Again -> {
            PinQuestion(R.string.pin_again, R.string.pin_save, null, leave) { again ->
                val before = now
                if (again != new) {
                    differed = true
                    ask(Question.New)
                } else {
                    if (before == null) actions.set(new) else actions.change(before, new)
                    leave()
                }
            }
        }
    }
}

/** Asks for six digits. */
@Composable
fun PinQuestion(
    question: Int,
    button: Int,
    problem: Int?,
    back: () -> Unit,
    onAnswer: (pin: String) -> Unit,
) {
    BackHandler(onBack = back)
    var pin by remember(question) { mutableStateOf("") }
    Screen(stringResource(question), back = back) {
        if (problem != null) Panel(tone = Tone.Important) { Words(stringResource(problem)) }
        PinPad(pin, { pin = it })
        MainButton(stringResource(button), { onAnswer(pin) }, enabled = pin.length == PIN_DIGITS)
        if (question == R.string.pin_new) Remark(stringResource(R.string.pin_advice))
    }
}
