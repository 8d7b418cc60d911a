//! A disk in memory for the files beside the database.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sotay_client::simulation::{Disk, DiskFile};

type Files = Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>;

/// The disk; it never fails.
#[derive(Debug, Default, Clone)]
pub(crate) struct MemoryDisk(Files);

#[derive(Debug)]
struct MemoryFile(Files, PathBuf);

fn locked(files: &Files) -> MutexGuard<'_, BTreeMap<PathBuf, Vec<u8>>> {
    files.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryDisk {
    pub(crate) fn put(&self, path: &Path, bytes: Vec<u8>) {
        locked(&self.0).insert(path.to_owned(), bytes);
    }

    pub(crate) fn get(&self, path: &Path) -> Vec<u8> {
        locked(&self.0).get(path).cloned().unwrap_or_default()
    }
}

impl Disk for MemoryDisk {
    fn file_system(&self) -> Option<&str> {
        None
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        let found = locked(&self.0).get(path).cloned();
        found.ok_or_else(|| Error::from(ErrorKind::NotFound))
    }

    fn open(&self, path: &Path) -> Result<Box<dyn DiskFile>> {
        locked(&self.0).entry(path.to_owned()).or_default();
        Ok(Box::new(MemoryFile(Arc::clone(&self.0), path.to_owned())))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let mut files = locked(&self.0);
        let bytes = files
            .remove(from)
            .ok_or_else(|| Error::from(ErrorKind::NotFound))?;
        files.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<()> {
        locked(&self.0).remove(path);
        Ok(())
    }

    fn remove_folder(&self, path: &Path) -> Result<()> {
        locked(&self.0).retain(|file, _| !file.starts_with(path));
        Ok(())
    }

    fn sync_folder(&self, _folder: &Path) -> Result<()> {
        Ok(())
    }
}

impl DiskFile for MemoryFile {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> Result<()> {
        let mut files = locked(&self.0);
        let file = files.entry(self.1.clone()).or_default();
        let at = usize::try_from(at).map_err(Error::other)?;
        let end = at + bytes.len();
        if file.len() < end {
            file.resize(end, 0);
        }
        file[at..end].copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&mut self, length: u64) -> Result<()> {
        let length = usize::try_from(length).map_err(Error::other)?;
        locked(&self.0)
            .entry(self.1.clone())
            .or_default()
            .resize(length, 0);
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }
}
