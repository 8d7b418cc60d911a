import Foundation
import Sotay
import SotayTestSupport
import Testing

@Suite("Bad input")
struct BadInputTests {
    let server: ScenarioServer

    init() throws {
        server = try ScenarioServer(scenario: Surroundings.scenario("meeting.json"))
    }

    /// Why it was refused; nothing if it was not.
    private func refusal(_ call: () async throws -> Void) async throws -> Rejection? {
        do {
            try await call()
            return nil
        } catch HandbookError.Refused(let why) {
            return why
        }
    }

    // MARK: - Invitations

    @Test(
        "An invitation with a mistake says which", arguments: ["https://example.org/", "", "sotay://join/", "\u{202E}"])
    func unreadable(text: String) async throws {
        let phone = try await Phone()
        await #expect(throws: HandbookError.InvitationUnreadable(fault: .notAnInvitation)) {
            try await phone.handbook.join(invitation: text, deviceName: "phone")
        }
        #expect(try await phone.handbook.joined() == nil)
    }

    @Test("A code that is too short says how long it is")
    func tooShort() async throws {
        let phone = try await Phone()
        await #expect(throws: HandbookError.InvitationUnreadable(fault: .length(found: 4))) {
            try await phone.handbook.join(invitation: "\(server.address) ABCD", deviceName: "phone")
        }
    }

    @Test("Unknown, expired and used invitations are one and the same")
    func unusable() async throws {
        _ = try await Phone.joined("a", at: server)
        for name in ["invitation.unknown", "invitation.expired", "invitation.a"] {
            let phone = try await Phone()
            let invitation = try #require(server.names[name])
            await #expect(throws: HandbookError.InvitationUnusable, "\(name)") {
                try await phone.handbook.join(invitation: invitation, deviceName: "phone")
            }
            #expect(try await phone.handbook.joined() == nil)
        }
    }

    @Test("A wrong address is named")
    func wrongAddress() async throws {
        let phone = try await Phone()
        let invitation = try server.invitation(of: "a").replacingOccurrences(of: server.address, with: "127.0.0.1:1")
        await #expect(throws: HandbookError.ServerUnreachable(address: "127.0.0.1:1")) {
            try await phone.handbook.join(invitation: invitation, deviceName: "phone")
        }
    }

    @Test("Without an invitation there is nothing to read or to enter")
    func notEnrolled() async throws {
        let phone = try await Phone()
        await #expect(throws: HandbookError.NotEnrolled) { try await phone.handbook.home() }
        await #expect(throws: HandbookError.NotEnrolled) {
            try await phone.handbook.publishNotice(noticeForm(inMinutes: 9))
        }
    }

    // MARK: - Texts

    @Test("A notice with a mistake is refused by field, and not stored")
    func notice() async throws {
        let secretary = try await Phone.joined("secretary", at: server).handbook
        let endsEarly = noticeForm(inMinutes: 3000, lasting: -30)
        #expect(
            try await refusal { try await secretary.publishNotice(endsEarly) }
                == .invalid(field: .endsAt, why: .endBeforeStart))
        let titles: [(String, Rejection)] = [
            ("", .invalid(field: .title, why: .empty)),
            ("Sinh hoạt\u{7}", .invalid(field: .title, why: .controlCharacter)),
            ("Sinh hoạt \u{202E}thường kỳ", .invalid(field: .title, why: .directionOverride)),
            ("MẬT: Sinh hoạt", .secret(field: .title, level: .secret)),
        ]
        for (title, expected) in titles {
            let form = noticeForm(title: title, inMinutes: 3000)
            #expect(try await refusal { try await secretary.publishNotice(form) } == expected)
        }
        let long = noticeForm(title: String(repeating: "a", count: 100_000), inMinutes: 3000)
        guard case .tooLarge(field: .title, let limit)? = try await refusal({ try await secretary.publishNotice(long) })
        else {
            Issue.record("100 kB are no title")
            return
        }
        #expect(limit > 0)
        #expect(try await secretary.meetings().count == 0)
        #expect(try await secretary.outbox().unsent.isEmpty)
    }

    // MARK: - Rules

    @Test("An answer to a cancelled meeting says since when it is over, and nothing else is lost")
    func cancelledMeeting() async throws {
        let secretary = try await Phone.joined("secretary", at: server).handbook
        let member = try await Phone.joined("a", at: server).handbook
        let meeting = try await secretary.publishNotice(noticeForm(inMinutes: 3000))
        let other = try await secretary.publishNotice(noticeForm(title: "Sinh hoạt chuyên đề", inMinutes: 5000))
        try await secretary.sync()
        try await member.sync()
        // The member answers both before knowing that one is cancelled.
        try await secretary.cancelMeeting(meeting, reason: "Mưa bão")
        try await secretary.sync()
        try await member.respond(to: meeting, choice: .willAttend, noticeVersion: 1)
        try await member.respond(to: other, choice: .willAttend, noticeVersion: 1)
        let report = try await member.sync()
        #expect(report.accepted == 1 && report.refused == 1)
        let refused = try #require(try await member.outbox().refused.first)
        guard case .closed(what: .meetingCancelled, let since)? = refused.refusal else {
            Issue.record("refused with \(String(describing: refused.refusal))")
            return
        }
        #expect(since != nil)
        // Known to be cancelled, it is refused at once.
        guard
            case .closed(what: .meetingCancelled, _)? = try await refusal({
                try await member.respond(to: meeting, choice: .undecided, noticeVersion: 1)
            })
        else {
            Issue.record("not refused")
            return
        }
        try await member.discardRefused(refused.n)
        #expect(try await member.outbox().refused.isEmpty)
    }

    @Test("A roll call by someone without office is refused")
    func withoutOffice() async throws {
        let secretary = try await Phone.joined("secretary", at: server).handbook
        let member = try await Phone.joined("a", at: server).handbook
        let meeting = try await secretary.publishNotice(noticeForm(inMinutes: 1))
        try await secretary.sync()
        try await member.sync()
        let own = try #require(server.names["member.vidu"])
        guard
            case .notAllowed? = try await refusal({
                try await member.openRollCall(of: meeting, chair: own, minuteTaker: nil)
            })
        else {
            Issue.record("not refused")
            return
        }
    }

    // MARK: - Servers

    static let faults: [(ScenarioServer.Behaviour, ServerFault)] = [
        (.html, .html), (.status500, .status(code: 500)), (.half, .truncated), (.garbage, .unreadable),
    ]

    @Test("A server that answers otherwise is told by fault, and queued answers are kept and sent later")
    func badServer() async throws {
        let secretary = try await Phone.joined("secretary", at: server).handbook
        try await secretary.publishNotice(noticeForm(inMinutes: 3000))
        for (behaviour, fault) in Self.faults {
            try server.behave(behaviour)
            await #expect(throws: HandbookError.ServerUnexpected(address: server.address, fault: fault), "\(behaviour)")
            {
                try await secretary.sync()
            }
            #expect(try await secretary.outbox().unsent.count == 1)
        }
        for behaviour in [ScenarioServer.Behaviour.nothing, .stop] {
            try server.behave(behaviour)
            await #expect(throws: HandbookError.self, "\(behaviour)") { try await secretary.sync() }
            #expect(try await secretary.outbox().unsent.count == 1)
        }
        try server.behave(.start)
        #expect(try await secretary.sync().accepted == 1)
    }

    // MARK: - Files and keys

    @Test("A file that is no database is told as such; rebuilt, the unsent answers are there again")
    func noDatabase() async throws {
        let phone = try await Phone.joined("secretary", at: server)
        try await phone.handbook.publishNotice(noticeForm(inMinutes: 3000))
        try await phone.handbook.shutdown()
        for name in try FileManager.default.contentsOfDirectory(atPath: phone.folder.path) where name.contains(".db") {
            try Data("Đây không phải cơ sở dữ liệu. ".utf8).write(to: phone.folder.appendingPathComponent(name))
        }
        await #expect(throws: HandbookError.DatabaseUnreadable(unsent: 1)) {
            try await Handbook.open(in: phone.folder, vault: phone.vault)
        }
        let rebuilt = try await Handbook.rebuild(in: phone.folder, vault: phone.vault)
        #expect(try await rebuilt.sync().accepted == 1)
        #expect(try await rebuilt.meetings().count == 1)
        try await rebuilt.shutdown()
    }

    @Test("A database of a newer version is refused with both versions, and left as it is")
    func newerDatabase() async throws {
        let phone = try await Phone.joined("secretary", at: server)
        try await phone.handbook.shutdown()
        try server.makeNewer(phone.folder, root: try #require(phone.vault.heldKey))
        let known = try #require(await known(in: phone))
        #expect(known < 99)
        #expect(await self.known(in: phone) == known)
    }

    /// The newest version that the library knows, when it refuses one of 99.
    private func known(in phone: Phone) async -> UInt32? {
        do {
            _ = try await Handbook.open(in: phone.folder, vault: phone.vault)
            return nil
        } catch {
            if case .NewerDatabase(found: 99, let known) = error { return known }
            return nil
        }
    }

    @Test("A key store that is locked, failing or empty is told apart, and loses nothing")
    func keyStore() async throws {
        let phone = try await Phone.joined("secretary", at: server)
        try await phone.handbook.publishNotice(noticeForm(inMinutes: 3000))
        try await phone.handbook.shutdown()
        let expected: [(MemoryVault.Condition, HandbookError)] = [
            (.locked, .KeyLocked), (.failing, .KeyFailed), (.lost, .KeyLost(unsent: 1)),
        ]
        for (condition, error) in expected {
            phone.vault.set(condition)
            await #expect(throws: error) { try await Handbook.open(in: phone.folder, vault: phone.vault) }
        }
        phone.vault.set(.ordinary)
        try await phone.restart()
        #expect(try await phone.handbook.sync().accepted == 1)
    }

    @Test("With another handbook's key nothing is read and nothing is deleted")
    func wrongKey() async throws {
        let phone = try await Phone.joined("secretary", at: server)
        try await phone.handbook.shutdown()
        let other = try await Phone()
        try await other.handbook.shutdown()
        await #expect(throws: HandbookError.WrongKey) { try await Handbook.open(in: phone.folder, vault: other.vault) }
        try await phone.restart()
        #expect(try await phone.handbook.home().memberName == "Nguyễn Văn Thử")
    }
}
