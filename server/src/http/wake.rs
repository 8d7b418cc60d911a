//! Wake-ups: a stream of server-sent events that says "something new waits" and nothing else.
//!
//! One event at the beginning, one whenever a scope that the member holds has changed, a comment now and then so that a
//! dead connection is noticed. What is new, the next sync says, under the access check.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use sotay_model::wire::ProblemCode;
use sotay_model::{InstallationId, MemberId, Scope};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

use super::Shared;
use super::accept::closed;
use super::writer::problem;

const EVENT: &[u8] = b"data: \n\n";
const HEARTBEAT: &[u8] = b": \n\n";

/// What a commit changed.
#[derive(Debug, Clone)]
pub(super) enum Changed {
    /// These scopes.
    Scopes(Arc<BTreeSet<Scope>>),
    /// Another process wrote; it did not say what.
    Anything,
}

/// The stream of one phone.
pub(super) async fn stream(
    shared: &Arc<Shared>,
    phone: InstallationId,
    member: MemberId,
) -> Result<Response, ProblemCode> {
    // Listening begins before the scopes are read, so that nothing falls between.
    let mut changes = shared.changed.subscribe();
    let mut held = scopes(shared, phone, member)
        .await?
        .ok_or(ProblemCode::UnknownInstallation)?;
    let (events, stream) = mpsc::channel(1);
    let shared = shared.clone();
    tokio::spawn(async move {
        let mut closing = shared.closing.clone();
        let mut heartbeat = tokio::time::interval(shared.limits.heartbeat);
        heartbeat.reset();
        let mut wake = true;
        loop {
            if wake {
                if events.send(Bytes::from_static(EVENT)).await.is_err() {
                    return;
                }
                // Whatever changed may be the member's own offices, or the phone.
                match scopes(&shared, phone, member).await {
                    Ok(Some(now)) => held = now,
                    Ok(None) | Err(_) => return,
                }
            }
            wake = tokio::select! {
                () = closed(&mut closing) => return,
                () = events.closed() => return,
                _ = heartbeat.tick() => {
                    if events.send(Bytes::from_static(HEARTBEAT)).await.is_err() {
                        return;
                    }
                    false
                }
                change = changes.recv() => match change {
                    Ok(Changed::Scopes(changed)) => held.iter().any(|scope| changed.contains(scope)),
                    Ok(Changed::Anything) | Err(RecvError::Lagged(_)) => true,
                    Err(RecvError::Closed) => return,
                },
            };
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::new(Events(stream))).into_response())
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
