import Foundation
import Sotay
import SotayTestSupport
import Testing

@testable import SotayApp

@Suite("The words of the app")
struct CatalogueTests {
    let catalogue: Catalogue

    init() throws {
        catalogue = try Catalogue.read()
    }

    /// Codes and the group of keys each has. What carries facts and is said by a key of its own stands in `FactsTests`.
    static let groups = [
        "AbsenceReason": "absenceReason", "AbsenceState": "absenceState", "AttendanceMark": "attendanceMark",
        "Channel": "channel", "Choice": "choice", "Closing": "closing", "ConfidentialityLevel": "confidentialityLevel",
        "ConfirmationWait": "confirmationWait", "Denial": "denial", "DocumentKind": "documentKind", "Fault": "fault",
        "Field": "field", "InvitationFault": "invitationFault", "MeetingKind": "meetingKind",
        "MeetingMode": "meetingMode", "MeetingStage": "meetingStage", "MemberStatus": "memberStatus",
        "ProfileField": "profileField", "Role": "role", "SecrecyMarking": "secrecyMarking",
        "ServerFault": "serverFault", "StepReason": "stepReason", "Subject": "subject", "WaitingItem": "waiting",
    ]

    @Test("Vietnamese is the source, and both languages have every text")
    func complete() {
        #expect(catalogue.sourceLanguage == "vi")
        for (key, entry) in catalogue.strings {
            #expect(Set(entry.localizations.keys) == ["vi", "en"], "\(key)")
            for (language, localization) in entry.localizations {
                #expect(localization.stringUnit.state == "translated", "\(key) \(language)")
                #expect(!localization.stringUnit.value.isEmpty, "\(key) \(language)")
            }
        }
    }

    @Test("Both languages have the same places for what goes in")
    func samePlaces() throws {
        for key in catalogue.strings.keys {
            let vietnamese = try #require(catalogue.text(key, in: "vi"))
            let english = try #require(catalogue.text(key, in: "en"))
            #expect(Catalogue.places(in: vietnamese) == Catalogue.places(in: english), "\(key)")
        }
    }

    @Test("Every case of every code has its words", arguments: groups)
    func codes(code: String, group: String) throws {
        let cases = try Generated.cases(of: code)
        #expect(!cases.isEmpty)
        for name in cases { #expect(catalogue.strings["\(group).\(name)"] != nil, "\(group).\(name)") }
    }

    @Test("Every error has its words; three are said by what they carry")
    func errors() throws {
        let cases = Set(try Generated.cases(of: "HandbookError"))
        let carried: Set = ["InvitationUnreadable", "ServerUnexpected", "Refused"]
        #expect(carried.isSubset(of: cases))
        for name in cases.subtracting(carried) {
            let key = "error.\(name.prefix(1).lowercased())\(name.dropFirst())"
            #expect(catalogue.strings[key] != nil, "\(key)")
        }
    }

    @Test("Every refusal has its words; three are said by what they carry")
    func rejections() throws {
        let cases = Set(try Generated.cases(of: "Rejection"))
        let carried: Set = ["notAllowed", "notFound", "closed"]
        #expect(carried.isSubset(of: cases))
        for name in cases.subtracting(carried) {
            #expect(catalogue.strings["rejection.\(name)"] != nil, "rejection.\(name)")
        }
    }

    @Test("Every difference of a notice has its words")
    func differences() throws {
        let lists: Set = ["agenda", "documents", "guests"]
        for name in try Generated.cases(of: "NoticeDifference") {
            let keys = lists.contains(name) ? ["\(name).added", "\(name).removed"] : [name]
            for key in keys { #expect(catalogue.strings["difference.\(key)"] != nil, "difference.\(key)") }
        }
    }

    @Test("Every entry that can wait to be sent has its words")
    func intents() {
        for name in Phrase.intents { #expect(catalogue.strings["intent.\(name)"] != nil, "intent.\(name)") }
    }

    @Test("Every key in the sources is in the catalogue, and every text is used")
    func keysInSources() throws {
        let used = try Sources.keys()
        #expect(used.count > 200)
        for key in used.sorted() { #expect(catalogue.strings[key] != nil, "\(key)") }

        let groups = Set(Self.groups.values).union(["error", "rejection", "difference", "intent", "weekday"])
        for key in catalogue.strings.keys where !groups.contains(String(key.prefix { $0 != "." })) {
            #expect(used.contains(key), "\(key) is used nowhere")
        }
    }
}

/// The cases that the library declares, read out of the generated sources: a new one without words fails here.
private enum Generated {
    static func cases(of name: String) throws -> [String] {
        let root = URL(fileURLWithPath: try Surroundings.path("SOTAY_ROOT"))
        let folder = root.appendingPathComponent("bindings/swift/Generated/SotayGenerated")
        for file in ["sotay_client.swift", "sotay_model.swift"] {
            let source = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
            guard let start = source.range(of: "\nenum \(name): ") ?? source.range(of: "public enum \(name): ") else {
                continue
            }
            let body = source[start.upperBound...].prefix(while: { $0 != "}" })
            return body.matches(of: /\n    case `?(\w+)/).map { String($0.output.1) }
        }
        return []
    }
}

/// The keys that stand in the app's sources as literals.
private enum Sources {
    static func keys() throws -> Set<String> {
        var keys: Set<String> = []
        for part in ["App", "Sources"] {
            let folder = Catalogue.folder.appendingPathComponent(part)
            let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
            for file in files where file.hasSuffix(".swift") {
                let source = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
                let symbols = Set(
                    source.matches(of: /system(?:Image|Name): [^)]*?"([a-z.0-9]+)"(?: : "([a-z.0-9]+)")?/)
                        .flatMap { [$0.output.1, $0.output.2].compactMap { $0.map(String.init) } })
                for match in source.matches(of: /"([a-z][A-Za-z]+(?:\.[a-z][A-Za-z0-9]*)+|notOfficial|step)"/) {
                    let key = String(match.output.1)
                    if !symbols.contains(key) && !key.hasPrefix("vn.") && !source.contains("Queue(label: \"\(key)\"") {
                        keys.insert(key)
                    }
                }
            }
        }
        return keys
    }
}
