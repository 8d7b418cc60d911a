import Foundation
import Sotay

/// A key vault in memory, as a phone's key store would be; it can be locked, lose its key, or fail.
public final class MemoryVault: KeyVault, @unchecked Sendable {
    public enum Condition: Sendable {
        case ordinary, locked, lost, failing
    }

    private let lock = NSLock()
    private var root: Data?
    private var condition = Condition.ordinary

    public init() {}

    public func set(_ condition: Condition) {
        lock.withLock { self.condition = condition }
    }

    /// What the handbook gave it to keep.
    public var heldKey: Data? { lock.withLock { root } }

    public func rootKey() throws -> VaultAnswer {
        try lock.withLock {
            switch condition {
            case .ordinary: root.map { .key(root: $0) } ?? .empty
            case .locked: .lockedNow
            case .lost: .lost
            case .failing: throw VaultError.Failed
            }
        }
    }

    public func store(root: Data) throws {
        lock.withLock { self.root = root }
    }

    public func destroy() throws {
        lock.withLock { root = nil }
    }
}

/// A phone: a folder, a vault, its secure hardware if it has any, and the handbook in them. When the tests end the handbook is shut down and the folder
/// deleted.
public final class Phone: @unchecked Sendable {
    public let folder: URL
    public let vault = MemoryVault()
    public let signer: OpensslSigner?
    public private(set) var handbook: Handbook

    public init(signer: OpensslSigner? = nil) async throws {
        folder = try temporaryFolder()
        self.signer = signer
        handbook = try await Handbook.open(in: folder, vault: vault, signer: signer)
        Ending.keep(self)
    }

    /// A phone that has joined and fetched everything.
    public static func joined(
        _ name: String, at server: ScenarioServer, signer: OpensslSigner? = nil
    ) async throws -> Phone {
        let phone = try await Phone(signer: signer)
        try await phone.join(try server.invitation(of: name), as: name, at: server)
        try await phone.handbook.sync()
        return phone
    }

    /// The same, through the network before the server.
    public static func joinedThroughRelay(_ name: String, at server: ScenarioServer) async throws -> Phone {
        let phone = try await Phone()
        let invitation = try server.invitationThroughRelay(of: name)
        try await phone.join(invitation, as: name, at: server)
        try await phone.handbook.sync()
        return phone
    }

    /// Joins, and has whoever runs the server confirm the digits that the phone shows.
    public func join(_ invitation: String, as name: String, at server: ScenarioServer) async throws {
        let joining = try await handbook.join(invitation: invitation, deviceName: "phone \(name)")
        try server.confirm(joining.digits)
        guard try await handbook.finishJoining() != nil else { throw NotJoined() }
    }

    /// Confirmed, and waiting all the same.
    public struct NotJoined: Error {}

    /// The app is closed and started again.
    public func restart() async throws {
        try await handbook.shutdown()
        handbook = try await Handbook.open(in: folder, vault: vault, signer: signer)
    }
}

/// A new folder that is deleted when the tests end.
public func temporaryFolder() throws -> URL {
    let folder = Ending.folders.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
}

/// What is done when the tests end. A program must not end while the library still closes its files in another thread:
/// the C library takes its ciphers away first.
private enum Ending {
    static let folders = FileManager.default.temporaryDirectory.appendingPathComponent("sotay-\(UUID().uuidString)")
    private static let lock = NSLock()
    nonisolated(unsafe) private static var phones: [Phone] = []

    static func keep(_ phone: Phone) {
        lock.withLock {
            // Only now, as what is asked for last is done first: before the library's own end.
            if phones.isEmpty { atexit { Ending.come() } }
            phones.append(phone)
        }
    }

    private static func come() {
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            for phone in lock.withLock({ phones }) { try? await phone.handbook.shutdown() }
            done.signal()
        }
        done.wait()
        try? FileManager.default.removeItem(at: folders)
    }
}

/// A form for a meeting that begins in some minutes.
public func noticeForm(title: String = "Sinh hoạt thường kỳ", inMinutes: Double, lasting minutes: Double = 90)
    -> NoticeForm
{
    let start = Date(timeIntervalSince1970: (Date().timeIntervalSince1970 + inMinutes * 60).rounded())
    return NoticeForm(
        kind: .regular, title: title, startsAt: start, endsAt: start.addingTimeInterval(minutes * 60),
        place: "Nhà văn hóa",
        mode: .inRoom, agenda: [], documents: [], guests: [], answerBy: nil, absenceBy: nil)
}
