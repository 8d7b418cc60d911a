//! Reading records, the overlay and the outbox from one connection: the statements that views and the engine share.

use rusqlite::{Connection, OptionalExtension, Row, params};
use sotay_model::rejection::Rejection;
use sotay_model::{Id, Kind, Mutation, Record, RecordKey, Scope, Stamp, cbor};

use crate::error::HandbookError;

/// A record read from the database holds bytes that no version wrote: the file is damaged.
pub(crate) const DAMAGED: HandbookError = HandbookError::DatabaseUnreadable { unsent: 0 };

/// 16 bytes of a column.
pub(crate) fn id_of(row: &Row<'_>, column: usize) -> Result<Id, HandbookError> {
    let bytes = row.get_ref(column)?.as_blob().map_err(|_| DAMAGED)?;
    Ok(Id::from_bytes(bytes.try_into().map_err(|_| DAMAGED)?))
}

/// 17 bytes of a column.
pub(crate) fn scope_of(row: &Row<'_>, column: usize) -> Result<Scope, HandbookError> {
    Scope::from_bytes(row.get_ref(column)?.as_blob().map_err(|_| DAMAGED)?).map_err(|_| DAMAGED)
}

/// SQLite's integers are signed; the bits are kept.
pub(crate) fn unsigned_of(row: &Row<'_>, column: usize) -> Result<u64, HandbookError> {
    Ok(row.get::<_, i64>(column)?.cast_unsigned())
}

fn base_record(row: &Row<'_>) -> Result<Record, HandbookError> {
    Ok(Record {
        key: RecordKey::new(scope_of(row, 0)?, id_of(row, 1)?),
        kind: Kind::from_code(row.get(2)?),
        parent: id_of(row, 3)?,
        stamp: Stamp {
            incarnation: unsigned_of(row, 4)?,
            version: unsigned_of(row, 5)?,
        },
        body: row.get(6)?,
    })
}

/// The record that the server confirmed under this key.
pub(crate) fn base(db: &Connection, key: RecordKey) -> Result<Option<Record>, HandbookError> {
    let mut select = db.prepare_cached(
        "SELECT s.scope, b.id, b.kind, b.parent, b.incarnation, b.version, b.body
         FROM base b JOIN scope s ON s.sid = b.home WHERE b.id = ?1 AND s.scope = ?2",
    )?;
    let mut rows = select.query(params![key.id.as_bytes(), key.home.to_bytes()])?;
    rows.next()?.map(base_record).transpose()
}

/// Confirmed records of a kind; with `parent`, only those that belong to it. In no order.
pub(crate) fn base_of_kind(
    db: &Connection,
    kind: Kind,
    parent: Option<Id>,
    mut each: impl FnMut(i64, Record) -> Result<(), HandbookError>,
) -> Result<(), HandbookError> {
    let mut select = db.prepare_cached(if parent.is_some() {
        "SELECT s.scope, b.id, b.kind, b.parent, b.incarnation, b.version, b.body, b.rid
         FROM base b JOIN scope s ON s.sid = b.home WHERE b.kind = ?1 AND b.parent = ?2"
    } else {
        "SELECT s.scope, b.id, b.kind, b.parent, b.incarnation, b.version, b.body, b.rid
         FROM base b JOIN scope s ON s.sid = b.home WHERE b.kind = ?1"
    })?;
    let mut rows = match parent {
        Some(parent) => select.query(params![kind.code(), parent.as_bytes()])?,
        None => select.query(params![kind.code()])?,
    };
    while let Some(row) = rows.next()? {
        each(row.get(7)?, base_record(row)?)?;
    }
    Ok(())
}

/// A record as the pending mutations leave it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Laid {
    /// What it is about.
    pub(crate) kind: Kind,
    /// What it belongs to.
    pub(crate) parent: Id,
    /// Who will see it.
    pub(crate) audience: Vec<Scope>,
    /// Its body.
    pub(crate) body: Vec<u8>,
    /// The mutation that last wrote it.
    pub(crate) n: i64,
    /// The mutation that created it, where the server does not have it yet.
    pub(crate) creator: Option<i64>,
}

impl Laid {
    /// The record, under the stamp that the server's version has.
    pub(crate) fn record(&self, key: RecordKey, stamp: Stamp) -> Record {
        Record {
            key,
            kind: self.kind,
            parent: self.parent,
            stamp,
            body: self.body.clone(),
        }
    }
}

/// The scopes of an audience, 17 bytes each, one behind the other.
pub(crate) fn audience_bytes(audience: &[Scope]) -> Vec<u8> {
    audience.iter().flat_map(|scope| scope.to_bytes()).collect()
}

/// The reverse of [`audience_bytes`].
pub(crate) fn audience_of(bytes: &[u8]) -> Result<Vec<Scope>, HandbookError> {
    bytes
        .chunks(17)
        .map(|scope| Scope::from_bytes(scope).map_err(|_| DAMAGED))
        .collect()
}

const LAID: &str = "SELECT home, id, kind, parent, audience, body, n, creator FROM overlay";

fn laid_row(row: &Row<'_>) -> Result<(RecordKey, Laid), HandbookError> {
    let audience = row.get_ref(4)?.as_blob().map_err(|_| DAMAGED)?;
    Ok((
        RecordKey::new(scope_of(row, 0)?, id_of(row, 1)?),
        Laid {
            kind: Kind::from_code(row.get(2)?),
            parent: id_of(row, 3)?,
            audience: audience_of(audience)?,
            body: row.get(5)?,
            n: row.get(6)?,
            creator: row.get(7)?,
        },
    ))
}

/// What is laid over one record.
pub(crate) fn laid(db: &Connection, key: RecordKey) -> Result<Option<Laid>, HandbookError> {
    let mut select = db.prepare_cached(&format!("{LAID} WHERE id = ?1 AND home = ?2"))?;
    let mut rows = select.query(params![key.id.as_bytes(), key.home.to_bytes()])?;
    rows.next()?
        .map(|row| laid_row(row).map(|(_, laid)| laid))
        .transpose()
}

/// Everything laid over records of a kind; with `parent`, only of those that belong to it. In no order.
pub(crate) fn laid_of_kind(
    db: &Connection,
    kind: Kind,
    parent: Option<Id>,
) -> Result<Vec<(RecordKey, Laid)>, HandbookError> {
    let mut select = db.prepare_cached(&match parent {
        Some(_) => format!("{LAID} WHERE kind = ?1 AND parent = ?2"),
        None => format!("{LAID} WHERE kind = ?1"),
    })?;
    let mut rows = match parent {
        Some(parent) => select.query(params![kind.code(), parent.as_bytes()])?,
        None => select.query(params![kind.code()])?,
    };
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(laid_row(row)?);
    }
    Ok(found)
}

/// The whole overlay.
pub(crate) fn all_laid(db: &Connection) -> Result<Vec<(RecordKey, Laid)>, HandbookError> {
    let mut select = db.prepare_cached(LAID)?;
    let mut rows = select.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(laid_row(row)?);
    }
    Ok(found)
}

/// Where an own mutation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Standing {
    /// No receipt yet.
    Pending = 0,
    /// Refused; kept for its author.
    Parked = 1,
    /// Carried out; kept until it is in a backup of the server.
    Accepted = 2,
}

/// An own mutation that was not carried out: pending, or parked with the refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutboxEntry {
    /// Its number.
    pub(crate) n: i64,
    /// What it wants.
    pub(crate) mutation: Mutation,
    /// Why the server refused it; none while it waits to be sent.
    pub(crate) refusal: Option<Rejection>,
}

/// Pending and parked mutations, the oldest first.
pub(crate) fn outbox(db: &Connection) -> Result<Vec<OutboxEntry>, HandbookError> {
    let mut select =
        db.prepare_cached("SELECT n, mutation, rejection FROM outbox WHERE state <> 2 ORDER BY n")?;
    let mut rows = select.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mutation = row.get_ref(1)?.as_blob().map_err(|_| DAMAGED)?;
        let refusal = match row.get_ref(2)?.as_blob_or_null().map_err(|_| DAMAGED)? {
            Some(bytes) => Some(cbor::from_bytes(bytes).map_err(|_| DAMAGED)?),
            None => None,
        };
        let mutation = cbor::from_bytes(mutation).map_err(|_| DAMAGED)?;
        found.push(OutboxEntry {
            n: row.get(0)?,
            mutation,
            refusal,
        });
    }
    Ok(found)
}

/// How many mutations stand so.
pub(crate) fn standing(db: &Connection, standing: Standing) -> Result<u32, HandbookError> {
    let mut select = db.prepare_cached("SELECT count(*) FROM outbox WHERE state = ?1")?;
    Ok(select.query_row([standing as u8], |row| row.get(0))?)
}

/// What there is one of; the number is the row's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Setting {
    /// Who joined, and how the server is reached: [`crate::identity::Identity`].
    Identity = 1,
    /// The server's incarnation that the cursors are from.
    Incarnation = 2,
    /// The number of the next mutation.
    NextN = 3,
    /// Milliseconds to add to the phone's clock to get the server's.
    ClockOffset = 4,
    /// When the server was last reached, by its clock.
    LastSynced = 5,
    /// When everything was last read again and compared with the sums, by the server's clock.
    LastVerified = 6,
    /// The server's time at a moment since the phone was started: [`crate::clock`].
    ClockAnchor = 7,
    /// Up to which number the server was told that its receipts are not needed any more.
    SettledThrough = 8,
    /// A claim that no officer has confirmed yet: [`crate::identity::Joining`].
    Joining = 9,
    /// The session that requests are signed by: [`crate::session`].
    Session = 10,
    /// What is still to be done because words were removed: the engine's `spills`.
    Spilled = 11,
}

/// A setting's bytes.
pub(crate) fn setting(db: &Connection, name: Setting) -> Result<Option<Vec<u8>>, HandbookError> {
    let mut select = db.prepare_cached("SELECT value FROM setting WHERE name = ?1")?;
    Ok(select
        .query_row([name as u8], |row| row.get(0))
        .optional()?)
}

/// A setting that is a number.
pub(crate) fn setting_number(db: &Connection, name: Setting) -> Result<Option<i64>, HandbookError> {
    setting(db, name)?
        .map(|bytes| {
            bytes
                .as_slice()
                .try_into()
                .map(i64::from_be_bytes)
                .map_err(|_| DAMAGED)
        })
        .transpose()
}

/// Keeps a setting.
pub(crate) fn set(db: &Connection, name: Setting, value: &[u8]) -> Result<(), HandbookError> {
    db.prepare_cached("INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)")?
        .execute(params![name as u8, value])?;
    Ok(())
}

/// Forgets a setting.
pub(crate) fn unset(db: &Connection, name: Setting) -> Result<(), HandbookError> {
    db.prepare_cached("DELETE FROM setting WHERE name = ?1")?
        .execute([name as u8])?;
    Ok(())
}

/// Keeps a setting that is a number.
pub(crate) fn set_number(db: &Connection, name: Setting, value: i64) -> Result<(), HandbookError> {
    set(db, name, &value.to_be_bytes())
}

/// What this phone remembers for itself under a name.
pub(crate) fn local(db: &Connection, name: &str) -> Result<Option<Vec<u8>>, HandbookError> {
    let mut select = db.prepare_cached("SELECT value FROM local WHERE name = ?1")?;
    Ok(select
        .query_row([name.as_bytes()], |row| row.get(0))
        .optional()?)
}

/// Remembers something for this phone only.
pub(crate) fn set_local(db: &Connection, name: &str, value: &[u8]) -> Result<(), HandbookError> {
    db.prepare_cached(
        "INSERT INTO local (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute(params![name.as_bytes(), value])?;
    Ok(())
}

sotay_model::redacted! {
    Laid { kind, parent, audience, body, n, creator },
}
