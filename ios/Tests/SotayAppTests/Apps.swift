import Foundation
import Sotay
import SotayTestSupport

@testable import SotayApp

/// The app is at another stage.
struct Unexpected: Error {}

extension AppModel {
    var join: JoinModel {
        get throws {
            guard case .joining(let join) = stage else { throw Unexpected() }
            return join
        }
    }

    var lock: PinModel {
        get throws {
            guard case .locked(let pin) = stage else { throw Unexpected() }
            return pin
        }
    }

    var handbook: Handbook {
        get throws {
            guard case .ready(let handbook) = stage else { throw Unexpected() }
            return handbook
        }
    }

    /// Joins, as after the first start.
    func joins(_ phone: String, at server: ScenarioServer) async throws {
        await open()
        let join = try self.join
        try await join.claims(server.invitation(of: phone))
        try server.confirm(try join.claimed.digits)
        guard await join.finish() != nil else { throw Unexpected() }
        await joined()
        try await handbook.sync()
    }
}

extension JoinModel {
    /// Scans an invitation, and presses what is offered.
    func claims(_ invitation: String) async throws {
        await offer(invitation)
        guard let offered else { throw Unexpected() }
        await join(offered)
    }

    /// The claim that waits.
    var claimed: JoiningView {
        get throws {
            guard let waiting else { throw Unexpected() }
            return waiting
        }
    }
}
