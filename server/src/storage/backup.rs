//! Copies of the database, and a database that comes from one.
//!
//! A copy is one consistent state, taken while the server goes on. The live database then remembers how far each phone's
//! mutations are in it; a phone may forget what is in two copies, so that either of them may be lost or old.
//!
//! A database made from a copy has another incarnation than any before it: phones see by it that what they hold may be
//! ahead, fetch everything again, and send what the copy lacks.

use std::path::Path;

use sotay_model::Timestamp;

use super::{Storage, StorageError};
use crate::engine::meta;

impl Storage {
    /// Writes a copy into a new file, and remembers what is in it.
    pub fn back_up(&mut self, to: &Path) -> Result<(), StorageError> {
        let to = to
            .to_str()
            .ok_or(StorageError::Damaged { what: "file name" })?;
        self.connection.execute("VACUUM INTO ?1", [to])?;
        self.connection.execute("ATTACH ?1 AS copy", [to])?;
        let remembered = self.connection.execute(
            "UPDATE main.installation SET backed_up_twice = backed_up, backed_up = max(backed_up,
                 COALESCE((SELECT high_water FROM copy.installation c WHERE c.id = installation.id), 0))",
            [],
        );
        self.connection.execute("DETACH copy", [])?;
        remembered?;
        Ok(())
    }

    /// Gives the database an incarnation that is higher than its own and than `above`.
    pub fn begin_incarnation(&mut self, above: u64, now: Timestamp) -> Result<u64, StorageError> {
        let transaction = self.write()?;
        let incarnation = transaction
            .incarnation()?
            .max(above)
            .saturating_add(1)
            .max(now.0.max(0).cast_unsigned() / 1_000);
        transaction.set_meta(meta::INCARNATION, &incarnation.to_be_bytes())?;
        transaction.commit()?;
        Ok(incarnation)
    }
}
