import Sotay
import SotayApp
import SwiftUI

/// "Xin vắng chờ duyệt (3)"
struct AbsenceDecisionsScreen: View {
    @State private var model: AnswersModel
    @Environment(\.words) private var words

    init(handbook: Handbook, meeting: MeetingKey) {
        _model = State(initialValue: AnswersModel(handbook, answersTo: meeting))
    }

    var body: some View {
        Following(model: model) { answers in
            Form {
                if answers.waitingLines.isEmpty { Text("absences.none") }
                ForEach(answers.waitingLines, id: \.member) { DecisionSection(model: model, line: $0) }
                if !answers.waitingLines.isEmpty { Audience(who: "audience.officeAndMember") }
            }
        }
        .navigationTitle("absences.title")
        .privacyScreen()
    }
}

private struct DecisionSection: View {
    let model: AnswersModel
    let line: AnswerLine
    @State private var answer = ""
    @Environment(\.words) private var words

    var body: some View {
        Section(line.name) {
            if let absence = line.absence {
                Text(words(Phrase(absence)))
                if let note = absence.note { Text(note).italic() }
                if let entered = absence.entered { Text(words(Phrase(entered))) }
            }
            TextField("answers.answerText", text: $answer, axis: .vertical)
            Button("answers.grant") { decide(true) }
                .buttonStyle(.large)
                .accessibilityLabel(words("rollCall.markFor", .phrase(Phrase("answers.grant")), .text(line.name)))
            Button("answers.refuse") { decide(false) }
                .buttonStyle(.large)
                .accessibilityLabel(words("rollCall.markFor", .phrase(Phrase("answers.refuse")), .text(line.name)))
        }
    }

    private func decide(_ granted: Bool) {
        Task { await model.decide(line, granted: granted, answer: answer) }
    }
}
