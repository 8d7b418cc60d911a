import Observation
import Sotay

/// The roll call, and its confirmation.
public typealias RollCallModel = ScreenModel<RollCallView>

extension ScreenModel where Shown == RollCallView {
    public convenience init(_ handbook: Handbook, rollCallOf meeting: MeetingKey) {
        self.init(handbook, handbook.rollCallScreen(meeting))
    }

    /// From now on it is fixed who is convened with which status.
    public func open(_ opening: RollCallOpening) async -> Bool {
        guard let meeting = shown?.meeting, let chair = opening.chair else { return false }
        return await enter { try await $0.openRollCall(of: meeting, chair: chair, minuteTaker: opening.minuteTaker) }
    }

    /// "Có mặt", "Đi muộn", "Vắng" …
    public func mark(
        _ line: LineView, as mark: AttendanceMark, mode: ParticipationMode = .inRoom, voted: Bool = false
    ) async {
        guard let meeting = shown?.meeting else { return }
        await enter { try await $0.markAttendance(of: line.member, at: meeting, as: mark, mode: mode, voted: voted) }
    }

    /// "Hoàn tác": takes the own mark back.
    public func undo(_ line: LineView) async {
        await mark(line, as: .unmarked)
    }

    /// Decides between differing marks.
    public func resolve(_ line: LineView, as mark: AttendanceMark) async {
        guard let meeting = shown?.meeting else { return }
        await enter { try await $0.resolveMarks(of: line.member, at: meeting, as: mark) }
    }

    /// "Xác nhận": what is on the screen is what is confirmed.
    public func confirm() async -> Bool {
        guard let shown else { return false }
        return await enter { try await $0.confirmRollCall(of: shown.meeting, seen: shown.seen) }
    }

    /// Proposes a correction of the version that stands.
    public func correct(_ changes: [MarkCorrection], reason: String) async -> Bool {
        guard let shown, let version = shown.confirmed?.number else { return false }
        return await enter {
            try await $0.correctRollCall(of: shown.meeting, from: version, changes: changes, reason: reason)
        }
    }

    public func ratifyChair() async {
        guard let meeting = shown?.meeting else { return }
        await enter { try await $0.ratifyChair(of: meeting) }
    }
}

/// Before the roll call is opened: who chairs and who takes the minutes. The one who opens it chairs unless another is
/// chosen.
@MainActor @Observable
public final class RollCallOpening {
    public private(set) var people: [PersonName] = []
    public var chair: MemberId?
    public var minuteTaker: MemberId?

    private let handbook: Handbook
    private let meeting: MeetingKey

    public init(_ handbook: Handbook, _ meeting: MeetingKey) {
        self.handbook = handbook
        self.meeting = meeting
    }

    /// The members of the cell, to choose from; whoever may not see the answers can choose only themselves.
    public func load() async {
        let own = try? await handbook.joined()
        chair = chair ?? own?.member
        let lines = (try? await handbook.answers(to: meeting).lines) ?? []
        people = lines.map { PersonName(member: $0.member, name: $0.name) }
        if people.isEmpty, let own { people = [PersonName(member: own.member, name: own.memberName)] }
    }
}

extension Phrase {
    /// "Có mặt 18 · Chưa điểm danh 4"
    public init(_ rollCall: RollCallView) {
        self.init("rollCall.counts", .count(rollCall.present), .count(rollCall.absent), .count(rollCall.unmarked))
    }

    /// What the confirmation waits for.
    public init(_ wait: ConfirmationWait) {
        switch wait {
        case .marks(let count): self.init("confirmationWait.marks", .count(count))
        case .conflicts(let count): self.init("confirmationWait.conflicts", .count(count))
        default: self.init("confirmationWait", code: wait)
        }
    }

    /// A step of counting a figure: "Đảng viên chính thức được triệu tập: 20".
    public init(_ step: Step) {
        self.init("step", .phrase(Phrase("stepReason", code: step.reason)), .count(step.count))
    }
}
