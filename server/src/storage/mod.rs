//! The database: what the engine needs of it, in narrow methods.
//!
//! Embedded SQLite with a write-ahead log, synced at every commit. A [`Storage`] is one connection. One of a process writes,
//! others read; several processes may share the file. Everything happens inside a [`Transaction`], so that what is read
//! belongs together. The SQL keeps to a profile that distributes: the home scope first in every key, the body in the
//! listing, no triggers, no global sequence. Another database stands beside this one by offering the same methods.

mod audit;
mod backup;
mod feeds;
mod invitations;
mod phones;
mod register;
mod spills;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::engine::meta;

pub use feeds::{ListingRow, ScopeHead, StoredRecord};
pub use phones::{Installation, Invitation, Joining, Remembered};
pub use register::Entry;
pub use spills::Spill;

/// One step for each version. A database of an older version takes the steps it lacks when it is opened.
const STEPS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
];
const SCHEMA_VERSION: i64 = STEPS.len() as i64;
/// "SOTS" in the file's header: another program's database is refused.
const APPLICATION_ID: i64 = 0x534f_5453;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// What can go wrong below the engine.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// There is no database yet: `init` makes one.
    #[error("there is no database at {path}")]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// `init` found one where it should make one.
    #[error("there already is a database at {path}")]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// The file belongs to a newer server: use that one.
    #[error("the database has version {found}, this program knows {known}")]
    Newer {
        /// The file's version.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// The file is something else.
    #[error("{path} is not a database of this server")]
    NotOurs {
        /// Which file.
        path: PathBuf,
    },
    /// Another process writes for too long: try again.
    #[error("the database is busy")]
    Busy,
    /// A stored value could not be read.
    #[error("a stored {what} is damaged")]
    Damaged {
        /// Which kind of value.
        what: &'static str,
    },
    /// SQLite's own.
    #[error("database: {0}")]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            _ => Self::Sqlite(error),
        }
    }
}

/// One connection to the database.
#[derive(Debug)]
pub struct Storage {
    connection: Connection,
}

impl Storage {
    /// Makes a new database; an existing one is refused.
    pub fn create(path: &Path) -> Result<Self, StorageError> {
        if path.exists() {
            return Err(StorageError::Exists {
                path: path.to_owned(),
            });
        }
        Self::connect(path, OpenFlags::SQLITE_OPEN_CREATE, None)
    }

    /// Opens an existing database, and brings one of an older version up to date.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        if !path.exists() {
            return Err(StorageError::Missing {
                path: path.to_owned(),
            });
        }
        Self::connect(path, OpenFlags::empty(), None)
    }

    /// Opens a database in another of SQLite's file systems than the operating system's, or makes it.
    pub fn open_in(file_system: &str, path: &Path) -> Result<Self, StorageError> {
        Self::connect(path, OpenFlags::SQLITE_OPEN_CREATE, Some(file_system))
    }

    fn connect(
        path: &Path,
        more: OpenFlags,
        file_system: Option<&str>,
    ) -> Result<Self, StorageError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
        let mut connection = match file_system {
            Some(name) => Connection::open_with_flags_and_vfs(path, flags, name)?,
            None => Connection::open_with_flags(path, flags)?,
        };
        connection.busy_timeout(BUSY_TIMEOUT)?;
        let not_ours = || StorageError::NotOurs {
            path: path.to_owned(),
        };
        let number = |name: &str| -> Result<i64, StorageError> {
            connection
                .pragma_query_value(None, name, |row| row.get(0))
                .map_err(|error| match error.sqlite_error_code() {
                    Some(ErrorCode::NotADatabase) => not_ours(),
                    _ => error.into(),
                })
        };
        let (application, found) = (number("application_id")?, number("user_version")?);
        let is_new = application == 0 && found == 0 && number("schema_version")? == 0;
        if application != APPLICATION_ID && !(is_new && more == OpenFlags::SQLITE_OPEN_CREATE) {
            return Err(not_ours());
        }
        if found > SCHEMA_VERSION {
            return Err(StorageError::Newer {
                found,
                known: SCHEMA_VERSION,
            });
        }
        configure(&connection)?;
        if found < SCHEMA_VERSION {
            migrate(&mut connection)?;
        }
        Ok(Self { connection })
    }

    /// Begins to read: everything read belongs to one instant.
    pub fn read(&mut self) -> Result<Transaction<'_>, StorageError> {
        self.begin(TransactionBehavior::Deferred)
    }

    /// Begins to write: nobody else does until [`Transaction::commit`], or until it is dropped and nothing happened.
    pub fn write(&mut self) -> Result<Transaction<'_>, StorageError> {
        self.begin(TransactionBehavior::Immediate)
    }

    fn begin(&mut self, behavior: TransactionBehavior) -> Result<Transaction<'_>, StorageError> {
        let inner = self.connection.transaction_with_behavior(behavior)?;
        Ok(Transaction { inner })
    }

    /// A number that changes when another connection has written.
    pub fn foreign_writes(&self) -> Result<i64, StorageError> {
        Ok(self
            .connection
            .pragma_query_value(None, "data_version", |row| row.get(0))?)
    }
}

fn configure(connection: &Connection) -> Result<(), StorageError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Takes the steps that a database lacks: all of them or none.
fn migrate(connection: &mut Connection) -> Result<(), StorageError> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster.
    let found: i64 = change.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for step in STEPS
        .iter()
        .skip(usize::try_from(found).unwrap_or(usize::MAX))
    {
        change.execute_batch(step)?;
    }
    change.pragma_update(None, "application_id", APPLICATION_ID)?;
    change.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    Ok(change.commit()?)
}

/// A view of the database at one instant, and what changes on top of it.
#[derive(Debug)]
pub struct Transaction<'c> {
    inner: rusqlite::Transaction<'c>,
}

impl Transaction<'_> {
    /// Makes the changes last. When it returns they are on the disk.
    pub fn commit(self) -> Result<(), StorageError> {
        Ok(self.inner.commit()?)
    }

    /// The database's incarnation.
    pub fn incarnation(&self) -> Result<u64, StorageError> {
        self.meta(meta::INCARNATION)?
            .and_then(|bytes| bytes.try_into().ok())
            .map(u64::from_be_bytes)
            .ok_or(StorageError::Damaged {
                what: "incarnation",
            })
    }

    /// A value that belongs to the whole database.
    pub fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        use rusqlite::OptionalExtension;
        let mut statement = self
            .inner
            .prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
        Ok(statement.query_row([name], |row| row.get(0)).optional()?)
    }

    /// Sets a value that belongs to the whole database.
    pub fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), StorageError> {
        self.inner
            .prepare_cached("INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2")?
            .execute((name, value))?;
        Ok(())
    }
}

/// Reads a fixed number of bytes out of a column.
fn fixed<const N: usize>(bytes: &[u8], what: &'static str) -> Result<[u8; N], StorageError> {
    bytes.try_into().map_err(|_| StorageError::Damaged { what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        Storage::create(&path)
            .unwrap()
            .connection
            .pragma_update(None, "user_version", 99)
            .unwrap();
        assert!(matches!(
            Storage::open(&path),
            Err(StorageError::Newer {
                found: 99,
                known: SCHEMA_VERSION
            })
        ));
    }

    #[test]
    fn what_is_no_database_of_ours_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        assert!(matches!(
            Storage::open(&path),
            Err(StorageError::Missing { .. })
        ));
        std::fs::write(&path, "x".repeat(5_000)).unwrap();
        assert!(matches!(
            Storage::open(&path),
            Err(StorageError::NotOurs { .. })
        ));
        assert!(matches!(
            Storage::create(&path),
            Err(StorageError::Exists { .. })
        ));
        let other = folder.path().join("other");
        Connection::open(&other)
            .unwrap()
            .execute_batch("CREATE TABLE t (a)")
            .unwrap();
        assert!(matches!(
            Storage::open(&other),
            Err(StorageError::NotOurs { .. })
        ));
    }

    #[test]
    fn what_is_not_committed_did_not_happen() {
        let folder = tempfile::tempdir().unwrap();
        let mut storage = Storage::create(&folder.path().join("db")).unwrap();
        storage.write().unwrap().set_meta("a", b"1").unwrap();
        assert_eq!(storage.read().unwrap().meta("a").unwrap(), None);
        let transaction = storage.write().unwrap();
        transaction.set_meta("a", b"2").unwrap();
        transaction.commit().unwrap();
        assert_eq!(
            storage.read().unwrap().meta("a").unwrap(),
            Some(b"2".to_vec())
        );
    }
}
