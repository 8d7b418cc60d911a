import Foundation
import Sotay
import SotayTestSupport
import Testing

@Suite("Phones, six digits, and acts that need a fresh unlock", .timeLimit(.minutes(2)))
struct PhonesTests {
    let server: ScenarioServer

    init() throws {
        server = try ScenarioServer(scenario: Surroundings.scenario("meeting.json"))
    }

    private func member(_ code: String) throws -> MemberId {
        try #require(server.names["member.\(code)"])
    }

    /// Other six digits than these.
    private func wrong(_ digits: String) -> String {
        digits == "000000" ? "000001" : "000000"
    }

    // MARK: - A phone whose keys its hardware holds

    @Test("auth 1: a phone joins, is confirmed, syncs and opens again with keys that only its hardware has")
    func hardware() async throws {
        let signer = try OpensslSigner()
        let phone = try await Phone.joined("a", at: server, signer: signer)
        #expect(try await phone.handbook.home().memberName == "Lê Văn Ví Dụ")
        let asked = signer.signatures
        #expect(asked > 0)
        // The session of the day is kept: a new start asks the hardware for nothing, be it locked.
        signer.set(.locked)
        try await phone.restart()
        #expect(try await phone.handbook.sync().finished)
        #expect(signer.signatures == asked)
    }

    @Test("auth 1: hardware that is locked or fails is told, and nothing was joined")
    func lockedHardware() async throws {
        let signer = try OpensslSigner()
        let phone = try await Phone(signer: signer)
        let invitation = try server.invitation(of: "a")
        let expected: [(OpensslSigner.Condition, HandbookError)] = [(.locked, .KeyLocked), (.failing, .KeyFailed)]
        for (condition, error) in expected {
            signer.set(condition)
            await #expect(throws: error) {
                try await phone.handbook.join(invitation: invitation, deviceName: "phone")
            }
            #expect(try await phone.handbook.joining() == nil)
        }
        signer.set(.ordinary)
        try await phone.join(invitation, as: "a", at: server)
        #expect(try await phone.handbook.sync().finished)
    }

    @Test("auth 1: opened without its hardware a handbook shows what it has and does not sync")
    func withoutHardware() async throws {
        let phone = try await Phone.joined("a", at: server, signer: try OpensslSigner())
        try await phone.handbook.shutdown()
        let opened = try await Handbook.open(in: phone.folder, vault: phone.vault)
        #expect(try await opened.home().memberName == "Lê Văn Ví Dụ")
        try await opened.shutdown()
    }

    // MARK: - Six digits

    @Test("auth 1: until an officer has confirmed, a phone shows its digits and nothing else, also after a new start")
    func waiting() async throws {
        let phone = try await Phone()
        #expect(try await phone.handbook.joining() == nil)
        let joining = try await phone.handbook.join(
            invitation: try server.invitation(of: "a"), deviceName: "phone a")
        #expect(joining.digits.count == 6 && joining.digits.allSatisfy { $0.isASCII && $0.isNumber })
        #expect(joining.host == server.address && joining.until > Date())
        for _ in 1...2 {
            #expect(try await phone.handbook.finishJoining() == nil)
            #expect(try await phone.handbook.joining() == joining)
            #expect(try await phone.handbook.joined() == nil)
            await #expect(throws: HandbookError.NotEnrolled) { try await phone.handbook.sync() }
            await #expect(throws: HandbookError.NotEnrolled) { try await phone.handbook.phones() }
            try await phone.restart()
        }
        try server.confirm(joining.digits)
        #expect(try await phone.handbook.finishJoining()?.member == member("vidu"))
        #expect(try await phone.handbook.joining() == nil)
        #expect(try await phone.handbook.sync().finished)
    }

    @Test("auth 1: a claim that was given up is forgotten, and its invitation is used up")
    func stopped() async throws {
        let phone = try await Phone()
        let invitation = try server.invitation(of: "a")
        _ = try await phone.handbook.join(invitation: invitation, deviceName: "phone a")
        try await phone.handbook.stopJoining()
        try await phone.handbook.stopJoining()
        #expect(try await phone.handbook.joining() == nil)
        await #expect(throws: HandbookError.NotEnrolled) { try await phone.handbook.finishJoining() }
        await #expect(throws: HandbookError.InvitationUnusable) {
            try await phone.handbook.join(invitation: invitation, deviceName: "phone a")
        }
        try await phone.join(try server.invitation(of: "b"), as: "b", at: server)
        #expect(try await phone.handbook.joined()?.memberName == "Phạm Thị Mẫu Một")
    }

    // MARK: - An officer's phone

    @Test("auth 1: an officer invites, sees the phone with the same digits, and confirms it")
    func confirms() async throws {
        let secretary = try await Phone.joined("secretary", at: server)
        let invitable = try await secretary.handbook.invitable()
        #expect(invitable.contains(PersonName(member: try member("vidu"), name: "Lê Văn Ví Dụ")))
        #expect(try !invitable.map(\.member).contains(member("kia")), "of another cell")
        let invited = try await secretary.handbook.invite(try member("vidu"), days: 7)
        #expect(invited.host == server.address && invited.text.hasPrefix("sotay://join/\(server.address)/"))
        #expect(invited.until > Date(timeIntervalSinceNow: 6 * 86_400))
        #expect(invited.qr.rows.map(\.count) == Array(repeating: Int(invited.qr.size), count: Int(invited.qr.size)))
        let phone = try await Phone()
        let joining = try await phone.handbook.join(
            invitation: "\(invited.host) \(invited.code)", deviceName: "máy mới")

        let lines = try await secretary.handbook.joiningPhones()
        let line = try #require(lines.first)
        #expect(lines.count == 1)
        #expect(line.member == (try member("vidu")) && line.memberName == "Lê Văn Ví Dụ")
        #expect(line.cellName == "Chi bộ Mẫu 1" && line.deviceName == "máy mới")
        #expect(line.digits == joining.digits)

        let told = try await secretary.handbook.confirmPhone(line.installation, digits: wrong(joining.digits))
        #expect(told == .wrongDigits(triesLeft: 4))
        #expect(try await phone.handbook.finishJoining() == nil)
        for malformed in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            await #expect(throws: HandbookError.DigitsMalformed) {
                try await secretary.handbook.confirmPhone(line.installation, digits: malformed)
            }
        }
        #expect(
            try await secretary.handbook.confirmPhone(line.installation, digits: joining.digits) == .confirmed)
        #expect(try await phone.handbook.finishJoining()?.memberName == "Lê Văn Ví Dụ")
        #expect(try await secretary.handbook.joiningPhones().isEmpty)
    }

    @Test("auth 1: five wrong digits, or an officer who refuses, void a claim")
    func void() async throws {
        let secretary = try await Phone.joined("secretary", at: server)
        for refuses in [false, true] {
            let phone = try await Phone()
            let joining = try await phone.handbook.join(
                invitation: try server.invitation(of: refuses ? "b" : "a"), deviceName: "phone")
            let line = try #require(try await secretary.handbook.joiningPhones().first)
            if refuses {
                try await secretary.handbook.refusePhone(line.installation)
            } else {
                for left in (0...4).reversed() {
                    let told = try await secretary.handbook.confirmPhone(
                        line.installation, digits: wrong(joining.digits))
                    #expect(told == .wrongDigits(triesLeft: UInt32(left)))
                }
            }
            await #expect(throws: HandbookError.Refused(why: .notFound(what: .phone))) {
                try await secretary.handbook.confirmPhone(line.installation, digits: joining.digits)
            }
            #expect(try await secretary.handbook.joiningPhones().isEmpty)
            await #expect(throws: HandbookError.InvitationUnusable) { try await phone.handbook.finishJoining() }
            #expect(try await phone.handbook.joining() == nil)
        }
    }

    @Test("authz: who holds no office invites nobody, sees nobody who waits, and confirms nobody")
    func noOffice() async throws {
        let member = try await Phone.joined("a", at: server)
        let other = try await Phone()
        let joining = try await other.handbook.join(invitation: try server.invitation(of: "b"), deviceName: "phone")
        let secretary = try await Phone.joined("secretary", at: server)
        let line = try #require(try await secretary.handbook.joiningPhones().first)
        let office = HandbookError.Refused(why: .notAllowed(why: .officeNeeded))
        await #expect(throws: office) { try await member.handbook.invite(try self.member("mot"), days: 7) }
        await #expect(throws: office) { try await member.handbook.phones(of: try self.member("mot")) }
        #expect(try await member.handbook.joiningPhones().isEmpty)
        #expect(try await member.handbook.invitable().isEmpty)
        await #expect(throws: HandbookError.Refused(why: .notFound(what: .phone))) {
            try await member.handbook.confirmPhone(line.installation, digits: joining.digits)
        }
        #expect(try await other.handbook.finishJoining() == nil)
    }

    // MARK: - The list

    @Test("A member sees the own phones, and gives them names")
    func list() async throws {
        let phone = try await Phone.joined("a", at: server)
        let own = try #require(try await phone.handbook.phones().first)
        #expect(own.this && own.active && own.name == "phone a" && own.since <= Date())
        try await phone.handbook.renamePhone(own.installation, to: "Máy của Ví Dụ")
        let lines = try await phone.handbook.phones()
        #expect(lines.map(\.name) == ["Máy của Ví Dụ"] && lines.map(\.installation) == [own.installation])
        // The secretary sees the same phone, and that it is not this one.
        let secretary = try await Phone.joined("secretary", at: server)
        let seen = try await secretary.handbook.phones(of: try member("vidu"))
        #expect(seen.map(\.name) == ["Máy của Ví Dụ"] && seen.map(\.this) == [false])
        await #expect(throws: HandbookError.Refused(why: .notAllowed(why: .notOwnLine))) {
            try await secretary.handbook.renamePhone(own.installation, to: "khác")
        }
    }

    @Test("What is no phone, no name and no number of days changes nothing, and says so; without a network too")
    func badInput() async throws {
        let secretary = try await Phone.joined("secretary", at: server)
        let handbook = secretary.handbook
        let own = try #require(try await handbook.phones().first)
        let noDays = HandbookError.Refused(why: .invalid(field: .period, why: .malformed))
        for days: UInt32 in [0, 15, .max] {
            await #expect(throws: noDays) { try await handbook.invite(try member("vidu"), days: days) }
        }
        let noName = HandbookError.Refused(why: .invalid(field: .name, why: .empty))
        await #expect(throws: noName) { try await handbook.renamePhone(own.installation, to: "") }
        let unknown = try member("vidu")
        let nobody = HandbookError.Refused(why: .notFound(what: .phone))
        await #expect(throws: nobody) { try await handbook.renamePhone(unknown, to: "máy") }
        await #expect(throws: nobody) { try await handbook.refusePhone(unknown) }
        await #expect(throws: nobody) { try await handbook.confirmPhone(unknown, digits: "123456") }
        await #expect(throws: HandbookError.Internal(incident: "bindings")) {
            try await handbook.renamePhone("no id", to: "máy")
        }
        #expect(try await handbook.phones() == [own])
        try server.behave(.stop)
        await #expect(throws: HandbookError.ServerUnreachable(address: server.address)) { try await handbook.phones() }
    }

    // MARK: - Acts that need a fresh unlock

    @Test("auth 4: the key for privileged acts revokes a phone, which is wiped at its next contact")
    func revokes() async throws {
        let signer = try OpensslSigner()
        let secretary = try await Phone.joined("secretary", at: server, signer: signer)
        let lost = try await Phone.joined("a", at: server)
        let line = try #require(try await secretary.handbook.phones(of: try member("vidu")).first)

        // Another key's signature, or none at all, does nothing.
        let stolen = try await secretary.handbook.beginRevoking(line.installation)
        for signature in [try signer.sign(message: stolen.challenge), Data(), Data("no signature".utf8)] {
            await #expect(throws: HandbookError.NotApproved) { try await stolen.finish(signature: signature) }
        }
        #expect(try await lost.handbook.sync().finished)

        let act = try await secretary.handbook.beginRevoking(line.installation)
        #expect(act.challenge.count == 32)
        let other = try await secretary.handbook.beginRevoking(line.installation)
        #expect(other.challenge != act.challenge)
        let signature = try signer.approve(act.challenge)
        // What was signed for one act fits no other.
        await #expect(throws: HandbookError.NotApproved) { try await other.finish(signature: signature) }
        #expect(try await act.finish(signature: signature) == .done)
        await #expect(throws: HandbookError.NotApproved) { try await act.finish(signature: signature) }
        #expect(try await secretary.handbook.phones(of: try member("vidu")).isEmpty)

        await #expect(throws: HandbookError.Revoked) { try await lost.handbook.sync() }
        #expect(lost.vault.heldKey == nil)
        let empty = try await Handbook.open(in: lost.folder, vault: lost.vault)
        #expect(try await empty.joined() == nil)
        try await empty.shutdown()
    }

    @Test("auth 4: a phone without a key for privileged acts begins none")
    func withoutApproval() async throws {
        let phones = [
            try await Phone.joined("secretary", at: server),
            try await Phone.joined("deputy", at: server, signer: try OpensslSigner(approves: false)),
        ]
        for phone in phones {
            let own = try #require(try await phone.handbook.phones().first)
            await #expect(throws: HandbookError.NotApproved) {
                try await phone.handbook.beginRevoking(own.installation)
            }
            #expect(try await phone.handbook.phones() == [own])
        }
    }

    @Test("auth 4: a task is given, and what the server keeps about oneself is handed out, after a fresh unlock")
    func tasksAndExport() async throws {
        let signer = try OpensslSigner()
        let secretary = try await Phone.joined("secretary", at: server, signer: signer)
        let member = try await Phone.joined("a", at: server)
        let waiting = try await Phone()
        _ = try await waiting.handbook.join(invitation: try server.invitation(of: "b"), deviceName: "phone b")
        #expect(try await member.handbook.joiningPhones().isEmpty)
        let cell = try #require(try await secretary.handbook.joined()).cell
        let today = DateComponents(year: 2026, month: 1, day: 1)
        let task = TaskForm(
            member: try self.member("vidu"), organisation: cell, role: .enrolmentHelper, phone: nil, from: today,
            until: nil)
        let grant = try await secretary.handbook.beginGranting(task)
        #expect(try await grant.finish(signature: try signer.approve(grant.challenge)) == .done)
        #expect(try await member.handbook.joiningPhones().map(\.deviceName) == ["phone b"])

        let export = try await secretary.handbook.beginExporting(try self.member("thu"))
        guard case .export(let json) = try await export.finish(signature: try signer.approve(export.challenge)) else {
            Issue.record("nothing was exported")
            return
        }
        let read = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        #expect(try #require(read).isEmpty == false && json.contains("Nguyễn Văn Thử"))
        await #expect(throws: HandbookError.Refused(why: .notAllowed(why: .notOwnLine))) {
            try await secretary.handbook.beginExporting(try self.member("vidu"))
        }
    }
}
