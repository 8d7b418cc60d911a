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
        /// It is there, behind its PIN.
        case locked(PinModel)
        /// It is open.
        case ready(Handbook)
        /// It cannot be opened.
        case closed(HandbookError)
    }

    public private(set) var stage = Stage.opening
    /// What was entered and is lost, after a wipe.
    public private(set) var lost: UInt32?
    /// Why a link that was opened is of no use. The view sets it back when the person has read it.
    public var linkRefused: HandbookError?

    private let folder: URL
    private let vault: any KeyVault
    private let signer: (any DeviceSigner)?
    private let deviceName: String
    private var handbook: Handbook?
    private var sync: SyncHandle?
    /// A link that came before there was anything to join.
    private var link: String?
    /// Waits for the end of the handbook.
    @ObservationIgnored private var watching: Task<Void, Never>?

    /// `folder` is a private folder of the app that is left out of backups; `signer` the phone's secure hardware, where it
    /// has any.
    public init(folder: URL, vault: any KeyVault, signer: (any DeviceSigner)? = nil, deviceName: String) {
        self.folder = folder
        self.vault = vault
        self.signer = signer
        self.deviceName = deviceName
    }

    deinit {
        watching?.cancel()
    }

    /// Opens the handbook, or the way to one. Called again after an error that may have passed, as a locked key store.
    public func open() async {
        await open(how: opens)
    }

    private typealias Opening = @MainActor (String?) async throws -> Handbook

    private func opens(pin: String?) async throws -> Handbook {
        try await Handbook.open(in: folder, vault: vault, signer: signer, pin: pin)
    }

    private func rebuilds(pin: String?) async throws -> Handbook {
        try await Handbook.rebuild(in: folder, vault: vault, signer: signer, pin: pin)
    }

    private func open(how: @escaping Opening) async {
        switch await opened(how, pin: nil) {
        case nil: break
        case .PinNeeded(let left):
            stage = .locked(
                PinModel(.PinNeeded(triesLeft: left)) { [weak self] pin in await self?.unlock(how, pin) })
        case let error?: stage = .closed(error)
        }
        await passLinkOn()
    }

    /// What is wrong with a PIN is told where it is typed; anything else closes the lock's screen.
    private func unlock(_ how: Opening, _ pin: String) async -> HandbookError? {
        switch await opened(how, pin: pin) {
        case nil: return nil
        case .PinWrong(let left): return .PinWrong(triesLeft: left)
        case .PinMalformed: return .PinMalformed
        case let error?:
            stage = .closed(error)
            return error
        }
    }

    /// Why it is not open, if it is not.
    private func opened(_ how: Opening, pin: String?) async -> HandbookError? {
        do {
            let handbook = try await how(pin)
            self.handbook = handbook
            if try await handbook.joined() == nil {
                stage = .joining(JoinModel(handbook, deviceName: deviceName))
            } else {
                try await start(handbook)
            }
            return nil
        } catch {
            return HandbookError(unexpected: error)
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
        watching?.cancel()
        watching = Task { [weak self] in
            // It ends with the handbook.
            for await _ in handbook.syncStateScreen() {}
            do {
                _ = try await handbook.joined()
            } catch {
                self?.ended(handbook, HandbookError(unexpected: error))
            }
        }
    }

    /// The organisation revoked this phone while the handbook was seen: it is deleted already.
    private func ended(_ ended: Handbook, _ error: HandbookError) {
        guard case .ready(let shown) = stage, shown === ended, error == .Revoked else { return }
        handbook = nil
        sync = nil
        stage = .closed(error)
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
        await open(how: rebuilds)
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

// MARK: - Links

extension AppModel {
    /// A link opened the app. It is read where a handbook can be joined, now or once that is known; nothing is done with it.
    public func opened(link: String) async {
        self.link = link
        await passLinkOn()
    }

    private func passLinkOn() async {
        guard let link else { return }
        switch stage {
        case .opening, .closed: return
        case .joining(let join): await join.offer(link)
        case .locked, .ready: linkRefused = .AlreadyEnrolled
        }
        self.link = nil
    }
}
