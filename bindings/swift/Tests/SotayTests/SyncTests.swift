import Foundation
import Sotay
import SotayTestSupport
import Testing

@Suite("Syncing by plan and on networks that fail")
struct SyncTests {
    let server: ScenarioServer
    let secretary: Phone

    init() async throws {
        server = try ScenarioServer(scenario: Surroundings.scenario("meeting.json"))
        secretary = try await Phone.joined("secretary", at: server)
    }

    @Test("Promises 02 and 06: a network that fails in one direction loses and doubles no answer")
    func partition() async throws {
        let meeting = try await secretary.handbook.publishNotice(noticeForm(inMinutes: 3000))
        try await secretary.handbook.sync()
        let phone = try await Phone.joinedThroughRelay("a", at: server)
        let member = try #require(try await phone.handbook.joined()).member
        var entered: UInt32 = 0
        var accepted: UInt32 = 0
        let faults: [ScenarioServer.Network] = [
            .loseUp, .loseDown, .cutAfter(bytes: 0), .cutAfter(bytes: 700), .cut, .loseDown, .loseUp,
        ]
        for fault in faults {
            let choice: Choice = entered % 2 == 0 ? .willAttend : .undecided
            try await phone.handbook.respond(to: meeting, choice: choice, noticeVersion: 1)
            entered += 1
            try server.relay(fault)
            let first = try await acceptedInHalfASecond(of: phone.handbook)
            try server.relay(.restore)
            if entered % 3 == 0 { try await phone.restart() }
            let second = try await phone.handbook.sync().accepted
            accepted += first + second
            #expect(try await phone.handbook.outbox().unsent.isEmpty)
            try await secretary.handbook.sync()
            let answers = try await secretary.handbook.answers(to: meeting)
            let line = try #require(answers.lines.first { $0.member == member })
            #expect(line.answer?.choice == choice, "\(fault)")
            let expected: UInt32 = choice == .willAttend ? 1 : 0
            #expect(answers.willAttend == expected, "\(fault)")
            let given = answers.lines.filter { $0.answer != nil }
            #expect(given.count == 1, "\(fault)")
        }
        #expect(accepted == entered, "each answer was accepted once")
        #expect(try await phone.handbook.outbox().refused.isEmpty)
    }

    /// How many answers a sync on a failing network brought home.
    private func acceptedInHalfASecond(of handbook: Handbook) async throws -> UInt32 {
        do {
            return try await handbook.sync(for: .milliseconds(500)).accepted
        } catch {
            switch error {
            case .ServerUnreachable, .ServerUnexpected: return 0
            default: throw error
            }
        }
    }

    @Test("The state tells of the last try, and is told anew when it changes")
    func state() async throws {
        let handbook = secretary.handbook
        var states = handbook.syncStateScreen().makeAsyncIterator()
        let first = try #require(try await states.next()?.get())
        #expect(first.joined && first.lastOutcome == .done && first.lastSuccess != nil && first.nextReason == nil)
        try server.behave(.stop)
        try await handbook.publishNotice(noticeForm(inMinutes: 3000))
        await #expect(throws: HandbookError.self) { try await handbook.sync() }
        while true {
            let state = try #require(try await states.next()?.get())
            if state.offline && state.pending == 1 && state.failures == 1 { break }
        }
        try server.behave(.start)
        let sync = try await handbook.startSync()
        while true {
            let state = try #require(try await states.next()?.get())
            if state.pending == 0 && state.nextReason == .poll && state.nextTry != nil { break }
        }
        try await sync.cancel()
        let text = try await handbook.supportText()
        let member = try #require(try await handbook.joined()).member
        #expect(text.contains("last try") && !text.contains(member))
    }

    @Test("A sync that nobody answers ends when its task is cancelled, and what waits stays")
    func cancellation() async throws {
        let meeting = try await secretary.handbook.publishNotice(noticeForm(inMinutes: 3000))
        try await secretary.handbook.sync()
        let phone = try await Phone.joinedThroughRelay("a", at: server).handbook
        try await phone.respond(to: meeting, choice: .willAttend, noticeVersion: 1)
        try server.relay(.loseDown)
        let sync = Task { try await phone.sync() }
        for await state in phone.syncStateScreen() where try state.get().running { break }
        sync.cancel()
        await #expect(throws: HandbookError.Cancelled) { try await sync.value }
        #expect(try await phone.syncState().pending == 1)
        try server.relay(.restore)
        #expect(try await phone.sync().accepted == 1)
    }

    @Test("A pause ends a sync that nobody answers")
    func pause() async throws {
        let phone = try await Phone.joinedThroughRelay("a", at: server).handbook
        try server.relay(.loseDown)
        let sync = Task { try await phone.sync() }
        for await state in phone.syncStateScreen() where try state.get().running { break }
        try await phone.pause(within: .seconds(2))
        await #expect(throws: HandbookError.Paused) { try await sync.value }
        try server.relay(.restore)
        try await phone.resume()
        #expect(try await phone.sync().finished)
    }

    @Test("On a metered network entries are sent all the same")
    func metered() async throws {
        let handbook = secretary.handbook
        try await handbook.setMetered(true)
        let sync = try await handbook.startSync()
        try await handbook.publishNotice(noticeForm(inMinutes: 3000))
        for await state in handbook.syncStateScreen() where try state.get().pending == 0 {
            #expect(try state.get().metered)
            break
        }
        try await sync.cancel()
    }
}
