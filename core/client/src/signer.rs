//! The key that makes a phone this phone: in its secure hardware behind one small foreign trait, or held by the core.
//!
//! Hardware never shows its key and may be locked; it is asked when a phone joins and when a session begins, once a day. Where
//! there is none, the core holds an Ed25519 key, sealed under the root key; such a phone has no key for privileged acts.

use std::sync::Arc;

use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use sotay_model::device_key::{self, PublicKey};
use zeroize::Zeroizing;

use crate::error::HandbookError;
use crate::keys::Keys;

const DEVICE_KEY: &[u8] = b"device key";

/// The hardware could not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Error))]
pub enum SignerError {
    /// The phone is locked; later it will work.
    #[error("locked now")]
    LockedNow,
    /// It failed; trying again may help.
    #[error("the hardware failed")]
    Failed,
}

#[cfg(feature = "uniffi")]
impl From<uniffi::UnexpectedUniFFICallbackError> for SignerError {
    // The foreign error carries a whole stack trace; nothing of it is kept.
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

impl From<SignerError> for HandbookError {
    fn from(error: SignerError) -> Self {
        match error {
            SignerError::LockedNow => Self::KeyLocked,
            SignerError::Failed => Self::KeyFailed,
        }
    }
}

/// Keys on P-256 in the phone's secure hardware: Android Keystore, the Secure Enclave.
#[cfg_attr(feature = "uniffi", uniffi::export(with_foreign))]
pub trait DeviceSigner: Send + Sync {
    /// The device key's public half, an uncompressed point or a SubjectPublicKeyInfo; made at the first call.
    fn device_key(&self) -> Result<Vec<u8>, SignerError>;
    /// Signs SHA-256 of the message with the device key, in DER. Asks nobody.
    fn sign(&self, message: Vec<u8>) -> Result<Vec<u8>, SignerError>;
    /// The public half of the key for privileged acts, which signs after a fresh unlock only; none where the hardware has
    /// no such keys. Made at the first call.
    fn approval_key(&self) -> Result<Option<Vec<u8>>, SignerError>;
}

/// The device key.
pub(crate) enum Device {
    /// Held by the core.
    Core(Ed25519KeyPair),
    /// The hardware's; none where the handbook was opened without it.
    Hardware(Option<Arc<dyn DeviceSigner>>),
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Device(…)")
    }
}

impl Device {
    /// The key a phone joins with, and what is kept of it: sealed, or nothing where the hardware has it.
    pub(crate) fn new(
        keys: &Keys,
        hardware: Option<&Arc<dyn DeviceSigner>>,
    ) -> Result<(Self, Vec<u8>), HandbookError> {
        if let Some(hardware) = hardware {
            return Ok((Self::Hardware(Some(Arc::clone(hardware))), Vec::new()));
        }
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map_err(|_| HandbookError::KeyFailed)?;
        let pkcs8 = Zeroizing::new(document.as_ref().to_vec());
        let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|_| HandbookError::KeyFailed)?;
        Ok((Self::Core(pair), keys.signer()?.seal(DEVICE_KEY, &pkcs8)?))
    }

    /// From what was kept.
    pub(crate) fn open(
        kept: &[u8],
        keys: &Keys,
        hardware: Option<&Arc<dyn DeviceSigner>>,
    ) -> Result<Self, HandbookError> {
        if kept.is_empty() {
            return Ok(Self::Hardware(hardware.cloned()));
        }
        let pkcs8 = keys.signer()?.open(DEVICE_KEY, kept).map(Zeroizing::new);
        Ed25519KeyPair::from_pkcs8(&pkcs8.ok_or(HandbookError::WrongKey)?)
            .map(Self::Core)
            .map_err(|_| HandbookError::KeyFailed)
    }

    /// The public half.
    pub(crate) fn public_key(&self) -> Result<PublicKey, HandbookError> {
        match self {
            Self::Core(pair) => Ok(PublicKey::ed25519(pair.public_key().as_ref())),
            Self::Hardware(hardware) => p256(&there(hardware)?.device_key()?),
        }
    }

    /// The key for privileged acts, if the phone has one.
    pub(crate) fn approval_key(&self) -> Result<Option<PublicKey>, HandbookError> {
        match self {
            Self::Core(_) => Ok(None),
            Self::Hardware(hardware) => there(hardware)?
                .approval_key()?
                .map(|key| p256(&key))
                .transpose(),
        }
    }

    /// Signs, 64 bytes.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, HandbookError> {
        match self {
            Self::Core(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Self::Hardware(hardware) => fixed(&there(hardware)?.sign(message.to_vec())?),
        }
    }
}

/// A signature of hardware as it travels.
pub(crate) fn fixed(der: &[u8]) -> Result<Vec<u8>, HandbookError> {
    device_key::fixed_from_der(der)
        .map(Vec::from)
        .map_err(|_| HandbookError::KeyFailed)
}

fn p256(key: &[u8]) -> Result<PublicKey, HandbookError> {
    PublicKey::p256(key).map_err(|_| HandbookError::KeyFailed)
}

fn there(hardware: &Option<Arc<dyn DeviceSigner>>) -> Result<&dyn DeviceSigner, HandbookError> {
    hardware.as_deref().ok_or(HandbookError::KeyFailed)
}
