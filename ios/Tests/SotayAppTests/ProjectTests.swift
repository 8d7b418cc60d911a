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

    /// All Swift sources of the app, by path.
    private func sources() throws -> [String: String] {
        var sources: [String: String] = [:]
        for part in ["App", "Sources"] {
            let folder = Catalogue.folder.appendingPathComponent(part)
            let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
            for file in files where file.hasSuffix(".swift") {
                sources["\(part)/\(file)"] = try text("\(part)/\(file)")
            }
        }
        return sources
    }

    @Test("platform: iOS is told of one link, one kind of background work, camera and face, and no plain http")
    func toldToTheSystem() throws {
        let project = try text("project.yml")
        #expect(project.matches(of: /CFBundleURLSchemes: (.*)/).map { String($0.output.1) } == ["[sotay]"])
        #expect(project.matches(of: /UIBackgroundModes: (.*)/).map { String($0.output.1) } == ["[fetch]"])
        #expect(project.matches(of: /NSAllows\w+: (.*)/).map { String($0.output.1) } == ["false"])
        #expect(!project.contains("NSException") && !project.contains("UIFileSharingEnabled"))
        let permissions = project.matches(of: /(\w+)UsageDescription/).map { String($0.output.1) }
        #expect(permissions == ["NSCamera", "NSFaceID"])
        let entitlements = try text("App/Sotay.entitlements").matches(of: /<key>(.*)<\/key>/).map {
            String($0.output.1)
        }
        #expect(entitlements == ["com.apple.developer.default-data-protection", "keychain-access-groups"])
    }

    @Test(
        "platform: the app shows no web page and puts nothing on the clipboard; text is selected where it is read only")
    func noWebAndNoClipboard() throws {
        let sources = try sources()
        #expect(sources.count > 40)
        for (path, source) in sources {
            for word in ["WebKit", "WKWebView", "SafariServices", "UIPasteboard", "PasteButton"] {
                #expect(!source.contains(word), "\(path): \(word)")
            }
        }
        #expect(
            sources.filter { $0.value.contains("textSelection(.enabled") }.map(\.key) == [
                "App/documents/ReaderScreen.swift"
            ])
    }

    @Test(
        "platform: these screens of the iPhone are private",
        arguments: [
            "profile/ProfileScreen", "profile/PinScreens", "profile/TakeAlongScreen", "phones/InviteScreen",
            "phones/PhonesScreen", "phones/WaitingPhonesScreen", "meetings/AnswersScreen",
            "meetings/AbsenceDecisionsScreen",
        ])
    func privateScreens(file: String) throws {
        let source = try text("App/\(file).swift")
        // Each screen in the file, and the sheet beside the profile.
        let screens = source.matches(of: /struct \w+Screen(<[^>]*>)?: View/).count
        let listsOfNames = file == "phones/InviteScreen" ? 1 : 0
        #expect(source.matches(of: /\.privacyScreen\(\)/).count >= screens - listsOfNames)
        #expect(screens > 0)
    }

    @Test(
        "storage 2: on the iPhone the handbook is left out of backups, its keys stay on the phone, and nothing is logged"
    )
    func staysHere() throws {
        #expect(try text("App/app/SotayPhone.swift").contains("isExcludedFromBackup = true"))
        var kinds: Set<String> = []
        for (path, source) in try sources() {
            kinds.formUnion(source.matches(of: /kSecAttrAccessible\w+/).map { String($0.output) })
            for word in [" print(", "debugPrint(", " dump(", "NSLog(", "os_log", "Logger("] {
                #expect(!source.contains(word), "\(path): \(word)")
            }
        }
        kinds.remove("kSecAttrAccessible")
        #expect(kinds.count == 2 && kinds.allSatisfy { $0.hasSuffix("ThisDeviceOnly") })
        #expect(!(try text("Sources/SotayApp/app/KeychainVault.swift")).contains("kSecAttrSynchronizable"))
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
