//! Who sent a request: nonce and signature first, then the session, then the phone. Nothing is written before all of them hold,
//! and nothing is read from the database before the signature does. All of it from the head, in which the body's digest is
//! signed: a body is taken only from a phone that is known.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use sotay_model::InstallationId;
use sotay_model::session::{SESSION_HEADER, SessionCertificate};
use sotay_model::signature::{self, Headers, Request, SessionKey};
use sotay_model::wire::{Problem, ProblemCode};

use super::writer::problem;
use super::{Shared, gate};
use crate::storage::Installation;

/// Why a request is not answered, and the session whose next nonce goes with that answer.
pub(super) struct Unauthenticated {
    pub(super) problem: Problem,
    pub(super) session: Option<SessionKey>,
}

/// The phone that signed a request.
pub(super) struct Authenticated {
    pub(super) phone: Installation,
    pub(super) session: SessionKey,
}

/// The active phone that signed a request. Blocks: reads the phone's key from the database.
pub(super) fn authenticate(
    shared: &Shared,
    parts: &Parts,
) -> Result<Authenticated, Unauthenticated> {
    let authenticated = authenticate_any(shared, parts)?;
    if authenticated.phone.active_since.is_some() {
        Ok(authenticated)
    } else {
        Err(Unauthenticated {
            problem: ProblemCode::NotConfirmed.into(),
            session: Some(authenticated.session),
        })
    }
}

/// The phone that signed a request, whether an officer has confirmed it or not; none that was revoked after it was confirmed. Blocks.
pub(super) fn authenticate_any(
    shared: &Shared,
    parts: &Parts,
) -> Result<Authenticated, Unauthenticated> {
    let unsigned = || Unauthenticated {
        problem: ProblemCode::BadSignature.into(),
        session: None,
    };
    let headers = signature_headers(&parts.headers).ok_or_else(unsigned)?;
    let parameters = signature::parse(&headers.signature_input).map_err(|_| unsigned())?;
    let session = parameters.key;
    let refuse = |problem: Problem| Unauthenticated {
        problem,
        session: Some(session),
    };
    let now = (shared.clock)();
    let stale = || refuse(ProblemCode::StaleNonce.into());
    let given_out = shared
        .nonces
        .fresh_for_session(&session, parameters.nonce(), now)
        .ok_or_else(stale)?;
    let host = text(&parts.headers, &header::HOST).unwrap_or_default();
    let authority = signature::authority(host);
    let request = Request {
        method: parts.method.as_str(),
        authority: &authority,
        path: parts.uri.path(),
        query: parts.uri.query(),
        body: &[],
    };
    signature::verify_head(&request, &headers, &parameters)
        .map_err(|_| refuse(ProblemCode::BadSignature.into()))?;

    let (phone, certificate) = match shared.sessions.phone(&session, now) {
        Some(phone) => (phone, None),
        None => certificate(&parts.headers, &session)
            .map(|certificate| (certificate.installation, Some(certificate)))
            .ok_or_else(|| refuse(ProblemCode::UnknownSession.into()))?,
    };
    let until = match &certificate {
        Some(certificate) => shared
            .nonces
            .session_ends(&session, &certificate.nonce)
            .filter(|until| now <= *until)
            .ok_or_else(|| refuse(ProblemCode::UnknownSession.into()))?,
        None => now,
    };
    let known = shared
        .readers
        .with(|engine| engine.installation(phone))
        .map_err(|error| refuse(problem(&error).into()))?
        .ok_or_else(|| refuse(ProblemCode::UnknownInstallation.into()))?;
    if let Some(certificate) = certificate {
        if !certificate.fits(&known.device) {
            return Err(refuse(ProblemCode::BadSignature.into()));
        }
        shared.sessions.remember(session, phone, until, now);
    }
    if known.active_since.is_some() && known.revoked_at.is_some() {
        return Err(refuse(revoked(shared, &known, phone)));
    }
    // Only what really comes from the phone is counted as its own: nobody can use up another's tokens.
    gate::count_phone(shared, parts, &known).map_err(|problem| refuse(problem.into()))?;
    // Last, so that a phone may send again what was refused for another reason.
    let signature = headers.signature.as_bytes();
    if !shared.nonces.is_first(signature, given_out, now) {
        return Err(stale());
    }
    Ok(Authenticated {
        phone: known,
        session,
    })
}

/// Whether a body is the one whose digest the verified head declares.
pub(super) fn is_signed(parts: &Parts, body: &[u8]) -> bool {
    let declared = HeaderName::from_static(signature::CONTENT_DIGEST);
    text(&parts.headers, &declared)
        .is_some_and(|declared| declared == signature::content_digest(body))
}

/// What a revoked phone is told. It proved that it is this phone; so nobody else learns of the revocation.
fn revoked(shared: &Shared, phone: &Installation, id: InstallationId) -> Problem {
    Problem {
        revocation: phone
            .revoked_at
            .map(|at| shared.stated.borrow().organisation.revocation(id, at)),
        ..ProblemCode::UnknownInstallation.into()
    }
}

/// The certificate that came with a request, if it is this session's.
fn certificate(headers: &HeaderMap, session: &SessionKey) -> Option<SessionCertificate> {
    let header = text(headers, &HeaderName::from_static(SESSION_HEADER))?;
    SessionCertificate::from_header(header).filter(|certificate| certificate.key == session)
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
