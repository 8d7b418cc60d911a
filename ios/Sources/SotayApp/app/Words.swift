/// Something to say: a key of Localizable.xcstrings and what goes into its places. Models speak in phrases, never in
/// sentences of one language.
public struct Phrase: Equatable, Sendable {
    public let key: String
    public let arguments: [Argument]

    public enum Argument: Equatable, Sendable {
        case text(String)
        case number(Int)
        indirect case phrase(Phrase)
    }

    public init(_ key: String, _ arguments: Argument...) {
        self.key = key
        self.arguments = arguments
    }

    /// The phrase of a code: `choice.willAttend`. A code of a newer version is `choice.unknown`.
    public init(_ group: String, code: some Sendable) {
        self.init("\(group).\(caseName(of: code))")
    }
}

extension Phrase.Argument {
    static func count(_ number: some BinaryInteger) -> Self { .number(Int(number)) }
}

/// The name of an enumeration's case, without what it carries. The keys of Localizable.xcstrings are made of these
/// names, and a test holds that every case of every code has its key.
func caseName(of value: some Sendable) -> String {
    Mirror(reflecting: value).children.first?.label ?? "\(value)"
}

/// The words of one language.
public struct Words: Sendable {
    private let text: @Sendable (String) -> String

    /// `text` gives the text of a key, with `%@` or `%1$@` where something goes in.
    public init(_ text: @escaping @Sendable (String) -> String) {
        self.text = text
    }

    public func callAsFunction(_ phrase: Phrase) -> String {
        self(phrase.key, phrase.arguments)
    }

    public func callAsFunction(_ key: String, _ arguments: Phrase.Argument...) -> String {
        self(key, arguments)
    }

    private func callAsFunction(_ key: String, _ arguments: [Phrase.Argument]) -> String {
        let texts = arguments.map { argument in
            switch argument {
            case .text(let text): text
            case .number(let number): String(number)
            case .phrase(let phrase): self(phrase)
            }
        }
        return Self.filled(text(key), with: texts)
    }

    /// Only `%@`, `%n$@` and `%%` exist in the catalogue, so that what a person wrote can never be read as a format.
    static func filled(_ template: String, with arguments: [String]) -> String {
        var result = ""
        var next = 0
        var rest = Substring(template)
        while let percent = rest.firstIndex(of: "%") {
            result += rest[..<percent]
            rest = rest[rest.index(after: percent)...]
            let digits = rest.prefix { $0.isNumber }
            if rest.first == "%" {
                result += "%"
                rest = rest.dropFirst()
            } else if rest.first == "@" {
                result += arguments.indices.contains(next) ? arguments[next] : ""
                next += 1
                rest = rest.dropFirst()
            } else if let position = Int(digits), rest.dropFirst(digits.count).hasPrefix("$@") {
                result += arguments.indices.contains(position - 1) ? arguments[position - 1] : ""
                rest = rest.dropFirst(digits.count + 2)
            } else {
                result += "%"
            }
        }
        return result + rest
    }
}
