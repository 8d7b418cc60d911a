import Foundation

/// An act that needs a fresh unlock: the second key of the phone's hardware signs `challenge` after the officer has shown
/// a face, a finger or the phone's code, and `finish` has it carried out. It waits five minutes at most.
public final class PrivilegedAct: Sendable {
    /// What the key for privileged acts signs, with SHA-256: 32 bytes.
    public let challenge: Data

    private let blocking: BlockingPrivilegedAct
    private let handbook: Handbook

    init(_ blocking: BlockingPrivilegedAct, of handbook: Handbook) {
        self.challenge = blocking.challenge()
        self.blocking = blocking
        self.handbook = handbook
    }

    /// Carries it out, with that key's signature in DER. `NotApproved` where it is not that key's, or came too late.
    /// Each act is carried out once.
    public func finish(signature: Data) async throws(HandbookError) -> ActDone {
        try await handbook.enter { [blocking] _ in try blocking.finish(signature: signature) }
    }
}

extension Handbook {
    /// Begins to revoke a phone, the member's own or another's: it is wiped at its next contact, with everything on it
    /// that was not sent. `NotApproved` where this phone has no key for privileged acts.
    public func beginRevoking(_ phone: InstallationId) async throws(HandbookError) -> PrivilegedAct {
        try await begin { try $0.beginRevoking(installation: phone) }
    }

    /// Begins to give a task in an organisation.
    public func beginGranting(_ task: TaskForm) async throws(HandbookError) -> PrivilegedAct {
        try await begin { try $0.beginGranting(task: task) }
    }

    /// Begins to export what stands about a member in the own scope, and the phones.
    public func beginExporting(_ member: MemberId) async throws(HandbookError) -> PrivilegedAct {
        try await begin { try $0.beginExporting(member: member) }
    }

    private func begin(
        _ call: @escaping @Sendable (BlockingHandbook) throws -> BlockingPrivilegedAct
    ) async throws(HandbookError) -> PrivilegedAct {
        PrivilegedAct(try await read(call), of: self)
    }
}
