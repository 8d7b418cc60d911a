//! The network around the engine: TLS, limits, signatures, and two kinds of threads.
//!
//! One thread owns the writing connection and takes waiting requests together (`writer`); requests that only read run
//! beside it, each on a connection of its own. The signature of a request is checked before either sees it.

mod accept;
mod authentication;
mod blobs;
mod coding;
mod readers;
mod routes;
mod wake;
mod writer;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sotay_model::Timestamp;
use tokio::sync::{broadcast, watch};

use crate::blobs::Blobs;
use crate::commune::{CertificateError, Certificates};
use crate::engine::{Engine, EngineError, Nonces, meta};
use crate::storage::{Storage, StorageError};
use readers::Readers;
use wake::Changed;
use writer::Writer;

/// How a server runs.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The folder that `init` made.
    pub folder: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What a connection may take.
    pub limits: Limits,
    /// Where "now" comes from.
    pub clock: Clock,
}

impl ServerConfig {
    /// A server with the ordinary limits and the machine's clock.
    pub fn new(folder: impl Into<PathBuf>, listen: SocketAddr) -> Self {
        Self {
            folder: folder.into(),
            listen,
            limits: Limits::default(),
            clock: system_clock,
        }
    }
}

/// Where "now" comes from.
pub type Clock = fn() -> Timestamp;

/// The machine's clock.
pub fn system_clock() -> Timestamp {
    let elapsed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}

/// What a connection may take before it is cut.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For the head of a request, from when the connection waits for it: also how long an idle one is kept.
    pub head: Duration,
    /// For the body of a request.
    pub body: Duration,
    /// The most connections at a time; more wait to be accepted.
    pub connections: usize,
    /// Between two signs of life on a wake-up connection.
    pub heartbeat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            body: Duration::from_secs(60),
            connections: 4_096,
            heartbeat: Duration::from_secs(25),
        }
    }
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The database, while it is read.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The keys and certificates in the folder.
    #[error(transparent)]
    Certificates(#[from] CertificateError),
    /// The address, or a thread.
    #[error("cannot listen: {0}")]
    Listen(#[from] std::io::Error),
}

/// What every request can reach.
struct Shared {
    writer: Writer,
    readers: Readers,
    blobs: Arc<Blobs>,
    nonces: Nonces,
    roots: Vec<u8>,
    clock: Clock,
    limits: Limits,
    changed: broadcast::Sender<Changed>,
    closing: watch::Receiver<bool>,
}

/// The server.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Opens the database and listens. Runs on threads of its own until [`Running::shutdown`].
    pub fn start(config: ServerConfig) -> Result<Running, StartError> {
        let folder = crate::commune::serve_in(&config.folder)?;
        let database = config.folder.join(crate::commune::DATABASE);
        let mut storage = Storage::open(&database)?;
        let secret = storage
            .read()?
            .meta(meta::NONCE_SECRET)?
            .ok_or(StorageError::Damaged { what: "secret" })?;
        let certificates = Certificates::open(&config.folder, (config.clock)())?;
        let tls = certificates.tls()?;

        let listener = std::net::TcpListener::bind(config.listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;

        let (changed, _) = broadcast::channel(1_024);
        let (close, closing) = watch::channel(false);
        let blobs = Arc::new(Blobs::of(&config.folder));
        let engine = Engine::new(storage).with_blobs(blobs.clone());
        let (writer, writer_thread) = Writer::start(engine, config.clock, changed.clone())?;
        let shared = Arc::new(Shared {
            writer,
            readers: Readers::new(database),
            blobs,
            nonces: Nonces::new(&secret),
            roots: certificates.roots(),
            clock: config.clock,
            limits: config.limits,
            changed,
            closing: closing.clone(),
        });

        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("sotay-server")
            .build()?;
        let network = std::thread::Builder::new()
            .name("sotay-network".into())
            .spawn(move || {
                runtime.block_on(async {
                    if let Err(error) = accept::serve(listener, tls, shared, closing).await {
                        tracing::error!(%error, "stopped listening");
                    }
                });
                // Handlers that still run are given a moment; what they wrote is safe either way.
                runtime.shutdown_timeout(Duration::from_secs(5));
            })?;
        tracing::info!(%address, "listening");
        Ok(Running {
            address,
            close,
            threads: vec![network, writer_thread],
            _folder: folder,
        })
    }
}

/// A running server. Dropping it closes it too, without waiting.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    close: watch::Sender<bool>,
    threads: Vec<std::thread::JoinHandle<()>>,
    /// The folder's lock, shared with other servers: nobody restores a database under them.
    _folder: std::fs::File,
}

impl Running {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, lets requests end, closes the database, and returns when all that has happened.
    pub fn shutdown(mut self) {
        self.close.send_replace(true);
        for thread in self.threads.drain(..) {
            // A thread that panicked has already said so.
            drop(thread.join());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.close.send_replace(true);
    }
}
