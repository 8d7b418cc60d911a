extension Handbook {
    /// Who answered what: for the office.
    public func answers(to meeting: MeetingKey) async throws(HandbookError) -> AnswersView {
        try await read { try $0.answers(meeting: meeting) }
    }

    /// Who answered what, live.
    public func answersScreen(_ meeting: MeetingKey) -> Screen<AnswersView> {
        screen(.answers(meeting: meeting)) { try $0.answers(meeting: meeting) }
    }

    /// Answers a notice. After the deadline it is kept and shown as late.
    public func respond(
        to meeting: MeetingKey, choice: Choice, noticeVersion: UInt32
    ) async throws(HandbookError) {
        try await enter { try $0.respond(meeting: meeting, choice: choice, noticeVersion: noticeVersion) }
    }

    /// Enters another member's answer on that member's word. The own later answer wins.
    public func respond(
        to meeting: MeetingKey, onBehalfOf member: MemberId, choice: Choice, channel: Channel, noticeVersion: UInt32
    ) async throws(HandbookError) {
        try await enter {
            try $0.respondOnBehalf(
                meeting: meeting, member: member, choice: choice, channel: channel, noticeVersion: noticeVersion)
        }
    }

    /// Asks to be excused, or reports an absence on the way: accepted until the roll call is confirmed.
    public func requestAbsence(
        from meeting: MeetingKey, reason: AbsenceReason, note: String? = nil
    ) async throws(HandbookError) {
        try await enter { try $0.requestAbsence(meeting: meeting, reason: reason, note: note) }
    }

    /// Enters another member's request on that member's word.
    public func requestAbsence(
        from meeting: MeetingKey, onBehalfOf member: MemberId, reason: AbsenceReason, note: String? = nil,
        channel: Channel
    ) async throws(HandbookError) {
        try await enter {
            try $0.requestAbsenceOnBehalf(
                meeting: meeting, member: member, reason: reason, note: note, channel: channel)
        }
    }

    /// Takes the own request back.
    public func withdrawAbsence(from meeting: MeetingKey) async throws(HandbookError) {
        try await enter { try $0.withdrawAbsence(meeting: meeting) }
    }

    /// Decides on another member's request.
    public func decideAbsence(
        of member: MemberId, from meeting: MeetingKey, granted: Bool, answer: String? = nil
    ) async throws(HandbookError) {
        try await enter { try $0.decideAbsence(meeting: meeting, member: member, granted: granted, answer: answer) }
    }
}
