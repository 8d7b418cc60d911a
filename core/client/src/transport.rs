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
use ring::signature::Ed25519KeyPair;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use sotay_model::signature::{self, Parameters, Request};
use sotay_model::wire::{
    COMPRESS_ABOVE, MAX_RESPONSE_BYTES, MEDIA_TYPE, NONCE_HEADER, Problem, ProblemCode,
};
use sotay_model::{InstallationId, cbor};

use crate::any_certificate::AnyCertificate;
use crate::clock::Time;
use crate::error::{HandbookError, ServerFault};
use crate::schedule;
use crate::server_certificate::ServerCertificate;
use crate::store::locked;

const CONNECT: Duration = Duration::from_secs(10);
/// Without a byte for this long, a connection is given up.
const SILENCE: Duration = Duration::from_secs(30);
/// The window that a page may need to be unpacked: 1 MiB.
const WINDOW_LOG: u32 = 20;
/// Signed with before the server gave a nonce; any server answers it with a fresh one.
const NO_NONCE: &str = "none";
const ZSTD: &str = "zstd";

/// Which certificates a connection accepts.
pub(crate) enum Trust {
    /// Those that chain to these roots: a CBOR array of DER certificates.
    Roots(Vec<u8>),
    /// Any: only while opening an enrolment, where the answer proves itself by a MAC.
    AnswerProvesItself,
}

/// What answered, once it was a Sotay server.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A message.
    Message(Vec<u8>),
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
    nonce: Mutex<Option<String>>,
    link: Link,
    /// How long the last answer asked to be left alone.
    asked: Mutex<Option<Duration>>,
}

/// Who signs.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    /// The phone's number.
    pub(crate) installation: InstallationId,
    /// The phone's key.
    pub(crate) key: Arc<Ed25519KeyPair>,
}

impl Transport {
    /// A client for `address`: host, and port where it is not 443.
    pub(crate) fn new(address: &str, trust: &Trust, link: &Link) -> Result<Self, HandbookError> {
        let untrusted = || unexpected(address, ServerFault::Untrusted);
        let tls =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|_| untrusted())?;
        let verifier: Arc<dyn ServerCertVerifier> = match trust {
            Trust::Roots(roots) => Arc::new(
                root_store(roots)
                    .and_then(|roots| ServerCertificate::new(roots, Arc::clone(&link.time)))
                    .ok_or_else(untrusted)?,
            ),
            Trust::AnswerProvesItself => Arc::new(AnyCertificate::new()),
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
            nonce: Mutex::new(None),
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
        self.answer(request.send().await).await
    }

    /// Sends a signed message; once more where the server wants a fresh nonce.
    pub(crate) async fn post_signed(
        &self,
        signer: &Signer,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Answer, HandbookError> {
        let mut again = true;
        loop {
            self.count_up(&body);
            let request = self
                .client
                .post(format!("https://{}{path}", self.address))
                .headers(self.signed("POST", path, &body, signer)?)
                .header(CONTENT_TYPE, MEDIA_TYPE)
                .header(ACCEPT, MEDIA_TYPE)
                .header(ACCEPT_ENCODING, ZSTD)
                .body(body.clone());
            match self.answer(request.send().await).await? {
                Answer::Problem(ProblemCode::StaleNonce, _) if std::mem::take(&mut again) => {}
                answer => return Ok(answer),
            }
        }
    }

    /// Listens to the server's wake-ups until the connection ends; `woken` is called at each.
    pub(crate) async fn listen(
        &self,
        signer: &Signer,
        path: &str,
        woken: impl Fn(),
    ) -> Result<(), HandbookError> {
        for _ in 0..2 {
            let request = self
                .client
                .get(format!("https://{}{path}", self.address))
                .headers(self.signed("GET", path, &[], signer)?)
                .header(ACCEPT, "text/event-stream");
            let mut response = request.send().await.map_err(|error| self.failed(&error))?;
            self.remember_nonce(response.headers());
            if response.status() == reqwest::StatusCode::OK {
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
                return Ok(());
            }
        }
        Err(self.unexpected(ServerFault::Protocol))
    }

    fn signed(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
        signer: &Signer,
    ) -> Result<HeaderMap, HandbookError> {
        let nonce = locked(&self.nonce).clone();
        let parameters = Parameters::new(
            self.link.time.now().0.max(0) / 1_000,
            signer.installation,
            nonce.as_deref().unwrap_or(NO_NONCE),
        )
        .map_err(|_| self.unexpected(ServerFault::Protocol))?;
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
        let signed = signature::sign_with(&signer.key, &request, &parameters);
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (signature::CONTENT_DIGEST, signed.content_digest),
            (signature::SIGNATURE_INPUT, signed.signature_input),
            (signature::SIGNATURE, signed.signature),
        ] {
            headers.insert(
                name,
                value
                    .parse()
                    .map_err(|_| self.unexpected(ServerFault::Protocol))?,
            );
        }
        Ok(headers)
    }

    fn remember_nonce(&self, headers: &HeaderMap) {
        if let Some(nonce) = headers
            .get(NONCE_HEADER)
            .and_then(|value| value.to_str().ok())
            && Parameters::new(0, InstallationId::default(), nonce).is_ok()
        {
            *locked(&self.nonce) = Some(nonce.to_owned());
        }
    }

    async fn answer(
        &self,
        sent: Result<reqwest::Response, reqwest::Error>,
    ) -> Result<Answer, HandbookError> {
        *locked(&self.asked) = None;
        let mut response = sent.map_err(|error| self.failed(&error))?;
        self.remember_nonce(response.headers());
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
            if status == reqwest::StatusCode::OK {
                return Ok(Answer::Message(body));
            }
            if let Ok(problem) = cbor::from_bytes::<Problem>(&body) {
                return Ok(Answer::Problem(problem.code, status.as_u16()));
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
        } else if status != reqwest::StatusCode::OK {
            ServerFault::Status {
                code: status.as_u16(),
            }
        } else if body.is_empty() {
            ServerFault::Empty
        } else {
            ServerFault::Unreadable
        }))
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
            ProblemCode::NumberGap | ProblemCode::Malformed | ProblemCode::StaleNonce => {
                self.unexpected(ServerFault::Protocol)
            }
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

pub(crate) fn root_store(roots: &[u8]) -> Option<RootCertStore> {
    let mut decoder = minicbor::Decoder::new(roots);
    let mut store = RootCertStore::empty();
    for _ in 0..decoder.array().ok()?? {
        store
            .add(CertificateDer::from(decoder.bytes().ok()?.to_vec()))
            .ok()?;
    }
    (!store.is_empty()).then_some(store)
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
