//! What no record names any more goes.
//!
//! The row goes in the transaction that takes the record, and with it the key: from then on the file is noise. The file goes
//! after that, or with the next sync. What lies in neither table nor outbox was left by a crash and goes as well.

use std::collections::BTreeSet;
use std::sync::TryLockError;

use rusqlite::{Connection, TransactionBehavior};
use sotay_model::blob::{KINDS_THAT_NAME_BLOBS, named_by};
use sotay_model::{BlobDigest, Mutation, NamedBlob, cbor};

use super::{FOLDER, file_of, outgoing, rows};
use crate::error::HandbookError;
use crate::lifecycle::Inner;
use crate::store::rows::{self as stored, DAMAGED, Standing};
use crate::watch::Touched;

/// The blobs that the records on this phone name, pending ones included.
fn named(db: &Connection) -> Result<BTreeSet<NamedBlob>, HandbookError> {
    let mut found = BTreeSet::new();
    for kind in KINDS_THAT_NAME_BLOBS {
        stored::base_of_kind(db, *kind, None, |_, record| {
            found.extend(named_by(record.kind, &record.body));
            Ok(())
        })?;
        for (_, laid) in stored::laid_of_kind(db, *kind, None)? {
            found.extend(named_by(laid.kind, &laid.body));
        }
    }
    Ok(found)
}

/// Forgets the blobs that no record names any more; part of the transaction that touched the records.
pub(crate) fn forget_unnamed(db: &Connection, touched: &Touched) -> Result<(), HandbookError> {
    let concerned = touched.everything
        || touched
            .records
            .iter()
            .any(|(kind, ..)| KINDS_THAT_NAME_BLOBS.contains(kind));
    if !concerned {
        return Ok(());
    }
    let rows = rows::all(db)?;
    if rows.is_empty() {
        return Ok(());
    }
    let named: BTreeSet<BlobDigest> = named(db)?.into_iter().map(|named| named.digest).collect();
    for (digest, _) in rows {
        if !named.contains(&digest) {
            rows::forget(db, digest)?;
        }
    }
    Ok(())
}

/// What the outbox names: by entries that are not carried out yet, and by all.
fn named_by_outbox(
    db: &Connection,
) -> Result<(BTreeSet<NamedBlob>, BTreeSet<BlobDigest>), HandbookError> {
    let (mut waiting, mut any) = (BTreeSet::new(), BTreeSet::new());
    let mut select = db.prepare_cached("SELECT state, mutation FROM outbox")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let state: u8 = row.get(0)?;
        let bytes = row.get_ref(1)?.as_blob().map_err(|_| DAMAGED)?;
        let Ok(mutation) = cbor::from_bytes::<Mutation>(bytes) else {
            continue;
        };
        for (_, named) in outgoing::named_by_intent(&mutation.intent) {
            any.insert(named.digest);
            if state != Standing::Accepted as u8 {
                waiting.insert(named);
            }
        }
    }
    Ok((waiting, any))
}

impl Inner {
    /// Puts the folder of blobs in order after a sync.
    pub(crate) fn tidy_blobs(&self) -> Result<(), HandbookError> {
        self.remove_forgotten_files();
        // Whoever lays files out tidies with the next sync.
        let _nobody_lays_out = match self.blobs.staging.try_lock() {
            Ok(held) => held,
            Err(TryLockError::Poisoned(held)) => held.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(()),
        };
        let pass = self.enter()?;
        let folder = outgoing::folder(&self.folder);
        let names = names_in(&folder);
        let own = pass.read(|db| Ok(rows::all(db)?.into_iter().any(|(_, own)| own)))?;
        if names.is_empty() && !own {
            return Ok(());
        }
        let ((waiting, any), named) = pass.read(|db| Ok((named_by_outbox(db)?, named(db)?)))?;
        for (digest, own) in pass.read(rows::all)? {
            if own && !any.contains(&digest) {
                rows::set_own(&pass.writer().db, digest, false)?;
            }
        }
        let mut kept = BTreeSet::new();
        for blob in &waiting {
            kept.extend(outgoing::names(self.keys(), blob.digest)?);
        }
        for blob in named {
            let here = outgoing::names(self.keys(), blob.digest)?;
            if here
                .iter()
                .any(|name| names.contains(name) && !kept.contains(name))
            {
                // Where the storage has no room for it, it is fetched like any other.
                let _ = self.adopt(blob);
            }
        }
        for name in names.difference(&kept) {
            remove(&folder.join(name));
        }
        Ok(())
    }

    /// The server has it: from now on it is a blob like any other, which its author can read without fetching it.
    fn adopt(&self, blob: NamedBlob) -> Result<(), HandbookError> {
        let pass = self.enter()?;
        let source = outgoing::file(&self.folder, self.keys(), blob)?;
        let row = {
            let mut writer = pass.writer();
            let change = writer
                .db
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            let row = rows::find_or_add(&change, blob)?;
            rows::used(&change, blob.digest)?;
            match rows::make_room(&change, Some(blob.digest)) {
                Ok(()) => change.commit()?,
                // Then it is fetched like any other.
                Err(HandbookError::StorageFull) => return Ok(()),
                Err(error) => return Err(error),
            }
            row
        };
        if row.ready {
            return Ok(());
        }
        let place = file_of(&self.folder, &row);
        for index in 0..place.pieces() {
            match source.read_piece(index)? {
                Some(piece) => place.write_piece(index, &piece)?,
                // Damaged: what is missing is fetched.
                None => return Ok(()),
            }
        }
        place.sync()?;
        let writer = pass.writer();
        rows::set_ready(&writer.db, blob.digest, true)?;
        rows::set_own(&writer.db, blob.digest, true)
    }

    /// Removes the files that no row names. The folder is read before the table: a row is made before its file.
    pub(crate) fn remove_forgotten_files(&self) {
        let Ok(pass) = self.enter() else {
            return;
        };
        let folder = self.folder.join(FOLDER);
        let names = names_in(&folder);
        if names.is_empty() {
            return;
        }
        // What cannot be read or removed now, is after the next sync; without its key it is noise.
        if let Ok(files) = pass.read(rows::files) {
            let known: BTreeSet<String> = files.iter().map(ToString::to_string).collect();
            for name in names.difference(&known) {
                remove(&folder.join(name));
            }
        }
    }
}

/// The names of the files in a folder; none where it is missing.
fn names_in(folder: &std::path::Path) -> BTreeSet<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return BTreeSet::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

fn remove(path: &std::path::Path) {
    // Tried again after the next sync.
    let _ = std::fs::remove_file(path);
}
