//! New files with secrets in them: only their owner may read them, they are there as a whole or not at all, and nothing that was there
//! before is ever overwritten.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::durable::sync_folder;

/// A file that was written and goes away again unless it is kept: what it is about may still fail.
#[derive(Debug)]
#[must_use]
pub(crate) struct PrivateFile {
    path: Option<PathBuf>,
}

impl PrivateFile {
    /// Writes a new file, mode 0600, and waits until it is on the disk. A file of that name is left as it is
    /// ([`io::ErrorKind::AlreadyExists`]).
    pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<Self> {
        // The name is taken before anything is written, so that nobody else's file comes to stand there meanwhile.
        create(path)?;
        let taken = Self {
            path: Some(path.to_owned()),
        };
        let mut name = path.as_os_str().to_owned();
        name.push(".unfinished");
        let unfinished = PathBuf::from(name);
        // Left there by one that was killed: whoever holds the name is the only one to write here.
        drop(fs::remove_file(&unfinished));
        let written = write_whole(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, path));
        if let Err(error) = written {
            // If even that fails, the file says by its name what it is.
            drop(fs::remove_file(&unfinished));
            return Err(error);
        }
        sync_folder(path)?;
        Ok(taken)
    }

    /// Keeps it.
    pub(crate) fn keep(mut self) {
        self.path = None;
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            drop(fs::remove_file(path));
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
