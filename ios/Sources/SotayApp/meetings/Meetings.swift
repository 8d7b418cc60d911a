import Sotay

/// The list of meetings.
public typealias MeetingsModel = ScreenModel<MeetingPage>

extension ScreenModel where Shown == MeetingPage {
    public convenience init(_ handbook: Handbook) {
        self.init(handbook, handbook.meetingsScreen())
    }

    /// Meetings behind the first page.
    public func laterPages() -> LaterPages<MeetingCard> {
        LaterPages { [handbook] last in try await handbook.meetings(after: last?.meeting).meetings }
    }
}

/// One meeting.
public typealias MeetingModel = ScreenModel<MeetingView>

extension ScreenModel where Shown == MeetingView {
    public convenience init(_ handbook: Handbook, _ meeting: MeetingKey) {
        self.init(handbook, handbook.meetingScreen(meeting))
    }

    /// "Tôi sẽ dự"
    public func respond(_ choice: Choice) async {
        guard let shown else { return }
        await enter {
            try await $0.respond(to: shown.card.meeting, choice: choice, noticeVersion: shown.noticeVersion)
        }
    }

    /// "Xin vắng"
    public func requestAbsence(_ reason: AbsenceReason, note: String) async -> Bool {
        guard let meeting = shown?.card.meeting else { return false }
        return await enter {
            try await $0.requestAbsence(from: meeting, reason: reason, note: note.isEmpty ? nil : note)
        }
    }

    public func withdrawAbsence() async {
        guard let meeting = shown?.card.meeting else { return }
        await enter { try await $0.withdrawAbsence(from: meeting) }
    }

    /// "Tôi đã biết"
    public func acknowledge() async {
        guard let change = shown?.change else { return }
        await enter { try await $0.acknowledgeNotice(of: change.meeting, noticeVersion: change.noticeVersion) }
    }

    /// The member says that the own confirmed line is wrong.
    public func object(_ text: String) async -> Bool {
        guard let meeting = shown?.card.meeting else { return false }
        return await enter { try await $0.objectToMark(at: meeting, text: text) }
    }

    public func cancel(reason: String) async -> Bool {
        guard let meeting = shown?.card.meeting else { return false }
        return await enter { try await $0.cancelMeeting(meeting, reason: reason) }
    }
}

extension Phrase {
    /// "Đã trả lời: Sẽ dự"
    public init(_ answer: AnswerView) {
        let choice = Argument.phrase(Phrase("choice", code: answer.choice))
        if answer.forOldTime {
            self.init("answer.forOldTime", choice)
        } else if answer.late {
            self.init("answer.late", choice)
        } else {
            self.init("answer.given", choice)
        }
    }

    /// "Xin vắng: Chờ duyệt"
    public init(_ absence: AbsenceView) {
        self.init(
            absence.late ? "absence.late" : "absence.asked", .phrase(Phrase("absenceReason", code: absence.reason)),
            .phrase(Phrase("absenceState", code: absence.state)))
    }

    /// Who entered something for another, and on whose word.
    public init(_ entered: EnteredView) {
        let channel = Argument.phrase(Phrase("channel", code: entered.channel))
        if let name = entered.by {
            self.init("entered.by", .text(name), channel)
        } else {
            self.init("entered.byAnother", channel)
        }
    }
}
