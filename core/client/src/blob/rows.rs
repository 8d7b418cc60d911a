//! The table `blob`. A blob's key lies here and nowhere else: without the row its bytes are noise.

use rusqlite::{Connection, OptionalExtension, Row, params};
use sotay_model::{BlobDigest, Id, NamedBlob};

use super::stream::FILE_KEY_BYTES;
use crate::error::HandbookError;
use crate::keys;
use crate::store::rows::{self, DAMAGED, id_of, unsigned_of};

/// How many bytes attachments may take where nobody said otherwise.
pub(crate) const QUOTA_BYTES: u64 = 512 << 20;
const QUOTA: &str = "attachment quota";

/// A blob that is here, or on its way.
#[derive(Clone)]
pub(crate) struct BlobRow {
    /// The file's name, which says nothing about what is in it.
    pub(crate) file: Id,
    /// The file's key.
    pub(crate) key: [u8; FILE_KEY_BYTES],
    /// How many bytes it has.
    pub(crate) size: u64,
    /// All of it is here and was checked.
    pub(crate) ready: bool,
    /// It is never thrown out to make room.
    pub(crate) pinned: bool,
}

fn blob_row(row: &Row<'_>) -> Result<BlobRow, HandbookError> {
    let key = row.get_ref(1)?.as_blob().map_err(|_| DAMAGED)?;
    Ok(BlobRow {
        file: id_of(row, 0)?,
        key: key.try_into().map_err(|_| DAMAGED)?,
        size: unsigned_of(row, 2)?,
        ready: row.get(3)?,
        pinned: row.get(4)?,
    })
}

/// A blob's row.
pub(crate) fn find(db: &Connection, digest: BlobDigest) -> Result<Option<BlobRow>, HandbookError> {
    let mut select =
        db.prepare_cached("SELECT file, key, size, ready, pinned FROM blob WHERE digest = ?1")?;
    let mut rows = select.query([digest.as_bytes()])?;
    rows.next()?.map(blob_row).transpose()
}

/// A blob's row; made where there is none, under a new key.
pub(crate) fn find_or_add(db: &Connection, named: NamedBlob) -> Result<BlobRow, HandbookError> {
    if let Some(row) = find(db, named.digest)? {
        return Ok(row);
    }
    let row = BlobRow {
        file: Id::from_bytes(keys::random()?),
        key: keys::random()?,
        size: named.size,
        ready: false,
        pinned: false,
    };
    db.prepare_cached("INSERT INTO blob (digest, file, key, size) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            named.digest.as_bytes(),
            row.file.as_bytes(),
            row.key,
            row.size.cast_signed()
        ])?;
    Ok(row)
}

/// Says whether all of a blob is here and checked; false where the row is gone.
pub(crate) fn set_ready(
    db: &Connection,
    digest: BlobDigest,
    ready: bool,
) -> Result<bool, HandbookError> {
    let changed = db
        .prepare_cached("UPDATE blob SET ready = ?2 WHERE digest = ?1")?
        .execute(params![digest.as_bytes(), ready])?;
    Ok(changed > 0)
}

/// Says whether a blob may be thrown out to make room.
pub(crate) fn set_pinned(
    db: &Connection,
    digest: BlobDigest,
    pinned: bool,
) -> Result<(), HandbookError> {
    db.prepare_cached("UPDATE blob SET pinned = ?2 WHERE digest = ?1")?
        .execute(params![digest.as_bytes(), pinned])?;
    Ok(())
}

/// Says whether this phone handed the blob over and may have to once more; then it is not thrown out either.
pub(crate) fn set_own(db: &Connection, digest: BlobDigest, own: bool) -> Result<(), HandbookError> {
    db.prepare_cached("UPDATE blob SET own = ?2 WHERE digest = ?1")?
        .execute(params![digest.as_bytes(), own])?;
    Ok(())
}

/// Somebody wants to see it: it is the last one to be thrown out. Counted, not timed, so no clock confuses the order.
pub(crate) fn used(db: &Connection, digest: BlobDigest) -> Result<(), HandbookError> {
    db.prepare_cached("UPDATE blob SET used = (SELECT max(used) + 1 FROM blob) WHERE digest = ?1")?
        .execute([digest.as_bytes()])?;
    Ok(())
}

/// Forgets a blob, and with its key its bytes.
pub(crate) fn forget(db: &Connection, digest: BlobDigest) -> Result<(), HandbookError> {
    db.prepare_cached("DELETE FROM blob WHERE digest = ?1")?
        .execute([digest.as_bytes()])?;
    Ok(())
}

/// The digests of all rows, and whether this phone handed them over.
pub(crate) fn all(db: &Connection) -> Result<Vec<(BlobDigest, bool)>, HandbookError> {
    let mut select = db.prepare_cached("SELECT digest, own FROM blob")?;
    let mut rows = select.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let digest = row.get_ref(0)?.as_blob().map_err(|_| DAMAGED)?;
        let digest = BlobDigest::from_bytes(digest.try_into().map_err(|_| DAMAGED)?);
        found.push((digest, row.get(1)?));
    }
    Ok(found)
}

/// The names of all files.
pub(crate) fn files(db: &Connection) -> Result<Vec<Id>, HandbookError> {
    let mut select = db.prepare_cached("SELECT file FROM blob")?;
    let mut rows = select.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(id_of(row, 0)?);
    }
    Ok(found)
}

/// How many bytes attachments may take.
pub(crate) fn quota(db: &Connection) -> Result<u64, HandbookError> {
    let kept = rows::local(db, QUOTA)?;
    Ok(kept
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(QUOTA_BYTES, u64::from_be_bytes))
}

/// Says how many bytes attachments may take.
pub(crate) fn set_quota(db: &Connection, bytes: u64) -> Result<(), HandbookError> {
    rows::set_local(db, QUOTA, &bytes.to_be_bytes())
}

/// How many bytes the blobs take, those still on their way included.
pub(crate) fn total(db: &Connection) -> Result<u64, HandbookError> {
    let total: i64 = db.query_row("SELECT coalesce(sum(size), 0) FROM blob", [], |row| {
        row.get(0)
    })?;
    Ok(total.cast_unsigned())
}

/// Throws out what was not used for the longest time until all fit into the quota; pinned and own ones stay, and so does
/// `wanted`. `StorageFull` where that is not enough: then nothing should be kept of this.
pub(crate) fn make_room(db: &Connection, wanted: Option<BlobDigest>) -> Result<(), HandbookError> {
    let quota = quota(db)?;
    while total(db)? > quota {
        let wanted = wanted.as_ref().map(BlobDigest::as_bytes);
        let gone = db
            .prepare_cached(
                "DELETE FROM blob WHERE bid = (SELECT bid FROM blob WHERE pinned = 0 AND own = 0 AND digest IS NOT ?1
                 ORDER BY used LIMIT 1) RETURNING bid",
            )?
            .query_row([wanted], |row| row.get::<_, i64>(0))
            .optional()?;
        if gone.is_none() {
            return Err(HandbookError::StorageFull);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Keys;
    use crate::store::{self, Store};
    use std::path::Path;
    use std::sync::Arc;

    const BLOB: NamedBlob = NamedBlob {
        digest: BlobDigest::from_bytes([7; 32]),
        size: 100,
    };

    fn opened(folder: &Path) -> Store {
        let keys = Arc::new(Keys::from_data_key(&[3; 32].into()));
        Store::open(folder, keys, store::lock(folder).unwrap()).unwrap()
    }

    #[test]
    fn a_row_is_made_once_and_each_has_a_key_and_a_name_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(folder.path());
        let db = &store.writer().db;
        let other = NamedBlob {
            digest: BlobDigest::from_bytes([8; 32]),
            ..BLOB
        };
        let (first, again) = (
            find_or_add(db, BLOB).unwrap(),
            find_or_add(db, BLOB).unwrap(),
        );
        assert!(first.key == again.key && first.file == again.file);
        let second = find_or_add(db, other).unwrap();
        assert!(first.key != second.key && first.file != second.file);
        forget(db, BLOB.digest).unwrap();
        assert!(!set_ready(db, BLOB.digest, true).unwrap());
        assert!(find_or_add(db, BLOB).unwrap().key != first.key);
    }

    /// With the cipher no byte of the database can be recognised, deleted or not.
    #[cfg(not(feature = "cipher"))]
    #[test]
    fn promise_16_the_key_of_a_forgotten_blob_is_nowhere_after_the_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(folder.path());
        let row = find_or_add(&store.writer().db, BLOB).unwrap();
        let holds_key = || {
            store.checkpoint();
            std::fs::read_dir(folder.path()).unwrap().any(|entry| {
                let bytes = std::fs::read(entry.unwrap().path()).unwrap();
                bytes.windows(row.key.len()).any(|part| part == row.key)
            })
        };
        assert!(holds_key());
        forget(&store.writer().db, BLOB.digest).unwrap();
        assert!(!holds_key());
    }
}
