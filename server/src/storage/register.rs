//! The operator's own names: which organisation, member or office a code of the register stands for.

use rusqlite::OptionalExtension;
use sotay_model::Id;

use super::{StorageError, Transaction, fixed};

/// A code of the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it stands for.
    pub id: Id,
    /// SHA-256 of what was last entered: the same again changes nothing.
    pub entered: Vec<u8>,
}

impl Transaction<'_> {
    /// What a code stands for.
    pub fn entry(&self, subject: &str, code: &str) -> Result<Option<Entry>, StorageError> {
        let mut statement = self
            .inner
            .prepare_cached("SELECT id, entered FROM register WHERE subject = ?1 AND code = ?2")?;
        let found = statement
            .query_row((subject, code), |row| {
                Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))
            })
            .optional()?;
        found
            .map(|(id, entered)| {
                Ok(Entry {
                    id: Id::from_bytes(fixed(&id, "id")?),
                    entered,
                })
            })
            .transpose()
    }

    /// Stores what a code stands for.
    pub fn set_entry(&self, subject: &str, code: &str, entry: &Entry) -> Result<(), StorageError> {
        self.inner
            .prepare_cached(
                "INSERT INTO register (subject, code, id, entered) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (subject, code) DO UPDATE SET id = ?3, entered = ?4",
            )?
            .execute((subject, code, entry.id.as_bytes(), &entry.entered))?;
        Ok(())
    }

    /// All codes of a subject, in order.
    pub fn entries(&self, subject: &str) -> Result<Vec<(String, Entry)>, StorageError> {
        let mut statement = self.inner.prepare_cached(
            "SELECT code, id, entered FROM register WHERE subject = ?1 ORDER BY code",
        )?;
        let mut rows = statement.query([subject])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let id: Vec<u8> = row.get(1)?;
            found.push((
                row.get(0)?,
                Entry {
                    id: Id::from_bytes(fixed(&id, "id")?),
                    entered: row.get(2)?,
                },
            ));
        }
        Ok(found)
    }
}
