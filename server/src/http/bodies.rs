//! Bodies of requests: how large one may be, and how much all that are under way may take together.
//!
//! Invariant: no more than [`super::Limits::bodies`] bytes of bodies are kept at a time, as they travelled and unpacked, until
//! their requests are answered. Of signed requests the head is verified first, so a stranger's body takes no room at all: it is
//! read and thrown away, because who sends must be able to finish before he reads why he was refused. Of the room a phone has
//! its share and no more, or a few slow ones could keep all others out.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::http::request::Parts;
use hyper::body::Body as _;
use sotay_model::InstallationId;
use sotay_model::wire::{MAX_REQUEST_BYTES, ProblemCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::Shared;
use super::authentication::text;
use super::coding::unpacked_at_most;
use super::holders::{Hold, Holders};

/// The most bytes of the body of a step of joining.
pub const MAX_JOINING_BYTES: usize = 8 << 10;
/// The most bytes of the body of a request about phones.
pub const MAX_PHONES_BYTES: usize = 64 << 10;
/// The most bytes of the body of a sync and of a part of a blob.
pub(super) const MAX_SYNC_BYTES: usize = MAX_REQUEST_BYTES;
/// Of a request that has none.
pub(super) const NO_BODY: usize = 0;
/// The most bodies of one phone under way at a time. An honest one has two: a sync, and a part of a blob.
pub const BODIES_PER_PHONE: usize = 4;

/// The bodies under way.
pub(super) struct Bodies {
    room: Arc<Semaphore>,
    phones: Arc<Holders<InstallationId>>,
}

/// A body that has come whole.
pub(super) struct Received {
    pub(super) bytes: Vec<u8>,
    /// Kept until the request is answered.
    pub(super) place: Option<Place>,
}

/// The room that a body takes.
pub(super) struct Place {
    _room: OwnedSemaphorePermit,
    _of: Option<Hold<InstallationId>>,
}

impl Bodies {
    /// With room for so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))),
            phones: Arc::default(),
        }
    }
}

/// The body as it travelled, if it has no more than `most` bytes; `of` the phone that signed its head.
pub(super) async fn receive(
    shared: &Shared,
    parts: &Parts,
    body: Body,
    most: usize,
    of: Option<InstallationId>,
) -> Result<Received, ProblemCode> {
    let declared = text(&parts.headers, &header::CONTENT_LENGTH)
        .and_then(|length| length.parse::<usize>().ok());
    if declared.is_some_and(|length| length > most) {
        return Err(ProblemCode::TooLarge);
    }
    if body.is_end_stream() {
        return Ok(Received {
            bytes: Vec::new(),
            place: None,
        });
    }
    let until = Instant::now() + shared.limits.body;
    let place = match place(shared, parts, declared.unwrap_or(most), of).await {
        Ok(place) => place,
        Err(problem) => {
            throw_away(body, most, until).await;
            return Err(problem);
        }
    };
    match timeout_at(until, axum::body::to_bytes(body, most)).await {
        Ok(Ok(bytes)) => Ok(Received {
            bytes: bytes.into(),
            place: Some(place),
        }),
        // Either too long or broken off; whoever broke off does not read the answer.
        Ok(Err(_)) => Err(ProblemCode::TooLarge),
        Err(_) => Err(ProblemCode::Busy),
    }
}

/// Room for a body of so many bytes, once there is.
async fn place(
    shared: &Shared,
    parts: &Parts,
    bytes: usize,
    of: Option<InstallationId>,
) -> Result<Place, ProblemCode> {
    let bodies = &shared.bodies;
    let of = match of {
        None => None,
        Some(phone) => Some(
            (bodies.phones.clone())
                .take(phone, BODIES_PER_PHONE)
                .ok_or(ProblemCode::Busy)?,
        ),
    };
    let packed = parts.headers.contains_key(header::CONTENT_ENCODING);
    let unpacked = if packed { unpacked_at_most(bytes) } else { 0 };
    let needed = u32::try_from(bytes + unpacked).map_err(|_| ProblemCode::TooLarge)?;
    let room = bodies.room.clone().acquire_many_owned(needed);
    match timeout(shared.limits.room, room).await {
        Ok(Ok(room)) => Ok(Place {
            _room: room,
            _of: of,
        }),
        Ok(Err(_)) => Err(ProblemCode::Internal),
        Err(_) => Err(ProblemCode::Busy),
    }
}

/// Takes what comes of a body and keeps nothing of it.
pub(super) async fn throw_away(mut body: Body, most: usize, until: Instant) {
    let mut left = most;
    let all = async {
        while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
        {
            match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // Who has not finished by then is cut off.
    drop(timeout_at(until, all).await);
}
