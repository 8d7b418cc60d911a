//! The routes. Every answer but a wake-up stream is CBOR, a refusal too.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use sotay_model::cbor;
use sotay_model::signature::SessionKey;
use sotay_model::wire::{
    ClaimEnrolment, MEDIA_TYPE, NONCE_HEADER, OpenEnrolment, Problem, ProblemCode, SyncRequest,
};
use tokio::time::Instant;

use super::authentication::{
    Authenticated, Unauthenticated, authenticate, authenticate_any, is_signed, text,
};
use super::bodies::{
    MAX_JOINING_BYTES, MAX_PHONES_BYTES, MAX_SYNC_BYTES, NO_BODY, receive, throw_away,
};
use super::coding::{accepts_zstd, compress, decompress};
use super::limits::Counted;
use super::wake::Changed;
use super::writer::problem;
use super::{Shared, blobs, gate, wake};
use crate::engine::{Asked, Engine, writes};
use crate::shape::{self, Misshapen};
use crate::storage::Installation;

/// All routes.
pub(super) fn router(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/enrolment/open", post(open))
        .route("/v1/enrolment/claim", post(claim))
        .route("/v1/enrolment/state", post(state))
        .route("/v1/phones", post(phones))
        .route("/v1/sync", post(sync))
        .route("/v1/wake", get(wake_up))
        .route(
            "/v1/blobs/{digest}",
            get(blobs::fetch).put(blobs::hand_over),
        )
        .route("/healthz", get(health))
        .fallback(async || refuse(ProblemCode::NoSuchRoute))
        .method_not_allowed_fallback(async || {
            (
                StatusCode::METHOD_NOT_ALLOWED,
                refuse(ProblemCode::NoSuchRoute),
            )
                .into_response()
        })
        .layer(axum::middleware::from_fn_with_state(
            shared.clone(),
            gate::gate,
        ))
        .with_state(shared.clone())
}

async fn health() -> Response {
    (
        StatusCode::OK,
        concat!("ok ", env!("CARGO_PKG_VERSION"), "\n"),
    )
        .into_response()
}

async fn open(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let answer = async {
        let body = receive(&shared, &parts, body, MAX_JOINING_BYTES, None).await?;
        let request: OpenEnrolment = decode(&parts, &body.bytes)?;
        count_invitation(&shared, &parts, &request.lookup).await?;
        blocking(move || {
            let (stated, now) = (shared.stated.borrow().clone(), (shared.clock)());
            let anchors = stated.anchors.first().map_or(&[][..], Vec::as_slice);
            shared
                .readers
                .with(|engine| engine.open_enrolment(&request, anchors, &shared.nonces, now))
                .unwrap_or_else(|error| Err(problem(&error)))
        })
        .await?
    };
    match answer.await {
        Ok(opened) => answer_with(&parts, &cbor::to_bytes(&opened)),
        Err(problem) => refuse(problem),
    }
}

async fn claim(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let answer = async {
        let body = receive(&shared, &parts, body, MAX_JOINING_BYTES, None).await?;
        let claim: ClaimEnrolment = decode(&parts, &body.bytes)?;
        count_invitation(&shared, &parts, &claim.lookup).await?;
        let same = shared.clone();
        let take = move |engine: &mut Engine| {
            let (stated, now) = (same.stated.borrow().clone(), (same.clock)());
            engine.claim_enrolment(&claim, &stated.anchors, &same.nonces, now)
        };
        shared.writer.with(take).await
    };
    match answer.await {
        Ok(claimed) => {
            tracing::info!(installation = %claimed.installation, "a phone waits for an officer");
            answer_with(&parts, &cbor::to_bytes(&claimed))
        }
        Err(problem) => refuse(problem),
    }
}

/// What a signed request is answered with.
pub(super) enum Reply {
    /// The bytes of a message.
    Message(Vec<u8>),
    /// Something of another shape.
    Other(Response),
}

impl From<Vec<u8>> for Reply {
    fn from(message: Vec<u8>) -> Self {
        Self::Message(message)
    }
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self::Other(response)
    }
}

/// Takes a signed request through its steps: the sender, the body, what is done with it on a thread that may block, and what is
/// left to the writer. Every answer to a session brings its next nonce.
pub(super) async fn signed<T, F, R>(
    shared: Arc<Shared>,
    request: Request<Body>,
    most: usize,
    who: fn(&Shared, &Parts) -> Result<Authenticated, Unauthenticated>,
    read: impl FnOnce(&Shared, &Parts, &Installation, &[u8]) -> T + Send + 'static,
    finish: impl FnOnce(Arc<Shared>, T) -> F,
) -> Response
where
    T: Send + 'static,
    F: Future<Output = Result<R, ProblemCode>>,
    R: Into<Reply>,
{
    let (parts, body) = request.into_parts();
    let parts = Arc::new(parts);
    let (same, its_parts) = (shared.clone(), parts.clone());
    let sender = blocking(move || who(&same, &its_parts)).await;
    let Authenticated { phone, session } = match sender.unwrap_or_else(|problem| {
        Err(Unauthenticated {
            problem: problem.into(),
            session: None,
        })
    }) {
        Ok(sender) => sender,
        Err(Unauthenticated { problem, session }) => {
            tracing::debug!(problem = ?problem.code, "a request refused");
            throw_away(body, most, Instant::now() + shared.limits.body).await;
            return with_nonce(&shared, session, refuse(problem));
        }
    };
    let answer = async {
        let of = Some(phone.id);
        let body = receive(&shared, &parts, body, most, of).await?;
        let (same, its_parts) = (shared.clone(), parts.clone());
        let (step, _place) = blocking(move || {
            if !is_signed(&its_parts, &body.bytes) {
                return Err(ProblemCode::BadSignature);
            }
            let step = read(&same, &its_parts, &phone, &body.bytes);
            Ok((step, body.place))
        })
        .await??;
        finish(shared.clone(), step).await
    };
    let answer = answer.await;
    let response = match answer {
        Ok(reply) => match reply.into() {
            Reply::Message(bytes) => {
                tracing::debug!(bytes = bytes.len(), "a request answered");
                answer_with(&parts, &bytes)
            }
            Reply::Other(response) => response,
        },
        Err(problem) => {
            tracing::debug!(?problem, "a request refused");
            refuse(problem)
        }
    };
    with_nonce(&shared, Some(session), response)
}

async fn sync(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    signed(
        shared,
        request,
        MAX_SYNC_BYTES,
        authenticate,
        read_sync,
        |shared, step| async move {
            match step? {
                Step::Answered(response) => Ok(response),
                Step::Write(asked) => {
                    let response = shared.writer.sync(*asked).await?;
                    blocking(move || cbor::to_bytes(&response)).await
                }
            }
        },
    )
    .await
}

/// What a request needs after its signature was checked.
enum Step {
    /// It only read: this is the answer.
    Answered(Vec<u8>),
    /// It brought mutations.
    Write(Box<Asked>),
}

/// Answers a sync at once where nothing is to be written.
fn read_sync(
    shared: &Shared,
    parts: &Parts,
    phone: &Installation,
    body: &[u8],
) -> Result<Step, ProblemCode> {
    let request: SyncRequest = decode(parts, body)?;
    let asked = Asked {
        installation: phone.id,
        request,
    };
    if !asked.request.mutations.is_empty() {
        return Ok(Step::Write(Box::new(asked)));
    }
    let answered = shared
        .readers
        .with(|engine| engine.handle_batch(std::slice::from_ref(&asked), (shared.clock)()))
        .map_err(|error| problem(&error))?;
    let mut responses = answered.responses;
    let response = responses.pop().unwrap_or(Err(ProblemCode::Internal))?;
    Ok(Step::Answered(cbor::to_bytes(&response)))
}

/// How a phone's enrolment stands; also asked by phones that nobody has confirmed.
async fn state(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let read = |shared: &Shared, _: &Parts, phone: &Installation, _: &[u8]| {
        let state = shared
            .readers
            .with(|engine| engine.enrolment_state(phone, (shared.clock)()))
            .map_err(|error| problem(&error))?;
        Ok(cbor::to_bytes(&state?))
    };
    signed(
        shared,
        request,
        MAX_JOINING_BYTES,
        authenticate_any,
        read,
        |_, answer| async { answer },
    )
    .await
}

async fn phones(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let read = |shared: &Shared, parts: &Parts, phone: &Installation, body: &[u8]| {
        let request = decode(parts, body)?;
        if writes(&request) {
            return Ok(Err((phone.clone(), request)));
        }
        let answered = shared
            .readers
            .with(|engine| engine.handle_phones(phone, &request, &shared.nonces, (shared.clock)()))
            .map_err(|error| problem(&error))?;
        Ok(Ok(answered.answer?))
    };
    signed(
        shared,
        request,
        MAX_PHONES_BYTES,
        authenticate,
        read,
        |shared, step| async move {
            let answer = match step? {
                Ok(answer) => answer,
                Err((phone, request)) => {
                    let same = shared.clone();
                    let write = move |engine: &mut Engine| {
                        let answered =
                            engine.handle_phones(&phone, &request, &same.nonces, (same.clock)())?;
                        let scopes = Some(answered.changed).filter(|scopes| !scopes.is_empty());
                        for changed in scopes
                            .map(|scopes| Changed::Scopes(Arc::new(scopes)))
                            .into_iter()
                            .chain(answered.revoked.map(Changed::Phone))
                        {
                            // Without listeners nobody needs to know.
                            drop(same.changed.send(changed));
                        }
                        Ok(answered.answer)
                    };
                    shared.writer.with(write).await?
                }
            };
            Ok(cbor::to_bytes(&answer))
        },
    )
    .await
}

async fn wake_up(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    signed(
        shared,
        request,
        NO_BODY,
        authenticate,
        |_, _, phone, _| (phone.id, phone.member),
        |shared, (phone, member)| async move { wake::stream(&shared, phone, member).await },
    )
    .await
}

/// Counts a step of joining by its invitation, and by the cell of who is invited. A lookup value of another length finds none,
/// and costs nothing.
async fn count_invitation(
    shared: &Arc<Shared>,
    parts: &Parts,
    lookup: &[u8],
) -> Result<(), ProblemCode> {
    let Ok(lookup) = <[u8; 32]>::try_from(lookup) else {
        return Ok(());
    };
    gate::count(shared, parts, Counted::Invitation(lookup))?;
    let same = shared.clone();
    let cell = blocking(move || same.readers.with(|engine| engine.cell_invited(&lookup))).await?;
    match cell.map_err(|error| problem(&error))? {
        Some(cell) => gate::count(shared, parts, Counted::EnrolmentIn(cell)),
        None => Ok(()),
    }
}

/// Reads a message out of a body, which may be compressed.
pub(super) fn decode<T: for<'b> minicbor::Decode<'b, ()>>(
    parts: &Parts,
    body: &[u8],
) -> Result<T, ProblemCode> {
    let plain;
    let bytes = match text(&parts.headers, &header::CONTENT_ENCODING) {
        Some(coding) if coding.eq_ignore_ascii_case("zstd") => {
            plain = decompress(body)?;
            plain.as_slice()
        }
        Some(coding) if !coding.eq_ignore_ascii_case("identity") => {
            return Err(ProblemCode::Malformed);
        }
        _ => body,
    };
    shape::check(bytes).map_err(|why| match why {
        Misshapen::Broken | Misshapen::TooDeep => ProblemCode::Malformed,
        Misshapen::ListTooLong | Misshapen::TextTooLong => ProblemCode::TooLarge,
    })?;
    cbor::from_bytes(bytes).map_err(|_| ProblemCode::Malformed)
}

/// Runs on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ProblemCode> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| ProblemCode::Internal)
}

fn answer_with(parts: &Parts, body: &[u8]) -> Response {
    let accepts = text(&parts.headers, &header::ACCEPT_ENCODING).is_some_and(accepts_zstd);
    let media = (header::CONTENT_TYPE, MEDIA_TYPE);
    match accepts.then(|| compress(body)).flatten() {
        Some(smaller) => ([media, (header::CONTENT_ENCODING, "zstd")], smaller).into_response(),
        None => ([media], body.to_vec()).into_response(),
    }
}

/// A refusal.
pub(super) fn refuse(problem: impl Into<Problem>) -> Response {
    let problem = problem.into();
    let code = problem.code;
    let status = match code {
        ProblemCode::InvitationUnusable
        | ProblemCode::MayNotHandOver
        | ProblemCode::NotConfirmed
        | ProblemCode::NotApproved => StatusCode::FORBIDDEN,
        ProblemCode::UnknownInstallation
        | ProblemCode::UnknownSession
        | ProblemCode::BadSignature
        | ProblemCode::StaleNonce => StatusCode::UNAUTHORIZED,
        ProblemCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ProblemCode::Busy => StatusCode::SERVICE_UNAVAILABLE,
        ProblemCode::NumberGap | ProblemCode::WrongBlob => StatusCode::CONFLICT,
        ProblemCode::NoSuchRange => StatusCode::RANGE_NOT_SATISFIABLE,
        ProblemCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ProblemCode::NoSuchRoute | ProblemCode::NoSuchBlob => StatusCode::NOT_FOUND,
        ProblemCode::UnsupportedProtocol | ProblemCode::Malformed | ProblemCode::Unknown { .. } => {
            StatusCode::BAD_REQUEST
        }
    };
    let mut response = (
        status,
        [(header::CONTENT_TYPE, MEDIA_TYPE)],
        cbor::to_bytes(&problem),
    )
        .into_response();
    if code == ProblemCode::Busy {
        // Long enough that those sent away do not make it worse; phones add chance to it.
        let seconds = HeaderValue::from_static("5");
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

/// Adds the nonce for the session's next request.
pub(super) fn with_nonce(
    shared: &Shared,
    session: Option<SessionKey>,
    mut response: Response,
) -> Response {
    if let Some(key) = session
        && let Ok(nonce) = HeaderValue::from_str(&shared.nonces.for_session(&key, (shared.clock)()))
    {
        response.headers_mut().insert(NONCE_HEADER, nonce);
    }
    response
}
