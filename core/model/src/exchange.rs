//! What phone and server exchange while a phone joins, so that nobody between them can stay unseen.
//!
//! Each side commits to its key and a nonce before the other side shows its own: first the phone to its keys
//! ([`phone_commitment`]), then the server to its trust anchors ([`server_commitment`]). Then the phone reveals, then the server.
//! Six digits ([`SixDigits::of`]) derived from all of it stand on both screens, and an officer compares them. Whoever sits in
//! between, even with the invitation's code, speaks with each side under keys of his own, had to commit to them before he knew
//! the other side's nonce, and has one try: the digits agree once in a million.
//!
//! Every hash has a label of its own and the length of each part before it, so no two inputs run into each other.

use std::fmt;

use ring::digest::{Context, SHA256};
use ring::hmac;

use crate::device_key::PublicKey;

/// The bytes of a nonce, a commitment, and of every hash here.
pub const HASH_BYTES: usize = 32;

const PHONE_COMMITMENT: &[u8] = b"sotay phone commitment v1";
const SERVER_COMMITMENT: &[u8] = b"sotay server commitment v1";
const ANCHORS: &[u8] = b"sotay trust anchors v1";
const CLAIM: &[u8] = b"sotay claim v1";
const SIX_DIGITS: &[u8] = b"sotay six digits v1";

/// SHA-256 of a label and parts, each part with its length as 4 bytes before it.
pub(crate) fn hash(label: &[u8], parts: &[&[u8]]) -> [u8; HASH_BYTES] {
    let mut context = Context::new(&SHA256);
    for part in [&[label], parts].concat() {
        // No message is as long as 4 GiB.
        context.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        context.update(part);
    }
    let mut bytes = [0; HASH_BYTES];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}

/// The phone's commitment: to its device key, to its key for privileged acts if it has one, and to its nonce.
pub fn phone_commitment(
    lookup: &[u8],
    device: &PublicKey,
    approval: Option<&PublicKey>,
    nonce: &[u8],
) -> [u8; HASH_BYTES] {
    let none = Vec::new();
    let (code, bytes) = approval.map_or((0, &none), |key| (key.algorithm.code(), &key.bytes));
    hash(
        PHONE_COMMITMENT,
        &[
            lookup,
            &device.algorithm.code().to_be_bytes(),
            &device.bytes,
            &code.to_be_bytes(),
            bytes,
            nonce,
        ],
    )
}

/// The server's commitment: to its trust anchors and its nonce, in answer to this phone.
pub fn server_commitment(phone: &[u8], anchors: &[u8], nonce: &[u8]) -> [u8; HASH_BYTES] {
    hash(SERVER_COMMITMENT, &[phone, anchors, nonce])
}

/// The MAC under which a server hands over its trust anchors and its commitment. `fresh` is what makes the claim fresh.
pub fn anchors_mac(key: &[u8; 32], anchors: &[u8], fresh: &[u8], commitment: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(
        hmac::sign(&mac_key(key), &hash(ANCHORS, &[anchors, fresh, commitment])).as_ref(),
    );
    bytes
}

/// Whether the trust anchors come from a server that knows the code.
pub fn anchors_fit(
    key: &[u8; 32],
    anchors: &[u8],
    fresh: &[u8],
    commitment: &[u8],
    given: &[u8],
) -> bool {
    let signed = hash(ANCHORS, &[anchors, fresh, commitment]);
    hmac::verify(&mac_key(key), &signed, given).is_ok()
}

/// What a claim proves and signs: both commitments, what makes it fresh, and the phone's name. 32 bytes.
pub fn claim_bytes(phone: &[u8], server: &[u8], fresh: &[u8], device_name: &str) -> [u8; 32] {
    hash(CLAIM, &[phone, server, fresh, device_name.as_bytes()])
}

/// The proof that whoever claims knows the code.
pub fn claim_proof(key: &[u8; 32], claim: &[u8; 32]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hmac::sign(&mac_key(key), claim).as_ref());
    bytes
}

/// Whether a proof is that of somebody who knows the code.
pub fn claim_fits(key: &[u8; 32], claim: &[u8; 32], given: &[u8]) -> bool {
    hmac::verify(&mac_key(key), claim, given).is_ok()
}

fn mac_key(key: &[u8; 32]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, key)
}

/// The six digits that a member reads out and an officer compares. Shown by [`SixDigits::text`] only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SixDigits(u32);

impl SixDigits {
    /// The digits of one exchange: both commitments, then both nonces as they were revealed.
    pub fn of(phone: &[u8], server: &[u8], phone_nonce: &[u8], server_nonce: &[u8]) -> Self {
        let bytes = hash(SIX_DIGITS, &[phone, server, phone_nonce, server_nonce]);
        let number = bytes
            .first_chunk::<8>()
            .map_or(0, |first| u64::from_be_bytes(*first));
        // 2⁶⁴ is no multiple of a million; the first digits are favoured by one part in 10¹³.
        Self(u32::try_from(number % 1_000_000).unwrap_or_default())
    }

    /// Reads them as they are typed, spaces anywhere.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        (digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit()))
            .then(|| digits.parse().ok().map(Self))
            .flatten()
    }

    /// From the number below a million that [`SixDigits::number`] gave.
    pub const fn from_number(number: u32) -> Option<Self> {
        if number < 1_000_000 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// As a number below a million.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// `123456`, with leading zeros.
    pub fn text(self) -> String {
        format!("{:06}", self.0)
    }
}

impl fmt::Debug for SixDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SixDigits(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::KeyAlgorithm;

    fn key(byte: u8) -> PublicKey {
        PublicKey::ed25519(&[byte; 32])
    }

    #[test]
    fn a_commitment_names_everything_it_is_about() {
        let all = [
            phone_commitment(&[1; 32], &key(1), None, &[2; 32]),
            phone_commitment(&[9; 32], &key(1), None, &[2; 32]),
            phone_commitment(&[1; 32], &key(9), None, &[2; 32]),
            phone_commitment(&[1; 32], &key(1), Some(&key(1)), &[2; 32]),
            phone_commitment(&[1; 32], &key(1), None, &[9; 32]),
            phone_commitment(
                &[1; 32],
                &PublicKey {
                    algorithm: KeyAlgorithm::EcdsaP256,
                    ..key(1)
                },
                None,
                &[2; 32],
            ),
            server_commitment(&[1; 32], b"anchors", &[2; 32]),
            server_commitment(&[9; 32], b"anchors", &[2; 32]),
            server_commitment(&[1; 32], b"others", &[2; 32]),
            server_commitment(&[1; 32], b"anchors", &[9; 32]),
        ];
        for (place, one) in all.iter().enumerate() {
            assert!(!all[..place].contains(one), "{place}");
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(hash(b"l", &[b"ab", b"c"]), hash(b"l", &[b"a", b"bc"]));
        assert_ne!(hash(b"la", &[b"b"]), hash(b"l", &[b"ab"]));
    }

    #[test]
    fn a_mac_fits_its_own_inputs_only() {
        let mac = anchors_mac(&[1; 32], b"anchors", b"fresh", b"commitment");
        assert!(anchors_fit(
            &[1; 32],
            b"anchors",
            b"fresh",
            b"commitment",
            &mac
        ));
        assert!(!anchors_fit(
            &[2; 32],
            b"anchors",
            b"fresh",
            b"commitment",
            &mac
        ));
        assert!(!anchors_fit(
            &[1; 32],
            b"other",
            b"fresh",
            b"commitment",
            &mac
        ));
        assert!(!anchors_fit(
            &[1; 32],
            b"anchors",
            b"other",
            b"commitment",
            &mac
        ));
        assert!(!anchors_fit(&[1; 32], b"anchors", b"fresh", b"other", &mac));
        let claim = claim_bytes(&[1; 32], &[2; 32], b"fresh", "Máy");
        let proof = claim_proof(&[3; 32], &claim);
        assert!(claim_fits(&[3; 32], &claim, &proof));
        assert!(!claim_fits(&[4; 32], &claim, &proof));
        for other in [
            claim_bytes(&[9; 32], &[2; 32], b"fresh", "Máy"),
            claim_bytes(&[1; 32], &[9; 32], b"fresh", "Máy"),
            claim_bytes(&[1; 32], &[2; 32], b"other", "Máy"),
            claim_bytes(&[1; 32], &[2; 32], b"fresh", "Other"),
        ] {
            assert!(!claim_fits(&[3; 32], &other, &proof));
        }
    }

    #[test]
    fn digits_are_read_as_they_are_typed_and_never_shown_by_debug() {
        let digits = SixDigits::of(&[1; 32], &[2; 32], &[3; 32], &[4; 32]);
        let text = digits.text();
        assert_eq!(text.len(), 6);
        assert_eq!(SixDigits::parse(&text), Some(digits));
        assert_eq!(
            SixDigits::parse(&format!(" {} {} ", &text[..3], &text[3..])),
            Some(digits)
        );
        for other in ["", "12345", "1234567", "12345a", "+12345", "१२३४५६"] {
            assert_eq!(SixDigits::parse(other), None, "{other}");
        }
        assert_eq!(SixDigits::from_number(digits.number()), Some(digits));
        assert_eq!(SixDigits::from_number(1_000_000), None);
        assert_eq!(format!("{digits:?}"), "SixDigits(…)");
    }

    /// Whoever sits in between knows the code and the server's digits, and tries keys until his agree. With the commitments made
    /// first he has one try, since the other side's nonce comes after them.
    #[test]
    fn auth_4_whoever_grinds_keys_after_committing_changes_nothing_and_before_it_knows_nothing() {
        let honest = phone_commitment(&[0; 32], &key(1), None, &[1; 32]);
        let anchors = b"anchors";
        // Without commitments he would choose his key after both nonces are known: a million tries and he has it.
        let wanted = SixDigits::of(&honest, &[5; 32], &[1; 32], &[2; 32]);
        let ground = (0..20_000_000_u64).find(|try_| {
            let mut nonce = [0; 32];
            nonce[..8].copy_from_slice(&try_.to_be_bytes());
            SixDigits::of(&honest, &[5; 32], &[1; 32], &nonce) == wanted
        });
        assert!(ground.is_some(), "six digits alone are ground in seconds");
        // With them, what he found does not fit what he committed to.
        let committed = server_commitment(&honest, anchors, &[7; 32]);
        let mut nonce = [0; 32];
        nonce[..8].copy_from_slice(&ground.unwrap().to_be_bytes());
        assert_ne!(server_commitment(&honest, anchors, &nonce), committed);
    }
}
