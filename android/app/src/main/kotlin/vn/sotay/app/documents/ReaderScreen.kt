package vn.sotay.app.documents

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.lazy.LazyColumn
import androidx.compose.foundation.lazy.items
import androidx.compose.foundation.lazy.rememberLazyListState
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableFloatStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.runtime.snapshotFlow
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.TextStyle
import androidx.compose.ui.unit.dp
import androidx.compose.ui.unit.times
import vn.sotay.app.R
import vn.sotay.app.design.OtherButton
import vn.sotay.app.design.TitleBar
import vn.sotay.app.design.Words
import vn.sotay.client.SectionPage

private const val STEP = 1.2f
private const val SMALLEST = 1f
private const val LARGEST = 2.1f

/** Reading a document: sections one after another, from the one at [start]; the text can be made larger. */
@Composable
fun ReaderScreen(
    title: String,
    page: SectionPage,
    start: Int,
    reading: Boolean,
    onListen: (from: Int) -> Unit,
    onPlace: (order: Int) -> Unit,
    back: () -> Unit,
) {
    var size by rememberSaveable { mutableFloatStateOf(1f) }
    val first = page.sections.indexOfFirst { it.order.toInt() >= start }.coerceAtLeast(0)
    val list = rememberLazyListState(first)
    LaunchedEffect(list, page) {
        snapshotFlow { list.firstVisibleItemIndex }.collect { index ->
            page.sections.getOrNull(index)?.let { onPlace(it.order.toInt()) }
        }
    }
    Surface(Modifier.fillMaxSize(), color = MaterialTheme.colorScheme.background) {
        Column {
            TitleBar(title, back)
            Row(Modifier.padding(horizontal = 16.dp), horizontalArrangement = Arrangement.spacedBy(8.dp)) {
                val smaller = stringResource(R.string.reader_smaller)
                val larger = stringResource(R.string.reader_larger)
                OtherButton("A−", { size /= STEP }, Modifier.weight(1f), size / STEP > SMALLEST - 0.01f, smaller)
                OtherButton("A+", { size *= STEP }, Modifier.weight(1f), size * STEP < LARGEST, larger)
            }
            LazyColumn(
                Modifier.fillMaxSize(),
                list,
                contentPadding = PaddingValues(16.dp),
                verticalArrangement = Arrangement.spacedBy(20.dp),
            ) {
                items(page.sections, key = { it.order.toInt() }) { section ->
                    Column(Modifier.fillMaxWidth(), verticalArrangement = Arrangement.spacedBy(12.dp)) {
                        Words(
                            stringResource(R.string.document_section, section.number, section.heading),
                            Modifier.semantics { heading() },
                            MaterialTheme.typography.titleMedium.scaled(size),
                        )
                        for (paragraph in section.text.lines()) {
                            Words(paragraph, style = MaterialTheme.typography.bodyLarge.scaled(size))
                        }
                    }
                }
                item {
                    OtherButton(
                        stringResource(if (reading) R.string.reader_stop else R.string.reader_listen),
                        { onListen(list.firstVisibleItemIndex) },
                    )
                }
            }
        }
    }
}

private fun TextStyle.scaled(by: Float): TextStyle = copy(fontSize = by * fontSize, lineHeight = by * lineHeight)
