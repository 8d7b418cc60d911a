import Foundation

/// Brings the library's changes to those who wait for them: one thread blocks in `nextChanges()` and fans out.
///
/// Everything here happens on one serial queue, so a change that the library reports at once is never delivered before
/// its listener is there. A slow listener gets the latest generation only. The thread starts with the first listener
/// and ends with the handbook.
final class ChangeFeed: @unchecked Sendable {
    private struct Listener {
        let query: Query
        let continuation: AsyncStream<Int64>.Continuation
        var watch: Int64?
    }

    private let blocking: BlockingHandbook
    private let queue = DispatchQueue(label: "vn.sotay.changes", qos: .userInitiated)
    // Only on `queue`.
    private var listeners: [UUID: Listener] = [:]
    private var runs = false
    private var ended = false

    init(of blocking: BlockingHandbook) {
        self.blocking = blocking
    }

    /// The generations of a query, the first at once. The query is closed when the stream is no longer read.
    func changes(of query: Query) -> AsyncStream<Int64> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let name = UUID()
            continuation.onTermination = { [weak self] _ in
                guard let self else { return }
                queue.async { self.close(name) }
            }
            queue.async {
                guard !self.ended else { return continuation.finish() }
                self.listeners[name] = Listener(query: query, continuation: continuation)
                self.watch(name)
            }
        }
    }

    /// After a pause: queries that could not be registered are, and the thread waits again.
    func resume() {
        queue.async {
            for name in self.listeners.filter({ $0.value.watch == nil }).keys { self.watch(name) }
            self.startWaiting()
        }
    }

    /// Ends every stream.
    func end() {
        queue.async { self.finish() }
    }

    /// Nobody holds the handbook any more: without this its thread, which holds the library's object, would wait forever.
    func abandon() {
        queue.async {
            guard !self.ended else { return }
            self.finish()
            try? self.blocking.shutdown()
        }
    }

    private func watch(_ name: UUID) {
        guard let listener = listeners[name] else { return }
        switch HandbookError.outcome(of: { try blocking.watch(query: listener.query) }) {
        case .success(let watch):
            listeners[name]?.watch = watch
            startWaiting()
        case .failure(.Paused):
            break
        case .failure:
            // The reading itself tells what is wrong: one change lets it happen, and nothing follows.
            listener.continuation.yield(0)
            listener.continuation.finish()
        }
    }

    private func close(_ name: UUID) {
        guard let listener = listeners.removeValue(forKey: name), let watch = listener.watch else { return }
        // A handbook that is shut down has closed it already.
        try? blocking.unwatch(watch: watch)
    }

    private func startWaiting() {
        guard !runs, !ended, listeners.contains(where: { $0.value.watch != nil }) else { return }
        runs = true
        let thread = Thread { [weak self, blocking] in
            while true {
                let outcome = HandbookError.outcome(of: { try blocking.nextChanges() })
                guard let self, self.queue.sync(execute: { self.deliver(outcome) }) else { return }
            }
        }
        thread.name = "vn.sotay.changes"
        thread.qualityOfService = .userInitiated
        thread.start()
    }

    /// Whether the thread is to wait again.
    private func deliver(_ outcome: Result<[Change], HandbookError>) -> Bool {
        switch outcome {
        case .success(let changes):
            let generations = Dictionary(changes.map { ($0.watch, $0.generation) }, uniquingKeysWith: max)
            for listener in listeners.values {
                guard let watch = listener.watch, let generation = generations[watch] else { continue }
                listener.continuation.yield(generation)
            }
            return true
        case .failure(.Paused):
            runs = false
            return false
        case .failure:
            runs = false
            finish()
            return false
        }
    }

    private func finish() {
        ended = true
        for listener in listeners.values { listener.continuation.finish() }
        listeners.removeAll()
    }
}
