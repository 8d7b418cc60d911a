package vn.sotay.app.shared

import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.ui.res.stringResource
import vn.sotay.app.R
import vn.sotay.app.design.Heading
import vn.sotay.app.design.OtherButton
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Screen
import vn.sotay.app.design.Words

/** One of the handbooks on this phone. Of one that is locked nothing is known but that. */
sealed interface ChooserLine {
    class Of(
        val owner: String,
    ) : ChooserLine

    data object Locked : ChooserLine

    /** Nobody has joined in it, or it could not be opened: it says which when it is chosen. */
    data object Other : ChooserLine
}

/** Sổ tay của ai? Shown at the start where several people share the phone. [onAdd] is null where there is no room for one more. */
@Composable
fun ChooserScreen(
    lines: List<ChooserLine>,
    onChoose: (position: Int) -> Unit,
    onAdd: (() -> Unit)?,
) {
    Screen(stringResource(R.string.chooser_title)) {
        lines.forEachIndexed { position, line ->
            Panel(onClick = { onChoose(position) }) {
                val numbered = stringResource(R.string.chooser_numbered, position + 1)
                Words(
                    if (line is ChooserLine.Of) line.owner else numbered,
                    style = MaterialTheme.typography.titleLarge,
                )
                Remark(
                    stringResource(
                        when (line) {
                            is ChooserLine.Of -> R.string.chooser_open
                            is ChooserLine.Locked -> R.string.chooser_locked
                            is ChooserLine.Other -> R.string.chooser_empty
                        },
                    ),
                )
            }
        }
        Heading(stringResource(R.string.chooser_sharing))
        Words(stringResource(R.string.chooser_explained))
        if (onAdd != null) OtherButton(stringResource(R.string.chooser_add), onAdd)
    }
}
