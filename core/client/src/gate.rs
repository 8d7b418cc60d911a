//! The gate before the open files: whoever uses them goes in and comes out, and closing waits for those inside.
//!
//! Invariant: what the gate hands out is dropped, and with it every file closed, only after the last one has left; once
//! closing has begun nobody goes in. The thread interleavings are searched by `interleavings` below, under the feature
//! `shuttle`.

use std::time::{Duration, Instant};

use crate::error::HandbookError;
use crate::threads::{Arc, Condvar, Mutex, PoisonError, locked};

#[derive(Debug)]
enum Phase<T> {
    Open(Arc<T>),
    Paused,
    Shut,
}

#[derive(Debug)]
struct State<T> {
    phase: Phase<T>,
    inside: usize,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Gate<T> {
    state: Mutex<State<T>>,
    left: Condvar,
}

/// Leave to use what is behind the gate; it stays as long as somebody has one.
#[derive(Debug)]
pub(crate) struct Pass<'g, T> {
    gate: &'g Gate<T>,
    held: Option<Arc<T>>,
}

impl<T> std::ops::Deref for Pass<'_, T> {
    type Target = T;

    #[allow(clippy::expect_used, reason = "taken only in drop")]
    fn deref(&self) -> &T {
        self.held
            .as_deref()
            .expect("a pass has what it is for until it is dropped")
    }
}

impl<T> Drop for Pass<'_, T> {
    fn drop(&mut self) {
        self.held = None;
        locked(&self.gate.state).inside -= 1;
        self.gate.left.notify_all();
    }
}

/// How closing ended those who were inside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// They are waited for as long as this.
    pub(crate) until_interrupted: Duration,
    /// Once interrupted, as long as this.
    pub(crate) then: Duration,
}

impl<T> Gate<T> {
    /// An open gate.
    pub(crate) fn open(behind: T) -> Self {
        Self {
            state: Mutex::new(State {
                phase: Phase::Open(Arc::new(behind)),
                inside: 0,
            }),
            left: Condvar::new(),
        }
    }

    /// Goes in. `Paused` or `Cancelled` where it is closed.
    pub(crate) fn enter(&self) -> Result<Pass<'_, T>, HandbookError> {
        let mut state = locked(&self.state);
        let held = match &state.phase {
            Phase::Open(held) => Arc::clone(held),
            Phase::Paused => return Err(HandbookError::Paused),
            Phase::Shut => return Err(HandbookError::Cancelled),
        };
        state.inside += 1;
        Ok(Pass {
            gate: self,
            held: Some(held),
        })
    }

    /// Closes it: for good, or until it is opened again. Waits for those inside, interrupts them when patience is over, and
    /// says farewell with `last` when all have left. Whoever does not leave even then keeps what is behind to the end of
    /// the call.
    pub(crate) fn close(
        &self,
        for_good: bool,
        patience: Patience,
        interrupt: impl FnOnce(&T),
        last: impl FnOnce(&T),
    ) {
        let mut until = Instant::now() + patience.until_interrupted;
        let mut interrupt = Some(interrupt);
        let mut state = locked(&self.state);
        let closed = if for_good { Phase::Shut } else { Phase::Paused };
        let held = match std::mem::replace(&mut state.phase, closed) {
            Phase::Open(held) => held,
            Phase::Shut => {
                state.phase = Phase::Shut;
                return;
            }
            Phase::Paused => return,
        };
        while state.inside > 0 {
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                let Some(interrupt) = interrupt.take() else {
                    break;
                };
                interrupt(&held);
                until = Instant::now() + patience.then;
                continue;
            }
            state = self
                .left
                .wait_timeout(state, rest)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        if state.inside == 0 {
            last(&held);
        }
        drop(held);
        drop(state);
    }

    /// Opens it again after a pause.
    pub(crate) fn reopen(
        &self,
        behind: impl FnOnce() -> Result<T, HandbookError>,
    ) -> Result<(), HandbookError> {
        let mut state = locked(&self.state);
        match state.phase {
            Phase::Open(_) => Ok(()),
            Phase::Shut => Err(HandbookError::Cancelled),
            Phase::Paused => {
                state.phase = Phase::Open(Arc::new(behind()?));
                Ok(())
            }
        }
    }

    /// Whether it is closed for good.
    pub(crate) fn is_shut(&self) -> bool {
        matches!(locked(&self.state).phase, Phase::Shut)
    }

    /// Whether it is closed for now.
    pub(crate) fn is_paused(&self) -> bool {
        matches!(locked(&self.state).phase, Phase::Paused)
    }
}

#[cfg(all(test, feature = "shuttle"))]
mod interleavings {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use shuttle::thread;

    use super::*;

    /// Counts how many are open at a time.
    struct File(std::sync::Arc<AtomicUsize>);

    impl File {
        fn open(count: &std::sync::Arc<AtomicUsize>) -> Self {
            assert_eq!(count.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
            Self(count.clone())
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    const PATIENT: Patience = Patience {
        until_interrupted: Duration::from_secs(3_600),
        then: Duration::from_secs(3_600),
    };

    #[test]
    fn promise_22_after_a_pause_nothing_is_held_whatever_the_order_of_threads() {
        shuttle::check_pct(
            || {
                let count = std::sync::Arc::new(AtomicUsize::new(0));
                let gate = Arc::new(Gate::open(File::open(&count)));
                let users: Vec<_> = (0..2)
                    .map(|_| {
                        let (gate, count) = (Arc::clone(&gate), count.clone());
                        thread::spawn(move || {
                            for _ in 0..2 {
                                match gate.enter() {
                                    Ok(pass) => {
                                        assert_eq!(count.load(Ordering::SeqCst), 1);
                                        thread::yield_now();
                                        drop(pass);
                                    }
                                    Err(error) => assert_eq!(error, HandbookError::Paused),
                                }
                            }
                        })
                    })
                    .collect();
                gate.close(false, PATIENT, |_| (), |_| ());
                assert_eq!(count.load(Ordering::SeqCst), 0, "closed");
                let opened = count.clone();
                gate.reopen(|| Ok(File::open(&opened))).unwrap();
                for user in users {
                    user.join().unwrap();
                }
                gate.close(true, PATIENT, |_| (), |_| ());
                assert_eq!(count.load(Ordering::SeqCst), 0);
                assert!(matches!(gate.enter(), Err(HandbookError::Cancelled)));
                assert!(gate.reopen(|| Ok(File::open(&count))).is_err());
            },
            2_000,
            3,
        );
    }
}
