//! The encrypted database and what lies beside it: one writer, readers that never wait for it.
//!
//! The folder holds `handbook.db` (SQLCipher, write-ahead log), `journal` (see [`crate::journal`]), `key-check` (tells a
//! wrong key from a damaged file, which look alike to SQLCipher), `keys` (see [`crate::keys_file`]) and `lock` (one process at a time).

mod key_check;
pub(crate) mod rows;
pub(crate) mod schema;

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, InterruptHandle, OpenFlags, TransactionBehavior};
use sotay_model::cbor;

use crate::blob;
use crate::disk::{Disk, PhoneDisk};
use crate::engine::overlay::{self, Overlay};
use crate::error::HandbookError;
use crate::identity::Identity;
use crate::journal::{self, Entry, Fate, Journal, Recovered};
use crate::keys::Keys;
use crate::store::rows::{Setting, Standing};

pub(crate) const DATABASE: &str = "handbook.db";
const JOURNAL: &str = "journal";
const KEY_CHECK: &str = "key-check";
const LOCK: &str = "lock";
/// Where any of these is, there was a key.
pub(crate) const ENCRYPTED: [&str; 3] = [KEY_CHECK, JOURNAL, DATABASE];
/// How pages are encrypted, said after the key. Phones have instructions for SHA-256, and not for SHA-512, which is what SQLCipher
/// takes by itself; pages of 8 KiB need half as many checksums and initialisation vectors (docs/decisions/0014).
const CIPHER: &str = "PRAGMA cipher_page_size = 8192; PRAGMA cipher_hmac_algorithm = HMAC_SHA256; PRAGMA cipher_memory_security = OFF; PRAGMA cipher_log_level = NONE";
/// A commit writes the log back into the database once it has so many pages: 16 MiB. During a download another thread does so
/// earlier ([`Store::write_back`]), so that the one that stores never waits for the disk.
const WRITE_BACK_AT: u32 = 2_000;
/// Bytes that the log keeps once it was written back.
const LOG_KEPT: u32 = 4 << 20;
const WRITER_CACHE_KIB: i32 = 8 << 10;
/// Readers kept open between reads.
const IDLE_READERS: usize = 4;

impl From<rusqlite::Error> for HandbookError {
    fn from(error: rusqlite::Error) -> Self {
        match &error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DiskFull => Self::StorageFull,
                // The log's index is a file too. Where even that finds no room, SQLite has an error of its own.
                _ if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => {
                    Self::StorageFull
                }
                ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => rows::DAMAGED,
                ErrorCode::OperationInterrupted => Self::Paused,
                _ => Self::StorageFailed {
                    code: failure.extended_code,
                },
            },
            // A column of another type than every version writes.
            _ => rows::DAMAGED,
        }
    }
}

impl From<std::io::Error> for HandbookError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::StorageFull
            }
            _ => Self::StorageFailed {
                code: error.raw_os_error().unwrap_or(0),
            },
        }
    }
}

/// Takes a lock whose last holder may have panicked: what it guards is changed only after a commit, so it is whole.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What only one caller at a time may use.
#[derive(Debug)]
pub(crate) struct Writer {
    /// The writing connection.
    pub(crate) db: Connection,
    /// The table `overlay`, as it stands.
    pub(crate) overlay: Overlay,
    /// The journal beside the database.
    pub(crate) journal: Journal,
}

/// Where the files are.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// In which folder.
    pub(crate) folder: PathBuf,
    /// On which disk.
    pub(crate) disk: Arc<dyn Disk>,
    /// Whether the database is encrypted: always, where the cipher is there.
    pub(crate) cipher: bool,
}

impl Place {
    /// A folder of the phone's.
    pub(crate) fn on_the_phone(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            disk: Arc::new(PhoneDisk),
            cipher: cfg!(feature = "cipher"),
        }
    }
}

/// The open files of a handbook. Dropping it closes them.
pub(crate) struct Store {
    place: Place,
    keys: Arc<Keys>,
    writer: Mutex<Writer>,
    readers: Mutex<Vec<Connection>>,
    /// The connection that writes the log back beside the writer, once it was needed.
    beside: Mutex<Option<Connection>>,
    interrupts: Mutex<Vec<InterruptHandle>>,
    /// The writing connection met an error of the disk's: the cipher may refuse to go on with it.
    doubtful: AtomicBool,
    _lock: Option<File>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store(…)")
    }
}

/// How many unsent mutations the folder's journal holds; needs no key.
pub(crate) fn unsent_in(folder: &Path) -> u32 {
    journal::count(&PhoneDisk, &folder.join(JOURNAL))
}

/// Takes the folder for this process.
pub(crate) fn lock(folder: &Path) -> Result<File, HandbookError> {
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(folder.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(HandbookError::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

pub(crate) fn connect(
    place: &Place,
    keys: &Keys,
    cache_kib: i32,
) -> Result<Connection, HandbookError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let path = place.folder.join(DATABASE);
    let db = match place.disk.file_system() {
        Some(name) => Connection::open_with_flags_and_vfs(path, flags, name)?,
        None => Connection::open_with_flags(path, flags)?,
    };
    if place.cipher {
        let key =
            zeroize::Zeroizing::new(format!("PRAGMA key = \"x'{}'\"", keys.database()?.as_str()));
        db.execute_batch(&key)?;
        db.execute_batch(CIPHER)?;
    }
    db.busy_timeout(Duration::from_secs(5))?;
    db.set_prepared_statement_cache_capacity(64);
    db.execute_batch(&format!(
        "PRAGMA temp_store = MEMORY; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; PRAGMA cache_size = -{cache_kib};
         PRAGMA wal_autocheckpoint = {WRITE_BACK_AT}; PRAGMA journal_size_limit = {LOG_KEPT}"
    ))?;
    Ok(db)
}

impl Store {
    /// Opens the files, or makes new ones, and brings back what the database lacks and the journal has.
    pub(crate) fn open(folder: &Path, keys: Arc<Keys>, lock: File) -> Result<Self, HandbookError> {
        Self::open_at(Place::on_the_phone(folder), keys, Some(lock))
    }

    /// The same, anywhere.
    pub(crate) fn open_at(
        place: Place,
        keys: Arc<Keys>,
        lock: Option<File>,
    ) -> Result<Self, HandbookError> {
        key_check::check_key(&place, &keys)?;
        let mut db = connect(&place, &keys, WRITER_CACHE_KIB)?;
        schema::migrate(&mut db)?;
        let journal = place.folder.join(JOURNAL);
        let (journal, recovered) =
            Journal::open(Arc::clone(&place.disk), journal, keys.journal()?)?;
        let overlay = Overlay::load(&db)?;
        let mut writer = Writer {
            db,
            overlay,
            journal,
        };
        writer.recover(&recovered)?;
        // Best effort: where there is no room for it now, the next opening tries again.
        let _ = writer.keep_again(&recovered);
        let interrupt = writer.db.get_interrupt_handle();
        Ok(Self {
            place,
            keys,
            writer: Mutex::new(writer),
            readers: Mutex::new(Vec::new()),
            beside: Mutex::new(None),
            interrupts: Mutex::new(vec![interrupt]),
            doubtful: AtomicBool::new(false),
            _lock: lock,
        })
    }

    /// Sets a database that cannot be read aside, so that `open` makes a new one.
    pub(crate) fn set_aside(folder: &Path) -> Result<(), HandbookError> {
        for (from, to) in damaged_names(folder) {
            match std::fs::rename(from, to) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error.into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The writer; waits for whoever has it.
    pub(crate) fn writer(&self) -> MutexGuard<'_, Writer> {
        let mut writer = locked(&self.writer);
        if self.doubtful.load(Ordering::Relaxed) && self.connect_anew(&mut writer).is_ok() {
            self.doubtful.store(false, Ordering::Relaxed);
        }
        writer
    }

    /// Says how a use of the writer ended. After an error of the disk's it gets another connection, because the cipher takes one
    /// that it could not finish for a damaged database.
    pub(crate) fn ended<T>(&self, result: Result<T, HandbookError>) -> Result<T, HandbookError> {
        result.map_err(|error| self.failed(error))
    }

    /// The same, of a use that failed.
    pub(crate) fn failed(&self, error: HandbookError) -> HandbookError {
        if let HandbookError::StorageFailed { .. } | HandbookError::DatabaseUnreadable { .. } =
            error
        {
            self.doubtful.store(true, Ordering::Relaxed);
        }
        error
    }

    fn connect_anew(&self, writer: &mut Writer) -> Result<(), HandbookError> {
        let db = connect(&self.place, &self.keys, WRITER_CACHE_KIB)?;
        writer.overlay = Overlay::load(&db)?;
        locked(&self.interrupts).push(db.get_interrupt_handle());
        writer.db = db;
        Ok(())
    }

    /// Runs `view` in one read transaction, on a connection of its own.
    pub(crate) fn read<T>(
        &self,
        view: impl FnOnce(&Connection) -> Result<T, HandbookError>,
    ) -> Result<T, HandbookError> {
        let idle = locked(&self.readers).pop();
        let db = match idle {
            Some(db) => db,
            None => {
                let db = connect(&self.place, &self.keys, 2 << 10)?;
                locked(&self.interrupts).push(db.get_interrupt_handle());
                db
            }
        };
        let found = {
            let state = db.unchecked_transaction()?;
            let found = view(&state);
            state.rollback()?;
            found
        };
        let mut readers = locked(&self.readers);
        if readers.len() < IDLE_READERS && found.is_ok() {
            readers.push(db);
        }
        found
    }

    /// Writes what it can of the log back into the database, while others read and write. What it cannot waits for the next time.
    pub(crate) fn write_back(&self) -> Result<(), HandbookError> {
        let mut kept = locked(&self.beside);
        let db = match kept.take() {
            Some(db) => db,
            None => {
                let db = connect(&self.place, &self.keys, 64)?;
                locked(&self.interrupts).push(db.get_interrupt_handle());
                db
            }
        };
        let written = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        *kept = Some(db);
        Ok(written?)
    }

    /// Makes statements under way end early.
    pub(crate) fn interrupt(&self) {
        locked(&self.interrupts)
            .iter()
            .for_each(InterruptHandle::interrupt);
    }

    /// Writes the log back into the database. What cannot be written back now is at the next opening.
    pub(crate) fn checkpoint(&self) {
        locked(&self.readers).clear();
        locked(&self.beside).take();
        let writer = self.writer();
        let _ = writer
            .db
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
}

/// The files of a database that cannot be read, and what they are called from then on.
pub(crate) fn damaged_names(folder: &Path) -> Vec<(PathBuf, PathBuf)> {
    ["", "-wal", "-shm"]
        .map(|ending| {
            let name = |database: &str| folder.join(format!("{database}{ending}"));
            (name(DATABASE), name("damaged.db"))
        })
        .into()
}

/// Deletes everything in the folder that a store ever put there, but for the lock.
pub(crate) fn delete(disk: &dyn Disk, folder: &Path) -> Result<(), HandbookError> {
    for name in [DATABASE, "damaged.db"] {
        for ending in ["", "-wal", "-shm", "-journal"] {
            disk.remove(&folder.join(format!("{name}{ending}")))?;
        }
    }
    disk.remove_folder(&folder.join(blob::FOLDER))?;
    let journal = folder.join(JOURNAL);
    for path in [
        journal.with_extension("new"),
        journal,
        folder.join(KEY_CHECK),
    ] {
        disk.remove(&path)?;
    }
    Ok(())
}

impl Writer {
    /// Who joined.
    pub(crate) fn identity(&self) -> Result<Option<Identity>, HandbookError> {
        let bytes = rows::setting(&self.db, Setting::Identity)?;
        bytes
            .map(|bytes| cbor::from_bytes(&bytes).map_err(|_| rows::DAMAGED))
            .transpose()
    }

    /// Writes into the journal again what it lost and the database still has, so that each unsent mutation lies in two places.
    fn keep_again(&mut self, recovered: &Recovered) -> Result<(), HandbookError> {
        let mut select = self
            .db
            .prepare("SELECT n FROM outbox WHERE state IN (?1, ?2)")?;
        let mut lacking: std::collections::BTreeSet<i64> = select
            .query_map([Standing::Pending as u8, Standing::Parked as u8], |row| {
                row.get(0)
            })?
            .collect::<Result<_, _>>()?;
        for entry in &recovered.kept {
            lacking.remove(&entry.n);
        }
        for n in lacking {
            let (at, mutation, why): (i64, Vec<u8>, Option<Vec<u8>>) = self.db.query_row(
                "SELECT at, mutation, rejection FROM outbox WHERE n = ?1",
                [n],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )?;
            self.journal.keep(n, at, &mutation)?;
            if let Some(why) = why {
                self.journal.decide(&[], &[(n, why)])?;
            }
        }
        if recovered.identity.is_none()
            && let Some(identity) = rows::setting(&self.db, Setting::Identity)?
        {
            self.journal.keep_identity(&identity)?;
        }
        Ok(())
    }

    /// Puts back what the journal has and the database lacks: after a crash the last entries, after a loss of the file all.
    fn recover(&mut self, recovered: &Recovered) -> Result<(), HandbookError> {
        let known: std::collections::BTreeSet<i64> = {
            let mut select = self.db.prepare("SELECT n FROM outbox")?;
            select
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?
        };
        // What is settled for good may be forgotten here, and that it is settled lost from the journal.
        let settled = rows::setting_number(&self.db, Setting::SettledThrough)?.unwrap_or(0);
        let missing: Vec<&Entry> = recovered
            .kept
            .iter()
            .filter(|entry| entry.n > settled && !known.contains(&entry.n))
            .collect();
        let has_identity = rows::setting(&self.db, Setting::Identity)?.is_some();
        let next = rows::setting_number(&self.db, Setting::NextN)?.unwrap_or(1);
        let restores_identity = !has_identity && recovered.identity.is_some();
        if missing.is_empty() && !restores_identity && next > recovered.high_water {
            return Ok(());
        }
        let change = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let (false, Some(identity)) = (has_identity, &recovered.identity) {
            rows::set(&change, Setting::Identity, identity)?;
        }
        for entry in missing {
            let (standing, why) = match &entry.fate {
                Fate::Unsent => (Standing::Pending, None),
                Fate::Accepted => (Standing::Accepted, None),
                Fate::Refused(why) => (Standing::Parked, Some(why)),
            };
            change
                .prepare_cached(
                    "INSERT INTO outbox (n, state, at, mutation, rejection) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(rusqlite::params![
                    entry.n,
                    standing as u8,
                    entry.at,
                    entry.mutation,
                    why
                ])?;
        }
        rows::set_number(&change, Setting::NextN, next.max(recovered.high_water + 1))?;
        let identity: Option<Identity> = rows::setting(&change, Setting::Identity)?
            .and_then(|bytes| cbor::from_bytes(&bytes).ok());
        let replayed = match identity {
            Some(identity) => Some(overlay::replay(&change, &self.overlay, identity.member)?),
            None => None,
        };
        change.commit()?;
        if let Some((overlay, _)) = replayed {
            self.overlay = overlay;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(folder: &Path) -> Result<Store, HandbookError> {
        Store::open(
            folder,
            Arc::new(Keys::from_data_key(&[3; 32].into())),
            lock(folder)?,
        )
    }

    #[test]
    fn promise_21_a_log_whose_index_finds_no_room_is_a_full_disk() {
        let code = |code| {
            let failure = rusqlite::ffi::Error::new(code);
            HandbookError::from(rusqlite::Error::SqliteFailure(failure, None))
        };
        for full in [
            rusqlite::ffi::SQLITE_FULL,
            rusqlite::ffi::SQLITE_IOERR_SHMSIZE,
        ] {
            assert_eq!(code(full), HandbookError::StorageFull);
        }
        let other = rusqlite::ffi::SQLITE_IOERR_SHMMAP;
        assert_eq!(code(other), HandbookError::StorageFailed { code: other });
    }

    #[test]
    fn promise_26_what_a_damaged_journal_lost_is_written_into_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join(JOURNAL);
        let store = opened(folder.path()).unwrap();
        {
            let mut writer = store.writer();
            writer.journal.keep_identity(b"who").unwrap();
            rows::set(&writer.db, Setting::Identity, b"who").unwrap();
            for n in 1..=3 {
                writer.journal.keep(n, 1_000, b"what").unwrap();
                let outbox = "INSERT INTO outbox (n, state, at, mutation) VALUES (?1, 0, 1000, ?2)";
                writer.db.execute(outbox, (n, b"what")).unwrap();
            }
        }
        drop(store);
        let whole = unsent_in(folder.path());
        for damaged in [vec![], vec![7; 300], {
            let mut bytes = std::fs::read(&journal).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            bytes
        }] {
            std::fs::write(&journal, damaged).unwrap();
            drop(opened(folder.path()).unwrap());
            let place = Place::on_the_phone(folder.path());
            let seal = Keys::from_data_key(&[3; 32].into()).journal().unwrap();
            let (_, again) = Journal::open(place.disk, journal.clone(), seal).unwrap();
            let numbers: Vec<i64> = again.kept.iter().map(|entry| entry.n).collect();
            assert_eq!(numbers, [1, 2, 3]);
            assert_eq!(again.identity.as_deref(), Some(&b"who"[..]));
            assert_eq!(unsent_in(folder.path()), whole);
        }
    }

    #[test]
    fn a_newer_database_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(folder.path()).unwrap();
        store
            .writer()
            .db
            .pragma_update(None, "user_version", 9_000)
            .unwrap();
        store.checkpoint();
        drop(store);
        let database = folder.path().join(DATABASE);
        let before = std::fs::read(&database).unwrap();
        let refused = opened(folder.path()).unwrap_err();
        assert_eq!(
            refused,
            HandbookError::NewerDatabase {
                found: 9_000,
                known: schema::NEWEST
            }
        );
        assert_eq!(std::fs::read(&database).unwrap(), before);
    }

    #[test]
    fn every_step_of_the_schema_is_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let store = opened(folder.path()).unwrap();
            let version: u32 = store
                .writer()
                .db
                .query_row("PRAGMA user_version", [], |row| row.get(0))
                .unwrap();
            assert_eq!(version, schema::NEWEST);
        }
    }

    #[test]
    fn a_reader_sees_one_state_while_the_writer_commits() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(folder.path()).unwrap();
        rows::set_local(&store.writer().db, "place", b"1").unwrap();
        let seen = store.read(|db| {
            let before = rows::local(db, "place")?;
            rows::set_local(&store.writer().db, "place", b"2")?;
            Ok((before, rows::local(db, "place")?))
        });
        assert_eq!(seen, Ok((Some(b"1".to_vec()), Some(b"1".to_vec()))));
        assert_eq!(
            store.read(|db| rows::local(db, "place")),
            Ok(Some(b"2".to_vec()))
        );
    }
}
