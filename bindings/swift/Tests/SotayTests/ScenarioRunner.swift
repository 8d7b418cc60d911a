import Foundation
import Sotay
import SotayTestSupport
import Testing

/// One story, as a file in tests/scenarios tells it.
struct Scenario: Decodable {
    let title: String
    let phones: [String: String?]
    let steps: [[String: Plain]]
}

/// Why a scenario cannot go on.
struct ScenarioFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Replays a scenario through the public handbook; README.md beside the scenarios says what each word means.
final class ScenarioRunner {
    private let server: ScenarioServer
    private let began = Date()
    private var names: [String: String]
    private(set) var phones: [String: Phone] = [:]

    init(file: URL) async throws {
        let scenario = try JSONDecoder().decode(Scenario.self, from: Data(contentsOf: file))
        server = try ScenarioServer(scenario: file)
        names = server.names
        for name in scenario.phones.keys { phones[name] = try await Phone() }
        for (position, step) in scenario.steps.enumerated() {
            do {
                try await run(try step.mapValues(resolved))
            } catch {
                throw ScenarioFault("step \(position + 1) \(step): \(error)")
            }
        }
        for phone in phones.values { try await phone.handbook.shutdown() }
    }

    private static let words: Set = [
        "phone", "phones", "do", "expect", "agree", "server", "on", "of", "with", "as", "is", "fails", "fields", "note",
    ]

    private func run(_ step: [String: Plain]) async throws {
        if let unknown = step.keys.first(where: { !Self.words.contains($0) }) {
            throw ScenarioFault("unknown word \(unknown)")
        }
        if let word = step["server"]?.text {
            guard let behaviour = ScenarioServer.Behaviour(rawValue: word) else {
                throw ScenarioFault("unknown word \(word)")
            }
            return try server.behave(behaviour)
        }
        if case .list(let agreeing)? = step["agree"] {
            return try await agree(agreeing.compactMap(\.text), step)
        }
        var called = step["phone"]?.text.map { [$0] } ?? []
        if case .list(let several)? = step["phones"] { called = several.compactMap(\.text) }
        guard !called.isEmpty else { throw ScenarioFault("no phone") }
        for name in called {
            guard let phone = phones[name] else { throw ScenarioFault("no phone \(name)") }
            try await run(step, on: phone, named: name)
        }
    }

    private func run(_ step: [String: Plain], on phone: Phone, named name: String) async throws {
        do {
            if let command = step["do"]?.text {
                var arguments = Arguments(of: step["of"]?.text, with: step["with"])
                if command == "join", case .null = arguments["invitation"] {
                    arguments.fields["invitation"] = .string(try server.invitation(of: name))
                }
                let key = try await perform(command, on: phone, named: name, at: server, arguments)
                if let saved = step["as"]?.text {
                    guard let key else { throw ScenarioFault("\(command) gives no key") }
                    names[saved] = key
                }
            } else if let screen = step["expect"]?.text {
                let shown = try await show(screen, on: phone.handbook, of: step["of"]?.text)
                try compare(shown, with: step["is"] ?? .object([:]))
            } else {
                throw ScenarioFault("neither do nor expect")
            }
        } catch let error as HandbookError {
            guard let expected = step["fails"] else { throw error }
            try compare(Plain(of: error), with: expected)
            return
        }
        if step["fails"] != nil { throw ScenarioFault("did not fail") }
    }

    private func agree(_ agreeing: [String], _ step: [String: Plain]) async throws {
        guard let screen = step["on"]?.text, case .list(let paths)? = step["fields"] else {
            throw ScenarioFault("agree on what?")
        }
        var first: [Plain]?
        for name in agreeing {
            guard let phone = phones[name] else { throw ScenarioFault("no phone \(name)") }
            let shown = try await show(screen, on: phone.handbook, of: step["of"]?.text)
            let values = paths.compactMap(\.text).map(shown.at)
            guard first == nil || first == values else {
                throw ScenarioFault("\(name) shows \(values), others \(first ?? [])")
            }
            first = values
        }
    }

    private func compare(_ shown: Plain, with expected: Plain) throws {
        switch expected {
        case .string:
            guard shown.matches(expected) else { throw ScenarioFault("it is \(shown)") }
        case .object(let paths):
            for (path, value) in paths where !shown.at(path).matches(value) {
                throw ScenarioFault("\(path) is \(shown.at(path)), not \(value)")
            }
        default:
            throw ScenarioFault("nothing to compare with")
        }
    }

    /// Names, instants and long texts put in.
    private func resolved(_ value: Plain) throws -> Plain {
        switch value {
        case .string(let text):
            return .string(try named(text))
        case .list(let elements):
            return .list(try elements.map(resolved))
        case .object(let fields):
            if fields.count == 1, case .integer(let minutes)? = fields["in_minutes"] {
                return .integer(Int64((began.timeIntervalSince1970 * 1000).rounded()) + minutes * 60_000)
            }
            if fields.count == 1, case .list(let parts)? = fields["repeat"], parts.count == 2,
                case .string(let text) = parts[0], case .integer(let times) = parts[1]
            {
                return .string(String(repeating: text, count: Int(times)))
            }
            var resolvedFields: [String: Plain] = [:]
            for (name, field) in fields { resolvedFields[try named(name)] = try resolved(field) }
            return .object(resolvedFields)
        default:
            return value
        }
    }

    private func named(_ text: String) throws -> String {
        var result = ""
        var rest = Substring(text)
        while let open = rest.range(of: "${") {
            guard let close = rest[open.upperBound...].firstIndex(of: "}") else { break }
            let name = String(rest[open.upperBound..<close])
            guard let value = names[name] else { throw ScenarioFault("no name \(name)") }
            result += rest[..<open.lowerBound] + value
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }
}
