import Sotay
import SotayApp
import SwiftUI

/// "Điện thoại chờ xác nhận": the officer types the six digits that the member reads out.
struct WaitingPhonesScreen: View {
    @State private var model: WaitingPhonesModel
    @Environment(\.words) private var words

    init(handbook: Handbook) {
        _model = State(initialValue: WaitingPhonesModel(handbook))
    }

    var body: some View {
        List {
            if let phones = model.phones {
                if phones.isEmpty { Text("waitingPhones.none") }
                if let wrong = model.wrong {
                    Label(words(Phrase(wrong)), systemImage: "exclamationmark.triangle")
                }
                ForEach(phones, id: \.installation) { WaitingPhone(model: model, phone: $0) }
            } else if model.problem == nil {
                ProgressView()
            }
        }
        .disabled(model.busy)
        .navigationTitle("waitingPhones.title")
        .task { await model.load() }
        .refreshable { await model.load() }
        .refusal($model.problem)
        .privacyScreen()
    }
}

private struct WaitingPhone: View {
    let model: WaitingPhonesModel
    let phone: JoiningPhoneView
    @State private var digits = ""
    @State private var asksToRefuse = false
    @Environment(\.words) private var words

    var body: some View {
        Section {
            VStack(alignment: .leading, spacing: 4) {
                Text(phone.memberName).font(.headline)
                Text(words("waitingPhones.line", .text(phone.cellName), .text(phone.deviceName)))
            }
            .accessibilityElement(children: .combine)
            Text(words("waitingPhones.ask", .text(phone.memberName)))
            TextField("waitingPhones.digits", text: $digits)
                .keyboardType(.numberPad)
                .font(.title.monospacedDigit())
                .frame(minHeight: 48)
            Button("waitingPhones.confirm") {
                Task {
                    _ = await model.confirm(phone, digits: digits)
                    digits = ""
                }
            }
            .buttonStyle(.large)
            .disabled(digits.isEmpty)
            Button("waitingPhones.refuse", role: .destructive) { asksToRefuse = true }
                .buttonStyle(.large)
        }
        .confirmationDialog("waitingPhones.refuseQuestion", isPresented: $asksToRefuse, titleVisibility: .visible) {
            Button("waitingPhones.refuse", role: .destructive) { Task { _ = await model.refuse(phone) } }
            Button("action.cancel", role: .cancel) {}
        }
    }
}
