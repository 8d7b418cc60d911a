//! Ranges of blobs, up and down.

use reqwest::StatusCode;
use reqwest::header::{ACCEPT, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use sotay_model::wire::{BLOBS, BlobState, MEDIA_TYPE, ProblemCode};
use sotay_model::{BlobDigest, NamedBlob, RecordKey, Scope, cbor};

use super::{Answer, Signer, Transport};
use crate::error::{HandbookError, ServerFault};

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
    /// Asks for a range of a blob; once more where the server wants a fresh nonce.
    pub(crate) async fn fetch_range(
        &self,
        signer: &Signer,
        range: &Range,
    ) -> Result<Fetched, HandbookError> {
        let path = format!("{BLOBS}{}?record={}", range.digest, range.record);
        let last = range.from + range.length as u64 - 1;
        let mut again = true;
        loop {
            let sent = self
                .client
                .get(format!("https://{}{path}", self.address))
                .headers(self.signed("GET", &path, &[], signer)?)
                .header(RANGE, format!("bytes={}-{last}", range.from))
                .header(ACCEPT, "application/octet-stream")
                .send()
                .await;
            let mut response = match sent {
                Ok(response) if response.status() == StatusCode::PARTIAL_CONTENT => response,
                other => match self.answer(other).await? {
                    Answer::Problem(ProblemCode::StaleNonce, _) if std::mem::take(&mut again) => {
                        continue;
                    }
                    Answer::Problem(code, status) => return Ok(Fetched::Problem(code, status)),
                    Answer::Message(_) => return Err(self.unexpected(ServerFault::Protocol)),
                },
            };
            self.remember_nonce(response.headers());
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
            return Ok(Fetched::Bytes(bytes));
        }
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
        let mut again = true;
        loop {
            self.count_up(&bytes);
            let request = self
                .client
                .put(format!("https://{}{path}", self.address))
                .headers(self.signed("PUT", &path, &bytes, signer)?)
                .header(CONTENT_TYPE, "application/octet-stream")
                .header(ACCEPT, MEDIA_TYPE)
                .body(bytes.clone());
            return match self.answer(request.send().await).await? {
                Answer::Problem(ProblemCode::StaleNonce, _) if std::mem::take(&mut again) => {
                    continue;
                }
                Answer::Problem(code, status) => Ok(HandedOver::Problem(code, status)),
                Answer::Message(message) => cbor::from_bytes::<BlobState>(&message)
                    .map(|state| HandedOver::Received(state.received))
                    .map_err(|_| self.unexpected(ServerFault::Unreadable)),
            };
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
