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
}
