//! The audit log: each change is written down with who made it, and whatever is done to the log before a checkpoint is found.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod common;

use std::path::Path;

use common::{NOW, Place, publish};
use ring::signature::{Ed25519KeyPair, KeyPair};
use rusqlite::Connection;
use rusqlite::types::Value;
use sotay_model::{MemberId, Scope};
use sotay_server::audit::{Entry, Event, Kept, Signed, Tampering, Verified, verify};
use sotay_server::commune;
use sotay_server::storage::{Storage, StorageError};

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn public(seed: u8) -> [u8; 32] {
    pair(seed).public_key().as_ref().try_into().unwrap()
}

fn signed(seed: u8, bytes: &[u8]) -> Result<Signed, StorageError> {
    Ok(Signed {
        key: public(seed),
        signature: pair(seed).sign(bytes).as_ref().try_into().unwrap(),
    })
}

fn checkpoint(place: &Place) -> Option<Kept> {
    place
        .engine()
        .checkpoint(NOW, |bytes| signed(1, bytes))
        .unwrap()
}

fn check(data: &Path, kept: Option<&Kept>) -> Result<Verified, Tampering> {
    let mut storage = Storage::open(&data.join(commune::DATABASE)).unwrap();
    let transaction = storage.read().unwrap();
    verify(&transaction, &[public(1)], kept).unwrap()
}

fn entries(data: &Path, chain: Option<Option<Scope>>) -> Vec<Entry> {
    let mut storage = Storage::open(&data.join(commune::DATABASE)).unwrap();
    let mut found = Vec::new();
    storage
        .read()
        .unwrap()
        .audit_entries(chain, |entry| {
            found.push(entry);
            true
        })
        .unwrap();
    found
}

/// A connection that changes what it likes, and does not wait for the disk.
fn intruder(data: &Path) -> Connection {
    let connection = Connection::open(data.join(commune::DATABASE)).unwrap();
    connection
        .pragma_update(None, "synchronous", "OFF")
        .unwrap();
    connection
}

/// A commune with some entries in several chains, two checkpoints, and one entry behind them.
fn with_history() -> Place {
    let place = Place::new();
    let mut engine = place.engine();
    let mut secretary = place.phone(&mut engine, "M01");
    for title in ["Một", "Hai", "Ba"] {
        let sent = secretary.next(publish(place.cell("CB1"), title));
        secretary.sync(&mut engine, vec![sent]);
    }
    assert_eq!(checkpoint(&place).unwrap().n, 1);
    let sent = secretary.next(publish(place.cell("CB1"), "Bốn"));
    secretary.sync(&mut engine, vec![sent]);
    place.import_with("M01", "M01");
    assert_eq!(checkpoint(&place).unwrap().n, 2);
    place
}

#[test]
fn audit_each_mutation_is_written_down_with_who_made_it_and_nothing_of_its_contents() {
    let place = Place::new();
    let mut engine = place.engine();
    let mut secretary = place.phone(&mut engine, "M01");
    let cell = place.cell("CB1");
    let before = entries(&place.data(), None).len();
    let intent = publish(cell, "Tên kín đáo");
    let meeting = intent.meeting.0;
    let sent = secretary.next(intent);
    secretary.sync(&mut engine, vec![sent.clone()]);
    // The same again is not another event, and one that is refused is none.
    secretary.sync(&mut engine, vec![sent]);
    let refused = secretary.next(publish(place.cell("CB2"), "Nơi khác"));
    secretary.sync(&mut engine, vec![refused]);
    assert_eq!(entries(&place.data(), None).len(), before + 1);

    let chain = entries(&place.data(), Some(Some(Scope::organisation(cell))));
    let last = chain.last().unwrap();
    assert_eq!(last.at, NOW);
    match last.event().unwrap() {
        Event::Mutation {
            by,
            phone,
            kind,
            records,
            ..
        } => {
            assert_eq!(by, Some(place.commune.members["M01"]));
            assert_eq!(phone, Some(secretary.id));
            assert_eq!(kind, "PublishNotice");
            assert!(records.contains(&meeting));
        }
        other => panic!("{other}"),
    }
    let payload = last.payload.as_ref().unwrap();
    let title = "Tên kín đáo".as_bytes();
    assert!(!payload.windows(title.len()).any(|part| part == title));
}

#[test]
fn audit_what_the_operator_enters_is_written_down() {
    let place = Place::new();
    let events = |place: &Place| -> Vec<Event> {
        entries(&place.data(), None)
            .iter()
            .filter_map(Entry::event)
            .collect()
    };
    let appointed = events(&place).into_iter().any(|event| {
        matches!(event, Event::Mutation { by: None, phone: None, kind, .. } if kind == "Appoint")
    });
    assert!(appointed);
    place.import_with("M01", "M01");
    assert!(events(&place).contains(&Event::Imported { new: 0, changed: 0 }));
}

#[test]
fn audit_an_untouched_log_verifies_and_says_how_much_of_it_is_anchored() {
    let place = with_history();
    let whole = check(&place.data(), None).unwrap();
    assert_eq!((whole.checkpoints, whole.unanchored), (2, 0));
    assert_eq!(whole.entries, entries(&place.data(), None).len() as u64);
    assert!(whole.chains > 2, "{whole:?}");
    assert_eq!(checkpoint(&place), None, "nothing new is not stated again");

    place.import_with("M01", "M01");
    assert_eq!(check(&place.data(), None).unwrap().unanchored, 1);
}

/// Every column of every row of a table: each byte changed, the value emptied, made longer, and set to null; and the row removed.
fn every_change_is_found(place: &Place, table: &str, key: &str, columns: &[&str]) {
    let data = place.data();
    let connection = intruder(&data);
    let rows: Vec<Vec<Value>> = {
        let all = format!("SELECT {} FROM {table} ORDER BY {key}", columns.join(", "));
        let mut select = connection.prepare(&all).unwrap();
        select
            .query_map([], |row| (0..columns.len()).map(|i| row.get(i)).collect())
            .unwrap()
            .map(Result::unwrap)
            .collect()
    };
    assert!(rows.len() > 1);
    let marks: Vec<_> = (1..=columns.len()).map(|n| format!("?{n}")).collect();
    let insert = format!(
        "INSERT INTO {table} ({}) VALUES ({})",
        columns.join(", "),
        marks.join(", ")
    );
    let put = |row: &[Value]| connection.execute(&insert, rusqlite::params_from_iter(row));
    let mut storage = Storage::open(&data.join(commune::DATABASE)).unwrap();
    let mut found = || {
        let transaction = storage.read().unwrap();
        verify(&transaction, &[public(1)], None).unwrap().is_err()
    };
    let keys: Vec<usize> = key
        .split(", ")
        .map(|name| columns.iter().position(|column| *column == name).unwrap())
        .collect();
    let remove = |row: &[Value]| {
        let own: Vec<_> = keys
            .iter()
            .enumerate()
            .map(|(n, at)| format!("{} = ?{}", columns[*at], n + 1))
            .collect();
        let delete = format!("DELETE FROM {table} WHERE {}", own.join(" AND "));
        let values = keys.iter().map(|at| &row[*at]);
        let removed = connection.execute(&delete, rusqlite::params_from_iter(values));
        assert_eq!(removed.unwrap(), 1);
    };
    for (place, row) in rows.iter().enumerate() {
        // The last checkpoint alone can be removed unseen: that is what a copy kept elsewhere is for.
        remove(row);
        if table == "audit" || place + 1 < rows.len() {
            assert!(found(), "{table} row {place} removed");
        }
        for (column, value) in row.iter().enumerate() {
            for changed in changes(value) {
                let mut other = row.clone();
                other[column] = changed;
                // What the table itself refuses was not changed.
                if put(&other).is_ok() {
                    assert!(found(), "{table} row {place} {} changed", columns[column]);
                    remove(&other);
                }
            }
        }
        put(row).unwrap();
    }
    assert!(!found(), "everything is as it was");
}

fn changes(value: &Value) -> Vec<Value> {
    let mut all = vec![Value::Null];
    match value {
        Value::Integer(number) => all.extend([1, -1, 1_000].map(|by| Value::Integer(number + by))),
        Value::Blob(bytes) => {
            for at in 0..bytes.len() {
                let mut other = bytes.clone();
                other[at] ^= 1 << (at % 8);
                all.push(Value::Blob(other));
            }
            all.push(Value::Blob([bytes.as_slice(), &[0]].concat()));
            if !bytes.is_empty() {
                all.push(Value::Blob(Vec::new()));
                all.push(Value::Blob(bytes[1..].to_vec()));
            }
        }
        other => panic!("{other:?}"),
    }
    all
}

#[test]
fn audit_any_single_change_of_any_entry_before_a_checkpoint_is_found() {
    let place = with_history();
    let columns = ["scope", "n", "at", "commitment", "hash", "salt", "payload"];
    every_change_is_found(&place, "audit", "scope, n", &columns);
}

#[test]
fn audit_any_single_change_of_any_checkpoint_is_found() {
    let place = with_history();
    let columns = ["n", "body", "key", "signature"];
    every_change_is_found(&place, "audit_checkpoint", "n", &columns);
}

#[test]
fn audit_entries_in_another_order_or_a_shortened_chain_are_found() {
    let place = with_history();
    let data = place.data();
    let connection = intruder(&data);
    let chain = Scope::organisation(place.cell("CB1")).to_bytes();
    let swap = |a: i64, b: i64| {
        for (from, to) in [(a, -1), (b, a), (-1, b)] {
            connection
                .execute(
                    "UPDATE audit SET n = ?3 WHERE scope = ?1 AND n = ?2",
                    (chain, from, to),
                )
                .unwrap();
        }
    };
    let length = entries(&data, Some(Some(Scope::organisation(place.cell("CB1"))))).len();
    let length = i64::try_from(length).unwrap();
    for n in 1..length {
        swap(n, n + 1);
        assert!(check(&data, None).is_err(), "{n} and the next");
        swap(n, n + 1);
    }
    check(&data, None).unwrap();
    // From the end of the chain, as who shortens it would: nothing left looks wrong but the checkpoint.
    connection
        .execute(
            "DELETE FROM audit WHERE scope = ?1 AND n = ?2",
            (chain, length),
        )
        .unwrap();
    assert!(matches!(
        check(&data, None),
        Err(Tampering::Anchor { checkpoint: 2, .. })
    ));
    connection
        .execute("DELETE FROM audit WHERE scope = ?1", [chain])
        .unwrap();
    assert!(matches!(
        check(&data, None),
        Err(Tampering::Anchor { checkpoint: 1, .. })
    ));
}

/// Somebody with the database and a way to sign writes the whole history anew.
#[test]
fn audit_a_log_written_anew_by_who_can_sign_is_found_by_a_checkpoint_kept_elsewhere() {
    let place = with_history();
    let data = place.data();
    place.import_with("M01", "M01");
    let kept = checkpoint(&place).unwrap();
    let text = kept.to_string();
    let kept: Kept = text.parse().unwrap();
    check(&data, Some(&kept)).unwrap();

    let connection = intruder(&data);
    connection
        .execute_batch("DELETE FROM audit; DELETE FROM audit_checkpoint")
        .unwrap();
    place.import_with("M01", "M01");
    for _ in 0..3 {
        place.import_with("M01", "M01");
        checkpoint(&place).unwrap();
    }
    check(&data, None).unwrap();
    assert_eq!(check(&data, Some(&kept)), Err(Tampering::Kept { n: 3 }));
}

#[test]
fn audit_a_checkpoint_by_another_key_or_with_another_text_is_refused() {
    let place = with_history();
    let data = place.data();
    let mut engine = place.engine();
    place.import_with("M01", "M01");
    let foreign = engine
        .checkpoint(NOW, |bytes| signed(2, bytes))
        .unwrap()
        .unwrap();
    assert_eq!(check(&data, None), Err(Tampering::Checkpoint { n: 3 }));
    intruder(&data)
        .execute("DELETE FROM audit_checkpoint WHERE n = 3", [])
        .unwrap();
    check(&data, None).unwrap();
    assert_eq!(
        check(&data, Some(&foreign)),
        Err(Tampering::Checkpoint { n: 3 })
    );
    let text = foreign.to_string();
    for wrong in [
        "",
        "sotay audit checkpoint",
        &text[..text.len() - 20],
        &text.replace("checkpoint 3", "checkpoint x"),
        &format!("{text}more"),
        &text.replace('_', "/").replace("audit", "AUDIT"),
    ] {
        assert!(wrong.parse::<Kept>().is_err(), "{wrong:?}");
    }
}

#[test]
fn audit_an_erased_event_is_gone_and_the_chain_still_holds() {
    let place = with_history();
    let data = place.data();
    let cell = Scope::organisation(place.cell("CB1"));
    // A server has the database open meanwhile.
    let mut engine = place.engine();
    engine.storage().read().unwrap().incarnation().unwrap();
    let told = entries(&data, Some(Some(cell))).remove(1);
    let (salt, payload) = (told.salt.unwrap(), told.payload.unwrap());
    // Also in pages that were given up, as when rows move to other pages: the same row again, and gone.
    let connection = intruder(&data);
    connection
        .execute_batch(
            "CREATE TABLE gone AS SELECT a.* FROM audit a, (VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9));
             DROP TABLE gone;",
        )
        .unwrap();
    drop(connection);
    let bytes = || -> Vec<u8> {
        let names = ["sotay.db", "sotay.db-wal"].map(|name| data.join(name));
        let all = names.map(|path| std::fs::read(path).unwrap_or_default());
        all.concat()
    };
    let lies_there = |what: &[u8]| bytes().windows(what.len()).any(|part| part == what);
    assert!(lies_there(&salt) && lies_there(&payload));
    let erase = |scope: Option<Scope>, n: u64| {
        sotay_server::commune::erase_audit(&data, scope, n, NOW).unwrap()
    };
    assert!(erase(Some(cell), 2));
    assert!(
        !lies_there(&salt) && !lies_there(&payload),
        "in no byte of the files"
    );
    drop(engine);
    assert!(!erase(Some(cell), 2), "there is nothing left");
    assert!(!erase(Some(cell), 99));
    assert!(!erase(Some(Scope::person(MemberId::default())), 1));
    let entry = entries(&data, Some(Some(cell))).remove(1);
    assert_eq!(
        (entry.event(), entry.salt, entry.payload),
        (None, None, None)
    );
    assert_eq!(check(&data, None).unwrap().erased, 1);

    // What tells of the erasure cannot be erased.
    let last = entries(&data, Some(None)).pop().unwrap();
    assert!(!erase(None, last.n));
    // Without that entry it is a removal.
    intruder(&data)
        .execute(
            "DELETE FROM audit WHERE scope = ?1 AND n = ?2",
            (Vec::<u8>::new(), last.n.cast_signed()),
        )
        .unwrap();
    assert_eq!(
        check(&data, None),
        Err(Tampering::Removed {
            chain: Some(cell),
            n: 2
        })
    );
}

#[test]
fn audit_is_shown_signed_checked_and_erased_from_the_command_line() {
    let place = Place::new();
    let data = place.data();
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_sotay-server"))
            .arg("audit")
            .args(arguments)
            .arg("--data")
            .arg(&data)
            .output()
            .unwrap();
        let text = if output.status.success() {
            output.stdout
        } else {
            output.stderr
        };
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    let kept = place.folder.path().join("kept.txt");
    let kept = kept.to_str().unwrap();
    let (done, said) = run(&["checkpoint", "--to", kept]);
    assert!(done && said.starts_with("checkpoint 1 "), "{said}");
    assert!(
        !run(&["checkpoint", "--to", kept]).0,
        "no file is overwritten"
    );
    let (done, said) = run(&["checkpoint"]);
    assert!(done, "{said}");
    assert_eq!(said, std::fs::read_to_string(kept).unwrap());

    let (done, said) = run(&["show"]);
    assert!(
        done && said.contains("\tFoundOrganisation by operator "),
        "{said}"
    );
    let cell = Scope::organisation(place.cell("CB1")).to_string();
    let (_, said) = run(&["show", "--scope", &cell]);
    assert!(said.lines().all(|line| line.contains(&cell)), "{said}");
    assert!(said.starts_with("2026-11-22T03:00:00Z\t"), "{said}");
    let (done, _) = run(&["erase", "--scope", &cell, "--entry", "1"]);
    assert!(done);
    assert!(!run(&["erase", "--scope", &cell, "--entry", "1"]).0);
    let (done, said) = run(&["erase", "--scope", "cell", "--entry", "1"]);
    assert!(!done && said.contains("\"cell\" is no scope"), "{said}");
    let (_, said) = run(&["show", "--scope", &cell]);
    assert!(said.contains("\t1\terased\n"), "{said}");
    let (_, said) = run(&["show", "--scope", "server"]);
    assert!(said.contains("event 1 of org:"), "{said}");

    let (done, said) = run(&["verify", "--checkpoint", kept]);
    assert!(
        done && said.contains("1 of them erased; 1 checkpoints hold, 1 entries"),
        "{said}"
    );
    intruder(&data)
        .execute("UPDATE audit SET at = at + 1 WHERE n = 1", [])
        .unwrap();
    let (done, said) = run(&["verify"]);
    assert!(!done && said.contains("tampered with"), "{said}");
}

#[test]
fn audit_a_server_signs_a_checkpoint_when_it_starts() {
    let place = Place::new();
    let data = place.data();
    let address = ([127, 0, 0, 1], 0).into();
    let running =
        sotay_server::Server::start(sotay_server::ServerConfig::new(&data, address)).unwrap();
    let signed = (0..2_000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        let whole = commune::verify_audit(&data, None).unwrap().unwrap();
        whole.checkpoints == 1 && whole.unanchored == 0
    });
    assert!(signed);
    running.shutdown();
}
