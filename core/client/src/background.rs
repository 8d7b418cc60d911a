//! Syncing in the background: at once after each entry, when the server says that something waits, and again with growing
//! pauses while it cannot be reached. When and why is decided in [`crate::schedule`]; here is the thread that keeps to it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

use crate::error::HandbookError;
use crate::keys;
use crate::lifecycle::Inner;
use crate::network::UnderWay;
use crate::schedule::{self, Next, SyncOutcome};
use crate::store::locked;
use crate::store::rows::{self, Standing};

const WAKE: &str = "/v1/wake";

#[derive(Debug, Default)]
struct Signal {
    stopped: bool,
    woken: bool,
    /// What the pause depends on has changed.
    reconsider: bool,
}

/// What ended a pause.
enum Ended {
    Sync,
    Reconsider,
    Stop,
}

/// A run of the background sync.
#[derive(Debug, Default)]
pub(crate) struct Background {
    signal: Mutex<Signal>,
    changed: Condvar,
    under_way: UnderWay,
    listening: Mutex<Option<AbortHandle>>,
    /// The server wakes: a stream has begun, and has not ended.
    heard: AtomicBool,
}

impl Background {
    /// Starts a thread that syncs until it is stopped.
    pub(crate) fn start(inner: &Arc<Inner>) -> Result<Arc<Self>, HandbookError> {
        let background = Arc::new(Self::default());
        let (run, inner) = (Arc::clone(&background), Arc::clone(inner));
        std::thread::Builder::new()
            .name("sotay-sync".into())
            .spawn(move || {
                run.run(&inner);
                // Unless another run has taken its place.
                let background = locked(&inner.background);
                if background.as_ref().is_none_or(|now| Arc::ptr_eq(now, &run)) {
                    drop(background);
                    inner.plan(None);
                }
            })?;
        Ok(background)
    }

    fn run(self: &Arc<Self>, inner: &Arc<Inner>) {
        while !locked(&self.signal).stopped {
            match inner.guarded(|| inner.sync_once(&self.under_way, None)) {
                Err(HandbookError::Cancelled) if inner.is_shut() => return,
                Ok(_) if !inner.tries.is_metered() => self.listen(inner),
                _ => {}
            }
            while let Some(next) = self.next(inner) {
                inner.plan(Some(next));
                match self.wait(&next) {
                    Ended::Sync => break,
                    Ended::Reconsider => {}
                    Ended::Stop => return,
                }
            }
        }
    }

    /// When to try next, as things are.
    fn next(&self, inner: &Inner) -> Option<Next> {
        let pending = inner
            .enter()
            .and_then(|pass| pass.read(|db| rows::standing(db, Standing::Pending)))
            .is_ok_and(|pending| pending > 0);
        let situation = inner.tries.situation(self.hears(), pending)?;
        let chance = keys::random::<2>().map_or(u16::MAX, u16::from_be_bytes);
        Some(schedule::next(&situation, chance))
    }

    fn wait(&self, next: &Next) -> Ended {
        let until = next.pause.map(|pause| Instant::now() + pause);
        let mut signal = locked(&self.signal);
        loop {
            if signal.stopped {
                return Ended::Stop;
            }
            if next.may_be_woken() && std::mem::take(&mut signal.woken) {
                return Ended::Sync;
            }
            if std::mem::take(&mut signal.reconsider) {
                return Ended::Reconsider;
            }
            let rest = match until {
                None => Duration::MAX,
                Some(until) => until.saturating_duration_since(Instant::now()),
            };
            if rest.is_zero() {
                signal.woken = false;
                return Ended::Sync;
            }
            signal = if rest == Duration::MAX {
                self.changed
                    .wait(signal)
                    .unwrap_or_else(PoisonError::into_inner)
            } else {
                self.changed
                    .wait_timeout(signal, rest)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            };
        }
    }

    /// Something changed: sync now, unless the server asked to be left alone.
    pub(crate) fn wake(&self) {
        locked(&self.signal).woken = true;
        self.changed.notify_all();
    }

    /// What the pause depends on has changed: another sync ended, or the network is another one.
    pub(crate) fn reconsider(&self) {
        locked(&self.signal).reconsider = true;
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
        self.heard.store(false, Ordering::Relaxed);
        if let Some(listening) = locked(&self.listening).take() {
            listening.abort();
        }
    }

    fn hears(&self) -> bool {
        self.heard.load(Ordering::Relaxed)
            && locked(&self.listening)
                .as_ref()
                .is_some_and(|task| !task.is_finished())
    }

    /// A stream has begun, or ended: then the server is asked more often.
    fn set_heard(&self, heard: bool) {
        if self.heard.swap(heard, Ordering::Relaxed) && !heard {
            self.reconsider();
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
        let listener = background.clone();
        let woken = move || {
            if let Some(background) = listener.upgrade() {
                background.set_heard(true);
                background.wake();
            }
        };
        *listening = Some(network.spawn(async move {
            let mut failures = 0;
            loop {
                let began = Instant::now();
                let ended = transport.listen(&signer, WAKE, &woken).await;
                let asked = transport.asked_to_wait();
                if let Some(background) = background.upgrade() {
                    background.set_heard(false);
                }
                failures = if began.elapsed() > schedule::LONGEST_PAUSE {
                    1
                } else {
                    failures + 1
                };
                let chance = keys::random::<2>().map_or(u16::MAX, u16::from_be_bytes);
                let ended = ended.map_err(|error| SyncOutcome::of(&error));
                let again = schedule::listen_again(ended, failures, asked, chance);
                tokio::time::sleep(again.pause).await;
                if let Some(background) = background.upgrade().filter(|_| again.sync_first) {
                    background.wake();
                }
            }
        }));
    }
}
