//! Accepting connections: TLS where the server does it itself, then HTTP/1.1, each with its limits.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::gate::Peer;
use super::holders::Holders;
use super::limits::network_of;
use super::stalled::Stalled;
use super::{Shared, routes};

/// The most bytes of a request's head.
pub const MAX_HEAD_BYTES: usize = 16 << 10;
/// The most header fields of a request.
pub const MAX_HEADERS: usize = 64;
/// How long requests in flight may take once the server closes.
const GRACE: Duration = Duration::from_secs(10);
/// After an error of `accept` (too many open files), so that it does not spin.
const PAUSE: Duration = Duration::from_millis(50);

/// Where connections come from.
pub(super) enum Listener {
    /// From anywhere.
    Tcp(TcpListener),
    /// From a proxy on this machine.
    #[cfg(unix)]
    Socket(tokio::net::UnixListener),
}

/// A connection that was accepted.
enum Connected {
    Tcp(TcpStream, IpAddr),
    #[cfg(unix)]
    Socket(tokio::net::UnixStream),
}

impl Listener {
    async fn accept(&self) -> std::io::Result<Connected> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // A failed option only costs latency.
                drop(stream.set_nodelay(true));
                Ok(Connected::Tcp(stream, peer.ip()))
            }
            #[cfg(unix)]
            Self::Socket(listener) => Ok(Connected::Socket(listener.accept().await?.0)),
        }
    }
}

/// How TLS is spoken now; it changes when the certificate does. None: a proxy speaks it.
pub(super) type Tls = Option<watch::Receiver<Arc<rustls::ServerConfig>>>;

/// Accepts until closed, then lets connections end.
pub(super) async fn serve(
    listener: Listener,
    tls: Tls,
    shared: Arc<Shared>,
    mut closing: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(shared.limits.connections));
    let per_address = Arc::new(Holders::default());
    let router = routes::router(&shared);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = closed(&mut closing) => break,
            Some(_) = connections.join_next() => continue,
            accepted = async {
                let place = places.clone().acquire_owned().await;
                (listener.accept().await, place)
            } => accepted,
        };
        let (Ok(connected), Ok(place)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (router, shared) = (router.clone(), shared.clone());
        match connected {
            Connected::Tcp(stream, address) => {
                let spared = shared.limits.rates.spare_loopback && address.is_loopback();
                let most = shared.limits.connections_per_address;
                let held = if spared || tls.is_none() {
                    None
                } else if let Some(held) = per_address.clone().take(network_of(address), most) {
                    Some(held)
                } else {
                    // Closed without a word: a handshake would cost more than it tells.
                    continue;
                };
                let acceptor = tls
                    .as_ref()
                    .map(|tls| TlsAcceptor::from(tls.borrow().clone()));
                connections.spawn(async move {
                    let peer = Peer(Some(address));
                    secure(stream, acceptor, router, peer, &shared, place).await;
                    drop(held);
                });
            }
            #[cfg(unix)]
            Connected::Socket(stream) => {
                connections.spawn(async move {
                    secure(stream, None, router, Peer(None), &shared, place).await;
                });
            }
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        connections.abort_all();
    }
}

async fn secure<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    acceptor: Option<TlsAcceptor>,
    router: axum::Router,
    peer: Peer,
    shared: &Shared,
    place: OwnedSemaphorePermit,
) {
    let stream = Stalled::new(stream, shared.limits.stalled);
    match acceptor {
        None => speak(stream, router, peer, shared).await,
        Some(acceptor) => {
            let handshake = acceptor.accept(stream);
            if let Ok(Ok(stream)) = tokio::time::timeout(shared.limits.handshake, handshake).await {
                speak(stream, router, peer, shared).await;
            }
        }
    }
    drop(place);
}

async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    router: axum::Router,
    peer: Peer,
    shared: &Shared,
) {
    let router = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(move |mut request: http::Request<_>| {
        request.extensions_mut().insert(peer);
        hyper::service::Service::call(&router, request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.limits.head)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let mut closing = shared.closing.clone();
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closed(&mut closing) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

/// Returns when the server closes.
pub(super) async fn closed(closing: &mut watch::Receiver<bool>) {
    // An error means that whoever closes is gone, which is the same.
    drop(closing.wait_for(|closed| *closed).await);
}
