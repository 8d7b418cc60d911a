package vn.sotay.documents

import vn.sotay.Changes
import vn.sotay.Live
import vn.sotay.PAGE
import vn.sotay.blocking
import vn.sotay.client.DocumentForm
import vn.sotay.client.DocumentView
import vn.sotay.client.Handbook
import vn.sotay.client.LibraryView
import vn.sotay.client.Query
import vn.sotay.client.SectionPage
import vn.sotay.model.DocumentKey

/** Publishing documents, and reading them without a network. */
class Documents internal constructor(
    private val engine: Handbook,
    private val changes: Changes,
) {
    /** The handbook screen; the page of all documents begins behind [after] and has at most [limit] lines. */
    fun library(
        after: DocumentKey? = null,
        limit: Int = PAGE,
    ): Live<LibraryView> = changes.live(Query.Library) { engine.library(after, limit.toUInt()) }

    /** A document and its table of contents. */
    fun document(document: DocumentKey): Live<DocumentView> =
        changes.live(Query.Document(document)) { engine.document(document) }

    /** Sections in order from position [from], at most [limit]. */
    fun sections(
        document: DocumentKey,
        from: Int = 0,
        limit: Int = PAGE,
    ): Live<SectionPage> =
        changes.live(Query.Document(document)) { engine.sections(document, from.toUInt(), limit.toUInt()) }

    /** Remembers, on this phone only, that the document was opened and at which section reading stopped. */
    suspend fun setReadingPlace(
        document: DocumentKey,
        order: Int,
    ) = blocking { engine.setReadingPlace(document, order.toUInt()) }

    /** Publishes a document to the own cell. */
    suspend fun publish(form: DocumentForm): DocumentKey = blocking { engine.publishDocument(form) }
}
