//! Sessions: a key for a day, certified by the phone's device key.
//!
//! Requests are signed by an Ed25519 key that the phone makes anew each day, so that the key in the phone's hardware, slow and
//! sometimes locked, is asked once a day. The certificate names the phone, the session key and one of the server's nonces,
//! whose age the server knows: by that, not by any clock of the phone, the session ends after [`SESSION_MS`].
//!
//! It travels in the header [`SESSION_HEADER`], as base64url of CBOR, until the server has answered once.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minicbor::{Decode, Encode};

use crate::device_key::PublicKey;
use crate::exchange::hash;
use crate::id::InstallationId;
use crate::{cbor, time::Timestamp};

/// How long a session lasts, counted from its nonce, in milliseconds.
pub const SESSION_MS: i64 = 24 * 3_600_000;
/// Where a certificate travels.
pub const SESSION_HEADER: &str = "sotay-session";
/// The bytes of a session key.
pub const SESSION_KEY_BYTES: usize = 32;
/// The most characters of the header.
const MAX_HEADER: usize = 512;

const SESSION: &[u8] = b"sotay session v1";
const REVOCATION: &[u8] = b"sotay revocation v1";
const ACT: &[u8] = b"sotay privileged act v1";

/// A device key's word for a session key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SessionCertificate {
    /// Which phone.
    #[n(0)]
    pub installation: InstallationId,
    /// The session's Ed25519 key, 32 bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub key: Vec<u8>,
    /// A nonce that the server gave out for this key.
    #[n(2)]
    pub nonce: String,
    /// The device key's signature over [`SessionCertificate::signed_bytes`], 64 bytes.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
}

impl SessionCertificate {
    /// What the device key signs: 32 bytes.
    pub fn signed_bytes(installation: InstallationId, key: &[u8], nonce: &str) -> [u8; 32] {
        hash(SESSION, &[installation.0.as_bytes(), key, nonce.as_bytes()])
    }

    /// Whether the device key made it.
    pub fn fits(&self, device: &PublicKey) -> bool {
        let signed = Self::signed_bytes(self.installation, &self.key, &self.nonce);
        self.key.len() == SESSION_KEY_BYTES && device.verifies(&signed, &self.signature)
    }

    /// As it stands in the header.
    pub fn header(&self) -> String {
        URL_SAFE_NO_PAD.encode(cbor::to_bytes(self))
    }

    /// Reads the header; none where it is no certificate, or not in its one form.
    pub fn from_header(text: &str) -> Option<Self> {
        if text.len() > MAX_HEADER {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let read: Self = cbor::from_bytes(&bytes).ok()?;
        (read.header() == text).then_some(read)
    }
}

/// The organisation's word that a phone is no longer a member's: the only message that wipes a handbook.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Revocation {
    /// Which phone.
    #[n(0)]
    pub installation: InstallationId,
    /// When, by the server's clock.
    #[n(1)]
    pub at: Timestamp,
    /// Ed25519 signature of the organisation's root over [`Revocation::signed_bytes`], 64 bytes.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
}

impl Revocation {
    /// What the organisation's root signs: 32 bytes.
    pub fn signed_bytes(installation: InstallationId, at: Timestamp) -> [u8; 32] {
        let at = at.0.to_be_bytes();
        hash(REVOCATION, &[installation.0.as_bytes(), &at])
    }

    /// Whether it names this phone and one of these organisation keys (Ed25519, 32 bytes) signed it.
    pub fn holds<'k>(
        &self,
        phone: InstallationId,
        organisation: impl IntoIterator<Item = &'k [u8]>,
    ) -> bool {
        let signed = Self::signed_bytes(self.installation, self.at);
        self.installation == phone
            && organisation
                .into_iter()
                .any(|key| PublicKey::ed25519(key).verifies(&signed, &self.signature))
    }
}

/// What the key for privileged acts signs: which phone wants which act, in answer to the server's nonce. 32 bytes.
pub fn act_bytes(installation: InstallationId, act: &[u8], nonce: &[u8]) -> [u8; 32] {
    hash(ACT, &[installation.0.as_bytes(), act, nonce])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::BoardLink;
    use crate::id::{Id, OrganisationId};
    use crate::statement::SignedStatement;
    use std::collections::HashSet;

    use ring::signature::{Ed25519KeyPair, KeyPair};

    fn phone(byte: u8) -> InstallationId {
        InstallationId(Id::from_bytes([byte; 16]))
    }

    fn device() -> (Ed25519KeyPair, PublicKey) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[3; 32]).unwrap();
        let key = PublicKey::ed25519(pair.public_key().as_ref());
        (pair, key)
    }

    fn certificate() -> SessionCertificate {
        let signed = SessionCertificate::signed_bytes(phone(1), &[5; 32], "nonce");
        SessionCertificate {
            installation: phone(1),
            key: vec![5; 32],
            nonce: "nonce".into(),
            signature: device().0.sign(&signed).as_ref().to_vec(),
        }
    }

    #[test]
    fn crypto_1_a_certificate_with_any_one_thing_changed_is_refused() {
        let good = certificate();
        let key = device().1;
        assert!(good.fits(&key));
        for changed in [
            SessionCertificate {
                installation: phone(2),
                ..good.clone()
            },
            SessionCertificate {
                key: vec![6; 32],
                ..good.clone()
            },
            SessionCertificate {
                key: vec![5; 31],
                ..good.clone()
            },
            SessionCertificate {
                nonce: "other".into(),
                ..good.clone()
            },
            SessionCertificate {
                signature: vec![0; 64],
                ..good.clone()
            },
        ] {
            assert!(!changed.fits(&key), "{changed:?}");
        }
        assert!(!good.fits(&PublicKey::ed25519(&[9; 32])));
    }

    #[test]
    fn a_certificate_is_read_from_its_one_header() {
        let header = certificate().header();
        assert!(header.len() <= 260, "{}", header.len());
        assert_eq!(
            SessionCertificate::from_header(&header),
            Some(certificate())
        );
        for other in [
            String::new(),
            header.to_lowercase(),
            format!("{header}="),
            format!("{header}A"),
            header[1..].to_owned(),
            "A".repeat(1_000_000),
            "đ".into(),
        ] {
            assert_eq!(SessionCertificate::from_header(&other), None);
        }
    }

    #[test]
    fn a_revocation_holds_for_the_phone_it_names_under_an_organisation_s_key() {
        let (pair, key) = device();
        let at = Timestamp(1_790_000_000_000);
        let revocation = Revocation {
            installation: phone(1),
            at,
            signature: pair
                .sign(&Revocation::signed_bytes(phone(1), at))
                .as_ref()
                .to_vec(),
        };
        let other = [8_u8; 32];
        assert!(revocation.holds(phone(1), [&other[..], &key.bytes]));
        assert!(!revocation.holds(phone(2), [&key.bytes[..]]));
        assert!(!revocation.holds(phone(1), [&other[..]]));
        assert!(!revocation.holds(phone(1), []));
        let moved = Revocation {
            installation: phone(2),
            ..revocation.clone()
        };
        assert!(!moved.holds(phone(2), [&key.bytes[..]]));
        let later = Revocation {
            at: Timestamp(at.0 + 1),
            ..revocation
        };
        assert!(!later.holds(phone(1), [&key.bytes[..]]));
    }

    #[test]
    fn crypto_2_each_signed_message_has_a_label_of_its_own() {
        let at = Timestamp(0);
        let signed = [
            SessionCertificate::signed_bytes(phone(1), &[0; 8], ""),
            Revocation::signed_bytes(phone(1), at),
            act_bytes(phone(1), &[0; 8], &[]),
            BoardLink::signed_bytes("", OrganisationId(phone(1).0), phone(1).0),
            SignedStatement::signed_bytes(&[0; 16]),
        ];
        let different: HashSet<_> = signed.iter().collect();
        assert_eq!(different.len(), signed.len());
    }
}
