//! The disk that a test holds, and how SQLite's VFS finds it by the beginning of a path.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::fault::{Fault, Options, Statistics};
use crate::file::DiskFile;
use crate::state::State;

/// Disks by number; those that live.
static DISKS: Mutex<BTreeMap<u64, Weak<Shared>>> = Mutex::new(BTreeMap::new());
static NEXT: AtomicU64 = AtomicU64::new(1);
/// How every disk's root begins.
pub(crate) const PREFIX: &str = "/sim-";

#[derive(Debug)]
pub(crate) struct Shared {
    root: String,
    state: Mutex<State>,
}

impl Shared {
    /// A disk that no path leads to, for SQLite's nameless files.
    pub(crate) fn nameless() -> Arc<Self> {
        Arc::new(Self {
            root: String::new(),
            state: Mutex::new(State::new(0)),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked while holding the lock leaves a whole state: no step below stops half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn relative<'p>(&self, path: &'p str) -> &'p str {
        path.strip_prefix(self.root.as_str()).unwrap_or(path)
    }
}

/// The disk that a full path belongs to, with the path's part on it.
pub(crate) fn locate(path: &str) -> Option<(Arc<Shared>, &str)> {
    let (number, rest) = path.strip_prefix(PREFIX)?.split_once('/')?;
    let disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
    Some((disks.get(&number.parse().ok()?)?.upgrade()?, rest))
}

#[derive(Debug)]
struct Owner {
    number: u64,
    shared: Arc<Shared>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        DISKS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.number);
    }
}

/// A disk in memory that loses power, fills up and fails at the test's will.
///
/// Clones are the same disk. Every path on it begins with [`Disk::root`]; a path without it is taken as relative to it.
/// When the last clone is dropped no path leads to it any more; files still open keep working.
#[derive(Clone, Debug)]
pub struct Disk(Arc<Owner>);

/// All files of a disk at one moment, whole and synced; shares its bytes with the disks made from it.
#[derive(Clone, Debug, Default)]
pub struct Snapshot(BTreeMap<Box<str>, Arc<Vec<u8>>>);

impl Snapshot {
    /// The files, by their path below the root.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0
            .iter()
            .map(|(path, content)| (&**path, content.as_slice()))
    }
}

impl Disk {
    /// An empty disk whose chances `seed` decides.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::new(Shared {
            root: format!("{PREFIX}{number}/"),
            state: Mutex::new(State::new(seed)),
        });
        DISKS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(number, Arc::downgrade(&shared));
        Self(Arc::new(Owner { number, shared }))
    }

    /// A disk with the snapshot's files. Costs a name per file; bytes are copied when a file is first written.
    #[must_use]
    pub fn from_snapshot(seed: u64, snapshot: &Snapshot) -> Self {
        let disk = Self::new(seed);
        disk.restore(snapshot);
        disk
    }

    /// All files as a reader sees them now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(
            self.state()
                .all()
                .map(|(path, node)| (path.into(), Arc::clone(&node.content)))
                .collect(),
        )
    }

    /// Replaces all files by the snapshot's, as putting a backup back does: handles of before are dead, power is on.
    pub fn restore(&self, snapshot: &Snapshot) {
        self.state().restore(&snapshot.0);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.shared.state()
    }

    fn relative<'p>(&self, path: &'p Path) -> io::Result<&'p str> {
        let path = path.to_str().ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.0.shared.relative(path))
    }

    /// How every path on this disk begins, `/sim-17/` for example.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.0.shared.root
    }

    /// The full path of a file on this disk.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        Path::new(self.root()).join(name)
    }

    /// How the disk behaves from now on.
    pub fn set_options(&self, options: Options) {
        self.state().options = options;
    }

    /// How the disk behaves.
    #[must_use]
    pub fn options(&self) -> Options {
        self.state().options
    }

    // Files.

    /// Opens a file for reading and writing, creating it if it is missing.
    ///
    /// # Errors
    /// No power, or an injected error.
    pub fn open(&self, path: impl AsRef<Path>) -> io::Result<DiskFile> {
        DiskFile::open(&self.0.shared, self.relative(path.as_ref())?, true, false)
    }

    /// Creates a file that must not be there.
    ///
    /// # Errors
    /// `AlreadyExists`; no power; an injected error.
    pub fn create_new(&self, path: impl AsRef<Path>) -> io::Result<DiskFile> {
        DiskFile::open(&self.0.shared, self.relative(path.as_ref())?, true, true)
    }

    /// Opens a file that must be there.
    ///
    /// # Errors
    /// `NotFound`; no power; an injected error.
    pub fn open_existing(&self, path: impl AsRef<Path>) -> io::Result<DiskFile> {
        DiskFile::open(&self.0.shared, self.relative(path.as_ref())?, false, false)
    }

    /// A whole file; two operations, as opening and reading are.
    ///
    /// # Errors
    /// `NotFound`; no power; an injected error.
    pub fn read(&self, path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
        let file = self.open_existing(path)?;
        let mut content = vec![0; usize::try_from(file.len()?).unwrap_or(usize::MAX)];
        let read = file.read_at(0, &mut content)?;
        content.truncate(read);
        Ok(content)
    }

    /// Whether there is such a file; no operation of the disk.
    ///
    /// # Errors
    /// No power.
    pub fn exists(&self, path: impl AsRef<Path>) -> io::Result<bool> {
        Ok(self.state().find(self.relative(path.as_ref())?)?.is_some())
    }

    /// Gives a file another name, replacing what had it. Durable once the folder is synced.
    ///
    /// # Errors
    /// `NotFound`; no power; an injected error.
    pub fn rename(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
        Ok(self
            .state()
            .rename(self.relative(from.as_ref())?, self.relative(to.as_ref())?)?)
    }

    /// Removes a file's name. Durable once the folder is synced; open handles go on.
    ///
    /// # Errors
    /// `NotFound`; no power; an injected error.
    pub fn remove(&self, path: impl AsRef<Path>) -> io::Result<()> {
        Ok(self.state().remove(self.relative(path.as_ref())?)?)
    }

    /// Makes the names in a folder durable. A folder need not be created; the root's path is [`Disk::root`].
    ///
    /// # Errors
    /// No power, or an injected error.
    pub fn sync_folder(&self, folder: impl AsRef<Path>) -> io::Result<()> {
        let folder = folder
            .as_ref()
            .to_str()
            .ok_or(io::ErrorKind::InvalidInput)?
            .trim_end_matches('/');
        // The root is often written without its last stroke.
        let folder = if self.root().trim_end_matches('/') == folder {
            ""
        } else {
            self.0.shared.relative(folder)
        };
        Ok(self.state().sync_folder(folder)?)
    }

    // Faults.

    /// Lets `fault` come true at an operation: 0 is the very next. Opening, reading, writing, resizing, syncing,
    /// renaming and removing count, by SQLite as by [`DiskFile`]; asking for a length or a name does not.
    pub fn fail_at(&self, operation: u64, fault: Fault) {
        self.state().schedule(operation, fault);
    }

    /// Takes back every fault that has not come true; a full disk stays full.
    pub fn clear_faults(&self) {
        self.state().clear_faults();
    }

    /// Loses power, if it is not lost already, and comes back: unsynced changes survive or not, by the seed; handles
    /// of before are dead, their locks and shared memory gone.
    pub fn crash(&self) {
        self.state().crash();
    }

    /// Whether power went and [`Disk::crash`] has not been called yet.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.state().down
    }

    /// Ends [`Fault::Full`] and lifts the capacity.
    pub fn make_room(&self) {
        self.state().make_room();
    }

    /// Limits the bytes that all files together may have.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().options.capacity = bytes;
    }

    /// The operations so far.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// What has happened so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.state().statistics()
    }

    // From outside: none of these is an operation, and they work without power.

    /// All files' paths below the root, in order.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        self.state()
            .all()
            .map(|(path, _)| path.to_owned())
            .collect()
    }

    /// A file's bytes as a reader sees them; shared, not copied.
    #[must_use]
    pub fn contents(&self, path: impl AsRef<Path>) -> Option<Arc<Vec<u8>>> {
        let path = self.relative(path.as_ref()).ok()?;
        self.state()
            .look(path)
            .map(|node| Arc::clone(&node.content))
    }

    /// Puts a whole file there, durable at once; handles on it go on and see it.
    ///
    /// # Errors
    /// `InvalidInput` for a path that is not UTF-8.
    pub fn replace(&self, path: impl AsRef<Path>, bytes: Vec<u8>) -> io::Result<()> {
        let path = self.relative(path.as_ref())?;
        self.state().put(path, Arc::new(bytes));
        Ok(())
    }

    /// Turns one bit of a file round, as a worn medium does.
    ///
    /// # Errors
    /// `NotFound`; `UnexpectedEof` if the file is shorter.
    pub fn flip_bit(&self, path: impl AsRef<Path>, bit: usize) -> io::Result<()> {
        let path = self.relative(path.as_ref())?;
        let mut state = self.state();
        let node = state.touch(path).ok_or(io::ErrorKind::NotFound)?;
        if node.flip(bit) {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// Cuts a file off after `len` bytes, durable at once.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn tear(&self, path: impl AsRef<Path>, len: usize) -> io::Result<()> {
        let path = self.relative(path.as_ref())?;
        let mut state = self.state();
        let node = state.touch(path).ok_or(io::ErrorKind::NotFound)?;
        let end = len.min(node.len());
        let content = node.content[..end].to_vec();
        node.replace(Arc::new(content));
        Ok(())
    }
}
