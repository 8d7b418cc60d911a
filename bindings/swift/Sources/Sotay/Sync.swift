/// A sync that runs in the background until it is cancelled.
public final class SyncHandle: Sendable {
    private let blocking: BlockingSyncHandle
    private let handbook: Handbook

    init(_ blocking: BlockingSyncHandle, of handbook: Handbook) {
        self.blocking = blocking
        self.handbook = handbook
    }

    /// Stops it. What is under way is finished or given up without loss.
    public func cancel() async throws(HandbookError) {
        try await handbook.read { [blocking] _ in try blocking.cancel() }
    }
}

extension Handbook {
    /// Sends what is pending and fetches what is new, until nothing is left.
    @discardableResult
    public func sync() async throws(HandbookError) -> SyncReport {
        try await read { try $0.sync() }
    }

    /// Starts syncing in the background: at once after each entry, and again with growing pauses when there is no
    /// network.
    public func startSync() async throws(HandbookError) -> SyncHandle {
        SyncHandle(try await read { try $0.startSync() }, of: self)
    }
}
