import Foundation
import Sotay
import SotayTestSupport
import Testing

@Suite("Scenarios", .serialized)
struct ScenarioTests {
    static let files: [String] = {
        let folder = (try? Surroundings.path("SOTAY_SCENARIOS")) ?? ""
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".json") }.sorted()
    }()

    @Test("There are scenarios")
    func areThere() {
        #expect(!Self.files.isEmpty)
    }

    @Test("A story runs to its end", arguments: files)
    func runs(file: String) async throws {
        _ = try await ScenarioRunner(file: try Surroundings.scenario(file))
    }

    @Test(
        "A story that is told wrongly fails",
        arguments: [
            #"{"phone": "a", "expect": "home", "is": {"member_name": "Ai đó"}}"#,
            #"{"phone": "a", "expect": "home", "fails": "NotEnrolled"}"#,
            #"{"phone": "a", "do": "dance"}"#,
            #"{"phone": "a", "expect": "home", "was": {}}"#,
            #"{"phone": "a", "do": "sync", "fails": "ServerUnreachable"}"#,
            #"{"agree": ["a", "b"], "on": "home", "fields": ["member_name"]}"#,
        ])
    func wronglyTold(step: String) async throws {
        let story = """
            {"title": "", "commune": "meeting.json", "phones": {"a": "vidu", "b": "mot"},
             "steps": [{"phones": ["a", "b"], "do": "join"}, {"phones": ["a", "b"], "do": "sync"}, \(step)]}
            """
        let folder = try temporaryFolder()
        try FileManager.default.copyItem(
            at: Surroundings.scenario("meeting.json"), to: folder.appendingPathComponent("meeting.json"))
        let file = folder.appendingPathComponent("wrong.json")
        try Data(story.utf8).write(to: file)
        await #expect(throws: ScenarioFault.self) { _ = try await ScenarioRunner(file: file) }
    }
}
