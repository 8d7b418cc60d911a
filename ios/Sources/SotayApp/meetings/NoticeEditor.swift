import Observation
import Sotay

/// The form for a notice: new, copied from an earlier meeting, or a change of one that stands.
@MainActor @Observable
public final class NoticeEditor {
    public enum Task: Equatable, Sendable {
        /// From nothing, or from an earlier meeting, moved to the next month.
        case new(from: MeetingKey?)
        case change(of: MeetingKey)
    }

    public let task: Task
    /// Filled by `load`.
    public var form: NoticeForm?
    /// An urgent change asks for the answers again.
    public var urgent = false
    /// Why it was not taken; the form keeps what was typed.
    public var refused: HandbookError?
    public private(set) var busy = false

    private let handbook: Handbook
    private var base: Version?

    public init(_ handbook: Handbook, _ task: Task) {
        self.handbook = handbook
        self.task = task
    }

    /// Fills the form. Called again after `stale`, it fills it from the version that stands now.
    public func load() async {
        await attempt {
            switch self.task {
            case .new(let earlier):
                self.form = try await self.handbook.newNoticeForm(from: earlier)
            case .change(let meeting):
                self.base = try await self.handbook.meeting(meeting).base
                self.form = try await self.handbook.noticeForm(of: meeting)
            }
        }
    }

    /// Publishes it, or the change. Returns whether it was taken.
    public func publish() async -> Bool {
        guard let form else { return false }
        return await attempt {
            switch self.task {
            case .new:
                try await self.handbook.publishNotice(form)
            case .change(let meeting):
                guard let base = self.base else { return }
                try await self.handbook.changeNotice(of: meeting, base: base, to: form, urgent: self.urgent)
            }
        }
    }

    /// Another change came first: the form must be filled anew.
    public var isStale: Bool {
        if case .Refused(.stale) = refused { true } else { false }
    }

    @discardableResult
    private func attempt(_ call: () async throws -> Void) async -> Bool {
        busy = true
        defer { busy = false }
        do {
            try await call()
            refused = nil
            return true
        } catch {
            refused = HandbookError(unexpected: error)
            return false
        }
    }
}
