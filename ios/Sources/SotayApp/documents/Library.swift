import Sotay

/// The handbook: documents by what they are for.
public typealias LibraryModel = ScreenModel<LibraryView>

extension ScreenModel where Shown == LibraryView {
    public convenience init(_ handbook: Handbook) {
        self.init(handbook, handbook.libraryScreen())
    }

    /// Documents behind the first page.
    public func laterPages() -> LaterPages<DocumentCard> {
        LaterPages { [handbook] last in try await handbook.library(after: last?.document).documents }
    }
}

/// A document and its table of contents.
public typealias DocumentModel = ScreenModel<DocumentView>

extension ScreenModel where Shown == DocumentView {
    public convenience init(_ handbook: Handbook, _ document: DocumentKey) {
        self.init(handbook, handbook.documentScreen(document))
    }
}
