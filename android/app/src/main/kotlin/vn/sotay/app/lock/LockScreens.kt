package vn.sotay.app.lock

import androidx.activity.compose.BackHandler
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import vn.sotay.app.R
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.OtherButton
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Screen
import vn.sotay.app.design.Tone
import vn.sotay.app.design.Words
import vn.sotay.app.text.sentence
import vn.sotay.client.HandbookException

/**
 * The handbook is locked, and asks for the PIN. [why] says how many tries are left. Who forgot the PIN can only have the handbook deleted
 * and join again.
 */
@Composable
fun LockScreen(
    why: HandbookException,
    onOpen: (pin: String) -> Unit,
    onErase: () -> Unit,
) {
    var pin by remember { mutableStateOf("") }
    var forgotten by remember { mutableStateOf(false) }
    if (forgotten) {
        EraseScreen(stringResource(R.string.lock_forgotten_explained), onErase) { forgotten = false }
        return
    }
    Screen(stringResource(R.string.lock_title)) {
        Panel(tone = if (why is HandbookException.PinWrong) Tone.Important else Tone.Attention) {
            Words(LocalContext.current.resources.sentence(why))
        }
        PinPad(pin, { pin = it })
        MainButton(stringResource(R.string.lock_open), { onOpen(pin) }, enabled = pin.length == PIN_DIGITS)
        Remark(stringResource(R.string.pin_warning))
        OtherButton(stringResource(R.string.lock_forgotten), { forgotten = true })
    }
}

/** Asks once more before a handbook that cannot be opened is deleted. [what] says why, and what is lost. */
@Composable
fun EraseScreen(
    what: String,
    onErase: () -> Unit,
    back: () -> Unit,
) {
    BackHandler(onBack = back)
    Screen(stringResource(R.string.erase_title), back = back) {
        Panel(tone = Tone.Important) { Words(what) }
        Words(stringResource(R.string.erase_explained))
        MainButton(stringResource(R.string.erase_keep), back)
        OtherButton(stringResource(R.string.erase_do), onErase)
    }
}

/** The handbook is gone from this phone, [what] says why; the phone can join again. */
@Composable
fun GoneScreen(
    what: String,
    onJoin: () -> Unit,
) {
    Screen(stringResource(R.string.gone_title)) {
        Panel(tone = Tone.Important) { Words(what) }
        Words(stringResource(R.string.gone_explained))
        MainButton(stringResource(R.string.gone_join), onJoin)
    }
}
