//! A simulated disk as a phone sees it: for the simulator, the fuzzer and the tests of lock and wipe, never in an app.

#![cfg_attr(
    not(feature = "simulation"),
    expect(unreachable_pub, reason = "reached through the module `simulation`")
)]

use std::io;
use std::path::Path;

use sotay_disk::vfs_name;

use crate::disk::{Disk, DiskFile};

/// Files in memory that power losses and faults meet, the database's among them.
#[derive(Debug)]
pub struct SimulatedDisk(pub sotay_disk::Disk);

#[derive(Debug)]
struct SimulatedFile(sotay_disk::DiskFile);

impl Disk for SimulatedDisk {
    fn file_system(&self) -> Option<&str> {
        Some(vfs_name())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.0.read(path)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(SimulatedFile(self.0.open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.0.sync_folder(folder)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match self.0.remove(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        for name in self.0.files() {
            let path = self.0.path(&name);
            if path.starts_with(folder) {
                self.remove(&path)?;
                // There the folder has no name of its own, with which these would go.
                self.sync_folder(path.parent().unwrap_or(folder))?;
            }
        }
        Ok(())
    }
}

impl DiskFile for SimulatedFile {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(at, bytes)
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }
}
