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
    /// Sends what is pending and fetches what is new, until nothing is left. Cancelling the task ends it without loss,
    /// with `Cancelled`.
    @discardableResult
    public func sync() async throws(HandbookError) -> SyncReport {
        try await sync(milliseconds: nil)
    }

    /// The same for no longer than `budget`, as the system grants in the background. What it did until then is kept,
    /// and the next one goes on from there: `finished` in the report says whether anything is left.
    @discardableResult
    public func sync(for budget: Duration) async throws(HandbookError) -> SyncReport {
        try await sync(milliseconds: budget.wholeMilliseconds)
    }

    /// How syncing stands: what a person and a support desk want to know.
    public func syncState() async throws(HandbookError) -> SyncStateView {
        try await read { try $0.syncState() }
    }

    /// The same, read again whenever it may have changed.
    public func syncStateScreen() -> Screen<SyncStateView> {
        screen(.syncState) { try $0.syncState() }
    }

    /// How syncing stands as lines of text for a support desk, without anything that says who the person is.
    public func supportText() async throws(HandbookError) -> String {
        try await read { try $0.supportText() }
    }

    /// Says whether the network costs money by the byte. Where it does, wake-ups are not listened to, the server is
    /// asked less often, and nothing large is downloaded by itself. Entries are sent at once all the same.
    public func setMetered(_ metered: Bool) async throws(HandbookError) {
        try await read { try $0.setMetered(metered: metered) }
    }

    private func sync(milliseconds: UInt32?) async throws(HandbookError) -> SyncReport {
        let call = try await read { try $0.syncCall() }
        // Whoever blocks cannot hear that the task is cancelled: another thread ends the call.
        let outcome = await withTaskCancellationHandler {
            await Result.catching { () async throws(HandbookError) in
                try await read { _ in try call.run(budgetMs: milliseconds) }
            }
        } onCancel: {
            try? call.cancel()
        }
        return try outcome.get()
    }

    /// Starts syncing in the background: at once after each entry, and again with growing pauses when there is no
    /// network.
    public func startSync() async throws(HandbookError) -> SyncHandle {
        SyncHandle(try await read { try $0.startSync() }, of: self)
    }
}

extension Result where Success: Sendable, Failure == HandbookError {
    /// What a call gave, as a value that passes through a function without typed errors.
    fileprivate static func catching(_ call: () async throws(HandbookError) -> Success) async -> Self {
        do {
            return .success(try await call())
        } catch {
            return .failure(error)
        }
    }
}

extension Duration {
    /// As the library takes it; what is negative is nothing.
    var wholeMilliseconds: UInt32 {
        let (seconds, attoseconds) = components
        return UInt32(clamping: max(0, seconds) * 1000 + max(0, attoseconds) / 1_000_000_000_000_000)
    }
}
