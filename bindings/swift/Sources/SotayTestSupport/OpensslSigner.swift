import Foundation
import Sotay

/// Secure hardware as a phone has it, played by the program `openssl`: two keys on P-256 that the library never sees,
/// made when they are first asked for. It can be locked, fail, or have no key for privileged acts.
public final class OpensslSigner: DeviceSigner, @unchecked Sendable {
    public enum Condition: Sendable {
        case ordinary, locked, failing
    }

    /// The program could not do it.
    public struct Failed: Error {
        public let said: String
    }

    private let folder: URL
    private let approves: Bool
    private let lock = NSLock()
    private var condition = Condition.ordinary
    private var count = 0

    public init(approves: Bool = true) throws {
        folder = try temporaryFolder()
        self.approves = approves
    }

    public func set(_ condition: Condition) {
        lock.withLock { self.condition = condition }
    }

    /// How often the device key has signed.
    public var signatures: Int { lock.withLock { count } }

    public func deviceKey() throws -> Data {
        try asked { try self.publicKey("device") }
    }

    public func sign(message: Data) throws -> Data {
        try asked {
            self.count += 1
            return try self.signature(of: message, with: "device")
        }
    }

    public func approvalKey() throws -> Data? {
        try asked { self.approves ? try self.publicKey("approval") : nil }
    }

    /// What the phone does after a fresh unlock: signs with the key for privileged acts, in DER.
    public func approve(_ challenge: Data) throws -> Data {
        try lock.withLock { try signature(of: challenge, with: "approval") }
    }

    /// Forgets both keys: the next ones are others.
    public func erase() throws {
        try asked {
            for key in [self.file("device.pem"), self.file("approval.pem")]
            where FileManager.default.fileExists(atPath: key.path) {
                try FileManager.default.removeItem(at: key)
            }
        }
    }

    private func asked<Answer>(_ answer: () throws -> Answer) throws -> Answer {
        try lock.withLock {
            switch condition {
            case .ordinary: try answer()
            case .locked: throw SignerError.LockedNow
            case .failing: throw SignerError.Failed
            }
        }
    }

    // MARK: - The program; only under `lock`

    private func publicKey(_ name: String) throws -> Data {
        let key = file("\(name).pem")
        if !FileManager.default.fileExists(atPath: key.path) {
            try openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key.path)
        }
        let spki = file("\(name).spki")
        try openssl("ec", "-in", key.path, "-pubout", "-outform", "DER", "-out", spki.path)
        return try Data(contentsOf: spki)
    }

    private func signature(of message: Data, with name: String) throws -> Data {
        let (from, to) = (file("message"), file("signature"))
        try message.write(to: from)
        try openssl("dgst", "-sha256", "-sign", file("\(name).pem").path, "-out", to.path, from.path)
        return try Data(contentsOf: to)
    }

    private func file(_ name: String) -> URL { folder.appendingPathComponent(name) }

    private func openssl(_ arguments: String...) throws {
        let (process, said) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = said
        try process.run()
        let text = said.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failed(said: String(decoding: text, as: UTF8.self)) }
    }
}
