import Sotay
import SotayApp
import SwiftUI

/// "Sức khỏe · Gia đình · Công tác · Đi xa · Khác"
struct AbsenceForm: View {
    @State private var model: MeetingModel
    @State private var reason = AbsenceReason.health
    @State private var note = ""
    @Environment(\.dismiss) private var dismiss
    @Environment(\.words) private var words

    init(model: MeetingModel) {
        // Only the first one is kept while the form is open, also when the screen behind it is drawn anew.
        _model = State(initialValue: model)
    }

    private static let reasons: [AbsenceReason] = [.health, .family, .work, .away, .other]

    var body: some View {
        NavigationStack {
            Form {
                Picker("absenceForm.reason", selection: $reason) {
                    ForEach(Self.reasons, id: \.self) { Text(words(Phrase("absenceReason", code: $0))).tag($0) }
                }
                .pickerStyle(.inline)
                TextField("absenceForm.note", text: $note, axis: .vertical)
                Audience(who: "audience.officeAndMe")
                Button("action.send") {
                    Task {
                        if await model.requestAbsence(reason, note: note) { dismiss() }
                    }
                }
                .buttonStyle(.large)
                .disabled(model.busy || model.shown == nil)
            }
            .navigationTitle("absenceForm.title")
            .toolbar {
                ToolbarItem(placement: .cancellationAction) { Button("action.close") { dismiss() } }
            }
        }
        .task { await model.follow() }
        .refusal($model.refused)
    }
}
