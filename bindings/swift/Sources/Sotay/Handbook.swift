import Foundation

/// One person's handbook in one folder of one phone: the object an app holds.
///
/// The library's calls block. Each one here runs on a queue of its own and never on Swift's cooperative pool, whose few
/// threads must not wait. A task that is cancelled does not undo a call: what was entered stays entered.
///
/// * Entries keep the order in which they were made, also when nobody awaits them.
/// * Reads and network calls wait neither for each other nor for entries.
/// * Every error is a `HandbookError`.
public final class Handbook: Sendable {
    let blocking: BlockingHandbook
    let feed: ChangeFeed
    private let folder: String
    private let entries = DispatchQueue(label: "vn.sotay.entries", qos: .userInitiated)
    private let calls = DispatchQueue(label: "vn.sotay.calls", qos: .userInitiated, attributes: .concurrent)

    private init(folder: String, blocking: BlockingHandbook) {
        self.folder = folder
        self.blocking = blocking
        self.feed = ChangeFeed(of: blocking)
    }

    deinit {
        feed.abandon()
    }

    /// Opens the handbook in a private folder of the app, or makes an empty one. Opening the same folder again gives
    /// the same handbook as long as anyone holds it; another process gets `InUse`.
    ///
    /// `signer` is the phone's secure hardware, where it has any: a handbook that was joined with it is opened with it
    /// again, otherwise it shows what it has and cannot sync. `pin` is given once opening has answered `PinNeeded`;
    /// `PinWrong` says how many tries are left, and the tenth wrong one in a row deletes the handbook,
    /// `WipedAfterTries`.
    public static func open(
        in folder: URL, vault: any KeyVault, signer: (any DeviceSigner)? = nil, pin: String? = nil
    ) async throws(HandbookError) -> Handbook {
        try await opened(in: folder) { folder in
            switch (signer, pin) {
            case (let signer?, let pin):
                try BlockingHandbook.openWithSigner(folder: folder, vault: vault, signer: signer, pin: pin)
            case (nil, let pin?): try BlockingHandbook.openWithPin(folder: folder, vault: vault, pin: pin)
            case (nil, nil): try BlockingHandbook.open(folder: folder, vault: vault)
            }
        }
    }

    /// Opens a handbook whose database cannot be read: sets the file aside and makes a new one, in which everything not
    /// sent yet waits again. The next sync fetches the rest. Does nothing but open where the database is whole.
    public static func rebuild(
        in folder: URL, vault: any KeyVault, signer: (any DeviceSigner)? = nil, pin: String? = nil
    ) async throws(HandbookError) -> Handbook {
        try await opened(in: folder) { folder in
            switch (signer, pin) {
            case (let signer?, let pin):
                try BlockingHandbook.rebuildWithSigner(folder: folder, vault: vault, signer: signer, pin: pin)
            case (nil, let pin?): try BlockingHandbook.rebuildWithPin(folder: folder, vault: vault, pin: pin)
            case (nil, nil): try BlockingHandbook.rebuild(folder: folder, vault: vault)
            }
        }
    }

    /// Deletes a handbook that cannot be opened because its key is lost or its PIN forgotten, so that the phone can join again. Returns how
    /// many unsent entries are lost: ask the person first.
    public static func erase(in folder: URL, vault: any KeyVault) async throws(HandbookError) -> UInt32 {
        try await onQueue(OpenHandbooks.queue) { try eraseHandbook(folder: path(of: folder), vault: vault) }
    }

    /// Whose handbook it is; none before `join`.
    public func joined() async throws(HandbookError) -> JoinedView? {
        try await read { try $0.joined() }
    }

    /// Claims an invitation: the text of a scanned code, or `host:port` and the thirteen typed symbols. Needs the
    /// network; nothing is left behind when it fails. Its six digits are shown until an officer has compared and
    /// confirmed them.
    public func join(invitation: String, deviceName: String) async throws(HandbookError) -> JoiningView {
        try await read { try $0.join(invitation: invitation, deviceName: deviceName) }
    }

    /// The claim that waits for an officer, also after a new start of the app; none before `join` and once joined.
    public func joining() async throws(HandbookError) -> JoiningView? {
        try await read { try $0.joining() }
    }

    /// Asks the server, once, whether an officer has confirmed the digits; none while they wait. `InvitationUnusable`
    /// where the claim was refused or has run out: then it is forgotten.
    public func finishJoining() async throws(HandbookError) -> JoinedView? {
        try await read { try $0.finishJoining() }
    }

    /// Forgets a claim that waits.
    public func stopJoining() async throws(HandbookError) {
        try await read { try $0.stopJoining() }
    }

    /// Refuses new work, waits for commits under way and closes every file; for an app that is about to be suspended.
    public func pause(within deadline: Duration) async throws(HandbookError) {
        try await read { try $0.pause(deadlineMs: deadline.wholeMilliseconds) }
    }

    /// Opens the files again. Live screens go on by themselves.
    public func resume() async throws(HandbookError) {
        try await read { try $0.resume() }
        feed.resume()
    }

    /// Ends syncing, waiting calls and live screens, and closes the files. The object is of no use afterwards.
    public func shutdown() async throws(HandbookError) {
        try await Self.onQueue(OpenHandbooks.queue) { [folder, blocking] in
            OpenHandbooks.forget(folder)
            try blocking.shutdown()
        }
        feed.end()
    }

    /// Deletes everything of this handbook from the phone, the key first. Returns how many unsent entries are lost.
    public func wipe() async throws(HandbookError) -> UInt32 {
        try await Self.onQueue(OpenHandbooks.queue) { [folder, blocking] in
            let lost = try blocking.wipe()
            OpenHandbooks.forget(folder)
            return lost
        }
    }

    /// Leaves the handbook: the same as `wipe`, but while something entered was not sent it throws `Unsent` and does
    /// nothing, unless `losingUnsent` says that the member knows.
    public func signOut(losingUnsent: Bool = false) async throws(HandbookError) -> UInt32 {
        try await Self.onQueue(OpenHandbooks.queue) { [folder, blocking] in
            let lost = try blocking.signOut(loseUnsent: losingUnsent)
            OpenHandbooks.forget(folder)
            return lost
        }
    }

    /// Whether opening asks for a PIN.
    public func hasPin() async throws(HandbookError) -> Bool {
        try await read { try $0.hasPin() }
    }

    /// Sets a PIN, six digits, that every later opening asks for.
    public func setPin(_ pin: String) async throws(HandbookError) {
        try await read { try $0.setPin(pin: pin) }
    }

    /// Sets another PIN. `PinWrong` costs a try, as when opening.
    public func changePin(_ pin: String, to new: String) async throws(HandbookError) {
        try await read { try $0.changePin(pin: pin, new: new) }
    }

    /// Takes the PIN away. `PinWrong` costs a try, as when opening.
    public func removePin(_ pin: String) async throws(HandbookError) {
        try await read { try $0.removePin(pin: pin) }
    }

    /// Gives the vault a new root key. Nothing is encrypted anew, and the PIN stays.
    public func rotateKeys() async throws(HandbookError) {
        try await read { try $0.rotateKeys() }
    }
}

// MARK: - What the domains' calls are built on

extension Handbook {
    private static func path(of folder: URL) -> String {
        folder.standardizedFileURL.resolvingSymlinksInPath().path
    }

    private static func opened(
        in folder: URL, _ open: @escaping @Sendable (String) throws -> BlockingHandbook
    ) async throws(HandbookError) -> Handbook {
        try await onQueue(OpenHandbooks.queue) {
            let path = path(of: folder)
            // Asked first, though the handbook may be held: a PIN is always looked at.
            let blocking = try open(path)
            return OpenHandbooks.handbook(in: path) { Handbook(folder: path, blocking: blocking) }
        }
    }

    /// Runs a call that waits for nothing but itself.
    func read<Value: Sendable>(
        _ call: @escaping @Sendable (BlockingHandbook) throws -> Value
    ) async throws(HandbookError) -> Value {
        try await Self.onQueue(calls) { [blocking] in try call(blocking) }
    }

    /// Runs an entry of the member's behind those made before it.
    func enter<Value: Sendable>(
        _ call: @escaping @Sendable (BlockingHandbook) throws -> Value
    ) async throws(HandbookError) -> Value {
        try await Self.onQueue(entries) { [blocking] in try call(blocking) }
    }

    static func onQueue<Value: Sendable>(
        _ queue: DispatchQueue, _ call: @escaping @Sendable () throws -> Value
    ) async throws(HandbookError) -> Value {
        let outcome = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: HandbookError.outcome(of: call)) }
        }
        return try outcome.get()
    }
}

extension HandbookError {
    /// The library throws nothing but `HandbookError`; an argument that it cannot read at all ends in an error of the
    /// generated code, whose text is not for people and may quote what was entered: nothing of it is kept.
    static func outcome<Value>(of call: () throws -> Value) -> Result<Value, HandbookError> {
        do {
            return .success(try call())
        } catch let error as HandbookError {
            return .failure(error)
        } catch {
            return .failure(.Internal(incident: "bindings"))
        }
    }
}

/// Which folders are open in this process: two objects on one folder would take each other's changes.
private enum OpenHandbooks {
    struct Held {
        weak var handbook: Handbook?
    }

    static let queue = DispatchQueue(label: "vn.sotay.open")
    // Only on `queue`.
    nonisolated(unsafe) private static var held: [String: Held] = [:]

    static func handbook(in folder: String, made: () -> Handbook) -> Handbook {
        // One that was revoked is of no use any more and throws here; one that nobody has joined yet does not.
        if let handbook = held[folder]?.handbook, case .success = Result(catching: handbook.blocking.joined) {
            return handbook
        }
        let handbook = made()
        held[folder] = Held(handbook: handbook)
        return handbook
    }

    static func forget(_ folder: String) {
        held[folder] = nil
    }
}
