import Foundation
import Sotay
import SotayTestSupport

@testable import SotayApp

/// The app is at another stage.
struct Unexpected: Error {}

/// A clock that goes on when it is told to.
final class TestClock: @unchecked Sendable {
    private let lock = NSLock()
    private var instant = ContinuousClock.now

    func now() -> ContinuousClock.Instant { lock.withLock { instant } }

    func advance(_ duration: Duration) {
        lock.withLock { instant += duration }
    }
}

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

    /// Joins and is seen, as after the first start.
    func joins(_ phone: String, at server: ScenarioServer) async throws {
        await resume()
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

/// A phone's key store and secure hardware, which end together as on the phone itself.
struct Hardware {
    let vault = MemoryVault()
    let signer: OpensslSigner
    let erasing: ErasingVault

    init() throws {
        let signer = try OpensslSigner()
        self.signer = signer
        erasing = ErasingVault(vault) { try signer.erase() }
    }

    /// Both keys' public halves.
    func keys() throws -> [Data?] { [try signer.deviceKey(), try signer.approvalKey()] }
}
