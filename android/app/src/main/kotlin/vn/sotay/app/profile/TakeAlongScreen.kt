package vn.sotay.app.profile

import androidx.compose.runtime.Composable
import androidx.compose.ui.res.stringResource
import vn.sotay.app.R
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Screen
import vn.sotay.app.design.Tone
import vn.sotay.app.design.Words

/** Dữ liệu về tôi: what the server keeps about the member, as a file. [kept] says that it lies where the member chose. */
@Composable
fun TakeAlongScreen(
    working: Boolean,
    kept: Boolean,
    onFetch: () -> Unit,
    back: () -> Unit,
) {
    Screen(stringResource(R.string.take_along_title), back = back) {
        Words(stringResource(R.string.take_along_explained))
        if (kept) Panel(tone = Tone.Attention) { Words(stringResource(R.string.take_along_kept)) }
        MainButton(
            stringResource(if (working) R.string.join_working else R.string.take_along_fetch),
            onFetch,
            enabled = !working,
        )
        Remark(stringResource(R.string.take_along_warning))
    }
}
