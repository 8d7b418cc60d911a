//! A disk in memory for tests, and SQLite on it.
//!
//! A [`Disk`] keeps for every file what the medium holds and what was written but not synced since. [`Disk::crash`]
//! loses power: by the disk's seed any part of the unsynced changes is kept, lost or torn, names as well as bytes.
//! [`Disk::fail_at`] makes the n-th operation fail in one of four ways, so that a test runs a scenario once, reads
//! [`Disk::operations`], and runs it again with a fault at each of them. The same seed and the same operations give the
//! same losses.
//!
//! SQLite reaches every disk through one VFS, [`vfs_name`], that finds the disk by the beginning of the path; other code
//! uses [`DiskFile`]. [`memory`] makes SQLite's own allocations fail.
//!
//! ```
//! use rusqlite::{Connection, OpenFlags};
//! use sotay_disk::{Disk, vfs_name};
//!
//! let disk = Disk::new(7);
//! let open = || Connection::open_with_flags_and_vfs(disk.path("a.db"), OpenFlags::default(), vfs_name());
//! open()?.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)")?;
//! disk.crash();
//! let count: i64 = open()?.query_one("SELECT count(*) FROM t", [], |row| row.get(0))?;
//! assert_eq!(count, 1);
//! # Ok::<(), rusqlite::Error>(())
//! ```

mod disk;
mod fault;
mod file;
mod folder;
mod lock;
pub mod memory;
mod node;
mod random;
mod shm;
mod state;
mod vfs;
mod vfs_file;

pub use disk::{Disk, Snapshot};
pub use fault::{Fault, Options, Statistics};
pub use file::DiskFile;
pub use vfs::{make_default, seed_randomness, vfs_name};
