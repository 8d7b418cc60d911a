//! The locks that the gate and the live queries are made of: the standard library's, or, to search through interleavings of
//! threads, those of `shuttle`, which have the same form.

#[cfg(not(feature = "shuttle"))]
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

#[cfg(feature = "shuttle")]
pub(crate) use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard};
#[cfg(feature = "shuttle")]
pub(crate) use std::sync::PoisonError;

/// Takes a lock whose last holder may have panicked: what it guards is changed as a whole.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
