//! The network around the engine: TLS, limits, signatures, and two kinds of threads.
//!
//! One thread owns the writing connection and takes waiting requests together (`writer`); requests that only read run
//! beside it, each on a connection of its own. The signature of a request is checked before either sees it.

mod accept;
mod authentication;
mod blobs;
mod bodies;
mod coding;
#[cfg(feature = "simulation")]
pub mod foreign;
mod gate;
mod holders;
mod limits;
mod readers;
mod routes;
mod sessions;
mod stalled;
mod streams;
mod tls;
mod wake;
mod writer;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sotay_model::Timestamp;
use tokio::sync::{broadcast, watch};

use crate::blobs::Blobs;
use crate::commune::{CertificateError, Stated};
use crate::engine::{Engine, EngineError, Nonces, meta};
use crate::storage::{Storage, StorageError};
use accept::Listener;
pub use accept::{MAX_HEAD_BYTES, MAX_HEADERS};
use bodies::Bodies;
pub use bodies::{BODIES_PER_PHONE, MAX_JOINING_BYTES, MAX_PHONES_BYTES};
pub use gate::ProxyHeader;
pub use limits::{Counted, Limiter, MAX_BUCKETS, Rate, Rates, TooOften};
use readers::Readers;
pub use sessions::Sessions;
pub use streams::STREAMS_PER_PHONE;
use streams::Streams;
use tls::Reloader;
use wake::Changed;
use writer::Writer;

/// How a server runs.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The folder that `init` made.
    pub folder: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Who speaks TLS.
    pub front: Front,
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
            front: Front::Own,
            limits: Limits::default(),
            clock: system_clock,
        }
    }
}

/// Who speaks TLS with the phones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Front {
    /// The server, with the folder's own certificate.
    Own,
    /// The server, with a certificate made elsewhere. It must stand under one of the folder's roots, because phones trust no
    /// others.
    Files {
        /// PEM: the certificate, then those between it and the root.
        certificate: PathBuf,
        /// PEM: its key.
        key: PathBuf,
    },
    /// A proxy on this machine, with a certificate under one of the folder's roots; the server speaks plain HTTP with it, on
    /// a loopback address or a socket file.
    Proxy {
        /// Where the proxy says whom it speaks for.
        header: ProxyHeader,
        /// A socket file instead of the address.
        socket: Option<PathBuf>,
    },
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
    /// The most bytes of bodies under way at a time, as they travel and unpacked.
    pub bodies: usize,
    /// How long a body waits for room among them. Shorter than a phone's patience.
    pub room: Duration,
    /// For the other end to take what it is sent.
    pub stalled: Duration,
    /// The most connections at a time; more wait to be accepted.
    pub connections: usize,
    /// How many of them may be wake-up connections; who wants more polls.
    pub streams: usize,
    /// The most of one address at a time; more are closed.
    pub connections_per_address: usize,
    /// How often who may ask.
    pub rates: Rates,
    /// Between two signs of life on a wake-up connection. At each it is looked whether the phone was revoked.
    pub heartbeat: Duration,
    /// How long a wake-up connection lasts; by chance up to a quarter less.
    pub stream_age: Duration,
}

/// The ordinary number of connections.
const CONNECTIONS: usize = 4_096;

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            body: Duration::from_secs(60),
            bodies: 256 << 20,
            room: Duration::from_secs(10),
            stalled: Duration::from_secs(60),
            connections: CONNECTIONS,
            streams: CONNECTIONS / 2,
            connections_per_address: 1_024,
            rates: Rates::default(),
            heartbeat: Duration::from_secs(25),
            stream_age: Duration::from_secs(15 * 60),
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
    /// Plain HTTP for others than this machine.
    #[error(
        "{address} is not of this machine alone: behind a proxy listen on 127.0.0.1, [::1] or a socket file"
    )]
    PlainHttp {
        /// Where it was to listen.
        address: SocketAddr,
    },
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
    sessions: Sessions,
    /// What phones are handed; it changes when roots, keys or the minimum version do.
    stated: watch::Receiver<Arc<Stated>>,
    clock: Clock,
    limits: Limits,
    limiter: Limiter,
    cells: gate::Cells,
    proxy: Option<ProxyHeader>,
    changed: broadcast::Sender<Changed>,
    streams: Arc<Streams>,
    bodies: Bodies,
    closing: watch::Receiver<bool>,
}

/// The server.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Opens the database and listens. Runs on threads of its own until [`Running::shutdown`].
    pub fn start(config: ServerConfig) -> Result<Running, StartError> {
        let (proxy, socket) = match &config.front {
            Front::Own | Front::Files { .. } => (None, None),
            Front::Proxy { socket: None, .. } if !config.listen.ip().is_loopback() => {
                return Err(StartError::PlainHttp {
                    address: config.listen,
                });
            }
            Front::Proxy { header, socket } => (Some(*header), socket.clone()),
        };
        let mut limits = config.limits;
        if proxy.is_some() {
            // There everybody comes from this machine.
            limits.rates.spare_loopback = false;
        }
        let folder = crate::commune::serve_in(&config.folder)?;
        let database = config.folder.join(crate::commune::DATABASE);
        let mut storage = Storage::open(&database)?;
        let secret = storage
            .read()?
            .meta(meta::NONCE_SECRET)?
            .ok_or(StorageError::Damaged { what: "secret" })?;
        let reloader = Arc::new(Reloader::new(
            config.folder.clone(),
            config.front.clone(),
            config.clock,
        )?);
        let tls = proxy.is_none().then(|| reloader.served());
        let (listener, address) = bind(config.listen, socket)?;

        let (changed, _) = broadcast::channel(1_024);
        let (close, closing) = watch::channel(false);
        let blobs = Arc::new(Blobs::of(&config.folder));
        let engine = Engine::new(storage).with_blobs(blobs.clone());
        let (writer, writer_thread) =
            Writer::start(engine, config.clock, changed.clone(), reloader.stated())?;
        let shared = Arc::new(Shared {
            writer,
            readers: Readers::new(database),
            blobs,
            nonces: Nonces::new(&secret, (config.clock)()),
            sessions: Sessions::default(),
            stated: reloader.stated(),
            clock: config.clock,
            limiter: Limiter::new(limits.rates),
            streams: Arc::new(Streams::new(limits.streams)),
            bodies: Bodies::new(limits.bodies),
            limits,
            cells: gate::Cells::default(),
            proxy,
            changed,
            closing: closing.clone(),
        });

        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("sotay-server")
            .build()?;
        let listener = {
            // A listener belongs to the runtime it is used in.
            let _inside = runtime.enter();
            listener.in_runtime()?
        };
        let watching = reloader.clone();
        let network = std::thread::Builder::new()
            .name("sotay-network".into())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::spawn(watching.watch(closing.clone()));
                    accept::serve(listener, tls, shared, closing).await;
                });
                // Handlers that still run are given a moment; what they wrote is safe either way.
                runtime.shutdown_timeout(Duration::from_secs(5));
            })?;
        tracing::info!(%address, "listening");
        Ok(Running {
            address,
            close,
            reloader,
            threads: vec![network, writer_thread],
            _folder: folder,
        })
    }
}

/// A listener before there is a runtime.
enum Bound {
    Tcp(std::net::TcpListener),
    #[cfg(unix)]
    Socket(std::os::unix::net::UnixListener),
}

impl Bound {
    fn in_runtime(self) -> std::io::Result<Listener> {
        Ok(match self {
            Self::Tcp(listener) => Listener::Tcp(tokio::net::TcpListener::from_std(listener)?),
            #[cfg(unix)]
            Self::Socket(listener) => {
                Listener::Socket(tokio::net::UnixListener::from_std(listener)?)
            }
        })
    }
}

#[cfg(unix)]
fn bind(listen: SocketAddr, socket: Option<PathBuf>) -> std::io::Result<(Bound, SocketAddr)> {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    let Some(path) = socket else {
        return bind_tcp(listen);
    };
    // One that a server left behind; anything else is somebody's file.
    if std::fs::symlink_metadata(&path).is_ok_and(|found| found.file_type().is_socket()) {
        std::fs::remove_file(&path)?;
    }
    let listener = std::os::unix::net::UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o660))?;
    listener.set_nonblocking(true)?;
    Ok((Bound::Socket(listener), listen))
}

#[cfg(not(unix))]
fn bind(listen: SocketAddr, socket: Option<PathBuf>) -> std::io::Result<(Bound, SocketAddr)> {
    match socket {
        None => bind_tcp(listen),
        Some(_) => Err(std::io::ErrorKind::Unsupported.into()),
    }
}

fn bind_tcp(listen: SocketAddr) -> std::io::Result<(Bound, SocketAddr)> {
    let listener = std::net::TcpListener::bind(listen)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((Bound::Tcp(listener), address))
}

/// A running server. Dropping it closes it too, without waiting.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    close: watch::Sender<bool>,
    reloader: Arc<Reloader>,
    threads: Vec<std::thread::JoinHandle<()>>,
    /// The folder's lock, shared with other servers: nobody restores a database under them.
    _folder: std::fs::File,
}

impl Running {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Reads certificate, keys and statement again: connections from now on are made with what it finds, and phones are handed it.
    /// On an error nothing changes.
    pub fn reload(&self) -> Result<(), CertificateError> {
        self.reloader.reload()
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
