import Sotay

/// What waits to be sent, and what was refused.
public typealias OutboxModel = ScreenModel<OutboxView>

extension ScreenModel where Shown == OutboxView {
    public convenience init(_ handbook: Handbook) {
        self.init(handbook, handbook.outboxScreen())
    }

    /// Puts a refused entry away for good.
    public func discard(_ line: OutboxLine) async {
        await enter { try await $0.discardRefused(line.n) }
    }

    /// Sends it again, decided by the rules as they stand now.
    public func sendAgain(_ line: OutboxLine) async {
        await enter { try await $0.sendAgain(line.n) }
    }
}

extension Phrase {
    /// What an entry wants, for the person who made it. The library names it; an entry of a newer version has a name
    /// that is not known here.
    public init(_ line: OutboxLine) {
        let name = line.intent.prefix(1).lowercased() + line.intent.dropFirst()
        self.init("intent.\(Self.intents.contains(name) ? name : "unknown")")
    }

    /// The entries that the screens can make.
    static let intents: Set = [
        "publishNotice", "changeNotice", "cancelMeeting", "acknowledgeNotice", "markInformed", "respond",
        "respondOnBehalf",
        "requestAbsence", "withdrawAbsence", "decideAbsence", "openRollCall", "delegateChair", "assumeChair",
        "ratifyChair", "markAttendance", "resolveMarks", "confirmRollCall", "correctRollCall", "objectToMark",
        "publishDocument", "requestCorrection",
    ]
}
