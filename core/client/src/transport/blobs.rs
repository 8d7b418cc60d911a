//! Ranges of blobs, up and down.

use reqwest::header::{ACCEPT, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use reqwest::{Method, RequestBuilder, StatusCode};
use sotay_model::wire::{BLOBS, BlobState, MEDIA_TYPE, ProblemCode};
use sotay_model::{BlobDigest, NamedBlob, RecordKey, Scope, cbor};

use super::{Answer, Reply, Transport};
use crate::error::{HandbookError, ServerFault};
use crate::session::Signer;

/// Bytes that the phone wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    /// The record that names the blob.
    pub(crate) record: RecordKey,
    /// Which blob.
    pub(crate) digest: BlobDigest,
    /// The first byte.
    pub(crate) from: u64,
    /// How many: at least one, and no more than a server sends at once.
    pub(crate) length: usize,
}

/// What a server said to that.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// Exactly those bytes, not checked yet.
    Bytes(Vec<u8>),
    /// A refusal, and the status it came with.
    Problem(ProblemCode, u16),
}

/// What a server said to bytes handed over.
#[derive(Debug)]
pub(crate) enum HandedOver {
    /// It has so many bytes now.
    Received(u64),
    /// A refusal, and the status it came with.
    Problem(ProblemCode, u16),
}

impl Transport {
    /// Asks for a range of a blob.
    pub(crate) async fn fetch_range(
        &self,
        signer: &Signer,
        range: &Range,
    ) -> Result<Fetched, HandbookError> {
        let path = format!("{BLOBS}{}?record={}", range.digest, range.record);
        let last = range.from + range.length as u64 - 1;
        let wanted = format!("bytes={}-{last}", range.from);
        let dress = |request: RequestBuilder| {
            request
                .header(RANGE, &wanted)
                .header(ACCEPT, "application/octet-stream")
        };
        let reply = self.send_signed(signer, Method::GET, &path, Vec::new(), &dress);
        let mut response = match reply.await? {
            Reply::Problem(code, status) => return Ok(Fetched::Problem(code, status)),
            Reply::Response(response) if response.status() == StatusCode::PARTIAL_CONTENT => {
                response
            }
            // What was sent instead says what kind of server, or network, it is.
            Reply::Response(response) => {
                self.answer(response).await?;
                return Err(self.unexpected(ServerFault::Protocol));
            }
        };
        let told = response
            .headers()
            .get(CONTENT_RANGE)
            .and_then(|told| told.to_str().ok())
            .unwrap_or_default();
        if !told.starts_with(&format!("bytes {}-{last}/", range.from)) {
            return Err(self.unexpected(ServerFault::Protocol));
        }
        let mut bytes = Vec::with_capacity(range.length);
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() > range.length => {
                    return Err(self.unexpected(ServerFault::TooLarge));
                }
                Ok(Some(chunk)) => {
                    self.count_down(&chunk);
                    bytes.extend_from_slice(&chunk);
                }
                Ok(None) => break,
                Err(error) if error.is_timeout() => return Err(self.failed(&error)),
                Err(_) => return Err(self.unexpected(ServerFault::Truncated)),
            }
        }
        if bytes.len() != range.length {
            return Err(self.unexpected(ServerFault::Truncated));
        }
        Ok(Fetched::Bytes(bytes))
    }

    /// Hands bytes of a blob over that begin at `from`; without bytes it asks how far the server is.
    pub(crate) async fn hand_over(
        &self,
        signer: &Signer,
        home: Scope,
        named: NamedBlob,
        from: u64,
        bytes: Vec<u8>,
    ) -> Result<HandedOver, HandbookError> {
        let path = format!(
            "{BLOBS}{}?home={home}&from={from}&size={}",
            named.digest, named.size
        );
        let dress = |request: RequestBuilder| {
            request
                .header(CONTENT_TYPE, "application/octet-stream")
                .header(ACCEPT, MEDIA_TYPE)
        };
        let reply = self.send_signed(signer, Method::PUT, &path, bytes, &dress);
        let answer = match reply.await? {
            Reply::Response(response) => self.answer(response).await?,
            Reply::Problem(code, status) => Answer::Problem(code, status),
        };
        match answer {
            Answer::Problem(code, status) => Ok(HandedOver::Problem(code, status)),
            Answer::Message(message) => cbor::from_bytes::<BlobState>(&message)
                .map(|state| HandedOver::Received(state.received))
                .map_err(|_| self.unexpected(ServerFault::Unreadable)),
        }
    }

    /// A refusal to do with a blob, as a person meets it.
    pub(crate) fn refused_blob(&self, code: ProblemCode, status: u16) -> HandbookError {
        match code {
            ProblemCode::NoSuchBlob => HandbookError::NotHere,
            code => self.refused(code, status),
        }
    }
}
