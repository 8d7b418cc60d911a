//! What the engine promises of reading, of scopes and of storage, one promise after another: phones, their disks and a server
//! without threads, network or clock.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};
use sotay_client::HandbookError;
use sotay_client::simulation::{Files, Phone, Round};
use sotay_disk::{Disk, Fault, Snapshot, vfs_name};
use sotay_model::meetings::{MeetingKind, MeetingMode, NoticeText, PublishNotice};
use sotay_model::wire::SyncRequest;
use sotay_model::{Id, Intent, Kind, MeetingKey, Mutation, OrganisationId, RecordKey, Scope, cbor};
use sotay_sim::ground::{BEGINNING, SimulatedDisk};

const ROOT: [u8; 32] = [7; 32];

fn files(disk: &Disk) -> Files {
    Files {
        folder: disk.path("handbook"),
        disk: Arc::new(SimulatedDisk(disk.clone())),
        cipher: false,
    }
}

/// The phone's database, beside the engine.
fn database(disk: &Disk) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags_and_vfs(files(disk).database(), flags, vfs_name()).unwrap()
}

/// A notice of the cell's `number`-th meeting.
fn notice(cell: OrganisationId, number: u32) -> Intent {
    let mut id = [9; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    let starts_at = BEGINNING.plus_minutes(7 * 24 * 60);
    PublishNotice {
        meeting: MeetingKey(RecordKey::new(
            Scope::organisation(cell),
            Id::from_bytes(id),
        )),
        participating: vec![cell],
        kind: MeetingKind::Regular,
        notice: NoticeText {
            title: format!("Sinh hoạt {number}"),
            starts_at,
            ends_at: starts_at.plus_minutes(90),
            place: "Nhà văn hóa Mẫu".into(),
            mode: MeetingMode::InRoom,
            agenda: vec!["Nội dung".into()],
            documents: Vec::new(),
            guests: Vec::new(),
            answer_by: None,
            absence_by: None,
        },
    }
    .into()
}

mod migration {
    use super::*;

    const PENDING: u32 = 10_000;
    /// A record's body with a field that no version here knows: `{0: 1, 777: "mai sau"}`.
    const BODY: &[u8] = b"\xa2\x00\x01\x19\x03\x09\x67mai sau";

    fn mutation(number: u32) -> Vec<u8> {
        cbor::to_bytes(&Mutation {
            made_at: BEGINNING,
            needs: Vec::new(),
            intent: notice(OrganisationId(Id::from_bytes([1; 16])), number),
        })
    }

    /// A disk with a database of the first schema: 10,000 pending mutations, and a record.
    fn first_schema() -> Snapshot {
        let disk = Disk::new(25);
        files(&disk).make_first_schema(&ROOT).unwrap();
        let mut db = database(&disk);
        let change = db.transaction().unwrap();
        for number in 1..=PENDING {
            change
                .prepare_cached(
                    "INSERT INTO outbox (n, state, at, mutation) VALUES (?1, 0, ?2, ?3)",
                )
                .unwrap()
                .execute((number, BEGINNING.0, mutation(number)))
                .unwrap();
        }
        let scope = Scope::organisation(OrganisationId(Id::from_bytes([1; 16])));
        let sql = "INSERT INTO scope (sid, scope, held, epoch, cursor) VALUES (1, ?1, 1, 1, 5)";
        change.execute(sql, [scope.to_bytes()]).unwrap();
        let sql = "INSERT INTO base VALUES (1, 1, ?1, 9999, ?1, 1000, 1, ?2)";
        change.execute(sql, ([2; 16], BODY)).unwrap();
        let sql = "INSERT INTO listing VALUES ((1 << 40) + 1, 5, 1000, 1, zeroblob(16))";
        change.execute(sql, []).unwrap();
        change.commit().unwrap();
        drop(db);
        disk.snapshot()
    }

    /// The schema's number, after looking that its tables are those of that number.
    fn schema(disk: &Disk) -> u32 {
        let copy = Disk::from_snapshot(0, &disk.snapshot());
        let db = database(&copy);
        let number = |sql: &str| db.query_one(sql, [], |row| row.get::<_, u32>(0)).unwrap();
        let version = number("PRAGMA user_version");
        let began = number("SELECT count(*) FROM pragma_table_info('scope') WHERE name = 'began'");
        let blob = number("SELECT count(*) FROM sqlite_schema WHERE name = 'blob'");
        assert_eq!(
            (began, blob),
            (u32::from(version >= 2), u32::from(version >= 3))
        );
        version
    }

    fn keeps_everything(phone: &Phone) {
        let held = phone.held().unwrap();
        assert_eq!(held.outbox.len(), PENDING as usize);
        for (number, own) in (1..=PENDING).zip(held.outbox) {
            assert_eq!((own.0, own.1.state), (i64::from(number), 0));
            assert!(own.1.mutation == mutation(number), "{number}");
        }
        let record = held.base.values().next().unwrap();
        assert_eq!((record.kind, &*record.body), (Kind::from_code(9_999), BODY));
    }

    #[test]
    fn promise_25_a_migration_killed_midway_keeps_ten_thousand_pending_mutations() {
        // The first opening also copies the outbox into a journal, which takes long: the crashes come with a journal that is there.
        let first = Disk::from_snapshot(1, &first_schema());
        drop(Phone::open(&files(&first), &ROOT).unwrap());
        let ground = Disk::from_snapshot(1, &first_schema());
        for kept in ["handbook/journal", "handbook/key-check"] {
            let bytes = first.read(first.path(kept)).unwrap();
            ground.replace(ground.path(kept), bytes).unwrap();
        }
        let ground = ground.snapshot();

        let mut seen = std::collections::BTreeSet::new();
        for at in 0.. {
            let disk = Disk::from_snapshot(at, &ground);
            disk.fail_at(at, Fault::Crash);
            let opened = Phone::open(&files(&disk), &ROOT);
            if !disk.is_down() {
                keeps_everything(&opened.unwrap());
                break;
            }
            drop(opened);
            disk.crash();
            seen.insert(schema(&disk));
            keeps_everything(&Phone::open(&files(&disk), &ROOT).unwrap());
            assert_eq!(schema(&disk), 3);
        }
        assert_eq!(seen, [1, 2, 3].into());
    }

    #[test]
    fn promise_25_what_waited_in_an_old_database_is_sent_byte_for_byte() {
        let disk = Disk::from_snapshot(1, &first_schema());
        let phone = Phone::open(&files(&disk), &ROOT).unwrap();
        keeps_everything(&phone);
        let bytes = phone
            .next_request(&mut Round::new(10, 0, 4))
            .unwrap()
            .unwrap();
        let request: SyncRequest = cbor::from_bytes(&bytes).unwrap();
        assert!(!request.mutations.is_empty());
        for (number, sent) in (1..).zip(request.mutations) {
            assert_eq!(
                (sent.n, sent.mutation),
                (u64::from(number), mutation(number))
            );
        }
    }

    #[test]
    fn promise_25_a_newer_schema_is_refused_and_left_as_it_is() {
        let disk = Disk::from_snapshot(1, &first_schema());
        drop(Phone::open(&files(&disk), &ROOT).unwrap());
        database(&disk)
            .pragma_update(None, "user_version", 9_000)
            .unwrap();
        let kept = ["handbook/handbook.db", "handbook/journal"];
        let bytes = || kept.map(|name| disk.contents(disk.path(name)).unwrap());
        let before = bytes();
        let refused = Phone::open(&files(&disk), &ROOT).err();
        let newer = HandbookError::NewerDatabase {
            found: 9_000,
            known: 3,
        };
        assert_eq!(refused, Some(newer));
        assert!(bytes() == before);
    }
}
