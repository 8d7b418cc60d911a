//! What the engine promises of reading and of scopes, one promise after another: phones, their disks and a server without
//! threads, network or clock.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;
mod copies;

use std::collections::{BTreeMap, BTreeSet};

use sotay_client::simulation::{Confirmed, Held, HeldScope, Phone, Round};
use sotay_disk::{Disk, Fault, vfs_name};
use sotay_model::organisation::{Appoint, Role};
use sotay_model::wire::SyncResponse;
use sotay_model::{Kind, RecordKey, Scope, cbor};
use sotay_server::engine::Engine;
use sotay_server::storage::Storage;
use sotay_sim::ground::{DATABASE, day, entry, id};

use common::{ACCEPTED, PARKED, ROOT, Stage, WHOLE, states, title};
use copies::{database, notice, place};

/// A cell's scope.
fn cell(stage: &Stage, number: usize) -> Scope {
    Scope::organisation(stage.ground.cells[number])
}

/// The committee's scope.
fn committee(stage: &Stage) -> Scope {
    Scope::organisation(stage.ground.above[0])
}

/// The bodies that the server confirmed.
fn bodies(held: &Held) -> BTreeMap<RecordKey, Vec<u8>> {
    let body = |(key, record): (&RecordKey, &Confirmed)| (*key, record.body.clone());
    held.base.iter().map(body).collect()
}

mod pages {
    use super::*;

    /// Crashes the phone at every operation of applying the next response, and lets it go on each time.
    fn crash_everywhere(stage: &mut Stage, phone: usize, rows: u32) {
        let begun = || Round::new(rows, 0, 100);
        let (before, ground) = (stage.held(phone), stage.phones[phone].disk.snapshot());
        let mut round = begun();
        let (_, response) = stage.ask(phone, &mut round).unwrap();
        assert!(!response.pages.is_empty());
        stage.apply(phone, &mut round, &response);
        let after = stage.held(phone);
        assert_ne!(before, after);
        stage.sync_by(phone, rows);
        let end = stage.held(phone);

        let mut outcomes = BTreeSet::new();
        for at in 0.. {
            let disk = place(stage, phone, &ground, at);
            let actor = &stage.phones[phone];
            let mut round = begun();
            actor.phone.next_request(&mut round).unwrap();
            disk.fail_at(at, Fault::Crash);
            let bytes = cbor::to_bytes(&response);
            let applied = actor
                .phone
                .on_response(&mut round, actor.member, &bytes, stage.now);
            if !disk.is_down() {
                disk.clear_faults();
                assert!(applied.is_ok() && stage.held(phone) == after);
                stage.sync_by(phone, rows);
                break;
            }
            disk.crash();
            let actor = &mut stage.phones[phone];
            actor.phone = Phone::open(&actor.files, &ROOT).unwrap();
            let found = stage.held(phone);
            assert!(
                found == before || found == after,
                "half a page at operation {at}"
            );
            outcomes.insert(found == after);
            stage.sync_by(phone, rows);
            assert!(stage.held(phone) == end, "another end after operation {at}");
        }
        assert!(outcomes.contains(&false));
    }

    #[test]
    fn promise_07_page_cursor_and_checksum_commit_together() {
        let mut stage = Stage::new(&[0, 6]);
        stage.sync(0);
        for number in 1..=5 {
            stage.submit(0, stage.notice(0, number));
        }
        stage.sync(0);
        // The first page of a first download, cut after some rows; then what comes with a receipt for an own mutation.
        crash_everywhere(&mut stage, 1, 4);
        stage.submit(1, stage.answer(1, stage.meeting(0, 1)));
        stage.submit(0, stage.change(0, stage.meeting(0, 2), "Đổi"));
        stage.sync(0);
        crash_everywhere(&mut stage, 1, WHOLE);
        assert_eq!(stage.held(1).outbox[&1].state, ACCEPTED);
    }
}

mod sums {
    use super::*;

    fn tamper(response: &mut SyncResponse, scope: Scope) -> bool {
        let mut sums = response.pages.iter_mut().filter(|page| page.scope == scope);
        match sums.next().and_then(|page| page.sum.as_mut()) {
            Some(sum) => {
                sum[15] ^= 1;
                true
            }
            None => false,
        }
    }

    /// A synced member's phone, and a notice of the cell that it has not seen.
    fn stage() -> Stage {
        let mut stage = Stage::new(&[0, 6]);
        stage.sync(0);
        stage.submit(0, stage.notice(0, 1));
        stage.sync(0);
        stage.sync(1);
        stage.submit(0, stage.notice(0, 2));
        stage.sync(0);
        stage
    }

    fn others(held: &Held, but: Scope) -> BTreeMap<Scope, HeldScope> {
        let mut scopes = held.scopes.clone();
        scopes.remove(&but);
        scopes
    }

    #[test]
    fn promise_08_a_wrong_sum_heals_that_scope_only_and_stops_after_a_few_tries() {
        let mut stage = stage();
        let (scope, ground) = (cell(&stage, 0), stage.phones[1].disk.snapshot());
        let before = stage.held(1);
        stage.sync(1);
        let right = stage.held(1);

        // Wrong once: the scope begins anew, the others stay where they are, and all is well.
        place(&mut stage, 1, &ground, 1);
        let mut round = Round::new(WHOLE, 0, 4);
        let (_, mut response) = stage.ask(1, &mut round).unwrap();
        assert!(tamper(&mut response, scope));
        stage.apply(1, &mut round, &response);
        assert_eq!((round.healed(), round.is_broken()), (1, false));
        assert_eq!(stage.held(1).scopes[&scope].cursor, 0);
        assert_eq!(others(&stage.held(1), scope), others(&before, scope));
        let (_, response) = stage.ask(1, &mut round).unwrap();
        let fetched: Vec<Scope> = response.pages.iter().map(|page| page.scope).collect();
        assert_eq!(fetched, [scope]);
        stage.apply(1, &mut round, &response);
        assert!(stage.request(1, &mut round).is_none() && !round.is_broken());
        assert_eq!(bodies(&stage.held(1)), bodies(&right));
        assert_eq!(stage.held(1).scopes[&scope].sum, right.scopes[&scope].sum);

        // Wrong for good: after a few tries the round says so and ends, and so do those that follow.
        place(&mut stage, 1, &ground, 2);
        let mut broken = Vec::new();
        for _ in 0..3 {
            let mut round = Round::new(WHOLE, 0, 4);
            let mut fetched = 0;
            while let Some((_, mut response)) = stage.ask(1, &mut round) {
                fetched += usize::from(tamper(&mut response, scope));
                assert!(fetched <= 5, "a download without end");
                stage.apply(1, &mut round, &response);
            }
            broken.push(round.is_broken());
            assert_eq!(others(&stage.held(1), scope), others(&before, scope));
        }
        assert!(broken[0]);
        // What could be applied is there to be read.
        assert_eq!(bodies(&stage.held(1)), bodies(&right));
    }

    #[test]
    fn promise_08_a_flipped_a_lost_and_a_doubled_record_are_found_and_only_their_scope_fetched_again()
     {
        for damage in [
            "UPDATE base SET body = CAST(upper(hex(body)) AS BLOB) WHERE kind = ?1",
            "DELETE FROM base WHERE kind = ?1",
            "INSERT INTO listing SELECT l.lid + 1000, l.seq, l.incarnation, l.version, l.hash
             FROM listing l JOIN base b ON b.rid = l.lid & 0xffffffff WHERE b.kind = ?1",
        ] {
            let mut stage = stage();
            stage.sync(1);
            let (scope, right) = (cell(&stage, 0), stage.held(1));
            let db = database(&stage.phones[1].disk);
            assert!(db.execute(damage, [Kind::Meeting.code()]).unwrap() > 0);
            drop(db);
            // Everything is read again once a day.
            stage.now = stage.now.plus_minutes(25 * 60);
            let mut round = Round::new(WHOLE, 0, 4);
            let mut fetched = BTreeSet::new();
            while let Some((_, response)) = stage.ask(1, &mut round) {
                fetched.extend(response.pages.iter().map(|page| page.scope));
                stage.apply(1, &mut round, &response);
            }
            assert_eq!((round.healed(), round.is_broken()), (1, false), "{damage}");
            assert_eq!(fetched, [scope].into());
            let healed = stage.held(1);
            assert_eq!(bodies(&healed), bodies(&right));
            assert_eq!(healed.scopes[&scope].sum, right.scopes[&scope].sum);
            assert_eq!(healed.scopes[&scope].listed, right.scopes[&scope].listed);
        }
    }
}

mod other_servers {
    use super::*;

    fn restore(stage: &mut Stage, backup: &[u8]) {
        let old = stage
            .engine
            .storage()
            .read()
            .unwrap()
            .incarnation()
            .unwrap();
        // Only one engine has the database open: this one makes place.
        let elsewhere = Disk::new(998);
        stage.engine = Engine::new(Storage::open_in(vfs_name(), &elsewhere.path("a.db")).unwrap());
        for ending in ["-wal", "-shm"] {
            let _ = stage
                .disk
                .remove(stage.disk.path(&format!("{DATABASE}{ending}")));
        }
        let path = stage.disk.path(DATABASE);
        stage.disk.replace(&path, backup.to_vec()).unwrap();
        let mut storage = Storage::open_in(vfs_name(), &path).unwrap();
        storage.begin_incarnation(old, stage.now).unwrap();
        stage.engine = Engine::new(storage);
    }

    #[test]
    fn promise_12_a_restored_server_gets_back_what_its_backup_lacked() {
        let mut stage = Stage::new(&[0, 6, 9]);
        for phone in [0, 1, 2, 0] {
            stage.sync(phone);
        }
        stage.submit(0, stage.notice(0, 1));
        stage.sync(0);
        let path = stage.disk.path("backup.db");
        stage.engine.storage().back_up(&path).unwrap();
        let backup = stage.disk.read(&path).unwrap();
        // What the copy lacks, all of it accepted: a notice, its change, and another member's answer.
        let meeting = stage.meeting(0, 2);
        stage.submit(0, stage.notice(0, 2));
        stage.submit(0, stage.change(0, meeting, "Đổi"));
        stage.sync(0);
        stage.sync(1);
        stage.submit(1, stage.answer(1, meeting));
        for phone in [1, 0, 2] {
            stage.sync(phone);
        }
        let accepted: Vec<_> = (0..3).map(|phone| bodies(&stage.held(phone))).collect();
        // And something that waits meanwhile.
        let waiting = stage.submit(2, stage.answer(2, meeting));

        restore(&mut stage, &backup);
        // The meeting's author before those who answered.
        for phone in [0, 1, 2, 0, 1] {
            stage.sync(phone);
        }
        for (phone, before) in accepted.iter().enumerate() {
            let held = stage.held(phone);
            assert_eq!(title(&held, meeting).as_deref(), Some("Đổi"));
            for key in before.keys() {
                assert!(held.base.contains_key(key), "phone {phone} lost {key:?}");
            }
            assert!(states(&held).iter().all(|(_, state)| *state == ACCEPTED));
        }
        assert!(stage.held(2).outbox.contains_key(&waiting));
        // The server has it, not the old phones alone.
        let new = stage.add_phone(3);
        stage.sync(new);
        assert_eq!(title(&stage.held(new), meeting).as_deref(), Some("Đổi"));
    }

    /// Who comes first after a restore decides what the server knows already (docs/decisions/0009): an answer that comes before
    /// its meeting is refused, and is neither lost nor forgotten.
    #[test]
    fn promise_12_an_answer_that_comes_before_its_meeting_is_back_is_parked_with_its_words() {
        let mut stage = Stage::new(&[0, 6]);
        stage.sync(0);
        let path = stage.disk.path("backup.db");
        stage.engine.storage().back_up(&path).unwrap();
        let backup = stage.disk.read(&path).unwrap();
        let meeting = stage.meeting(0, 1);
        stage.submit(0, stage.notice(0, 1));
        stage.sync(0);
        stage.sync(1);
        let n = stage.submit(1, stage.answer(1, meeting));
        stage.sync(1);
        let words = stage.held(1).outbox[&n].mutation.clone();
        let key = *stage
            .held(1)
            .base
            .keys()
            .find(|key| !stage.held(0).base.contains_key(key))
            .unwrap();

        restore(&mut stage, &backup);
        for phone in [1, 0, 1] {
            stage.sync(phone);
        }
        let held = stage.held(1);
        assert_eq!(states(&held), [(n, PARKED)]);
        assert_eq!(held.outbox[&n].mutation, words);
        // The meeting is back meanwhile: entered again, the answer is accepted.
        let again = stage.submit(1, stage.answer(1, meeting));
        stage.sync(1);
        stage.sync(0);
        assert_eq!(stage.held(1).outbox[&again].state, ACCEPTED);
        assert!(stage.held(0).base.contains_key(&key));
    }

    #[test]
    fn promise_12_a_feed_of_another_epoch_is_fetched_anew_and_the_outbox_kept() {
        let mut stage = Stage::new(&[0, 6]);
        stage.sync(0);
        stage.submit(0, stage.notice(0, 1));
        stage.sync(0);
        stage.sync(1);
        let (scope, before) = (cell(&stage, 0), stage.held(1));
        let n = stage.submit(1, stage.answer(1, stage.meeting(0, 1)));
        let change = stage.engine.storage().write().unwrap();
        let mut head = change.head(scope).unwrap();
        head.epoch += 1;
        change.set_head(scope, &head).unwrap();
        change.commit().unwrap();

        let mut round = Round::new(WHOLE, 0, 4);
        let (_, response) = stage.ask(1, &mut round).unwrap();
        for page in &response.pages {
            assert_eq!(page.from == 0, page.scope == scope);
        }
        stage.apply(1, &mut round, &response);
        stage.sync(1);
        let after = stage.held(1);
        assert_eq!(after.scopes[&scope].epoch, head.epoch);
        assert_eq!(after.outbox[&n].state, ACCEPTED);
        for (key, body) in bodies(&before) {
            assert_eq!(after.base[&key].body, body);
        }
    }

    #[test]
    fn promise_13_a_phone_offline_longer_than_deletions_are_kept_never_brings_a_record_back() {
        let mut stage = Stage::new(&[9, 9, 9]);
        stage.sync(0);
        let before = stage.held(0);
        let (moved, _) = stage.ground.members[6];
        let gone = |held: &Held| -> BTreeSet<RecordKey> {
            let now: BTreeSet<RecordKey> = held.base.keys().copied().collect();
            before
                .base
                .keys()
                .filter(|key| !now.contains(key))
                .copied()
                .collect()
        };
        // A member moves to another cell, whose feed this phone does not see.
        let to = stage.ground.cells[1];
        let entered = stage
            .engine
            .enter([entry(moved, 6, to).into()], stage.now)
            .unwrap();
        assert!(entered.is_ok());
        stage.sync(1);
        let left = gone(&stage.held(1));
        assert!(!left.is_empty());
        // Years later the deletion is forgotten, and the phone that slept comes back.
        stage.now = stage.now.plus_minutes(3 * 365 * 24 * 60);
        assert!(stage.engine.forget_deletions(stage.now).unwrap() > 0);
        let ground = stage.phones[0].disk.snapshot();
        for rows in [WHOLE, 1] {
            place(&mut stage, 0, &ground, 1);
            let mut round = Round::new(rows, 0, 4);
            while let Some((_, response)) = stage.ask(0, &mut round) {
                stage.apply(0, &mut round, &response);
            }
            // The server noticed; it did not take a sum that does not fit.
            assert_eq!((round.healed(), round.is_broken()), (0, false));
            assert_eq!(gone(&stage.held(0)), left);
            // A phone that was never here sees the same.
            stage.sync(2);
            assert_eq!(bodies(&stage.held(0)), bodies(&stage.held(2)));
            assert_eq!(gone(&stage.held(2)), left);
        }
    }
}

mod scopes {
    use super::*;

    #[test]
    fn promise_18_a_gained_scope_appears_whole_without_downloading_others_again() {
        let mut stage = Stage::new(&[1, 9]);
        stage.sync(0);
        for number in 1..=5 {
            stage.submit(0, stage.notice(0, number));
        }
        stage.sync(0);
        stage.sync(1);
        let (before, ground) = (stage.held(1), stage.phones[1].disk.snapshot());
        let scope = cell(&stage, 1);
        assert!(!before.scopes.contains_key(&scope));
        let appoint = Appoint {
            id: id(3, 200),
            member: stage.phones[1].member,
            organisation: stage.ground.cells[1],
            role: Role::DeputySecretary,
            phone: None,
            from: day(1, 1).unwrap(),
            until: None,
        };
        let entered = stage.engine.enter([appoint.into()], stage.now).unwrap();
        assert!(entered.is_ok(), "{entered:?}");
        stage.sync(0);
        for rows in [WHOLE, 2] {
            place(&mut stage, 1, &ground, 1);
            let mut round = Round::new(rows, 0, 4);
            let (mut gained, mut again) = (BTreeSet::new(), 0);
            while let Some((_, response)) = stage.ask(1, &mut round) {
                gained.extend(response.gained.iter().copied());
                for page in &response.pages {
                    let held = before.scopes.get(&page.scope);
                    assert_eq!(held.is_none(), gained.contains(&page.scope));
                    if let Some(held) = held {
                        // Of the others only what is new.
                        assert!(page.rows.iter().all(|row| row.seq > held.cursor));
                        again += page.rows.len();
                    }
                }
                stage.apply(1, &mut round, &response);
                if rows == WHOLE {
                    // Whole at once.
                    assert!(!response.more);
                }
            }
            assert!(gained.contains(&scope));
            assert!(again <= 3, "{again} rows of scopes that were here");
            let (held, author) = (stage.held(1), stage.held(0));
            assert_eq!(held.scopes[&scope].listed, author.scopes[&scope].listed);
            for key in author.scopes[&scope].listed.keys() {
                assert_eq!(held.base[key].body, author.base[key].body);
            }
        }
    }

    #[test]
    fn promise_20_one_scopes_volume_does_not_move_anothers_latency() {
        let round_trips = |volume: u32| {
            // The committee's secretary, the cell's, and a member of the cell.
            let mut stage = Stage::new(&[4, 0, 9]);
            for phone in [0, 1, 2] {
                stage.sync(phone);
            }
            let organisation = stage.ground.above[0];
            for number in 0..volume {
                stage.submit(0, notice(organisation, number));
            }
            stage.sync(0);
            stage.submit(1, stage.notice(1, 1));
            stage.sync(1);
            if volume > 0 {
                let scope = committee(&stage);
                let waiting = stage.engine.storage().read().unwrap().head(scope).unwrap();
                let held = &stage.held(2).scopes[&scope];
                assert!(waiting.head - held.cursor >= u64::from(volume));
            }
            let mut round = Round::new(50, 0, 4);
            for trips in 1..=5 {
                let (_, response) = stage.ask(2, &mut round).unwrap();
                stage.apply(2, &mut round, &response);
                assert_eq!(response.more, volume > 0);
                if title(&stage.held(2), stage.meeting(1, 1)).is_some() {
                    return trips;
                }
            }
            panic!("the notice does not come");
        };
        assert_eq!(round_trips(0), 1);
        assert_eq!(round_trips(2_000), 1);
    }
}
