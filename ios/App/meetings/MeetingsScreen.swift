import Sotay
import SotayApp
import SwiftUI

/// All meetings: those to come first, then past ones.
struct MeetingsScreen: View {
    let handbook: Handbook
    @State private var model: MeetingsModel
    @State private var later: LaterPages<MeetingCard>

    init(handbook: Handbook) {
        self.handbook = handbook
        let model = MeetingsModel(handbook)
        _model = State(initialValue: model)
        _later = State(initialValue: model.laterPages())
    }

    var body: some View {
        NavigationStack {
            Following(model: model) { page in
                List {
                    if page.count == 0 { Text("meetings.empty") }
                    ForEach(page.meetings + later.lines, id: \.meeting) { card in
                        NavigationLink {
                            MeetingScreen(handbook: handbook, meeting: card.meeting)
                        } label: {
                            MeetingLine(card: card)
                        }
                    }
                    if page.meetings.count + later.lines.count < Int(page.count) {
                        ProgressView().task { await later.load(behind: page.meetings.last) }
                    }
                }
                .refreshable { await model.refresh() }
            }
            .navigationTitle("tab.meetings")
        }
    }
}

/// A meeting as a line: when, where, and what the member said.
struct MeetingLine: View {
    let card: MeetingCard
    @Environment(\.words) private var words
    @Environment(\.moments) private var moments

    var body: some View {
        VStack(alignment: .leading, spacing: 4) {
            Text(card.title).font(.headline)
            Text(moments.moment(card.startsAt))
            Text(card.place)
            if card.stage != .announced { Text(words(Phrase("meetingStage", code: card.stage))) }
            if let absence = card.myAbsence {
                Text(words(Phrase(absence)))
            } else if let answer = card.myAnswer {
                Text(words(Phrase(answer)))
            }
        }
        .accessibilityElement(children: .combine)
    }
}
