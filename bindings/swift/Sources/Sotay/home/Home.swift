extension Handbook {
    /// The first screen.
    public func home() async throws(HandbookError) -> HomeView {
        try await read { try $0.home() }
    }

    /// The first screen, live.
    public func homeScreen() -> Screen<HomeView> {
        screen(.home) { try $0.home() }
    }

    /// What waits to be sent, and what was refused.
    public func outbox() async throws(HandbookError) -> OutboxView {
        try await read { try $0.outbox() }
    }

    /// What waits to be sent, live.
    public func outboxScreen() -> Screen<OutboxView> {
        screen(.outbox) { try $0.outbox() }
    }

    /// Puts a refused entry away for good.
    public func discardRefused(_ n: Int64) async throws(HandbookError) {
        try await enter { try $0.discardRefused(n: n) }
    }

    /// Sends a refused entry again as a new one, decided by the rules as they stand now.
    public func sendAgain(_ n: Int64) async throws(HandbookError) {
        try await enter { try $0.sendAgain(n: n) }
    }
}
