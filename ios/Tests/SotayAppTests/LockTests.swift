import Foundation
import Sotay
import SotayTestSupport
import Testing

@testable import SotayApp

/// What happens to a handbook with a PIN while nobody looks, on the real library and a real server.
@Suite("Out of sight", .timeLimit(.minutes(2)))
@MainActor
struct LockTests {
    let server: ScenarioServer
    let clock = TestClock()

    init() throws {
        server = try ScenarioServer(scenario: Surroundings.scenario("meeting.json"))
    }

    private func app(on folder: URL? = nil, vault: MemoryVault = MemoryVault()) throws -> AppModel {
        AppModel(folder: try folder ?? temporaryFolder(), vault: vault, deviceName: "phone", now: clock.now)
    }

    /// A secretary's app, with a PIN, and with something that waits to be sent.
    private func withPin() async throws -> AppModel {
        let app = try app()
        try await app.joins("secretary", at: server)
        try await app.handbook.setPin("123456")
        try server.behave(.stop)
        try await app.handbook.publishNotice(noticeForm(title: "Sinh hoạt đột xuất", inMinutes: 3000))
        return app
    }

    @Test("auth 2: a minute out of sight, a handbook with a PIN is shut down and asks for it; nothing entered is lost")
    func minute() async throws {
        let app = try await withPin()
        let before = try app.handbook
        let home = HomeModel(before)
        let following = Task { await home.follow() }
        await app.pause()
        #expect(app.covered)
        clock.advance(.seconds(60))
        await app.resume()
        #expect(!app.covered)
        #expect(try app.lock.problem == .PinNeeded(triesLeft: 10))
        // The live query has ended, and whoever holds the handbook still reads nothing from it.
        await following.value
        await #expect(throws: HandbookError.Cancelled) { try await before.home() }
        await #expect(throws: HandbookError.Cancelled) { try await before.sync() }

        let lock = try app.lock
        lock.pin = "654321"
        await lock.unlock()
        #expect(lock.problem == .PinWrong(triesLeft: 9))
        lock.pin = "123456"
        await lock.unlock()
        let after = try app.handbook
        #expect(after !== before)
        #expect(try await after.meetings().meetings.map(\.title) == ["Sinh hoạt đột xuất"])
        #expect(try await after.home().delivery.unsent == 1)
        try server.behave(.start)
        try await after.sync()
        #expect(try await after.home().delivery.unsent == 0)
        // Seen again and asked, it stays open.
        clock.advance(.seconds(3600))
        await app.resume()
        #expect(try app.handbook === after)
    }

    @Test("auth 2: a glance elsewhere costs no PIN, and glances do not add up")
    func glance() async throws {
        let app = try await withPin()
        let handbook = try app.handbook
        for _ in 1...3 {
            await app.pause()
            await #expect(throws: HandbookError.Paused) { try await handbook.home() }
            clock.advance(.seconds(59))
            await app.resume()
            #expect(try app.handbook === handbook)
            #expect(try await handbook.home().delivery.unsent == 1)
        }
    }

    @Test("auth 2: a handbook that is due to be locked does not sync in the background, nor does a locked one")
    func background() async throws {
        let app = try await withPin()
        try server.behave(.start)
        await app.pause()
        clock.advance(.seconds(3600))
        #expect(!(await app.refreshInBackground()))
        _ = try app.lock
        #expect(!(await app.refreshInBackground()))
        await app.resume()
        let lock = try app.lock
        lock.pin = "123456"
        await lock.unlock()
        #expect(try await app.handbook.home().memberName == "Nguyễn Văn Thử")
    }

    @Test("auth 2: an app that the system starts in the background opens no handbook that has a PIN")
    func startedInBackground() async throws {
        let phone = try await Phone.joined("a", at: server)
        try await phone.handbook.setPin("123456")
        try await phone.handbook.shutdown()
        let app = try app(on: phone.folder, vault: phone.vault)
        #expect(!(await app.refreshInBackground()))
        #expect(try app.lock.problem == .PinNeeded(triesLeft: 10))
    }

    @Test("Without a PIN nothing is asked, and the background goes on syncing without being counted as seen")
    func noPin() async throws {
        let app = try app()
        try await app.joins("a", at: server)
        let handbook = try app.handbook
        await app.pause()
        clock.advance(.seconds(3600))
        #expect(await app.refreshInBackground())
        await #expect(throws: HandbookError.Paused) { try await handbook.home() }
        await app.resume()
        #expect(try app.handbook === handbook)
        #expect(try await handbook.home().memberName == "Lê Văn Ví Dụ")

        // A PIN set since is known, and what synced in the background was not somebody who looked.
        try await handbook.setPin("123456")
        await app.pause()
        clock.advance(.seconds(30))
        #expect(await app.refreshInBackground())
        clock.advance(.seconds(30))
        await app.resume()
        _ = try app.lock
    }

    @Test("Who is back before the files are closed finds them open")
    func backAtOnce() async throws {
        let app = try await withPin()
        async let away: Void = app.pause()
        async let back: Void = app.resume()
        _ = await (away, back)
        if app.covered { await app.resume() }
        #expect(try await app.handbook.home().memberName == "Nguyễn Văn Thử")
    }

    @Test("A key store that is locked when the app is back says so, and the PIN is asked for later")
    func lockedStore() async throws {
        let vault = MemoryVault()
        let app = try app(vault: vault)
        try await app.joins("a", at: server)
        try await app.handbook.setPin("123456")
        await app.pause()
        clock.advance(.seconds(61))
        vault.set(.locked)
        await app.resume()
        guard case .closed(.KeyLocked) = app.stage else { throw Unexpected() }
        vault.set(.ordinary)
        await app.open()
        _ = try app.lock
    }
}
