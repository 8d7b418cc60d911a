//! SQLite's five locks on a file, for connections of one process (<https://www.sqlite.org/lockingv3.html> §3).
//!
//! Invariant: at most one connection holds RESERVED or more; PENDING keeps new readers out; EXCLUSIVE has no reader beside it.

use rusqlite::ffi;
use std::ffi::c_int;

/// What all connections together hold on one file.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lock {
    shared: u32,
    reserved: bool,
    pending: bool,
    exclusive: bool,
}

impl Lock {
    /// Raises one connection from `held`; returns what it holds now and whether that is what it wanted.
    pub(crate) fn raise(&mut self, held: c_int, wanted: c_int) -> (c_int, bool) {
        if held >= wanted {
            return (held, true);
        }
        match wanted {
            ffi::SQLITE_LOCK_SHARED => {
                if self.pending || self.exclusive {
                    return (held, false);
                }
                self.shared += 1;
                (wanted, true)
            }
            ffi::SQLITE_LOCK_RESERVED => {
                if self.reserved {
                    return (held, false);
                }
                self.reserved = true;
                (wanted, true)
            }
            _ => {
                if held < ffi::SQLITE_LOCK_RESERVED && self.reserved {
                    return (held, false);
                }
                self.reserved = true;
                self.pending = true;
                if self.shared > 1 {
                    return (ffi::SQLITE_LOCK_PENDING, false);
                }
                self.exclusive = true;
                (ffi::SQLITE_LOCK_EXCLUSIVE, true)
            }
        }
    }

    /// Lowers one connection from `held` to SHARED or NONE.
    pub(crate) fn lower(&mut self, held: c_int, wanted: c_int) {
        if held > ffi::SQLITE_LOCK_SHARED && wanted <= ffi::SQLITE_LOCK_SHARED {
            self.reserved = false;
            self.pending = false;
            self.exclusive = false;
        }
        if held >= ffi::SQLITE_LOCK_SHARED && wanted == ffi::SQLITE_LOCK_NONE {
            self.shared = self.shared.saturating_sub(1);
        }
    }

    /// Whether some connection means to write.
    pub(crate) fn reserved(&self) -> bool {
        self.reserved
    }
}
