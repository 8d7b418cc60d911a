//! The audit log's rows. What they mean stands in [`crate::audit`].

use std::collections::BTreeMap;

use rusqlite::OptionalExtension;
use sotay_model::{Timestamp, cbor};

use super::{StorageError, Transaction, fixed};
use crate::audit::{
    Chain, Checkpoint, Entry, Event, Hash, Head, Kept, SALT_BYTES, Signed, chain_bytes, commitment,
    entry_hash,
};
use crate::engine::random;

impl Transaction<'_> {
    /// Writes down what this transaction does, at the end of the chain of the scope it concerns; none is the server's own.
    pub fn audit(
        &self,
        now: Timestamp,
        scope: impl Into<Chain>,
        event: &Event,
    ) -> Result<(), StorageError> {
        let chain = chain_bytes(scope.into());
        let last = self
            .inner
            .prepare_cached("SELECT n, hash FROM audit WHERE scope = ?1 ORDER BY n DESC LIMIT 1")?
            .query_row([&chain], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
            })
            .optional()?;
        let (n, before): (i64, Hash) = match last {
            Some((n, hash)) => (n, fixed(&hash, "audit entry")?),
            None => (0, Hash::default()),
        };
        let n = n + 1;
        let salt = random::<SALT_BYTES>()?;
        let payload = cbor::to_bytes(event);
        let commitment = commitment(&salt, &payload);
        let hash = entry_hash(&chain, n.cast_unsigned(), now, &before, &commitment);
        self.inner
            .prepare_cached(
                "INSERT INTO audit (scope, n, at, commitment, hash, salt, payload)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((&chain, n, now.0, commitment, hash, salt, payload))?;
        Ok(())
    }

    /// Erases what an entry tells and writes that down; false if there is nothing to erase. What tells of an erasure stays.
    pub fn erase_event(
        &self,
        now: Timestamp,
        scope: impl Into<Chain>,
        n: u64,
    ) -> Result<bool, StorageError> {
        let scope = scope.into();
        let chain = chain_bytes(scope);
        let payload: Option<Option<Vec<u8>>> = self
            .inner
            .prepare_cached("SELECT payload FROM audit WHERE scope = ?1 AND n = ?2")?
            .query_row((&chain, n.cast_signed()), |row| row.get(0))
            .optional()?;
        let Some(payload) = payload.flatten() else {
            return Ok(false);
        };
        if matches!(cbor::from_bytes(&payload), Ok(Event::Erased { .. })) {
            return Ok(false);
        }
        self.inner
            .prepare_cached(
                "UPDATE audit SET salt = NULL, payload = NULL WHERE scope = ?1 AND n = ?2",
            )?
            .execute((&chain, n.cast_signed()))?;
        self.audit(now, None, &Event::Erased { scope, n })?;
        Ok(true)
    }

    /// Hands every entry over, chain by chain, the server's own first, as long as the reader says to go on.
    pub fn audit_entries(
        &self,
        only: Option<Chain>,
        mut read: impl FnMut(Entry) -> bool,
    ) -> Result<(), StorageError> {
        let mut statement = self.inner.prepare_cached(
            "SELECT scope, n, at, commitment, hash, salt, payload FROM audit
             WHERE ?1 IS NULL OR scope = ?1 ORDER BY scope, n",
        )?;
        let mut rows = statement.query([only.map(chain_bytes)])?;
        while let Some(row) = rows.next()? {
            let go_on = read(Entry {
                chain: row.get(0)?,
                n: row.get::<_, i64>(1)?.cast_unsigned(),
                at: Timestamp(row.get(2)?),
                commitment: row.get(3)?,
                hash: row.get(4)?,
                salt: row.get(5)?,
                payload: row.get(6)?,
            });
            if !go_on {
                break;
            }
        }
        Ok(())
    }

    /// All checkpoints, in order.
    pub fn checkpoints(&self) -> Result<Vec<Kept>, StorageError> {
        let mut statement = self
            .inner
            .prepare_cached("SELECT n, body, key, signature FROM audit_checkpoint ORDER BY n")?;
        let rows = statement.query_map([], |row| {
            Ok(Kept {
                n: row.get::<_, i64>(0)?.cast_unsigned(),
                body: row.get(1)?,
                key: row.get(2)?,
                signature: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// States and signs how far every chain is; nothing where none went on since the last checkpoint.
    pub fn checkpoint<E: From<StorageError>>(
        &self,
        now: Timestamp,
        sign: impl FnOnce(&[u8]) -> Result<Signed, E>,
    ) -> Result<Option<Kept>, E> {
        let stored = self.checkpoints()?;
        let mut stated: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        for kept in &stored {
            let damaged = |_| StorageError::Damaged { what: "checkpoint" };
            let checkpoint: Checkpoint = cbor::from_bytes(&kept.body).map_err(damaged)?;
            stated.extend(
                checkpoint
                    .heads
                    .into_iter()
                    .map(|head| (head.chain, head.n)),
            );
        }
        let mut heads = self.audit_heads()?;
        heads.retain(|head| stated.get(&head.chain).is_none_or(|n| *n < head.n));
        if heads.is_empty() {
            return Ok(None);
        }
        let last = stored.last();
        let checkpoint = Checkpoint {
            n: last.map_or(0, |kept| kept.n) + 1,
            at: now,
            before: last.map_or(Hash::default(), Kept::hash).to_vec(),
            heads,
        };
        let body = cbor::to_bytes(&checkpoint);
        let Signed { key, signature } = sign(&Checkpoint::signed_bytes(&body))?;
        self.inner
            .prepare_cached(
                "INSERT INTO audit_checkpoint (n, body, key, signature) VALUES (?1, ?2, ?3, ?4)",
            )
            .and_then(|mut insert| {
                insert.execute((checkpoint.n.cast_signed(), &body, key, signature))
            })
            .map_err(StorageError::from)?;
        Ok(Some(Kept {
            n: checkpoint.n,
            body,
            key: key.to_vec(),
            signature: signature.to_vec(),
        }))
    }

    /// The last entry of each chain. Steps from chain to chain, whatever their length.
    fn audit_heads(&self) -> Result<Vec<Head>, StorageError> {
        let mut statement = self.inner.prepare_cached(
            "WITH RECURSIVE chain (scope) AS (
                 SELECT MIN(scope) FROM audit
                 UNION ALL
                 SELECT (SELECT MIN(a.scope) FROM audit a WHERE a.scope > chain.scope)
                 FROM chain WHERE chain.scope IS NOT NULL)
             SELECT a.scope, a.n, a.hash FROM chain JOIN audit a ON a.scope = chain.scope
             WHERE a.n = (SELECT MAX(n) FROM audit b WHERE b.scope = chain.scope)",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(Head {
                chain: row.get(0)?,
                n: row.get::<_, i64>(1)?.cast_unsigned(),
                hash: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
