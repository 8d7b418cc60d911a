package vn.sotay.app.profile

import androidx.compose.runtime.Composable
import androidx.compose.ui.res.stringResource
import vn.sotay.app.R
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.OtherButton
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Screen
import vn.sotay.app.design.Tone
import vn.sotay.app.design.Words

/** Leaving the handbook on this phone. [unsent] entries would be lost; null before that was looked at. */
@Composable
fun SignOutScreen(
    unsent: Int?,
    working: Boolean,
    onLeave: () -> Unit,
    back: () -> Unit,
) {
    Screen(stringResource(R.string.erase_title), back = back) {
        if (unsent != null) {
            Panel(tone = Tone.Important) { Words(stringResource(R.string.sign_out_unsent, unsent)) }
        }
        Words(stringResource(R.string.erase_explained))
        MainButton(stringResource(R.string.erase_keep), back)
        OtherButton(
            stringResource(if (unsent == null) R.string.erase_do else R.string.sign_out_lose),
            { if (!working) onLeave() },
        )
    }
}
