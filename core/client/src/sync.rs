//! Driving the engine over the network: one sync is round trips until nothing is left, or the time is up.
//!
//! The files are open only while a request is made and while a response is applied, never while the network is waited for.
//! Each response is one transaction, so wherever a sync ends, the next one goes on from there.

use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak, mpsc};
use std::time::{Duration, Instant};

use crate::engine::{self, Fault, MAX_ROWS, Round};
use crate::error::{HandbookError, ServerFault};
use crate::handbook::{Handbook, SyncReport};
use crate::identity::Identity;
use crate::lifecycle::Inner;
use crate::network::UnderWay;
use crate::schedule::{Pace, SyncOutcome};
use crate::state::Tries;
use crate::store::locked;
use crate::transport::Answer;

const SYNC: &str = "/v1/sync";
/// How many rows the first answer has where time is not limited.
const FIRST_ROWS: u32 = 2_000;
/// About how many bytes a row has, with what carries it.
const ROW_BYTES: u32 = 512;

/// One sync at a time; others wait for their turn.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    taken: Mutex<bool>,
    given_back: Condvar,
}

/// A turn; it is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'t>(&'t Turns);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *locked(&self.0.taken) = false;
        self.0.given_back.notify_all();
    }
}

impl Turns {
    /// Waits for a turn; none when `until` came first. `Cancelled` when somebody ended the wait.
    pub(crate) fn take(
        &self,
        under_way: &UnderWay,
        until: Option<Instant>,
    ) -> Result<Option<Turn<'_>>, HandbookError> {
        let mut taken = locked(&self.taken);
        loop {
            if under_way.is_cancelled() {
                return Err(HandbookError::Cancelled);
            }
            if !*taken {
                *taken = true;
                return Ok(Some(Turn(self)));
            }
            let rest = until.map(|until| until.saturating_duration_since(Instant::now()));
            if rest.is_some_and(|rest| rest.is_zero()) {
                return Ok(None);
            }
            taken = match rest {
                Some(rest) => {
                    self.given_back
                        .wait_timeout(taken, rest)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                None => self
                    .given_back
                    .wait(taken)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Has those who wait look whether they were cancelled.
    pub(crate) fn look(&self) {
        // Under the lock, so that nobody is between looking and waiting.
        drop(locked(&self.taken));
        self.given_back.notify_all();
    }
}

/// A single sync, which another thread can cancel.
#[derive(Debug)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct SyncCall {
    inner: Weak<Inner>,
    under_way: UnderWay,
}

impl SyncCall {
    pub(crate) fn new(inner: &Arc<Inner>) -> Self {
        Self {
            inner: Arc::downgrade(inner),
            under_way: UnderWay::default(),
        }
    }
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl SyncCall {
    /// Runs it, once. With `budget_ms` it ends after so many milliseconds at the latest, and what it did until then is kept.
    pub fn run(&self, budget_ms: Option<u32>) -> Result<SyncReport, HandbookError> {
        let inner = self.inner.upgrade().ok_or(HandbookError::Cancelled)?;
        inner.guarded(|| inner.sync_and_tell(&self.under_way, budget_ms))
    }

    /// Ends it, also before it runs: `run` gives `Cancelled`. What was done until then is kept.
    pub fn cancel(&self) -> Result<(), HandbookError> {
        self.under_way.cancel();
        if let Some(inner) = self.inner.upgrade() {
            inner.turns.look();
        }
        Ok(())
    }
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// Sends what is pending and fetches what is new, until nothing is left.
    pub fn sync(&self) -> Result<SyncReport, HandbookError> {
        self.sync_with(None)
    }

    /// The same for no longer than `budget_ms` milliseconds, as an operating system grants in the background. What it did
    /// until then is kept, and the next one goes on from there: `finished` in the report says whether anything is left.
    pub fn sync_for(&self, budget_ms: u32) -> Result<SyncReport, HandbookError> {
        self.sync_with(Some(budget_ms))
    }

    /// A single sync to be run by one thread, so that another can cancel it.
    pub fn sync_call(&self) -> Result<Arc<SyncCall>, HandbookError> {
        Ok(Arc::new(SyncCall::new(self.inner())))
    }

    /// Says whether the network costs money by the byte. Where it does, wake-ups are not listened to, the server is asked
    /// once an hour instead of every ten minutes, and nothing large is downloaded by itself. Entries are sent at once all the
    /// same, and an explicit `sync` fetches everything. Not remembered when the app ends.
    pub fn set_metered(&self, metered: bool) -> Result<(), HandbookError> {
        let inner = self.inner();
        inner.guarded(|| {
            if inner.is_shut() {
                return Err(HandbookError::Cancelled);
            }
            if inner.tries.set_metered(metered) {
                if let Some(background) = locked(&inner.background).as_ref() {
                    if metered {
                        background.deafen();
                        background.reconsider();
                    } else {
                        // Listening begins again with the next sync.
                        background.wake();
                    }
                }
                inner.state_changed();
            }
            Ok(())
        })
    }
}

impl Handbook {
    fn sync_with(&self, budget_ms: Option<u32>) -> Result<SyncReport, HandbookError> {
        let inner = self.inner();
        inner.guarded(|| inner.sync_and_tell(&inner.under_way, budget_ms))
    }
}

/// Ends a try that did not end by itself.
struct Ends<'t>(&'t Tries);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        if self.0.is_running() {
            self.0.end(SyncOutcome::Internal, None);
        }
    }
}

impl Inner {
    /// A sync that somebody asked for; the background reconsiders its plans by how it ended.
    fn sync_and_tell(
        &self,
        under_way: &UnderWay,
        budget_ms: Option<u32>,
    ) -> Result<SyncReport, HandbookError> {
        let until = budget_ms.map(|ms| Instant::now() + Duration::from_millis(ms.into()));
        let result = self.sync_once(under_way, until);
        if let Some(background) = locked(&self.background).as_ref() {
            background.reconsider();
        }
        result
    }

    /// One sync, when its turn comes; no longer than `until`.
    pub(crate) fn sync_once(
        &self,
        under_way: &UnderWay,
        until: Option<Instant>,
    ) -> Result<SyncReport, HandbookError> {
        let Some(_turn) = self.turns.take(under_way, until)? else {
            return Ok(SyncReport::default());
        };
        let span = tracing::info_span!("sync", limited = until.is_some());
        let _within = span.enter();
        // A defect on the way must not leave it running for ever.
        let _ends = Ends(&self.tries);
        self.tries.begin(self.now(), self.link.traffic.so_far());
        self.state_changed();
        let result = match self.round_trips_and_blobs(under_way, until) {
            // Somebody paused the handbook, which ends what is under way.
            Err(HandbookError::Cancelled) if self.is_paused() => Err(HandbookError::Paused),
            result => result,
        };
        let outcome = match &result {
            Ok(report) if report.finished => SyncOutcome::Done,
            Ok(_) => SyncOutcome::OutOfTime,
            Err(error) => SyncOutcome::of(error),
        };
        let asked = locked(&self.transport)
            .as_ref()
            .and_then(|transport| transport.asked_to_wait());
        match &result {
            Ok(SyncReport {
                accepted,
                refused,
                received,
                round_trips,
                ..
            }) => tracing::info!(?outcome, accepted, refused, received, round_trips, "ended"),
            Err(_) => tracing::info!(?outcome, "ended"),
        }
        self.tries.end(outcome, asked);
        self.state_changed();
        result
    }

    /// Round trips until nothing is left; no longer than `until`. Beside them, a thread writes the log back after each page of a
    /// download: that waits for the disk, which the pages must not.
    pub(crate) fn round_trips(
        &self,
        under_way: &UnderWay,
        until: Option<Instant>,
    ) -> Result<SyncReport, HandbookError> {
        std::thread::scope(|scope| {
            let (stored, pages) = mpsc::sync_channel::<()>(1);
            let write_back = move || {
                while pages.recv().is_ok() {
                    // Best effort: a commit that finds the log too long writes it back itself.
                    let _ = self.enter().and_then(|pass| pass.write_back());
                }
            };
            let mut write_back = Some(write_back);
            self.pages(under_way, until, || {
                if let Some(write_back) = write_back.take() {
                    let thread = std::thread::Builder::new().name("sotay-log".into());
                    // Where no thread can be made, commits write back.
                    drop(thread.spawn_scoped(scope, write_back));
                }
                // Where it is still busy with the last page, it goes on with this one.
                let _ = stored.try_send(());
            })
        })
    }

    fn pages(
        &self,
        under_way: &UnderWay,
        until: Option<Instant>,
        mut stored: impl FnMut(),
    ) -> Result<SyncReport, HandbookError> {
        drop(self.enter()?);
        let member = self.member()?;
        let (network, transport) = (self.network()?, self.transport()?);
        let first = if until.is_some() {
            Pace::FEWEST
        } else {
            FIRST_ROWS
        };
        let mut pace = Pace::starting(first, MAX_ROWS);
        let mut round = Round::new(MAX_ROWS);
        round.ask_for(pace.rows(), pace.rows().saturating_mul(ROW_BYTES));
        if until.is_some() {
            round.send_at_most(pace.rows() as usize);
        }
        let send = |body: Vec<u8>| {
            let (sending, signer) = (transport.clone(), member.signer.clone());
            network.begin(under_way, async move {
                let sent = Instant::now();
                let answer = sending.post_signed(&signer, SYNC, body).await?;
                Ok((answer, sent.elapsed()))
            })
        };
        // A request that was sent before what it builds on was stored, and its answer to come.
        let mut ahead = None;
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(round.report);
            }
            let pass = self.enter()?;
            let request = round.next_request(&pass.writer());
            let request = pass.ended(request)?;
            drop(pass);
            let Some(body) = request else { break };
            let answer = match ahead.take() {
                Some((asked, answer)) if asked == body => answer,
                // Nothing was asked, or something else: whatever is answered to that is not wanted.
                other => {
                    drop(other);
                    send(body)?
                }
            };
            match answer.wait(under_way, until) {
                Ok(None) => return Ok(round.report),
                Ok(Some((Answer::Message(bytes), took))) => {
                    pace.answered(took, until.map(|until| until - Instant::now()));
                    round.ask_for(pace.rows(), pace.rows().saturating_mul(ROW_BYTES));
                    if until.is_some() {
                        round.send_at_most(pace.rows() as usize);
                    }
                    // The server makes the next answer while this one is stored.
                    if let Some(body) = round.request_ahead(&bytes) {
                        ahead = Some((body.clone(), send(body)?));
                    }
                    self.take_in(&mut round, &member.identity, &bytes).map_err(
                        |fault| match fault {
                            Fault::Unreadable => transport.unexpected(ServerFault::Unreadable),
                            Fault::Truncated => transport.unexpected(ServerFault::Truncated),
                            Fault::Protocol => transport.unexpected(ServerFault::Protocol),
                            Fault::Store(error) => error,
                        },
                    )?;
                }
                Ok(Some((Answer::Problem(code, status), _))) => {
                    if !round.on_problem(code) {
                        return Err(transport.refused(code, status));
                    }
                }
                Err(error) => {
                    if error != HandbookError::Cancelled {
                        self.set_offline(true);
                    }
                    return Err(error);
                }
            }
            if ahead.is_some() {
                stored();
            }
            if round.broken {
                return Err(transport.unexpected(ServerFault::Protocol));
            }
        }
        round.report.finished = true;
        Ok(round.report)
    }

    fn take_in(&self, round: &mut Round, me: &Identity, bytes: &[u8]) -> Result<(), Fault> {
        let pass = self.enter()?;
        let mut writer = pass.writer();
        let before = round.report.received;
        let applied = round.on_response(&mut writer, me, bytes, self.link.time.wall());
        let mut touched = applied.map_err(|fault| match fault {
            Fault::Store(error) => Fault::Store(pass.failed(error)),
            fault => fault,
        })?;
        if round.report.received > before {
            self.tries.progress(&writer.db)?;
            touched.state = true;
        }
        if touched.everything {
            self.watches.concern(engine::concern(&writer.db, Some(me))?);
        }
        if let Some(server) = round.server_time {
            self.learn_time(&writer.db, server)?;
        }
        self.keep_session(&writer.db)?;
        // Every view may say that a newer app is wanted, or no longer.
        touched.everything |= self.keep_statement(&mut writer)?;
        drop(writer);
        self.set_offline(false);
        self.watches.committed(&touched);
        Ok(())
    }
}
