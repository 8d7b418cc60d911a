import Foundation
import Observation
import Sotay

/// The file with what the server keeps about the member, unencrypted, until it is given on. There is one place for it, and
/// the app clears it up at every start, whenever it goes out of sight, and when the handbook ends: so no copy outlives a
/// screen that nobody left.
@MainActor @Observable
public final class ExportedFile {
    /// Where it lies, if there is one.
    public private(set) var url: URL?
    /// How often it was deleted: whoever began before the last time comes too late.
    private(set) var deletions = 0

    private let place: URL

    public init(in folder: URL = .temporaryDirectory) {
        place = folder.appending(path: "so-tay.json")
    }

    /// Deletes it, also one that an earlier run of the app left.
    public func delete() {
        try? FileManager.default.removeItem(at: place)
        url = nil
        deletions += 1
    }

    /// Writes it, unless it was deleted since it was asked for: who left meanwhile does not want it any more.
    func write(_ json: String, askedAt deletions: Int) throws {
        guard deletions == self.deletions else { throw HandbookError.Cancelled }
        #if os(Linux)
            try Data(json.utf8).write(to: place)
        #else
            try Data(json.utf8).write(to: place, options: .completeFileProtection)
        #endif
        url = place
    }
}

/// What the server keeps about the member, to take along (Law 91/2025 on personal data).
@MainActor @Observable
public final class TakeAlongModel: Asking {
    private let member: MemberId
    private let approval: Approval?
    private let exported: ExportedFile

    /// `approval` is none on a phone that has no key for privileged acts.
    public init(_ handbook: Handbook, of member: MemberId, approval: Approval?, to exported: ExportedFile) {
        self.member = member
        self.approval = approval
        self.exported = exported
        super.init(handbook)
    }

    /// Whether this phone can ask for it at all.
    public var canAsk: Bool { approval != nil }

    /// The file, as long as it is here.
    public var file: URL? { exported.url }

    /// Fetches it. The person shows a face, a finger or the phone's code; where not, nothing happens and `problem` says so.
    public func fetch() async -> Bool {
        let deletions = exported.deletions
        return await ask {
            let act = try await $0.beginExporting(member)
            guard case .export(let json) = try await act.finish(by: approval, for: Phrase("takeAlong.reason")) else {
                return
            }
            try exported.write(json, askedAt: deletions)
        }
    }

    /// Deletes the file: whoever leaves the screen has given it on, or does not want it.
    public func forget() {
        exported.delete()
    }
}
