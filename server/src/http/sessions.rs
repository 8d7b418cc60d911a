//! The sessions that are known: which key speaks for which phone until when.
//!
//! Kept in memory only. Who is asked for a certificate again, after a new start or because there are too many, sends it with
//! the next request; so forgetting costs one round trip and nothing else.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use sotay_model::signature::SessionKey;
use sotay_model::{InstallationId, Timestamp};

/// The most sessions kept: some 10 MB.
const MAX_SESSIONS: usize = 100_000;

/// The sessions that are known.
#[derive(Default)]
pub struct Sessions(RwLock<HashMap<SessionKey, (InstallationId, Timestamp)>>);

impl Sessions {
    /// Whose key it is, while the session lasts.
    pub fn phone(&self, key: &SessionKey, now: Timestamp) -> Option<InstallationId> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known
            .get(key)
            .filter(|(_, until)| now <= *until)
            .map(|(phone, _)| *phone)
    }

    /// A certificate was checked.
    pub fn remember(
        &self,
        key: SessionKey,
        phone: InstallationId,
        until: Timestamp,
        now: Timestamp,
    ) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_SESSIONS {
            known.retain(|_, (_, until)| now <= *until);
        }
        if known.len() >= MAX_SESSIONS {
            known.clear();
        }
        known.insert(key, (phone, until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sotay_model::Id;

    fn key(number: usize) -> SessionKey {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_be_bytes());
        key
    }

    #[test]
    fn server_sessions_end_and_their_number_is_bounded() {
        let phone = InstallationId(Id::from_bytes([1; 16]));
        let sessions = Sessions::default();
        let (now, soon) = (Timestamp(0), Timestamp(10));
        sessions.remember(key(0), phone, soon, now);
        assert_eq!(sessions.phone(&key(0), soon), Some(phone));
        assert_eq!(sessions.phone(&key(0), Timestamp(11)), None);
        assert_eq!(sessions.phone(&key(1), now), None);
        for number in 0..=MAX_SESSIONS {
            sessions.remember(key(number), phone, soon, now);
        }
        assert!(sessions.0.read().unwrap().len() <= MAX_SESSIONS);
        assert_eq!(sessions.phone(&key(MAX_SESSIONS), now), Some(phone));
    }
}
