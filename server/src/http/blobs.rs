//! Handing blobs over and fetching them, in ranges: both go on where they stopped.
//!
//! What is not shown to the member, what no record names and what is not here have one answer.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sotay_model::blob::MAX_BLOB_BYTES;
use sotay_model::wire::{BLOBS, BlobState, MAX_RANGE_BYTES, MEDIA_TYPE, ProblemCode};
use sotay_model::{BlobDigest, RecordKey, Scope, cbor};

use super::Shared;
use super::authentication::{authenticate, text};
use super::bodies::{MAX_SYNC_BYTES, NO_BODY};
use super::routes::{refuse, signed};
use super::writer::problem;
use crate::blobs::{Appended, Part};
use crate::storage::Installation;

/// `GET /v1/blobs/<sha256>?record=<home>/<id>` with `Range: bytes=<from>-<to>` or `bytes=<from>-`.
pub(super) async fn fetch(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    answered(shared, request, NO_BODY, part_of_blob).await
}

/// `PUT /v1/blobs/<sha256>?home=<scope>&from=<n>&size=<n>`; without bytes it only asks how far it is.
pub(super) async fn hand_over(
    State(shared): State<Arc<Shared>>,
    request: Request<Body>,
) -> Response {
    answered(shared, request, MAX_SYNC_BYTES, append).await
}

type Answer = fn(&Shared, &Parts, &Installation, &[u8]) -> Result<Response, ProblemCode>;

async fn answered(
    shared: Arc<Shared>,
    request: Request<Body>,
    most: usize,
    answer: Answer,
) -> Response {
    let finish = |_, response| async { response };
    signed(shared, request, most, authenticate, answer, finish).await
}

fn part_of_blob(
    shared: &Shared,
    parts: &Parts,
    phone: &Installation,
    _: &[u8],
) -> Result<Response, ProblemCode> {
    let (digest, record) = to_fetch(parts)?;
    let range = text(&parts.headers, &header::RANGE).ok_or(ProblemCode::Malformed)?;
    let (from, to) = parse_range(range).ok_or(ProblemCode::Malformed)?;
    let named = shared
        .readers
        .with(|engine| engine.blob_shown(phone.member, record, digest, (shared.clock)()))
        .map_err(|error| problem(&error))?
        .ok_or(ProblemCode::NoSuchBlob)?;
    if from >= named.size {
        let mut response = refuse(ProblemCode::NoSuchRange);
        if let Ok(size) = HeaderValue::from_str(&format!("bytes */{}", named.size)) {
            response.headers_mut().insert(header::CONTENT_RANGE, size);
        }
        return Ok(response);
    }
    // A server may send less than was asked for (RFC 9110 §15.3.7); the phone asks for the rest.
    let to = to
        .min(named.size - 1)
        .min(from.saturating_add(MAX_RANGE_BYTES - 1));
    let bytes = shared
        .blobs
        .read(record.home, digest, from, to)
        .map_err(|error| failed(&error))?
        .ok_or(ProblemCode::NoSuchBlob)?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (
            header::CONTENT_RANGE,
            format!("bytes {from}-{to}/{}", named.size),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((StatusCode::PARTIAL_CONTENT, headers, bytes).into_response())
}

fn append(
    shared: &Shared,
    parts: &Parts,
    phone: &Installation,
    bytes: &[u8],
) -> Result<Response, ProblemCode> {
    let (digest, home, from, size) = handed_over(parts)?;
    if size > MAX_BLOB_BYTES.into() {
        return Err(ProblemCode::TooLarge);
    }
    if size == 0 {
        return Err(ProblemCode::Malformed);
    }
    let allowed = shared
        .readers
        .with(|engine| engine.may_hand_over(phone.member, home, (shared.clock)()))
        .map_err(|error| problem(&error))?;
    // One that was removed is not taken again; the mutation that names it is refused for a reason that says so.
    if !allowed || is_spill(shared, digest)? {
        return Err(ProblemCode::MayNotHandOver);
    }
    let part = Part {
        phone: phone.id,
        home,
        digest,
        size,
    };
    match shared.blobs.append(&part, from, bytes) {
        Ok(Appended::Received(_)) if is_spill(shared, digest)? => {
            // Removed while these bytes came.
            shared
                .blobs
                .remove(digest)
                .map_err(|error| failed(&error))?;
            Err(ProblemCode::MayNotHandOver)
        }
        Ok(Appended::Received(received)) => {
            let state = cbor::to_bytes(&BlobState { received });
            Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], state).into_response())
        }
        Ok(Appended::Wrong) => Err(ProblemCode::WrongBlob),
        Err(error) => Err(failed(&error)),
    }
}

fn is_spill(shared: &Shared, file: BlobDigest) -> Result<bool, ProblemCode> {
    shared
        .readers
        .with(|engine| engine.is_spill(file))
        .map_err(|error| problem(&error))
}

fn failed(error: &std::io::Error) -> ProblemCode {
    tracing::error!(%error, "the blobs");
    ProblemCode::Internal
}

/// Which blob of which record is asked for.
pub(super) fn to_fetch(parts: &Parts) -> Result<(BlobDigest, RecordKey), ProblemCode> {
    let [record] = query(parts, ["record"])?;
    let record = record.parse().map_err(|_| ProblemCode::Malformed)?;
    Ok((digest_in(parts)?, record))
}

/// Which blob is handed over: at which home, from which byte, how large it is.
pub(super) fn handed_over(parts: &Parts) -> Result<(BlobDigest, Scope, u64, u64), ProblemCode> {
    let [home, from, size] = query(parts, ["home", "from", "size"])?;
    let home = home.parse().map_err(|_| ProblemCode::Malformed)?;
    let (from, size) = number(from)
        .zip(number(size))
        .ok_or(ProblemCode::Malformed)?;
    Ok((digest_in(parts)?, home, from, size))
}

fn digest_in(parts: &Parts) -> Result<BlobDigest, ProblemCode> {
    let name = parts.uri.path().strip_prefix(BLOBS);
    name.and_then(|name| name.parse().ok())
        .ok_or(ProblemCode::Malformed)
}

/// Exactly these parameters, each once, in this order: so a request has one spelling.
fn query<'p, const N: usize>(
    parts: &'p Parts,
    names: [&str; N],
) -> Result<[&'p str; N], ProblemCode> {
    let mut pairs = parts.uri.query().unwrap_or_default().split('&');
    let mut values = [""; N];
    for (value, name) in values.iter_mut().zip(names) {
        let pair = pairs.next().and_then(|pair| pair.split_once('='));
        *value = match pair {
            Some((found, value)) if found == name => value,
            _ => return Err(ProblemCode::Malformed),
        };
    }
    if pairs.next().is_some() {
        return Err(ProblemCode::Malformed);
    }
    Ok(values)
}

/// `bytes=<from>-<to>` or `bytes=<from>-`: one range, counted from the beginning.
pub(super) fn parse_range(range: &str) -> Option<(u64, u64)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let from = number(from)?;
    let to = if to.is_empty() { u64::MAX } else { number(to)? };
    (from <= to).then_some((from, to))
}

/// Decimal digits and nothing else.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_from_the_beginning_is_read_and_nothing_else() {
        assert_eq!(parse_range("bytes=0-0"), Some((0, 0)));
        assert_eq!(parse_range("bytes=5-"), Some((5, u64::MAX)));
        for wrong in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=-5",
            "bytes=5",
            "bytes=5-4",
            "bytes=a-b",
            "bytes=0-1,3-4",
            "bytes=0-5,2-9",
            "bytes= 0-1",
            "bytes=+1-2",
            "chunks=0-1",
            "bytes=0x1-2",
            "bytes=99999999999999999999-",
        ] {
            assert_eq!(parse_range(wrong), None, "{wrong}");
        }
    }
}
