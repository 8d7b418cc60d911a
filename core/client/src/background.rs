//! Syncing in the background: at once after each entry, when the server says that something waits, and again with growing
//! pauses while it cannot be reached.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

use crate::error::HandbookError;
use crate::keys;
use crate::lifecycle::Inner;
use crate::network::UnderWay;
use crate::store::locked;

const WAKE: &str = "/v1/wake";
/// Without any wake-up, asked this often.
const POLL: Duration = Duration::from_secs(10 * 60);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// Where trying again by itself is of no use: something must happen first.
const UNTIL_WOKEN: Duration = Duration::from_secs(60 * 60);

#[derive(Debug, Default)]
struct Signal {
    stopped: bool,
    woken: bool,
}

/// A run of the background sync.
#[derive(Debug, Default)]
pub(crate) struct Background {
    signal: Mutex<Signal>,
    changed: Condvar,
    under_way: UnderWay,
    listening: Mutex<Option<AbortHandle>>,
}

impl Background {
    /// Starts a thread that syncs until it is stopped.
    pub(crate) fn start(inner: &Arc<Inner>) -> Result<Arc<Self>, HandbookError> {
        let background = Arc::new(Self::default());
        let (run, inner) = (Arc::clone(&background), Arc::clone(inner));
        std::thread::Builder::new()
            .name("sotay-sync".into())
            .spawn(move || run.run(&inner))?;
        Ok(background)
    }

    fn run(self: &Arc<Self>, inner: &Arc<Inner>) {
        let mut failures = 0;
        while !locked(&self.signal).stopped {
            let pause = match inner.guarded(|| inner.sync_once(&self.under_way)) {
                Ok(_) => {
                    failures = 0;
                    self.listen(inner);
                    jittered(POLL)
                }
                Err(HandbookError::Cancelled) if inner.is_shut() => return,
                Err(
                    HandbookError::Paused
                    | HandbookError::NotEnrolled
                    | HandbookError::PhoneNotKnown
                    | HandbookError::AppTooOld,
                ) => UNTIL_WOKEN,
                Err(_) => {
                    failures += 1;
                    after(failures)
                }
            };
            self.wait(pause);
        }
    }

    fn wait(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut signal = locked(&self.signal);
        while !signal.stopped && !std::mem::take(&mut signal.woken) {
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return;
            }
            signal = self
                .changed
                .wait_timeout(signal, rest)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Something changed: sync now.
    pub(crate) fn wake(&self) {
        locked(&self.signal).woken = true;
        self.changed.notify_all();
    }

    /// Ends the run; what is under way is given up without loss.
    pub(crate) fn stop(&self) {
        locked(&self.signal).stopped = true;
        self.changed.notify_all();
        self.under_way.cancel();
        self.deafen();
    }

    /// Ends listening, until the next sync that reaches the server.
    pub(crate) fn deafen(&self) {
        if let Some(listening) = locked(&self.listening).take() {
            listening.abort();
        }
    }

    /// Listens to the server's wake-ups, if nobody does.
    fn listen(self: &Arc<Self>, inner: &Arc<Inner>) {
        let mut listening = locked(&self.listening);
        if listening.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        let (Ok(network), Ok(transport), Ok(member)) =
            (inner.network(), inner.transport(), inner.member())
        else {
            return;
        };
        let (background, signer) = (Arc::downgrade(self), member.signer.clone());
        let wake = move || {
            if let Some(background) = background.upgrade() {
                background.wake();
            }
        };
        *listening = Some(network.spawn(async move {
            let mut failures = 0;
            loop {
                let began = Instant::now();
                // However it ends, it begins again: a wake-up that is missed meanwhile comes with the next sync.
                let _ = transport.listen(&signer, WAKE, &wake).await;
                failures = if began.elapsed() > LONGEST_PAUSE {
                    1
                } else {
                    failures + 1
                };
                tokio::time::sleep(after(failures)).await;
                wake();
            }
        }));
    }
}

/// How long to wait after so many failures in a row.
fn after(failures: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(16));
    jittered(doubled.min(LONGEST_PAUSE))
}

/// Between half of a duration and all of it, so that phones do not come all at once.
fn jittered(duration: Duration) -> Duration {
    let share = keys::random::<2>().map_or(u16::MAX, u16::from_be_bytes);
    duration / 2 + duration / 2 * u32::from(share) / u32::from(u16::MAX)
}
