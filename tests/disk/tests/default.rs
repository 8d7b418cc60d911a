//! The VFS as the process's default. One test: the default is the process's.

#![allow(clippy::unwrap_used, clippy::panic)]

use rusqlite::Connection;
use sotay_disk::{Disk, make_default, seed_randomness};

#[test]
fn as_the_default_it_serves_every_path_repeats_its_randomness_and_stops_the_clock() {
    make_default();
    let disk = Disk::new(1);
    let random = |seed| {
        seed_randomness(seed);
        let db = Connection::open(disk.path("a.db")).unwrap();
        db.query_one("SELECT hex(randomblob(16)), datetime('now')", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })
        .unwrap()
    };
    assert_eq!(random(1), random(1));
    assert_ne!(random(1).0, random(2).0);
    assert_eq!(random(1).1, "2026-01-01 00:00:00");
    assert_eq!(disk.files(), ["a.db"]);

    let real = std::env::temp_dir().join(format!("sotay-disk-{}.db", std::process::id()));
    let db = Connection::open(&real).unwrap();
    db.query_one("PRAGMA journal_mode = WAL", [], |_| Ok(()))
        .unwrap();
    db.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        .unwrap();
    drop(db);
    let db = Connection::open(&real).unwrap();
    assert_eq!(
        db.query_one("SELECT x FROM t", [], |row| row.get::<_, i64>(0))
            .unwrap(),
        1
    );
    drop(db);
    std::fs::remove_file(&real).unwrap();
}
