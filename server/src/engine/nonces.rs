//! Nonces that the server recognises without storing them: the time it gave one out, and a MAC over that and the purpose.
//!
//! A nonce is good for an hour, for the phone it was given to, and as often as it likes: what a repeated request could do
//! twice, the numbers of the mutations prevent. The clock that judges is the server's own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use sotay_model::{InstallationId, Timestamp};

/// How long a nonce is good for, in milliseconds.
pub const NONCE_LIFETIME_MS: i64 = 3_600_000;
/// How far another server's clock may be ahead that shares the secret, in milliseconds.
const AHEAD_MS: i64 = 60_000;
const TIME_BYTES: usize = 8;
const NONCE_BYTES: usize = 32;

/// Gives out nonces and recognises them.
#[derive(Debug, Clone)]
pub struct Nonces {
    key: hmac::Key,
}

impl Nonces {
    /// Nonces under this secret.
    pub fn new(secret: &[u8]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
        }
    }

    /// A nonce for the next signed request of a phone, as header text.
    pub fn for_phone(&self, phone: InstallationId, now: Timestamp) -> String {
        URL_SAFE_NO_PAD.encode(self.make(b"phone", phone.0.as_bytes(), now.0))
    }

    /// Whether a phone's nonce is good.
    pub fn is_fresh_for_phone(&self, phone: InstallationId, nonce: &str, now: Timestamp) -> bool {
        URL_SAFE_NO_PAD
            .decode(nonce)
            .is_ok_and(|bytes| self.is_fresh(b"phone", phone.0.as_bytes(), &bytes, now))
    }

    /// A nonce for the claim of an invitation, 32 bytes.
    pub fn for_claim(&self, lookup: &[u8], now: Timestamp) -> [u8; NONCE_BYTES] {
        self.make(b"claim", lookup, now.0)
    }

    /// Whether a claim's nonce is good.
    pub fn is_fresh_for_claim(&self, lookup: &[u8], nonce: &[u8], now: Timestamp) -> bool {
        self.is_fresh(b"claim", lookup, nonce, now)
    }

    fn make(&self, purpose: &[u8], whose: &[u8], time: i64) -> [u8; NONCE_BYTES] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(purpose);
        context.update(&time.to_be_bytes());
        context.update(whose);
        let mut nonce = [0; NONCE_BYTES];
        nonce[..TIME_BYTES].copy_from_slice(&time.to_be_bytes());
        nonce[TIME_BYTES..].copy_from_slice(&context.sign().as_ref()[..NONCE_BYTES - TIME_BYTES]);
        nonce
    }

    fn is_fresh(&self, purpose: &[u8], whose: &[u8], nonce: &[u8], now: Timestamp) -> bool {
        let Some(time) = nonce
            .first_chunk::<TIME_BYTES>()
            .map(|bytes| i64::from_be_bytes(*bytes))
        else {
            return false;
        };
        let age = now.0.saturating_sub(time);
        let expected = self.make(purpose, whose, time);
        // Both sides of the comparison pass through the MAC, so its duration tells nothing of the expected value.
        let same =
            hmac::sign(&self.key, &expected).as_ref() == hmac::sign(&self.key, nonce).as_ref();
        same && (-AHEAD_MS..=NONCE_LIFETIME_MS).contains(&age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sotay_model::Id;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn phone(byte: u8) -> InstallationId {
        InstallationId(Id::from_bytes([byte; 16]))
    }

    #[test]
    fn a_nonce_is_good_for_an_hour_and_for_one_phone() {
        let nonces = Nonces::new(&[1; 32]);
        let nonce = nonces.for_phone(phone(1), NOW);
        assert!(nonces.is_fresh_for_phone(phone(1), &nonce, NOW));
        assert!(nonces.is_fresh_for_phone(phone(1), &nonce, NOW.plus_minutes(60)));
        assert!(!nonces.is_fresh_for_phone(phone(1), &nonce, NOW.plus_minutes(61)));
        assert!(!nonces.is_fresh_for_phone(phone(1), &nonce, NOW.plus_minutes(-10)));
        assert!(!nonces.is_fresh_for_phone(phone(2), &nonce, NOW));
        assert!(!Nonces::new(&[2; 32]).is_fresh_for_phone(phone(1), &nonce, NOW));
        for other in ["", "0", "AAAA", &"A".repeat(43), "đ"] {
            assert!(!nonces.is_fresh_for_phone(phone(1), other, NOW), "{other}");
        }
    }

    #[test]
    fn a_claim_s_nonce_is_no_phone_s() {
        let nonces = Nonces::new(&[1; 32]);
        let nonce = nonces.for_claim(&[3; 16], NOW);
        assert!(nonces.is_fresh_for_claim(&[3; 16], &nonce, NOW));
        assert!(!nonces.is_fresh_for_claim(&[4; 16], &nonce, NOW));
        assert!(!nonces.is_fresh_for_phone(phone(3), &URL_SAFE_NO_PAD.encode(nonce), NOW));
    }
}
