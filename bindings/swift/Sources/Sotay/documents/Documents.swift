import Foundation

extension Handbook {
    /// The handbook screen; the page of all documents begins behind `after` and has at most 200 lines.
    public func library(after: DocumentKey? = nil, limit: UInt32 = 200) async throws(HandbookError) -> LibraryView {
        try await read { try $0.library(after: after, limit: limit) }
    }

    /// The handbook screen with its first page, live.
    public func libraryScreen(limit: UInt32 = 200) -> Screen<LibraryView> {
        screen(.library) { try $0.library(after: nil, limit: limit) }
    }

    /// A document and its table of contents.
    public func document(_ document: DocumentKey) async throws(HandbookError) -> DocumentView {
        try await read { try $0.document(document: document) }
    }

    /// A document and its table of contents, live.
    public func documentScreen(_ document: DocumentKey) -> Screen<DocumentView> {
        screen(.document(document: document)) { try $0.document(document: document) }
    }

    /// Sections in order from position `from`, at most 200.
    public func sections(
        of document: DocumentKey, from: UInt32, limit: UInt32 = 200
    ) async throws(HandbookError) -> SectionPage {
        try await read { try $0.sections(document: document, from: from, limit: limit) }
    }

    /// Remembers, on this phone only, that the document was opened and where reading stopped.
    public func setReadingPlace(in document: DocumentKey, order: UInt32) async throws(HandbookError) {
        try await enter { try $0.setReadingPlace(document: document, order: order) }
    }

    /// Publishes a document to the own cell.
    public func publishDocument(_ form: DocumentForm) async throws(HandbookError) -> DocumentKey {
        try await enter { try $0.publishDocument(form: form) }
    }

    /// Publishes a document with files attached. They are copied; they go up with the next sync, before the document.
    public func publishDocument(
        _ form: DocumentForm, attaching attachments: [AttachmentForm]
    ) async throws(HandbookError) -> DocumentKey {
        try await enter { try $0.publishDocumentWithAttachments(form: form, attachments: attachments) }
    }

    /// Fetches what is missing of an attachment and checks it; where it was ended early, it goes on from there.
    public func fetchAttachment(of document: DocumentKey, at index: UInt32) async throws(HandbookError) {
        try await read { try $0.fetchAttachment(document: document, index: index) }
    }

    /// Fetches every pinned attachment that is not here yet; how many. For the background, where the network costs nothing.
    @discardableResult
    public func fetchPinnedAttachments() async throws(HandbookError) -> UInt32 {
        try await read { try $0.fetchPinnedAttachments() }
    }

    /// Bytes of an attachment from `offset`, at most `length` and 1 MiB, fewer at its end. Not before all of it is checked.
    public func readAttachment(
        of document: DocumentKey, at index: UInt32, from offset: UInt32 = 0, length: UInt32 = 1 << 20
    ) async throws(HandbookError) -> Data {
        try await read { try $0.readAttachment(document: document, index: index, offset: offset, length: length) }
    }

    /// Keeps an attachment whatever else needs room, or no longer.
    public func pinAttachment(
        of document: DocumentKey, at index: UInt32, _ pinned: Bool = true
    ) async throws(HandbookError) {
        try await enter { try $0.pinAttachment(document: document, index: index, pinned: pinned) }
    }

    /// Says how many bytes attachments may take on this phone. What was not used for the longest time makes room.
    public func setAttachmentQuota(_ bytes: Int64) async throws(HandbookError) {
        try await enter { try $0.setAttachmentQuota(bytes: bytes) }
    }

    /// What attachments take on this phone.
    public func attachmentStorage() async throws(HandbookError) -> AttachmentStorageView {
        try await read { try $0.attachmentStorage() }
    }
}
