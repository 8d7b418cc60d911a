#if canImport(Security)
    import Foundation
    import Security
    import Sotay

    /// The root key in the phone's keychain: on this phone only, in no backup, and there from the first unlock after a
    /// restart, so that the background refresh can work.
    public final class KeychainVault: KeyVault, Sendable {
        private let account: String
        private let madeMark: URL

        /// `account` tells several handbooks on one phone apart; the mark in `folder` tells a lost key from one never
        /// made.
        public init(account: String, folder: URL) {
            self.account = account
            self.madeMark = folder.appendingPathComponent("key-made")
        }

        private var item: [CFString: Any] {
            [kSecClass: kSecClassGenericPassword, kSecAttrService: "vn.sotay.root", kSecAttrAccount: account]
        }

        public func rootKey() throws -> VaultAnswer {
            var query = item
            query[kSecReturnData] = true
            query[kSecMatchLimit] = kSecMatchLimitOne
            var found: CFTypeRef?
            switch SecItemCopyMatching(query as CFDictionary, &found) {
            case errSecSuccess:
                guard let root = found as? Data else { throw VaultError.Failed }
                return .key(root: root)
            case errSecItemNotFound:
                return FileManager.default.fileExists(atPath: madeMark.path) ? .lost : .empty
            case errSecInteractionNotAllowed:
                return .lockedNow
            default:
                throw VaultError.Failed
            }
        }

        public func store(root: Data) throws {
            // In place of the one before, in one step: a phone that dies here has either of them.
            let attributes: [CFString: Any] = [
                kSecValueData: root, kSecAttrAccessible: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly,
            ]
            var status = SecItemUpdate(item as CFDictionary, attributes as CFDictionary)
            if status == errSecItemNotFound {
                status = SecItemAdd(item.merging(attributes) { $1 } as CFDictionary, nil)
            }
            guard status == errSecSuccess else { throw VaultError.Failed }
            guard FileManager.default.createFile(atPath: madeMark.path, contents: nil) else { throw VaultError.Failed }
        }

        public func destroy() throws {
            let status = SecItemDelete(item as CFDictionary)
            guard status == errSecSuccess || status == errSecItemNotFound else { throw VaultError.Failed }
            try? FileManager.default.removeItem(at: madeMark)
        }
    }
#endif
