//! Wake-ups: a stream of server-sent events that says "something new waits" and nothing else.
//!
//! One event at the beginning, one whenever a scope that the member holds has changed, a comment now and then so that a
//! dead connection is noticed. What is new, the next sync says, under the access check.
//!
//! A stream ends when the phone is revoked: at once where that happened here, with the next comment where another process
//! wrote it. The phone asks again then, and is told. It ends too when it is old, and when the phone has opened too many.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use sotay_model::wire::ProblemCode;
use sotay_model::{InstallationId, MemberId, Scope};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};

use super::Shared;
use super::accept::closed;
use super::routes::refuse;
use super::writer::problem;
use crate::engine::random;

const EVENT: &[u8] = b"data: \n\n";
const HEARTBEAT: &[u8] = b": \n\n";
/// For how many seconds a phone for which there is no place stays away; it polls meanwhile. As long as its longest pause.
const NO_PLACE_S: u32 = 300;

/// What a commit changed.
#[derive(Debug, Clone)]
pub(super) enum Changed {
    /// These scopes.
    Scopes(Arc<BTreeSet<Scope>>),
    /// This phone is no longer accepted.
    Phone(InstallationId),
    /// Another process wrote; it did not say what.
    Anything,
}

/// The stream of one phone.
pub(super) async fn stream(
    shared: &Arc<Shared>,
    phone: InstallationId,
    member: MemberId,
) -> Result<Response, ProblemCode> {
    let Some(mut place) = shared.streams.take(phone) else {
        let mut response = refuse(ProblemCode::Busy);
        let seconds = HeaderValue::from(NO_PLACE_S);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
        return Ok(response);
    };
    // Listening begins before the scopes are read, so that nothing falls between.
    let changes = shared.changed.subscribe();
    let held = scopes(shared, phone, member)
        .await?
        .ok_or(ProblemCode::UnknownInstallation)?;
    let (events, stream) = mpsc::channel(1);
    let listener = Listener {
        shared: shared.clone(),
        phone,
        member,
        held,
        events,
    };
    let age = lasting(shared.limits.stream_age);
    tokio::spawn(async move {
        // Whatever it waits for, even for the phone to take an event.
        tokio::select! {
            () = place.taken() => {}
            () = tokio::time::sleep(age) => {}
            () = listener.wake(changes) => {}
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::new(Events(stream))).into_response())
}

/// Between three quarters of a time and all of it, so that phones that came together do not come again together.
fn lasting(longest: Duration) -> Duration {
    let chance = random::<2>().map_or(0, u16::from_be_bytes);
    longest - longest / 4 * u32::from(chance) / u32::from(u16::MAX)
}

/// Who is woken.
struct Listener {
    shared: Arc<Shared>,
    phone: InstallationId,
    member: MemberId,
    held: Vec<Scope>,
    events: mpsc::Sender<Bytes>,
}

impl Listener {
    /// Wakes until the phone hangs up or is revoked, or the server closes.
    async fn wake(mut self, mut changes: broadcast::Receiver<Changed>) {
        let mut closing = self.shared.closing.clone();
        let mut heartbeat = tokio::time::interval(self.shared.limits.heartbeat);
        heartbeat.reset();
        let mut wake = true;
        loop {
            if wake {
                if self.send(EVENT).await.is_none() {
                    return;
                }
                // Whatever changed may be the member's own offices, or the phone.
                match scopes(&self.shared, self.phone, self.member).await {
                    Ok(Some(now)) => self.held = now,
                    Ok(None) | Err(_) => return,
                }
            }
            wake = tokio::select! {
                () = closed(&mut closing) => return,
                () = self.events.closed() => return,
                _ = heartbeat.tick() => {
                    // Another process may have revoked it.
                    if !is_accepted(&self.shared, self.phone).await || self.send(HEARTBEAT).await.is_none() {
                        return;
                    }
                    false
                }
                change = changes.recv() => match change {
                    Ok(Changed::Scopes(changed)) => self.held.iter().any(|scope| changed.contains(scope)),
                    Ok(Changed::Phone(revoked)) if revoked == self.phone => return,
                    Ok(Changed::Phone(_)) => false,
                    Ok(Changed::Anything) | Err(RecvError::Lagged(_)) => true,
                    Err(RecvError::Closed) => return,
                },
            };
        }
    }

    async fn send(&self, bytes: &'static [u8]) -> Option<()> {
        self.events.send(Bytes::from_static(bytes)).await.ok()
    }
}

/// Whether a phone is accepted. Where that cannot be read, the phone may as well ask again.
async fn is_accepted(shared: &Arc<Shared>, phone: InstallationId) -> bool {
    let shared = shared.clone();
    tokio::task::spawn_blocking(move || shared.readers.with(|engine| engine.accepts(phone)))
        .await
        .is_ok_and(|accepted| accepted.unwrap_or(false))
}

/// The member's scopes; none when the phone is no longer accepted.
async fn scopes(
    shared: &Arc<Shared>,
    phone: InstallationId,
    member: MemberId,
) -> Result<Option<Vec<Scope>>, ProblemCode> {
    let shared = shared.clone();
    tokio::task::spawn_blocking(move || {
        shared
            .readers
            .with(|engine| {
                let accepted = engine.accepts(phone)?;
                accepted
                    .then(|| engine.scopes(member, (shared.clock)()))
                    .transpose()
            })
            .map_err(|error| problem(&error))
    })
    .await
    .unwrap_or(Err(ProblemCode::Internal))
}

/// A body that is fed by the task above.
struct Events(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::convert::Infallible>>> {
        self.0
            .poll_recv(context)
            .map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
