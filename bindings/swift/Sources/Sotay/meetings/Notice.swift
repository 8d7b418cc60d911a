extension Handbook {
    /// A page of the list of meetings behind `after`, at most 200 lines: those to come, the next one first, then past
    /// ones, the latest first.
    public func meetings(after: MeetingKey? = nil, limit: UInt32 = 200) async throws(HandbookError) -> MeetingPage {
        try await read { try $0.meetings(after: after, limit: limit) }
    }

    /// The first page of the list of meetings, live.
    public func meetingsScreen(limit: UInt32 = 200) -> Screen<MeetingPage> {
        screen(.meetings) { try $0.meetings(after: nil, limit: limit) }
    }

    /// The meeting screen.
    public func meeting(_ meeting: MeetingKey) async throws(HandbookError) -> MeetingView {
        try await read { try $0.meeting(meeting: meeting) }
    }

    /// The meeting screen, live.
    public func meetingScreen(_ meeting: MeetingKey) -> Screen<MeetingView> {
        screen(.meeting(meeting: meeting)) { try $0.meeting(meeting: meeting) }
    }

    /// The form for a new notice: copied from an earlier meeting and moved to the next month, or empty.
    public func newNoticeForm(from meeting: MeetingKey? = nil) async throws(HandbookError) -> NoticeForm {
        try await read { try $0.newNoticeForm(from: meeting) }
    }

    /// The form for a change of this notice.
    public func noticeForm(of meeting: MeetingKey) async throws(HandbookError) -> NoticeForm {
        try await read { try $0.noticeForm(meeting: meeting) }
    }

    /// Announces a meeting of the own cell; several cells meet jointly when `others` are named.
    @discardableResult
    public func publishNotice(
        _ form: NoticeForm, with others: [OrganisationId] = []
    ) async throws(HandbookError) -> MeetingKey {
        try await enter { try $0.publishNotice(form: form, with: others) }
    }

    /// Changes the notice. `base` is the version the form was filled from; if another change came first, it throws
    /// `Refused` with `stale` and nothing is overwritten. An urgent change asks for the answers again.
    public func changeNotice(
        of meeting: MeetingKey, base: Version, to form: NoticeForm, urgent: Bool
    ) async throws(HandbookError) {
        try await enter { try $0.changeNotice(meeting: meeting, base: base, form: form, urgent: urgent) }
    }

    /// Cancels the meeting; the reason is read by everyone.
    public func cancelMeeting(_ meeting: MeetingKey, reason: String) async throws(HandbookError) {
        try await enter { try $0.cancelMeeting(meeting: meeting, reason: reason) }
    }

    /// "Tôi đã biết": the member knows this version of the notice.
    public func acknowledgeNotice(of meeting: MeetingKey, noticeVersion: UInt32) async throws(HandbookError) {
        try await enter { try $0.acknowledgeNotice(meeting: meeting, noticeVersion: noticeVersion) }
    }

    /// "I told this member", for those without the handbook or out of its reach.
    public func markInformed(
        _ member: MemberId, of meeting: MeetingKey, channel: Channel, noticeVersion: UInt32
    ) async throws(HandbookError) {
        try await enter {
            try $0.markInformed(meeting: meeting, member: member, channel: channel, noticeVersion: noticeVersion)
        }
    }
}
