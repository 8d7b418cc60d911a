import Foundation
import Sotay

/// A value without types: what JSON holds, and the form in which scenarios compare screens and errors
/// (tests/scenarios/README.md).
enum Plain: Equatable, Sendable, Decodable {
    case null
    case bool(Bool)
    case integer(Int64)
    case string(String)
    case list([Plain])
    case object([String: Plain])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([Plain].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: Plain].self))
        }
    }

    /// The plain form of a view, an error or a code. It follows the declarations, so a new field needs nothing here.
    init(of value: Any) {
        switch value {
        case let value as Bool: self = .bool(value)
        case let value as any BinaryInteger: self = .integer(Int64(value))
        case let value as String: self = .string(value)
        case let value as Date: self = .integer(Int64((value.timeIntervalSince1970 * 1000).rounded()))
        case let value as Data: self = .string(value.map { String(format: "%02x", $0) }.joined())
        case let value as DateComponents:
            self = .string(String(format: "%04d-%02d-%02d", value.year ?? 0, value.month ?? 0, value.day ?? 0))
        default: self.init(mirroring: value)
        }
    }

    private init(mirroring value: Any) {
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional:
            self = mirror.children.first.map { Plain(of: $0.value) } ?? .null
        case .collection:
            self = .list(mirror.children.map { Plain(of: $0.value) })
        case .enum:
            guard let chosen = mirror.children.first, let name = chosen.label else {
                self = .string(pascalCase("\(value)"))
                return
            }
            var fields = Plain.fields(of: Mirror(reflecting: chosen.value))
            fields["is"] = .string(pascalCase(name))
            self = .object(fields)
        default:
            self = .object(Plain.fields(of: mirror))
        }
    }

    private static func fields(of mirror: Mirror) -> [String: Plain] {
        var fields: [String: Plain] = [:]
        for case (let label?, let value) in mirror.children { fields[snakeCase(label)] = Plain(of: value) }
        return fields
    }

    /// What a path leads to; null where it leads nowhere.
    func at(_ path: String) -> Plain {
        path.isEmpty ? self : path.split(separator: ".").reduce(self) { $0.step(String($1)) }
    }

    private func step(_ step: String) -> Plain {
        switch self {
        case .object(let fields):
            return fields[step] ?? .null
        case .list(let elements):
            if step == "#" { return .integer(Int64(elements.count)) }
            if let position = Int(step) { return elements.indices.contains(position) ? elements[position] : .null }
            let sides = step.split(separator: "=", maxSplits: 1).map(String.init)
            guard sides.count == 2 else { return .null }
            return elements.first { element in
                if case .string(let name) = element { return sides[0] == "is" && name == sides[1] }
                return element.step(sides[0]) == .string(sides[1])
            } ?? .null
        default:
            return .null
        }
    }

    /// Whether it is as a scenario expects: exactly, but a string also equals a choice of that name.
    func matches(_ expected: Plain) -> Bool {
        if case .string = expected, case .object(let fields) = self { return fields["is"] == expected }
        return self == expected
    }

    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }
}

/// `startsAt` → `starts_at`
func snakeCase(_ name: String) -> String {
    name.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
}

/// `willAttend` → `WillAttend`
func pascalCase(_ name: String) -> String {
    name.prefix(1).uppercased() + name.dropFirst()
}
