#if canImport(Security)
    import CryptoKit
    import Foundation
    import LocalAuthentication
    import Security
    import Sotay

    /// The phone's two keys on P-256, in its Secure Enclave: they are made there and never leave it.
    ///
    /// The device key can be used from the first unlock after a restart, so that the background refresh can begin a
    /// session. The key for privileged acts signs only after a face, a finger or the phone's code, each time anew; it goes
    /// when the phone's code is taken away, and the phone then has to join again to approve anything.
    public final class SecureEnclaveSigner: DeviceSigner, Sendable {
        private enum Key: String {
            case device, approval
        }

        private let account: String

        /// None on a phone without a Secure Enclave. `account` tells several handbooks on one phone apart.
        public init?(account: String) {
            guard SecureEnclave.isAvailable else { return nil }
            self.account = account
        }

        public func deviceKey() throws -> Data {
            try publicHalf(of: found(.device) ?? made(.device))
        }

        public func sign(message: Data) throws -> Data {
            guard let key = try found(.device) else { throw SignerError.Failed }
            return try signature(of: message, with: key)
        }

        public func approvalKey() throws -> Data? {
            if let key = try found(.approval) { return try publicHalf(of: key) }
            // Without a code on the phone there is nothing that could be asked for.
            guard LAContext().canEvaluatePolicy(.deviceOwnerAuthentication, error: nil) else { return nil }
            return try publicHalf(of: try made(.approval))
        }

        /// Signs with the key for privileged acts. The phone shows `reason` and asks for a face, a finger or its code; it
        /// throws where nobody showed any.
        public func approve(_ challenge: Data, reason: String) async throws -> Data {
            try await withCheckedThrowingContinuation { continuation in
                // It blocks as long as the phone asks.
                DispatchQueue.global(qos: .userInitiated).async {
                    continuation.resume(
                        with: Result {
                            let context = LAContext()
                            context.localizedReason = reason
                            guard let key = try self.found(.approval, context) else { throw SignerError.Failed }
                            return try self.signature(of: challenge, with: key)
                        })
                }
            }
        }

        /// Erases both keys, where there are any: whoever joins on this phone next has others.
        public func erase() throws {
            for key in [Key.approval, .device] {
                let status = SecItemDelete(item(key) as CFDictionary)
                guard status == errSecSuccess || status == errSecItemNotFound else { throw SignerError.Failed }
            }
        }

        // MARK: - The keychain

        private func tag(_ key: Key) -> Data { Data("vn.sotay.\(key.rawValue).\(account)".utf8) }

        private func item(_ key: Key) -> [CFString: Any] {
            [
                kSecClass: kSecClassKey, kSecAttrApplicationTag: tag(key),
                kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
            ]
        }

        private func found(_ key: Key, _ context: LAContext? = nil) throws -> SecKey? {
            var query = item(key)
            query[kSecReturnRef] = true
            query[kSecMatchLimit] = kSecMatchLimitOne
            if let context { query[kSecUseAuthenticationContext] = context }
            var found: CFTypeRef?
            switch SecItemCopyMatching(query as CFDictionary, &found) {
            case errSecSuccess:
                guard let found, CFGetTypeID(found) == SecKeyGetTypeID() else { throw SignerError.Failed }
                return (found as! SecKey)
            case errSecItemNotFound: return nil
            case errSecInteractionNotAllowed: throw SignerError.LockedNow
            default: throw SignerError.Failed
            }
        }

        private func made(_ key: Key) throws -> SecKey {
            let asks = key == .approval
            let protection =
                asks
                ? kSecAttrAccessibleWhenPasscodeSetThisDeviceOnly : kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly
            let access = SecAccessControlCreateWithFlags(
                nil, protection, asks ? [.privateKeyUsage, .userPresence] : .privateKeyUsage, nil)
            guard let access else { throw SignerError.Failed }
            let attributes: [CFString: Any] = [
                kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom, kSecAttrKeySizeInBits: 256,
                kSecAttrTokenID: kSecAttrTokenIDSecureEnclave,
                kSecPrivateKeyAttrs: [
                    kSecAttrIsPermanent: true, kSecAttrApplicationTag: tag(key), kSecAttrAccessControl: access,
                ] as [CFString: Any],
            ]
            var error: Unmanaged<CFError>?
            guard let made = SecKeyCreateRandomKey(attributes as CFDictionary, &error) else {
                throw reason(error)
            }
            return made
        }

        /// As an uncompressed point.
        private func publicHalf(of key: SecKey) throws -> Data {
            var error: Unmanaged<CFError>?
            guard let half = SecKeyCopyPublicKey(key), let point = SecKeyCopyExternalRepresentation(half, &error) else {
                throw reason(error)
            }
            return point as Data
        }

        private func signature(of message: Data, with key: SecKey) throws -> Data {
            var error: Unmanaged<CFError>?
            let signature = SecKeyCreateSignature(
                key, .ecdsaSignatureMessageX962SHA256, message as CFData, &error)
            guard let signature else { throw reason(error) }
            return signature as Data
        }

        private func reason(_ error: Unmanaged<CFError>?) -> SignerError {
            let code = error.map { CFErrorGetCode($0.takeRetainedValue()) }
            return code == Int(errSecInteractionNotAllowed) ? .LockedNow : .Failed
        }
    }
#endif
