import Observation
import Sotay
import SotayTestSupport

@testable import SotayApp

extension ScreenModel {
    /// Waits until the screen shows what is wanted, as a person would; given up when the test's time is over.
    func shows(_ wanted: (Shown) -> Bool) async throws -> Shown {
        while true {
            if let shown, wanted(shown) { return shown }
            let (changes, continuation) = AsyncStream<Void>.makeStream()
            withObservationTracking {
                _ = self.shown
            } onChange: {
                continuation.finish()
            }
            for await _ in changes {}
            try Task.checkCancellation()
        }
    }

    /// Follows the screen while something is done with it.
    func followed<Value: Sendable>(_ body: @MainActor (ScreenModel) async throws -> Value) async throws -> Value {
        let following = Task { await follow() }
        defer { following.cancel() }
        return try await body(self)
    }
}

extension AppModel {
    /// Waits until the app is where it is wanted; given up when the test's time is over.
    func reaches(_ wanted: (Stage) -> Bool) async {
        while !wanted(stage), !Task.isCancelled {
            let (changes, continuation) = AsyncStream<Void>.makeStream()
            withObservationTracking {
                _ = stage
            } onChange: {
                continuation.finish()
            }
            for await _ in changes {}
        }
    }
}
