//! Records, and the feeds of the scopes that show them.

use rusqlite::{OptionalExtension, Row};
use sotay_model::record::{Kind, RecordHash, ScopeSum, Stamp};
use sotay_model::world::Children;
use sotay_model::{Id, Record, RecordKey, Scope, Timestamp};

use super::{StorageError, Transaction, fixed};

/// Where a scope's feed stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopeHead {
    /// Changes when the feed starts over.
    pub epoch: u64,
    /// The last seq given.
    pub head: u64,
    /// What the live records add up to.
    pub sum: ScopeSum,
    /// Deletions up to this seq are no longer known.
    pub floor: u64,
}

impl Default for ScopeHead {
    /// A scope to which nothing was ever written.
    fn default() -> Self {
        Self {
            epoch: 1,
            head: 0,
            sum: ScopeSum::default(),
            floor: 0,
        }
    }
}

/// A record with those who see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// The record.
    pub record: Record,
    /// Sorted.
    pub audience: Vec<Scope>,
}

/// One line of a scope's feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingRow {
    /// Position.
    pub seq: u64,
    /// Which record.
    pub key: RecordKey,
    /// Which version.
    pub stamp: Stamp,
    /// Kind, parent and body; none when the record left the scope.
    pub content: Option<(Kind, Id, Vec<u8>)>,
    /// The last seq of the same mutation in this scope.
    pub group_end: u64,
    /// When it was written.
    pub at: Timestamp,
}

impl Transaction<'_> {
    /// Where a scope's feed stands.
    pub fn head(&self, scope: Scope) -> Result<ScopeHead, StorageError> {
        let mut statement = self
            .inner
            .prepare_cached("SELECT epoch, head, sum, count, floor FROM scope WHERE scope = ?1")?;
        let found = statement
            .query_row([scope.to_bytes()], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, Vec<u8>>(2)?,
                    row.get::<_, i64>(3)?,
                    row.get::<_, i64>(4)?,
                ))
            })
            .optional()?;
        found.map_or(
            Ok(ScopeHead::default()),
            |(epoch, head, sum, count, floor)| {
                Ok(ScopeHead {
                    epoch: epoch.cast_unsigned(),
                    head: head.cast_unsigned(),
                    sum: ScopeSum {
                        sum: u128::from_be_bytes(fixed(&sum, "sum")?),
                        count: count.cast_unsigned(),
                    },
                    floor: floor.cast_unsigned(),
                })
            },
        )
    }

    /// How many lines all feeds together ever had: more than before means that something was written. Reads every scope.
    pub fn lines_ever(&self) -> Result<u64, StorageError> {
        let lines: i64 =
            self.inner
                .query_row("SELECT COALESCE(SUM(head), 0) FROM scope", [], |row| {
                    row.get(0)
                })?;
        Ok(lines.cast_unsigned())
    }

    /// Stores where a scope's feed stands.
    pub fn set_head(&self, scope: Scope, head: &ScopeHead) -> Result<(), StorageError> {
        self.inner
            .prepare_cached(
                "INSERT INTO scope (scope, epoch, head, sum, count, floor) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (scope) DO UPDATE SET epoch = ?2, head = ?3, sum = ?4, count = ?5, floor = ?6",
            )?
            .execute((
                scope.to_bytes(),
                head.epoch.cast_signed(),
                head.head.cast_signed(),
                head.sum.sum.to_be_bytes(),
                head.sum.count.cast_signed(),
                head.floor.cast_signed(),
            ))?;
        Ok(())
    }

    /// The record under a key.
    pub fn record(&self, key: RecordKey) -> Result<Option<StoredRecord>, StorageError> {
        let mut statement = self.inner.prepare_cached(
            "SELECT kind, parent, incarnation, version, body, audience FROM record WHERE home = ?1 AND id = ?2",
        )?;
        let mut rows = statement.query((key.home.to_bytes(), key.id.as_bytes()))?;
        rows.next()?.map(|row| stored(row, key)).transpose()
    }

    /// Hands over every record for whose kind `wanted` says so. Reads the whole table once.
    pub fn records(
        &self,
        wanted: impl Fn(Kind) -> bool,
        mut each: impl FnMut(StoredRecord) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let mut statement = self.inner.prepare_cached(
            "SELECT kind, parent, incarnation, version, body, audience, home, id FROM record",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if wanted(kind(row.get(0)?)?) {
                each(stored(row, key(row, 6)?)?)?;
            }
        }
        Ok(())
    }

    /// Stores a record's newest version.
    pub fn set_record(&self, stored: &StoredRecord) -> Result<(), StorageError> {
        let record = &stored.record;
        let audience: Vec<u8> = stored
            .audience
            .iter()
            .flat_map(|scope| scope.to_bytes())
            .collect();
        self.inner
            .prepare_cached(
                "INSERT INTO record (home, id, kind, parent, incarnation, version, body, audience)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (home, id) DO UPDATE SET
                 kind = ?3, parent = ?4, incarnation = ?5, version = ?6, body = ?7, audience = ?8",
            )?
            .execute((
                record.key.home.to_bytes(),
                record.key.id.as_bytes(),
                record.kind.code(),
                record.parent.as_bytes(),
                record.stamp.incarnation.cast_signed(),
                record.stamp.version.cast_signed(),
                &record.body,
                audience,
            ))?;
        Ok(())
    }

    /// Deletes a record. What its feeds say of it is the caller's business.
    pub fn delete_record(&self, key: RecordKey) -> Result<(), StorageError> {
        self.inner
            .prepare_cached("DELETE FROM record WHERE home = ?1 AND id = ?2")?
            .execute((key.home.to_bytes(), key.id.as_bytes()))?;
        Ok(())
    }

    /// When a record's newest line was written into a scope's feed.
    pub fn listed_at(
        &self,
        scope: Scope,
        key: RecordKey,
    ) -> Result<Option<Timestamp>, StorageError> {
        let mut statement = self
            .inner
            .prepare_cached("SELECT at FROM listing WHERE scope = ?1 AND home = ?2 AND id = ?3")?;
        let names = (scope.to_bytes(), key.home.to_bytes(), key.id.as_bytes());
        let at: Option<i64> = statement.query_row(names, |row| row.get(0)).optional()?;
        Ok(at.map(Timestamp))
    }

    /// The highest version that lines of these scopes give a record, one that was deleted included.
    pub fn listed_version(&self, scopes: &[Scope], key: RecordKey) -> Result<u64, StorageError> {
        let mut statement = self.inner.prepare_cached(
            "SELECT version FROM listing WHERE scope = ?1 AND home = ?2 AND id = ?3",
        )?;
        let mut highest = 0;
        for scope in scopes {
            let names = (scope.to_bytes(), key.home.to_bytes(), key.id.as_bytes());
            let version: Option<i64> = statement.query_row(names, |row| row.get(0)).optional()?;
            highest = highest.max(version.unwrap_or(0));
        }
        Ok(highest.cast_unsigned())
    }

    /// The hash under which a scope's sum counts a record now, if it is live there.
    pub fn listed_hash(
        &self,
        scope: Scope,
        key: RecordKey,
    ) -> Result<Option<RecordHash>, StorageError> {
        let mut statement = self.inner.prepare_cached(
            "SELECT hash FROM listing WHERE scope = ?1 AND home = ?2 AND id = ?3",
        )?;
        let hash: Option<Option<Vec<u8>>> = statement
            .query_row(
                (scope.to_bytes(), key.home.to_bytes(), key.id.as_bytes()),
                |row| row.get(0),
            )
            .optional()?;
        hash.flatten()
            .map(|bytes| Ok(RecordHash(u128::from_be_bytes(fixed(&bytes, "hash")?))))
            .transpose()
    }

    /// Puts a record's newest line into a scope's feed, in the place of an older one.
    pub fn set_listing(&self, scope: Scope, row: &ListingRow) -> Result<(), StorageError> {
        let home = row.key.home.to_bytes();
        self.inner
            .prepare_cached("DELETE FROM listing WHERE scope = ?1 AND home = ?2 AND id = ?3")?
            .execute((scope.to_bytes(), home, row.key.id.as_bytes()))?;
        let content = row.content.as_ref();
        let hash =
            content.map(|(_, _, body)| RecordHash::of(&row.key, row.stamp, body).0.to_be_bytes());
        self.inner
            .prepare_cached(
                "INSERT INTO listing (scope, seq, home, id, kind, parent, incarnation, version, hash, body, group_end, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?
            .execute((
                scope.to_bytes(),
                row.seq.cast_signed(),
                home,
                row.key.id.as_bytes(),
                content.map(|(kind, ..)| kind.code()),
                content.map(|(_, parent, _)| parent.as_bytes()),
                row.stamp.incarnation.cast_signed(),
                row.stamp.version.cast_signed(),
                hash,
                content.map(|(.., body)| body),
                row.group_end.cast_signed(),
                row.at.0,
            ))?;
        Ok(())
    }

    /// The lines of a scope's feed behind `after`, in order, as long as `take` wants more.
    pub fn listing(
        &self,
        scope: Scope,
        after: u64,
        mut take: impl FnMut(ListingRow) -> bool,
    ) -> Result<(), StorageError> {
        let mut statement = self.inner.prepare_cached(
            "SELECT seq, home, id, incarnation, version, kind, parent, body, group_end, at FROM listing
             WHERE scope = ?1 AND seq > ?2 ORDER BY seq",
        )?;
        let mut rows = statement.query((scope.to_bytes(), after.cast_signed()))?;
        while let Some(row) = rows.next()? {
            let body: Option<Vec<u8>> = row.get(7)?;
            let line = ListingRow {
                seq: row.get::<_, i64>(0)?.cast_unsigned(),
                key: key(row, 1)?,
                stamp: stamp(row, 3, 4)?,
                content: body
                    .map(|body| Ok::<_, StorageError>((kind(row.get(5)?)?, id(row, 6)?, body)))
                    .transpose()?,
                group_end: row.get::<_, i64>(8)?.cast_unsigned(),
                at: Timestamp(row.get(9)?),
            };
            if !take(line) {
                break;
            }
        }
        Ok(())
    }

    /// Forgets deletions that were written before an instant; how many lines went. A phone that stood before one of them
    /// fetches the scope anew.
    pub fn forget_deletions(&self, before: Timestamp) -> Result<usize, StorageError> {
        self.inner
            .prepare_cached(
                "UPDATE scope SET floor = gone.seq
                 FROM (SELECT scope, max(seq) AS seq FROM listing WHERE body IS NULL AND at < ?1 GROUP BY scope) AS gone
                 WHERE gone.scope = scope.scope AND scope.floor < gone.seq",
            )?
            .execute([before.0])?;
        Ok(self
            .inner
            .prepare_cached("DELETE FROM listing WHERE body IS NULL AND at < ?1")?
            .execute([before.0])?)
    }

    /// The live records that answer a question for children.
    pub fn children(&self, question: &Children) -> Result<Vec<Record>, StorageError> {
        let mut statement = self.inner.prepare_cached(if question.parent.is_some() {
            "SELECT home, id, incarnation, version, parent, body FROM listing
             WHERE scope = ?1 AND kind = ?2 AND body IS NOT NULL AND parent = ?3"
        } else {
            "SELECT home, id, incarnation, version, parent, body FROM listing
             WHERE scope = ?1 AND kind = ?2 AND body IS NOT NULL AND ?3 IS NULL"
        })?;
        let parent = question.parent.as_ref().map(Id::as_bytes);
        let mut rows =
            statement.query((question.scope.to_bytes(), question.kind.code(), parent))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(Record {
                key: key(row, 0)?,
                kind: question.kind,
                parent: id(row, 4)?,
                stamp: stamp(row, 2, 3)?,
                body: row.get(5)?,
            });
        }
        Ok(found)
    }
}

/// Kind, parent, stamp, body and audience, from the first column on.
fn stored(row: &Row<'_>, key: RecordKey) -> Result<StoredRecord, StorageError> {
    let audience: Vec<u8> = row.get(5)?;
    Ok(StoredRecord {
        record: Record {
            key,
            kind: kind(row.get(0)?)?,
            parent: id(row, 1)?,
            stamp: stamp(row, 2, 3)?,
            body: row.get(4)?,
        },
        audience: audience
            .chunks(17)
            .map(scope_of)
            .collect::<Result<_, _>>()?,
    })
}

fn kind(code: i64) -> Result<Kind, StorageError> {
    u32::try_from(code)
        .map(Kind::from_code)
        .map_err(|_| StorageError::Damaged { what: "kind" })
}

fn id(row: &Row<'_>, column: usize) -> Result<Id, StorageError> {
    let bytes = row
        .get_ref(column)?
        .as_blob()
        .map_err(|_| StorageError::Damaged { what: "id" })?;
    Ok(Id::from_bytes(fixed(bytes, "id")?))
}

fn stamp(row: &Row<'_>, incarnation: usize, version: usize) -> Result<Stamp, StorageError> {
    Ok(Stamp {
        incarnation: row.get::<_, i64>(incarnation)?.cast_unsigned(),
        version: row.get::<_, i64>(version)?.cast_unsigned(),
    })
}

fn scope_of(bytes: &[u8]) -> Result<Scope, StorageError> {
    Scope::from_bytes(bytes).map_err(|_| StorageError::Damaged { what: "scope" })
}

/// A key whose home stands in `column` and whose id in the next one.
pub(super) fn key(row: &Row<'_>, column: usize) -> Result<RecordKey, StorageError> {
    let home = row
        .get_ref(column)?
        .as_blob()
        .map_err(|_| StorageError::Damaged { what: "scope" })?;
    Ok(RecordKey::new(scope_of(home)?, id(row, column + 1)?))
}
