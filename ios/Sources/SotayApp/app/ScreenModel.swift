import Observation
import Sotay

/// A screen: what it shows, kept up to date, and how the last entry made on it went. What can be entered on a screen
/// stands in extensions beside it, in the folder of its domain. No rule is decided here: every entry goes to the
/// library as it is.
@MainActor @Observable
public final class ScreenModel<Shown: Sendable> {
    /// What is shown; none before it was first read.
    public private(set) var shown: Shown?
    /// Why it could not be read the last time.
    public private(set) var unreadable: HandbookError?
    /// Why the last entry was not taken. The view sets it back when the person has read it.
    public var refused: HandbookError?
    /// A call that a person waits for is under way.
    public private(set) var busy = false

    let handbook: Handbook
    private let screen: Screen<Shown>

    init(_ handbook: Handbook, _ screen: Screen<Shown>) {
        self.handbook = handbook
        self.screen = screen
    }

    /// Follows the screen until the task is cancelled, as SwiftUI does when the view goes away.
    public func follow() async {
        for await outcome in screen {
            switch outcome {
            case .success(let shown):
                self.shown = shown
                unreadable = nil
            case .failure(.Paused):
                // In the background nobody looks; what was shown stays.
                break
            case .failure(let error):
                unreadable = error
            }
        }
    }

    /// Makes an entry. Returns whether it was taken; if not, `refused` says why.
    @discardableResult
    func enter(_ entry: (Handbook) async throws -> Void) async -> Bool {
        busy = true
        defer { busy = false }
        do {
            try await entry(handbook)
            refused = nil
            return true
        } catch {
            refused = HandbookError(unexpected: error)
            return false
        }
    }

    /// Asks the server for what is new. Without a network the screen says so by itself.
    public func refresh() async {
        await enter { handbook in
            do {
                try await handbook.sync()
            } catch HandbookError.ServerUnreachable {
                // Everything entered is kept, and sent when there is a network again.
            }
        }
    }
}

extension HandbookError {
    /// The handbook throws nothing else; Swift's `catch` does not know that of every call.
    init(unexpected error: any Error) {
        self = error as? HandbookError ?? .Internal(incident: "app")
    }
}

/// Lines behind the first page of a list, fetched as the reader comes to them.
@MainActor @Observable
public final class LaterPages<Line: Sendable> {
    public private(set) var lines: [Line] = []
    private let page: (Line?) async throws -> [Line]
    private var loading = false

    init(_ page: @escaping (Line?) async throws -> [Line]) {
        self.page = page
    }

    /// The next page behind `last`, the last line of the first page. Returns whether there was any.
    @discardableResult
    public func load(behind last: Line?) async -> Bool {
        guard !loading, let end = lines.last ?? last else { return false }
        loading = true
        defer { loading = false }
        guard let more = try? await page(end), !more.isEmpty else { return false }
        lines += more
        return true
    }
}
