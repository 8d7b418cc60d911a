import SwiftUI

extension View {
    /// Covers what is private while the app is not in use, so that it is not in the picture the system keeps of the
    /// app, and while the screen is recorded or mirrored.
    func privacyScreen() -> some View {
        modifier(PrivacyScreen())
    }
}

private struct PrivacyScreen: ViewModifier {
    @Environment(\.scenePhase) private var scenePhase
    @Environment(\.isSceneCaptured) private var isSceneCaptured

    private var isCovered: Bool { scenePhase != .active || isSceneCaptured }

    func body(content: Content) -> some View {
        content
            .accessibilityHidden(isCovered)
            .overlay {
                if isCovered { Cover() }
            }
    }
}

/// Says that something is hidden, and hides it.
struct Cover: View {
    var body: some View {
        ZStack {
            Rectangle().fill(.background)
            Label("profile.hidden", systemImage: "eye.slash")
                .padding()
        }
        .ignoresSafeArea()
    }
}
