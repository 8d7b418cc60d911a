import SotayApp
import SwiftUI

/// Joining: scan the invitation, open its link, or type it from the paper strip. The server is shown before it is asked.
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
                } else if let offered = model.offered {
                    offer(offered)
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
                Task { await model.offer(text) }
            }
        }
    }

    /// What was scanned or opened: its server, as the library will ask it, in full.
    private func offer(_ offered: JoinModel.Offer) -> some View {
        Section("join.offered") {
            Text("join.offered.ask")
            Fact("join.server", offered.host)
            Button("join.join") { Task { await model.join(offered) } }
                .buttonStyle(.large)
            Button("join.offered.decline") { model.decline() }
                .buttonStyle(.large)
        }
        .disabled(model.busy)
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
            Fact("join.server", waiting.host)
            Text("join.waiting")
            if model.offerIgnored { Label("join.ignored", systemImage: "link") }
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
