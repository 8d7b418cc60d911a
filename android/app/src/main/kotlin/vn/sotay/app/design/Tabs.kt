package vn.sotay.app.design

import androidx.annotation.DrawableRes
import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.sizeIn
import androidx.compose.foundation.selection.selectable
import androidx.compose.foundation.selection.selectableGroup
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.Icon
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import vn.sotay.app.R

/** The four tabs with their names, one of them [chosen]. */
@Composable
fun HandbookTabs(
    chosen: Int,
    onChoose: (Int) -> Unit,
) {
    val tabs =
        listOf(
            Tab(stringResource(R.string.tab_home), R.drawable.ic_home),
            Tab(stringResource(R.string.tab_meetings), R.drawable.ic_meetings),
            Tab(stringResource(R.string.tab_documents), R.drawable.ic_documents),
            Tab(stringResource(R.string.tab_profile), R.drawable.ic_profile),
        )
    Tabs(tabs, chosen, onChoose)
}

/** One of the tabs at the bottom. */
private data class Tab(
    val name: String,
    @DrawableRes val icon: Int,
)

/** Grows with the text, where the usual bar would cut it off. */
@Composable
private fun Tabs(
    tabs: List<Tab>,
    chosen: Int,
    onChoose: (Int) -> Unit,
) {
    Surface(Modifier.fillMaxWidth(), color = MaterialTheme.colorScheme.surfaceContainerHigh) {
        Row(Modifier.selectableGroup(), verticalAlignment = Alignment.Top) {
            tabs.forEachIndexed { position, tab ->
                TabOf(tab, position == chosen, Modifier.weight(1f)) { onChoose(position) }
            }
        }
    }
}

@Composable
private fun TabOf(
    tab: Tab,
    chosen: Boolean,
    modifier: Modifier,
    onClick: () -> Unit,
) {
    val ink = if (chosen) MaterialTheme.colorScheme.primary else MaterialTheme.colorScheme.onSurfaceVariant
    Column(
        modifier
            .sizeIn(minWidth = 48.dp, minHeight = 64.dp)
            .selectable(chosen, role = Role.Tab, onClick = onClick)
            .padding(vertical = 8.dp, horizontal = 6.dp),
        horizontalAlignment = Alignment.CenterHorizontally,
    ) {
        Icon(painterResource(tab.icon), null, Modifier.size(28.dp), tint = ink)
        Text(tab.name, color = ink, textAlign = TextAlign.Center, style = MaterialTheme.typography.labelMedium)
        Box(
            Modifier
                .padding(top = 4.dp)
                .size(32.dp, 3.dp)
                .background(if (chosen) ink else Color.Transparent, RoundedCornerShape(2.dp)),
        )
    }
}
