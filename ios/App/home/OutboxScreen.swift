import Sotay
import SotayApp
import SwiftUI

/// What waits to be sent, and what was refused with everything the author wrote.
struct OutboxScreen: View {
    @State private var model: OutboxModel
    @State private var toDiscard: OutboxLine?
    @Environment(\.words) private var words

    init(handbook: Handbook) {
        _model = State(initialValue: OutboxModel(handbook))
    }

    var body: some View {
        Following(model: model) { outbox in
            List {
                if outbox.unsent.isEmpty && outbox.refused.isEmpty { Text("outbox.empty") }
                if !outbox.refused.isEmpty {
                    Section("outbox.refused") {
                        ForEach(outbox.refused, id: \.n) { line in
                            OutboxEntry(line: line)
                            Button("outbox.sendAgain") { Task { await model.sendAgain(line) } }
                            Button("outbox.discard", role: .destructive) { toDiscard = line }
                        }
                    }
                }
                if !outbox.unsent.isEmpty {
                    Section("outbox.unsent") {
                        ForEach(outbox.unsent, id: \.n) { OutboxEntry(line: $0) }
                    }
                }
            }
        }
        .navigationTitle("outbox.title")
        .confirmationDialog(
            "outbox.discardQuestion",
            isPresented: Binding(get: { toDiscard != nil }, set: { if !$0 { toDiscard = nil } }),
            titleVisibility: .visible, presenting: toDiscard
        ) { line in
            Button("outbox.discard", role: .destructive) { Task { await model.discard(line) } }
            Button("action.cancel", role: .cancel) {}
        }
    }
}

private struct OutboxEntry: View {
    let line: OutboxLine
    @Environment(\.words) private var words
    @Environment(\.moments) private var moments

    var body: some View {
        VStack(alignment: .leading, spacing: 4) {
            Text(words(Phrase(line))).font(.headline)
            if let title = line.title { Text(title) }
            if let written = line.words { Text(written).italic() }
            Text(moments.moment(line.madeAt)).font(.footnote)
            if let refusal = line.refusal { Text(words(Phrase(refusal))) }
        }
        .accessibilityElement(children: .combine)
    }
}
