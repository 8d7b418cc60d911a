//! HTTPS to the organisation's server: one client, trusting the organisation's own roots and nothing else.
//!
//! No redirects, no proxies, no platform trust store, no plain HTTP. Every way a network can answer wrongly is told apart,
//! so that a person knows what to do: sign in to the hotel's network, check the address, wait.
//!
//! Plain futures; [`crate::network`] runs them.

pub(crate) mod blobs;

use std::error::Error as _;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, RETRY_AFTER,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use sotay_model::cbor;
use sotay_model::session::SESSION_HEADER;
use sotay_model::signature::{self, Request};
use sotay_model::statement::STATEMENT_HEADER;
use sotay_model::wire::{
    COMPRESS_ABOVE, MAX_RESPONSE_BYTES, MEDIA_TYPE, NONCE_HEADER, Problem, ProblemCode,
    TrustAnchors,
};

use crate::any_certificate::AnyCertificate;
use crate::clock::Time;
use crate::error::{HandbookError, ServerFault};
use crate::schedule;
use crate::server_certificate::ServerCertificate;
use crate::session::{Signed, Signer, Tries};
use crate::store::locked;

const CONNECT: Duration = Duration::from_secs(10);
/// Without a byte for this long, a connection is given up.
const SILENCE: Duration = Duration::from_secs(30);
/// The window that a page may need to be unpacked: 1 MiB.
const WINDOW_LOG: u32 = 20;
const ZSTD: &str = "zstd";

/// Which certificates a connection accepts.
pub(crate) enum Trust<'t> {
    /// Those that chain to one of these anchors' certificates.
    Anchors(&'t TrustAnchors),
    /// Any: only while opening an enrolment, where the answer proves itself by a MAC. The one that was met is remembered.
    AnswerProvesItself(Arc<AnyCertificate>),
}

/// What answered, once it was a Sotay server.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A message.
    Message(Vec<u8>),
    /// A refusal, and the status it came with.
    Problem(ProblemCode, u16),
}

/// What was read of an answer.
enum Heard {
    Message(Vec<u8>),
    Problem(Problem, u16),
}

/// What came back for a signed request.
pub(super) enum Reply {
    /// The head of an answer that is no refusal; its body is not read yet.
    Response(Response),
    /// A refusal, and the status it came with.
    Problem(ProblemCode, u16),
}

/// How many bytes of messages went up and came down, as they travelled; what carries them (TLS, heads) is not counted.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    up: AtomicU64,
    down: AtomicU64,
}

impl Traffic {
    /// Up, and down.
    pub(crate) fn so_far(&self) -> (u64, u64) {
        (
            self.up.load(Ordering::Relaxed),
            self.down.load(Ordering::Relaxed),
        )
    }
}

/// What connections share.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// What time it is.
    pub(crate) time: Arc<Time>,
    /// Counts bytes.
    pub(crate) traffic: Arc<Traffic>,
}

/// A connection to one server.
#[derive(Debug)]
pub(crate) struct Transport {
    client: reqwest::Client,
    address: String,
    link: Link,
    /// How long the last answer asked to be left alone.
    asked: Mutex<Option<Duration>>,
}

impl Transport {
    /// A client for `address`: host, and port where it is not 443.
    pub(crate) fn new(
        address: &str,
        trust: &Trust<'_>,
        link: &Link,
    ) -> Result<Self, HandbookError> {
        let untrusted = || unexpected(address, ServerFault::Untrusted);
        let tls =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|_| untrusted())?;
        let verifier: Arc<dyn ServerCertVerifier> = match trust {
            Trust::Anchors(anchors) => {
                Arc::new(ServerCertificate::under(anchors, &link.time).ok_or_else(untrusted)?)
            }
            Trust::AnswerProvesItself(any) => Arc::clone(any) as Arc<dyn ServerCertVerifier>,
        };
        let mut tls = tls
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        #[allow(
            clippy::disallowed_methods,
            reason = "the one place where a client is made"
        )]
        let builder = reqwest::Client::builder();
        let client = builder
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .pool_idle_timeout(Duration::from_secs(60))
            .build()
            .map_err(|_| HandbookError::ServerUnreachable {
                address: address.to_owned(),
            })?;
        Ok(Self {
            client,
            address: address.to_owned(),
            link: link.clone(),
            asked: Mutex::new(None),
        })
    }

    /// How long the last answer asked to be left alone.
    pub(crate) fn asked_to_wait(&self) -> Option<Duration> {
        *locked(&self.asked)
    }

    fn count_up(&self, body: &[u8]) {
        let bytes = body.len() as u64;
        self.link.traffic.up.fetch_add(bytes, Ordering::Relaxed);
    }

    fn count_down(&self, chunk: &[u8]) {
        let bytes = chunk.len() as u64;
        self.link.traffic.down.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Sends a message without a signature.
    pub(crate) async fn post(&self, path: &str, body: Vec<u8>) -> Result<Answer, HandbookError> {
        self.count_up(&body);
        let request = self
            .client
            .post(format!("https://{}{path}", self.address))
            .header(CONTENT_TYPE, MEDIA_TYPE)
            .header(ACCEPT, MEDIA_TYPE)
            .header(ACCEPT_ENCODING, ZSTD)
            .body(body);
        *locked(&self.asked) = None;
        let response = request.send().await.map_err(|error| self.failed(&error))?;
        self.answer(response).await
    }

    /// Sends a signed message.
    pub(crate) async fn post_signed(
        &self,
        signer: &Signer,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Answer, HandbookError> {
        let dress = |request: RequestBuilder| {
            request
                .header(CONTENT_TYPE, MEDIA_TYPE)
                .header(ACCEPT, MEDIA_TYPE)
                .header(ACCEPT_ENCODING, ZSTD)
        };
        match self
            .send_signed(signer, Method::POST, path, body, &dress)
            .await?
        {
            Reply::Response(response) => self.answer(response).await,
            Reply::Problem(code, status) => Ok(Answer::Problem(code, status)),
        }
    }

    /// Listens to the server's wake-ups until the connection ends; `woken` is called at each, also at the one with which every
    /// stream begins. A refusal is an error.
    pub(crate) async fn listen(
        &self,
        signer: &Signer,
        path: &str,
        woken: impl Fn(),
    ) -> Result<(), HandbookError> {
        let dress = |request: RequestBuilder| request.header(ACCEPT, "text/event-stream");
        let reply = self.send_signed(signer, Method::GET, path, Vec::new(), &dress);
        let mut response = match reply.await? {
            Reply::Response(response) => response,
            Reply::Problem(code, status) => return Err(self.refused(code, status)),
        };
        let mut stream = WakeUps::default();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.failed(&error))?
        {
            if stream.is_in(&chunk) {
                tracing::debug!("woken by the server");
                woken();
            }
        }
        Ok(())
    }

    /// Signs and sends, again where the server wants a fresh nonce, a certificate or a new session.
    pub(super) async fn send_signed(
        &self,
        signer: &Signer,
        method: Method,
        path: &str,
        body: Vec<u8>,
        dress: &(dyn Fn(RequestBuilder) -> RequestBuilder + Sync),
    ) -> Result<Reply, HandbookError> {
        let url = format!("https://{}{path}", self.address);
        let mut tries = Tries::default();
        for _ in 0..Tries::MOST {
            let (headers, signed) = self.signed(method.as_str(), path, &body, signer)?;
            let mut request = dress(self.client.request(method.clone(), &url).headers(headers));
            if method != Method::GET {
                self.count_up(&body);
                request = request.body(body.clone());
            }
            *locked(&self.asked) = None;
            let response = request.send().await.map_err(|error| self.failed(&error))?;
            let nonce = response.headers().get(NONCE_HEADER);
            if let Some(nonce) = nonce.and_then(|nonce| nonce.to_str().ok()) {
                Signer::heard(&signed, nonce);
            }
            if matches!(
                response.status(),
                StatusCode::OK | StatusCode::PARTIAL_CONTENT
            ) {
                signer.accepted(&signed);
                if let Some(statement) = response.headers().get(STATEMENT_HEADER) {
                    self.stated(signer, statement.to_str().unwrap_or_default());
                }
                return Ok(Reply::Response(response));
            }
            let (problem, status) = match self.read(response).await? {
                Heard::Problem(problem, status) => (problem, status),
                Heard::Message(_) => return Err(self.unexpected(ServerFault::Protocol)),
            };
            if !signer.refused(&mut tries, &signed, &problem) {
                return Ok(Reply::Problem(problem.code, status));
            }
        }
        Err(self.unexpected(ServerFault::Protocol))
    }

    /// The organisation's statement came with an answer. Whatever is wrong with it, the answer counts all the same.
    fn stated(&self, signer: &Signer, header: &str) {
        let usable = |anchors: &_| ServerCertificate::under(anchors, &self.link.time).is_some();
        match signer.stated(header, usable) {
            Ok(()) => tracing::info!(serial = signer.serial(), "the organisation states anew"),
            Err(fault) => tracing::warn!(%fault, "a statement was refused"),
        }
    }

    fn signed(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
        signer: &Signer,
    ) -> Result<(HeaderMap, Signed), HandbookError> {
        let authority = signature::authority(&self.address);
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let request = Request {
            method,
            authority: &authority,
            path,
            query,
            body,
        };
        let mut signed = signer.signed(&request, self.link.time.now().0.max(0) / 1_000)?;
        let mut headers = HeaderMap::new();
        let taken = std::mem::take(&mut signed.headers.content_digest);
        for (name, value) in [
            (signature::CONTENT_DIGEST, Some(taken)),
            (
                signature::SIGNATURE_INPUT,
                Some(std::mem::take(&mut signed.headers.signature_input)),
            ),
            (
                signature::SIGNATURE,
                Some(std::mem::take(&mut signed.headers.signature)),
            ),
            (SESSION_HEADER, signed.certificate.clone()),
            (STATEMENT_HEADER, Some(signer.serial().to_string())),
        ] {
            if let Some(value) = value {
                let value = value.parse();
                headers.insert(
                    name,
                    value.map_err(|_| self.unexpected(ServerFault::Protocol))?,
                );
            }
        }
        Ok((headers, signed))
    }

    async fn answer(&self, response: Response) -> Result<Answer, HandbookError> {
        Ok(match self.read(response).await? {
            Heard::Message(message) => Answer::Message(message),
            Heard::Problem(problem, status) => Answer::Problem(problem.code, status),
        })
    }

    async fn read(&self, mut response: Response) -> Result<Heard, HandbookError> {
        let status = response.status();
        if !status.is_success() {
            *locked(&self.asked) = response
                .headers()
                .get(RETRY_AFTER)
                .and_then(|value| schedule::asked_to_wait(value.to_str().ok()?));
        }
        let text_of = |name| {
            response
                .headers()
                .get(name)
                .and_then(|v| v.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        let (media_type, encoding): (String, String) =
            (text_of(CONTENT_TYPE), text_of(CONTENT_ENCODING));
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > MAX_RESPONSE_BYTES => {
                    return Err(self.unexpected(ServerFault::TooLarge));
                }
                Ok(Some(chunk)) => {
                    self.count_down(&chunk);
                    body.extend_from_slice(&chunk);
                }
                Ok(None) => break,
                // An error's page that ends early is still an error.
                Err(_) if status.is_server_error() => break,
                Err(error) if error.is_timeout() => return Err(self.failed(&error)),
                Err(_) => return Err(self.unexpected(ServerFault::Truncated)),
            }
        }
        tracing::debug!(status = status.as_u16(), bytes = body.len(), "answered");
        let is_message = media_type
            .split(';')
            .next()
            .is_some_and(|m| m.trim().eq_ignore_ascii_case(MEDIA_TYPE));
        if is_message && !body.is_empty() {
            if encoding.eq_ignore_ascii_case(ZSTD) {
                body = unpacked(&body).map_err(|fault| self.unexpected(fault))?;
            } else if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
                return Err(self.unexpected(ServerFault::Unreadable));
            }
            if status == StatusCode::OK {
                return Ok(Heard::Message(body));
            }
            if let Ok(problem) = cbor::from_bytes::<Problem>(&body) {
                return Ok(Heard::Problem(problem, status.as_u16()));
            }
        }
        let looks_like_a_page = media_type.contains("text/html")
            || body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'<');
        Err(self.unexpected(if status.is_server_error() {
            ServerFault::Status {
                code: status.as_u16(),
            }
        } else if looks_like_a_page {
            ServerFault::Html
        } else if status != StatusCode::OK {
            ServerFault::Status {
                code: status.as_u16(),
            }
        } else if body.is_empty() {
            ServerFault::Empty
        } else {
            ServerFault::Unreadable
        }))
    }

    /// The message of an answer, or its refusal as a person meets it.
    pub(crate) fn message<T: for<'b> minicbor::Decode<'b, ()>>(
        &self,
        answer: Answer,
    ) -> Result<T, HandbookError> {
        match answer {
            Answer::Message(bytes) => cbor::from_bytes(&bytes).map_err(|error| {
                self.unexpected(if error.is_end_of_input() {
                    ServerFault::Truncated
                } else {
                    ServerFault::Unreadable
                })
            }),
            Answer::Problem(code, status) => Err(self.refused(code, status)),
        }
    }

    /// An answer that no Sotay server gives.
    pub(crate) fn unexpected(&self, fault: ServerFault) -> HandbookError {
        unexpected(&self.address, fault)
    }

    /// A refusal as a person meets it.
    pub(crate) fn refused(&self, code: ProblemCode, status: u16) -> HandbookError {
        match code {
            ProblemCode::InvitationUnusable => HandbookError::InvitationUnusable,
            ProblemCode::UnknownInstallation | ProblemCode::BadSignature => {
                HandbookError::PhoneNotKnown
            }
            ProblemCode::UnsupportedProtocol => HandbookError::AppTooOld,
            ProblemCode::NotConfirmed => HandbookError::NotEnrolled,
            ProblemCode::NotApproved => HandbookError::NotApproved,
            ProblemCode::NumberGap
            | ProblemCode::Malformed
            | ProblemCode::StaleNonce
            | ProblemCode::UnknownSession => self.unexpected(ServerFault::Protocol),
            _ => self.unexpected(ServerFault::Status { code: status }),
        }
    }

    fn failed(&self, error: &reqwest::Error) -> HandbookError {
        match tls_fault(error) {
            Some(fault) => self.unexpected(fault),
            // The other side was there and hung up without an answer.
            None if !error.is_connect() && !error.is_timeout() && error.is_request() => {
                self.unexpected(ServerFault::Empty)
            }
            None => HandbookError::ServerUnreachable {
                address: self.address.clone(),
            },
        }
    }
}

/// A stream of server-sent events, read as it comes.
#[derive(Debug)]
pub(crate) struct WakeUps {
    line_begins: bool,
}

impl Default for WakeUps {
    fn default() -> Self {
        Self { line_begins: true }
    }
}

impl WakeUps {
    /// Whether a line of an event begins in this chunk: lines that begin with a colon only keep the connection open.
    pub(crate) fn is_in(&mut self, chunk: &[u8]) -> bool {
        let mut event = false;
        for byte in chunk {
            event |= self.line_begins && !matches!(byte, b':' | b'\n' | b'\r');
            self.line_begins = matches!(byte, b'\n' | b'\r');
        }
        event
    }
}

fn unexpected(address: &str, fault: ServerFault) -> HandbookError {
    HandbookError::ServerUnexpected {
        address: address.to_owned(),
        fault,
    }
}

/// What TLS said, if it was TLS that failed.
fn tls_fault(error: &reqwest::Error) -> Option<ServerFault> {
    let mut source = error.source();
    while let Some(cause) = source {
        let mut innermost: &(dyn std::error::Error + 'static) = cause;
        // An input error may be wrapped in another one, and its `source` skips what it wraps.
        while let Some(wrapped) = innermost
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
        {
            innermost = wrapped;
        }
        let tls = innermost.downcast_ref::<rustls::Error>();
        match tls {
            Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
                return Some(ServerFault::Untrusted);
            }
            Some(_) => return Some(ServerFault::Unreadable),
            None => source = cause.source(),
        }
    }
    None
}

/// Unpacks a body, never to more than any response may have.
pub(crate) fn unpacked(packed: &[u8]) -> Result<Vec<u8>, ServerFault> {
    let mut decoder =
        zstd::stream::read::Decoder::with_buffer(packed).map_err(|_| ServerFault::Unreadable)?;
    decoder
        .window_log_max(WINDOW_LOG)
        .map_err(|_| ServerFault::Unreadable)?;
    let mut body = Vec::with_capacity(
        packed
            .len()
            .saturating_mul(4)
            .clamp(COMPRESS_ABOVE, MAX_RESPONSE_BYTES),
    );
    match decoder
        .take(MAX_RESPONSE_BYTES as u64 + 1)
        .read_to_end(&mut body)
    {
        Ok(_) if body.len() > MAX_RESPONSE_BYTES => Err(ServerFault::TooLarge),
        Ok(_) => Ok(body),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(ServerFault::Truncated)
        }
        Err(_) => Err(ServerFault::Unreadable),
    }
}
