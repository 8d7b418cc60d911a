//! A small ledger in SQLite whose every transaction can be told apart afterwards.

use rusqlite::{Connection, OpenFlags};
use sotay_disk::{Disk, vfs_name};

pub(crate) const KEY: &str = "x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'";

/// How a ledger is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mode {
    /// Turns the cipher on.
    pub(crate) key: Option<&'static str>,
    pub(crate) journal: &'static str,
    pub(crate) synchronous: &'static str,
}

pub(crate) const PLAIN: Mode = Mode {
    key: None,
    journal: "WAL",
    synchronous: "FULL",
};

pub(crate) const ENCRYPTED: Mode = Mode {
    key: Some(KEY),
    ..PLAIN
};

/// Opens the ledger without making its table.
pub(crate) fn connect(disk: &Disk, mode: Mode) -> rusqlite::Result<Connection> {
    let path = disk.path("store/ledger.db");
    let db = Connection::open_with_flags_and_vfs(path, OpenFlags::default(), vfs_name())?;
    if let Some(key) = mode.key {
        // The cipher logs each failed read to the standard error, and these tests make thousands of them.
        db.query_one("PRAGMA cipher_log_level = NONE", [], |_| Ok(()))?;
        db.pragma_update(None, "key", key)?;
    }
    db.pragma_update(None, "synchronous", mode.synchronous)?;
    let journal = format!("PRAGMA journal_mode = {}", mode.journal);
    db.query_one(&journal, [], |_| Ok(()))?;
    Ok(db)
}

/// A disk with an empty ledger, everything durable.
pub(crate) fn ledger(seed: u64, mode: Mode) -> Disk {
    let disk = Disk::new(seed);
    let db = connect(&disk, mode).unwrap();
    db.execute_batch(
        "CREATE TABLE entry (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, text BLOB NOT NULL)",
    )
    .unwrap();
    drop(db);
    disk
}

/// Adds batch `number`: three entries and a change of an old one, in one transaction.
pub(crate) fn add_batch(db: &mut Connection, number: i64) -> rusqlite::Result<()> {
    let change = db.transaction()?;
    for _ in 0..3 {
        change.execute(
            "INSERT INTO entry (batch, text) VALUES (?1, randomblob(900))",
            [number],
        )?;
    }
    change.execute(
        "UPDATE entry SET text = randomblob(700) WHERE id = ?1",
        [number],
    )?;
    change.commit()
}

/// The batches that are whole, in order; panics on a database that is damaged or holds a part of a batch.
pub(crate) fn batches(db: &Connection) -> Vec<i64> {
    let verdict: String = db
        .query_one("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
    let mut rows = db
        .prepare("SELECT batch, count(*) FROM entry GROUP BY batch ORDER BY batch")
        .unwrap();
    let rows = rows
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    rows.map(|row| {
        let (batch, count): (i64, i64) = row.unwrap();
        assert_eq!(count, 3, "batch {batch} is there in part");
        batch
    })
    .collect()
}
