import Foundation
import Sotay
import SotayTestSupport
import Testing

@testable import SotayApp

/// Joining by six digits, inviting, revoking and the PIN, on the real library and a real server.
@Suite("Screens about phones and the lock", .timeLimit(.minutes(2)))
@MainActor
struct PhonesTests {
    let server: ScenarioServer

    init() throws {
        server = try ScenarioServer(scenario: Surroundings.scenario("meeting.json"))
    }

    private func app(on folder: URL? = nil, vault: MemoryVault = MemoryVault()) throws -> AppModel {
        AppModel(folder: try folder ?? temporaryFolder(), vault: vault, deviceName: "máy của tôi")
    }

    /// What the person is asked for must say what is approved.
    private func approval(of signer: OpensslSigner, for reason: String = "phones.revokeReason") -> Approval {
        { challenge, shown in
            guard shown == Phrase(reason) else { throw Unexpected() }
            return try signer.approve(challenge)
        }
    }

    // MARK: - From the invitation to the confirmed phone

    @Test("An officer invites, the digits are read out and typed, and the new phone shows the handbook")
    func inviteAndConfirm() async throws {
        let secretary = try await Phone.joined("secretary", at: server)
        let invitable = InvitableModel(secretary.handbook)
        await invitable.load()
        let person = try #require(invitable.people?.first { $0.name == "Lê Văn Ví Dụ" })
        let invite = InviteModel(secretary.handbook, member: person.member, name: person.name)
        #expect(InviteModel.choices.contains(invite.days) && invite.invitation == nil)
        await invite.invite()
        let invitation = try #require(invite.invitation)
        #expect(invite.problem == nil)
        // The picture is square, and more than one colour.
        #expect(invitation.qr.rows.count == Int(invitation.qr.size))
        #expect(invitation.qr.rows.allSatisfy { $0.count == Int(invitation.qr.size) })
        #expect(Set(invitation.qr.rows.joined()) == [true, false])

        let app = try app()
        await app.open()
        let join = try app.join
        (join.address, join.code) = (invitation.host, invitation.code)
        await join.joinTyped()
        let shown = try #require(join.waiting)
        #expect(shown.groupedDigits.filter { $0 != " " } == shown.digits && shown.groupedDigits.count == 7)

        let waiting = WaitingPhonesModel(secretary.handbook)
        await waiting.load()
        let phone = try #require(waiting.phones?.first)
        #expect(phone.memberName == "Lê Văn Ví Dụ" && phone.deviceName == "máy của tôi")
        #expect(!(await waiting.confirm(phone, digits: "12 345")))
        #expect(waiting.problem == .DigitsMalformed && waiting.wrong == nil)
        #expect(!(await waiting.confirm(phone, digits: shown.digits == "000000" ? "111111" : "000000")))
        #expect(waiting.problem == nil && waiting.wrong?.triesLeft == 4)
        #expect(Phrase(try #require(waiting.wrong)) == Phrase("waitingPhones.wrongDigits", .number(4)))
        #expect(await join.finish() == nil)
        #expect(join.waiting != nil && join.problem == nil)
        // As it is written on the screen, with its space.
        #expect(await waiting.confirm(phone, digits: shown.groupedDigits))
        #expect(waiting.wrong == nil && waiting.phones?.isEmpty == true)
        #expect(await join.finish()?.memberName == "Lê Văn Ví Dụ")
        await app.joined()
        try await app.handbook.shutdown()
    }

    @Test("The digits are read out one by one")
    func spoken() {
        let joining = JoiningView(digits: "012345", until: Date(), host: "a:1")
        #expect(joining.spokenDigits == "0, 1, 2, 3, 4, 5")
        #expect(joining.groupedDigits == "012 345")
    }

    @Test("A claim outlives a new start and a server out of reach; refused, it is told, and the next one is taken")
    func refused() async throws {
        let secretary = try await Phone.joined("secretary", at: server)
        let (folder, vault) = (try temporaryFolder(), MemoryVault())
        let before = try app(on: folder, vault: vault)
        await before.open()
        try await before.join.claims(server.invitation(of: "a"))
        let shown = try #require(try before.join.waiting)

        let app = try app(on: folder, vault: vault)
        await app.open()
        let join = try app.join
        await join.findWaiting()
        #expect(join.waiting == shown)
        try server.behave(.stop)
        #expect(await join.finish() == nil)
        #expect(join.waiting == shown && join.problem == nil)
        try server.behave(.start)

        let waiting = WaitingPhonesModel(secretary.handbook)
        await waiting.load()
        #expect(await waiting.refuse(try #require(waiting.phones?.first)))
        #expect(waiting.phones?.isEmpty == true)
        #expect(await join.finish() == nil)
        #expect(join.waiting == nil && join.problem == .InvitationUnusable)
        try await join.claims(server.invitation(of: "b"))
        #expect(join.waiting != nil && join.problem == nil)
        await join.stop()
        #expect(join.waiting == nil)
    }

    @Test("Five wrong digits are said to have voided the invitation")
    func void() async throws {
        let secretary = try await Phone.joined("secretary", at: server)
        let phone = try await Phone()
        let shown = try await phone.handbook.join(invitation: try server.invitation(of: "a"), deviceName: "phone")
        let waiting = WaitingPhonesModel(secretary.handbook)
        await waiting.load()
        let line = try #require(waiting.phones?.first)
        let wrong = shown.digits == "000000" ? "111111" : "000000"
        for _ in 1...5 { #expect(!(await waiting.confirm(line, digits: wrong))) }
        #expect(Phrase(try #require(waiting.wrong)) == Phrase("waitingPhones.void"))
        #expect(waiting.phones?.isEmpty == true)
    }

    // MARK: - The phones

    @Test("The own phones get names; without a network it is said, and what was seen stays")
    func ownPhones() async throws {
        let member = try await Phone.joined("a", at: server)
        let model = PhonesModel(member.handbook, approval: nil)
        #expect(model.phones == nil && model.areOwn && !model.canRevoke)
        await model.load()
        let own = try #require(model.phones?.first)
        #expect(own.this && own.name == "phone a")
        #expect(!(await model.rename(own, to: "  ")))
        #expect(await model.rename(own, to: " Máy cũ "))
        #expect(model.phones?.map(\.name) == ["Máy cũ"])
        #expect(!(await model.revoke(own)))
        #expect(model.problem == .NotApproved)
        try server.behave(.stop)
        await model.load()
        #expect(model.problem == .ServerUnreachable(address: server.address))
        #expect(model.phones?.map(\.name) == ["Máy cũ"])
    }

    @Test("auth 4: a lost phone is revoked after a fresh unlock only; its app says so and starts empty")
    func revoke() async throws {
        let signer = try OpensslSigner()
        let secretary = try await Phone.joined("secretary", at: server, signer: signer)
        let app = try app()
        await app.open()
        let join = try app.join
        try await join.claims(server.invitation(of: "a"))
        try server.confirm(try #require(join.waiting).digits)
        #expect(await join.finish() != nil)
        await app.joined()
        let lost = try app.handbook
        try await lost.sync()

        // Nobody shows a face, or somebody else's key signs.
        let member = try #require(server.names["member.vidu"])
        struct NobodyThere: Error {}
        let other = try OpensslSigner()
        _ = try other.approvalKey()
        for approval: Approval in [{ _, _ in throw NobodyThere() }, approval(of: other)] {
            let model = PhonesModel(secretary.handbook, of: member, approval: approval)
            await model.load()
            #expect(!model.areOwn)
            #expect(!(await model.revoke(try #require(model.phones?.first))))
            #expect(model.problem == .NotApproved)
        }
        try await lost.sync()

        let model = PhonesModel(secretary.handbook, of: member, approval: approval(of: signer))
        await model.load()
        #expect(await model.revoke(try #require(model.phones?.first)))
        #expect(model.phones?.isEmpty == true)
        await #expect(throws: HandbookError.Revoked) { try await lost.sync() }
        await app.reaches { if case .closed(.Revoked) = $0 { true } else { false } }
        await app.open()
        _ = try app.join
    }

    @Test("loss: an officer finds the member whose phone is lost, revokes it, and invites anew")
    func memberPhones() async throws {
        let signer = try OpensslSigner()
        let secretary = try await Phone.joined("secretary", at: server, signer: signer)
        let lost = try await Phone.joined("b", at: server)
        let people = InvitableModel(secretary.handbook)
        await people.load()
        let person = try #require(people.people?.first { $0.name == "Phạm Thị Mẫu Một" })
        let phones = PhonesModel(secretary.handbook, of: person.member, approval: approval(of: signer))
        await phones.load()
        #expect(phones.phones?.map(\.name) == ["phone b"] && phones.canRevoke && !phones.areOwn)
        // Without a network nothing is revoked, and it is said.
        let phone = try #require(phones.phones?.first)
        try server.behave(.stop)
        #expect(!(await phones.revoke(phone)))
        #expect(phones.problem == .ServerUnreachable(address: server.address))
        try server.behave(.start)
        try await lost.handbook.sync()
        #expect(await phones.revoke(phone))
        await #expect(throws: HandbookError.Revoked) { try await lost.handbook.sync() }

        let invite = InviteModel(secretary.handbook, member: person.member, name: person.name)
        await invite.invite()
        #expect(invite.invitation != nil)

        // Who leads no cell sees nobody there, and is told no more by asking.
        let member = try await Phone.joined("a", at: server)
        let nobody = InvitableModel(member.handbook)
        await nobody.load()
        #expect(nobody.people == [])
        let foreign = PhonesModel(member.handbook, of: person.member, approval: nil)
        await foreign.load()
        #expect(foreign.phones == nil && foreign.problem != nil)
    }

    @Test("auth 3: what the server keeps about oneself is a file after a fresh unlock, gone with the screen")
    func takeAlong() async throws {
        let signer = try OpensslSigner()
        let phone = try await Phone.joined("secretary", at: server, signer: signer)
        let me = try #require(try await phone.handbook.joined()).member
        let folder = try temporaryFolder()
        func model(of member: MemberId, _ approval: Approval?) -> TakeAlongModel {
            TakeAlongModel(phone.handbook, of: member, approval: approval, to: ExportedFile(in: folder))
        }
        struct NobodyThere: Error {}
        for approval: Approval? in [nil, { _, _ in throw NobodyThere() }] {
            let refused = model(of: me, approval)
            #expect(refused.canAsk == (approval != nil))
            #expect(!(await refused.fetch()))
            #expect(refused.problem == .NotApproved && refused.file == nil)
        }
        let another = model(
            of: try #require(server.names["member.vidu"]), approval(of: signer, for: "takeAlong.reason"))
        #expect(!(await another.fetch()) && another.file == nil)
        #expect(another.problem == .Refused(why: .notAllowed(why: .notOwnLine)))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path()).isEmpty)

        let mine = model(of: me, approval(of: signer, for: "takeAlong.reason"))
        #expect(await mine.fetch())
        let file = try #require(mine.file)
        #expect(try String(contentsOf: file, encoding: .utf8).contains("Nguyễn Văn Thử"))
        mine.forget()
        #expect(mine.file == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path()).isEmpty)
    }

    // MARK: - The PIN

    @Test("auth 2: a PIN is set, asked for at the next start, changed and taken away")
    func pin() async throws {
        let (folder, vault) = (try temporaryFolder(), MemoryVault())
        let before = try app(on: folder, vault: vault)
        await before.open()
        let join = try before.join
        try await join.claims(server.invitation(of: "a"))
        try server.confirm(try #require(join.waiting).digits)
        #expect(await join.finish() != nil)
        await before.joined()

        let setting = before.pinSetting(of: try before.handbook)
        await setting.load()
        #expect(setting.isSet == false && !setting.canSet)
        (setting.new, setting.again) = ("123456", "123465")
        #expect(!(await setting.set()))
        (setting.new, setting.again) = ("12345", "12345")
        #expect(!(await setting.set()))
        #expect(setting.problem == .PinMalformed && setting.new == "12345")
        (setting.new, setting.again) = ("123456", "123456")
        #expect(await setting.set())
        #expect(setting.isSet == true && setting.new.isEmpty && setting.again.isEmpty)
        try await before.handbook.shutdown()

        let app = try app(on: folder, vault: vault)
        await app.open()
        let lock = try app.lock
        #expect(lock.problem == .PinNeeded(triesLeft: 10))
        lock.pin = "12"
        await lock.unlock()
        #expect(lock.problem == .PinMalformed && lock.pin == "12")
        lock.pin = "654321"
        await lock.unlock()
        #expect(lock.problem == .PinWrong(triesLeft: 9) && lock.pin.isEmpty)
        _ = try app.lock
        lock.pin = "123456"
        await lock.unlock()
        let handbook = try app.handbook
        #expect(try await handbook.home().memberName == "Lê Văn Ví Dụ")

        let change = app.pinSetting(of: handbook)
        await change.load()
        (change.pin, change.new, change.again) = ("111111", "654321", "654321")
        #expect(!(await change.set()))
        #expect(change.problem == .PinWrong(triesLeft: 9))
        (change.pin, change.new, change.again) = ("123456", "654321", "654321")
        #expect(await change.set())
        change.pin = "654321"
        #expect(await change.remove())
        #expect(change.isSet == false)
        try await handbook.shutdown()
        await app.open()
        try await app.handbook.shutdown()
    }

    @Test(
        "auth 2: the tenth wrong PIN deletes the handbook, also where the PIN is changed; the app says so and starts empty"
    )
    func tenWrong() async throws {
        let phone = try await Phone.joined("a", at: server)
        try await phone.handbook.setPin("123456")
        try await phone.handbook.shutdown()
        let app = try app(on: phone.folder, vault: phone.vault)
        await app.open()
        let lock = try app.lock
        for _ in 1...10 {
            lock.pin = "000000"
            await lock.unlock()
        }
        guard case .closed(.WipedAfterTries(unsent: 0)) = app.stage else { throw Unexpected() }
        #expect(phone.vault.heldKey == nil)
        await app.open()
        try await app.joins("b", at: server)

        let setting = app.pinSetting(of: try app.handbook)
        await setting.load()
        (setting.new, setting.again) = ("123456", "123456")
        #expect(await setting.set())
        for _ in 1...10 {
            setting.pin = "000000"
            #expect(!(await setting.remove()))
        }
        guard case .closed(.WipedAfterTries(unsent: 0)) = app.stage else { throw Unexpected() }
        await app.open()
        _ = try app.join
    }
}
