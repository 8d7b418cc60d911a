//! Lets SQLite's own allocations fail (<https://www.sqlite.org/malloc.html> §3.1).
//!
//! Invariant: a countdown belongs to the thread that set it; other threads' allocations go on undisturbed. The allocator
//! itself stays the one SQLite was built with.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::fmt;
use std::ptr::null_mut;
use std::sync::OnceLock;

use rusqlite::ffi::{self, sqlite3_mem_methods};

struct Original(sqlite3_mem_methods);

// SAFETY: functions of C and a pointer that the default allocator leaves null; nothing is written after installing.
unsafe impl Send for Original {}
// SAFETY: as above.
unsafe impl Sync for Original {}

static ORIGINAL: OnceLock<Result<Original, NotInstalled>> = OnceLock::new();

/// SQLite refused another allocator: it was in use already. Call [`install`] before anything else opens a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotInstalled {
    /// SQLite's answer, `SQLITE_MISUSE` (21) once it is initialised.
    pub code: c_int,
}

impl fmt::Display for NotInstalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SQLite is in use already and keeps its allocator (code {})",
            self.code
        )
    }
}

impl std::error::Error for NotInstalled {}

/// Puts the countdown between SQLite and its allocator; once a process, later calls repeat the first one's answer.
///
/// # Errors
/// SQLite was initialised before, by a connection or by [`crate::vfs_name`].
pub fn install() -> Result<(), NotInstalled> {
    ORIGINAL
        .get_or_init(exchange)
        .as_ref()
        .map(|_| ())
        .map_err(|error| *error)
}

fn exchange() -> Result<Original, NotInstalled> {
    let mut methods = sqlite3_mem_methods {
        xMalloc: None,
        xFree: None,
        xRealloc: None,
        xSize: None,
        xRoundup: None,
        xInit: None,
        xShutdown: None,
        pAppData: null_mut(),
    };
    // SAFETY: GETMALLOC takes a pointer to a structure that it fills.
    let code = unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_GETMALLOC, &raw mut methods) };
    if code != ffi::SQLITE_OK {
        return Err(NotInstalled { code });
    }
    let original = Original(methods);
    methods.xMalloc = Some(allocate);
    methods.xRealloc = Some(reallocate);
    // SAFETY: MALLOC takes a pointer to a structure that it copies.
    let code = unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_MALLOC, &raw mut methods) };
    if code == ffi::SQLITE_OK {
        Ok(original)
    } else {
        Err(NotInstalled { code })
    }
}

#[derive(Clone, Copy)]
struct Countdown {
    /// Allocations that still succeed; `None` for all.
    left: Option<u64>,
    /// All fail from then on, not one.
    lasting: bool,
    failed: u64,
    count: u64,
}

thread_local! {
    static COUNTDOWN: Cell<Countdown> =
        const { Cell::new(Countdown { left: None, lasting: false, failed: 0, count: 0 }) };
}

/// One allocation of this thread fails: the next for 0. SQLite often lives with that.
pub fn fail_allocation_at(number: u64) {
    set(Some(number), false);
}

/// All allocations of this thread fail, from `number` on.
pub fn fail_allocations_from(number: u64) {
    set(Some(number), true);
}

/// Ends it; returns how many allocations failed since it was set.
pub fn stop_failing() -> u64 {
    let failed = COUNTDOWN.get().failed;
    set(None, false);
    failed
}

/// This thread's allocations so far.
#[must_use]
pub fn allocations() -> u64 {
    COUNTDOWN.get().count
}

fn set(left: Option<u64>, lasting: bool) {
    COUNTDOWN.set(Countdown {
        left,
        lasting,
        failed: 0,
        count: COUNTDOWN.get().count,
    });
}

/// Counts one allocation; whether it may succeed.
fn granted() -> bool {
    let mut now = COUNTDOWN.get();
    now.count += 1;
    let granted = match now.left {
        None => true,
        Some(0) => {
            now.failed += 1;
            if !now.lasting {
                now.left = None;
            }
            false
        }
        Some(left) => {
            now.left = Some(left - 1);
            true
        }
    };
    COUNTDOWN.set(now);
    granted
}

fn original() -> Option<&'static sqlite3_mem_methods> {
    ORIGINAL.get()?.as_ref().ok().map(|original| &original.0)
}

unsafe extern "C" fn allocate(size: c_int) -> *mut c_void {
    if !granted() {
        return null_mut();
    }
    match original().and_then(|methods| methods.xMalloc) {
        // SAFETY: SQLite's own argument goes on unchanged.
        Some(allocate) => unsafe { allocate(size) },
        None => null_mut(),
    }
}

unsafe extern "C" fn reallocate(at: *mut c_void, size: c_int) -> *mut c_void {
    if !granted() {
        return null_mut();
    }
    match original().and_then(|methods| methods.xRealloc) {
        // SAFETY: SQLite's own arguments go on unchanged.
        Some(reallocate) => unsafe { reallocate(at, size) },
        None => null_mut(),
    }
}
