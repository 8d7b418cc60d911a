package vn.sotay.app.documents

import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import vn.sotay.app.R
import vn.sotay.app.design.Heading
import vn.sotay.app.design.Panel
import vn.sotay.app.design.Remark
import vn.sotay.app.design.Screen
import vn.sotay.app.design.Tone
import vn.sotay.app.design.Words
import vn.sotay.app.text.name
import vn.sotay.client.DocumentCard
import vn.sotay.client.LibraryView
import vn.sotay.client.ReadingPlace
import vn.sotay.model.DocumentKey

/** Tài liệu. */
@Composable
fun LibraryScreen(
    view: LibraryView,
    onOpen: (DocumentKey) -> Unit,
    onContinue: (ReadingPlace) -> Unit,
) {
    Screen(stringResource(R.string.library_title)) {
        Documents(stringResource(R.string.library_for_meeting), view.forNextMeeting, onOpen)
        view.continueReading?.let { place ->
            Heading(stringResource(R.string.library_continue))
            Panel(tone = Tone.Attention, onClick = { onContinue(place) }) {
                Words(place.title, style = MaterialTheme.typography.titleMedium)
                Words(stringResource(R.string.document_section, place.number, place.heading))
            }
        }
        Documents(stringResource(R.string.library_bulletin), view.bulletin, onOpen)
        if (view.documents.isEmpty()) Words(stringResource(R.string.library_none))
        Documents(stringResource(R.string.library_all, view.count.toInt()), view.documents, onOpen)
    }
}

@Composable
private fun Documents(
    heading: String,
    documents: List<DocumentCard>,
    onOpen: (DocumentKey) -> Unit,
) {
    if (documents.isEmpty()) return
    Heading(heading)
    for (document in documents) DocumentLine(document) { onOpen(document.document) }
}

/** A document as a line of a list. */
@Composable
fun DocumentLine(
    card: DocumentCard,
    onOpen: () -> Unit,
) {
    val resources = LocalContext.current.resources
    Panel(onClick = onOpen) {
        Words(card.title, style = MaterialTheme.typography.titleMedium)
        val kind = resources.name(card.kind)
        Remark(listOfNotNull(kind, card.number, card.issuer).joinToString(stringResource(R.string.separator)))
        val state = stringResource(if (card.complete) R.string.document_offline else R.string.document_incomplete)
        val new = stringResource(R.string.document_new)
        Remark(if (card.opened) state else listOf(new, state).joinToString(stringResource(R.string.separator)))
    }
}
