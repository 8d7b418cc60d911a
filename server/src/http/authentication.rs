//! Who sent a request: nonce first, then the phone, then the signature. Nothing is written before all three hold.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use sotay_model::InstallationId;
use sotay_model::signature::{self, Headers, Request};
use sotay_model::wire::ProblemCode;

use super::writer::problem;
use super::{Shared, gate};
use crate::storage::Installation;

/// Why a request is not answered, and whose next nonce goes with that answer.
pub(super) struct Unauthenticated {
    pub(super) problem: ProblemCode,
    pub(super) phone: Option<InstallationId>,
}

/// The phone that signed a request. Blocks: reads the phone's key from the database.
pub(super) fn authenticate(
    shared: &Shared,
    parts: &Parts,
    body: &[u8],
) -> Result<Installation, Unauthenticated> {
    let unsigned = Unauthenticated {
        problem: ProblemCode::BadSignature,
        phone: None,
    };
    let Some(headers) = signature_headers(&parts.headers) else {
        return Err(unsigned);
    };
    let Ok(parameters) = signature::parse(&headers.signature_input) else {
        return Err(unsigned);
    };
    let phone = parameters.key_id;
    let refuse = |problem| Unauthenticated {
        problem,
        phone: Some(phone),
    };

    if !shared
        .nonces
        .is_fresh_for_phone(phone, parameters.nonce(), (shared.clock)())
    {
        return Err(refuse(ProblemCode::StaleNonce));
    }
    let known = shared
        .readers
        .with(|engine| engine.installation(phone))
        .map_err(|error| refuse(problem(&error)))?;
    let installation = known.ok_or_else(|| refuse(ProblemCode::UnknownInstallation))?;
    let host = text(&parts.headers, &header::HOST).unwrap_or_default();
    let authority = signature::authority(host);
    let request = Request {
        method: parts.method.as_str(),
        authority: &authority,
        path: parts.uri.path(),
        query: parts.uri.query(),
        body,
    };
    match signature::verify(&request, &headers, &installation.public_key) {
        // Only what really comes from the phone is counted as its own: nobody can use up another's tokens.
        Ok(_) => match gate::count_phone(shared, parts, &installation) {
            Ok(()) => Ok(installation),
            Err(problem) => Err(refuse(problem)),
        },
        Err(_) => Err(refuse(ProblemCode::BadSignature)),
    }
}

pub(super) fn signature_headers(headers: &HeaderMap) -> Option<Headers> {
    let owned =
        |name: &'static str| text(headers, &HeaderName::from_static(name)).map(str::to_owned);
    Some(Headers {
        content_digest: owned(signature::CONTENT_DIGEST)?,
        signature_input: owned(signature::SIGNATURE_INPUT)?,
        signature: owned(signature::SIGNATURE)?,
    })
}

/// A header that stands there exactly once.
pub(super) fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        None
    } else {
        value.to_str().ok()
    }
}
