import Foundation

/// Brings the library's changes to those who wait for them: one thread blocks in `nextChanges()` and fans out.
///
/// Everything here happens on one serial queue, so a change that the library reports at once is never delivered before
/// its listener is there. A slow listener gets the latest generation only. The thread starts with the first listener
/// and ends with the handbook.
final class ChangeFeed: @unchecked Sendable {
    private struct Listener {
        let watch: Int64
        let continuation: AsyncStream<Int64>.Continuation
    }

    private let blocking: BlockingHandbook
    private let queue = DispatchQueue(label: "vn.sotay.changes", qos: .userInitiated)
    // Only on `queue`.
    private var listeners: [UUID: Listener] = [:]
    private var waits = false
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
            queue.async { self.listen(to: query, as: name, continuation) }
        }
    }

    /// After a pause: what could not be read meanwhile is read now.
    func resume() {
        queue.async {
            for listener in self.listeners.values { listener.continuation.yield(0) }
        }
    }

    /// Ends every stream.
    func end() {
        queue.async { self.finish() }
    }

    /// Nobody holds the handbook any more: without this its thread, which holds the library's object, would wait
    /// forever.
    func abandon() {
        queue.async {
            guard !self.ended else { return }
            self.finish()
            try? self.blocking.shutdown()
        }
    }

    private func listen(to query: Query, as name: UUID, _ continuation: AsyncStream<Int64>.Continuation) {
        guard !ended, let watch = try? blocking.watch(query: query) else {
            // One reading is left to happen: it tells what is wrong.
            continuation.yield(0)
            return continuation.finish()
        }
        listeners[name] = Listener(watch: watch, continuation: continuation)
        startWaiting()
    }

    private func close(_ name: UUID) {
        guard let listener = listeners.removeValue(forKey: name) else { return }
        // A handbook that is shut down has closed it already.
        try? blocking.unwatch(watch: listener.watch)
    }

    private func startWaiting() {
        guard !waits else { return }
        waits = true
        let thread = Thread { [weak self, blocking] in
            while true {
                let changes = try? blocking.nextChanges()
                guard let self, self.queue.sync(execute: { self.deliver(changes) }) else { return }
            }
        }
        thread.name = "vn.sotay.changes"
        thread.qualityOfService = .userInitiated
        thread.start()
    }

    /// Whether the thread is to wait again. No changes: the handbook is shut down.
    private func deliver(_ changes: [Change]?) -> Bool {
        guard let changes, !ended else {
            finish()
            return false
        }
        let generations = Dictionary(changes.map { ($0.watch, $0.generation) }, uniquingKeysWith: max)
        for listener in listeners.values {
            if let generation = generations[listener.watch] { listener.continuation.yield(generation) }
        }
        return true
    }

    private func finish() {
        ended = true
        for listener in listeners.values { listener.continuation.finish() }
        listeners.removeAll()
    }
}
