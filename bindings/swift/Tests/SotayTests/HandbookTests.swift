import Foundation
import Sotay
import SotayTestSupport
import Testing

@Suite("The handbook")
struct HandbookTests {
    let server: ScenarioServer

    init() throws {
        server = try ScenarioServer(scenario: Surroundings.scenario("meeting.json"))
    }

    @Test("Opening the same folder twice gives the same handbook")
    func sameFolder() async throws {
        let phone = try await Phone()
        #expect(try await Handbook.open(in: phone.folder, vault: phone.vault) === phone.handbook)
    }

    @Test("What was entered offline survives a restart and is sent")
    func restart() async throws {
        let secretary = try await Phone.joined("secretary", at: server)
        try server.behave(.stop)
        let meeting = try await secretary.handbook.publishNotice(noticeForm(inMinutes: 3000))
        await #expect(throws: HandbookError.ServerUnreachable(address: server.address)) {
            try await secretary.handbook.sync()
        }
        try await secretary.restart()
        #expect(try await secretary.handbook.outbox().unsent.map(\.meeting) == [meeting])
        try server.behave(.start)
        #expect(try await secretary.handbook.sync().accepted == 1)
        #expect(try await secretary.handbook.outbox().unsent.isEmpty)
    }

    @Test("A background sync sends an entry by itself, until it is cancelled")
    func backgroundSync() async throws {
        let secretary = try await Phone.joined("secretary", at: server)
        let sync = try await secretary.handbook.startSync()
        try await secretary.handbook.publishNotice(noticeForm(inMinutes: 3000))
        for await outbox in secretary.handbook.outboxScreen() where try outbox.get().unsent.isEmpty { break }
        try await sync.cancel()
        try await secretary.handbook.publishNotice(noticeForm(title: "Sinh hoạt chuyên đề", inMinutes: 4000))
        #expect(try await secretary.handbook.outbox().unsent.count == 1)
    }

    @Test("Paused, it refuses work; resumed, everything is there")
    func pauseAndResume() async throws {
        let secretary = try await Phone.joined("secretary", at: server)
        let meeting = try await secretary.handbook.publishNotice(noticeForm(inMinutes: 3000))
        try await secretary.handbook.pause(within: .seconds(2))
        await #expect(throws: HandbookError.Paused) { try await secretary.handbook.home() }
        try await secretary.handbook.resume()
        #expect(try await secretary.handbook.home().nextMeeting?.meeting == meeting)
    }

    @Test("After a wipe the phone can join again, and the key was destroyed")
    func wipe() async throws {
        let phone = try await Phone.joined("secretary", at: server)
        try await phone.handbook.publishNotice(noticeForm(inMinutes: 3000))
        #expect(try await phone.handbook.wipe() == 1)
        #expect(phone.vault.heldKey == nil)
        let again = try await Handbook.open(in: phone.folder, vault: phone.vault)
        #expect(try await again.joined() == nil)
        try await again.shutdown()
    }

    @Test("Slow calls never hold up Swift's own threads")
    func poolStaysFree() async throws {
        let vault = SlowVault()
        let folder = try temporaryFolder()
        let waiting = (0..<64).map { _ in Task { try await Handbook.open(in: folder, vault: vault) } }
        // With 64 tasks waiting in the library, Swift's few threads still run this one.
        let answered = await Task.detached { 42 }.value
        #expect(answered == 42)
        vault.proceed()
        for task in waiting { _ = try await task.value }
    }

    @Test("A key that is none gives a typed error")
    func noKey() async throws {
        let phone = try await Phone.joined("a", at: server)
        await #expect(throws: HandbookError.self) { try await phone.handbook.meeting("không phải khóa") }
        #expect(try await phone.handbook.home().memberName == "Lê Văn Ví Dụ")
    }

    @Test("Instants keep their millisecond")
    func instants() async throws {
        let secretary = try await Phone.joined("secretary", at: server)
        for millisecond in [0.001, 0.123, 0.916, 0.999] {
            var form = noticeForm(inMinutes: 3000)
            let seconds = form.startsAt.timeIntervalSince1970.rounded()
            form.startsAt = Date(timeIntervalSince1970: seconds + millisecond)
            let meeting = try await secretary.handbook.publishNotice(form)
            let shown = try await secretary.handbook.meeting(meeting).card.startsAt.timeIntervalSince1970
            #expect((shown * 1000).rounded() == (seconds * 1000 + millisecond * 1000).rounded())
        }
    }
}

/// A key store that answers only when it is told to.
private final class SlowVault: KeyVault, @unchecked Sendable {
    private let gate = DispatchSemaphore(value: 0)
    private let memory = MemoryVault()

    func proceed() {
        for _ in 0..<64 { gate.signal() }
    }

    func rootKey() throws -> VaultAnswer {
        gate.wait()
        return try memory.rootKey()
    }

    func store(root: Data) throws { try memory.store(root: root) }
    func destroy() throws { try memory.destroy() }
}
