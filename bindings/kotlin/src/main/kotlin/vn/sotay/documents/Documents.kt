package vn.sotay.documents

import vn.sotay.Changes
import vn.sotay.Live
import vn.sotay.PAGE
import vn.sotay.blocking
import vn.sotay.client.AttachmentForm
import vn.sotay.client.AttachmentStorageView
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

    /** Publishes a document with files attached. They are copied; they go up with the next sync, before the document. */
    suspend fun publish(
        form: DocumentForm,
        attachments: List<AttachmentForm>,
    ): DocumentKey = blocking { engine.publishDocumentWithAttachments(form, attachments) }

    /** Fetches what is missing of an attachment and checks it; where it was ended early, it goes on from there. */
    suspend fun fetchAttachment(
        document: DocumentKey,
        index: Int,
    ) = blocking { engine.fetchAttachment(document, index.toUInt()) }

    /** Fetches every pinned attachment that is not here yet; how many. For the background, where the network costs nothing. */
    suspend fun fetchPinnedAttachments(): Int = blocking { engine.fetchPinnedAttachments().toInt() }

    /** Bytes of an attachment from [offset], at most [length] and 1 MiB, fewer at its end. Not before all of it is checked. */
    suspend fun readAttachment(
        document: DocumentKey,
        index: Int,
        offset: Int = 0,
        length: Int = MAX_READ,
    ): ByteArray = blocking { engine.readAttachment(document, index.toUInt(), offset.toUInt(), length.toUInt()) }

    /** Keeps an attachment whatever else needs room, or no longer. */
    suspend fun pinAttachment(
        document: DocumentKey,
        index: Int,
        pinned: Boolean = true,
    ) = blocking { engine.pinAttachment(document, index.toUInt(), pinned) }

    /** Says how many bytes attachments may take on this phone. What was not used for the longest time makes room. */
    suspend fun setAttachmentQuota(bytes: Long) = blocking { engine.setAttachmentQuota(bytes) }

    /** What attachments take on this phone. */
    suspend fun attachmentStorage(): AttachmentStorageView = blocking { engine.attachmentStorage() }

    private companion object {
        const val MAX_READ = 1 shl 20
    }
}
