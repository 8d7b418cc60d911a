import Sotay

/// Who answered what, for the secretary; absence requests are decided here.
public typealias AnswersModel = ScreenModel<AnswersView>

extension ScreenModel where Shown == AnswersView {
    public convenience init(_ handbook: Handbook, answersTo meeting: MeetingKey) {
        self.init(handbook, handbook.answersScreen(meeting))
    }

    /// "Đồng ý" or "Chưa đồng ý"
    public func decide(_ line: AnswerLine, granted: Bool, answer: String) async -> Bool {
        guard let shown else { return false }
        return await enter {
            try await $0.decideAbsence(
                of: line.member, from: shown.meeting, granted: granted, answer: answer.isEmpty ? nil : answer)
        }
    }

    /// "Đã báo"
    public func markInformed(_ line: AnswerLine, _ channel: Channel) async {
        guard let shown else { return }
        await enter {
            try await $0.markInformed(
                line.member, of: shown.meeting, channel: channel, noticeVersion: shown.noticeVersion)
        }
    }

    /// What a member said by telephone or in person.
    public func respond(for line: AnswerLine, _ choice: Choice, _ channel: Channel) async {
        guard let shown else { return }
        await enter {
            try await $0.respond(
                to: shown.meeting, onBehalfOf: line.member, choice: choice, channel: channel,
                noticeVersion: shown.noticeVersion)
        }
    }

    public func requestAbsence(for line: AnswerLine, _ reason: AbsenceReason, _ channel: Channel) async {
        guard let shown else { return }
        await enter {
            try await $0.requestAbsence(
                from: shown.meeting, onBehalfOf: line.member, reason: reason, note: nil, channel: channel)
        }
    }
}

// The same lines that the library counts; a test holds them to its counts.
extension AnswersView {
    /// "Xin vắng chờ duyệt"
    public var waitingLines: [AnswerLine] { lines.filter { $0.absence?.state == .waiting } }
    /// "Chưa nhận": neither answered nor known to know the notice.
    public var notReachedLines: [AnswerLine] { silentLines.filter { $0.knownVersion == 0 } }
    /// "Chưa trả lời"
    public var silentLines: [AnswerLine] {
        lines.filter { line in
            let isExpected = [.official, .probationary, .temporaryIn].contains(line.status)
            return isExpected && line.answer == nil && line.absence == nil
        }
    }
    /// Everybody who said something.
    public var answeredLines: [AnswerLine] { lines.filter { $0.answer != nil || $0.absence != nil } }
}
