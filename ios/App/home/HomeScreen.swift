import Sotay
import SotayApp
import SwiftUI

/// The first screen: what changed, the next meeting, what waits.
struct HomeScreen: View {
    let handbook: Handbook
    @State private var model: HomeModel

    init(handbook: Handbook) {
        self.handbook = handbook
        _model = State(initialValue: HomeModel(handbook))
    }

    var body: some View {
        NavigationStack {
            Following(model: model) { home in
                List {
                    DeliverySection(handbook: handbook, delivery: home.delivery)
                    ForEach(home.changes, id: \.meeting) { change in
                        ChangeSection(change: change) { await model.acknowledge(change) }
                    }
                    NextMeetingSection(handbook: handbook, card: home.nextMeeting, model: model)
                    WaitingSection(handbook: handbook, items: home.waiting)
                    if !home.newDocuments.isEmpty {
                        Section("home.newDocuments") {
                            ForEach(home.newDocuments, id: \.document) { DocumentLine(handbook: handbook, card: $0) }
                        }
                    }
                    if let secretary = home.secretary, let number = secretary.phone {
                        CallButton(title: "home.callSecretary", name: secretary.name, number: number)
                            .buttonStyle(.large)
                    }
                    if home.leads {
                        NavigationLink("home.newNotice") {
                            NoticeEditorScreen(handbook: handbook, task: .new(from: home.nextMeeting?.meeting))
                        }
                    }
                    Text("notOfficial")
                        .font(.footnote)
                        .foregroundStyle(.secondary)
                }
                .refreshable { await model.refresh() }
                .navigationTitle(home.cellName)
            }
        }
    }
}

private struct DeliverySection: View {
    let handbook: Handbook
    let delivery: DeliveryView
    @Environment(\.words) private var words

    var body: some View {
        if let phrase = Phrase(delivery) {
            NavigationLink {
                OutboxScreen(handbook: handbook)
            } label: {
                Label(words(phrase), systemImage: delivery.offline ? "wifi.slash" : "arrow.up.circle")
            }
        }
    }
}

/// "Đã đổi giờ: 19 giờ → 19 giờ 30" [Tôi đã biết]
struct ChangeSection: View {
    let change: NoticeChangeView
    let acknowledge: () async -> Void
    @Environment(\.words) private var words
    @Environment(\.moments) private var moments

    var body: some View {
        Section(change.title) {
            let phrases = change.differences.flatMap { Phrase.phrases(of: $0, moments) }
            ForEach(Array(phrases.enumerated()), id: \.offset) { _, phrase in
                Label(words(phrase), systemImage: "exclamationmark.circle")
                    .font(.headline)
            }
            Button("home.acknowledge") { Task { await acknowledge() } }
                .buttonStyle(.large)
        }
    }
}

private struct NextMeetingSection: View {
    let handbook: Handbook
    let card: MeetingCard?
    let model: HomeModel
    @State private var asks = false

    var body: some View {
        Section("home.nextMeeting") {
            if let card {
                NavigationLink {
                    MeetingScreen(handbook: handbook, meeting: card.meeting)
                } label: {
                    MeetingLine(card: card)
                }
                if card.stage == .announced && card.myAbsence == nil {
                    if card.myAnswer == nil {
                        Button("home.willAttend") { Task { await model.attend(card) } }
                            .buttonStyle(.large)
                    }
                    Button("home.askAbsence") { asks = true }
                        .buttonStyle(.large)
                }
            } else {
                Text("home.noMeeting")
            }
        }
        .sheet(isPresented: $asks) {
            if let card { AbsenceForm(model: MeetingModel(handbook, card.meeting)) }
        }
    }
}

/// "Việc cần làm (2)"
private struct WaitingSection: View {
    let handbook: Handbook
    let items: [WaitingItem]
    @Environment(\.words) private var words
    @Environment(\.moments) private var moments

    var body: some View {
        if !items.isEmpty {
            Section(words("home.waiting", .number(items.count))) {
                ForEach(items, id: \.self) { item in
                    switch item {
                    case .updateApp, .updateNeeded:
                        Text(words(Phrase(item, moments)))
                    default:
                        NavigationLink(words(Phrase(item, moments))) { destination(of: item) }
                    }
                }
            }
        }
    }

    @ViewBuilder private func destination(of item: WaitingItem) -> some View {
        switch item {
        case .acknowledge(let meeting, _), .answer(let meeting, _, _):
            MeetingScreen(handbook: handbook, meeting: meeting)
        case .read(let document, _):
            DocumentScreen(handbook: handbook, document: document)
        case .decideAbsences(let meeting, _, _):
            AbsenceDecisionsScreen(handbook: handbook, meeting: meeting)
        case .resolveMarks(let meeting, _, _):
            RollCallScreen(handbook: handbook, meeting: meeting)
        case .confirm(let meeting, _), .ratifyChair(let meeting, _):
            ConfirmScreen(handbook: handbook, meeting: meeting)
        case .refused:
            OutboxScreen(handbook: handbook)
        case .updateApp, .updateNeeded:
            EmptyView()
        }
    }
}
