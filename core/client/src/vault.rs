//! Where the root key rests: the platform's key store, behind one small foreign trait.
//!
//! The 32-byte root never leaves the platform's vault but through this trait. It opens the data key (see [`crate::keys`]), under
//! whose keys everything else on the phone is encrypted.

/// What the vault answers when it is asked for the root key.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum VaultAnswer {
    /// The key, 32 bytes.
    Key {
        /// The root key.
        root: Vec<u8>,
    },
    /// There is none yet: the handbook makes one and calls `store`.
    Empty,
    /// The phone is locked; later it will be there.
    LockedNow,
    /// It was there and is gone for good, as after a change of the screen lock on some phones.
    Lost,
}

impl std::fmt::Debug for VaultAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Key { .. } => "Key",
            Self::Empty => "Empty",
            Self::LockedNow => "LockedNow",
            Self::Lost => "Lost",
        })
    }
}

/// The vault could not answer; trying again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Error))]
pub enum VaultError {
    /// It failed.
    #[error("the vault failed")]
    Failed,
}

#[cfg(feature = "uniffi")]
impl From<uniffi::UnexpectedUniFFICallbackError> for VaultError {
    // The foreign error carries a whole stack trace; nothing of it is kept.
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

/// The platform's key store: Android Keystore, iOS Keychain, or a file in tests.
#[cfg_attr(feature = "uniffi", uniffi::export(with_foreign))]
pub trait KeyVault: Send + Sync {
    /// The root key, or why it is not there.
    fn root_key(&self) -> Result<VaultAnswer, VaultError>;
    /// Keeps a new root key, 32 bytes, in place of the one before, if there was one. Afterwards and whenever the phone dies it has the
    /// old one or the new one; on return the new one lasts. Called before anything is encrypted under it, and when keys or PIN
    /// are changed.
    fn store(&self, root: Vec<u8>) -> Result<(), VaultError>;
    /// Destroys the root key: nothing on the phone can be read afterwards. No error where there is none.
    fn destroy(&self) -> Result<(), VaultError>;
}
