//! What views read: what the server confirmed, with the effect of what is pending laid over it, in one read transaction.

use std::collections::BTreeMap;

use rusqlite::Connection;
use sotay_model::statement::Version;
use sotay_model::world::Found;
use sotay_model::{Body, Id, Kind, MemberId, OrganisationId, RecordKey, Stamp, Timestamp};

use crate::error::HandbookError;
pub(crate) use crate::store::rows::OutboxEntry;
use crate::store::rows::{self, Setting, Standing};

/// One consistent state of the local database. Reading it never waits for a sync.
#[derive(Debug)]
pub(crate) struct Current<'c> {
    pub(crate) db: &'c Connection,
    pub(crate) me: MemberId,
    pub(crate) cell: OrganisationId,
    pub(crate) now: Timestamp,
    pub(crate) offline: bool,
    /// The version that the organisation wants, where this library is older.
    pub(crate) wanted: Option<Version>,
}

/// Whether everything is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeliveryState {
    /// How many mutations wait to be sent.
    pub(crate) unsent: u32,
    /// How many were refused and wait for their author.
    pub(crate) refused: u32,
    /// When the server was last reached; none: never.
    pub(crate) last_synced_at: Option<Timestamp>,
    /// The last try did not reach the server.
    pub(crate) offline: bool,
}

impl Current<'_> {
    /// The member whose handbook it is.
    pub(crate) const fn me(&self) -> MemberId {
        self.me
    }

    /// The member's home cell.
    pub(crate) const fn cell(&self) -> OrganisationId {
        self.cell
    }

    /// The phone's best guess at the server's time.
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    /// A record; none where there is none, or where this version cannot read it.
    pub(crate) fn get<T: Body>(&self, key: RecordKey) -> Result<Option<Found<T>>, HandbookError> {
        let base = rows::base(self.db, key)?;
        let record = match rows::laid(self.db, key)? {
            Some(laid) => {
                Some(laid.record(key, base.map_or_else(Stamp::default, |record| record.stamp)))
            }
            None => base,
        };
        Ok(record.and_then(read))
    }

    /// All records of a kind that belong to `parent`, sorted by key.
    pub(crate) fn children<T: Body>(&self, parent: Id) -> Result<Vec<Found<T>>, HandbookError> {
        self.of_kind(Some(parent))
    }

    /// All records of a kind, sorted by key.
    pub(crate) fn all<T: Body>(&self) -> Result<Vec<Found<T>>, HandbookError> {
        self.of_kind(None)
    }

    fn of_kind<T: Body>(&self, parent: Option<Id>) -> Result<Vec<Found<T>>, HandbookError> {
        let mut records = BTreeMap::new();
        rows::base_of_kind(self.db, T::KIND, parent, |_, record| {
            records.insert(record.key, record);
            Ok(())
        })?;
        for (key, laid) in rows::laid_of_kind(self.db, T::KIND, parent)? {
            let stamp = records
                .get(&key)
                .map_or_else(Stamp::default, |record| record.stamp);
            records.insert(key, laid.record(key, stamp));
        }
        Ok(records.into_values().filter_map(read).collect())
    }

    /// How many records of a kind belong to `parent`, without reading them.
    pub(crate) fn count<T: Body>(&self, parent: Id) -> Result<u32, HandbookError> {
        let mut select = self.db.prepare_cached(
            "SELECT (SELECT count(*) FROM base WHERE kind = ?1 AND parent = ?2)
                  + (SELECT count(*) FROM overlay o WHERE o.kind = ?1 AND o.parent = ?2 AND NOT EXISTS
                        (SELECT 1 FROM base b JOIN scope s ON s.sid = b.home WHERE b.id = o.id AND s.scope = o.home))",
        )?;
        Ok(select.query_row(
            rusqlite::params![T::KIND.code(), parent.as_bytes()],
            |row| row.get(0),
        )?)
    }

    /// How many records are of kinds that this version does not know. They are kept, and shown by a newer one.
    pub(crate) fn of_unknown_kinds(&self) -> Result<u32, HandbookError> {
        // From kind to kind by the index, not through the records.
        let mut select = self.db.prepare_cached(
            "WITH RECURSIVE present (kind) AS (
                 SELECT min(kind) FROM base
                 UNION ALL SELECT (SELECT min(kind) FROM base WHERE kind > present.kind) FROM present WHERE present.kind IS NOT NULL)
             SELECT kind, (SELECT count(*) FROM base b WHERE b.kind = present.kind) FROM present WHERE kind IS NOT NULL",
        )?;
        let mut rows = select.query([])?;
        let mut count = 0_u32;
        while let Some(row) = rows.next()? {
            if matches!(Kind::from_code(row.get(0)?), Kind::Unknown { .. }) {
                count = count.saturating_add(row.get(1)?);
            }
        }
        Ok(count)
    }

    /// The number of the pending mutation that last wrote this record, if one did.
    pub(crate) fn pending_change(&self, key: RecordKey) -> Result<Option<i64>, HandbookError> {
        Ok(rows::laid(self.db, key)?.map(|laid| laid.n))
    }

    /// Own mutations that were not carried out, the oldest first: waiting to be sent, or refused.
    pub(crate) fn outbox(&self) -> Result<Vec<OutboxEntry>, HandbookError> {
        rows::outbox(self.db)
    }

    /// What this phone remembers for itself under a name; see [`crate::Handbook::set_local`].
    pub(crate) fn local(&self, name: &str) -> Result<Option<Vec<u8>>, HandbookError> {
        rows::local(self.db, name)
    }

    /// Whether everything is sent.
    pub(crate) fn delivery(&self) -> Result<DeliveryState, HandbookError> {
        Ok(DeliveryState {
            unsent: rows::standing(self.db, Standing::Pending)?,
            refused: rows::standing(self.db, Standing::Parked)?,
            last_synced_at: rows::setting_number(self.db, Setting::LastSynced)?.map(Timestamp),
            offline: self.offline,
        })
    }
}

fn read<T: Body>(record: sotay_model::Record) -> Option<Found<T>> {
    record.read().ok().map(|body| Found { record, body })
}
