//! Files and names: what is durable when.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::ErrorKind;

use sotay_disk::{Disk, Fault, Options};

/// In how many of 200 seeds `kept` holds after a loss of power that follows `steps`.
fn survivals(options: Options, steps: impl Fn(&Disk), kept: impl Fn(&Disk) -> bool) -> usize {
    let survives = |seed: &u64| {
        let disk = Disk::new(*seed);
        disk.set_options(options);
        steps(&disk);
        disk.crash();
        kept(&disk)
    };
    (0..200).filter(survives).count()
}

fn write(disk: &Disk, path: &str, bytes: &[u8]) {
    let file = disk.open(path).unwrap();
    file.set_len(0).unwrap();
    file.write_all_at(0, bytes).unwrap();
    file.sync().unwrap();
}

#[test]
fn bytes_come_back_as_written() {
    let disk = Disk::new(1);
    let file = disk.create_new(disk.path("blobs/a")).unwrap();
    file.write_all_at(3, b"abc").unwrap();
    assert_eq!(disk.read("blobs/a").unwrap(), b"\0\0\0abc");
    file.set_len(4).unwrap();
    assert_eq!(file.len().unwrap(), 4);
    assert_eq!(
        disk.create_new("blobs/a").unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    assert_eq!(
        disk.read("blobs/b").unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(
        disk.rename("blobs/b", "c").unwrap_err().kind(),
        ErrorKind::NotFound
    );
    disk.remove("blobs/a").unwrap();
    assert!(!disk.exists("blobs/a").unwrap());
    assert_eq!(
        file.len().unwrap(),
        4,
        "a removed file lives on in its handle"
    );
}

#[test]
fn synced_bytes_always_survive_and_others_only_sometimes() {
    let synced = |disk: &Disk| write(disk, "a", &[7; 3000]);
    let whole = |disk: &Disk| disk.contents("a").is_some_and(|bytes| *bytes == [7; 3000]);
    assert_eq!(survivals(Options::default(), synced, whole), 200);
    let unsynced = |disk: &Disk| {
        write(disk, "a", &[1; 3000]);
        disk.open("a").unwrap().write_all_at(0, &[7; 3000]).unwrap();
    };
    let survived = survivals(Options::default(), unsynced, whole);
    assert!((20..180).contains(&survived), "{survived}");
    let torn = survivals(Options::default(), unsynced, |disk| {
        let bytes = disk.contents("a").unwrap();
        assert!(
            bytes
                .chunks(512)
                .all(|sector| sector.iter().all(|byte| *byte == sector[0])),
            "a sector is whole"
        );
        bytes.contains(&1) && bytes.contains(&7)
    });
    assert!(torn > 10, "{torn}");
}

#[test]
fn a_write_may_end_inside_a_sector_if_asked_for() {
    let steps = |disk: &Disk| {
        write(disk, "a", &[1; 3000]);
        disk.open("a").unwrap().write_all_at(0, &[7; 3000]).unwrap();
    };
    let anywhere = Options {
        tear_anywhere: true,
        ..Options::default()
    };
    let inside = survivals(anywhere, steps, |disk| {
        let bytes = disk.contents("a").unwrap();
        bytes
            .chunks(512)
            .any(|sector| sector.contains(&1) && sector.contains(&7))
    });
    assert!(inside > 10, "{inside}");
}

#[test]
fn unsynced_writes_are_kept_out_of_order() {
    let steps = |disk: &Disk| {
        write(disk, "a", &[0; 2048]);
        let file = disk.open("a").unwrap();
        file.write_all_at(0, &[1; 512]).unwrap();
        file.write_all_at(1024, &[2; 512]).unwrap();
    };
    let later_only = survivals(Options::default(), steps, |disk| {
        let bytes = disk.contents("a").unwrap();
        bytes[0] == 0 && bytes[1024] == 2
    });
    assert!(later_only > 5, "{later_only}");
}

#[test]
fn a_new_file_is_there_after_its_own_sync_unless_folders_are_strict() {
    let synced = |disk: &Disk| write(disk, "a", b"x");
    let there = |disk: &Disk| disk.exists("a").unwrap();
    assert_eq!(survivals(Options::default(), synced, there), 200);
    let strict = Options {
        strict_folders: true,
        ..Options::default()
    };
    let survived = survivals(strict, synced, there);
    assert!((20..180).contains(&survived), "{survived}");
    let with_folder = |disk: &Disk| {
        synced(disk);
        disk.sync_folder(disk.root()).unwrap();
    };
    assert_eq!(survivals(strict, with_folder, there), 200);
}

#[test]
fn a_rename_is_whole_and_durable_once_the_folder_is_synced() {
    let renamed = |disk: &Disk| {
        write(disk, "f/a", b"old");
        write(disk, "f/a.new", b"new");
        disk.rename("f/a.new", "f/a").unwrap();
    };
    let is_new = |disk: &Disk| match disk.contents("f/a").unwrap().as_slice() {
        b"new" => true,
        b"old" => {
            assert!(
                disk.exists("f/a.new").unwrap(),
                "neither name leads to the new bytes"
            );
            false
        }
        other => panic!("neither old nor new: {other:?}"),
    };
    let survived = survivals(Options::default(), renamed, is_new);
    assert!((20..180).contains(&survived), "{survived}");
    let synced = |disk: &Disk| {
        renamed(disk);
        disk.sync_folder(disk.path("f")).unwrap();
    };
    assert_eq!(survivals(Options::default(), synced, is_new), 200);
    let other_folder = |disk: &Disk| {
        renamed(disk);
        disk.sync_folder("g").unwrap();
    };
    assert!(survivals(Options::default(), other_folder, is_new) < 180);
}

#[test]
fn renaming_before_the_bytes_are_synced_may_leave_an_empty_file() {
    let careless = |disk: &Disk| {
        let file = disk.open("a.new").unwrap();
        file.write_all_at(0, b"new").unwrap();
        disk.rename("a.new", "a").unwrap();
        disk.sync_folder("").unwrap();
    };
    let empty = survivals(Options::default(), careless, |disk| {
        disk.contents("a").unwrap().is_empty()
    });
    assert!(empty > 20, "{empty}");
}

#[test]
fn a_removal_may_come_back_until_the_folder_is_synced() {
    let removed = |disk: &Disk| {
        write(disk, "a", b"x");
        disk.remove("a").unwrap();
    };
    let back = |disk: &Disk| {
        disk.contents("a")
            .is_some_and(|bytes| bytes.as_slice() == b"x")
    };
    let survived = survivals(Options::default(), removed, back);
    assert!((20..180).contains(&survived), "{survived}");
    let synced = |disk: &Disk| {
        removed(disk);
        disk.sync_folder("").unwrap();
    };
    assert_eq!(survivals(Options::default(), synced, back), 0);
}

#[test]
fn a_durable_name_does_not_get_its_old_meaning_back() {
    let reused = |disk: &Disk| {
        drop(disk.create_new("f/a").unwrap());
        disk.remove("f/a").unwrap();
        write(disk, "f/a", b"new");
        disk.rename("f/a", "g/a").unwrap();
        disk.sync_folder("g").unwrap();
    };
    let moved =
        |disk: &Disk| disk.files() == ["g/a"] && disk.contents("g/a").unwrap().as_slice() == b"new";
    assert_eq!(survivals(Options::default(), reused, moved), 200);
    let synced = |disk: &Disk| {
        drop(disk.create_new("f/a").unwrap());
        disk.remove("f/a").unwrap();
        write(disk, "f/a", b"new");
    };
    let new = |disk: &Disk| {
        disk.contents("f/a")
            .is_some_and(|bytes| bytes.as_slice() == b"new")
    };
    assert_eq!(survivals(Options::default(), synced, new), 200);
}

#[test]
fn without_power_everything_fails_until_the_reboot() {
    let disk = Disk::new(1);
    write(&disk, "a", b"x");
    let file = disk.open("a").unwrap();
    disk.fail_at(1, Fault::Crash);
    file.write_all_at(0, b"y").unwrap();
    assert!(!disk.is_down());
    file.sync().unwrap_err();
    assert!(disk.is_down());
    disk.open("a").unwrap_err();
    disk.exists("a").unwrap_err();
    disk.rename("a", "b").unwrap_err();
    file.len().unwrap_err();
    disk.crash();
    file.read_at(0, &mut [0]).unwrap_err();
    assert!([b"x", b"y"].contains(&disk.read("a").unwrap().first_chunk().unwrap()));
    let statistics = disk.statistics();
    assert_eq!((statistics.crashes, statistics.reboots), (1, 1));
}

#[test]
fn a_full_disk_refuses_growth_only() {
    let disk = Disk::new(1);
    write(&disk, "a", &[1; 1000]);
    let file = disk.open("a").unwrap();
    disk.set_capacity(Some(1500));
    file.write_all_at(0, &[2; 1000]).unwrap();
    assert_eq!(
        file.write_all_at(1000, &[2; 501]).unwrap_err().kind(),
        ErrorKind::StorageFull
    );
    assert_eq!(
        file.set_len(1501).unwrap_err().kind(),
        ErrorKind::StorageFull
    );
    file.write_all_at(1000, &[2; 500]).unwrap();
    file.set_len(100).unwrap();
    write(&disk, "b", &[3; 1400]);
    disk.remove("b").unwrap();
    file.set_len(1500).unwrap();
    disk.make_room();
    disk.fail_at(0, Fault::Full);
    assert_eq!(
        file.write_at(1500, b"x").unwrap_err().kind(),
        ErrorKind::StorageFull
    );
    file.write_all_at(0, b"x").unwrap();
    assert_eq!(
        file.write_at(1500, b"x").unwrap_err().kind(),
        ErrorKind::StorageFull
    );
    disk.make_room();
    file.write_all_at(1500, b"x").unwrap();
    assert_eq!((disk.statistics().full, disk.statistics().refused), (1, 4));
}

#[test]
fn an_error_and_a_short_write_come_once() {
    let disk = Disk::new(1);
    let file = disk.open("a").unwrap();
    disk.fail_at(0, Fault::IoError);
    file.write_at(0, b"abcd").unwrap_err();
    assert_eq!(file.len().unwrap(), 0);
    disk.fail_at(0, Fault::ShortWrite);
    assert_eq!(file.write_at(0, b"abcd").unwrap(), 2);
    assert_eq!(file.write_at(0, b"abcd").unwrap(), 4);
    assert_eq!(
        (disk.statistics().io_errors, disk.statistics().short_writes),
        (1, 1)
    );
}

#[test]
fn a_forgetful_sync_loses_what_it_failed_to_write() {
    let disk = Disk::new(1);
    disk.set_options(Options {
        forgetful_sync: true,
        ..Options::default()
    });
    write(&disk, "a", b"old");
    let file = disk.open("a").unwrap();
    file.write_all_at(0, b"new").unwrap();
    disk.fail_at(0, Fault::IoError);
    file.sync().unwrap_err();
    file.sync().unwrap();
    assert_eq!(disk.read("a").unwrap(), b"new");
    disk.crash();
    assert_eq!(disk.read("a").unwrap(), b"old");
}

#[test]
fn damage_from_outside_is_durable() {
    let disk = Disk::new(1);
    write(&disk, "a", &[0, 0, 0]);
    disk.flip_bit("a", 9).unwrap();
    assert_eq!(
        disk.flip_bit("a", 24).unwrap_err().kind(),
        ErrorKind::UnexpectedEof
    );
    disk.tear("a", 2).unwrap();
    disk.replace("b", vec![5]).unwrap();
    disk.crash();
    assert_eq!(
        (disk.read("a").unwrap(), disk.read("b").unwrap()),
        (vec![0, 2], vec![5])
    );
    assert_eq!(disk.files(), ["a", "b"]);
}

#[test]
fn a_snapshot_and_the_disks_made_from_it_go_their_own_ways() {
    let disk = Disk::new(1);
    write(&disk, "f/a", b"one");
    let snapshot = disk.snapshot();
    let copy = Disk::from_snapshot(2, &snapshot);
    write(&copy, "f/a", b"two");
    write(&disk, "f/b", b"three");
    assert_eq!(
        snapshot.files().collect::<Vec<_>>(),
        [("f/a", b"one".as_slice())]
    );
    assert_eq!(
        (copy.read("f/a").unwrap(), disk.read("f/a").unwrap()),
        (b"two".to_vec(), b"one".to_vec())
    );
    disk.restore(&snapshot);
    assert_eq!(disk.files(), ["f/a"]);
}

#[test]
fn a_dropped_disk_is_found_no_more() {
    use rusqlite::{Connection, OpenFlags};
    let disk = Disk::new(1);
    let path = disk.path("a.db");
    let open =
        || Connection::open_with_flags_and_vfs(&path, OpenFlags::default(), sotay_disk::vfs_name());
    let db = open().unwrap();
    db.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(disk);
    db.execute_batch("INSERT INTO t VALUES (1)").unwrap_err();
    open().unwrap_err();
}
