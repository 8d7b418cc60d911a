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
        self.copy_to(to)?;
        self.remember_copy(to)
    }

    /// Writes a copy into a new file.
    pub(crate) fn copy_to(&self, to: &Path) -> Result<(), StorageError> {
        self.connection.execute("VACUUM INTO ?1", [name_of(to)?])?;
        Ok(())
    }

    /// Remembers what is in a copy: phones may forget what is in two of them.
    pub(crate) fn remember_copy(&self, copy: &Path) -> Result<(), StorageError> {
        self.beside(copy, |connection| {
            connection.execute(
                "UPDATE main.installation SET backed_up_twice = backed_up, backed_up = max(backed_up,
                     COALESCE((SELECT high_water FROM other.installation c WHERE c.id = installation.id), 0))",
                [],
            )?;
            Ok(())
        })
    }

    /// Reads every page; an error where one is damaged.
    pub(crate) fn check(&self) -> Result<(), StorageError> {
        let found: String = self
            .connection
            .pragma_query_value(None, "quick_check", |row| row.get(0))?;
        if found == "ok" {
            Ok(())
        } else {
            Err(StorageError::Damaged { what: "database" })
        }
    }

    /// Whether another database is this commune's too: a copy keeps the secret that its original was made with.
    pub(crate) fn is_copy_of_same(&self, other: &Path) -> Result<bool, StorageError> {
        self.beside(other, |connection| {
            connection.query_row(
                "SELECT (SELECT value FROM main.meta WHERE name = ?1) IS (SELECT value FROM other.meta WHERE name = ?1)",
                [meta::NONCE_SECRET],
                |row| row.get(0),
            )
        })
    }

    /// Takes over from the database that this copy replaces what must not be undone: phones that were revoked, invitations that
    /// were used or burnt, and the list of what was removed; and phones and invitations that came since, so that one of
    /// them can be revoked and is told. All of it or nothing.
    ///
    /// Of a phone that came since, nothing that it sent is here: it begins with its first number. A member who came since keeps the code
    /// and the id, so that the next list enters the same person.
    pub(crate) fn take_over_revocations(&self, before: &Path) -> Result<(), StorageError> {
        self.beside(before, |connection| {
            let change = connection.unchecked_transaction()?;
            change.execute_batch(
                "INSERT INTO main.installation
                     (id, member, algorithm, public_key, high_water, device_name, enrolled_at, revoked_at, active_since, approval)
                     SELECT id, member, algorithm, public_key, 0, device_name, enrolled_at, revoked_at, active_since, approval
                     FROM other.installation WHERE true
                     ON CONFLICT (id) DO UPDATE SET revoked_at = COALESCE(revoked_at, excluded.revoked_at),
                         active_since = COALESCE(active_since, excluded.active_since);
                 INSERT INTO main.joining (installation, digits, tries_left, until)
                     SELECT installation, digits, tries_left, until FROM other.joining WHERE true
                     ON CONFLICT (installation) DO UPDATE SET tries_left = MIN(tries_left, excluded.tries_left);
                 DELETE FROM main.joining WHERE installation IN (
                     SELECT id FROM main.installation WHERE active_since IS NOT NULL OR revoked_at IS NOT NULL);
                 INSERT INTO main.invitation
                     (lookup, roots_key, claim_key, member, expires_at, tries_left, used_at, used_by, claim)
                     SELECT lookup, roots_key, claim_key, member, expires_at, tries_left, used_at, used_by, claim
                     FROM other.invitation WHERE true
                     ON CONFLICT (lookup) DO UPDATE SET tries_left = MIN(tries_left, excluded.tries_left),
                         used_at = COALESCE(used_at, excluded.used_at), used_by = COALESCE(used_by, excluded.used_by),
                         claim = COALESCE(claim, excluded.claim);
                 INSERT INTO main.register (subject, code, id, entered)
                     SELECT subject, code, id, x'' FROM other.register WHERE subject = 'member'
                     ON CONFLICT DO NOTHING;
                 INSERT INTO main.spill SELECT * FROM other.spill WHERE true ON CONFLICT DO NOTHING;",
            )?;
            change.commit()
        })
    }

    /// Takes over the audit log of the database that this copy replaces, where it goes on from this one's. Whether it does.
    pub(crate) fn take_over_audit(&self, before: &Path) -> Result<bool, StorageError> {
        self.beside(before, |connection| {
            let change = connection.unchecked_transaction()?;
            let goes_on: bool = change.query_row(
                "SELECT EXISTS (SELECT 1 FROM main.audit) AND NOT EXISTS (
                     SELECT 1 FROM main.audit a LEFT JOIN other.audit o ON o.scope = a.scope AND o.n = a.n
                     WHERE o.hash IS NULL OR o.hash <> a.hash)",
                [],
                |row| row.get(0),
            )?;
            if goes_on {
                change.execute_batch(
                    "DELETE FROM main.audit;
                     INSERT INTO main.audit SELECT * FROM other.audit;
                     DELETE FROM main.audit_checkpoint;
                     INSERT INTO main.audit_checkpoint SELECT * FROM other.audit_checkpoint;",
                )?;
            }
            change.commit()?;
            Ok(goes_on)
        })
    }

    /// Writes the log beside the database back into it. `Busy` where somebody reads for too long.
    pub(crate) fn fold_log(&self) -> Result<(), StorageError> {
        let log_in_use: bool =
            self.connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if log_in_use {
            return Err(StorageError::Busy);
        }
        Ok(())
    }

    /// Does something with another database attached as `other`.
    fn beside<T>(
        &self,
        path: &Path,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, StorageError> {
        self.connection
            .execute("ATTACH ?1 AS other", [name_of(path)?])?;
        let done = work(&self.connection);
        self.connection.execute("DETACH other", [])?;
        Ok(done?)
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

fn name_of(path: &Path) -> Result<&str, StorageError> {
    path.to_str()
        .ok_or(StorageError::Damaged { what: "file name" })
}
