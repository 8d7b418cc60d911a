import Foundation
import Sotay
import SotayTestSupport
import Testing

@testable import SotayApp

/// The end of a handbook: what is said before, what the server learns, and what is left on the phone.
@Suite("Leaving", .timeLimit(.minutes(2)))
@MainActor
struct LeavingTests {
    let server: ScenarioServer

    init() throws {
        server = try ScenarioServer(scenario: Surroundings.scenario("meeting.json"))
    }

    private func app(
        on folder: URL? = nil, vault: any KeyVault = MemoryVault(), signer: OpensslSigner? = nil,
        exported: ExportedFile? = nil
    ) throws -> AppModel {
        AppModel(
            folder: try folder ?? temporaryFolder(), vault: vault, signer: signer, deviceName: "phone",
            exported: exported)
    }

    // MARK: - Signing out

    @Test("loss: signing out first says how much is not sent, and deletes it only when that is accepted")
    func unsent() async throws {
        let app = try app()
        try await app.joins("secretary", at: server)
        try server.behave(.stop)
        for number in 1...2 {
            try await app.handbook.publishNotice(noticeForm(title: "Sinh hoạt \(number)", inMinutes: 3000))
        }
        await app.signOut()
        #expect(app.unsentAtLeaving == 2 && !app.leaving)
        #expect(try await app.handbook.meetings().count == 2)
        // The person would rather not.
        app.unsentAtLeaving = nil
        #expect(try await app.handbook.home().delivery.unsent == 2)
        await app.signOut()
        #expect(app.unsentAtLeaving == 2)
        // Without a network it works all the same.
        await app.signOut(losingUnsent: true)
        #expect(app.unsentAtLeaving == nil && !app.leaving)
        _ = try app.join
    }

    @Test("loss: the number of unsent entries is said in words, in both languages")
    func unsentInWords() throws {
        let catalogue = try Catalogue.read()
        let phrase = Phrase(HandbookError.Unsent(count: 2))
        for language in ["vi", "en"] { #expect(catalogue.words(language)(phrase).contains("2")) }
    }

    @Test("loss: the server is told who leaves, so that the phone is in nobody's list any more")
    func told() async throws {
        let secretary = try await Phone.joined("secretary", at: server)
        let app = try app()
        try await app.joins("a", at: server)
        let phones = PhonesModel(secretary.handbook, of: try #require(server.names["member.vidu"]), approval: nil)
        await phones.load()
        #expect(phones.phones?.count == 1)
        await app.signOut()
        #expect(app.unsentAtLeaving == nil)
        _ = try app.join
        await phones.load()
        #expect(phones.phones?.isEmpty == true && phones.problem == nil)
    }

    @Test("loss: a key store that fails leaves the deleting to be finished, and it is finished at the next try")
    func failingStore() async throws {
        let (folder, hardware) = (try temporaryFolder(), try Hardware())
        let app = try app(on: folder, vault: hardware.erasing, signer: hardware.signer)
        try await app.joins("a", at: server)
        let keys = try hardware.keys()
        hardware.signer.set(.failing)
        await app.signOut()
        guard case .closed(.KeyFailed) = app.stage else { throw Unexpected() }
        // All that is left is what says so.
        #expect(try Set(FileManager.default.contentsOfDirectory(atPath: folder.path)) == ["lock", "wiping"])
        await app.open()
        guard case .closed(.KeyFailed) = app.stage else { throw Unexpected() }
        hardware.signer.set(.ordinary)
        await app.open()
        _ = try app.join
        #expect(try hardware.keys() != keys)
    }

    // MARK: - The hardware's keys

    @Test("loss: who joins on a phone after signing out has other keys in its hardware")
    func keysGo() async throws {
        let hardware = try Hardware()
        let app = try app(vault: hardware.erasing, signer: hardware.signer)
        try await app.joins("a", at: server)
        let keys = try hardware.keys()
        #expect(try hardware.keys() == keys)
        let root = hardware.vault.heldKey
        await app.signOut()
        for (new, old) in zip(try hardware.keys(), keys) { #expect(new != old) }
        #expect(hardware.vault.heldKey != root)
        try await app.joins("b", at: server)
        #expect(try await app.handbook.home().memberName == "Phạm Thị Mẫu Một")
    }

    @Test("loss: a revoked phone's hardware keeps no key, and what was to be taken along is gone")
    func revoked() async throws {
        let officer = try OpensslSigner()
        let secretary = try await Phone.joined("secretary", at: server, signer: officer)
        let hardware = try Hardware()
        let exported = ExportedFile(in: try temporaryFolder())
        let app = try app(vault: hardware.erasing, signer: hardware.signer, exported: exported)
        try await app.joins("a", at: server)
        let (lost, keys) = (try app.handbook, try hardware.keys())
        try exported.write("{}", askedAt: exported.deletions)
        let file = try #require(exported.url)

        let member = try #require(server.names["member.vidu"])
        let phones = PhonesModel(secretary.handbook, of: member) { challenge, _ in try officer.approve(challenge) }
        await phones.load()
        #expect(await phones.revoke(try #require(phones.phones?.first)))
        await #expect(throws: HandbookError.Revoked) { try await lost.sync() }
        await app.reaches { if case .closed(.Revoked) = $0 { true } else { false } }
        for (new, old) in zip(try hardware.keys(), keys) { #expect(new != old) }
        #expect(!FileManager.default.fileExists(atPath: file.path) && exported.url == nil)
        await app.open()
        _ = try app.join
    }

    @Test("loss: a phone that dies between its hardware's keys and its root finishes at the next start")
    func killedBetween() async throws {
        /// The root stays the first time, as where the phone dies before it is gone.
        final class Dying: KeyVault, @unchecked Sendable {
            let vault = MemoryVault()
            private let lock = NSLock()
            private var died = false

            func rootKey() throws -> VaultAnswer { try vault.rootKey() }
            func store(root: Data) throws { try vault.store(root: root) }
            func destroy() throws {
                let first = lock.withLock {
                    defer { died = true }
                    return !died
                }
                if first { throw VaultError.Failed }
                try vault.destroy()
            }
        }
        let (folder, dying, signer) = (try temporaryFolder(), Dying(), try OpensslSigner())
        let vault = ErasingVault(dying) { try signer.erase() }
        let before = try app(on: folder, vault: vault, signer: signer)
        try await before.joins("a", at: server)
        let (root, key) = (dying.vault.heldKey, try signer.deviceKey())
        await before.signOut()
        guard case .closed(.KeyFailed) = before.stage else { throw Unexpected() }
        #expect(dying.vault.heldKey == root)

        let app = try app(on: folder, vault: vault, signer: signer)
        await app.open()
        _ = try app.join
        #expect(dying.vault.heldKey != root)
        #expect(try signer.deviceKey() != key)
    }

    @Test("loss: who forgot the PIN has everything erased, the hardware's keys too")
    func forgotten() async throws {
        let (folder, hardware) = (try temporaryFolder(), try Hardware())
        let before = try app(on: folder, vault: hardware.erasing, signer: hardware.signer)
        try await before.joins("a", at: server)
        let keys = try hardware.keys()
        try await before.handbook.setPin("123456")
        try await before.handbook.shutdown()
        let app = try app(on: folder, vault: hardware.erasing, signer: hardware.signer)
        await app.open()
        _ = try app.lock
        await app.erase()
        _ = try app.join
        for (new, old) in zip(try hardware.keys(), keys) { #expect(new != old) }
    }

    // MARK: - What was to be taken along

    @Test("privacy: an export is deleted at the next start, out of sight, and when the handbook ends")
    func export() async throws {
        let (folder, hardware) = (try temporaryFolder(), try Hardware())
        let left = folder.appendingPathComponent("so-tay.json")
        try Data("{}".utf8).write(to: left)
        let exported = ExportedFile(in: folder)
        let app = try app(vault: hardware.erasing, signer: hardware.signer, exported: exported)
        #expect(!FileManager.default.fileExists(atPath: left.path))

        try await app.joins("a", at: server)
        let me = try #require(try await app.handbook.joined()).member
        let signer = hardware.signer
        func model(_ approval: @escaping Approval) throws -> TakeAlongModel {
            TakeAlongModel(try app.handbook, of: me, approval: approval, to: exported)
        }
        let mine = try model { challenge, reason in
            #expect(reason == Phrase("takeAlong.reason"))
            return try signer.approve(challenge)
        }
        #expect(await mine.fetch())
        #expect(FileManager.default.fileExists(atPath: left.path))
        await app.pause()
        #expect(!FileManager.default.fileExists(atPath: left.path) && mine.file == nil)
        await app.resume()

        // Who leaves while it is under way gets none.
        let leaving = try model { challenge, _ in
            await exported.delete()
            return try signer.approve(challenge)
        }
        #expect(!(await leaving.fetch()))
        #expect(leaving.problem == .Cancelled && leaving.file == nil)
        #expect(!FileManager.default.fileExists(atPath: left.path))

        #expect(await mine.fetch())
        await app.signOut()
        #expect(!FileManager.default.fileExists(atPath: left.path))
    }
}
