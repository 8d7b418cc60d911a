//! What was used once and is not taken again: signatures of requests, challenges of privileged acts.
//!
//! Nonces are not stored when they are given out; what a nonce was used for is, for as long as the nonce would be good. So a
//! captured request is refused when it comes again, and a phone that signs anew, with a fresh nonce or a second later, is not.
//! Kept in memory and bounded: nonces from before the time of which everything is known are refused, so that forgetting, after a
//! new start or because there is too much, costs phones one round trip and lets nothing through. Each of several processes
//! that share a database remembers for itself.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use ring::digest::{SHA256, digest};
use sotay_model::Timestamp;

use super::nonces::{NONCE_AHEAD_MS, NONCE_LIFETIME_MS};

/// The most that is remembered in each of two halves: some 40 MB in all.
const MOST: usize = 1 << 20;

/// What was used.
#[derive(Debug)]
pub(super) struct Spent(Mutex<Halves>);

#[derive(Debug)]
struct Halves {
    /// Nonces given out before are refused: what they were used for may be forgotten.
    since: Timestamp,
    /// When `now` was begun.
    began: Timestamp,
    now: HashSet<[u8; 16]>,
    before: HashSet<[u8; 16]>,
}

impl Spent {
    /// Nothing is known of what was used before this time.
    pub(super) fn since(start: Timestamp) -> Self {
        Self(Mutex::new(Halves {
            since: start,
            began: start,
            now: HashSet::new(),
            before: HashSet::new(),
        }))
    }

    /// Whether this, a signature or a challenge, is used for the first time, with a nonce given out then.
    pub(super) fn is_first(&self, what: &[u8], given_out: Timestamp, now: Timestamp) -> bool {
        let what = short(what);
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        halves.make_room(now);
        given_out >= halves.since && !halves.before.contains(&what) && halves.now.insert(what)
    }
}

/// Half of its SHA-256: enough to tell apart what honest phones sign, and no use to anybody who makes two come out equal.
fn short(what: &[u8]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&digest(&SHA256, what).as_ref()[..16]);
    half
}

impl Halves {
    fn make_room(&mut self, now: Timestamp) {
        let old = now.0.saturating_sub(self.began.0) > NONCE_LIFETIME_MS + NONCE_AHEAD_MS;
        let full = self.now.len() >= MOST;
        if !old && !full {
            return;
        }
        if full && !old {
            // A nonce may come from a server whose clock is ahead.
            self.since = Timestamp(self.began.0.saturating_add(NONCE_AHEAD_MS));
        }
        self.began = now;
        self.before = std::mem::take(&mut self.now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_790_000_000_000);

    fn what(number: usize) -> [u8; 64] {
        let mut what = [0; 64];
        what[..8].copy_from_slice(&number.to_be_bytes());
        what
    }

    fn later(minutes: i64) -> Timestamp {
        START.plus_minutes(minutes)
    }

    #[test]
    fn auth_1_what_was_used_is_remembered_for_as_long_as_its_nonce_is_good() {
        let spent = Spent::since(START);
        assert!(spent.is_first(&what(1), START, START));
        for minutes in [0, 30, 60] {
            assert!(!spent.is_first(&what(1), START, later(minutes)));
        }
        // Others do not push it out.
        for minutes in 0..=60 {
            let number = usize::try_from(minutes).unwrap();
            assert!(spent.is_first(&what(100 + number), START, later(minutes)));
        }
        assert!(!spent.is_first(&what(1), START, later(60)));
    }

    #[test]
    fn auth_1_what_was_used_before_a_new_start_is_not_taken() {
        let spent = Spent::since(START);
        assert!(!spent.is_first(&what(1), later(-1), START));
        assert!(spent.is_first(&what(1), START, START));
    }

    #[test]
    fn server_what_was_used_is_bounded_and_never_taken_twice() {
        let spent = Spent::since(START);
        assert!(spent.is_first(&what(0), START, START));
        for number in 1..=2 * MOST {
            spent.is_first(&what(number), later(2), later(2));
        }
        let halves = spent.0.lock().unwrap();
        assert!(halves.now.len() <= MOST && halves.before.len() <= MOST);
        assert!(
            !halves.before.contains(&short(&what(0))) && !halves.now.contains(&short(&what(0)))
        );
        drop(halves);
        assert!(
            !spent.is_first(&what(0), START, later(3)),
            "forgotten, and taken"
        );
        assert!(spent.is_first(&what(3 * MOST), later(3), later(3)));
    }

    #[test]
    fn server_what_is_too_old_is_forgotten() {
        let spent = Spent::since(START);
        assert!(spent.is_first(&what(1), START, START));
        for hours in 1..=3 {
            let at = later(hours * 62);
            assert!(spent.is_first(&what(hours.unsigned_abs() as usize + 1), at, at));
        }
        assert_eq!(spent.0.lock().unwrap().before.len(), 1);
        assert_eq!(spent.0.lock().unwrap().now.len(), 1);
    }
}
