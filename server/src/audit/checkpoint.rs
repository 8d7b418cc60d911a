//! Checkpoints: how far every chain is, stated and signed once a day.
//!
//! A checkpoint names only the chains that went on since the one before, and the hash of that one, so that all of them
//! together say how far every chain is, and its size is that of a day. Kept outside the machine, as the text that
//! [`Kept`] is, it finds out even somebody who can sign.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use minicbor::{Decode, Encode};
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, UnparsedPublicKey};
use sotay_model::{Timestamp, cbor};

use super::Hash;

const LABEL: &[u8] = b"sotay audit checkpoint v1\0";
const FIRST_LINE: &str = "sotay audit checkpoint";

/// How far one chain is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Head {
    /// The chain's name.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub chain: Vec<u8>,
    /// Its last entry.
    #[n(1)]
    pub n: u64,
    /// That entry's hash.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub hash: Vec<u8>,
}

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Checkpoint {
    /// From 1, without gaps.
    #[n(0)]
    pub n: u64,
    /// When.
    #[n(1)]
    pub at: Timestamp,
    /// SHA-256 of the encoding of the one before; zeros before the first.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub before: Vec<u8>,
    /// The chains that went on since.
    #[n(3)]
    pub heads: Vec<Head>,
}

/// A signature and the public key it fits, both Ed25519.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// The public key.
    pub key: [u8; 32],
    /// The signature.
    pub signature: [u8; 64],
}

/// A checkpoint with its signature, as it is stored, and as a text to be kept elsewhere: four lines, the first
/// "sotay audit checkpoint" and its number, the others base64url of its encoding, the key and the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its number.
    pub n: u64,
    /// The encoded [`Checkpoint`].
    pub body: Vec<u8>,
    /// The public key.
    pub key: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

/// A text that is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a checkpoint of an audit log")]
pub struct NotACheckpoint;

impl Checkpoint {
    /// The bytes that are signed.
    pub fn signed_bytes(body: &[u8]) -> Vec<u8> {
        [LABEL, body].concat()
    }
}

impl Kept {
    /// The checkpoint, if its number and its signature by one of `keys` fit.
    pub fn open(&self, keys: &[[u8; 32]]) -> Option<Checkpoint> {
        let known = keys.iter().any(|key| key.as_slice() == self.key);
        let signed = known
            && UnparsedPublicKey::new(&ED25519, &self.key)
                .verify(&Checkpoint::signed_bytes(&self.body), &self.signature)
                .is_ok();
        let checkpoint: Checkpoint = signed
            .then(|| cbor::from_bytes(&self.body).ok())
            .flatten()?;
        (checkpoint.n == self.n).then_some(checkpoint)
    }

    /// What the next checkpoint names.
    pub fn hash(&self) -> Hash {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, &self.body).as_ref());
        hash
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE} {}", self.n)?;
        [&self.body, &self.key, &self.signature]
            .into_iter()
            .try_for_each(|bytes| writeln!(f, "{}", BASE64.encode(bytes)))
    }
}

impl FromStr for Kept {
    type Err = NotACheckpoint;

    fn from_str(text: &str) -> Result<Self, NotACheckpoint> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let n = lines
            .next()
            .and_then(|line| line.strip_prefix(FIRST_LINE))
            .and_then(|n| n.trim().parse().ok())
            .ok_or(NotACheckpoint)?;
        let mut bytes = || {
            let line = lines.next().ok_or(NotACheckpoint)?;
            BASE64.decode(line).map_err(|_| NotACheckpoint)
        };
        let kept = Self {
            n,
            body: bytes()?,
            key: bytes()?,
            signature: bytes()?,
        };
        let whole = kept.key.len() == 32 && kept.signature.len() == 64;
        match lines.next() {
            None if whole => Ok(kept),
            _ => Err(NotACheckpoint),
        }
    }
}
