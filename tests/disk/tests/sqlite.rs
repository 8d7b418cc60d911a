//! SQLite on the simulated disk: what it promises holds, and what it does not promise is really lost.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{ENCRYPTED, Mode, PLAIN, add_batch, batches, connect, ledger};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use sotay_disk::{Disk, Fault, Options, vfs_name};

const BATCHES: i64 = 6;

/// Adds batches until one fails; returns how many were committed. A checkpoint lies in the middle.
fn scenario(disk: &Disk, mode: Mode) -> rusqlite::Result<i64> {
    let mut committed = 0;
    let mut db = connect(disk, mode)?;
    for number in 1..=BATCHES {
        if add_batch(&mut db, number).is_err() {
            break;
        }
        committed = number;
        if number == BATCHES / 2 {
            // It may fail at a fault; what was committed stays so.
            let _ = db.query_one("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }
    Ok(committed)
}

/// How many operations the scenario takes undisturbed.
fn length(mode: Mode) -> u64 {
    let disk = ledger(1, mode);
    let before = disk.operations();
    assert_eq!(scenario(&disk, mode).unwrap(), BATCHES);
    disk.operations() - before
}

/// Opens the ledger anew and expects batches 1 to `committed`, perhaps with the one that was on its way.
fn expect_prefix(disk: &Disk, mode: Mode, committed: i64, circumstance: &str) {
    let found = batches(&connect(disk, mode).unwrap());
    let last = found.len() as i64;
    assert_eq!(found, (1..=last).collect::<Vec<_>>(), "{circumstance}");
    assert!(
        last == committed || last == committed + 1,
        "{circumstance}: {committed} committed, {last} found"
    );
}

#[test]
fn a_reader_keeps_its_snapshot_while_a_writer_commits() {
    for mode in [PLAIN, ENCRYPTED] {
        let disk = ledger(1, mode);
        let mut writer = connect(&disk, mode).unwrap();
        let mut reader = connect(&disk, mode).unwrap();
        add_batch(&mut writer, 1).unwrap();
        let count = |db: &Connection| {
            db.query_one("SELECT count(*) FROM entry", [], |row| row.get::<_, i64>(0))
                .unwrap()
        };
        let snapshot = reader.transaction().unwrap();
        assert_eq!(count(&snapshot), 3);
        add_batch(&mut writer, 2).unwrap();
        assert_eq!((count(&snapshot), count(&writer)), (3, 6));
        let checkpoint = |db: &Connection| {
            db.query_one("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
                row.get::<_, i64>(0)
            })
            .unwrap()
        };
        assert_eq!(checkpoint(&writer), 1, "a reader is in the way");
        drop(snapshot);
        assert_eq!(count(&reader), 6);
        assert_eq!(checkpoint(&writer), 0);
        assert_eq!(disk.contents("store/ledger.db-wal").unwrap().len(), 0);
        assert_eq!(batches(&reader), [1, 2]);
    }
}

#[test]
fn of_two_writers_one_is_told_to_wait() {
    let disk = ledger(1, PLAIN);
    let mut first = connect(&disk, PLAIN).unwrap();
    let mut second = connect(&disk, PLAIN).unwrap();
    let change = first.transaction().unwrap();
    change
        .execute("INSERT INTO entry (batch, text) VALUES (1, 'a')", [])
        .unwrap();
    let error = add_batch(&mut second, 2).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy));
    drop(change);
    add_batch(&mut second, 2).unwrap();
}

#[test]
fn a_rollback_journal_works_too() {
    let disk = Disk::new(1);
    let open = || {
        Connection::open_with_flags_and_vfs(disk.path("a.db"), OpenFlags::default(), vfs_name())
            .unwrap()
    };
    let (mut one, two) = (open(), open());
    one.execute_batch("CREATE TABLE t (x)").unwrap();
    let change = one.transaction().unwrap();
    change.execute("INSERT INTO t VALUES (1)", []).unwrap();
    assert!(disk.exists("a.db-journal").unwrap());
    let count = || {
        two.query_one("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(count(), 0);
    change.commit().unwrap();
    assert_eq!(count(), 1);
    assert_eq!(disk.files(), ["a.db"]);
}

#[test]
fn what_sqlite_committed_survives_a_loss_of_power_at_every_operation() {
    // Without its log SQLite promises to keep the last transaction only if it may sync the folder after it.
    let rollback = Mode {
        journal: "DELETE",
        synchronous: "EXTRA",
        ..PLAIN
    };
    for mode in [PLAIN, ENCRYPTED, rollback] {
        let template = ledger(1, mode).snapshot();
        let length = length(mode);
        for (strict_folders, tear_anywhere) in [(false, false), (true, false), (false, true)] {
            for at in 0..length {
                let disk = Disk::from_snapshot(at, &template);
                disk.set_options(Options {
                    strict_folders,
                    tear_anywhere,
                    ..Options::default()
                });
                disk.fail_at(at, Fault::Crash);
                let committed = scenario(&disk, mode).unwrap_or(0);
                disk.crash();
                expect_prefix(
                    &disk,
                    mode,
                    committed,
                    &format!("{mode:?}: power lost at operation {at}"),
                );
            }
        }
    }
}

#[test]
fn without_syncs_a_loss_of_power_does_lose_or_damage() {
    let careless = Mode {
        synchronous: "OFF",
        ..PLAIN
    };
    let template = ledger(1, PLAIN).snapshot();
    let whole = (0..200).filter(|seed| {
        let disk = Disk::from_snapshot(*seed, &template);
        scenario(&disk, careless).unwrap();
        disk.crash();
        let found = std::panic::catch_unwind(|| batches(&connect(&disk, careless).unwrap()));
        found.is_ok_and(|found| found.len() as i64 == BATCHES)
    });
    let whole = whole.count();
    assert!(whole > 0, "some seeds lose nothing");
    assert!(
        whole < 190,
        "only {} of 200 seeds lost something",
        200 - whole
    );
}

#[test]
fn a_full_disk_is_said_to_be_full_and_nothing_committed_is_lost() {
    for mode in [PLAIN, ENCRYPTED] {
        let template = ledger(1, mode).snapshot();
        for at in 0..length(mode) {
            let disk = Disk::from_snapshot(at, &template);
            disk.fail_at(at, Fault::Full);
            let committed = scenario(&disk, mode).unwrap_or(0);
            let refused = disk.statistics().refused > 0;
            assert!(
                refused || committed == BATCHES,
                "operation {at}: stopped for another reason"
            );
            disk.make_room();
            expect_prefix(&disk, mode, committed, &format!("full at operation {at}"));
        }
    }
    let disk = ledger(1, PLAIN);
    let mut db = connect(&disk, PLAIN).unwrap();
    disk.set_capacity(Some(20_000));
    let error = (1..100)
        .find_map(|number| add_batch(&mut db, number).err())
        .unwrap();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DiskFull));
}

#[test]
fn after_one_error_or_short_write_at_any_operation_the_work_goes_on() {
    for (fault, forgetful_sync) in [
        (Fault::IoError, false),
        (Fault::IoError, true),
        (Fault::ShortWrite, false),
    ] {
        for mode in [PLAIN, ENCRYPTED] {
            let template = ledger(1, mode).snapshot();
            let mut failed = 0;
            for at in 0..length(mode) {
                let circumstance = format!("{fault:?} at operation {at}");
                let disk = Disk::from_snapshot(at, &template);
                disk.set_options(Options {
                    forgetful_sync,
                    ..Options::default()
                });
                disk.fail_at(at, fault);
                let committed = scenario(&disk, mode).unwrap_or(0);
                failed += u64::from(committed < BATCHES);
                disk.clear_faults();
                expect_prefix(&disk, mode, committed, &circumstance);
                let mut db = connect(&disk, mode).unwrap();
                let found = batches(&db).len() as i64;
                for number in found + 1..=BATCHES {
                    add_batch(&mut db, number).unwrap();
                }
                disk.crash();
                expect_prefix(&disk, mode, BATCHES, &circumstance);
            }
            assert!(failed > 0, "{fault:?} never reached the caller");
        }
    }
}

#[test]
fn the_connection_that_met_an_error_goes_on_and_loses_nothing_it_committed() {
    for forgetful_sync in [false, true] {
        let template = ledger(1, PLAIN).snapshot();
        for at in 0..length(PLAIN) {
            let disk = Disk::from_snapshot(at, &template);
            disk.set_options(Options {
                forgetful_sync,
                ..Options::default()
            });
            let mut db = connect(&disk, PLAIN).unwrap();
            disk.fail_at(at, Fault::IoError);
            let mut committed = Vec::new();
            for number in 1..=BATCHES {
                if add_batch(&mut db, number).is_ok() {
                    committed.push(number);
                }
                if number % 2 == 0 {
                    // It may be what meets the error; the next one makes up for it.
                    let _ = db.query_one("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
                }
            }
            assert!(
                committed.len() as i64 >= BATCHES - 1,
                "operation {at}: one error, one failure"
            );
            disk.crash();
            let found = batches(&connect(&disk, PLAIN).unwrap());
            assert!(
                committed.iter().all(|number| found.contains(number)),
                "operation {at}: {found:?} of {committed:?}"
            );
        }
    }
}

#[test]
fn the_same_seed_loses_the_same() {
    let run = |seed| {
        let disk = Disk::new(seed);
        let file = disk.open("a").unwrap();
        file.sync().unwrap();
        for part in 0..200u64 {
            file.write_all_at(part * 700, &[part as u8; 1500]).unwrap();
        }
        disk.crash();
        (disk.contents("a").unwrap(), disk.statistics())
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}

#[test]
fn a_connection_of_before_a_loss_of_power_is_dead() {
    let disk = ledger(1, PLAIN);
    let mut db = connect(&disk, PLAIN).unwrap();
    add_batch(&mut db, 1).unwrap();
    disk.crash();
    let error = add_batch(&mut db, 2).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::SystemIoFailure));
    let new = connect(&disk, PLAIN).unwrap();
    drop(db);
    assert_eq!(batches(&new), [1]);
}

#[test]
fn two_disks_in_two_threads_do_not_disturb_each_other() {
    std::thread::scope(|scope| {
        for seed in 0..2 {
            scope.spawn(move || {
                for round in 0..20 {
                    let disk = ledger(seed * 100 + round, PLAIN);
                    assert_eq!(scenario(&disk, PLAIN).unwrap(), BATCHES);
                    disk.crash();
                    expect_prefix(&disk, PLAIN, BATCHES, "two threads");
                }
            });
        }
    });
}

#[test]
fn threads_on_one_disk_share_the_log() {
    let disk = ledger(1, PLAIN);
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let disk = disk.clone();
            scope.spawn(move || {
                let mut db = connect(
                    &disk,
                    Mode {
                        synchronous: "NORMAL",
                        ..PLAIN
                    },
                )
                .unwrap();
                for round in 0..30 {
                    while let Err(error) = add_batch(&mut db, thread * 1000 + round) {
                        assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy));
                        std::thread::yield_now();
                    }
                }
            });
        }
    });
    assert_eq!(batches(&connect(&disk, PLAIN).unwrap()).len(), 60);
}
