//! The audit log, for whoever runs the server: checking it, stating how far it is, erasing what an entry tells.

use std::path::Path;

use sotay_model::{Scope, Timestamp};

use super::{CommuneError, DATABASE, OrganisationKeys, hold};
use crate::audit::{Chain, Entry, Kept, Signed, Tampering, Verified, verify};
use crate::storage::{Storage, StorageError};

/// Signs with the organisation's key in use.
pub(crate) fn seal(keys: &OrganisationKeys, bytes: &[u8]) -> Result<Signed, StorageError> {
    let damaged = || StorageError::Damaged {
        what: "organisation's key",
    };
    let key = keys.public().next().ok_or_else(damaged)?;
    Ok(Signed {
        key: key.try_into().map_err(|_| damaged())?,
        signature: keys.sign(bytes).try_into().map_err(|_| damaged())?,
    })
}

/// Reads the whole log again. `kept` is a checkpoint that was kept elsewhere.
pub fn verify_audit(
    folder: &Path,
    kept: Option<&Kept>,
) -> Result<Result<Verified, Tampering>, CommuneError> {
    let keys = {
        let _held = hold(folder)?;
        OrganisationKeys::open(folder)?
    };
    let keys: Vec<[u8; 32]> = keys
        .sealing()
        .filter_map(|key| key.try_into().ok())
        .collect();
    let mut storage = Storage::open(&folder.join(DATABASE))?;
    let transaction = storage.read()?;
    Ok(verify(&transaction, &keys, kept)?)
}

/// States how far the log is, unless the last checkpoint says so already; that one then. None while the log is empty.
pub fn checkpoint_audit(folder: &Path, now: Timestamp) -> Result<Option<Kept>, CommuneError> {
    let keys = {
        let _held = hold(folder)?;
        OrganisationKeys::open(folder)?
    };
    let mut storage = Storage::open(&folder.join(DATABASE))?;
    let transaction = storage.write()?;
    let made = transaction.checkpoint(now, |bytes| seal(&keys, bytes))?;
    let last = match made {
        Some(made) => Some(made),
        None => transaction.checkpoints()?.pop(),
    };
    transaction.commit()?;
    Ok(last)
}

/// Hands over the entries of one chain, or of all.
pub fn read_audit(
    folder: &Path,
    only: Option<Chain>,
    read: impl FnMut(Entry) -> bool,
) -> Result<(), CommuneError> {
    let mut storage = Storage::open(&folder.join(DATABASE))?;
    Ok(storage.read()?.audit_entries(only, read)?)
}

/// Erases what an entry tells, also from what SQLite keeps of it in pages and log; false if there is nothing to erase. `Busy` where
/// somebody reads for too long: then it is erased, and to be asked again until no byte is left.
pub fn erase_audit(
    folder: &Path,
    scope: Option<Scope>,
    n: u64,
    now: Timestamp,
) -> Result<bool, CommuneError> {
    let mut storage = Storage::open(&folder.join(DATABASE))?;
    let transaction = storage.write()?;
    let erased = transaction.erase_event(now, scope, n)?;
    transaction.commit()?;
    storage.leave_no_trace()?;
    Ok(erased)
}
