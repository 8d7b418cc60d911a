//! Nonces that the server recognises without storing them: the time it gave one out, and a MAC over that and the purpose.
//!
//! A nonce is good for an hour, for the key it was given to, and as often as it likes: what a repeated request could do
//! twice, the numbers of the mutations prevent. In a session's certificate it says how old the session is. The clock that
//! judges is the server's own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use sotay_model::session::SESSION_MS;
use sotay_model::signature::SessionKey;
use sotay_model::{InstallationId, Timestamp};

/// How long a nonce is good for, in milliseconds.
pub const NONCE_LIFETIME_MS: i64 = 3_600_000;
/// How long a challenge for a privileged act is good, in milliseconds.
const CHALLENGE_LIFETIME_MS: i64 = 5 * 60_000;
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

    /// A nonce for the next request signed by a session's key, as header text.
    pub fn for_session(&self, key: &SessionKey, now: Timestamp) -> String {
        URL_SAFE_NO_PAD.encode(self.make(b"session", &[key], now.0))
    }

    /// Whether a request's nonce is good for this session's key.
    pub fn is_fresh_for_session(&self, key: &SessionKey, nonce: &str, now: Timestamp) -> bool {
        self.ends(key, nonce, NONCE_LIFETIME_MS)
            .is_some_and(|(from, until)| (from..=until).contains(&now))
    }

    /// Until when a session lasts whose certificate has this nonce; none where the nonce was never given out for the key.
    pub fn session_ends(&self, key: &SessionKey, nonce: &str) -> Option<Timestamp> {
        self.ends(key, nonce, SESSION_MS).map(|(_, until)| until)
    }

    /// From when until when a session's nonce is good that is good so long.
    fn ends(&self, key: &SessionKey, nonce: &str, lifetime: i64) -> Option<(Timestamp, Timestamp)> {
        let bytes = URL_SAFE_NO_PAD.decode(nonce).ok()?;
        let time = self.time_of(b"session", &[key], &bytes)?;
        let from = Timestamp(time.saturating_sub(AHEAD_MS));
        Some((from, Timestamp(time.saturating_add(lifetime))))
    }

    /// What makes a claim fresh that answers to these commitments.
    pub fn for_claim(&self, lookup: &[u8], phone: &[u8], now: Timestamp) -> [u8; NONCE_BYTES] {
        self.make(b"claim", &[lookup, phone], now.0)
    }

    /// Whether what should make a claim fresh is good.
    pub fn is_fresh_for_claim(
        &self,
        lookup: &[u8],
        phone: &[u8],
        fresh: &[u8],
        now: Timestamp,
    ) -> bool {
        self.is_fresh(b"claim", &[lookup, phone], fresh, NONCE_LIFETIME_MS, now)
    }

    /// The server's own nonce of an exchange. It follows from what made the claim fresh, so nothing need be kept between commitment
    /// and reveal; nobody without the secret can tell it before.
    pub fn of_exchange(&self, lookup: &[u8], phone: &[u8], fresh: &[u8]) -> [u8; NONCE_BYTES] {
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(self.mac(b"exchange", &[lookup, phone, fresh]).as_ref());
        nonce
    }

    /// A challenge for a privileged act.
    pub fn for_act(&self, phone: InstallationId, act: &[u8], now: Timestamp) -> [u8; NONCE_BYTES] {
        self.make(b"act", &[phone.0.as_bytes(), act], now.0)
    }

    /// Whether a challenge is that of this act and still good.
    pub fn is_fresh_for_act(
        &self,
        phone: InstallationId,
        act: &[u8],
        nonce: &[u8],
        now: Timestamp,
    ) -> bool {
        self.is_fresh(
            b"act",
            &[phone.0.as_bytes(), act],
            nonce,
            CHALLENGE_LIFETIME_MS,
            now,
        )
    }

    fn mac(&self, purpose: &[u8], parts: &[&[u8]]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [&[purpose], parts].concat() {
            context.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            context.update(part);
        }
        context.sign()
    }

    fn make(&self, purpose: &[u8], whose: &[&[u8]], time: i64) -> [u8; NONCE_BYTES] {
        let time = time.to_be_bytes();
        let tag = self.mac(purpose, &[whose, &[&time]].concat());
        let mut nonce = [0; NONCE_BYTES];
        nonce[..TIME_BYTES].copy_from_slice(&time);
        nonce[TIME_BYTES..].copy_from_slice(&tag.as_ref()[..NONCE_BYTES - TIME_BYTES]);
        nonce
    }

    /// When a nonce was given out; none where it was not.
    fn time_of(&self, purpose: &[u8], whose: &[&[u8]], nonce: &[u8]) -> Option<i64> {
        let time = nonce.first_chunk::<TIME_BYTES>()?;
        let time = i64::from_be_bytes(*time);
        let expected = self.make(purpose, whose, time);
        // Both sides of the comparison pass through the MAC, so its duration tells nothing of the expected value.
        let same =
            hmac::sign(&self.key, &expected).as_ref() == hmac::sign(&self.key, nonce).as_ref();
        same.then_some(time)
    }

    fn is_fresh(
        &self,
        purpose: &[u8],
        whose: &[&[u8]],
        nonce: &[u8],
        lifetime: i64,
        now: Timestamp,
    ) -> bool {
        self.time_of(purpose, whose, nonce)
            .is_some_and(|time| (-AHEAD_MS..=lifetime).contains(&now.0.saturating_sub(time)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sotay_model::Id;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    #[test]
    fn a_nonce_is_good_for_an_hour_and_for_one_session() {
        let nonces = Nonces::new(&[1; 32]);
        let nonce = nonces.for_session(&[1; 32], NOW);
        let fresh = |key: u8, nonce: &str, minutes: i64| {
            nonces.is_fresh_for_session(&[key; 32], nonce, NOW.plus_minutes(minutes))
        };
        assert!(fresh(1, &nonce, 0));
        assert!(fresh(1, &nonce, 60));
        assert!(!fresh(1, &nonce, 61));
        assert!(!fresh(1, &nonce, -10));
        assert!(!fresh(2, &nonce, 0));
        assert!(!Nonces::new(&[2; 32]).is_fresh_for_session(&[1; 32], &nonce, NOW));
        for other in ["", "0", "AAAA", &"A".repeat(43), "đ"] {
            assert!(!fresh(1, other, 0), "{other}");
        }
    }

    #[test]
    fn a_session_ends_a_day_after_its_nonce_was_given_out() {
        let nonces = Nonces::new(&[1; 32]);
        let nonce = nonces.for_session(&[1; 32], NOW);
        let end = NOW.plus_minutes(24 * 60);
        assert_eq!(nonces.session_ends(&[1; 32], &nonce), Some(end));
        assert_eq!(nonces.session_ends(&[2; 32], &nonce), None);
        assert_eq!(nonces.session_ends(&[1; 32], "none"), None);
    }

    #[test]
    fn a_nonce_serves_one_purpose() {
        let nonces = Nonces::new(&[1; 32]);
        let phone = InstallationId(Id::from_bytes([3; 16]));
        let claim = nonces.for_claim(&[3; 32], &[4; 32], NOW);
        assert!(nonces.is_fresh_for_claim(&[3; 32], &[4; 32], &claim, NOW));
        assert!(!nonces.is_fresh_for_claim(&[4; 32], &[4; 32], &claim, NOW));
        assert!(!nonces.is_fresh_for_claim(&[3; 32], &[5; 32], &claim, NOW));
        assert!(!nonces.is_fresh_for_session(&[3; 32], &URL_SAFE_NO_PAD.encode(claim), NOW));
        let act = nonces.for_act(phone, b"act", NOW);
        assert!(nonces.is_fresh_for_act(phone, b"act", &act, NOW.plus_minutes(5)));
        assert!(!nonces.is_fresh_for_act(phone, b"act", &act, NOW.plus_minutes(6)));
        assert!(!nonces.is_fresh_for_act(phone, b"other", &act, NOW));
        assert!(!nonces.is_fresh_for_act(phone, b"act", &claim, NOW));
    }
}
