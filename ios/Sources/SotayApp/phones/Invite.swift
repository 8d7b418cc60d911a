import Observation
import Sotay

/// Whom an officer may invite, and whose lost phones the same officer may revoke.
@MainActor @Observable
public final class InvitableModel: Asking {
    /// None before they were first looked up.
    public private(set) var people: [PersonName]?

    override public init(_ handbook: Handbook) {
        super.init(handbook)
    }

    public func load() async {
        await ask { self.people = try await $0.invitable() }
    }
}

/// One more phone for a member: the invitation that an officer shows, prints or reads out.
@MainActor @Observable
public final class InviteModel: Asking {
    /// How long an invitation may be used, in days.
    public static let choices: [UInt32] = [1, 3, 7, 14]

    public let member: MemberId
    public let name: String
    public var days: UInt32 = 7
    /// Shown once, kept nowhere: it goes with this screen.
    public private(set) var invitation: InvitationView?

    public init(_ handbook: Handbook, member: MemberId, name: String) {
        self.member = member
        self.name = name
        super.init(handbook)
    }

    /// Makes a new one. The one before can be used all the same until it runs out.
    public func invite() async {
        await ask { self.invitation = try await $0.invite(self.member, days: self.days) }
    }
}
