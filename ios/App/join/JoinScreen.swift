import SotayApp
import SwiftUI

/// Joining: scan the invitation, or type it from the paper strip.
struct JoinScreen: View {
    @Bindable var model: JoinModel
    let joined: () async -> Void

    @Environment(\.words) private var words
    @State private var scans = false

    var body: some View {
        NavigationStack {
            Form {
                Section {
                    Text("join.welcome")
                    Button {
                        scans = true
                    } label: {
                        Label("join.scan", systemImage: "qrcode.viewfinder")
                    }
                    .buttonStyle(.large)
                }
                Section("join.typed") {
                    TextField("join.address", text: $model.address)
                        .keyboardType(.URL)
                        .textContentType(.URL)
                    TextField("join.code", text: $model.code)
                        .textInputAutocapitalization(.characters)
                    Button("join.join") { join { await model.joinTyped() != nil } }
                        .buttonStyle(.large)
                        .disabled(model.busy)
                }
                .autocorrectionDisabled()
                if model.busy {
                    ProgressView("join.joining")
                }
                if let problem = model.problem {
                    Label(words(Phrase(problem)), systemImage: "exclamationmark.triangle")
                }
                Section {
                    Text("notOfficial")
                        .font(.footnote)
                }
            }
            .navigationTitle("join.title")
        }
        .sheet(isPresented: $scans) {
            CodeScanner { text in
                scans = false
                join { await model.join(invitation: text) != nil }
            }
        }
        .onOpenURL { url in
            join { await model.join(invitation: url.absoluteString) != nil }
        }
    }

    private func join(_ attempt: @escaping () async -> Bool) {
        Task {
            if await attempt() { await joined() }
        }
    }
}
