//! Accepting connections: TLS, then HTTP/1.1, each with its limits.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::{Shared, routes};

/// The most bytes of a request's head.
const MAX_HEAD_BYTES: usize = 16 << 10;
/// How long requests in flight may take once the server closes.
const GRACE: Duration = Duration::from_secs(10);
/// After an error of `accept` (too many open files), so that it does not spin.
const PAUSE: Duration = Duration::from_millis(50);

/// Accepts until closed, then lets connections end.
pub(super) async fn serve(
    listener: std::net::TcpListener,
    tls: Arc<rustls::ServerConfig>,
    shared: Arc<Shared>,
    mut closing: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let acceptor = TlsAcceptor::from(tls);
    let places = Arc::new(Semaphore::new(shared.limits.connections));
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
        let (Ok((stream, _)), Ok(place)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (acceptor, router, shared) = (acceptor.clone(), router.clone(), shared.clone());
        connections.spawn(async move {
            connection(stream, &acceptor, router, &shared).await;
            drop(place);
        });
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        connections.abort_all();
    }
    Ok(())
}

async fn connection(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    router: axum::Router,
    shared: &Shared,
) {
    // A failed option only costs latency.
    drop(stream.set_nodelay(true));
    let Ok(Ok(stream)) =
        tokio::time::timeout(shared.limits.handshake, acceptor.accept(stream)).await
    else {
        return;
    };
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.limits.head)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
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
