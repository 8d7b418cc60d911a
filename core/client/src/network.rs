//! The thread that talks to the network, and how other threads wait for it.
//!
//! Exported calls block, so that the languages above need to know nothing of an executor: what they start runs on one thread of
//! its own, and they wait for its end or for somebody who cancels it.

use std::future::Future;
use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Instant;

use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::error::HandbookError;
use crate::store::locked;

/// The thread that talks to the network. Dropping it ends what is under way.
#[derive(Debug)]
pub(crate) struct Network {
    runtime: tokio::runtime::Handle,
    stop: Mutex<Option<oneshot::Sender<()>>>,
}

impl Network {
    /// Starts the thread.
    pub(crate) fn start() -> Result<Self, HandbookError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let handle = runtime.handle().clone();
        std::thread::Builder::new()
            .name("sotay-network".into())
            .spawn(move || {
                runtime.block_on(async {
                    // Ends when the sender says so or is dropped.
                    let _ = stopped.await;
                });
            })?;
        Ok(Self {
            runtime: handle,
            stop: Mutex::new(Some(stop)),
        })
    }

    /// Runs something on the thread and waits for it. `under_way` lets another thread end it.
    pub(crate) fn wait_for<T: Send + 'static>(
        &self,
        under_way: &UnderWay,
        what: impl Future<Output = Result<T, HandbookError>> + Send + 'static,
    ) -> Result<T, HandbookError> {
        match self.wait_until(under_way, None, what)? {
            Some(result) => Ok(result),
            None => Err(HandbookError::Cancelled),
        }
    }

    /// The same, no longer than `until`: none when that was not long enough, and then it is ended.
    pub(crate) fn wait_until<T: Send + 'static>(
        &self,
        under_way: &UnderWay,
        until: Option<Instant>,
        what: impl Future<Output = Result<T, HandbookError>> + Send + 'static,
    ) -> Result<Option<T>, HandbookError> {
        self.begin(under_way, what)?.wait(under_way, until)
    }

    /// Begins something on the thread that is waited for later.
    pub(crate) fn begin<T: Send + 'static>(
        &self,
        under_way: &UnderWay,
        what: impl Future<Output = Result<T, HandbookError>> + Send + 'static,
    ) -> Result<Begun<T>, HandbookError> {
        let (done, finished) = mpsc::sync_channel(1);
        let task = self.runtime.spawn(async move {
            let _ = done.send(what.await);
        });
        let begun = Begun {
            finished,
            task: task.abort_handle(),
        };
        under_way.begin(task.abort_handle())?;
        Ok(begun)
    }

    /// Runs something on the thread until it ends or is aborted.
    pub(crate) fn spawn(&self, what: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.runtime.spawn(what).abort_handle()
    }

    /// Ends everything under way.
    pub(crate) fn stop(&self) {
        drop(locked(&self.stop).take());
    }
}

/// Something that runs on the thread. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Begun<T> {
    finished: mpsc::Receiver<Result<T, HandbookError>>,
    task: AbortHandle,
}

impl<T> Begun<T> {
    /// Waits for it, no longer than `until`: none when that was not long enough.
    pub(crate) fn wait(
        self,
        under_way: &UnderWay,
        until: Option<Instant>,
    ) -> Result<Option<T>, HandbookError> {
        let result = match until {
            None => self
                .finished
                .recv()
                .unwrap_or(Err(HandbookError::Cancelled))
                .map(Some),
            Some(until) => {
                match self
                    .finished
                    .recv_timeout(until.saturating_duration_since(Instant::now()))
                {
                    Ok(result) => result.map(Some),
                    Err(RecvTimeoutError::Timeout) => Ok(None),
                    Err(RecvTimeoutError::Disconnected) => Err(HandbookError::Cancelled),
                }
            }
        };
        under_way.end();
        result
    }
}

impl<T> Drop for Begun<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a caller waits for, so that it can be ended from elsewhere.
#[derive(Debug, Default)]
pub(crate) struct UnderWay(Mutex<(bool, Option<AbortHandle>)>);

impl UnderWay {
    fn begin(&self, task: AbortHandle) -> Result<(), HandbookError> {
        let mut state = locked(&self.0);
        if state.0 {
            task.abort();
            return Err(HandbookError::Cancelled);
        }
        state.1 = Some(task);
        Ok(())
    }

    fn end(&self) {
        locked(&self.0).1 = None;
    }

    /// Whether it was cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        locked(&self.0).0
    }

    /// Ends what is under way, and everything that would begin.
    pub(crate) fn cancel(&self) {
        let mut state = locked(&self.0);
        state.0 = true;
        if let Some(task) = state.1.take() {
            task.abort();
        }
    }
}
