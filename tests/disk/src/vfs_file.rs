//! SQLite's calls on one open file.

use std::ffi::{c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods};

use crate::fault::Failure;
use crate::file::Handle;
use crate::node::SECTOR;
use crate::shm::{Held, Shm, index};
use crate::state::State;

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// What SQLite allocates for a file: its own head, then ours.
#[repr(C)]
pub(crate) struct SimulatedFile {
    base: sqlite3_file,
    open: *mut OpenFile,
}

/// One connection's open file.
#[derive(Debug)]
pub(crate) struct OpenFile {
    handle: Handle,
    level: c_int,
    shm: Option<(Arc<Shm>, Held)>,
    /// A new journal, whose folder its first sync makes durable.
    name_to_sync: Option<Box<str>>,
    remove_at_close: Option<Box<str>>,
}

impl SimulatedFile {
    /// # Safety
    /// `file` points to room for a `SimulatedFile`, aligned, that SQLite keeps until `xClose`.
    pub(crate) unsafe fn place(file: *mut sqlite3_file, open: OpenFile) {
        let open = Box::into_raw(Box::new(open));
        let base = sqlite3_file {
            pMethods: &raw const METHODS,
        };
        // SAFETY: the caller promises the room.
        unsafe { file.cast::<Self>().write(Self { base, open }) };
    }
}

impl OpenFile {
    pub(crate) fn new(
        handle: Handle,
        name_to_sync: Option<Box<str>>,
        remove_at_close: Option<Box<str>>,
    ) -> Self {
        Self {
            handle,
            level: ffi::SQLITE_LOCK_NONE,
            shm: None,
            name_to_sync,
            remove_at_close,
        }
    }

    fn lower(&mut self, wanted: c_int) {
        let held = self.level;
        self.handle.with(|state, node, epoch| {
            if let Ok(node) = state.node(node, epoch) {
                node.lock.lower(held, wanted);
            }
        });
        self.level = self.level.min(wanted);
    }

    fn unmap(&mut self) {
        let Some((shm, mut held)) = self.shm.take() else {
            return;
        };
        shm.unlock_all(&mut held);
        self.handle.with(|state, node, epoch| {
            drop(shm);
            // References are taken under the disk's lock only, so the last one is seen for certain.
            if let Ok(node) = state.node(node, epoch)
                && node
                    .shm
                    .as_ref()
                    .is_some_and(|shm| Arc::strong_count(shm) == 1)
            {
                node.shm = None;
            }
        });
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        self.unmap();
        self.lower(ffi::SQLITE_LOCK_NONE);
        if let Some(path) = self.remove_at_close.take() {
            // SQLite asks for no answer here; what is left is removed at the next start.
            let _ = self.handle.with(|state, _, _| state.remove(&path));
        }
    }
}

/// Our part of SQLite's file.
///
/// # Safety
/// `file` was filled by `SimulatedFile::place` and is not closed; SQLite calls one method at a time on a file.
unsafe fn ours<'a>(file: *mut sqlite3_file) -> &'a mut OpenFile {
    // SAFETY: the caller promises it; the pointer came from a box that only `close` takes back.
    unsafe { &mut *(*file.cast::<SimulatedFile>()).open }
}

fn code(failure: Failure, otherwise: c_int) -> c_int {
    if failure == Failure::Full {
        ffi::SQLITE_FULL
    } else {
        otherwise
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once; the box is not used afterwards.
    drop(unsafe { Box::from_raw((*file.cast::<SimulatedFile>()).open) });
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    into: *mut c_void,
    count: c_int,
    offset: sqlite3_int64,
) -> c_int {
    let (Ok(count), Ok(offset)) = (usize::try_from(count), usize::try_from(offset)) else {
        return ffi::SQLITE_IOERR_READ;
    };
    // SAFETY: SQLite's own file, and a buffer of `count` bytes, initialised because it may be of any content.
    let (open, into) = unsafe {
        (
            ours(file),
            std::slice::from_raw_parts_mut(into.cast::<u8>(), count),
        )
    };
    match open
        .handle
        .with(|state, node, epoch| state.read(node, epoch, offset, into))
    {
        Ok(read) if read == count => ffi::SQLITE_OK,
        Ok(read) => {
            into[read..].fill(0);
            ffi::SQLITE_IOERR_SHORT_READ
        }
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    from: *const c_void,
    count: c_int,
    offset: sqlite3_int64,
) -> c_int {
    let (Ok(count), Ok(offset)) = (usize::try_from(count), usize::try_from(offset)) else {
        return ffi::SQLITE_IOERR_WRITE;
    };
    // SAFETY: SQLite's own file, and a buffer of `count` bytes.
    let (open, from) = unsafe {
        (
            ours(file),
            std::slice::from_raw_parts(from.cast::<u8>(), count),
        )
    };
    match open
        .handle
        .with(|state, node, epoch| state.write(node, epoch, offset, from))
    {
        Ok(written) if written == count => ffi::SQLITE_OK,
        Ok(_) => ffi::SQLITE_IOERR_WRITE,
        Err(failure) => code(failure, ffi::SQLITE_IOERR_WRITE),
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, len: sqlite3_int64) -> c_int {
    let Ok(len) = usize::try_from(len) else {
        return ffi::SQLITE_IOERR_TRUNCATE;
    };
    // SAFETY: SQLite's own file.
    let open = unsafe { ours(file) };
    match open
        .handle
        .with(|state, node, epoch| state.resize(node, epoch, len))
    {
        Ok(()) => ffi::SQLITE_OK,
        Err(failure) => code(failure, ffi::SQLITE_IOERR_TRUNCATE),
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _: c_int) -> c_int {
    // SAFETY: SQLite's own file.
    let open = unsafe { ours(file) };
    if open.handle.with(State::sync).is_err() {
        return ffi::SQLITE_IOERR_FSYNC;
    }
    if let Some(path) = open.name_to_sync.take() {
        open.handle.with(|state, _, _| state.sync_beside(&path));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    // SAFETY: SQLite's own file.
    let open = unsafe { ours(file) };
    match open.handle.with(State::len) {
        Ok(len) => {
            // SAFETY: SQLite's own variable. A length in memory is far below the limit.
            unsafe { *size = len as sqlite3_int64 };
            ffi::SQLITE_OK
        }
        Err(_) => ffi::SQLITE_IOERR_FSTAT,
    }
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, wanted: c_int) -> c_int {
    // SAFETY: SQLite's own file.
    let open = unsafe { ours(file) };
    let held = open.level;
    let raised = open.handle.with(|state, node, epoch| {
        if state.down {
            return Err(Failure::Down);
        }
        Ok(state.node(node, epoch)?.lock.raise(held, wanted))
    });
    match raised {
        Ok((level, granted)) => {
            open.level = level;
            if granted {
                ffi::SQLITE_OK
            } else {
                ffi::SQLITE_BUSY
            }
        }
        Err(_) => ffi::SQLITE_IOERR_LOCK,
    }
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, wanted: c_int) -> c_int {
    // SAFETY: SQLite's own file.
    unsafe { ours(file) }.lower(wanted);
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, result: *mut c_int) -> c_int {
    // SAFETY: SQLite's own file.
    let open = unsafe { ours(file) };
    match open
        .handle
        .with(|state, node, epoch| state.node(node, epoch).map(|node| node.lock.reserved()))
    {
        Ok(reserved) => {
            // SAFETY: SQLite's own variable.
            unsafe { *result = c_int::from(reserved) };
            ffi::SQLITE_OK
        }
        Err(_) => ffi::SQLITE_IOERR_CHECKRESERVEDLOCK,
    }
}

unsafe extern "C" fn file_control(_: *mut sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut sqlite3_file) -> c_int {
    SECTOR as c_int
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite's own file.
    let open = unsafe { ours(file) };
    if open
        .handle
        .with(|state, _, _| state.options.powersafe_overwrite)
    {
        ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
    } else {
        0
    }
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    number: c_int,
    size: c_int,
    extend: c_int,
    result: *mut *mut c_void,
) -> c_int {
    let (Ok(number), Ok(size)) = (usize::try_from(number), usize::try_from(size)) else {
        return ffi::SQLITE_IOERR_SHMMAP;
    };
    // SAFETY: SQLite's own file.
    let open = unsafe { ours(file) };
    let mapped = open.handle.with(|state, node, epoch| {
        if state.down {
            return Err(ffi::SQLITE_IOERR_SHMMAP);
        }
        let node = state
            .node(node, epoch)
            .map_err(|_| ffi::SQLITE_IOERR_SHMMAP)?;
        let (shm, _) = open.shm.get_or_insert_with(|| {
            (
                Arc::clone(node.shm.get_or_insert_default()),
                Held::default(),
            )
        });
        shm.region(number, size, extend != 0)
            .map_err(|()| ffi::SQLITE_IOERR_NOMEM)
    });
    match mapped {
        Ok(region) => {
            // SAFETY: SQLite's own variable. The region lives until this file lets go of the memory.
            unsafe {
                *result = region.map_or(std::ptr::null_mut(), |region| region.as_ptr().cast())
            };
            ffi::SQLITE_OK
        }
        Err(code) => code,
    }
}

unsafe extern "C" fn shm_lock(
    file: *mut sqlite3_file,
    from: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: SQLite's own file.
    let open = unsafe { ours(file) };
    let Some((shm, held)) = open.shm.as_mut() else {
        return ffi::SQLITE_IOERR_SHMLOCK;
    };
    if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        shm.unlock(held, index(from), index(count));
        return ffi::SQLITE_OK;
    }
    let alive = open
        .handle
        .with(|state, node, epoch| !state.down && state.node(node, epoch).is_ok());
    if !alive {
        return ffi::SQLITE_IOERR_SHMLOCK;
    }
    if shm.lock(
        held,
        index(from),
        index(count),
        flags & ffi::SQLITE_SHM_EXCLUSIVE != 0,
    ) {
        ffi::SQLITE_OK
    } else {
        ffi::SQLITE_BUSY
    }
}

unsafe extern "C" fn shm_barrier(_: *mut sqlite3_file) {
    fence(Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, _: c_int) -> c_int {
    // SAFETY: SQLite's own file.
    unsafe { ours(file) }.unmap();
    ffi::SQLITE_OK
}
