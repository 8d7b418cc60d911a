package vn.sotay.app.documents

import androidx.compose.foundation.layout.padding
import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import vn.sotay.app.R
import vn.sotay.app.design.Heading
import vn.sotay.app.design.MainButton
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Screen
import vn.sotay.app.design.Words
import vn.sotay.app.text.name
import vn.sotay.app.text.plainDay
import vn.sotay.client.DocumentView

/** A document: what it is, and its table of contents. */
@Composable
fun DocumentScreen(
    view: DocumentView,
    onRead: (order: Int) -> Unit,
    back: () -> Unit,
) {
    val resources = LocalContext.current.resources
    val card = view.card
    Screen(resources.name(card.kind), back = back) {
        Words(card.title, style = MaterialTheme.typography.titleLarge)
        card.number?.let { Words(it) }
        Words(stringResource(R.string.document_issued, card.issuer, resources.plainDay(card.issuedOn)))
        Remark(resources.name(card.level))
        Remark(stringResource(if (card.complete) R.string.document_offline else R.string.document_incomplete))
        val place = view.readingPlace
        MainButton(
            stringResource(if (place == null) R.string.document_read else R.string.document_continue),
            { onRead(place?.toInt() ?: 0) },
        )
        if (view.contents.isNotEmpty()) Heading(stringResource(R.string.document_contents))
        for (section in view.contents) {
            // Deeper sections are set in, but never so far that large text finds no room.
            val inset = ((section.depth.toInt() - 1).coerceIn(0, 3) * 12).dp
            Panel(Modifier.padding(start = inset), onClick = { onRead(section.order.toInt()) }) {
                Words(stringResource(R.string.document_section, section.number, section.heading))
            }
        }
    }
}
