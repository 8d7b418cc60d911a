import Foundation

extension Handbook {
    /// The roll call of the own organisation.
    public func rollCall(of meeting: MeetingKey) async throws(HandbookError) -> RollCallView {
        try await read { try $0.rollCall(meeting: meeting) }
    }

    /// The roll call, live.
    public func rollCallScreen(_ meeting: MeetingKey) -> Screen<RollCallView> {
        screen(.rollCall(meeting: meeting)) { try $0.rollCall(meeting: meeting) }
    }

    /// Opens the roll call: from now on it is fixed who is convened with which status.
    public func openRollCall(
        of meeting: MeetingKey, chair: MemberId, minuteTaker: MemberId?
    ) async throws(HandbookError) {
        try await enter { try $0.openRollCall(meeting: meeting, chair: chair, minuteTaker: minuteTaker) }
    }

    /// Marks a member; `unmarked` takes the own mark back. `voted` matters for exempt members only.
    public func markAttendance(
        of member: MemberId, at meeting: MeetingKey, as mark: AttendanceMark, mode: ParticipationMode = .inRoom,
        voted: Bool = false
    ) async throws(HandbookError) {
        try await enter {
            try $0.markAttendance(meeting: meeting, member: member, mark: mark, mode: mode, voted: voted)
        }
    }

    /// Decides between differing marks of one member.
    public func resolveMarks(
        of member: MemberId, at meeting: MeetingKey, as mark: AttendanceMark
    ) async throws(HandbookError) {
        try await enter { try $0.resolveMarks(meeting: meeting, member: member, mark: mark) }
    }

    /// Confirms the roll call as seen: `seen` comes from the `RollCallView` on the screen.
    public func confirmRollCall(of meeting: MeetingKey, seen: Data) async throws(HandbookError) {
        try await enter { try $0.confirmRollCall(meeting: meeting, seen: seen) }
    }

    /// Proposes a correction of the confirmed version `from`; it takes effect when two have confirmed it.
    public func correctRollCall(
        of meeting: MeetingKey, from version: UInt32, changes: [MarkCorrection], reason: String
    ) async throws(HandbookError) {
        try await enter {
            try $0.correctRollCall(meeting: meeting, from: version, changes: changes, reason: reason)
        }
    }

    /// Objects to the own line of a confirmed roll call.
    public func objectToMark(at meeting: MeetingKey, text: String) async throws(HandbookError) {
        try await enter { try $0.objectToMark(meeting: meeting, text: text) }
    }
}

// MARK: - The chair

extension Handbook {
    /// Asks another official member to take the chair.
    public func delegateChair(of meeting: MeetingKey, to member: MemberId) async throws(HandbookError) {
        try await enter { try $0.delegateChair(meeting: meeting, member: member) }
    }

    /// Takes the chair, secretary and deputy being out of reach.
    public func assumeChair(of meeting: MeetingKey, reason: String) async throws(HandbookError) {
        try await enter { try $0.assumeChair(meeting: meeting, reason: reason) }
    }

    /// Agrees to an assumed chair.
    public func ratifyChair(of meeting: MeetingKey) async throws(HandbookError) {
        try await enter { try $0.ratifyChair(meeting: meeting) }
    }
}
