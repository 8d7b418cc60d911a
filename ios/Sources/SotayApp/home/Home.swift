import Sotay

/// The first screen.
public typealias HomeModel = ScreenModel<HomeView>

extension ScreenModel where Shown == HomeView {
    public convenience init(_ handbook: Handbook) {
        self.init(handbook, handbook.homeScreen())
    }

    /// "Tôi đã biết"
    public func acknowledge(_ change: NoticeChangeView) async {
        await enter { try await $0.acknowledgeNotice(of: change.meeting, noticeVersion: change.noticeVersion) }
    }

    /// "Tôi sẽ dự", straight from the card of the next meeting.
    public func attend(_ card: MeetingCard) async {
        await enter {
            try await $0.respond(to: card.meeting, choice: .willAttend, noticeVersion: card.noticeVersion)
        }
    }
}

extension Phrase {
    /// A line of "Việc cần làm".
    public init(_ item: WaitingItem, _ moments: Moments) {
        let key = "waiting.\(caseName(of: item))"
        switch item {
        case .acknowledge(_, let title), .read(_, let title), .confirm(_, let title), .ratifyChair(_, let title):
            self.init(key, .text(title))
        case .answer(_, let title, let answerBy):
            self.init(key, .text(title), .text(moments.moment(answerBy)))
        case .decideAbsences(_, let title, let count), .resolveMarks(_, let title, let count):
            self.init(key, .text(title), .count(count))
        case .updateNeeded(let minimum):
            self.init(key, .text(minimum))
        case .refused(let count), .updateApp(let count):
            self.init(key, .count(count))
        }
    }

    /// Whether everything is sent; nothing to say when it is.
    public init?(_ delivery: DeliveryView) {
        switch (delivery.offline, delivery.unsent) {
        case (true, 0): self.init("delivery.offline")
        case (true, let unsent): self.init("delivery.offlineUnsent", .count(unsent))
        case (false, 0): return nil
        case (false, let unsent): self.init("delivery.unsent", .count(unsent))
        }
    }
}
