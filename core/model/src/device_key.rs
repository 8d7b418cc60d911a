//! The keys that a phone signs with, and how what they signed is checked.
//!
//! A device key is Ed25519, held by the core, or ECDSA on P-256, held by the phone's secure hardware, which never shows it. Hardware
//! writes signatures in DER; they travel and are checked in the fixed form of 64 bytes, which can be written in one way only.

use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};

use crate::wire::KeyAlgorithm;

/// The bytes of any signature that travels.
pub const SIGNATURE_BYTES: usize = 64;

const ED25519_BYTES: usize = 32;
/// An uncompressed point: 4, then the two coordinates.
const POINT_BYTES: usize = 65;
/// What stands before the point in a SubjectPublicKeyInfo (RFC 5480) for P-256.
const SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// What is wrong with a key or a signature of a phone's hardware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Not a public key of this algorithm.
    #[error("not a public key of this algorithm")]
    Key,
    /// Not a signature in DER with two positive numbers of at most 32 bytes.
    #[error("not an ECDSA signature in DER")]
    Signature,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct PublicKey {
    /// The algorithm.
    #[n(0)]
    pub algorithm: KeyAlgorithm,
    /// Ed25519: 32 bytes. P-256: the uncompressed point, 65 bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

impl PublicKey {
    /// An Ed25519 key of 32 bytes.
    pub fn ed25519(bytes: &[u8]) -> Self {
        Self {
            algorithm: KeyAlgorithm::Ed25519,
            bytes: bytes.to_vec(),
        }
    }

    /// A P-256 key as platforms hand it out: an uncompressed point, or a SubjectPublicKeyInfo in DER.
    pub fn p256(bytes: &[u8]) -> Result<Self, KeyFault> {
        let key = Self {
            algorithm: KeyAlgorithm::EcdsaP256,
            bytes: bytes.strip_prefix(&SPKI_PREFIX).unwrap_or(bytes).to_vec(),
        };
        if key.is_well_formed() {
            Ok(key)
        } else {
            Err(KeyFault::Key)
        }
    }

    /// Whether length and form fit the algorithm; false for an algorithm that is not known here.
    pub fn is_well_formed(&self) -> bool {
        match self.algorithm {
            KeyAlgorithm::Ed25519 => self.bytes.len() == ED25519_BYTES,
            KeyAlgorithm::EcdsaP256 => {
                self.bytes.len() == POINT_BYTES && self.bytes.first() == Some(&4)
            }
            KeyAlgorithm::Unknown { .. } => false,
        }
    }

    /// Whether this key made the signature, 64 bytes. P-256 signs SHA-256 of the message.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let checked = match self.algorithm {
            KeyAlgorithm::Ed25519 => {
                UnparsedPublicKey::new(&ED25519, &self.bytes).verify(message, signature)
            }
            KeyAlgorithm::EcdsaP256 => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.bytes)
                    .verify(message, signature)
            }
            KeyAlgorithm::Unknown { .. } => return false,
        };
        self.is_well_formed() && checked.is_ok()
    }
}

/// Brings an ECDSA signature from DER (RFC 3279 §2.2.3) into the fixed form: r, then s, 32 bytes each.
pub fn fixed_from_der(der: &[u8]) -> Result<[u8; SIGNATURE_BYTES], KeyFault> {
    let content = match der {
        [0x30, length, content @ ..] if usize::from(*length) == content.len() => content,
        _ => return Err(KeyFault::Signature),
    };
    let (r, rest) = integer(content)?;
    let (s, rest) = integer(rest)?;
    if !rest.is_empty() {
        return Err(KeyFault::Signature);
    }
    let mut fixed = [0; SIGNATURE_BYTES];
    let half = SIGNATURE_BYTES / 2;
    fixed[half - r.len()..half].copy_from_slice(r);
    fixed[SIGNATURE_BYTES - s.len()..].copy_from_slice(s);
    Ok(fixed)
}

/// A positive INTEGER of at most 32 bytes in its shortest form, without the zero that keeps it positive; and what follows.
fn integer(der: &[u8]) -> Result<(&[u8], &[u8]), KeyFault> {
    let (number, rest) = match der {
        [0x02, length, rest @ ..] => rest
            .split_at_checked(usize::from(*length))
            .ok_or(KeyFault::Signature)?,
        _ => return Err(KeyFault::Signature),
    };
    let number = match number {
        [0, next, ..] if *next >= 0x80 => &number[1..],
        [first, ..] if (1..0x80).contains(first) => number,
        _ => return Err(KeyFault::Signature),
    };
    if number.len() <= SIGNATURE_BYTES / 2 {
        Ok((number, rest))
    } else {
        Err(KeyFault::Signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

    fn hardware() -> (EcdsaKeyPair, PublicKey) {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
        let key = PublicKey::p256(pair.public_key().as_ref()).unwrap();
        (pair, key)
    }

    #[test]
    fn what_hardware_signed_in_der_verifies_in_the_fixed_form() {
        let (pair, key) = hardware();
        for round in 0..300_u32 {
            let message = round.to_be_bytes();
            let der = pair.sign(&SystemRandom::new(), &message).unwrap();
            let fixed = fixed_from_der(der.as_ref()).unwrap();
            assert!(key.verifies(&message, &fixed));
            assert!(!key.verifies(b"other", &fixed));
        }
    }

    #[test]
    fn crypto_1_one_changed_byte_of_a_signature_or_key_is_refused() {
        let (pair, key) = hardware();
        let der = pair.sign(&SystemRandom::new(), b"message").unwrap();
        let ecdsa = fixed_from_der(der.as_ref()).unwrap();
        let ed25519 = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let other = PublicKey::ed25519(ed25519.public_key().as_ref());
        let eddsa = ed25519.sign(b"message");
        for (key, signature) in [(key, &ecdsa[..]), (other, eddsa.as_ref())] {
            assert!(key.verifies(b"message", signature));
            for place in 0..signature.len() {
                let mut changed = signature.to_vec();
                changed[place] ^= 1;
                assert!(!key.verifies(b"message", &changed), "byte {place}");
            }
            for place in 0..key.bytes.len() {
                let mut changed = key.clone();
                changed.bytes[place] ^= 1;
                assert!(!changed.verifies(b"message", signature), "byte {place}");
            }
            assert!(!key.verifies(b"message", &signature[..63]));
            assert!(!key.verifies(b"message", &[]));
        }
    }

    #[test]
    fn a_key_is_taken_as_a_point_and_as_platforms_wrap_it() {
        let (_, key) = hardware();
        let wrapped = [&SPKI_PREFIX[..], &key.bytes].concat();
        assert_eq!(PublicKey::p256(&wrapped), Ok(key.clone()));
        for other in [
            &key.bytes[1..],
            &[&key.bytes[..], &[0]].concat(),
            &[&[2], &key.bytes[1..33]].concat(),
            &[],
        ] {
            assert_eq!(PublicKey::p256(other), Err(KeyFault::Key));
        }
    }

    #[test]
    fn a_signature_has_one_form() {
        let good = [0x30, 6, 2, 1, 1, 2, 1, 0x7f];
        let fixed = fixed_from_der(&good).unwrap();
        assert_eq!((fixed[31], fixed[63]), (1, 0x7f));
        let high = [0x30, 8, 2, 2, 0, 0x80, 2, 2, 0, 0xff];
        assert_eq!(fixed_from_der(&high).unwrap()[31], 0x80);
        for bad in [
            &[][..],
            &[0x30, 6, 2, 1, 1, 2, 1],
            &[0x30, 6, 2, 1, 1, 2, 1, 1, 0],
            &[0x31, 6, 2, 1, 1, 2, 1, 1],
            &[0x30, 6, 2, 1, 0x80, 2, 1, 1],
            &[0x30, 6, 2, 1, 0, 2, 1, 1],
            &[0x30, 7, 2, 2, 0, 1, 2, 1, 1],
            &[0x30, 5, 2, 0, 2, 1, 1],
            &[0x30, 0x81, 6, 2, 1, 1, 2, 1, 1],
            &[0x30, 3, 2, 1, 1],
        ] {
            assert_eq!(fixed_from_der(bad), Err(KeyFault::Signature), "{bad:?}");
        }
        let mut long = vec![0x30, 39, 2, 34, 0];
        long.extend([0xff; 33]);
        long.extend([2, 1, 1]);
        assert_eq!(fixed_from_der(&long), Err(KeyFault::Signature));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let _ = fixed_from_der(&bytes);
            let _ = PublicKey::p256(&bytes);
        }
    }
}
