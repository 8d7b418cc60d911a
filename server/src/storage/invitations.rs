//! Invitations of many members at once: which ones are open, and closing them.

use sotay_model::{Id, MemberId, Timestamp};

use super::{StorageError, Transaction, fixed};

impl Transaction<'_> {
    /// Who could still join with which invitation until when: those that are neither used nor burnt nor expired.
    pub fn open_invitations(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(MemberId, Timestamp)>, StorageError> {
        let mut statement = self.inner.prepare_cached(
            "SELECT member, expires_at FROM invitation
             WHERE used_at IS NULL AND tries_left > 0 AND expires_at >= ?1 ORDER BY member, expires_at",
        )?;
        let mut rows = statement.query([now.0])?;
        let mut open = Vec::new();
        while let Some(row) = rows.next()? {
            let member: Vec<u8> = row.get(0)?;
            open.push((
                MemberId(Id::from_bytes(fixed(&member, "id")?)),
                Timestamp(row.get(1)?),
            ));
        }
        Ok(open)
    }

    /// Makes the open invitations of a member unusable, as if all tries had been wrong; how many there were.
    pub fn close_invitations(
        &self,
        member: MemberId,
        now: Timestamp,
    ) -> Result<usize, StorageError> {
        Ok(self
            .inner
            .prepare_cached(
                "UPDATE invitation SET tries_left = 0
                 WHERE member = ?1 AND used_at IS NULL AND tries_left > 0 AND expires_at >= ?2",
            )?
            .execute((member.0.as_bytes(), now.0))?)
    }
}
