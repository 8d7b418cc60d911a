//! The same tables filled straight through rusqlite, in one transaction, and nothing else: no network, no checks, no sums.
//! Records go in sorted by id, which is the fastest order there is for SQLite.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use sotay_model::{Kind, Scope};

use super::ground::Line;
use crate::examiner;
use crate::failure::Failure;
use crate::phone::Phone;

/// How long it took, and how many bytes the file has.
pub(super) struct Filled {
    pub(super) took: Duration,
    pub(super) bytes: u64,
}

/// Fills a new database with the tables of `like`, encrypted or not.
pub(super) fn fill(
    path: &Path,
    like: &Phone,
    lines: &[Line],
    encrypted: bool,
) -> Result<Filled, Failure> {
    let tables = tables(like)?;
    let mut database = Connection::open(path)?;
    if encrypted {
        key(&database)?;
    }
    database.execute_batch(
        "PRAGMA temp_store = MEMORY; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8192",
    )?;
    database.execute_batch(&tables)?;
    let mut sorted: Vec<&Line> = lines.iter().collect();
    sorted.sort_unstable_by_key(|line| (line.scope, line.key.id));

    let began = Instant::now();
    let transaction = database.transaction()?;
    let mut numbers: BTreeMap<Scope, i64> = BTreeMap::new();
    for line in &sorted {
        for scope in [line.scope, line.key.home] {
            let next = i64::try_from(numbers.len())? + 1;
            if let std::collections::btree_map::Entry::Vacant(place) = numbers.entry(scope) {
                place.insert(next);
                transaction
                    .prepare_cached("INSERT INTO scope (sid, scope, held) VALUES (?1, ?2, 1)")?
                    .execute(params![next, scope.to_bytes()])?;
            }
        }
    }
    for line in sorted {
        transaction
            .prepare_cached(
                "INSERT INTO base (home, id, kind, parent, incarnation, version, body) VALUES (?1, ?2, ?3, ?4, 1, 1, ?5)",
            )?
            .execute(params![
                numbers[&line.key.home],
                line.key.id.as_bytes(),
                Kind::Section.code(),
                line.parent.as_bytes(),
                line.body
            ])?;
        let rid = transaction.last_insert_rowid();
        transaction
            .prepare_cached("INSERT INTO listing (lid, seq, incarnation, version, hash) VALUES (?1, ?2, 1, 1, ?3)")?
            .execute(params![numbers[&line.scope] << 40 | rid, rid, line.key.id.as_bytes()])?;
    }
    transaction.commit()?;
    let took = began.elapsed();
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(Filled {
        took,
        bytes: std::fs::metadata(path)?.len(),
    })
}

/// The statements that made the tables of a phone.
fn tables(phone: &Phone) -> Result<String, Failure> {
    let database = examiner::open_database(phone)?;
    let mut select = database
        .prepare("SELECT sql || ';' FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid")?;
    let statements = select.query_map([], |row| row.get::<_, String>(0))?;
    Ok(statements.collect::<Result<Vec<_>, _>>()?.concat())
}

/// Any key: the work is the same.
fn key(database: &Connection) -> Result<(), Failure> {
    let digits = "5a".repeat(48);
    database.execute_batch(&format!(
        "PRAGMA key = \"x'{digits}'\"; {}; PRAGMA cipher_memory_security = OFF",
        examiner::CIPHER
    ))?;
    Ok(())
}

/// How long opening an encrypted database and asking it one thing takes.
pub(super) fn open(phone: &Phone) -> Result<Duration, Failure> {
    let began = Instant::now();
    let database = examiner::open_database(phone)?;
    database.query_row("SELECT count(*) FROM scope", [], |row| row.get::<_, i64>(0))?;
    Ok(began.elapsed())
}
