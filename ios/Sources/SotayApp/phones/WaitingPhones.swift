import Observation
import Sotay

/// The phones that wait for this officer. The six digits are typed as the member reads them out and compared by the
/// server: who only looks at two numbers soon says yes to anything.
@MainActor @Observable
public final class WaitingPhonesModel: Asking {
    /// None before they were first fetched.
    public private(set) var phones: [JoiningPhoneView]?
    /// The phone whose digits were wrong the last time, and how many tries it has left.
    public private(set) var wrong: Wrong?

    public struct Wrong: Equatable, Sendable {
        public let phone: InstallationId
        public let triesLeft: UInt32
    }

    override public init(_ handbook: Handbook) {
        super.init(handbook)
    }

    public func load() async {
        await ask { self.phones = try await $0.joiningPhones() }
    }

    /// Confirms a phone. Spaces in the digits are for the eye only. Returns whether it is the member's now; if not, `wrong`
    /// or `problem` says why.
    public func confirm(_ phone: JoiningPhoneView, digits: String) async -> Bool {
        var confirmed = false
        await ask {
            switch try await $0.confirmPhone(phone.installation, digits: digits.filter { !$0.isWhitespace }) {
            case .confirmed:
                confirmed = true
                self.wrong = nil
            case .wrongDigits(let left):
                self.wrong = Wrong(phone: phone.installation, triesLeft: left)
            }
            self.phones = try await $0.joiningPhones()
        }
        return confirmed
    }

    /// "Không phải máy này": whoever claimed the invitation is not the member, who needs a new one.
    public func refuse(_ phone: JoiningPhoneView) async -> Bool {
        await ask {
            try await $0.refusePhone(phone.installation)
            self.wrong = nil
            self.phones = try await $0.joiningPhones()
        }
    }
}

extension Phrase {
    /// What to do about wrong digits.
    public init(_ wrong: WaitingPhonesModel.Wrong) {
        if wrong.triesLeft == 0 {
            self.init("waitingPhones.void")
        } else {
            self.init("waitingPhones.wrongDigits", .count(wrong.triesLeft))
        }
    }
}
