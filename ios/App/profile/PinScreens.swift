import Sotay
import SotayApp
import SwiftUI

/// The lock before the handbook.
struct PinScreen: View {
    @Bindable var model: PinModel
    /// Who forgot the PIN can only erase the handbook and join again.
    let erase: () async -> Void
    @State private var asksToErase = false
    @Environment(\.words) private var words

    var body: some View {
        Form {
            Section("pin.locked") {
                PinField(title: "pin.pin", pin: $model.pin)
                Button("pin.unlock") { Task { await model.unlock() } }
                    .buttonStyle(.large)
                    .disabled(model.busy)
                Label(words(Phrase(model.problem)), systemImage: "lock")
            }
            Section {
                Button("problem.eraseAndJoin", role: .destructive) { asksToErase = true }
            }
        }
        .confirmationDialog("problem.eraseQuestion", isPresented: $asksToErase, titleVisibility: .visible) {
            Button("problem.eraseAndJoin", role: .destructive) { Task { await erase() } }
            Button("action.cancel", role: .cancel) {}
        }
        .privacyScreen()
    }
}

/// Setting, changing and taking away the PIN.
struct PinSettingScreen: View {
    @State private var model: PinSetting
    @Environment(\.dismiss) private var dismiss

    init(handbook: Handbook, app: AppModel) {
        _model = State(initialValue: app.pinSetting(of: handbook))
    }

    var body: some View {
        Form {
            Section { Text("pin.explain") }
            if let isSet = model.isSet {
                if isSet {
                    Section {
                        PinField(title: "pin.now", pin: $model.pin)
                        Button("pin.remove", role: .destructive) { Task { if await model.remove() { dismiss() } } }
                            .disabled(model.pin.isEmpty)
                    }
                }
                Section {
                    PinField(title: "pin.new", pin: $model.new)
                    PinField(title: "pin.again", pin: $model.again)
                    Button(isSet ? "pin.change" : "pin.set") { Task { if await model.set() { dismiss() } } }
                        .buttonStyle(.large)
                        .disabled(!model.canSet || (isSet && model.pin.isEmpty))
                }
            }
        }
        .disabled(model.busy)
        .navigationTitle("pin.title")
        .task { await model.load() }
        .refusal($model.problem)
        .privacyScreen()
    }
}

private struct PinField: View {
    let title: LocalizedStringKey
    @Binding var pin: String

    var body: some View {
        SecureField(title, text: $pin)
            .keyboardType(.numberPad)
            .font(.title2.monospacedDigit())
            .frame(minHeight: 48)
    }
}
