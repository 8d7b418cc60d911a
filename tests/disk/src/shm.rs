//! The memory that connections in WAL mode share, and its eight locks (<https://www.sqlite.org/walformat.html> §2).
//!
//! It lives on the heap and counts as no operation of the disk. A loss of power takes it from its file; connections of
//! before keep their own reference, so that what they still read is never freed under them.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::c_int;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

const LOCKS: usize = ffi::SQLITE_SHM_NLOCK as usize;

/// One database's shared memory.
#[derive(Debug, Default)]
pub(crate) struct Shm(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    regions: Vec<Region>,
    readers: [u32; LOCKS],
    writer: [bool; LOCKS],
}

/// Which of the eight locks one connection holds, a bit each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Held {
    reading: u8,
    writing: u8,
}

#[derive(Debug)]
struct Region {
    at: NonNull<u8>,
    layout: Layout,
}

// SAFETY: a region is plain memory with no thread of its own; SQLite orders access to it by the locks and barriers here.
unsafe impl Send for Region {}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: `at` came from `alloc_zeroed` with this very layout and is freed only here.
        unsafe { dealloc(self.at.as_ptr(), self.layout) }
    }
}

impl Region {
    fn new(size: usize) -> Option<Self> {
        let layout = Layout::from_size_align(size, 64).ok()?;
        if size == 0 {
            return None;
        }
        // SAFETY: the layout's size is not zero.
        let at = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(Self { at, layout })
    }
}

impl Shm {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The region's address, `Ok(None)` if it is not there and `extend` is false, an error if memory is short.
    pub(crate) fn region(
        &self,
        number: usize,
        size: usize,
        extend: bool,
    ) -> Result<Option<NonNull<u8>>, ()> {
        let mut inner = self.inner();
        while extend && inner.regions.len() <= number {
            inner.regions.push(Region::new(size).ok_or(())?);
        }
        Ok(inner.regions.get(number).map(|region| region.at))
    }

    /// Takes locks `from..from + count`, all or none; `false` if another connection is in the way.
    pub(crate) fn lock(&self, held: &mut Held, from: usize, count: usize, exclusive: bool) -> bool {
        let mut inner = self.inner();
        for slot in from..(from + count).min(LOCKS) {
            let mine = 1u8 << slot;
            let others = inner.readers[slot] - u32::from(held.reading & mine != 0);
            let written = inner.writer[slot] && held.writing & mine == 0;
            if written || (exclusive && others > 0) {
                return false;
            }
        }
        for slot in from..(from + count).min(LOCKS) {
            let mine = 1u8 << slot;
            if exclusive {
                inner.writer[slot] = true;
                held.writing |= mine;
            } else if held.reading & mine == 0 {
                inner.readers[slot] += 1;
                held.reading |= mine;
            }
        }
        true
    }

    /// Gives locks `from..from + count` back.
    pub(crate) fn unlock(&self, held: &mut Held, from: usize, count: usize) {
        let mut inner = self.inner();
        for slot in from..(from + count).min(LOCKS) {
            let mine = 1u8 << slot;
            if held.reading & mine != 0 {
                inner.readers[slot] = inner.readers[slot].saturating_sub(1);
                held.reading &= !mine;
            }
            if held.writing & mine != 0 {
                inner.writer[slot] = false;
                held.writing &= !mine;
            }
        }
    }

    /// Gives every lock back.
    pub(crate) fn unlock_all(&self, held: &mut Held) {
        self.unlock(held, 0, LOCKS);
    }
}

/// SQLite's number as an index; a negative one is none that exists.
pub(crate) fn index(number: c_int) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
