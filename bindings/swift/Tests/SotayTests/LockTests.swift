import Foundation
import Sotay
import SotayTestSupport
import Testing

@Suite("Key store, PIN, new keys, and leaving")
struct LockTests {
    let server: ScenarioServer

    init() throws {
        server = try ScenarioServer(scenario: Surroundings.scenario("meeting.json"))
    }

    private func files(of phone: Phone) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: phone.folder.path)
    }

    @Test("auth 2: each answer of the key store is told in its way")
    func fourAnswers() async throws {
        let phone = try await Phone.joined("secretary", at: server)
        try await phone.handbook.publishNotice(noticeForm(inMinutes: 3000))
        try await phone.handbook.shutdown()
        let root = phone.vault.heldKey
        let expected: [(MemoryVault.Condition, HandbookError)] = [
            (.locked, .KeyLocked), (.failing, .KeyFailed), (.lost, .KeyLost(unsent: 1)),
        ]
        for (condition, error) in expected {
            phone.vault.set(condition)
            await #expect(throws: error) { try await Handbook.open(in: phone.folder, vault: phone.vault) }
        }
        // Empty, though something was encrypted: it was emptied.
        await #expect(throws: HandbookError.KeyLost(unsent: 1)) {
            try await Handbook.open(in: phone.folder, vault: MemoryVault())
        }
        phone.vault.set(.ordinary)
        let opened = try await Handbook.open(in: phone.folder, vault: phone.vault)
        #expect(try await opened.sync().accepted == 1)
        #expect(phone.vault.heldKey == root)
        try await opened.shutdown()
    }

    @Test("crypto 2: new keys go to the key store, and the handbook is what it was")
    func newKeys() async throws {
        let phone = try await Phone.joined("secretary", at: server)
        try await phone.handbook.publishNotice(noticeForm(inMinutes: 3000))
        let root = try #require(phone.vault.heldKey)
        try await phone.handbook.rotateKeys()
        #expect(phone.vault.heldKey != root)
        phone.vault.set(.locked)
        await #expect(throws: HandbookError.KeyLocked) { try await phone.handbook.rotateKeys() }
        phone.vault.set(.ordinary)
        try await phone.restart()
        #expect(try await phone.handbook.sync().accepted == 1)
    }

    @Test("auth 2: a PIN is asked for, changed and taken away")
    func pin() async throws {
        let phone = try await Phone.joined("secretary", at: server)
        for malformed in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            await #expect(throws: HandbookError.PinMalformed) { try await phone.handbook.setPin(malformed) }
        }
        try await phone.handbook.setPin("123456")
        #expect(try await phone.handbook.hasPin())
        // Also who holds it open is asked for the right one.
        await #expect(throws: HandbookError.PinWrong(triesLeft: 9)) {
            try await Handbook.open(in: phone.folder, vault: phone.vault, pin: "654321")
        }
        #expect(try await Handbook.open(in: phone.folder, vault: phone.vault, pin: "123456") === phone.handbook)
        try await phone.handbook.shutdown()
        await #expect(throws: HandbookError.PinNeeded(triesLeft: 10)) {
            try await Handbook.open(in: phone.folder, vault: phone.vault)
        }
        let opened = try await Handbook.open(in: phone.folder, vault: phone.vault, pin: "123456")
        await #expect(throws: HandbookError.PinWrong(triesLeft: 9)) {
            try await opened.changePin("111111", to: "654321")
        }
        try await opened.changePin("123456", to: "654321")
        try await opened.rotateKeys()
        try await opened.shutdown()
        let again = try await Handbook.open(in: phone.folder, vault: phone.vault, pin: "654321")
        try await again.removePin("654321")
        try await again.shutdown()
        let open = try await Handbook.open(in: phone.folder, vault: phone.vault)
        #expect(try await !open.hasPin())
        try await open.shutdown()
    }

    @Test("auth 2: the tenth wrong PIN deletes the handbook and says so")
    func tenWrong() async throws {
        let phone = try await Phone.joined("secretary", at: server)
        try await phone.handbook.publishNotice(noticeForm(inMinutes: 3000))
        try await phone.handbook.setPin("123456")
        try await phone.handbook.shutdown()
        for left in (1...9).reversed() {
            await #expect(throws: HandbookError.PinWrong(triesLeft: UInt32(left))) {
                try await Handbook.open(in: phone.folder, vault: phone.vault, pin: "000000")
            }
        }
        await #expect(throws: HandbookError.WipedAfterTries(unsent: 1)) {
            try await Handbook.open(in: phone.folder, vault: phone.vault, pin: "000000")
        }
        #expect(try files(of: phone) == ["lock"])
        #expect(phone.vault.heldKey == nil)
    }

    @Test("storage 1: two handbooks on one phone have locks of their own")
    func twoHandbooks() async throws {
        let phone = try await Phone.joined("secretary", at: server)
        let other = try await Phone.joined("a", at: server)
        try await phone.handbook.setPin("111111")
        try await other.handbook.setPin("222222")
        try await phone.handbook.shutdown()
        try await other.handbook.shutdown()
        #expect(phone.vault.heldKey != other.vault.heldKey)
        await #expect(throws: HandbookError.PinWrong(triesLeft: 9)) {
            try await Handbook.open(in: other.folder, vault: other.vault, pin: "111111")
        }
        await #expect(throws: HandbookError.WrongKey) {
            try await Handbook.open(in: other.folder, vault: phone.vault, pin: "111111")
        }
        let first = try await Handbook.open(in: phone.folder, vault: phone.vault, pin: "111111")
        let second = try await Handbook.open(in: other.folder, vault: other.vault, pin: "222222")
        _ = try await first.wipe()
        #expect(try await second.home().memberName == "Lê Văn Ví Dụ")
        try await second.shutdown()
    }

    @Test("storage 1: signing out tells what was not sent, and then leaves nothing")
    func signOut() async throws {
        let phone = try await Phone.joined("secretary", at: server)
        try await phone.handbook.publishNotice(noticeForm(inMinutes: 3000))
        await #expect(throws: HandbookError.Unsent(count: 1)) { try await phone.handbook.signOut() }
        #expect(try await phone.handbook.sync().accepted == 1)
        #expect(try await phone.handbook.signOut() == 0)
        #expect(try files(of: phone) == ["lock"])
        // Somebody else joins in the same place and sees nothing of the first.
        let another = try await Handbook.open(in: phone.folder, vault: phone.vault)
        #expect(try await another.joined() == nil)
        let joining = try await another.join(invitation: try server.invitation(of: "a"), deviceName: "phone a")
        try server.confirm(joining.digits)
        #expect(try await another.finishJoining() != nil)
        #expect(try await another.sync().refused == 0)
        #expect(try await another.home().memberName == "Lê Văn Ví Dụ")
        #expect(try await another.signOut(losingUnsent: true) == 0)
    }
}
