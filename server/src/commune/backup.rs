//! Copies of a commune's database, and putting one in its place. Certificates and attachments lie in files of their own beside it
//! and are no part of the copy.
//!
//! A server holds the folder's lock, shared with others that serve it; a restore wants it alone.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use sotay_model::Timestamp;

use super::{CommuneError, DATABASE};
use crate::storage::{Storage, StorageError};

const LOCK: &str = "lock";

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The incarnation that begins: phones see by it that they must send again what the copy lacks.
    pub incarnation: u64,
    /// Where the database lies that was there.
    pub before: PathBuf,
}

/// Takes the folder for a server, beside other servers.
pub(crate) fn serve_in(folder: &Path) -> std::io::Result<File> {
    let lock = lock_file(folder)?;
    lock.lock_shared()?;
    Ok(lock)
}

fn lock_file(folder: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(folder.join(LOCK))
}

/// Writes a copy into a new file.
pub fn back_up(folder: &Path, to: &Path) -> Result<(), CommuneError> {
    if to.exists() {
        return Err(StorageError::Exists {
            path: to.to_owned(),
        }
        .into());
    }
    Storage::open(&folder.join(DATABASE))?.back_up(to)?;
    Ok(())
}

/// Puts a copy in the database's place; what was there is kept under another name.
pub fn restore(folder: &Path, from: &Path, now: Timestamp) -> Result<Restored, CommuneError> {
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| CommuneError::File { path, source }
    };
    let lock = lock_file(folder).map_err(file(folder))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(CommuneError::Served {
                path: folder.to_owned(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(file(folder)(source)),
    }
    let database = folder.join(DATABASE);
    let incoming = folder.join(format!("{DATABASE}.restored"));
    remove_all(&incoming).map_err(file(&incoming))?;
    std::fs::copy(from, &incoming).map_err(file(from))?;
    // One that cannot be read any more need not say how far it was.
    let above = Storage::open(&database)
        .and_then(|mut storage| storage.read()?.incarnation())
        .unwrap_or(0);
    let mut storage = Storage::open(&incoming)?;
    let incarnation = storage.begin_incarnation(above, now)?;
    // Closing it writes its log back.
    drop(storage);
    let before = folder.join(format!("{DATABASE}.before-{incarnation}"));
    for ending in ["", "-wal", "-shm"] {
        let name = |database: &Path| PathBuf::from(format!("{}{ending}", database.display()));
        match std::fs::rename(name(&database), name(&before)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(file(&database)(error));
            }
            _ => {}
        }
    }
    std::fs::rename(&incoming, &database).map_err(file(&incoming))?;
    #[cfg(unix)]
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(file(folder))?;
    Ok(Restored {
        incarnation,
        before,
    })
}

fn remove_all(database: &Path) -> std::io::Result<()> {
    for ending in ["", "-wal", "-shm"] {
        match std::fs::remove_file(format!("{}{ending}", database.display())) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
