//! The readers of foreign bytes, each alone, for the fuzzer's targets: never in a server that serves.
//!
//! Nothing here reads by itself: each function is the one that the server runs.

use axum::http::{HeaderMap, Request};
use sotay_model::signature::Headers;
use sotay_model::wire::{OpenEnrolment, ProblemCode, SyncRequest};
use sotay_model::{BlobDigest, OrganisationId, RecordKey, Scope};

use super::{authentication, blobs, coding, gate, routes};
use crate::commune::{self, ListFault, MemberRow, RowFault, Rows};

/// Unpacks the body of a request.
pub fn unpacked(packed: &[u8]) -> Result<Vec<u8>, ProblemCode> {
    coding::decompress(packed)
}

/// Compresses the body of a response, where that helps.
pub fn packed(body: &[u8]) -> Option<Vec<u8>> {
    coding::compress(body)
}

/// Whether `Accept-Encoding` allows zstd.
pub fn accepts_zstd(list: &str) -> bool {
    coding::accepts_zstd(list)
}

/// Reads a request to sync out of a body, which may be compressed as the head says.
pub fn sync_request(
    content_encoding: Option<&str>,
    body: &[u8],
) -> Result<SyncRequest, ProblemCode> {
    let mut request = Request::builder();
    if let Some(coding) = content_encoding {
        request = request.header("content-encoding", coding);
    }
    let (parts, ()) = request
        .body(())
        .map_err(|_| ProblemCode::Malformed)?
        .into_parts();
    routes::decode(&parts, body)
}

/// Reads a request to open an enrolment.
pub fn open_enrolment(body: &[u8]) -> Result<OpenEnrolment, ProblemCode> {
    let (parts, ()) = Request::new(()).into_parts();
    routes::decode(&parts, body)
}

/// The headers of a signature; none where one is missing or stands twice.
pub fn signature_headers(headers: &HeaderMap) -> Option<Headers> {
    authentication::signature_headers(headers)
}

/// Reads the value of `Range`.
pub fn range(value: &str) -> Option<(u64, u64)> {
    blobs::parse_range(value)
}

/// Reads the address of a blob that is fetched.
pub fn blob_to_fetch(uri: &str) -> Result<(BlobDigest, RecordKey), ProblemCode> {
    blobs::to_fetch(&parts_of(uri)?)
}

/// Reads the address of a blob that is handed over: its digest, where, from which byte, how large.
pub fn blob_handed_over(uri: &str) -> Result<(BlobDigest, Scope, u64, u64), ProblemCode> {
    blobs::handed_over(&parts_of(uri)?)
}

fn parts_of(uri: &str) -> Result<axum::http::request::Parts, ProblemCode> {
    let request = Request::builder().uri(uri).body(());
    let (parts, ()) = request.map_err(|_| ProblemCode::Malformed)?.into_parts();
    Ok(parts)
}

/// Reads the first sheet of an .xlsx file.
pub fn xlsx(bytes: &[u8]) -> Result<Rows, ListFault> {
    commune::read_xlsx(std::io::Cursor::new(bytes))
}

/// Reads the members of a list.
pub fn members(
    rows: &Rows,
    cell_of: impl Fn(&str) -> Option<OrganisationId>,
) -> Result<Vec<MemberRow>, Vec<RowFault>> {
    commune::interpret(rows, cell_of)
}

/// Reads the address that a proxy names.
pub fn forwarded_address(text: &str) -> Option<std::net::IpAddr> {
    gate::address(text)
}
