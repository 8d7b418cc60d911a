import Foundation
import Observation
import Sotay

/// Signs a challenge with the phone's key for privileged acts, after the phone has said what for and asked for a face, a
/// finger or its code. It throws where nobody showed any.
public typealias Approval = @Sendable (_ challenge: Data, _ reason: Phrase) async throws -> Data

/// What the server is asked at once, without an outbox: whether it is under way, and why it did not work. The screens
/// about phones are built on it.
@MainActor @Observable
public class Asking {
    /// Why the last question was not answered. The view sets it back when the person has read it.
    public var problem: HandbookError?
    public private(set) var busy = false

    let handbook: Handbook

    init(_ handbook: Handbook) {
        self.handbook = handbook
    }

    /// Returns whether it worked; if not, `problem` says why.
    @discardableResult
    func ask(_ question: (Handbook) async throws -> Void) async -> Bool {
        busy = true
        defer { busy = false }
        do {
            try await question(handbook)
            problem = nil
            return true
        } catch {
            problem = HandbookError(unexpected: error)
            return false
        }
    }
}

extension PrivilegedAct {
    /// Has it carried out once the person has shown that it is theirs; `NotApproved` where nobody has, or where the phone
    /// has no key for it.
    func finish(by approval: Approval?, for reason: Phrase) async throws -> ActDone {
        guard let signature = try? await approval?(challenge, reason) else { throw HandbookError.NotApproved }
        return try await finish(signature: signature)
    }
}
