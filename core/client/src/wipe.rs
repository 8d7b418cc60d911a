//! Deleting a handbook, so that a phone that dies in the middle finishes it before anything else.
//!
//! The order: a marker, the vault's root, the data key's file, everything else, the marker. Once the marker is on the disk the handbook
//! is gone: no opening gets past it. Root and data key go first, because without either of them the rest is noise.

use std::path::Path;

use crate::disk::Disk;
use crate::error::HandbookError;
use crate::keys_file;
use crate::store;
use crate::vault::{KeyVault, VaultAnswer};

const MARKER: &str = "wiping";

/// Deletes everything; the caller holds the folder's lock. Says how many unsent entries are lost. `KeyFailed` where the vault
/// does not let go of the root: then everything else is deleted, and the next opening tries again.
pub(crate) fn wipe(
    disk: &dyn Disk,
    folder: &Path,
    vault: &dyn KeyVault,
) -> Result<u32, HandbookError> {
    let unsent = store::unsent_in(folder);
    mark(disk, folder)?;
    finish(disk, folder, vault)?;
    Ok(unsent)
}

/// From now on the folder's handbook is to be deleted.
pub(crate) fn mark(disk: &dyn Disk, folder: &Path) -> Result<(), HandbookError> {
    disk.open(&folder.join(MARKER))?.sync()?;
    Ok(disk.sync_folder(folder)?)
}

/// Deletes what is to be deleted and is still there.
pub(crate) fn finish(
    disk: &dyn Disk,
    folder: &Path,
    vault: &dyn KeyVault,
) -> Result<(), HandbookError> {
    let marker = folder.join(MARKER);
    match disk.read(&marker) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let kept = vault.destroy().is_err()
        && !matches!(vault.root_key(), Ok(VaultAnswer::Empty | VaultAnswer::Lost));
    disk.remove(&folder.join(keys_file::KEYS))?;
    disk.remove(&keys_file::beside(folder))?;
    disk.sync_folder(folder)?;
    store::delete(disk, folder)?;
    disk.sync_folder(folder)?;
    if kept {
        return Err(HandbookError::KeyFailed);
    }
    disk.remove(&marker)?;
    Ok(disk.sync_folder(folder)?)
}

#[cfg(test)]
mod tests;
