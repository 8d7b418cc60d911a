//! Records whose time is over: counted, or removed, beside a server that does it by itself once a day.

use std::collections::BTreeMap;
use std::path::Path;

use sotay_model::{Kind, Timestamp};

use super::{CommuneError, DATABASE};
use crate::engine::{Engine, REMOVED_AT_ONCE};
use crate::storage::Storage;

/// How many records of each kind are kept though their time is over. Changes nothing.
pub fn count_over(folder: &Path, now: Timestamp) -> Result<BTreeMap<Kind, usize>, CommuneError> {
    let mut engine = Engine::new(Storage::open(&folder.join(DATABASE))?);
    let over = engine.over(now)?;
    Ok(over
        .into_iter()
        .map(|(kind, keys)| (kind, keys.len()))
        .collect())
}

/// Removes them, some in each transaction; how many.
pub fn remove_over(folder: &Path, now: Timestamp) -> Result<usize, CommuneError> {
    let mut engine = Engine::new(Storage::open(&folder.join(DATABASE))?);
    let over: Vec<_> = engine.over(now)?.into_values().flatten().collect();
    let mut removed = 0;
    for some in over.chunks(REMOVED_AT_ONCE) {
        removed += engine.remove_over(some, now)?.0;
    }
    Ok(removed)
}
