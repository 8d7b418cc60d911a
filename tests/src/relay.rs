//! A relay between a phone and the server that ends TLS on both sides, so that it sees whole requests and whole responses:
//! it counts their bytes, keeps requests where somebody wants to look at them, and can hold a response back until something else
//! has happened.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection, StreamOwned};
use sotay_server::commune::Certificates;

use crate::fail;
use crate::failure::Failure;

const PATIENCE: Duration = Duration::from_secs(60);

/// A request and its response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange {
    /// When its first bytes were here.
    pub(crate) began: Instant,
    /// Bytes of the request's head and of its body.
    pub(crate) up: (usize, usize),
    /// Bytes of the response's head and of its body; none while it is on its way.
    pub(crate) down: Option<(usize, usize)>,
    /// When the response was let go on to the phone.
    pub(crate) released: Option<Instant>,
}

#[derive(Debug, Default)]
struct State {
    holding: bool,
    /// Responses that are held.
    held: usize,
    exchanges: Vec<Exchange>,
    /// Whole requests, once somebody asked for them.
    kept: Option<Vec<Vec<u8>>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    stop: AtomicBool,
}

/// The relay; stops when dropped.
pub(crate) struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// A way to `server`, under the certificate in the server's folder.
    pub(crate) fn to(server: SocketAddr, data: &Path) -> Result<Self, Failure> {
        let here = Certificates::open(data, sotay_server::system_clock())?.tls()?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(data.join("root.pem"))?)?;
        let there =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_root_certificates(roots)
                .with_no_client_auth();
        let there = Arc::new(there);
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let same = shared.clone();
        let thread = std::thread::spawn(move || {
            for phone in listener.incoming() {
                if same.stop.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(phone), here, there, shared) =
                    (phone, here.clone(), there.clone(), same.clone())
                else {
                    continue;
                };
                std::thread::spawn(move || {
                    // A connection ends when either side hangs up.
                    drop(pass(phone, server, here, there, &shared));
                });
            }
        });
        Ok(Self {
            address,
            shared,
            thread: Some(thread),
        })
    }

    /// The address that the phone knows.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Forgets what passed.
    pub(crate) fn forget(&self) {
        self.shared.locked().exchanges.clear();
    }

    /// What passed since.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.shared.locked().exchanges.clone()
    }

    /// Keeps requests from now on, as they came.
    pub(crate) fn keep(&self) {
        self.shared.locked().kept = Some(Vec::new());
    }

    /// The requests that were kept.
    pub(crate) fn kept(&self) -> Vec<Vec<u8>> {
        self.shared.locked().kept.clone().unwrap_or_default()
    }

    /// Holds responses back from now on.
    pub(crate) fn hold(&self) {
        self.shared.locked().holding = true;
    }

    /// Waits until a response is held.
    pub(crate) fn wait_for_held(&self) -> Result<(), Failure> {
        self.wait("no response was held", |state| state.held > 0)
    }

    /// Lets held responses go.
    pub(crate) fn release(&self) {
        self.shared.locked().holding = false;
        self.shared.changed.notify_all();
    }

    fn wait(&self, what: &str, until: impl Fn(&State) -> bool) -> Result<(), Failure> {
        let state = self.shared.locked();
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, PATIENCE, |state| !until(state))
            .unwrap_or_else(PoisonError::into_inner);
        if until(&state) {
            Ok(())
        } else {
            fail!("{what}")
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.release();
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Shared {
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pass(
    phone: TcpStream,
    server: SocketAddr,
    here: Arc<rustls::ServerConfig>,
    there: Arc<ClientConfig>,
    shared: &Shared,
) -> Result<(), Failure> {
    let upstream = TcpStream::connect(server)?;
    phone.set_nodelay(true)?;
    upstream.set_nodelay(true)?;
    let name = ServerName::from(server.ip());
    let mut phone = Reading::new(StreamOwned::new(ServerConnection::new(here)?, phone));
    let mut server = Reading::new(StreamOwned::new(
        ClientConnection::new(there, name)?,
        upstream,
    ));
    while let Some(request) = phone.message()? {
        let place = {
            let mut state = shared.locked();
            state.exchanges.push(Exchange {
                began: request.began,
                up: (request.head, request.bytes.len() - request.head),
                down: None,
                released: None,
            });
            if let Some(kept) = &mut state.kept {
                kept.push(request.bytes.clone());
            }
            state.exchanges.len() - 1
        };
        server.stream.write_all(&request.bytes)?;
        server.stream.flush()?;
        let Some(response) = server.message()? else {
            return Ok(());
        };
        {
            let mut state = shared.locked();
            state.held += 1;
            shared.changed.notify_all();
            let mut state = shared
                .changed
                .wait_while(state, |state| state.holding)
                .unwrap_or_else(PoisonError::into_inner);
            state.held -= 1;
            if let Some(exchange) = state.exchanges.get_mut(place) {
                exchange.down = Some((response.head, response.bytes.len() - response.head));
                exchange.released = Some(Instant::now());
            }
        }
        phone.stream.write_all(&response.bytes)?;
        phone.stream.flush()?;
    }
    Ok(())
}

struct Message {
    began: Instant,
    head: usize,
    bytes: Vec<u8>,
}

/// A stream with what was read too much of it.
struct Reading<S> {
    stream: S,
    rest: Vec<u8>,
}

impl<S: Read> Reading<S> {
    const fn new(stream: S) -> Self {
        Self {
            stream,
            rest: Vec::new(),
        }
    }

    /// The next message with a declared length; none when the other side has hung up.
    fn message(&mut self) -> Result<Option<Message>, Failure> {
        let mut bytes = std::mem::take(&mut self.rest);
        let mut began = (!bytes.is_empty()).then(Instant::now);
        let mut buffer = vec![0; 64 << 10];
        loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = end + 4;
                let whole = head + declared(&bytes[..end])?;
                while bytes.len() < whole {
                    match self.stream.read(&mut buffer)? {
                        0 => fail!("a message ended early"),
                        read => bytes.extend_from_slice(&buffer[..read]),
                    }
                }
                self.rest = bytes.split_off(whole);
                return Ok(Some(Message {
                    began: began.unwrap_or_else(Instant::now),
                    head,
                    bytes,
                }));
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(read) => {
                    began.get_or_insert_with(Instant::now);
                    bytes.extend_from_slice(&buffer[..read]);
                }
                Err(error) if bytes.is_empty() => {
                    drop(error);
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The length of the body that a head declares.
fn declared(head: &[u8]) -> Result<usize, Failure> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    match length {
        Some(length) => Ok(length.trim().parse()?),
        None if head.contains("transfer-encoding") => fail!("a message without a length: {head}"),
        None => Ok(0),
    }
}
