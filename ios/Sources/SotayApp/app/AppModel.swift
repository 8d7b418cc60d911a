import Foundation
import Observation
import Sotay

/// The app as a whole: which handbook is open, and what it does when it comes and goes.
@MainActor @Observable
public final class AppModel {
    public enum Stage {
        /// The handbook is being opened.
        case opening
        /// There is none yet.
        case joining(JoinModel)
        /// It is open.
        case ready(Handbook)
        /// It cannot be opened.
        case closed(HandbookError)
    }

    public private(set) var stage = Stage.opening
    /// What was entered and is lost, after a wipe.
    public private(set) var lost: UInt32?

    private let folder: URL
    private let vault: any KeyVault
    private let deviceName: String
    private var handbook: Handbook?
    private var sync: SyncHandle?

    /// `folder` is a private folder of the app that is left out of backups.
    public init(folder: URL, vault: any KeyVault, deviceName: String) {
        self.folder = folder
        self.vault = vault
        self.deviceName = deviceName
    }

    /// Opens the handbook, or the way to one. Called again after an error that may have passed, as a locked key store.
    public func open() async {
        await open { folder, vault in try await Handbook.open(in: folder, vault: vault) }
    }

    private func open(_ handbook: (URL, any KeyVault) async throws -> Handbook) async {
        do {
            let handbook = try await handbook(folder, vault)
            self.handbook = handbook
            if try await handbook.joined() == nil {
                stage = .joining(JoinModel(handbook, deviceName: deviceName))
            } else {
                try await start(handbook)
            }
        } catch {
            stage = .closed(HandbookError(unexpected: error))
        }
    }

    /// After joining: the handbook is shown and syncs by itself.
    public func joined() async {
        guard let handbook else { return }
        do {
            try await start(handbook)
        } catch {
            stage = .closed(HandbookError(unexpected: error))
        }
    }

    private func start(_ handbook: Handbook) async throws {
        sync = try await handbook.startSync()
        stage = .ready(handbook)
    }

    /// The app goes to the background: the system ends a suspended process that holds a file's lock.
    public func pause() async {
        try? await sync?.cancel()
        sync = nil
        try? await handbook?.pause(within: .seconds(4))
    }

    /// The app is seen again.
    public func resume() async {
        guard let handbook else { return }
        do {
            try await handbook.resume()
            if case .ready = stage { sync = try await handbook.startSync() }
        } catch {
            stage = .closed(HandbookError(unexpected: error))
        }
    }

    /// The system lets the app work for some seconds in the background. Returns whether the server was reached.
    public func refreshInBackground() async -> Bool {
        if handbook == nil { await open() }
        guard case .ready(let handbook) = stage else { return false }
        try? await handbook.resume()
        // Less than the system grants, so that there is time left to close the files. The next one goes on from there.
        let report = try? await handbook.sync(for: .seconds(20))
        let reached = (report?.roundTrips ?? 0) > 0
        await pause()
        return reached
    }

    /// The database cannot be read: a new one is made, what was not sent waits again, the rest is fetched.
    public func rebuild() async {
        await open { folder, vault in try await Handbook.rebuild(in: folder, vault: vault) }
    }

    /// The key is lost: the person agreed to lose what was not sent, and joins again.
    public func erase() async {
        do {
            lost = try await Handbook.erase(in: folder, vault: vault)
            await open()
        } catch {
            stage = .closed(HandbookError(unexpected: error))
        }
    }

    /// Deletes everything of this handbook from the phone, after the person has agreed.
    public func wipe() async {
        guard let handbook else { return }
        do {
            try? await sync?.cancel()
            sync = nil
            lost = try await handbook.wipe()
            self.handbook = nil
            stage = .opening
            await open()
        } catch {
            stage = .closed(HandbookError(unexpected: error))
        }
    }
}
