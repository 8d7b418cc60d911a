import Foundation
import Sotay
import SotayTestSupport
import Testing

@Suite("Live screens")
struct ScreenTests {
    let server: ScenarioServer
    let secretary: Phone

    init() async throws {
        server = try ScenarioServer(scenario: Surroundings.scenario("meeting.json"))
        secretary = try await Phone.joined("secretary", at: server)
    }

    @Test("The first view comes at once, the next after an entry")
    func follows() async throws {
        var screen = secretary.handbook.homeScreen().makeAsyncIterator()
        #expect(try await screen.next()?.get().nextMeeting == nil)
        let meeting = try await secretary.handbook.publishNotice(noticeForm(inMinutes: 3000))
        #expect(try await screen.next()?.get().nextMeeting?.meeting == meeting)
    }

    @Test("A slow screen skips to the latest")
    func skips() async throws {
        var screen = secretary.handbook.meetingsScreen().makeAsyncIterator()
        _ = await screen.next()
        for number in 1...20 {
            try await secretary.handbook.publishNotice(noticeForm(title: "Sinh hoạt \(number)", inMinutes: 3000))
        }
        var seen: [UInt32] = []
        while seen.last != 20 { seen.append(try #require(try await screen.next()?.get().count)) }
        #expect(seen.count < 20)
        #expect(seen == seen.sorted())
    }

    @Test("A screen is told of its own meeting only")
    func ownMeetingOnly() async throws {
        let first = try await secretary.handbook.publishNotice(noticeForm(inMinutes: 3000))
        var screen = secretary.handbook.meetingScreen(first).makeAsyncIterator()
        _ = await screen.next()
        try await secretary.handbook.publishNotice(noticeForm(title: "Sinh hoạt khác", inMinutes: 4000))
        try await secretary.handbook.respond(to: first, choice: .willAttend, noticeVersion: 1)
        #expect(try await screen.next()?.get().card.myAnswer?.choice == .willAttend)
    }

    @Test("Several screens at once each get their views")
    func several() async throws {
        let handbook = secretary.handbook
        let meeting = try await handbook.publishNotice(noticeForm(inMinutes: 3000))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 1...8 {
                group.addTask {
                    for await view in handbook.meetingScreen(meeting) where try view.get().card.myAnswer != nil {
                        return
                    }
                }
            }
            try await handbook.respond(to: meeting, choice: .undecided, noticeVersion: 1)
            try await group.waitForAll()
        }
    }

    @Test("What cannot be read is told, and the screen goes on after a pause")
    func goesOnAfterPause() async throws {
        var screen = secretary.handbook.homeScreen().makeAsyncIterator()
        _ = await screen.next()
        try await secretary.handbook.publishNotice(noticeForm(inMinutes: 3000))
        try await secretary.handbook.pause(within: .seconds(2))
        #expect(await failure(of: screen.next()) == .Paused)
        try await secretary.handbook.resume()
        #expect(try await screen.next()?.get().nextMeeting != nil)
    }

    @Test("A meeting that is not on this phone is told as such")
    func notHere() async throws {
        let other = try await Phone.joined("other", at: server)
        let meeting = try await secretary.handbook.publishNotice(noticeForm(inMinutes: 3000))
        try await secretary.handbook.sync()
        try await other.handbook.sync()
        var screen = other.handbook.meetingScreen(meeting).makeAsyncIterator()
        #expect(await failure(of: screen.next()) == .NotHere)
    }

    @Test("It ends when the handbook is shut down")
    func ends() async throws {
        var screen = secretary.handbook.homeScreen().makeAsyncIterator()
        _ = await screen.next()
        try await secretary.handbook.shutdown()
        #expect(await screen.next() == nil)
    }

    @Test("A cancelled task ends its screen, and others go on")
    func cancelled() async throws {
        let handbook = secretary.handbook
        let follower = Task {
            var count = 0
            for await _ in handbook.homeScreen() { count += 1 }
            return count
        }
        var screen = handbook.homeScreen().makeAsyncIterator()
        _ = await screen.next()
        follower.cancel()
        _ = await follower.value
        try await handbook.publishNotice(noticeForm(inMinutes: 3000))
        #expect(try await screen.next()?.get().nextMeeting != nil)
    }

    @Test("A handbook that nobody holds lets its folder go")
    func abandoned() async throws {
        let (folder, vault) = (try temporaryFolder(), MemoryVault())
        weak var abandoned: Handbook?
        do {
            let handbook = try await Handbook.open(in: folder, vault: vault)
            abandoned = handbook
            var screen = handbook.homeScreen().makeAsyncIterator()
            _ = await screen.next()
        }
        #expect(abandoned == nil)
        let again = try await Handbook.open(in: folder, vault: vault)
        #expect(try await again.joined() == nil)
        try await again.shutdown()
    }

    private func failure(of view: Result<some Sendable, HandbookError>?) -> HandbookError? {
        if case .failure(let error)? = view { error } else { nil }
    }
}
