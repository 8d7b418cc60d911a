import Foundation
import Observation
import Sotay

/// The app as a whole: which handbook is open, and what it does when it comes and goes.
///
/// Invariant: coming, going and ending happen one after another, in the order in which they were asked for. What is seen
/// between going and having come again is covered.
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

    /// So long out of sight, and a handbook with a PIN is locked: a call or a glance elsewhere costs no PIN.
    public static let keptOpen: Duration = .seconds(60)

    public private(set) var stage = Stage.opening
    /// Out of sight, or not yet known what may be seen.
    public private(set) var covered = false
    /// So many entries were not sent when the person wanted to leave; nothing was deleted. The view sets it back.
    public var unsentAtLeaving: UInt32?
    /// The person is leaving the handbook.
    public private(set) var leaving = false
    /// Why a link that was opened is of no use. The view sets it back when the person has read it.
    public var linkRefused: HandbookError?
    /// Where what the person takes along lies.
    public let exported: ExportedFile

    private let folder: URL
    private let vault: any KeyVault
    private let signer: (any DeviceSigner)?
    private let deviceName: String
    private let now: @Sendable () -> ContinuousClock.Instant

    private var handbook: Handbook?
    private var sync: SyncHandle?
    /// Whether a PIN is set, as it was known last; a handbook that could not say is taken for one that has it.
    private var hasPin = true
    private var inSight = false
    private var hiddenSince: ContinuousClock.Instant?
    /// A link that came before there was anything to join.
    private var link: String?
    /// Waits for the end of the handbook.
    @ObservationIgnored private var watching: Task<Void, Never>?
    /// The last of what was asked for.
    @ObservationIgnored private var last: Task<Void, Never>?

    /// `folder` is a private folder of the app that is left out of backups; `signer` the phone's secure hardware, where it
    /// has any; `now` a clock that goes on while the phone sleeps.
    public init(
        folder: URL, vault: any KeyVault, signer: (any DeviceSigner)? = nil, deviceName: String,
        exported: ExportedFile? = nil, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.folder = folder
        self.vault = vault
        self.signer = signer
        self.deviceName = deviceName
        self.exported = exported ?? ExportedFile()
        self.now = now
        // The app may have been ended on the screen that showed it.
        self.exported.delete()
    }

    deinit {
        watching?.cancel()
    }

    /// Runs something once everything that was asked for before is done.
    private func inTurn<Value: Sendable>(_ what: @escaping @MainActor () async -> Value) async -> Value {
        let before = last
        let mine = Task {
            await before?.value
            return await what()
        }
        last = Task { _ = await mine.value }
        return await mine.value
    }
}

// MARK: - Opening

extension AppModel {
    private typealias Opening = @MainActor (String?) async throws -> Handbook

    /// Opens the handbook, or the way to one. Called again after an error that may have passed, as a locked key store.
    public func open() async {
        await inTurn { await self.open(how: self.opens) }
    }

    /// The database cannot be read: a new one is made, what was not sent waits again, the rest is fetched.
    public func rebuild() async {
        await inTurn { await self.open(how: self.rebuilds) }
    }

    /// After joining: the handbook is shown and syncs by itself.
    public func joined() async {
        await inTurn {
            guard let handbook = self.handbook else { return }
            do {
                try await self.start(handbook)
            } catch {
                self.stage = .closed(HandbookError(unexpected: error))
            }
        }
    }

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
    private func unlock(_ how: @escaping Opening, _ pin: String) async -> HandbookError? {
        await inTurn {
            switch await self.opened(how, pin: pin) {
            case nil: return nil
            case .PinWrong(let left): return .PinWrong(triesLeft: left)
            case .PinMalformed: return .PinMalformed
            case let error?:
                self.stage = .closed(error)
                return error
            }
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
                let error = HandbookError(unexpected: error)
                if error == .Revoked { self?.ended(handbook, error) }
            }
        }
    }
}

// MARK: - Links

extension AppModel {
    /// A link opened the app. It is read where a handbook can be joined, now or once that is known; nothing is done with it.
    public func opened(link: String) async {
        await inTurn {
            self.link = link
            await self.passLinkOn()
        }
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

// MARK: - Coming and going

extension AppModel {
    /// The app goes out of sight: everything is covered, and the minute begins.
    public func hide() {
        inSight = false
        covered = true
        hiddenSince = hiddenSince ?? now()
        exported.delete()
    }

    /// The app goes to the background: the system ends a suspended process that holds a file's lock.
    public func pause() async {
        hide()
        await inTurn {
            // Somebody may have come back already.
            if !self.inSight { await self.close() }
        }
    }

    /// The app is seen again. After `keptOpen` a handbook with a PIN asks for it.
    public func resume() async {
        inSight = true
        await inTurn {
            guard self.inSight else { return }
            await self.lockIfDue()
            self.hiddenSince = nil
            await self.reopen()
            self.covered = false
        }
    }

    /// The system lets the app work for some seconds in the background. Returns whether the server was reached: not where
    /// the handbook is locked.
    public func refreshInBackground() async -> Bool {
        let handbook = await inTurn { await self.openedUnseen() }
        // Less than the system grants, so that there is time left to close the files. The next one goes on from there.
        let report = try? await handbook?.sync(for: .seconds(20))
        await inTurn {
            // Somebody may look at it by now.
            if !self.inSight { await self.close() }
        }
        return (report?.roundTrips ?? 0) > 0
    }

    /// The handbook with its files open; none where it is locked or nobody joined.
    private func openedUnseen() async -> Handbook? {
        switch stage {
        case .opening, .closed(.KeyLocked): await open(how: opens)
        default: break
        }
        await lockIfDue()
        guard case .ready(let handbook) = stage else { return nil }
        try? await handbook.resume()
        return handbook
    }

    private func close() async {
        guard let handbook else { return }
        // A handbook that is paused already cannot say.
        if let isSet = try? await handbook.hasPin() { hasPin = isSet }
        try? await sync?.cancel()
        sync = nil
        try? await handbook.pause(within: .seconds(4))
    }

    private func reopen() async {
        guard let handbook else { return }
        do {
            try await handbook.resume()
            if case .ready = stage { sync = try await handbook.startSync() }
        } catch {
            stage = .closed(HandbookError(unexpected: error))
        }
    }

    /// Shuts a handbook with a PIN down when it was out of sight for too long: from then on nothing in this process can
    /// read it until somebody gives the PIN. What was entered lies in its files.
    private func lockIfDue() async {
        guard let handbook, let hiddenSince, hasPin, hiddenSince.duration(to: now()) >= Self.keptOpen else { return }
        leave()
        do {
            try await handbook.shutdown()
            await open(how: opens)
        } catch {
            stage = .closed(HandbookError(unexpected: error))
        }
    }
}

// MARK: - The end of a handbook

extension AppModel {
    /// The key is lost, or the PIN forgotten: the person agreed to lose what was not sent, and joins again.
    public func erase() async {
        await inTurn { await self.erases() }
    }

    /// Leaves the handbook: tells the server, as far as it can be reached, and deletes everything from the phone. Where
    /// something was not sent nothing happens but that `unsentAtLeaving` says how much, unless `losingUnsent` says that
    /// the person knows.
    public func signOut(losingUnsent: Bool = false) async {
        leaving = true
        await inTurn { await self.signsOut(losingUnsent) }
        leaving = false
    }

    private func erases() async {
        do {
            _ = try await Handbook.erase(in: folder, vault: vault)
            leave()
            await open(how: opens)
        } catch {
            stage = .closed(error)
        }
    }

    private func signsOut(_ losingUnsent: Bool) async {
        guard let handbook else { return }
        do {
            _ = try await handbook.signOut(losingUnsent: losingUnsent)
            leave()
            await open(how: opens)
        } catch .Unsent(let count) {
            unsentAtLeaving = count
        } catch {
            leave()
            stage = .closed(error)
        }
    }

    /// Setting, changing and taking away the PIN of the handbook that is shown.
    public func pinSetting(of handbook: Handbook) -> PinSetting {
        PinSetting(handbook) { [weak self] error in self?.ended(handbook, error) }
    }

    /// The handbook was deleted while it was seen: the organisation revoked this phone, or the PIN was wrong ten times.
    private func ended(_ ended: Handbook, _ error: HandbookError) {
        guard case .ready(let shown) = stage, shown === ended else { return }
        leave()
        stage = .closed(error)
    }

    /// Nothing of the handbook is held or shown any more.
    private func leave() {
        watching?.cancel()
        (watching, handbook, sync, unsentAtLeaving) = (nil, nil, nil, nil)
        hasPin = true
        exported.delete()
        stage = .opening
    }
}
