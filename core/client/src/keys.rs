//! The keys of one handbook, and every label under which one is derived.
//!
//! ```text
//! vault: root (32 bytes) [+ PIN by Argon2id] ─HKDF─ wrapping key ─opens─ data key (in the file `keys`)
//! data key ─HKDF─ database · journal · signer · outgoing attachments · key check
//! ```
//!
//! Invariant: each key has one purpose and each purpose one label, all of them in [`Purpose`]. HKDF-SHA256 without salt, but for a
//! wrapping key with a PIN, whose salt is the stretched PIN. What is sealed is sealed with ChaCha20-Poly1305 under a random
//! nonce, with associated bytes that say where it belongs; one changed byte anywhere is refused. The file is [`crate::keys_file`].

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{hkdf, hmac};
use zeroize::Zeroizing;

use crate::error::HandbookError;

/// How many bytes the root key and the data key have.
pub(crate) const ROOT_BYTES: usize = 32;
const DATABASE_BYTES: usize = 48;

/// A key of 32 bytes, forgotten when it is dropped.
pub(crate) type Secret = Zeroizing<[u8; ROOT_BYTES]>;

/// What a key is for. A label never changes: what was encrypted long ago is opened by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// From the root: wraps the data key.
    Wrap,
    /// From the root and the PIN: wraps the data key.
    WrapWithPin,
    /// From the root: seals how many tries of the PIN are used.
    PinTries,
    /// Key and salt of the database.
    Database,
    /// Seals the journal's frames.
    Journal,
    /// Seals the phone's own signing key.
    Signer,
    /// Encrypts attachments on their way to the server.
    OutgoingBlobs,
    /// Names the files of those attachments.
    OutgoingNames,
    /// Makes the value that tells a wrong key from a damaged file.
    Check,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::Wrap => "wrap",
            Self::WrapWithPin => "wrap with pin",
            Self::PinTries => "pin tries",
            Self::Database => "db",
            Self::Journal => "journal",
            Self::Signer => "signer",
            Self::OutgoingBlobs => "outgoing blobs",
            Self::OutgoingNames => "outgoing names",
            Self::Check => "check",
        }
    }
}

/// Derives the keys; the data key itself is not kept.
pub(crate) struct Keys(hkdf::Prk);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive<const N: usize>(
    from: &hkdf::Prk,
    purpose: Purpose,
) -> Result<Zeroizing<[u8; N]>, HandbookError> {
    let mut key = Zeroizing::new([0; N]);
    expand(from, purpose.label().as_bytes(), key.as_mut_slice())?;
    Ok(key)
}

fn expand(from: &hkdf::Prk, label: &[u8], into: &mut [u8]) -> Result<(), HandbookError> {
    from.expand(&[label], Length(into.len()))
        .and_then(|okm| okm.fill(into))
        .map_err(|_| HandbookError::KeyFailed)
}

fn extract(salt: &[u8], secret: &[u8]) -> hkdf::Prk {
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret)
}

/// What wraps the data key: the root, and the stretched PIN where there is one.
pub(crate) fn wrapping(root: &Secret, pin: Option<&Secret>) -> Result<Seal, HandbookError> {
    let (salt, purpose) = match pin {
        Some(pin) => (&pin[..], Purpose::WrapWithPin),
        None => (&[][..], Purpose::Wrap),
    };
    Ok(Seal::new(&*derive::<32>(
        &extract(salt, &root[..]),
        purpose,
    )?))
}

/// What seals the number of used tries: the root alone, because it is counted before a PIN is looked at.
pub(crate) fn tries(root: &Secret) -> Result<Seal, HandbookError> {
    Ok(Seal::new(&*derive::<32>(
        &extract(&[], &root[..]),
        Purpose::PinTries,
    )?))
}

/// Argon2id, version 1.3, in one lane: slow and large on purpose. `memory` is in KiB.
pub(crate) fn stretched(
    secret: &[u8],
    salt: &[u8],
    memory: u32,
    passes: u32,
) -> Result<Secret, HandbookError> {
    let mut bytes = Secret::default();
    argon2::Params::new(memory, passes, 1, Some(ROOT_BYTES))
        .map(|params| {
            argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
        })
        .and_then(|argon| argon.hash_password_into(secret, salt, bytes.as_mut_slice()))
        .map_err(|_| HandbookError::KeyFailed)?;
    Ok(bytes)
}

/// A key that the vault gave: 32 bytes or a failure.
pub(crate) fn root(bytes: Vec<u8>) -> Result<Secret, HandbookError> {
    let bytes = Zeroizing::new(bytes);
    let mut root = Secret::default();
    if bytes.len() != ROOT_BYTES {
        return Err(HandbookError::KeyFailed);
    }
    root.copy_from_slice(&bytes);
    Ok(root)
}

/// A new key.
pub(crate) fn secret() -> Result<Secret, HandbookError> {
    Ok(Zeroizing::new(random()?))
}

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], HandbookError> {
    let mut bytes = [0; N];
    // The system's source fails only where it is missing altogether.
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| HandbookError::KeyFailed)?;
    Ok(bytes)
}

impl Keys {
    /// From the data key.
    pub(crate) fn from_data_key(key: &Secret) -> Self {
        Self(extract(&[], &key[..]))
    }

    fn derive<const N: usize>(
        &self,
        purpose: Purpose,
    ) -> Result<Zeroizing<[u8; N]>, HandbookError> {
        derive(&self.0, purpose)
    }

    /// Key and salt of the database as SQLCipher takes them: 96 hexadecimal digits.
    pub(crate) fn database(&self) -> Result<Zeroizing<String>, HandbookError> {
        let key = self.derive::<DATABASE_BYTES>(Purpose::Database)?;
        let mut text = Zeroizing::new(String::with_capacity(2 * DATABASE_BYTES));
        for byte in key.iter() {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
        Ok(text)
    }

    /// Seals the journal's frames.
    pub(crate) fn journal(&self) -> Result<Seal, HandbookError> {
        Ok(Seal::new(&*self.derive::<32>(Purpose::Journal)?))
    }

    /// Seals attachments on their way to the server. Follows from the data key, so that they outlive the database.
    pub(crate) fn outgoing_blobs(&self) -> Result<Zeroizing<[u8; 16]>, HandbookError> {
        self.derive(Purpose::OutgoingBlobs)
    }

    /// Names the files of those attachments.
    pub(crate) fn outgoing_names(&self) -> Result<Zeroizing<[u8; 32]>, HandbookError> {
        self.derive(Purpose::OutgoingNames)
    }

    /// Seals the phone's own signing key.
    pub(crate) fn signer(&self) -> Result<Seal, HandbookError> {
        Ok(Seal::new(&*self.derive::<32>(Purpose::Signer)?))
    }

    /// What lies beside the database, so that a wrong key is never taken for a damaged file. Says nothing about any key.
    pub(crate) fn check(&self) -> Result<[u8; 32], HandbookError> {
        let key = hmac::Key::new(
            hmac::HMAC_SHA256,
            self.derive::<32>(Purpose::Check)?.as_slice(),
        );
        let mut value = [0; 32];
        value.copy_from_slice(hmac::sign(&key, b"sotay key check v1").as_ref());
        Ok(value)
    }
}

/// Seals and opens under one key.
pub(crate) struct Seal(Option<LessSafeKey>);

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(…)")
    }
}

impl Seal {
    /// What sealing adds to a text.
    pub(crate) const ADDS: usize = NONCE_LEN + 16;

    fn new(key: &[u8; 32]) -> Self {
        Self(
            UnboundKey::new(&CHACHA20_POLY1305, key)
                .ok()
                .map(LessSafeKey::new),
        )
    }

    /// Nonce, then the sealed text.
    pub(crate) fn seal(&self, belongs: &[u8], plain: &[u8]) -> Result<Vec<u8>, HandbookError> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let mut sealed = Vec::with_capacity(plain.len() + Self::ADDS);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let key = self.0.as_ref().ok_or(HandbookError::KeyFailed)?;
        let tag = key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(belongs),
                &mut sealed[NONCE_LEN..],
            )
            .map_err(|_| HandbookError::KeyFailed)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// The text, or nothing where a byte or the place differs.
    pub(crate) fn open(&self, belongs: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let length = self
            .0
            .as_ref()?
            .open_in_place(nonce, Aad::from(belongs), &mut text)
            .ok()?
            .len();
        text.truncate(length);
        Some(text)
    }
}

#[cfg(test)]
mod tests;
