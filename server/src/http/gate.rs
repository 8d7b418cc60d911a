//! Before every route: who asks, by address, and whether too often.
//!
//! What is counted later, when the phone or the invitation is known, goes through [`count`]; a refusal of either kind
//! becomes `429` with `Retry-After` here.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use sotay_model::statement::STATEMENT_HEADER;
use sotay_model::wire::ProblemCode;
use sotay_model::{MemberId, OrganisationId, Timestamp};

use super::Shared;
use super::authentication::text;
use super::limits::{Counted, TooOften};
use super::routes::refuse;
use super::writer::problem;
use crate::storage::Installation;

/// Where a connection comes from; of a socket file nothing is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) Option<IpAddr>);

/// In which header the proxy in front says whom it speaks for. It must write that header itself, over whatever came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `Forwarded`, RFC 7239: `for=` of its last element.
    Forwarded,
    /// `X-Forwarded-For`: its last element.
    XForwardedFor,
}

/// Why a request was refused on its way through the handlers.
#[derive(Clone, Default)]
struct Held(Arc<OnceLock<TooOften>>);

const ENROLMENT: &str = "/v1/enrolment/";

/// Counts a request by its address.
pub(super) async fn gate(
    State(shared): State<Arc<Shared>>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let now = (shared.clock)();
    let address = address_of(&shared, &request);
    let mut allowed = shared.limiter.allow(Counted::Address(address), now);
    if allowed.is_ok() && request.uri().path().starts_with(ENROLMENT) {
        allowed = shared.limiter.allow(Counted::EnrolmentFrom(address), now);
    }
    if let Err(too_often) = allowed {
        return wait(refuse(ProblemCode::Busy), too_often);
    }
    let held = Held::default();
    request.extensions_mut().insert(held.clone());
    let stated = text(
        request.headers(),
        &HeaderName::from_static(STATEMENT_HEADER),
    )
    .and_then(|serial| serial.parse::<u64>().ok());
    let mut response = next.run(request).await;
    if let Some(known) = stated
        && response.status().is_success()
    {
        hand_statement(&shared, known, &mut response);
    }
    match held.0.get() {
        Some(too_often) => wait(response, *too_often),
        None => response,
    }
}

/// Adds the organisation's statement for a phone that has an older one. What stands in it is no secret.
fn hand_statement(shared: &Shared, known: u64, response: &mut Response) {
    let stated = shared.stated.borrow();
    if stated.serial > known
        && let Ok(statement) = HeaderValue::from_str(&stated.header)
    {
        response.headers_mut().insert(STATEMENT_HEADER, statement);
    }
}

/// Takes a token for a request that is being handled.
pub(super) fn count(shared: &Shared, parts: &Parts, what: Counted) -> Result<(), ProblemCode> {
    shared
        .limiter
        .allow(what, (shared.clock)())
        .map_err(|too_often| {
            if let Some(held) = parts.extensions.get::<Held>() {
                // The first refusal is the one that counts.
                let _ = held.0.set(too_often);
            }
            ProblemCode::Busy
        })
}

/// Takes a token of a phone, and one of its member's cell. May read from the database.
pub(super) fn count_phone(
    shared: &Shared,
    parts: &Parts,
    phone: &Installation,
) -> Result<(), ProblemCode> {
    count(shared, parts, Counted::Phone(phone.id))?;
    let now = (shared.clock)();
    let cell = match shared.cells.get(phone.member, now) {
        Some(known) => known,
        None => {
            let found = shared
                .readers
                .with(|engine| engine.cell_of(phone.member))
                .map_err(|error| problem(&error))?;
            shared.cells.put(phone.member, found, now);
            found
        }
    };
    cell.map_or(Ok(()), |cell| count(shared, parts, Counted::Cell(cell)))
}

/// Which cell a member belongs to, as it was known lately: only for counting.
#[derive(Debug, Default)]
pub(super) struct Cells(Mutex<HashMap<MemberId, (Option<OrganisationId>, Timestamp)>>);

impl Cells {
    const MOST: usize = 64 << 10;
    const MINUTES: i64 = 60;

    #[allow(clippy::option_option, reason = "unknown, or known to be none")]
    fn get(&self, member: MemberId, now: Timestamp) -> Option<Option<OrganisationId>> {
        let cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (cell, at) = cells.get(&member)?;
        (*at <= now && now < at.plus_minutes(Self::MINUTES)).then_some(*cell)
    }

    fn put(&self, member: MemberId, cell: Option<OrganisationId>, now: Timestamp) {
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cells.len() >= Self::MOST {
            cells.clear();
        }
        cells.insert(member, (cell, now));
    }
}

fn wait(mut response: Response, too_often: TooOften) -> Response {
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let seconds = HeaderValue::from(too_often.retry_after_s);
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}

/// The address that asks: the connection's, or the one that the proxy names if there is one.
fn address_of(shared: &Shared, request: &Request<Body>) -> IpAddr {
    let peer = request.extensions().get::<Peer>().and_then(|peer| peer.0);
    let behind = shared
        .proxy
        .and_then(|header| forwarded(request.headers(), header));
    // Without either, everybody shares a bucket.
    behind.or(peer).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// The last address of the header that the proxy writes: what stands before it, anybody may have written.
fn forwarded(headers: &HeaderMap, which: ProxyHeader) -> Option<IpAddr> {
    let name = match which {
        ProxyHeader::Forwarded => header::FORWARDED,
        ProxyHeader::XForwardedFor => header::HeaderName::from_static("x-forwarded-for"),
    };
    let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    let last = line.rsplit(',').next()?.trim();
    match which {
        ProxyHeader::XForwardedFor => address(last),
        ProxyHeader::Forwarded => last.split(';').find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            name.eq_ignore_ascii_case("for")
                .then(|| address(value.trim_matches('"')))
                .flatten()
        }),
    }
}

/// With or without a port, IPv6 with or without brackets.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    let without_port = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None if text.matches(':').count() == 1 => text.split_once(':')?.0,
        None => text,
    };
    without_port.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_behind_a_proxy_only_what_the_proxy_wrote_last_counts() {
        let read = |name: &'static str, values: &[&'static str], which| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(name, HeaderValue::from_static(value));
            }
            forwarded(&headers, which).map(|found| found.to_string())
        };
        let x = |values| read("x-forwarded-for", values, ProxyHeader::XForwardedFor);
        assert_eq!(x(&["203.0.113.7"]).as_deref(), Some("203.0.113.7"));
        assert_eq!(x(&["1.1.1.1, 203.0.113.7"]).as_deref(), Some("203.0.113.7"));
        assert_eq!(
            x(&["1.1.1.1", "203.0.113.7:90"]).as_deref(),
            Some("203.0.113.7")
        );
        assert_eq!(x(&["2001:db8::1"]).as_deref(), Some("2001:db8::1"));
        assert_eq!(x(&["unknown"]), None);
        assert_eq!(x(&[]), None);
        let f = |values| read("forwarded", values, ProxyHeader::Forwarded);
        assert_eq!(
            f(&["for=192.0.2.60;proto=https"]).as_deref(),
            Some("192.0.2.60")
        );
        assert_eq!(
            f(&["for=1.1.1.1, proto=https;For=\"[2001:db8::9]:4711\""]).as_deref(),
            Some("2001:db8::9")
        );
        assert_eq!(f(&["by=_secret"]), None);
        // The header that the operator did not name is not looked at.
        assert_eq!(
            read("x-forwarded-for", &["203.0.113.7"], ProxyHeader::Forwarded),
            None
        );
    }
}
