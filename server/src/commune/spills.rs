//! Removing from the folder what should never have been entered: from the database, from the databases that a restore put aside,
//! from the attachments, and from what a killed backup or restore left.
//!
//! A server may run on the folder meanwhile; phones are told with their next sync. What was written before into a backup stays in
//! that file: the list of removals is applied to it when it is restored.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sotay_model::Timestamp;

use super::backup::{clear_leftovers, serve_in};
use super::{CommuneError, DATABASE};
use crate::blobs::Blobs;
use crate::engine::Engine;
use crate::storage::{Spill, Storage};

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleared {
    /// Records of the database that lost words or files.
    pub records: usize,
    /// Files that were deleted, parts included.
    pub files: usize,
    /// Databases that a restore put aside and that were cleared as well.
    pub set_aside: usize,
}

/// Removes a file or a record's contents from everything in the folder, and remembers that it must not come back. Asked again, it
/// goes through everything again.
pub fn purge(folder: &Path, spill: Spill, now: Timestamp) -> Result<Cleared, CommuneError> {
    let file = |source| CommuneError::File {
        path: folder.to_owned(),
        source,
    };
    // No restore may bring anything back meanwhile.
    let _served = serve_in(folder).map_err(file)?;
    clear_leftovers(folder)?;
    let mut databases = vec![folder.join(DATABASE)];
    let aside = databases_set_aside(folder).map_err(file)?;
    databases.extend(aside.into_iter().map(|(_, path)| path));
    let mut cleared = Cleared {
        records: 0,
        files: 0,
        set_aside: databases.len() - 1,
    };
    let (mut engines, mut gone) = (Vec::new(), BTreeSet::new());
    for database in databases {
        let mut engine = Engine::new(Storage::open(&database)?);
        let purged = engine.purge(spill, now)?;
        if engines.is_empty() {
            cleared.records = purged.records.len();
        }
        gone.extend(purged.files);
        engines.push(engine);
    }
    let blobs = Blobs::of(folder);
    for digest in gone {
        cleared.files += blobs.remove(digest).map_err(file)?;
    }
    for mut engine in engines {
        engine.storage().leave_no_trace()?;
    }
    Ok(cleared)
}

/// The databases that restores put aside, by the incarnation that followed each, in order.
pub(super) fn databases_set_aside(folder: &Path) -> std::io::Result<Vec<(u64, PathBuf)>> {
    let before = format!("{DATABASE}.before-");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let number = name.and_then(|name| name.strip_prefix(&before));
        if let Some(number) = number.and_then(|number| number.parse().ok()) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}
