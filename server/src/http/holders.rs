//! How many of something each one holds at a time: an address its connections, a phone its bodies.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Who holds how many.
pub(super) struct Holders<K>(Mutex<HashMap<K, usize>>);

/// One of them, until it is dropped.
pub(super) struct Hold<K: Copy + Eq + Hash>(Arc<Holders<K>>, K);

impl<K> Default for Holders<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Copy + Eq + Hash> Holders<K> {
    /// One more for this one; none where it has so many.
    pub(super) fn take(self: Arc<Self>, of: K, most: usize) -> Option<Hold<K>> {
        {
            let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(of).or_default();
            if *count >= most {
                return None;
            }
            *count += 1;
        }
        Some(Hold(self, of))
    }
}

impl<K: Copy + Eq + Hash> Drop for Hold<K> {
    fn drop(&mut self) {
        let mut counts = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}
