import Foundation
import Observation
import Sotay

/// The own phones, or for an officer those of a member: seen, named, and revoked when one is lost.
@MainActor @Observable
public final class PhonesModel: Asking {
    /// None before they were first fetched.
    public private(set) var phones: [PhoneView]?
    /// Only the own phones get names.
    public let areOwn: Bool

    private let member: MemberId?
    private let approval: Approval?

    /// Without a `member` the own phones. `approval` is none on a phone that has no key for privileged acts.
    public init(_ handbook: Handbook, of member: MemberId? = nil, approval: Approval?) {
        self.member = member
        self.areOwn = member == nil
        self.approval = approval
        super.init(handbook)
    }

    /// Whether this phone can revoke another one at all. What is allowed is decided by the server.
    public var canRevoke: Bool { approval != nil }

    public func load() async {
        await ask { try await self.fetch($0) }
    }

    /// Another name for a phone. A name of spaces only is none, and changes nothing.
    public func rename(_ phone: PhoneView, to name: String) async -> Bool {
        let name = name.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !name.isEmpty else { return false }
        return await ask {
            try await $0.renamePhone(phone.installation, to: name)
            try await self.fetch($0)
        }
    }

    /// Revokes a phone: it is wiped at its next contact. The person shows a face, a finger or the phone's code; where not,
    /// nothing happens and `problem` says so.
    public func revoke(_ phone: PhoneView) async -> Bool {
        await ask {
            let act = try await $0.beginRevoking(phone.installation)
            _ = try await act.finish(by: approval, for: Phrase("phones.revokeReason"))
            try await self.fetch($0)
        }
    }

    private func fetch(_ handbook: Handbook) async throws {
        phones = if let member { try await handbook.phones(of: member) } else { try await handbook.phones() }
    }
}
