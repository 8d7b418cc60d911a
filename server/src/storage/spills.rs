//! The list of what was removed because it should never have been entered, and leaving no trace of it in the file.

use sotay_model::record::Kind;
use sotay_model::{BlobDigest, RecordKey, Timestamp};

use super::{Storage, StorageError, Transaction, feeds, fixed};

/// What must not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spill {
    /// A file, by its SHA-256.
    File(BlobDigest),
    /// A text, by its SHA-256.
    Text([u8; 32]),
    /// A record, whatever it says.
    Record(RecordKey),
}

impl Spill {
    fn row(self) -> (i64, Vec<u8>) {
        match self {
            Self::File(digest) => (1, digest.as_bytes().to_vec()),
            Self::Text(digest) => (2, digest.to_vec()),
            Self::Record(key) => (3, key.to_bytes().to_vec()),
        }
    }

    fn of_row(what: i64, name: &[u8]) -> Result<Self, StorageError> {
        const DAMAGED: StorageError = StorageError::Damaged { what: "spill" };
        Ok(match what {
            1 => Self::File(BlobDigest::from_bytes(fixed(name, "spill")?)),
            2 => Self::Text(fixed(name, "spill")?),
            3 => Self::Record(RecordKey::from_bytes(name).map_err(|_| DAMAGED)?),
            _ => return Err(DAMAGED),
        })
    }
}

impl Transaction<'_> {
    /// Puts something on the list.
    pub fn list_spill(&self, spill: Spill, now: Timestamp) -> Result<(), StorageError> {
        let (what, name) = spill.row();
        self.inner
            .prepare_cached(
                "INSERT INTO spill (what, name, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            )?
            .execute((what, name, now.0))?;
        Ok(())
    }

    /// Whether something is on the list.
    pub fn is_spill(&self, spill: Spill) -> Result<bool, StorageError> {
        let (what, name) = spill.row();
        Ok(self
            .inner
            .prepare_cached("SELECT 1 FROM spill WHERE what = ?1 AND name = ?2")?
            .exists((what, name))?)
    }

    /// Whether anything is.
    pub fn has_spills(&self) -> Result<bool, StorageError> {
        Ok(self
            .inner
            .prepare_cached("SELECT 1 FROM spill LIMIT 1")?
            .exists([])?)
    }

    /// The whole list.
    pub fn spills(&self) -> Result<Vec<Spill>, StorageError> {
        let mut select = self
            .inner
            .prepare_cached("SELECT what, name FROM spill ORDER BY what, name")?;
        let mut rows = select.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(Spill::of_row(row.get(0)?, &row.get::<_, Vec<u8>>(1)?)?);
        }
        Ok(found)
    }

    /// The keys of all records of a kind. Reads every record.
    pub fn keys_of(&self, kind: Kind) -> Result<Vec<RecordKey>, StorageError> {
        let mut select = self
            .inner
            .prepare_cached("SELECT home, id FROM record WHERE kind = ?1 ORDER BY home, id")?;
        let mut rows = select.query([kind.code()])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(feeds::key(row, 0)?);
        }
        Ok(found)
    }
}

impl Storage {
    /// Writes the file anew without anything that was deleted from it, and empties the log beside it. `Busy` where somebody reads
    /// for so long that the log cannot be emptied: then it is to be asked again.
    pub fn leave_no_trace(&self) -> Result<(), StorageError> {
        self.connection.execute_batch("VACUUM")?;
        self.fold_log()
    }
}
