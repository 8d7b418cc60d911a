//! An open file of the disk, for code that does not go through SQLite.

use std::io;
use std::sync::Arc;

use crate::disk::Shared;
use crate::fault::Failure;
use crate::folder::NodeId;
use crate::state::State;

/// What both [`DiskFile`] and the VFS hold of an open file; closes it when dropped.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) node: NodeId,
    pub(crate) epoch: u64,
}

impl Handle {
    pub(crate) fn open(
        shared: &Arc<Shared>,
        path: &str,
        create: bool,
        new: bool,
    ) -> Result<Self, Failure> {
        let mut state = shared.state();
        let node = state.open(path, create, new)?;
        Ok(Self {
            shared: Arc::clone(shared),
            node,
            epoch: state.epoch,
        })
    }

    /// One step on the state with this file's node and epoch.
    pub(crate) fn with<T>(&self, step: impl FnOnce(&mut State, NodeId, u64) -> T) -> T {
        step(&mut self.shared.state(), self.node, self.epoch)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.with(State::close);
    }
}

/// An open file. After a loss of power every method fails; open it anew.
#[derive(Debug)]
pub struct DiskFile(Handle);

impl DiskFile {
    pub(crate) fn open(
        shared: &Arc<Shared>,
        path: &str,
        create: bool,
        new: bool,
    ) -> io::Result<Self> {
        Ok(Self(Handle::open(shared, path, create, new)?))
    }

    /// Fills `into` from `offset`; returns how many bytes there were.
    ///
    /// # Errors
    /// No power, a handle of before, or an injected error.
    pub fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let offset = size(offset)?;
        Ok(self
            .0
            .with(|state, node, epoch| state.read(node, epoch, offset, into))?)
    }

    /// Writes at `offset`; returns how many bytes, which may be less than all: see [`DiskFile::write_all_at`].
    ///
    /// # Errors
    /// `StorageFull`; no power, a handle of before, or an injected error.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let offset = size(offset)?;
        Ok(self
            .0
            .with(|state, node, epoch| state.write(node, epoch, offset, bytes))?)
    }

    /// Writes all of `bytes` at `offset`, trying again after a short write.
    ///
    /// # Errors
    /// As [`DiskFile::write_at`].
    pub fn write_all_at(&self, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = self.write_at(offset, bytes)?;
            bytes = &bytes[written..];
            offset += written as u64;
        }
        Ok(())
    }

    /// Cuts or lengthens the file; new bytes are zero.
    ///
    /// # Errors
    /// `StorageFull`; no power, a handle of before, or an injected error.
    pub fn set_len(&self, len: u64) -> io::Result<()> {
        let len = size(len)?;
        Ok(self
            .0
            .with(|state, node, epoch| state.resize(node, epoch, len))?)
    }

    /// Makes the bytes durable, and the name of a file that is new; not a rename.
    ///
    /// # Errors
    /// No power, a handle of before, or an injected error: then nothing is promised about what is durable.
    pub fn sync(&self) -> io::Result<()> {
        Ok(self.0.with(State::sync)?)
    }

    /// The file's length in bytes; no operation of the disk.
    ///
    /// # Errors
    /// No power, or a handle of before.
    pub fn len(&self) -> io::Result<u64> {
        Ok(self.0.with(State::len)? as u64)
    }

    /// Whether the file has no byte.
    ///
    /// # Errors
    /// As [`DiskFile::len`].
    pub fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

fn size(number: u64) -> io::Result<usize> {
    usize::try_from(number).map_err(|_| io::ErrorKind::InvalidInput.into())
}
