//! A file system of a few megabytes in memory, mounted where only the process that fills it sees it.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::fail;
use crate::failure::Failure;

/// How a program gets a place where it may mount: the words to put before it. With it everything mounted goes.
const WAYS: [(&str, &[&str]); 2] = [
    (
        "tmpfs in a mount namespace",
        &["unshare", "--mount", "--propagation", "private"],
    ),
    (
        "tmpfs in a user and mount namespace",
        &["unshare", "--user", "--map-root-user", "--mount"],
    ),
];

/// The first way that works on this machine.
pub(super) fn way(folder: &Path) -> Option<(&'static str, &'static [&'static str])> {
    WAYS.into_iter().find(|(_, words)| {
        let Some((program, arguments)) = words.split_first() else {
            return false;
        };
        Command::new(program)
            .args(arguments)
            .args(["mount", "-t", "tmpfs", "-o", "size=64k", "none"])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })
}

/// See the module.
#[derive(Debug)]
pub(super) struct SmallDisk {
    folder: PathBuf,
    ballast: File,
}

impl SmallDisk {
    /// Mounts one. The process must have been started in one of the [`WAYS`].
    pub(super) fn mount(folder: &Path, megabytes: u32) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder)?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "none"])
            .arg(folder)
            .status()?;
        if !mounted.success() {
            fail!("{} cannot be mounted", folder.display());
        }
        let ballast = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(folder.join("ballast"))?;
        Ok(Self {
            folder: folder.to_owned(),
            ballast,
        })
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Fills it until only so many bytes are left.
    pub(super) fn leave(&mut self, bytes: u64) -> Result<(), Failure> {
        use std::io::{Seek, SeekFrom};
        self.ballast.seek(SeekFrom::End(0))?;
        loop {
            match self.ballast.write(&[7; 4_096]) {
                Ok(1..) => {}
                Ok(0) => break,
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => return Err(error.into()),
            }
        }
        let length = self.ballast.metadata()?.len();
        Ok(self.ballast.set_len(length.saturating_sub(bytes))?)
    }

    /// Makes room.
    pub(super) fn empty(&mut self) -> Result<(), Failure> {
        Ok(self.ballast.set_len(0)?)
    }
}
