/// What a screen shows, read again whenever it may have changed.
///
/// ```swift
/// for await home in handbook.homeScreen() {
///     switch home { … }
/// }
/// ```
/// The first view comes at once. Each iteration owns a query of its own and closes it when it ends. Views are read when
/// asked for, so a slow screen skips to the latest. A read that fails does not end the sequence: a paused handbook, or
/// a meeting that is no longer on this phone, is news as well. It ends when the handbook is shut down.
public struct Screen<View: Sendable>: AsyncSequence, Sendable {
    public typealias Element = Result<View, HandbookError>

    let handbook: Handbook
    let query: Query
    let view: @Sendable (BlockingHandbook) throws -> View

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(screen: self, changes: handbook.feed.changes(of: query).makeAsyncIterator())
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let screen: Screen
        var changes: AsyncStream<Int64>.Iterator

        public mutating func next() async -> Element? {
            guard await changes.next() != nil else { return nil }
            do {
                return .success(try await screen.handbook.read(screen.view))
            } catch {
                return .failure(error)
            }
        }
    }
}

extension Handbook {
    func screen<View: Sendable>(
        _ query: Query, _ view: @escaping @Sendable (BlockingHandbook) throws -> View
    ) -> Screen<View> {
        Screen(handbook: self, query: query, view: view)
    }
}
