import Foundation
import Observation
import Sotay

/// Joining with an invitation: scanned, opened as a link, or the server's address and the code typed from a paper strip.
///
/// What is scanned or opened is read and no more: anybody can send a link or stick a code over another one. The server it
/// leads to is shown, and joining needs a press. No invitation takes the place of a claim that waits for an officer.
@MainActor @Observable
public final class JoinModel {
    public var address = ""
    public var code = ""
    /// The invitation that was scanned or came as a link, and waits for a press.
    public private(set) var offered: Offer?
    /// A code or a link was not looked at, because the phone was joining with another invitation.
    public private(set) var offerIgnored = false
    /// Why the last try failed; what was typed or offered stays.
    public private(set) var problem: HandbookError?
    public private(set) var busy = false
    /// The claim that waits for an officer, with the six digits to read out and the server that was asked.
    public private(set) var waiting: JoiningView?

    private let handbook: Handbook
    private let deviceName: String

    public init(_ handbook: Handbook, deviceName: String) {
        self.handbook = handbook
        self.deviceName = deviceName
    }

    /// An invitation that was read and not used.
    public struct Offer: Equatable, Sendable {
        /// The server that would be joined: host, and port where it is not 443.
        public let host: String
        let code: String
    }

    /// Reads a scanned code, or a link that was opened. It is `offered` then; or `problem` says what is wrong with it.
    public func offer(_ text: String) async {
        await findWaiting()
        guard waiting == nil, !busy else {
            offerIgnored = true
            return
        }
        do {
            offered = try Offer(reading: text)
            offerIgnored = false
            problem = nil
        } catch {
            problem = error
        }
    }

    /// Claims the invitation that was offered, as it was shown: another one that came meanwhile is not meant.
    public func join(_ offer: Offer) async {
        await claim("\(offer.host) \(offer.code)")
    }

    /// The offered invitation is not wanted.
    public func decline() {
        offered = nil
        problem = nil
    }

    /// Claims the invitation that was typed. Without `waiting` afterwards, `problem` says why.
    public func joinTyped() async {
        await claim("\(address) \(code)")
    }

    private func claim(_ invitation: String) async {
        guard !busy else { return }
        busy = true
        defer { busy = false }
        do {
            // The library would let the new claim take the place of the one that waits.
            if let earlier = try await handbook.joining() {
                waiting = earlier
                offerIgnored = true
            } else {
                waiting = try await handbook.join(invitation: invitation, deviceName: deviceName)
            }
            offered = nil
            problem = nil
        } catch {
            problem = error
        }
    }

    /// Finds a claim that waited when the app was ended.
    public func findWaiting() async {
        do {
            waiting = try await handbook.joining()
        } catch {
            // It cannot be asked now, as before the app is fully seen again: what is known stays.
        }
    }

    /// Asks once whether an officer has confirmed. What may pass, as a server that cannot be reached or a phone that is
    /// locked, is asked again; where the claim is void, nothing waits any more and `problem` says so.
    public func finish() async -> JoinedView? {
        do {
            return try await handbook.finishJoining()
        } catch .InvitationUnusable {
            problem = .InvitationUnusable
            waiting = nil
            offerIgnored = false
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
        offerIgnored = false
    }
}

extension JoinModel.Offer {
    /// Takes `sotay://join/<host[:port]>/<code>` apart, in any case. The library reads the parts once more when they are
    /// used; here it counts that the host is asked letter for letter as it is shown, and that it has no letters that look
    /// like others.
    init(reading text: String) throws(HandbookError) {
        let scheme = "sotay://join/"
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        let parts = text.dropFirst(scheme.count).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard text.prefix(scheme.count).lowercased() == scheme, parts.count == 2 else {
            throw .InvitationUnreadable(fault: .notAnInvitation)
        }
        let host = parts[0].lowercased()
        let letters = Set("abcdefghijklmnopqrstuvwxyz0123456789.-:[]".unicodeScalars)
        guard !host.isEmpty, host.unicodeScalars.allSatisfy(letters.contains) else {
            throw .InvitationUnreadable(fault: .host)
        }
        self.init(host: host, code: String(parts[1]))
    }
}

extension JoiningView {
    /// "123 456", for the eye.
    public var groupedDigits: String { "\(digits.prefix(3)) \(digits.dropFirst(3))" }

    /// "1, 2, 3, 4, 5, 6", for the ear: read out digit by digit, not as a number of six figures.
    public var spokenDigits: String { digits.map(String.init).joined(separator: ", ") }
}
