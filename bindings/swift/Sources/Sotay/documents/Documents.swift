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
}
