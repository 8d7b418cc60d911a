import Foundation
import Testing

@Suite("The project's files")
struct ProjectTests {
    private func text(_ path: String) throws -> String {
        try String(contentsOf: Catalogue.folder.appendingPathComponent(path), encoding: .utf8)
    }

    @Test("The background refresh is planned under the identifier that the system was told")
    func refreshIdentifier() throws {
        let source = try text("App/app/BackgroundRefresh.swift")
        let identifier = try #require(source.firstMatch(of: /identifier = "([a-z.]+)"/)?.output.1)
        #expect(try text("project.yml").contains("BGTaskSchedulerPermittedIdentifiers: [\(identifier)]"))
    }

    @Test(
        "Property lists can be read; the app tracks nobody", arguments: ["PrivacyInfo.xcprivacy", "Sotay.entitlements"])
    func propertyLists(name: String) throws {
        let bytes = try Data(contentsOf: Catalogue.folder.appendingPathComponent("App/\(name)"))
        let list = try PropertyListSerialization.propertyList(from: bytes, format: nil)
        let entries = try #require(list as? [String: Any])
        #expect(!entries.isEmpty)
        if name.hasPrefix("PrivacyInfo") { #expect(entries["NSPrivacyTracking"] as? Bool == false) }
    }

    @Test("Every domain has its folder among the models and among the views")
    func folders() throws {
        for part in ["App", "Sources/SotayApp"] {
            for domain in ["home", "meetings", "documents", "profile", "join", "phones"] {
                let folder = Catalogue.folder.appendingPathComponent("\(part)/\(domain)")
                let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
                #expect(files.contains { $0.hasSuffix(".swift") }, "\(part)/\(domain)")
            }
        }
    }

    @Test("loss: the profile leads an officer to the phones of each member who can be invited")
    func memberPhones() throws {
        let profile = try text("App/profile/ProfileScreen.swift")
        let way = try #require(profile.range(of: "NavigationLink(\"phones.ofMembers\")"))
        let next = profile[way.upperBound...].prefix(400)
        #expect(next.contains("InvitableScreen(") && next.contains("PhonesScreen(") && next.contains("of: $0.member"))
    }

    @Test("platform: no screen takes a link past the model that only reads it")
    func links() throws {
        let folder = Catalogue.folder.appendingPathComponent("App")
        let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        let takers = try files.filter { $0.hasSuffix(".swift") }.filter { try text("App/\($0)").contains("onOpenURL") }
        #expect(takers == ["app/SotayPhone.swift"])
        #expect(try text("App/app/SotayPhone.swift").contains(".onOpenURL { link in Task { await model.opened(link:"))
    }

    @Test("Pictures that say something are read out: no image stands alone")
    func labels() throws {
        let folder = Catalogue.folder.appendingPathComponent("App")
        let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        for file in files where file.hasSuffix(".swift") {
            let source = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
            #expect(!source.contains("Image("), "\(file): use Label")
            #expect(!source.contains(".font(.system(size"), "\(file): a fixed size does not grow with the text")
        }
    }
}
