import Sotay
import SotayApp
import SwiftUI
import UIKit

@main
struct SotayPhone: App {
    @Environment(\.scenePhase) private var scenePhase
    @State private var model: AppModel
    private let signer = SecureEnclaveSigner(account: "handbook")

    init() {
        let folder = Self.privateFolder
        _model = State(
            initialValue: AppModel(
                folder: folder, vault: Self.vault(in: folder, with: signer), signer: signer,
                deviceName: UIDevice.current.name))
    }

    /// With the root go the Secure Enclave's keys, if the phone has one.
    private static func vault(in folder: URL, with signer: SecureEnclaveSigner?) -> any KeyVault {
        let vault = KeychainVault(account: "handbook", folder: folder)
        return ErasingVault(vault) { try signer?.erase() }
    }

    /// By the Secure Enclave's second key, which asks for a face, a finger or the phone's code.
    private var approval: Approval? {
        guard let signer else { return nil }
        let words = EnvironmentValues().words
        return { try await signer.approve($0, reason: words($1)) }
    }

    var body: some Scene {
        WindowGroup {
            RootScreen(model: model)
                .environment(\.approval, approval)
                .task { await model.open() }
                .onOpenURL { link in Task { await model.opened(link: link.absoluteString) } }
        }
        .onChange(of: scenePhase) { before, now in
            switch now {
            case .background:
                // At once: the system takes its picture of the app now.
                model.hide()
                Task { await pause() }
            case .active where before != .active: Task { await model.resume() }
            default: break
            }
        }
        .backgroundTask(.appRefresh(BackgroundRefresh.identifier)) {
            BackgroundRefresh.plan()
            _ = await model.refreshInBackground()
        }
    }

    /// The system grants some seconds to close the files; without asking it may stop the app at once.
    private func pause() async {
        let granted = UIApplication.shared.beginBackgroundTask(withName: "vn.sotay.pause")
        await model.pause()
        BackgroundRefresh.plan()
        UIApplication.shared.endBackgroundTask(granted)
    }

    /// Kept out of backups: the key stays on this phone, and what is public can be fetched again.
    private static var privateFolder: URL {
        var folder = URL.applicationSupportDirectory.appending(path: "handbook", directoryHint: .isDirectory)
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try? folder.setResourceValues(values)
        return folder
    }
}
