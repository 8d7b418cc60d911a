import Observation
import Sotay

/// Joining with an invitation: scanned, or the server's address and the code typed from a paper strip.
@MainActor @Observable
public final class JoinModel {
    public var address = ""
    public var code = ""
    /// Why the last try failed; what was typed stays.
    public private(set) var problem: HandbookError?
    public private(set) var busy = false
    /// The claim that waits for an officer, with the six digits to read out.
    public private(set) var waiting: JoiningView?

    private let handbook: Handbook
    private let deviceName: String

    public init(_ handbook: Handbook, deviceName: String) {
        self.handbook = handbook
        self.deviceName = deviceName
    }

    /// Claims the invitation that was typed. Without `waiting` afterwards, `problem` says why.
    public func joinTyped() async {
        await join(invitation: "\(address) \(code)")
    }

    /// Claims with the text of a scanned code, or of a link that was opened.
    public func join(invitation: String) async {
        busy = true
        defer { busy = false }
        do {
            waiting = try await handbook.join(invitation: invitation, deviceName: deviceName)
            problem = nil
        } catch {
            problem = error
        }
    }

    /// Finds a claim that waited when the app was ended.
    public func findWaiting() async {
        waiting = try? await handbook.joining()
    }

    /// Asks once whether an officer has confirmed. What may pass, as a server that cannot be reached or a phone that is
    /// locked, is asked again; where the claim is void, nothing waits any more and `problem` says so.
    public func finish() async -> JoinedView? {
        do {
            return try await handbook.finishJoining()
        } catch .InvitationUnusable {
            problem = .InvitationUnusable
            waiting = nil
        } catch .ServerUnreachable, .ServerUnexpected, .KeyLocked, .Paused {
        } catch {
            problem = error
        }
        return nil
    }

    /// Gives the claim up.
    public func stop() async {
        try? await handbook.stopJoining()
        waiting = nil
    }
}

extension JoiningView {
    /// "123 456", for the eye.
    public var groupedDigits: String { "\(digits.prefix(3)) \(digits.dropFirst(3))" }

    /// "1, 2, 3, 4, 5, 6", for the ear: read out digit by digit, not as a number of six figures.
    public var spokenDigits: String { digits.map(String.init).joined(separator: ", ") }
}
