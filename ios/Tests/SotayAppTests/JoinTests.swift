import Foundation
import Sotay
import SotayTestSupport
import Testing

@testable import SotayApp

/// What a scanned code or a link may do, on the real library and a real server.
@Suite("Invitations that are scanned or come as links", .timeLimit(.minutes(2)))
@MainActor
struct JoinTests {
    let server: ScenarioServer

    init() throws {
        server = try ScenarioServer(scenario: Surroundings.scenario("meeting.json"))
    }

    private func app() throws -> AppModel {
        AppModel(folder: try temporaryFolder(), vault: MemoryVault(), deviceName: "máy của tôi")
    }

    @Test("platform: a link is read and its server shown, and joining needs a press")
    func needsPress() async throws {
        let app = try app()
        // The link starts the app: it comes before anything is open.
        await app.opened(link: try server.invitation(of: "a"))
        await app.open()
        let join = try app.join
        let offered = try #require(join.offered)
        #expect(offered.host == server.address)
        #expect(join.waiting == nil && join.problem == nil)
        // Nothing was claimed: another phone joins with the same invitation.
        let phone = try await Phone()
        _ = try await phone.handbook.join(invitation: try server.invitation(of: "a"), deviceName: "phone")
        #expect(try app.join.waiting == nil)

        join.decline()
        #expect(join.offered == nil)
        await app.opened(link: try server.invitation(of: "b").uppercased())
        await join.join(try #require(join.offered))
        #expect(join.offered == nil && join.problem == nil)
        #expect(try join.claimed.host == server.address)
    }

    @Test("platform: what was shown is what is joined, though another link came before the press")
    func shownIsJoined() async throws {
        let app = try app()
        await app.open()
        let join = try app.join
        await join.offer(try server.invitation(of: "a"))
        let seen = try #require(join.offered)
        await join.offer("sotay://join/khac.example/0000-0000-00000")
        #expect(join.offered?.host == "khac.example")
        await join.join(seen)
        #expect(try join.claimed.host == server.address)
    }

    @Test("platform: while a claim waits no link takes its place, and it is said")
    func claimStays() async throws {
        let (folder, vault) = (try temporaryFolder(), MemoryVault())
        let before = AppModel(folder: folder, vault: vault, deviceName: "phone")
        await before.open()
        let other = try before.join
        await other.offer(try server.invitation(of: "b"))
        let late = try #require(other.offered)
        try await other.claims(server.invitation(of: "a"))
        let claim = try other.claimed
        #expect(!other.offerIgnored)
        await before.opened(link: try server.invitation(of: "b"))
        #expect(other.offered == nil && other.offerIgnored && other.waiting == claim)
        // Nor does a press on what was shown before, nor what is typed.
        await other.join(late)
        #expect(other.waiting == claim)
        (other.address, other.code) = (server.address, try #require(server.names["code.b"]))
        await other.joinTyped()
        #expect(other.waiting == claim && other.problem == nil)

        // Started anew by a link, before the screen has looked for a claim.
        let app = AppModel(folder: folder, vault: vault, deviceName: "phone")
        await app.opened(link: try server.invitation(of: "b"))
        await app.open()
        let join = try app.join
        #expect(join.waiting == claim && join.offered == nil && join.offerIgnored)
        // A link that comes before the app is fully back changes nothing either.
        await app.pause()
        await app.opened(link: try server.invitation(of: "b"))
        #expect(join.waiting == claim && join.offered == nil)
        await app.resume()
        try server.confirm(claim.digits)
        #expect(await join.finish()?.memberName == "Lê Văn Ví Dụ")
        await app.joined()

        // Who has a handbook is told so; a link does nothing to it.
        await app.opened(link: try server.invitation(of: "b"))
        #expect(app.linkRefused == .AlreadyEnrolled)
        #expect(try await app.handbook.joined()?.memberName == "Lê Văn Ví Dụ")
    }

    @Test("Given up, the claim makes room for the next invitation; a server out of reach leaves it on offer")
    func givenUp() async throws {
        let app = try app()
        await app.open()
        let join = try app.join
        try await join.claims(server.invitation(of: "a"))
        await join.offer(try server.invitation(of: "b"))
        #expect(join.offerIgnored)
        await join.stop()
        #expect(join.waiting == nil && !join.offerIgnored)
        await join.offer(try server.invitation(of: "b"))
        let offered = try #require(join.offered)
        try server.behave(.stop)
        await join.join(offered)
        #expect(join.waiting == nil && join.offered == offered)
        #expect(join.problem == .ServerUnreachable(address: server.address))
        try server.behave(.start)
        await join.join(offered)
        #expect(try join.claimed.host == server.address && join.problem == nil)
    }

    @Test(
        "platform: what is no invitation offers nothing and says why",
        arguments: [
            ("https://example.org/join/a/b", InvitationFault.notAnInvitation),
            ("sotay://join/", .notAnInvitation), ("sotay://join/a.example", .notAnInvitation), ("", .notAnInvitation),
            ("sotay://leave/a.example/0", .notAnInvitation), ("sotay://join//0000", .host),
            ("sotay://join/a b/0000", .host), ("sotay://join/chibo@evil.example/0000", .host),
            // A letter of another alphabet, and a mark that turns the reading order round.
            ("sotay://join/сhibo.example/0000", .host), ("sotay://join/a\u{202E}b/0000", .host),
            ("sotay://join/a%2Eb/0000", .host),
        ])
    func unreadable(text: String, fault: InvitationFault) async throws {
        let app = try app()
        await app.open()
        let join = try app.join
        await join.offer(text)
        #expect(join.offered == nil && join.problem == .InvitationUnreadable(fault: fault))
    }

    @Test("A code that is none is told after the press, and nothing is asked")
    func malformedCode() async throws {
        let app = try app()
        await app.open()
        let join = try app.join
        try await join.claims("sotay://join/\(server.address)/ABCD")
        #expect(join.waiting == nil && join.problem == .InvitationUnreadable(fault: .length(found: 4)))
        try await join.claims("sotay://join/\(server.address)/sotay://join/khac.example/0000000000000")
        #expect(join.waiting == nil && join.problem == .InvitationUnreadable(fault: .notAnInvitation))
    }
}
