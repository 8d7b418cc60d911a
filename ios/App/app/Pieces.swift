import Sotay
import SotayApp
import SwiftUI

extension EnvironmentValues {
    /// The words of the language that the phone is set to.
    @Entry var words = Words { Bundle.main.localizedString(forKey: $0, value: nil, table: nil) }

    var moments: Moments { Moments(words) }
}

/// A button that an old hand hits: as wide as the screen, never under 48 points, growing with the text.
struct LargeButtonStyle: PrimitiveButtonStyle {
    func makeBody(configuration: Configuration) -> some View {
        Button(role: configuration.role, action: configuration.trigger) {
            configuration.label
                .font(.title3)
                .frame(maxWidth: .infinity, minHeight: 48)
        }
        .buttonStyle(.bordered)
    }
}

extension PrimitiveButtonStyle where Self == LargeButtonStyle {
    static var large: LargeButtonStyle { LargeButtonStyle() }
}

/// A name and what it says, one above the other, so that large text has room; read out together.
struct Fact: View {
    let name: LocalizedStringKey
    let text: String

    init(_ name: LocalizedStringKey, _ text: String) {
        self.name = name
        self.text = text
    }

    var body: some View {
        VStack(alignment: .leading, spacing: 4) {
            Text(name)
                .font(.subheadline)
                .foregroundStyle(.secondary)
            Text(text)
                .font(.body)
        }
        .accessibilityElement(children: .combine)
    }
}

/// "Ai xem được?" stands on every form.
struct Audience: View {
    let who: LocalizedStringKey

    var body: some View {
        Section("audience.who") {
            Label(who, systemImage: "eye")
                .accessibilityElement(children: .combine)
        }
    }
}

/// What a screen shows, or why it shows nothing; follows the model as long as it is seen.
struct Following<Shown: Sendable, Content: View>: View {
    @Bindable var model: ScreenModel<Shown>
    @ViewBuilder let content: (Shown) -> Content

    @Environment(\.words) private var words

    var body: some View {
        // Not a Group: that would end and begin the following whenever what is shown changes its kind.
        ZStack {
            if let shown = model.shown {
                content(shown)
            } else if let error = model.unreadable {
                ContentUnavailableView {
                    Text("problem.title")
                } description: {
                    Text(words(Phrase(error)))
                }
            } else {
                ProgressView()
            }
        }
        .task { await model.follow() }
        .refusal($model.refused)
    }
}

extension View {
    /// Tells why an entry was not taken, until the person has read it.
    func refusal(_ error: Binding<HandbookError?>) -> some View {
        modifier(RefusalAlert(error: error))
    }
}

private struct RefusalAlert: ViewModifier {
    @Binding var error: HandbookError?
    @Environment(\.words) private var words

    func body(content: Content) -> some View {
        content.alert(
            "problem.title", isPresented: Binding(get: { error != nil }, set: { if !$0 { error = nil } }),
            presenting: error
        ) { _ in
            Button("action.understood") { error = nil }
        } message: { error in
            Text(words(Phrase(error)))
        }
    }
}

/// Calls a number. Spaces are for the eye only.
struct CallButton: View {
    let title: LocalizedStringKey
    let name: String
    let number: String

    @Environment(\.openURL) private var openURL
    @Environment(\.words) private var words

    var body: some View {
        Button {
            let digits = number.filter { $0.isNumber || $0 == "+" }
            if let url = URL(string: "tel:\(digits)") { openURL(url) }
        } label: {
            Label(title, systemImage: "phone")
        }
        .accessibilityLabel(words("answers.callName", .text(name)))
    }
}
