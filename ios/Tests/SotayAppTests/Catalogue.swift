import Foundation
import SotayApp
import SotayTestSupport

/// Localizable.xcstrings, as the app has it.
struct Catalogue: Decodable, Sendable {
    struct Entry: Decodable, Sendable {
        let localizations: [String: Localization]
    }
    struct Localization: Decodable, Sendable {
        let stringUnit: Unit
    }
    struct Unit: Decodable, Sendable {
        let state: String
        let value: String
    }

    let sourceLanguage: String
    let strings: [String: Entry]

    static let folder = URL(fileURLWithPath: (try? Surroundings.path("SOTAY_ROOT")) ?? "").appendingPathComponent("ios")

    static func read() throws -> Catalogue {
        let file = folder.appendingPathComponent("App/Localizable.xcstrings")
        return try JSONDecoder().decode(Catalogue.self, from: Data(contentsOf: file))
    }

    func text(_ key: String, in language: String) -> String? {
        strings[key]?.localizations[language]?.stringUnit.value
    }

    /// The words of a language. A key without a text reads as itself in brackets, so that a test sees it.
    func words(_ language: String) -> Words {
        Words { self.text($0, in: language) ?? "[\($0)]" }
    }

    /// Places for arguments, sorted: what a text must have in every language.
    static func places(in text: String) -> [String] {
        text.matches(of: /%(\d+\$)?@/).map { String($0.output.0) }.sorted()
    }
}
