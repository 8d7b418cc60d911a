//! What can go wrong on a disk, what did, and how an operation says so.

use std::io;

/// What can be made to happen at one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Power goes: the operation does not happen, a write perhaps in part; all fail until [`crate::Disk::crash`].
    Crash,
    /// No room: this and every later write that makes a file grow fails until [`crate::Disk::make_room`].
    Full,
    /// The operation fails, once.
    IoError,
    /// The write, or the next one after this operation, writes its first half only, once.
    ShortWrite,
}

/// How a disk behaves. The default is the most careless disk that SQLite still promises to survive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Syncing a new file does not make its name durable; only [`crate::Disk::sync_folder`] does. A rename needs that
    /// in either case.
    pub strict_folders: bool,
    /// A torn write may end inside a sector. SQLite's promise holds for whole sectors; its checksummed log mostly
    /// survives this too.
    pub tear_anywhere: bool,
    /// Tells SQLite that a write never damages bytes beside it (`SQLITE_IOCAP_POWERSAFE_OVERWRITE`).
    pub powersafe_overwrite: bool,
    /// A sync that fails leaves its changes marked as written though they are not, as Linux does: a later sync
    /// succeeds without them.
    pub forgetful_sync: bool,
    /// The bytes that all files together may have.
    pub capacity: Option<u64>,
}

/// What has happened to a disk since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// [`Fault::Crash`] that came true.
    pub crashes: u64,
    /// [`Fault::Full`] that came true.
    pub full: u64,
    /// [`Fault::IoError`] that came true.
    pub io_errors: u64,
    /// [`Fault::ShortWrite`] that came true.
    pub short_writes: u64,
    /// Writes refused for want of room.
    pub refused: u64,
    /// Calls of [`crate::Disk::crash`].
    pub reboots: u64,
    /// Unsynced changes that a loss of power kept, whole or torn.
    pub kept: u64,
    /// Of those, the torn ones.
    pub torn: u64,
    /// Unsynced changes that a loss of power took.
    pub lost: u64,
}

/// Why an operation did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Power went at this very operation.
    PowerLost,
    /// The disk waits for its reboot.
    Down,
    /// The handle was opened before a loss of power.
    Dead,
    Io,
    Full,
    NotFound,
    Exists,
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::PowerLost | Failure::Down => Self::other("the disk has no power"),
            Failure::Dead => Self::other("the handle was opened before a loss of power"),
            Failure::Io => Self::other("the disk reports an error"),
            Failure::Full => io::ErrorKind::StorageFull.into(),
            Failure::NotFound => io::ErrorKind::NotFound.into(),
            Failure::Exists => io::ErrorKind::AlreadyExists.into(),
        }
    }
}
