//! Changing files so that a kill or a power cut leaves each of them as it was or as it is to be, and never a part.
//!
//! Whoever changes several files brings them into an order in which every beginning of it is either as if nothing had happened,
//! or completed the next time the folder is opened. Tests cut at every step ([`cut`]).

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Its owner only, from its first byte on.
    Owner,
    /// Whoever the folder lets in.
    Folder,
}

/// Writes a file; an older one is replaced as a whole.
pub(crate) fn write(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let fresh = beside(path);
    remove(&fresh)?;
    step()?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = readers;
    let mut file = options.open(&fresh)?;
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    file.write_all(first)?;
    step()?;
    file.write_all(rest)?;
    file.sync_all()?;
    drop(file);
    rename(&fresh, path)
}

/// Copies a file, by way of another name; the copy is there as a whole or not at all.
pub(crate) fn copy(from: &Path, by_way_of: &Path, to: &Path) -> io::Result<()> {
    remove(by_way_of)?;
    step()?;
    fs::copy(from, by_way_of)?;
    File::open(by_way_of)?.sync_all()?;
    rename(by_way_of, to)
}

/// Gives a file another name, in the place of what had it before, and waits until that is on the disk.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    shift(from, to)?;
    sync_folder(to)
}

/// The same without waiting: for many files of a folder, which is synced behind them.
pub(crate) fn shift(from: &Path, to: &Path) -> io::Result<()> {
    step()?;
    fs::rename(from, to)
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    step()?;
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes a folder with everything in it, if it is there.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    step()?;
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The names in a file's folder are on the disk once the folder is.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let folder = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".new");
    PathBuf::from(name)
}

/// What comes next may not happen any more.
#[cfg(not(test))]
const fn step() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
use cut::step;

/// Ending work before each of its steps in turn, as a kill would.
#[cfg(test)]
pub(crate) mod cut {
    use std::cell::Cell;
    use std::io;

    thread_local! {
        static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
        static KILLED: Cell<bool> = const { Cell::new(false) };
    }

    /// Does something that is killed after so many steps: neither that step nor any later one happens. Whether it was.
    pub(crate) fn after<T>(steps: usize, work: impl FnOnce() -> T) -> (T, bool) {
        LEFT.set(Some(steps));
        let done = work();
        LEFT.set(None);
        (done, KILLED.take())
    }

    pub(super) fn step() -> io::Result<()> {
        match LEFT.get() {
            None => Ok(()),
            Some(0) => {
                KILLED.set(true);
                Err(io::Error::other("killed"))
            }
            Some(left) => {
                LEFT.set(Some(left - 1));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_as_it_was_or_as_it_is_to_be_wherever_writing_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut lengths = Vec::new();
        for steps in 0.. {
            write(&path, b"before", Readers::Folder).unwrap();
            let (done, was_cut) = cut::after(steps, || write(&path, b"behind it", Readers::Owner));
            let found = fs::read(&path).unwrap();
            let fresh = fs::read(beside(&path)).map(|bytes| bytes.len()).ok();
            lengths.push(fresh);
            if !was_cut {
                done.unwrap();
                assert_eq!(found, b"behind it");
                break;
            }
            assert_eq!(found, b"before");
        }
        // Before it began, twice; torn; whole; renamed.
        assert_eq!(lengths, [None, None, Some(4), Some(9), None]);
    }
}
