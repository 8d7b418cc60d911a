//! The tables of the handbook's database, and how an older database becomes a current one.
//!
//! `user_version` counts the steps taken. Each step runs in one `IMMEDIATE` transaction of its own, so a kill leaves the
//! old schema or the new one. A higher number than this version knows is refused.
//!
//! * `scope`       every scope that a key or a feed names, as a small number; for held ones, where the phone stands
//! * `base`        one body for each record: what the server confirmed
//! * `listing`     which scope shows which record, at which version: `lid = sid · 2⁴⁰ + rid`, so that a page's rows
//!   are appended and no second index is needed
//! * `unlisted`    records that lost a listing and may have to go at the end of a download
//! * `provisional` bodies that came with a receipt, before the page that lists them
//! * `outbox`      own mutations: pending, parked, or accepted and not yet in a backup
//! * `overlay`     what the pending ones do, rebuilt by replaying them
//! * `blob`        attachments that are here or on their way, each with the key of its file
//! * `setting`     everything there is one of
//! * `local`       reading places and the like, which never leave the phone

use rusqlite::{Connection, TransactionBehavior};

use crate::error::HandbookError;

/// How many bits of a listing's number are the record's.
pub(crate) const RECORD_BITS: u32 = 40;

const STEPS: &[&str] = &[
    "
    CREATE TABLE scope (
        sid INTEGER PRIMARY KEY,
        scope BLOB NOT NULL UNIQUE,
        held INTEGER NOT NULL DEFAULT 0,
        epoch INTEGER NOT NULL DEFAULT 0,
        cursor INTEGER NOT NULL DEFAULT 0,
        sum BLOB NOT NULL DEFAULT x'00000000000000000000000000000000',
        count INTEGER NOT NULL DEFAULT 0,
        heals INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE base (
        rid INTEGER PRIMARY KEY,
        home INTEGER NOT NULL,
        id BLOB NOT NULL,
        kind INTEGER NOT NULL,
        parent BLOB NOT NULL,
        incarnation INTEGER NOT NULL,
        version INTEGER NOT NULL,
        body BLOB NOT NULL
    );
    CREATE UNIQUE INDEX base_key ON base (id, home);
    CREATE INDEX base_parent ON base (kind, parent);
    CREATE TABLE listing (
        lid INTEGER PRIMARY KEY,
        seq INTEGER NOT NULL,
        incarnation INTEGER NOT NULL,
        version INTEGER NOT NULL,
        hash BLOB NOT NULL
    );
    CREATE TABLE unlisted (rid INTEGER PRIMARY KEY);
    CREATE TABLE provisional (
        rid INTEGER PRIMARY KEY,
        sid INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        audience BLOB NOT NULL
    );
    CREATE TABLE outbox (
        n INTEGER PRIMARY KEY,
        state INTEGER NOT NULL,
        at INTEGER NOT NULL,
        mutation BLOB NOT NULL,
        rejection BLOB
    );
    CREATE INDEX outbox_state ON outbox (state, n);
    CREATE TABLE overlay (
        oid INTEGER PRIMARY KEY,
        home BLOB NOT NULL,
        id BLOB NOT NULL,
        kind INTEGER NOT NULL,
        parent BLOB NOT NULL,
        audience BLOB NOT NULL,
        body BLOB NOT NULL,
        n INTEGER NOT NULL,
        creator INTEGER
    );
    CREATE UNIQUE INDEX overlay_key ON overlay (id, home);
    CREATE INDEX overlay_parent ON overlay (kind, parent);
    CREATE TABLE setting (name INTEGER PRIMARY KEY, value BLOB NOT NULL);
    CREATE TABLE local (lid INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, value BLOB NOT NULL);
",
    // Where the feed stood when it was first fetched from 0, and how many records it had when last told.
    "
    ALTER TABLE scope ADD COLUMN began INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE scope ADD COLUMN total INTEGER NOT NULL DEFAULT 0;
",
    // The blobs on this phone and on their way to it, each with its key.
    "
    CREATE TABLE blob (
        bid INTEGER PRIMARY KEY,
        digest BLOB NOT NULL UNIQUE,
        file BLOB NOT NULL,
        key BLOB NOT NULL,
        size INTEGER NOT NULL,
        ready INTEGER NOT NULL DEFAULT 0,
        pinned INTEGER NOT NULL DEFAULT 0,
        own INTEGER NOT NULL DEFAULT 0,
        used INTEGER NOT NULL DEFAULT 0
    );
",
];

/// The newest schema this version knows.
pub(crate) const NEWEST: u32 = STEPS.len() as u32;

/// Makes a database as the first version did.
#[cfg(feature = "simulation")]
pub(crate) fn make_first(db: &Connection) -> Result<(), HandbookError> {
    db.execute_batch(STEPS.first().copied().unwrap_or_default())?;
    Ok(db.pragma_update(None, "user_version", 1)?)
}

/// Brings the database to the newest schema.
pub(crate) fn migrate(db: &mut Connection) -> Result<(), HandbookError> {
    let found: u32 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > NEWEST {
        return Err(HandbookError::NewerDatabase {
            found,
            known: NEWEST,
        });
    }
    for (step, sql) in (1u32..).zip(STEPS).skip(found as usize) {
        let step_taken = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        step_taken.execute_batch(sql)?;
        step_taken.pragma_update(None, "user_version", step)?;
        step_taken.commit()?;
    }
    Ok(())
}
