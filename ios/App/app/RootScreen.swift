import Sotay
import SotayApp
import SwiftUI

/// What is seen depends on whether there is a handbook and whether it can be opened.
struct RootScreen: View {
    @Bindable var model: AppModel

    var body: some View {
        stage
            // Also what was open a minute ago, until it is known whether the PIN is asked for.
            .accessibilityHidden(model.covered)
            .overlay { if model.covered { Cover() } }
            .refusal($model.linkRefused)
    }

    @ViewBuilder private var stage: some View {
        switch model.stage {
        case .opening:
            ProgressView("problem.opening")
        case .joining(let join):
            JoinScreen(model: join) { await model.joined() }
        case .locked(let pin):
            PinScreen(model: pin) { await model.erase() }
        case .ready(let handbook):
            Tabs(handbook: handbook, model: model)
        case .closed(let error):
            ClosedScreen(model: model, error: error)
        }
    }
}

private struct Tabs: View {
    let handbook: Handbook
    let model: AppModel

    var body: some View {
        TabView {
            HomeScreen(handbook: handbook)
                .tabItem { Label("tab.home", systemImage: "house") }
            MeetingsScreen(handbook: handbook)
                .tabItem { Label("tab.meetings", systemImage: "person.3") }
            LibraryScreen(handbook: handbook)
                .tabItem { Label("tab.documents", systemImage: "book") }
            ProfileScreen(handbook: handbook, app: model)
                .tabItem { Label("tab.profile", systemImage: "person.crop.circle") }
        }
    }
}

/// The handbook cannot be opened: why, and what can be done.
private struct ClosedScreen: View {
    let model: AppModel
    let error: HandbookError

    @Environment(\.words) private var words
    @State private var asksToErase = false

    var body: some View {
        ScrollView {
            VStack(alignment: .leading, spacing: 24) {
                Text(words(Phrase(error)))
                    .font(.title3)
                Button("action.retry") { Task { await model.open() } }
                    .buttonStyle(.large)
                if case .DatabaseUnreadable = error {
                    Button("problem.rebuild") { Task { await model.rebuild() } }
                        .buttonStyle(.large)
                }
                if case .KeyLost = error {
                    Button("problem.eraseAndJoin", role: .destructive) { asksToErase = true }
                        .buttonStyle(.large)
                }
            }
            .padding()
        }
        .confirmationDialog("problem.eraseQuestion", isPresented: $asksToErase, titleVisibility: .visible) {
            Button("problem.eraseAndJoin", role: .destructive) { Task { await model.erase() } }
            Button("action.cancel", role: .cancel) {}
        }
    }
}
