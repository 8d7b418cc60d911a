import Foundation
import Observation
import Sotay

/// What the server keeps about the member, to take along (Law 91/2025 on personal data).
@MainActor @Observable
public final class TakeAlongModel: Asking {
    /// The file, once it is here. It lies where the system clears up, until `forget`.
    public private(set) var file: URL?

    private let member: MemberId
    private let approval: Approval?
    private let folder: URL

    /// `approval` is none on a phone that has no key for privileged acts.
    public init(
        _ handbook: Handbook, of member: MemberId, approval: Approval?, folder: URL = .temporaryDirectory
    ) {
        self.member = member
        self.approval = approval
        self.folder = folder
        super.init(handbook)
    }

    /// Whether this phone can ask for it at all.
    public var canAsk: Bool { approval != nil }

    /// Fetches it. The person shows a face, a finger or the phone's code; where not, nothing happens and `problem` says so.
    public func fetch() async -> Bool {
        await ask {
            let act = try await $0.beginExporting(member)
            guard case .export(let json) = try await act.finish(by: approval, for: Phrase("takeAlong.reason")) else {
                return
            }
            let file = folder.appending(path: "so-tay.json")
            #if os(Linux)
                try Data(json.utf8).write(to: file)
            #else
                try Data(json.utf8).write(to: file, options: .completeFileProtection)
            #endif
            self.file = file
        }
    }

    /// Deletes the file: whoever leaves the screen has given it on, or does not want it.
    public func forget() {
        guard let file else { return }
        try? FileManager.default.removeItem(at: file)
        self.file = nil
    }
}
