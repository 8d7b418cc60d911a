import Foundation

/// A commune and its server in processes of their own, as `scenario-server` makes them (tests/scenarios/README.md).
/// Everything ends with the object.
public final class ScenarioServer: @unchecked Sendable {
    /// What the server is made to do at its address.
    public enum Behaviour: String, CaseIterable, Sendable {
        case stop, start, html, half, nothing, garbage
        case status500 = "500"
    }

    public struct NotStarted: Error {
        public let reason: String
    }

    private struct Announcement: Decodable {
        let address: String
        let relay: String
        let names: [String: String]
    }

    /// Host and port.
    public let address: String
    /// Ids and invitations by name: `member.CODE`, `organisation.CODE`, `invitation.PHONE`, …
    public let names: [String: String]

    /// The same server behind a network that `relay` steers.
    public let relayAddress: String

    private let process = Process()
    private let words = Pipe()
    private let answers: LineReader

    /// Starts the commune of a scenario file.
    public init(scenario: URL) throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: try Surroundings.path("SOTAY_SCENARIO_SERVER"))
        process.arguments = [scenario.path]
        process.standardInput = words
        process.standardOutput = output
        try process.run()
        answers = LineReader(output.fileHandleForReading)
        guard let line = answers.next() else { throw NotStarted(reason: "scenario-server ended") }
        let announcement = try JSONDecoder().decode(Announcement.self, from: Data(line.utf8))
        address = announcement.address
        relayAddress = announcement.relay
        names = announcement.names
    }

    deinit {
        // It ends when its input does.
        try? words.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// The invitation of a phone.
    public func invitation(of phone: String) throws -> String {
        guard let invitation = names["invitation.\(phone)"] else {
            throw NotStarted(reason: "no invitation of \(phone)")
        }
        return invitation
    }

    /// What the network before the server is made to do.
    public enum Network: Sendable, CustomStringConvertible {
        case cut, restore, loseUp, loseDown
        case cutAfter(bytes: Int)

        public var description: String {
            switch self {
            case .cut: "cut"
            case .restore: "restore"
            case .loseUp: "lose-up"
            case .loseDown: "lose-down"
            case .cutAfter(let bytes): "cut-after \(bytes)"
            }
        }
    }

    /// The invitation of a phone that goes through the network.
    public func invitationThroughRelay(of phone: String) throws -> String {
        try invitation(of: phone).replacingOccurrences(of: address, with: relayAddress)
    }

    /// Makes the network before the server so from now on.
    public func relay(_ network: Network) throws {
        try say("relay \(network)")
    }

    /// Makes the server behave so from now on.
    public func behave(_ behaviour: Behaviour) throws {
        try say(behaviour.rawValue)
    }

    /// Confirms the phone that waits and shows these digits.
    public func confirm(_ digits: String) throws {
        try say("confirm \(digits)")
    }

    /// Makes the database of a handbook that is shut down say that version 99 of the app wrote it.
    public func makeNewer(_ folder: URL, root: Data) throws {
        try say("newer \(folder.path) \(root.map { String(format: "%02x", $0) }.joined())")
    }

    private func say(_ line: String) throws {
        try words.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
        guard answers.next() == line else { throw NotStarted(reason: "no answer to \(line.prefix { $0 != " " })") }
    }
}

/// Lines of a pipe, without waiting for more than a line.
private final class LineReader {
    private let handle: FileHandle
    private var rest = Data()

    init(_ handle: FileHandle) {
        self.handle = handle
    }

    func next() -> String? {
        while true {
            if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: rest[rest.startIndex..<end], as: UTF8.self)
                rest = Data(rest[rest.index(after: end)...])
                return line
            }
            let more = handle.availableData
            if more.isEmpty { return nil }
            rest += more
        }
    }
}

/// What the script that runs the tests says about where things are.
public enum Surroundings {
    public struct NotSet: Error {
        public let variable: String
    }

    public static func path(_ variable: String) throws -> String {
        guard let path = ProcessInfo.processInfo.environment[variable], !path.isEmpty else {
            throw NotSet(variable: variable)
        }
        return path
    }

    public static func scenario(_ name: String) throws -> URL {
        URL(fileURLWithPath: try path("SOTAY_SCENARIOS")).appendingPathComponent(name)
    }
}
