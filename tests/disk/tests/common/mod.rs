//! A small ledger in SQLite whose every transaction can be told apart afterwards.

use rusqlite::{Connection, OpenFlags};
use sotay_disk::{Disk, vfs_name};

/// Opens the ledger in WAL mode without making its table; `key` turns the cipher on.
pub(crate) fn connect(
    disk: &Disk,
    key: Option<&str>,
    synchronous: &str,
) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags_and_vfs(
        disk.path("store/ledger.db"),
        OpenFlags::default(),
        vfs_name(),
    )?;
    if let Some(key) = key {
        // The cipher logs each failed read to the standard error, and these tests make thousands of them.
        db.query_one("PRAGMA cipher_log_level = NONE", [], |_| Ok(()))?;
        db.pragma_update(None, "key", key)?;
    }
    db.pragma_update(None, "synchronous", synchronous)?;
    db.query_one("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    Ok(db)
}

/// A disk with an empty ledger, everything durable.
pub(crate) fn ledger(seed: u64, key: Option<&str>) -> Disk {
    let disk = Disk::new(seed);
    let db = connect(&disk, key, "FULL").unwrap();
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
