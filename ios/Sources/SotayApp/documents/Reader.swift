import Observation
import Sotay

/// Reading a document section by section, from where reading stopped. Sections are fetched in pages of a few, as the
/// reader comes to them; all of them lie on the phone, so no network is needed.
@MainActor @Observable
public final class Reader {
    public private(set) var sections: [SectionView] = []
    public private(set) var count: UInt32 = 0
    public private(set) var problem: HandbookError?

    private let handbook: Handbook
    private let document: DocumentKey
    private let pageSize: UInt32
    private var loading = false

    public init(_ handbook: Handbook, _ document: DocumentKey, pageSize: UInt32 = 50) {
        self.handbook = handbook
        self.document = document
        self.pageSize = pageSize
    }

    public var isComplete: Bool { count > 0 && sections.count == Int(count) }

    /// Sections up to and with the one at `order`.
    public func load(upTo order: UInt32) async {
        while sections.count <= Int(order), await loadMore() {}
    }

    /// The next page. Returns whether there was any.
    @discardableResult
    public func loadMore() async -> Bool {
        guard !loading, count == 0 || !isComplete else { return false }
        loading = true
        defer { loading = false }
        do {
            let page = try await handbook.sections(of: document, from: UInt32(sections.count), limit: pageSize)
            sections += page.sections
            count = page.count
            problem = nil
            return !page.sections.isEmpty
        } catch {
            problem = error
            return false
        }
    }

    /// Remembers on this phone where reading stopped.
    public func stopped(at order: UInt32) async {
        try? await handbook.setReadingPlace(in: document, order: order)
    }
}
