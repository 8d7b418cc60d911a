//! What an organisation states to its phones under its signature: whom to trust from now on, and how old an app may be.
//!
//! A phone begins with what it was handed when it joined. A statement replaces that as a whole. It counts only if one of the
//! organisation's keys that the phone knows already has signed it, and if it is newer than the one before: so nobody who holds
//! up an old one, or another organisation's, takes a phone back. Both go over two roots and two keys, one in use and one spare,
//! as The Update Framework does it with its root role.
//!
//! It travels in the header [`STATEMENT_HEADER`]: the phone says the serial it has, and the server answers with a newer one.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minicbor::{Decode, Encode};

use crate::device_key::PublicKey;
use crate::exchange::hash;
use crate::{cbor, wire::TrustAnchors};

/// Of a request: the serial of the statement that the phone has, in decimal. Of an answer: a newer statement.
pub const STATEMENT_HEADER: &str = "sotay-statement";
/// The most characters of the header in an answer: some eight certificates.
const MAX_HEADER: usize = 8_192;
const STATEMENT: &[u8] = b"sotay statement v1";
const KEY_BYTES: usize = 32;

/// The version of an app's library: three numbers, compared in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Version(#[n(0)] u64);

impl Version {
    /// Reads `X.Y.Z`, each below 65,536; none where it is something else. What follows a hyphen or a plus does not count.
    pub fn parse(text: &str) -> Option<Self> {
        let numbers = text.split(['-', '+']).next()?;
        let mut packed = 0;
        let mut count = 0;
        for number in numbers.split('.') {
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let number: u16 = digits.then(|| number.parse().ok()).flatten()?;
            packed = packed << 16 | u64::from(number);
            count += 1;
        }
        (count == 3).then_some(Self(packed))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}",
            self.0 >> 32,
            self.0 >> 16 & 0xffff,
            self.0 & 0xffff
        )
    }
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Statement {
    /// Grows with each statement; the server takes the time in milliseconds, so that one restored from a backup grows on too.
    #[n(0)]
    pub serial: u64,
    /// Whom to trust from now on.
    #[n(1)]
    pub anchors: TrustAnchors,
    /// Apps with an older library enter nothing more; 0.0.0: none is too old.
    #[n(2)]
    #[cbor(default)]
    pub minimum: Version,
}

/// A statement as it travels and lies on the server's disk.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignedStatement {
    /// The encoded [`Statement`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub statement: Vec<u8>,
    /// Ed25519 signature of an organisation's key over [`SignedStatement::signed_bytes`], 64 bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
}

/// Why a statement changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatementFault {
    /// It cannot be read.
    #[error("unreadable")]
    Unreadable,
    /// No key that is known has signed it.
    #[error("not signed by a known key of the organisation")]
    Forged,
    /// It is the one that is known, or an older one.
    #[error("not newer than the one before")]
    NotNewer,
    /// Whoever followed it could trust nobody any more.
    #[error("without usable anchors")]
    Unusable,
}

impl SignedStatement {
    /// What the organisation's key signs: 32 bytes.
    pub fn signed_bytes(statement: &[u8]) -> [u8; 32] {
        hash(STATEMENT, &[statement])
    }

    /// As it stands in the header of an answer.
    pub fn header(&self) -> String {
        URL_SAFE_NO_PAD.encode(cbor::to_bytes(self))
    }

    /// Reads the header.
    pub fn from_header(text: &str) -> Result<Self, StatementFault> {
        let bytes = (text.len() <= MAX_HEADER)
            .then(|| URL_SAFE_NO_PAD.decode(text).ok())
            .flatten();
        cbor::from_bytes(&bytes.ok_or(StatementFault::Unreadable)?)
            .map_err(|_| StatementFault::Unreadable)
    }

    /// The statement, if one of these organisation keys (Ed25519, 32 bytes) signed it and its serial is above `after`.
    pub fn open<'k>(
        &self,
        organisation: impl IntoIterator<Item = &'k [u8]>,
        after: u64,
    ) -> Result<Statement, StatementFault> {
        let signed = Self::signed_bytes(&self.statement);
        organisation
            .into_iter()
            .any(|key| PublicKey::ed25519(key).verifies(&signed, &self.signature))
            .then_some(())
            .ok_or(StatementFault::Forged)?;
        let statement: Statement =
            cbor::from_bytes(&self.statement).map_err(|_| StatementFault::Unreadable)?;
        if statement.serial <= after {
            return Err(StatementFault::NotNewer);
        }
        let TrustAnchors { tls, organisation } = &statement.anchors;
        let keys_fit = organisation.iter().all(|key| key.len() == KEY_BYTES);
        if tls.is_empty() || organisation.is_empty() || !keys_fit {
            return Err(StatementFault::Unusable);
        }
        Ok(statement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{Ed25519KeyPair, KeyPair};

    fn pair(seed: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
    }

    fn public(seed: u8) -> Vec<u8> {
        pair(seed).public_key().as_ref().to_vec()
    }

    fn statement(serial: u64) -> Statement {
        Statement {
            serial,
            anchors: TrustAnchors {
                tls: vec![vec![0x30; 32].into()],
                organisation: vec![public(2).into(), public(3).into()],
            },
            minimum: Version::parse("1.2.3").unwrap(),
        }
    }

    fn signed(statement: &Statement, seed: u8) -> SignedStatement {
        let statement = cbor::to_bytes(statement);
        let signature = pair(seed).sign(&SignedStatement::signed_bytes(&statement));
        SignedStatement {
            statement,
            signature: signature.as_ref().to_vec(),
        }
    }

    #[test]
    fn network_2_a_statement_counts_under_a_known_key_and_if_it_is_newer() {
        let known = [public(1), public(2)];
        let open =
            |signed: &SignedStatement, after| signed.open(known.iter().map(Vec::as_slice), after);
        // By the key in use, and by the spare.
        for key in [1, 2] {
            assert_eq!(open(&signed(&statement(7), key), 6), Ok(statement(7)));
        }
        let good = signed(&statement(7), 1);
        for after in [7, 8, u64::MAX] {
            assert_eq!(open(&good, after), Err(StatementFault::NotNewer));
        }
        // The key that it introduces does not speak for itself, nor does another organisation's.
        for key in [3, 9] {
            assert_eq!(
                open(&signed(&statement(7), key), 6),
                Err(StatementFault::Forged)
            );
        }
        assert_eq!(good.open([], 6), Err(StatementFault::Forged));
    }

    #[test]
    fn crypto_1_a_statement_with_any_byte_changed_or_missing_is_refused() {
        let known = public(1);
        let good = cbor::to_bytes(&signed(&statement(7), 1));
        let read = |bytes: &[u8]| {
            let text = URL_SAFE_NO_PAD.encode(bytes);
            SignedStatement::from_header(&text)?.open([known.as_slice()], 6)
        };
        assert_eq!(read(&good), Ok(statement(7)));
        for place in 0..good.len() {
            let mut changed = good.clone();
            changed[place] ^= 1;
            assert!(read(&changed).is_err(), "byte {place}");
            assert!(read(&good[..place]).is_err(), "cut at {place}");
        }
        for text in ["", "đ", "=", &"A".repeat(100_000)] {
            assert_eq!(
                SignedStatement::from_header(text),
                Err(StatementFault::Unreadable)
            );
        }
    }

    #[test]
    fn network_2_a_statement_without_roots_or_keys_is_refused_whoever_signed_it() {
        let nobody = |anchors: TrustAnchors| Statement {
            anchors,
            ..statement(7)
        };
        let TrustAnchors { tls, organisation } = statement(7).anchors;
        for anchors in [
            TrustAnchors {
                tls: vec![],
                organisation: organisation.clone(),
            },
            TrustAnchors {
                tls: tls.clone(),
                organisation: vec![],
            },
            TrustAnchors {
                tls,
                organisation: vec![vec![1; 31].into()],
            },
        ] {
            let opened = signed(&nobody(anchors), 1).open([&public(1)[..]], 6);
            assert_eq!(opened, Err(StatementFault::Unusable));
        }
    }

    #[test]
    fn code_versions_are_read_written_and_compared_number_by_number() {
        for text in ["0.0.0", "0.1.0", "1.2.3", "65535.65535.65535"] {
            assert_eq!(Version::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Version::parse("1.2.3-beta+7"), Version::parse("1.2.3"));
        for text in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "1.2.x",
            "1.2.+3",
            "1..3",
            "65536.0.0",
            "v1.2.3",
            " 1.2.3",
        ] {
            assert_eq!(Version::parse(text), None, "{text:?}");
        }
        let ordered = ["0.0.9", "0.9.0", "0.10.0", "1.0.0", "1.0.10", "1.2.0"]
            .map(|text| Version::parse(text).unwrap());
        assert!(ordered.is_sorted());
        assert_eq!(Version::default(), Version::parse("0.0.0").unwrap());
    }
}
