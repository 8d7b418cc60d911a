//! The files beside SQLite's own, and which of SQLite's file systems holds the database.
//!
//! A handbook lies on the phone's disk, [`PhoneDisk`]. The simulator gives it another one that loses, tears and reorders what
//! was not synced, and fails whenever it likes.

use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{Result, Seek, SeekFrom, Write};
use std::path::Path;

/// Where the files of a handbook lie.
#[cfg_attr(not(feature = "simulation"), allow(unreachable_pub))]
pub trait Disk: Debug + Send + Sync {
    /// The name of SQLite's file system; none: the operating system's.
    fn file_system(&self) -> Option<&str>;
    /// A whole file.
    fn read(&self, path: &Path) -> Result<Vec<u8>>;
    /// A file to write, made where there is none.
    fn open(&self, path: &Path) -> Result<Box<dyn DiskFile>>;
    /// Gives a file another name; one that had it is replaced.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;
    /// Makes the names of a folder's files last.
    fn sync_folder(&self, folder: &Path) -> Result<()>;
    /// Removes a file, if there is one.
    fn remove(&self, path: &Path) -> Result<()>;
    /// Removes a folder with everything in it, if there is one.
    fn remove_folder(&self, folder: &Path) -> Result<()>;
}

/// An open file.
#[cfg_attr(not(feature = "simulation"), allow(unreachable_pub))]
pub trait DiskFile: Debug + Send {
    /// Writes bytes at a place.
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> Result<()>;
    /// Makes the file shorter or longer.
    fn set_len(&mut self, length: u64) -> Result<()>;
    /// Makes what was written last.
    fn sync(&self) -> Result<()>;
}

/// The phone's own.
#[derive(Debug)]
pub(crate) struct PhoneDisk;

impl Disk for PhoneDisk {
    fn file_system(&self) -> Option<&str> {
        None
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn open(&self, path: &Path) -> Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        Ok(Box::new(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        std::fs::rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> Result<()> {
        // Where a folder cannot be opened as a file (Windows), names are as durable as the system makes them.
        #[cfg(unix)]
        File::open(folder)?.sync_all()?;
        #[cfg(not(unix))]
        let _ = folder;
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<()> {
        unless_missing(std::fs::remove_file(path))
    }

    fn remove_folder(&self, folder: &Path) -> Result<()> {
        unless_missing(std::fs::remove_dir_all(folder))
    }
}

fn unless_missing(removed: Result<()>) -> Result<()> {
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl DiskFile for File {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> Result<()> {
        self.seek(SeekFrom::Start(at))?;
        self.write_all(bytes)
    }

    fn set_len(&mut self, length: u64) -> Result<()> {
        Self::set_len(self, length)
    }

    fn sync(&self) -> Result<()> {
        self.sync_data()
    }
}
