import Foundation
import Sotay

/// A key store whose root goes together with the keys that the phone's secure hardware holds, so that whoever joins on
/// this phone next has others.
///
/// The hardware's keys go first. As long as the root is there the library takes the handbook for one that is still to be
/// deleted, and comes here again at the next start: so neither a phone that dies in between nor hardware that fails leaves
/// a key behind.
public final class ErasingVault: KeyVault, Sendable {
    private let vault: any KeyVault
    private let eraseHardware: @Sendable () throws -> Void

    /// `eraseHardware` erases the hardware's keys; it is no error that there are none.
    public init(_ vault: any KeyVault, eraseHardware: @escaping @Sendable () throws -> Void) {
        self.vault = vault
        self.eraseHardware = eraseHardware
    }

    public func rootKey() throws -> VaultAnswer { try vault.rootKey() }

    public func store(root: Data) throws { try vault.store(root: root) }

    public func destroy() throws {
        do {
            try eraseHardware()
        } catch {
            throw VaultError.Failed
        }
        try vault.destroy()
    }
}
