//! The server's database from outside: whether it holds what the reference holds, and a record that no version here knows.

use std::collections::BTreeMap;

use rusqlite::{Connection, OpenFlags};
use sotay_disk::{Disk, vfs_name};
use sotay_model::{
    Id, InstallationId, Kind, OrganisationId, Put, Record, RecordKey, Scope, Stamp, Timestamp,
};
use sotay_server::engine::Engine;
use sotay_server::storage::{ListingRow, ScopeHead, Storage, StorageError, StoredRecord};

use crate::ensure;
use crate::ground::DATABASE;
use crate::reference::{Reference, WrittenRecord};
use crate::violation::Checked;

/// Opens the engine on a disk.
pub fn open_engine(disk: &Disk) -> Checked<Engine> {
    let storage = Storage::open_in(vfs_name(), &disk.path(DATABASE))
        .map_err(|error| format!("the server does not open: {error}"))?;
    Ok(Engine::new(storage))
}

/// Compares the database, byte for byte, with what it should hold.
pub fn holds(disk: &Disk, expected: &Reference) -> Checked {
    let failed = |error: rusqlite::Error| format!("reading the server's database: {error}");
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags_and_vfs(disk.path(DATABASE), flags, vfs_name())
        .map_err(failed)?;
    holds_feeds(&db, expected)?;
    holds_records(&db, expected)?;
    let mut select = db
        .prepare("SELECT id, high_water FROM installation")
        .map_err(failed)?;
    let mut rows = select.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let id: Vec<u8> = row.get(0).map_err(failed)?;
        let found: i64 = row.get(1).map_err(failed)?;
        let id = InstallationId(Id::from_bytes(
            id.as_slice().try_into().map_err(|_| "an id is damaged")?,
        ));
        let numbers = expected.phones.get(&id).ok_or("an unknown phone")?;
        ensure!(
            numbers.high_water == found.cast_unsigned(),
            "a phone's highest number is {found}, and should be {}",
            numbers.high_water
        );
    }
    Ok(())
}

type Key = Vec<u8>;
type Body = Option<Vec<u8>>;

fn holds_feeds(db: &Connection, expected: &Reference) -> Checked {
    let failed = |error: rusqlite::Error| format!("reading the server's database: {error}");
    let mut heads: BTreeMap<Vec<u8>, (i64, Vec<u8>, i64, i64)> = BTreeMap::new();
    let mut select = db
        .prepare("SELECT scope, head, sum, count, floor FROM scope")
        .map_err(failed)?;
    let mut rows = select.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let head = (
            row.get(1).map_err(failed)?,
            row.get(2).map_err(failed)?,
            row.get(3).map_err(failed)?,
            row.get(4).map_err(failed)?,
        );
        heads.insert(row.get(0).map_err(failed)?, head);
    }
    let mut lines: BTreeMap<(Vec<u8>, i64), (Key, Body)> = BTreeMap::new();
    let mut select = db
        .prepare("SELECT scope, seq, home, id, body FROM listing")
        .map_err(failed)?;
    let mut rows = select.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let place = (row.get(0).map_err(failed)?, row.get(1).map_err(failed)?);
        let key = [
            row.get::<_, Vec<u8>>(2).map_err(failed)?,
            row.get(3).map_err(failed)?,
        ];
        lines.insert(place, (key.concat(), row.get(4).map_err(failed)?));
    }
    let mut count = 0;
    for (scope, feed) in &expected.feeds {
        if feed.head() == 0 {
            continue;
        }
        let found = heads.get(scope.to_bytes().as_slice());
        ensure!(
            found.is_some_and(|(head, sum, count, floor)| {
                head.cast_unsigned() == feed.head()
                    && *sum == feed.sum.sum.to_be_bytes()
                    && count.cast_unsigned() == feed.sum.count
                    && floor.cast_unsigned() == feed.floor
            }),
            "{scope:?} stands at {:?}, and should at {} with floor {}",
            found.map(|(head, _, count, floor)| (head, count, floor)),
            feed.head(),
            feed.floor
        );
        for (key, seq) in &feed.newest {
            if feed.forgotten.contains(seq) {
                continue;
            }
            count += 1;
            let place = (scope.to_bytes().to_vec(), seq.cast_signed());
            let body = feed
                .line(*seq)
                .and_then(|line| line.version.as_ref())
                .map(|version| version.body.to_vec());
            ensure!(
                lines.get(&place) == Some(&(key.to_bytes().to_vec(), body)),
                "{scope:?} at {seq} is not what was written"
            );
        }
    }
    ensure!(
        count == lines.len(),
        "{} lines stand, and {count} should",
        lines.len()
    );
    Ok(())
}

fn holds_records(db: &Connection, expected: &Reference) -> Checked {
    let failed = |error: rusqlite::Error| format!("reading the server's database: {error}");
    let mut select = db
        .prepare("SELECT home, id, incarnation, version, body, audience FROM record")
        .map_err(failed)?;
    let mut rows = select.query([]).map_err(failed)?;
    let mut count = 0;
    while let Some(row) = rows.next().map_err(failed)? {
        count += 1;
        let key = [
            row.get::<_, Vec<u8>>(0).map_err(failed)?,
            row.get(1).map_err(failed)?,
        ];
        let key = RecordKey::from_bytes(&key.concat()).map_err(|_| "a key is damaged")?;
        let (incarnation, version): (i64, i64) =
            (row.get(2).map_err(failed)?, row.get(3).map_err(failed)?);
        let body: Vec<u8> = row.get(4).map_err(failed)?;
        let audience: Vec<u8> = row.get(5).map_err(failed)?;
        let known = expected
            .records
            .get(&key)
            .ok_or_else(|| format!("{key:?} stands, and was never written"))?;
        let scopes: Vec<u8> = known.audience.iter().flat_map(|s| s.to_bytes()).collect();
        ensure!(
            known.stamp
                == Stamp {
                    incarnation: incarnation.cast_unsigned(),
                    version: version.cast_unsigned()
                }
                && *known.body == *body
                && scopes == audience,
            "{key:?} is not what was written"
        );
    }
    ensure!(
        count == expected.records.len(),
        "{count} records stand, and {} should",
        expected.records.len()
    );
    Ok(())
}

/// A record of a kind that nobody here knows.
pub fn unknown(cell: OrganisationId, id: Id, body: Vec<u8>) -> Put {
    Put {
        key: RecordKey::new(Scope::organisation(cell), id),
        kind: Kind::from_code(9_999),
        parent: cell.0,
        audience: vec![Scope::organisation(cell)],
        body,
    }
}

/// Writes it as a newer server would.
pub fn write_unknown(
    storage: &mut Storage,
    put: &Put,
    written: &[WrittenRecord],
    after: &Reference,
    now: Timestamp,
) -> Result<(), StorageError> {
    let transaction = storage.write()?;
    for (key, stamp, places) in written {
        transaction.set_record(&StoredRecord {
            record: Record {
                key: *key,
                kind: put.kind,
                parent: put.parent,
                stamp: *stamp,
                body: put.body.clone(),
            },
            audience: put.audience.clone(),
        })?;
        for (scope, seq) in places {
            transaction.set_listing(
                *scope,
                &ListingRow {
                    seq: *seq,
                    key: *key,
                    stamp: *stamp,
                    content: Some((put.kind, put.parent, put.body.clone())),
                    group_end: *seq,
                    at: now,
                },
            )?;
            if let Some(feed) = after.feeds.get(scope) {
                transaction.set_head(
                    *scope,
                    &ScopeHead {
                        epoch: 1,
                        head: feed.head(),
                        sum: feed.sum,
                        floor: feed.floor,
                    },
                )?;
            }
        }
    }
    transaction.commit()
}
