import Sotay
import SotayApp
import SwiftUI

/// What the confirmation waits for, the two figures with how each was counted, and [Xác nhận].
struct ConfirmScreen: View {
    @State private var model: RollCallModel
    @State private var asks = false
    @Environment(\.words) private var words
    @Environment(\.moments) private var moments

    init(handbook: Handbook, meeting: MeetingKey) {
        _model = State(initialValue: RollCallModel(handbook, rollCallOf: meeting))
    }

    var body: some View {
        Following(model: model) { rollCall in
            List {
                Text(words(Phrase(rollCall))).font(.headline)
                if !rollCall.waitsFor.isEmpty && rollCall.confirmed == nil {
                    Section("confirm.waitsFor") {
                        ForEach(rollCall.waitsFor, id: \.self) { Text(words(Phrase($0))) }
                    }
                }
                if rollCall.assumed != nil && !rollCall.ratified {
                    Button("rollCall.ratify") { Task { await model.ratifyChair() } }
                        .buttonStyle(.large)
                }
                ForEach(rollCall.confirmations, id: \.by.member) { confirmation in
                    let name = Phrase.Argument.text(confirmation.by.name)
                    Text(confirmation.valid ? words("confirm.confirmedBy", name) : words("confirm.voided", name))
                }
                if let confirmed = rollCall.confirmed {
                    Text(words("confirm.confirmedAt", .text(moments.moment(confirmed.confirmedAt))))
                }
                if let figures = rollCall.confirmed?.figures ?? rollCall.figures { FiguresSections(figures: figures) }
                if rollCall.mayConfirm {
                    Button("rollCall.confirm") { asks = true }
                        .buttonStyle(.large)
                }
            }
        }
        .navigationTitle("confirm.title")
        .confirmationDialog("confirm.question", isPresented: $asks, titleVisibility: .visible) {
            Button("rollCall.confirm") { Task { await model.confirm() } }
            Button("action.cancel", role: .cancel) {}
        }
    }
}

/// Two figures, never one.
private struct FiguresSections: View {
    let figures: Figures
    @Environment(\.words) private var words

    var body: some View {
        Section("confirm.voteBase") {
            Text(String(figures.voteBase.value)).font(.title2)
            Text(figures.voteBaseByRule ? "confirm.voteBaseByRule" : "confirm.voteBaseByCell")
            Text(
                words(
                    "confirm.majority", .number(Int(figures.ordinaryMajority)), .number(Int(figures.twoThirdsMajority)))
            )
            Counted(figure: figures.voteBase)
        }
        Section("confirm.attendance") {
            Text(
                words(
                    "confirm.attendanceOf", .number(Int(figures.attending.value)),
                    .number(Int(figures.attendanceBase.value)))
            )
            .font(.title2)
            Text(figures.attendanceGood ? "confirm.attendanceGood" : "confirm.attendanceLow")
            Counted(figure: figures.attending)
            Counted(figure: figures.attendanceBase)
        }
    }
}

private struct Counted: View {
    let figure: Figure
    @Environment(\.words) private var words

    var body: some View {
        DisclosureGroup("confirm.counted") {
            ForEach(Array(figure.counted.enumerated()), id: \.offset) { _, step in Text(words(Phrase(step))) }
        }
    }
}
