import Observation
import Sotay

/// The lock before the handbook: its PIN is asked for.
@MainActor @Observable
public final class PinModel {
    public var pin = ""
    /// Why the last try did not open it.
    public private(set) var problem: HandbookError
    public private(set) var busy = false

    private let open: @MainActor (String) async -> HandbookError?

    /// `needed` says how many tries are left; `open` opens with a PIN, or says why not.
    init(_ needed: HandbookError, open: @escaping @MainActor (String) async -> HandbookError?) {
        problem = needed
        self.open = open
    }

    /// Tries what was typed. A wrong PIN has to be typed anew; what is no PIN at all stays to be mended.
    public func unlock() async {
        guard !busy else { return }
        busy = true
        defer { busy = false }
        guard let problem = await open(pin) else { return }
        self.problem = problem
        if problem != .PinMalformed { pin = "" }
    }
}

/// Setting, changing and taking away the PIN.
@MainActor @Observable
public final class PinSetting: Asking {
    /// None before it was looked up.
    public private(set) var isSet: Bool?
    /// The PIN as it is, where one is set.
    public var pin = ""
    public var new = ""
    /// The new one typed a second time, as nobody sees what is typed.
    public var again = ""

    /// The tenth wrong PIN deletes the handbook here as well: who shows it has to know.
    private let ended: @MainActor (HandbookError) -> Void

    /// `ended` is told when the handbook was deleted.
    init(_ handbook: Handbook, ended: @escaping @MainActor (HandbookError) -> Void) {
        self.ended = ended
        super.init(handbook)
    }

    public func load() async {
        await ask { self.isSet = try await $0.hasPin() }
    }

    /// Nobody could open a handbook whose PIN was mistyped when it was set.
    public var canSet: Bool { !new.isEmpty && new == again }

    /// Sets the new PIN, in place of the one before where there is one.
    public func set() async -> Bool {
        guard canSet, let isSet else { return false }
        return await entered {
            if isSet { try await $0.changePin(self.pin, to: self.new) } else { try await $0.setPin(self.new) }
        }
    }

    public func remove() async -> Bool {
        await entered { try await $0.removePin(self.pin) }
    }

    private func entered(_ change: (Handbook) async throws -> Void) async -> Bool {
        let done = await ask {
            try await change($0)
            self.isSet = try await $0.hasPin()
        }
        // Whether it worked or not: a PIN is not left standing in a field.
        if problem != .PinMalformed { (pin, new, again) = ("", "", "") }
        if let problem, case .WipedAfterTries = problem { ended(problem) }
        return done
    }
}
