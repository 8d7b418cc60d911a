//! The keys of one handbook, all derived from the 32-byte root that the platform's vault keeps.
//!
//! HKDF-SHA256 without salt, one label for each purpose. What is sealed is sealed with ChaCha20-Poly1305 under a random
//! nonce, with associated bytes that say where it belongs; one changed byte anywhere is refused.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{hkdf, hmac};
use zeroize::Zeroizing;

use crate::error::HandbookError;

/// How many bytes the root key has.
pub(crate) const ROOT_BYTES: usize = 32;
const DATABASE_BYTES: usize = 48;

/// Derives the keys; the root itself is not kept.
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
    /// From the root key.
    pub(crate) fn from_root(root: &[u8]) -> Result<Self, HandbookError> {
        if root.len() != ROOT_BYTES {
            return Err(HandbookError::KeyFailed);
        }
        Ok(Self(hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(root)))
    }

    fn derive<const N: usize>(&self, label: &str) -> Result<Zeroizing<[u8; N]>, HandbookError> {
        let mut key = Zeroizing::new([0; N]);
        let info = [label.as_bytes()];
        self.0
            .expand(&info, Length(N))
            .and_then(|okm| okm.fill(key.as_mut_slice()))
            .map_err(|_| HandbookError::KeyFailed)?;
        Ok(key)
    }

    /// Key and salt of the database as SQLCipher takes them: 96 hexadecimal digits.
    pub(crate) fn database(&self) -> Result<Zeroizing<String>, HandbookError> {
        let key = self.derive::<DATABASE_BYTES>("db")?;
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
        Ok(Seal::new(&*self.derive::<32>("journal")?))
    }

    /// Seals attachments on their way to the server. Follows from the root, so that they outlive the database.
    pub(crate) fn outgoing_blobs(&self) -> Result<Zeroizing<[u8; 16]>, HandbookError> {
        self.derive("outgoing blobs")
    }

    /// Seals the phone's own signing key.
    pub(crate) fn signer(&self) -> Result<Seal, HandbookError> {
        Ok(Seal::new(&*self.derive::<32>("signer")?))
    }

    /// What lies beside the database, so that a wrong key is never taken for a damaged file. Says nothing about any key.
    pub(crate) fn check(&self) -> Result<[u8; 32], HandbookError> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.derive::<32>("check")?.as_slice());
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
