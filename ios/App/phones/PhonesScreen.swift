import Sotay
import SotayApp
import SwiftUI

extension EnvironmentValues {
    /// Asks for a face, a finger or the phone's code and signs; none on a phone without a key for privileged acts.
    @Entry var approval: Approval?
}

/// "Điện thoại của tôi", or for an officer a member's: names, and what to do when one is lost.
struct PhonesScreen: View {
    let title: String
    @State private var model: PhonesModel
    @State private var renamed: PhoneView?
    @State private var name = ""
    @State private var lost: PhoneView?
    @Environment(\.words) private var words
    @Environment(\.moments) private var moments

    init(handbook: Handbook, of member: MemberId? = nil, title: String, approval: Approval?) {
        self.title = title
        _model = State(initialValue: PhonesModel(handbook, of: member, approval: approval))
    }

    var body: some View {
        List {
            if let phones = model.phones {
                if phones.isEmpty { Text("phones.none") }
                ForEach(phones, id: \.installation) { phone in
                    Section {
                        facts(phone)
                        if model.areOwn {
                            Button("phones.rename") {
                                name = phone.name
                                renamed = phone
                            }
                            .buttonStyle(.large)
                        }
                        // Leaving with this very phone is "Xóa sổ tay khỏi máy này".
                        if model.canRevoke && !phone.this {
                            Button("phones.revoke", role: .destructive) { lost = phone }
                                .buttonStyle(.large)
                        }
                    }
                }
                if !model.canRevoke { Text("phones.cannotRevoke").font(.footnote) }
            } else if model.problem == nil {
                ProgressView()
            }
        }
        .disabled(model.busy)
        .navigationTitle(title)
        .task { await model.load() }
        .refreshable { await model.load() }
        .refusal($model.problem)
        .privacyScreen()
        .alert("phones.rename", isPresented: isShown($renamed), presenting: renamed) { phone in
            TextField("phones.name", text: $name)
            Button("phones.rename") { Task { _ = await model.rename(phone, to: name) } }
            Button("action.cancel", role: .cancel) {}
        }
        .confirmationDialog(
            lost.map { words("phones.revokeQuestion", .text($0.name)) } ?? "", isPresented: isShown($lost),
            titleVisibility: .visible, presenting: lost
        ) { phone in
            Button("phones.revoke", role: .destructive) { Task { _ = await model.revoke(phone) } }
            Button("action.cancel", role: .cancel) {}
        }
    }

    private func facts(_ phone: PhoneView) -> some View {
        VStack(alignment: .leading, spacing: 4) {
            Text(phone.name).font(.headline)
            if phone.this { Label("phones.this", systemImage: "iphone") }
            if !phone.active { Label("phones.waits", systemImage: "hourglass") }
            Text(words("phones.since", .text(moments.moment(phone.since))))
                .font(.subheadline)
        }
        .accessibilityElement(children: .combine)
    }

    private func isShown(_ phone: Binding<PhoneView?>) -> Binding<Bool> {
        Binding(get: { phone.wrappedValue != nil }, set: { if !$0 { phone.wrappedValue = nil } })
    }
}
