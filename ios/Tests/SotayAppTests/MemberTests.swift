import Foundation
import Sotay
import SotayTestSupport
import Testing

@testable import SotayApp

/// What a member does, on the real library and a real server.
@Suite("A member's screens", .timeLimit(.minutes(1)))
@MainActor
struct MemberTests {
    let server: ScenarioServer
    let secretary: Phone

    init() async throws {
        server = try ScenarioServer(scenario: Surroundings.scenario("meeting.json"))
        secretary = try await Phone.joined("secretary", at: server)
    }

    private func announce(_ form: NoticeForm, to phones: Phone...) async throws -> MeetingKey {
        let meeting = try await secretary.handbook.publishNotice(form)
        try await secretary.handbook.sync()
        for phone in phones { try await phone.handbook.sync() }
        return meeting
    }

    @Test("The app opens on joining, keeps what was mistyped, and shows the handbook once joined")
    func joining() async throws {
        let app = AppModel(folder: try temporaryFolder(), vault: MemoryVault(), deviceName: "phone")
        await app.open()
        guard case .joining(let join) = app.stage else {
            Issue.record("nothing to join")
            return
        }
        join.address = server.address
        join.code = "ABCD"
        await join.joinTyped()
        #expect(join.waiting == nil)
        #expect(join.problem == .InvitationUnreadable(fault: .length(found: 4)))
        #expect(join.code == "ABCD")

        join.code = try #require(server.names["code.a"])
        await join.joinTyped()
        #expect(await join.finish() == nil)
        try server.confirm(try #require(join.waiting).digits)
        #expect(await join.finish()?.memberName == "Lê Văn Ví Dụ")
        #expect(join.problem == nil)
        await app.joined()
        guard case .ready(let handbook) = app.stage else {
            Issue.record("not ready")
            return
        }
        // The background sync fetches by itself.
        try await HomeModel(handbook).followed { home in
            _ = try await home.shows { $0.memberName == "Lê Văn Ví Dụ" && $0.delivery.lastSyncedAt != nil }
        }
        await app.pause()
        #expect(await app.refreshInBackground())
        await app.resume()
        await app.signOut()
        guard case .joining = app.stage else {
            Issue.record("not wiped")
            return
        }
    }

    @Test("The first screen shows the next meeting; one touch answers")
    func home() async throws {
        let member = try await Phone.joined("a", at: server)
        let meeting = try await announce(noticeForm(inMinutes: 3000), to: member)
        try await HomeModel(member.handbook).followed { home in
            let shown = try await home.shows { $0.nextMeeting != nil }
            #expect(shown.waiting.contains { if case .answer(meeting, _, _) = $0 { true } else { false } })
            await home.attend(try #require(shown.nextMeeting))
            let answered = try await home.shows { $0.nextMeeting?.myAnswer != nil }
            #expect(answered.nextMeeting?.myAnswer?.choice == .willAttend)
            #expect(answered.delivery.unsent == 1)
            await home.refresh()
            _ = try await home.shows { $0.delivery.unsent == 0 }
            #expect(home.refused == nil)
        }
    }

    @Test("A changed notice is shown as a difference and acknowledged")
    func change() async throws {
        let member = try await Phone.joined("a", at: server)
        let meeting = try await announce(noticeForm(inMinutes: 3000), to: member)
        var form = try await secretary.handbook.noticeForm(of: meeting)
        form.startsAt += 1800
        form.endsAt += 1800
        let base = try await secretary.handbook.meeting(meeting).base
        try await secretary.handbook.changeNotice(of: meeting, base: base, to: form, urgent: false)
        try await secretary.handbook.sync()
        try await member.handbook.sync()
        try await MeetingModel(member.handbook, meeting).followed { model in
            let change = try #require(try await model.shows { $0.change != nil }.change)
            #expect(change.differences.contains { if case .startsAt = $0 { true } else { false } })
            await model.acknowledge()
            let seen1 = try await model.shows { $0.change == nil }
            #expect(seen1.noticeVersion == 2)
        }
    }

    @Test("An absence is asked for without a network, kept, and withdrawn again")
    func absence() async throws {
        let member = try await Phone.joined("b", at: server)
        let meeting = try await announce(noticeForm(inMinutes: 3000), to: member)
        try server.behave(.stop)
        try await MeetingModel(member.handbook, meeting).followed { model in
            _ = try await model.shows { _ in true }
            #expect(await model.requestAbsence(.health, note: "Tôi đi khám bệnh."))
            let asked = try await model.shows { $0.card.myAbsence != nil }.card.myAbsence
            #expect(asked?.pending == true && asked?.state == .waiting)
            // Without a network no alarm is raised.
            await model.refresh()
            #expect(model.refused == nil)
            await model.withdrawAbsence()
            _ = try await model.shows { $0.card.myAbsence?.state == .withdrawn || $0.card.myAbsence == nil }
        }
        let home = try await member.handbook.home()
        #expect(home.delivery.offline)
        #expect(home.delivery.unsent == 2)
    }

    @Test("What cannot be taken is told, and what was shown stays")
    func refused() async throws {
        let member = try await Phone.joined("a", at: server)
        let meeting = try await announce(noticeForm(inMinutes: 3000), to: member)
        try await MeetingModel(member.handbook, meeting).followed { model in
            _ = try await model.shows { _ in true }
            #expect(!(await model.requestAbsence(.other, note: "TUYỆT MẬT")))
            #expect(model.refused == .Refused(why: .secret(field: .note, level: .utmostSecret)))
            #expect(model.shown?.card.myAbsence == nil)
            #expect(!(await model.cancel(reason: "Mưa bão")))
            #expect(model.refused == .Refused(why: .notAllowed(why: .officeNeeded)))
        }
    }

    @Test("A refused entry is looked at, and put away")
    func outbox() async throws {
        let member = try await Phone.joined("a", at: server)
        let meeting = try await announce(noticeForm(inMinutes: 3000), to: member)
        try await secretary.handbook.cancelMeeting(meeting, reason: "Mưa bão")
        try await secretary.handbook.sync()
        try await member.handbook.respond(to: meeting, choice: .willAttend, noticeVersion: 1)
        try await member.handbook.sync()
        try await OutboxModel(member.handbook).followed { model in
            let line = try #require(try await model.shows { !$0.refused.isEmpty }.refused.first)
            #expect(Phrase(line) == Phrase("intent.respond"))
            await model.sendAgain(line)
            #expect(model.refused != nil)
            await model.discard(line)
            _ = try await model.shows { $0.refused.isEmpty }
        }
    }

    @Test("A document is read without a network, page by page, from where reading stopped")
    func reading() async throws {
        let member = try await Phone.joined("a", at: server)
        let sections = (1...7).map {
            SectionForm(number: "\($0)", heading: "Mục \($0)", text: "Đồng chí đọc mục \($0).")
        }
        let document = try await secretary.handbook.publishDocument(
            DocumentForm(
                title: "Dự thảo nghị quyết", number: nil, issuer: "Chi ủy", kind: .draft, level: .internal,
                issuedOn: DateComponents(year: 2026, month: 11, day: 1), forMeeting: nil, sections: sections))
        try await secretary.handbook.sync()
        try await member.handbook.sync()
        try server.behave(.stop)

        let reader = Reader(member.handbook, document, pageSize: 3)
        await reader.load(upTo: 4)
        #expect(reader.sections.map(\.number) == ["1", "2", "3", "4", "5", "6"])
        #expect(!reader.isComplete)
        #expect(await reader.loadMore())
        #expect(reader.isComplete)
        #expect(!(await reader.loadMore()))
        await reader.stopped(at: 4)
        try await DocumentModel(member.handbook, document).followed { model in
            let seen2 = try await model.shows { $0.readingPlace != nil }
            #expect(seen2.readingPlace == 4)
        }
        try await LibraryModel(member.handbook).followed { model in
            let seen3 = try await model.shows { $0.continueReading != nil }
            #expect(seen3.continueReading?.heading == "Mục 5")
        }
        #expect(reader.problem == nil)
    }

    @Test("The list of meetings goes on behind its first page")
    func laterPages() async throws {
        for number in 1...3 {
            try await secretary.handbook.publishNotice(noticeForm(title: "Sinh hoạt \(number)", inMinutes: 3000))
        }
        let first = try await secretary.handbook.meetings(limit: 1).meetings
        let later = MeetingsModel(secretary.handbook).laterPages()
        #expect(await later.load(behind: first.last))
        #expect(later.lines.count == 2)
        #expect(!(await later.load(behind: first.last)))
        #expect(!(await later.load(behind: nil)))
    }

    @Test("A mistake in the profile is reported, and shown as not yet sent")
    func profile() async throws {
        let member = try await Phone.joined("a", at: server)
        try await ProfileModel(member.handbook).followed { model in
            let seen4 = try await model.shows { _ in true }
            #expect(seen4.name == "Lê Văn Ví Dụ")
            #expect(await model.requestCorrection(of: .born, to: "Sinh ngày 05/01/1980"))
            let correction = try await model.shows { !$0.corrections.isEmpty }.corrections.first
            #expect(correction?.pending == true)
        }
    }

    @Test("A locked key store closes the app's screens until it is unlocked")
    func lockedKey() async throws {
        let vault = MemoryVault()
        vault.set(.locked)
        let app = AppModel(folder: try temporaryFolder(), vault: vault, deviceName: "phone")
        await app.open()
        guard case .closed(.KeyLocked) = app.stage else {
            Issue.record("not closed")
            return
        }
        vault.set(.ordinary)
        await app.open()
        guard case .joining = app.stage else {
            Issue.record("not opened")
            return
        }
    }
}
