//! What the engine promises of its storage: failing disks, and databases of other versions.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;
mod copies;

use std::collections::BTreeSet;

use sotay_client::HandbookError;
use sotay_client::simulation::{Phone, Round};
use sotay_disk::{Disk, Fault, Snapshot};
use sotay_model::wire::SyncRequest;
use sotay_model::{Id, Kind, Mutation, OrganisationId, Scope, cbor};
use sotay_sim::ground::BEGINNING;

use common::{ROOT, Stage};
use copies::{database, files, notice, place, stage_with_response, take_in};

mod failures {
    use super::*;

    /// Does something on a phone with each fault at each of its operations. Where it fails the error says why, nothing has
    /// changed, and once there is room and power it is done.
    fn with_every_fault(stage: &mut Stage, act: impl Fn(&Stage) -> Result<(), HandbookError>) {
        let (before, ground) = (stage.held(1), stage.phones[1].disk.snapshot());
        act(stage).unwrap();
        let after = stage.held(1);
        assert_ne!(before, after);
        for fault in [Fault::Full, Fault::IoError, Fault::ShortWrite, Fault::Crash] {
            let mut failed = 0;
            for at in 0.. {
                let disk = place(stage, 1, &ground, at);
                disk.fail_at(at, fault);
                let acted = act(stage);
                let seen = disk.statistics();
                if seen.crashes + seen.full + seen.io_errors + seen.short_writes == 0 {
                    assert!(acted.is_ok());
                    break;
                }
                let crashed = disk.is_down();
                if crashed {
                    disk.crash();
                    let actor = &mut stage.phones[1];
                    actor.phone = Phone::open(&actor.files, &ROOT).unwrap();
                }
                disk.clear_faults();
                disk.make_room();
                let found = stage.held(1);
                match acted {
                    Ok(()) if !crashed => assert!(found == after, "{fault:?} at {at}"),
                    Ok(()) => assert!(found == before || found == after),
                    Err(HandbookError::StorageFull | HandbookError::StorageFailed { .. }) => {
                        failed += 1;
                        // A loss of power may come after the last byte.
                        let whole = crashed && found == after;
                        assert!(found == before || whole, "{fault:?} at {at}");
                    }
                    Err(error) => panic!("{fault:?} at {at}: {error:?}"),
                }
                if found == before {
                    act(stage).unwrap();
                    assert!(
                        stage.held(1) == after,
                        "another end after {fault:?} at {at}"
                    );
                }
                place(stage, 1, &disk.snapshot(), at);
                assert!(
                    stage.held(1) == after,
                    "lost at the next opening: {fault:?} at {at}"
                );
            }
            assert!(failed > 0, "{fault:?} never came true");
        }
    }

    fn nothing_is_lost(cipher: bool) {
        let (mut stage, _) = stage_with_response(cipher);
        let answer = stage.answer(1, stage.meeting(0, 1));
        with_every_fault(&mut stage, |stage| {
            stage.try_submit(1, answer.clone().into()).map(|_| ())
        });
        let (mut stage, response) = stage_with_response(cipher);
        let bytes = cbor::to_bytes(&response);
        with_every_fault(&mut stage, |stage| take_in(stage, 1, &bytes));
    }

    #[test]
    fn promise_21_every_failing_operation_leaves_the_old_state_and_recovery_works() {
        nothing_is_lost(false);
    }

    #[test]
    fn promise_21_a_failing_operation_is_not_taken_for_a_damaged_encrypted_database() {
        nothing_is_lost(true);
    }
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

        let mut seen = BTreeSet::new();
        for at in 0.. {
            let disk = Disk::from_snapshot(at, &ground);
            disk.fail_at(at, Fault::Crash);
            let opened = Phone::open(&files(&disk), &ROOT);
            if !disk.is_down() {
                disk.clear_faults();
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
