//! The VFS by which SQLite opens files on any disk (<https://www.sqlite.org/vfs.html>).
//!
//! One VFS serves the whole process. A path that belongs to no disk goes to SQLite's own VFS, so that this one may be
//! the default; a file without a name lives in memory and never fails. Time stands still, sleeping returns at once, and
//! randomness follows a seed, so that a run can be repeated. What a fault becomes follows SQLite's VFS for Unix: an
//! open that fails is `SQLITE_CANTOPEN` whatever the reason, a lack of room `SQLITE_FULL`, all else `SQLITE_IOERR_*`.

use std::cell::Cell;
use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::{null, null_mut};
use std::sync::{Arc, OnceLock};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_vfs};

use crate::disk::{Shared, locate};
use crate::fault::Failure;
use crate::file::Handle;
use crate::random::Random;
use crate::vfs_file::{OpenFile, SimulatedFile};

const NAME: &CStr = c"sotay-sim";
const LONGEST_PATH: c_int = 1024;
/// 2026-01-01 00:00 UTC in milliseconds of the Julian day, as SQLite counts.
const NOW: ffi::sqlite3_int64 = 212_633_985_600_000;

struct Registered {
    vfs: *mut sqlite3_vfs,
    original: *mut sqlite3_vfs,
}

// SAFETY: both point to structures that live as long as the process and that SQLite guards itself.
unsafe impl Send for Registered {}
// SAFETY: as above; nothing here writes to them after registration.
unsafe impl Sync for Registered {}

static REGISTERED: OnceLock<Registered> = OnceLock::new();

fn registered() -> &'static Registered {
    REGISTERED.get_or_init(|| {
        // SAFETY: finding the default VFS initialises SQLite; it returns null or a structure that lives on.
        let original = unsafe { ffi::sqlite3_vfs_find(null()) };
        // SAFETY: `original` is null or valid, see above.
        let theirs = unsafe { original.as_ref() }.map_or(0, |original| original.szOsFile);
        let ours = size_of::<SimulatedFile>() as c_int;
        let vfs = Box::into_raw(Box::new(sqlite3_vfs {
            iVersion: 2,
            szOsFile: ours.max(theirs),
            mxPathname: LONGEST_PATH,
            pNext: null_mut(),
            zName: NAME.as_ptr(),
            pAppData: null_mut(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: Some(current_time),
            xGetLastError: Some(last_error),
            xCurrentTimeInt64: Some(current_time_int64),
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        }));
        // SAFETY: `vfs` is whole and never freed. Should registering fail for want of memory, opening by name fails.
        unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        Registered { vfs, original }
    })
}

/// The name of the VFS, registered at the first call, for `Connection::open_with_flags_and_vfs`.
#[must_use]
pub fn vfs_name() -> &'static str {
    registered();
    "sotay-sim"
}

/// Makes it what SQLite opens files with when no VFS is named; paths that belong to no disk still reach the real one.
pub fn make_default() {
    // SAFETY: the structure is whole and never freed; registering again only moves it to the front.
    unsafe { ffi::sqlite3_vfs_register(registered().vfs, 1) };
}

thread_local! {
    static RANDOMNESS: Cell<u64> = const { Cell::new(0) };
}

/// Starts this thread's randomness anew. SQLite asks the default VFS for it, once, to seed a generator of the whole
/// process: [`make_default`] comes before, and threads that run at a time share that generator.
pub fn seed_randomness(seed: u64) {
    RANDOMNESS.set(seed);
    // SAFETY: a length of 0 with no buffer makes SQLite forget its generator's state, as documented.
    unsafe { ffi::sqlite3_randomness(0, null_mut()) };
}

/// The path as text; `None` for a null pointer or other bytes.
///
/// # Safety
/// `name` is null or points to a text that ends in NUL and lives as long as the result is used.
unsafe fn text<'a>(name: *const c_char) -> Option<&'a str> {
    if name.is_null() {
        return None;
    }
    // SAFETY: not null, and the caller promises the rest.
    unsafe { CStr::from_ptr(name) }.to_str().ok()
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes room for a file; as long as it has no methods it is not closed.
    unsafe { (*file).pMethods = null() };
    // SAFETY: SQLite passes null or a path that ends in NUL.
    let path = unsafe { text(name) };
    let (shared, relative) = match path {
        Some(path) => match locate(path) {
            Some((shared, relative)) => (shared, relative),
            None if path.starts_with(crate::disk::PREFIX) => return ffi::SQLITE_CANTOPEN,
            // SAFETY: the arguments go on unchanged; `szOsFile` leaves room for the original's file.
            None => return unsafe { open_elsewhere(name, file, flags, out_flags) },
        },
        None if name.is_null() => (Shared::nameless(), "nameless"),
        None => return ffi::SQLITE_CANTOPEN,
    };
    let create = flags & ffi::SQLITE_OPEN_CREATE != 0 || name.is_null();
    let new = create && flags & ffi::SQLITE_OPEN_EXCLUSIVE != 0;
    let Ok(handle) = Handle::open(&shared, relative, create, new) else {
        return ffi::SQLITE_CANTOPEN;
    };
    let journals =
        ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_WAL;
    // SQLite's own VFS syncs the folder at the first sync of each handle on a journal that it might have created, and of nothing else.
    let name_to_sync = (create && flags & journals != 0).then(|| relative.into());
    let remove_at_close =
        (flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0 && !name.is_null()).then(|| relative.into());
    let open = OpenFile::new(handle, name_to_sync, remove_at_close);
    // SAFETY: SQLite passes room for `szOsFile` bytes, aligned for pointers, which our file fits.
    unsafe { SimulatedFile::place(file, open) };
    if !out_flags.is_null() {
        // SAFETY: not null, and SQLite's own variable.
        unsafe { *out_flags = flags };
    }
    ffi::SQLITE_OK
}

/// # Safety
/// As SQLite calls `xOpen`.
unsafe fn open_elsewhere(
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let original = registered().original;
    // SAFETY: null or a VFS that lives as long as the process.
    match unsafe { original.as_ref() }.and_then(|vfs| vfs.xOpen) {
        // SAFETY: the caller's arguments are as the original expects them.
        Some(open) => unsafe { open(original, name, file, flags, out) },
        None => ffi::SQLITE_CANTOPEN,
    }
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: SQLite passes a path that ends in NUL.
    let Some(path) = (unsafe { text(name) }) else {
        return ffi::SQLITE_IOERR_DELETE;
    };
    let Some((shared, relative)) = locate(path) else {
        let original = registered().original;
        // SAFETY: null or a VFS that lives as long as the process.
        return match unsafe { original.as_ref() }.and_then(|vfs| vfs.xDelete) {
            // SAFETY: SQLite's own arguments go on unchanged.
            Some(delete) => unsafe { delete(original, name, sync_folder) },
            None => ffi::SQLITE_IOERR_DELETE,
        };
    };
    let mut state = shared.state();
    match state.remove(relative) {
        Ok(()) => {}
        Err(Failure::NotFound) => return ffi::SQLITE_IOERR_DELETE_NOENT,
        Err(_) => return ffi::SQLITE_IOERR_DELETE,
    }
    if sync_folder != 0 && state.sync_folder(crate::folder::parent(relative)).is_err() {
        return ffi::SQLITE_IOERR_DIR_FSYNC;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn access(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    result: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes a path that ends in NUL.
    let Some(path) = (unsafe { text(name) }) else {
        return ffi::SQLITE_IOERR_ACCESS;
    };
    let Some((shared, relative)) = locate(path) else {
        let original = registered().original;
        // SAFETY: null or a VFS that lives as long as the process.
        return match unsafe { original.as_ref() }.and_then(|vfs| vfs.xAccess) {
            // SAFETY: SQLite's own arguments go on unchanged.
            Some(access) => unsafe { access(original, name, flags, result) },
            None => ffi::SQLITE_IOERR_ACCESS,
        };
    };
    let found = match shared.state().find(relative) {
        // As on Unix: an empty file is as good as none to the question whether it exists.
        Ok(Some(len)) => len > 0 || flags != ffi::SQLITE_ACCESS_EXISTS,
        Ok(None) => false,
        Err(_) => return ffi::SQLITE_IOERR_ACCESS,
    };
    // SAFETY: SQLite's own variable.
    unsafe { *result = c_int::from(found) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    into: *mut c_char,
) -> c_int {
    // SAFETY: SQLite passes a path that ends in NUL.
    let Some(path) = (unsafe { text(name) }) else {
        return ffi::SQLITE_CANTOPEN;
    };
    if !path.starts_with(crate::disk::PREFIX) {
        let original = registered().original;
        // SAFETY: null or a VFS that lives as long as the process.
        return match unsafe { original.as_ref() }.and_then(|vfs| vfs.xFullPathname) {
            // SAFETY: SQLite's own arguments go on unchanged.
            Some(full) => unsafe { full(original, name, room, into) },
            None => ffi::SQLITE_CANTOPEN,
        };
    }
    let Ok(path) = CString::new(path) else {
        return ffi::SQLITE_CANTOPEN;
    };
    let bytes = path.as_bytes_with_nul();
    if usize::try_from(room).is_ok_and(|room| bytes.len() <= room) {
        // SAFETY: `into` has `room` bytes and the path with its NUL fits.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), into, bytes.len()) };
        ffi::SQLITE_OK
    } else {
        ffi::SQLITE_CANTOPEN
    }
}

unsafe extern "C" fn randomness(_: *mut sqlite3_vfs, count: c_int, into: *mut c_char) -> c_int {
    let Ok(len) = usize::try_from(count) else {
        return 0;
    };
    let mut random = Random::new(RANDOMNESS.get());
    for at in 0..len {
        // SAFETY: `into` has `count` bytes.
        unsafe { *into.add(at) = random.next() as c_char };
    }
    RANDOMNESS.set(random.next());
    count
}

/// Waiting takes no time; other threads get their turn.
unsafe extern "C" fn sleep(_: *mut sqlite3_vfs, microseconds: c_int) -> c_int {
    std::thread::yield_now();
    microseconds
}

unsafe extern "C" fn current_time(_: *mut sqlite3_vfs, days: *mut f64) -> c_int {
    // SAFETY: SQLite's own variable.
    unsafe { *days = NOW as f64 / 86_400_000.0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn current_time_int64(
    _: *mut sqlite3_vfs,
    milliseconds: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite's own variable.
    unsafe { *milliseconds = NOW };
    ffi::SQLITE_OK
}

unsafe extern "C" fn last_error(_: *mut sqlite3_vfs, _: c_int, _: *mut c_char) -> c_int {
    0
}

/// Keeps the compiler's eye on what crosses threads inside SQLite.
const _: fn() = || {
    fn crosses<T: Send>() {}
    crosses::<OpenFile>();
    crosses::<Arc<Shared>>();
};
