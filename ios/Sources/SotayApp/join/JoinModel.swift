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

    private let handbook: Handbook
    private let deviceName: String

    public init(_ handbook: Handbook, deviceName: String) {
        self.handbook = handbook
        self.deviceName = deviceName
    }

    /// Joins with what was typed. Returns whose handbook it is, or nothing: then `problem` says why.
    public func joinTyped() async -> JoinedView? {
        await join(invitation: "\(address) \(code)")
    }

    /// Joins with the text of a scanned code, or of a link that was opened.
    public func join(invitation: String) async -> JoinedView? {
        busy = true
        defer { busy = false }
        do {
            let joined = try await handbook.join(invitation: invitation, deviceName: deviceName)
            problem = nil
            return joined
        } catch {
            problem = error
            return nil
        }
    }
}
