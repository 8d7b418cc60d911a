import Foundation
import Sotay
import SotayTestSupport
import Testing

@testable import SotayApp

/// What the secretary does at the meeting table, on the real library and a real server.
@Suite("The secretary's screens", .timeLimit(.minutes(1)))
@MainActor
struct SecretaryTests {
    let server: ScenarioServer
    let secretary: Phone

    init() async throws {
        server = try ScenarioServer(scenario: Surroundings.scenario("meeting.json"))
        secretary = try await Phone.joined("secretary", at: server)
    }

    @Test("A notice is written, mended where it is refused, and copied for the next month")
    func editor() async throws {
        let editor = NoticeEditor(secretary.handbook, .new(from: nil))
        await editor.load()
        #expect(editor.form != nil)
        let start = Date(timeIntervalSinceNow: 3 * 86_400)
        editor.form?.title = ""
        editor.form?.place = "Nhà văn hóa"
        editor.form?.startsAt = start
        editor.form?.endsAt = start.addingTimeInterval(5400)
        #expect(!(await editor.publish()))
        #expect(editor.refused == .Refused(why: .invalid(field: .title, why: .empty)))
        #expect(editor.form?.place == "Nhà văn hóa")
        editor.form?.title = "Sinh hoạt thường kỳ"
        #expect(await editor.publish())
        #expect(editor.refused == nil)

        let card = try #require(try await secretary.handbook.meetings().meetings.first)
        let copy = NoticeEditor(secretary.handbook, .new(from: card.meeting))
        await copy.load()
        let copied = try #require(copy.form)
        #expect(copied.title == "Sinh hoạt thường kỳ" && copied.place == "Nhà văn hóa")
        #expect(copied.startsAt > start)
    }

    @Test("Of two changes the later is told, and filled anew from the one that stands")
    func stale() async throws {
        let deputy = try await Phone.joined("deputy", at: server)
        let meeting = try await secretary.handbook.publishNotice(noticeForm(inMinutes: 3000))
        try await secretary.handbook.sync()
        try await deputy.handbook.sync()
        let editor = NoticeEditor(secretary.handbook, .change(of: meeting))
        await editor.load()
        editor.form?.place = "Trường học"

        let other = NoticeEditor(deputy.handbook, .change(of: meeting))
        await other.load()
        other.form?.place = "Trạm y tế"
        #expect(await other.publish())
        try await deputy.handbook.sync()
        try await secretary.handbook.sync()

        #expect(!(await editor.publish()))
        #expect(editor.isStale)
        #expect(editor.form?.place == "Trường học")
        await editor.load()
        #expect(editor.form?.place == "Trạm y tế")
        #expect(!editor.isStale)
    }

    @Test("Answers are grouped as the library counts them; an absence is decided, a member told, an answer entered")
    func answers() async throws {
        let member = try await Phone.joined("b", at: server)
        let meeting = try await secretary.handbook.publishNotice(noticeForm(inMinutes: 3000))
        try await secretary.handbook.sync()
        try await member.handbook.sync()
        try await member.handbook.requestAbsence(from: meeting, reason: .family)
        try await member.handbook.sync()
        try await secretary.handbook.sync()

        try await AnswersModel(secretary.handbook, answersTo: meeting).followed { model in
            let shown = try await model.shows { $0.absencesWaiting == 1 }
            agrees(shown)
            let waiting = try #require(shown.waitingLines.first)
            #expect(waiting.name == "Phạm Thị Mẫu Một")
            #expect(await model.decide(waiting, granted: true, answer: "Chúc đồng chí mau khỏe."))
            agrees(try await model.shows { $0.absencesWaiting == 0 })

            let told = try #require(model.shown?.notReachedLines.first)
            await model.markInformed(told, .phoneCall)
            agrees(try await model.shows { $0.lines.contains { $0.member == told.member && $0.informed != nil } })

            let before = model.shown?.willAttend ?? 0
            await model.respond(for: told, .willAttend, .phoneCall)
            agrees(try await model.shows { $0.willAttend == before + 1 })
            #expect(model.refused == nil)

            let other = try #require(model.shown?.silentLines.last)
            await model.requestAbsence(for: other, .health, .throughOthers)
            agrees(try await model.shows { $0.absencesWaiting == 1 })
        }
        // Nobody decides on the own absence.
        try await secretary.handbook.requestAbsence(from: meeting, reason: .work)
        try await AnswersModel(secretary.handbook, answersTo: meeting).followed { model in
            let shown = try await model.shows { $0.waitingLines.contains { $0.name == "Nguyễn Văn Thử" } }
            let own = try #require(shown.waitingLines.first { $0.name == "Nguyễn Văn Thử" })
            #expect(!(await model.decide(own, granted: true, answer: "")))
            #expect(model.refused == .Refused(why: .notAllowed(why: .ownAbsence)))
        }
    }

    private func agrees(_ shown: AnswersView) {
        #expect(shown.waitingLines.count == Int(shown.absencesWaiting))
        #expect(shown.notReachedLines.count == Int(shown.notReached))
        #expect(Set(shown.silentLines.map(\.member)).isDisjoint(with: shown.answeredLines.map(\.member)))
    }

    @Test("The roll call is taken without a network, undone, confirmed by two, and the figures are there")
    func rollCall() async throws {
        let deputy = try await Phone.joined("deputy", at: server)
        let meeting = try await secretary.handbook.publishNotice(noticeForm(inMinutes: 5))
        try await secretary.handbook.sync()
        try server.behave(.stop)

        try await RollCallModel(secretary.handbook, rollCallOf: meeting).followed { model in
            let seen1 = try await model.shows { _ in true }
            #expect(seen1.waitsFor == [.opening])
            let opening = RollCallOpening(secretary.handbook, meeting)
            await opening.load()
            #expect(opening.chair == server.names["member.thu"])
            #expect(opening.people.contains { $0.name == "Trần Thị Mẫu" })
            opening.minuteTaker = server.names["member.mau"]
            #expect(await model.open(opening))
            let opened = try await model.shows { $0.openedAt != nil }
            let lines = opened.lines
            // The exempt member is on the sheet, but not waited for.
            #expect(lines.count == 7 && opened.unmarked == 6)

            await model.mark(lines[0], as: .absentUnexcused)
            _ = try await model.shows { $0.absent == 1 }
            await model.undo(lines[0])
            _ = try await model.shows { $0.absent == 0 && $0.unmarked == 6 }
            #expect(!(await model.confirm()))
            #expect(model.refused == .Refused(why: .unmarked(count: 6)))
            model.refused = nil
            for line in lines { await model.mark(line, as: .present) }
            let marked = try await model.shows { $0.present == 7 }
            #expect(Phrase(marked) == Phrase("rollCall.counts", .number(7), .number(0), .number(0)))
            #expect(await model.confirm())
            let seen2 = try await model.shows { !$0.waitsFor.contains(.chair) }
            #expect(seen2.waitsFor == [.secondPerson])

            try server.behave(.start)
            await model.refresh()
            try await deputy.handbook.sync()
            try await RollCallModel(deputy.handbook, rollCallOf: meeting).followed { second in
                let seen3 = try await second.shows { $0.mayConfirm }
                #expect(seen3.unmarked == 0)
                #expect(await second.confirm())
            }
            try await deputy.handbook.sync()
            await model.refresh()
            let confirmed = try #require(try await model.shows { $0.confirmed != nil }.confirmed)
            #expect(confirmed.number == 1)
            #expect(confirmed.figures.attending.value > 0)
            #expect(
                confirmed.figures.voteBase.counted.map(\.count).reduce(0, +) == Int32(confirmed.figures.voteBase.value))
        }
    }
}
