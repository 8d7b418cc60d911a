//! The one thread that writes. Requests that wait are taken together, so that they share one sync of the disk.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use sotay_model::RecordKey;
use sotay_model::wire::{ProblemCode, SyncResponse};
use tokio::sync::{broadcast, oneshot, watch};

use super::Clock;
use super::wake::Changed;
use crate::commune::{Stated, seal};
use crate::engine::{Asked, Engine, EngineError, REMOVED_AT_ONCE};
use crate::storage::StorageError;

/// The most requests that wait; more are told to come back later.
const MAX_WAITING: usize = 256;
/// The most requests in one transaction.
const MAX_BATCH: usize = 64;
/// How often to look whether another process wrote (an invitation, an import).
const LOOK: Duration = Duration::from_millis(500);
/// How long deletions are known: a phone that stayed away longer fetches its scopes anew.
const DELETIONS_KEPT_MINUTES: i64 = 180 * 24 * 60;
/// How often those that are older are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(24 * 3_600);

enum Job {
    Sync(
        Box<Asked>,
        oneshot::Sender<Result<SyncResponse, ProblemCode>>,
    ),
    /// Anything else, in a transaction of its own.
    Other(Box<dyn FnOnce(&mut Engine) + Send>),
}

/// The way to the writing thread. The thread ends when the last one is dropped.
pub(super) struct Writer {
    jobs: SyncSender<Job>,
}

impl Writer {
    pub(super) fn start(
        engine: Engine,
        clock: Clock,
        changed: broadcast::Sender<Changed>,
        stated: watch::Receiver<Arc<Stated>>,
    ) -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (jobs, waiting) = sync_channel(MAX_WAITING);
        let thread = std::thread::Builder::new()
            .name("sotay-writer".into())
            .spawn(move || run(engine, &waiting, clock, &changed, &stated))?;
        Ok((Self { jobs }, thread))
    }

    pub(super) async fn sync(&self, asked: Asked) -> Result<SyncResponse, ProblemCode> {
        self.ask(|answer| Job::Sync(Box::new(asked), answer)).await
    }

    /// Writes something else than mutations.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut Engine) -> Result<Result<T, ProblemCode>, EngineError> + Send + 'static,
    ) -> Result<T, ProblemCode> {
        self.ask(|answer| {
            Job::Other(Box::new(move |engine| {
                let written = write(engine).unwrap_or_else(|error| Err(problem(&error)));
                // Nobody may be waiting any more; then the phone asks again.
                drop(answer.send(written));
            }))
        })
        .await
    }

    async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, ProblemCode>>) -> Job,
    ) -> Result<T, ProblemCode> {
        let (answer, answered) = oneshot::channel();
        match self.jobs.try_send(job(answer)) {
            Ok(()) => answered.await.unwrap_or(Err(ProblemCode::Internal)),
            Err(TrySendError::Full(_)) => Err(ProblemCode::Busy),
            Err(TrySendError::Disconnected(_)) => Err(ProblemCode::Internal),
        }
    }
}

fn run(
    mut engine: Engine,
    waiting: &Receiver<Job>,
    clock: Clock,
    changed: &broadcast::Sender<Changed>,
    stated: &watch::Receiver<Arc<Stated>>,
) {
    let mut foreign = engine.storage().foreign_writes().unwrap_or_default();
    let mut lines = lines_ever(&mut engine).unwrap_or_default();
    let mut forgot: Option<Instant> = None;
    let mut over: Vec<RecordKey> = Vec::new();
    loop {
        let first = match waiting.recv_timeout(LOOK) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let mut syncs = Vec::new();
        let mut others = Vec::new();
        for job in first
            .into_iter()
            .chain(std::iter::from_fn(|| waiting.try_recv().ok()))
            .take(MAX_BATCH)
        {
            match job {
                Job::Sync(asked, answer) => syncs.push((*asked, answer)),
                Job::Other(write) => others.push(write),
            }
        }
        if !syncs.is_empty() {
            let (asked, answers): (Vec<Asked>, Vec<_>) = syncs.into_iter().unzip();
            lines += answer_batch(&mut engine, &asked, answers, clock, changed);
        }
        for write in others {
            write(&mut engine);
        }
        if first_of_the_day(&mut forgot) {
            match engine.forget_deletions(clock().plus_minutes(-DELETIONS_KEPT_MINUTES)) {
                Ok(forgotten) => tracing::info!(forgotten, "old deletions forgotten"),
                Err(error) => tracing::warn!(%error, "old deletions are kept for another day"),
            }
            match engine.over(clock()) {
                Ok(found) => over = found.into_values().flatten().collect(),
                Err(error) => {
                    tracing::warn!(%error, "records whose time is over are kept for another day")
                }
            }
            let keys = stated.borrow().clone();
            match engine.checkpoint(clock(), |bytes| seal(&keys.organisation, bytes)) {
                Ok(made) => {
                    let n = made.map(|made| made.n);
                    tracing::info!(checkpoint = n, "the audit log is signed");
                }
                Err(error) => tracing::error!(%error, "the audit log is not signed today"),
            }
        }
        if !over.is_empty() {
            // Some at a time: phones wait behind this.
            let rest = over.len().saturating_sub(REMOVED_AT_ONCE);
            let now = over.split_off(rest);
            match engine.remove_over(&now, clock()) {
                Ok((removed, scopes)) => {
                    tracing::info!(removed, left = over.len(), "records whose time was over");
                    lines = lines_ever(&mut engine).unwrap_or(lines);
                    drop(changed.send(Changed::Scopes(Arc::new(scopes))));
                }
                Err(error) => {
                    tracing::warn!(%error, "records whose time is over are kept for another day");
                    over.clear();
                }
            }
        }
        // Another process wrote. An invitation concerns no phone; an import does, and does not say which.
        if let Ok(now) = engine.storage().foreign_writes()
            && now != foreign
        {
            foreign = now;
            if let Ok(found) = lines_ever(&mut engine)
                && found != lines
            {
                lines = found;
                drop(changed.send(Changed::Anything));
            }
        }
    }
}

/// Whether it is time again; if so, from now on it is not.
fn first_of_the_day(last: &mut Option<Instant>) -> bool {
    let due = last.is_none_or(|last| last.elapsed() >= FORGET_EVERY);
    if due {
        *last = Some(Instant::now());
    }
    due
}

fn lines_ever(engine: &mut Engine) -> Result<u64, StorageError> {
    engine.storage().read()?.lines_ever()
}

/// Answers a batch and says how many lines it added to the feeds.
fn answer_batch(
    engine: &mut Engine,
    asked: &[Asked],
    answers: Vec<oneshot::Sender<Result<SyncResponse, ProblemCode>>>,
    clock: Clock,
    changed: &broadcast::Sender<Changed>,
) -> u64 {
    match engine.handle_batch(asked, clock()) {
        Ok(answered) => {
            tracing::debug!(
                requests = asked.len(),
                scopes = answered.changed.len(),
                "batch committed"
            );
            if !answered.changed.is_empty() {
                // Without listeners nobody needs to know.
                drop(changed.send(Changed::Scopes(Arc::new(answered.changed))));
            }
            for (response, answer) in answered.responses.into_iter().zip(answers) {
                drop(answer.send(response));
            }
            answered.lines
        }
        Err(error) => {
            let problem = problem(&error);
            for answer in answers {
                drop(answer.send(Err(problem)));
            }
            0
        }
    }
}

/// What the phone is told of an error of the server's own.
pub(super) fn problem(error: &EngineError) -> ProblemCode {
    match error {
        EngineError::Storage(StorageError::Busy) => ProblemCode::Busy,
        other => {
            tracing::error!(error = %other, "the database");
            ProblemCode::Internal
        }
    }
}
