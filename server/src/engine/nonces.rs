//! Nonces that the server recognises without storing them: the time it gave one out, and a MAC over that and the purpose.
//!
//! A nonce is good for an hour, for the key it was given to, and no two are alike. It may be used for several requests at a time,
//! each of which is taken once: see [`super::spent`]. In a session's certificate it says how old the session is. The clock that
//! judges is the server's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use sotay_model::session::SESSION_MS;
use sotay_model::signature::SessionKey;
use sotay_model::{InstallationId, Timestamp};

use super::spent::Spent;

/// How long a nonce is good for, in milliseconds.
pub const NONCE_LIFETIME_MS: i64 = 3_600_000;
/// How long a challenge for a privileged act is good, in milliseconds.
const CHALLENGE_LIFETIME_MS: i64 = 5 * 60_000;
/// How far another server's clock may be ahead that shares the secret, in milliseconds.
pub(super) const NONCE_AHEAD_MS: i64 = 60_000;
/// Milliseconds above, and below what tells those of one millisecond apart.
const STAMP_BYTES: usize = 8;
const COUNT_BITS: u32 = 16;
const NONCE_BYTES: usize = 32;

/// Gives out nonces and recognises them.
#[derive(Debug, Clone)]
pub struct Nonces {
    key: hmac::Key,
    given_out: Arc<AtomicU16>,
    spent: Arc<Spent>,
}

impl Nonces {
    /// Nonces under this secret. Nothing is known of what those of before `start` were used for.
    pub fn new(secret: &[u8], start: Timestamp) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
            given_out: Arc::default(),
            spent: Arc::new(Spent::since(start)),
        }
    }

    /// A nonce for the next request signed by a session's key, as header text.
    pub fn for_session(&self, key: &SessionKey, now: Timestamp) -> String {
        URL_SAFE_NO_PAD.encode(self.make(b"session", &[key], now))
    }

    /// When a request's nonce was given out, if it is good for this session's key.
    pub fn fresh_for_session(
        &self,
        key: &SessionKey,
        nonce: &str,
        now: Timestamp,
    ) -> Option<Timestamp> {
        self.of_session(key, nonce)
            .filter(|time| is_within(*time, NONCE_LIFETIME_MS, now))
    }

    /// Whether a request with a nonce given out then is the first with this signature. Whoever is told so has used it.
    pub fn is_first(&self, signature: &[u8], given_out: Timestamp, now: Timestamp) -> bool {
        self.spent.is_first(signature, given_out, now)
    }

    /// Until when a session lasts whose certificate has this nonce; none where the nonce was never given out for the key.
    pub fn session_ends(&self, key: &SessionKey, nonce: &str) -> Option<Timestamp> {
        self.of_session(key, nonce)
            .map(|time| Timestamp(time.0.saturating_add(SESSION_MS)))
    }

    fn of_session(&self, key: &SessionKey, nonce: &str) -> Option<Timestamp> {
        let bytes = URL_SAFE_NO_PAD.decode(nonce).ok()?;
        self.time_of(b"session", &[key], &bytes)
    }

    /// What makes a claim fresh that answers to these commitments. The claim is taken once, so this need not be unlike another.
    pub fn for_claim(&self, lookup: &[u8], phone: &[u8], now: Timestamp) -> [u8; NONCE_BYTES] {
        self.with_stamp(b"claim", &[lookup, phone], stamp(now, 0))
    }

    /// Whether what should make a claim fresh is good.
    pub fn is_fresh_for_claim(
        &self,
        lookup: &[u8],
        phone: &[u8],
        fresh: &[u8],
        now: Timestamp,
    ) -> bool {
        self.time_of(b"claim", &[lookup, phone], fresh)
            .is_some_and(|time| is_within(time, NONCE_LIFETIME_MS, now))
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
        self.make(b"act", &[phone.0.as_bytes(), act], now)
    }

    /// When a challenge was given out, if it is that of this act and still good.
    pub fn fresh_for_act(
        &self,
        phone: InstallationId,
        act: &[u8],
        nonce: &[u8],
        now: Timestamp,
    ) -> Option<Timestamp> {
        self.time_of(b"act", &[phone.0.as_bytes(), act], nonce)
            .filter(|time| is_within(*time, CHALLENGE_LIFETIME_MS, now))
    }

    /// Whether an act with this challenge is carried out for the first time.
    pub fn is_first_act(&self, nonce: &[u8], given_out: Timestamp, now: Timestamp) -> bool {
        self.spent.is_first(nonce, given_out, now)
    }

    fn mac(&self, purpose: &[u8], parts: &[&[u8]]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [&[purpose], parts].concat() {
            context.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            context.update(part);
        }
        context.sign()
    }

    fn make(&self, purpose: &[u8], whose: &[&[u8]], now: Timestamp) -> [u8; NONCE_BYTES] {
        let count = self.given_out.fetch_add(1, Ordering::Relaxed);
        self.with_stamp(purpose, whose, stamp(now, count))
    }

    fn with_stamp(
        &self,
        purpose: &[u8],
        whose: &[&[u8]],
        stamp: [u8; STAMP_BYTES],
    ) -> [u8; NONCE_BYTES] {
        let tag = self.mac(purpose, &[whose, &[&stamp]].concat());
        let mut nonce = [0; NONCE_BYTES];
        nonce[..STAMP_BYTES].copy_from_slice(&stamp);
        nonce[STAMP_BYTES..].copy_from_slice(&tag.as_ref()[..NONCE_BYTES - STAMP_BYTES]);
        nonce
    }

    /// When a nonce was given out; none where it was not.
    fn time_of(&self, purpose: &[u8], whose: &[&[u8]], nonce: &[u8]) -> Option<Timestamp> {
        let stamp = nonce.first_chunk::<STAMP_BYTES>()?;
        let expected = self.with_stamp(purpose, whose, *stamp);
        // Both sides of the comparison pass through the MAC, so its duration tells nothing of the expected value.
        let same =
            hmac::sign(&self.key, &expected).as_ref() == hmac::sign(&self.key, nonce).as_ref();
        same.then_some(Timestamp(i64::from_be_bytes(*stamp) >> COUNT_BITS))
    }
}

fn stamp(now: Timestamp, count: u16) -> [u8; STAMP_BYTES] {
    ((now.0 << COUNT_BITS) | i64::from(count)).to_be_bytes()
}

/// Whether what was given out then is good now, by a clock that another server's may be a little ahead of.
fn is_within(given_out: Timestamp, lifetime: i64, now: Timestamp) -> bool {
    (-NONCE_AHEAD_MS..=lifetime).contains(&now.0.saturating_sub(given_out.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sotay_model::Id;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    #[test]
    fn a_nonce_is_good_for_an_hour_and_for_one_session() {
        let nonces = Nonces::new(&[1; 32], NOW);
        let nonce = nonces.for_session(&[1; 32], NOW);
        let fresh = |key: u8, nonce: &str, minutes: i64| {
            nonces
                .fresh_for_session(&[key; 32], nonce, NOW.plus_minutes(minutes))
                .is_some()
        };
        assert!(fresh(1, &nonce, 0));
        assert!(fresh(1, &nonce, 60));
        assert!(!fresh(1, &nonce, 61));
        assert!(!fresh(1, &nonce, -10));
        assert!(!fresh(2, &nonce, 0));
        assert_eq!(nonces.fresh_for_session(&[1; 32], &nonce, NOW), Some(NOW));
        let others = Nonces::new(&[2; 32], NOW);
        assert_eq!(others.fresh_for_session(&[1; 32], &nonce, NOW), None);
        assert_ne!(nonces.for_session(&[1; 32], NOW), nonce);
        for other in ["", "0", "AAAA", &"A".repeat(43), "đ"] {
            assert!(!fresh(1, other, 0), "{other}");
        }
    }

    #[test]
    fn a_session_ends_a_day_after_its_nonce_was_given_out() {
        let nonces = Nonces::new(&[1; 32], NOW);
        let nonce = nonces.for_session(&[1; 32], NOW);
        let end = NOW.plus_minutes(24 * 60);
        assert_eq!(nonces.session_ends(&[1; 32], &nonce), Some(end));
        assert_eq!(nonces.session_ends(&[2; 32], &nonce), None);
        assert_eq!(nonces.session_ends(&[1; 32], "none"), None);
    }

    #[test]
    fn a_nonce_serves_one_purpose() {
        let nonces = Nonces::new(&[1; 32], NOW);
        let phone = InstallationId(Id::from_bytes([3; 16]));
        let claim = nonces.for_claim(&[3; 32], &[4; 32], NOW);
        assert!(nonces.is_fresh_for_claim(&[3; 32], &[4; 32], &claim, NOW));
        assert!(!nonces.is_fresh_for_claim(&[4; 32], &[4; 32], &claim, NOW));
        assert!(!nonces.is_fresh_for_claim(&[3; 32], &[5; 32], &claim, NOW));
        let text = URL_SAFE_NO_PAD.encode(claim);
        assert_eq!(nonces.fresh_for_session(&[3; 32], &text, NOW), None);
        let act = nonces.for_act(phone, b"act", NOW);
        assert_eq!(
            nonces.fresh_for_act(phone, b"act", &act, NOW.plus_minutes(5)),
            Some(NOW)
        );
        assert_eq!(
            nonces.fresh_for_act(phone, b"act", &act, NOW.plus_minutes(6)),
            None
        );
        assert_eq!(nonces.fresh_for_act(phone, b"other", &act, NOW), None);
        assert_eq!(nonces.fresh_for_act(phone, b"act", &claim, NOW), None);
    }
}
