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
                if let waiting = model.waiting {
                    digits(waiting)
                } else {
                    invitation
                }
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
        .task { await model.findWaiting() }
        .task(id: model.waiting?.digits) { await waitForOfficer() }
        .sheet(isPresented: $scans) {
            CodeScanner { text in
                scans = false
                Task { await model.join(invitation: text) }
            }
        }
        .onOpenURL { url in
            Task { await model.join(invitation: url.absoluteString) }
        }
    }

    @ViewBuilder private var invitation: some View {
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
            Button("join.join") { Task { await model.joinTyped() } }
                .buttonStyle(.large)
                .disabled(model.busy)
        }
        .autocorrectionDisabled()
    }

    /// Nothing else until they are confirmed: as large as the phone has letters, and read out one by one.
    private func digits(_ waiting: JoiningView) -> some View {
        Section("join.waiting.title") {
            Text(waiting.groupedDigits)
                .font(.largeTitle.bold().monospacedDigit())
                .frame(maxWidth: .infinity, minHeight: 72)
                .accessibilityLabel(waiting.spokenDigits)
            Text("join.waiting")
            Button("join.stop") { Task { await model.stop() } }
                .buttonStyle(.large)
        }
    }

    /// Asks until an officer has confirmed, or the claim is given up.
    private func waitForOfficer() async {
        while model.waiting != nil, !Task.isCancelled {
            if await model.finish() != nil { return await joined() }
            try? await Task.sleep(for: .seconds(2))
        }
    }
}
