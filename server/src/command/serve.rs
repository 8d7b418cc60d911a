//! `serve`, and what signals ask of it: to stop, or to read the certificate again.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use sotay_server::{Front, ProxyHeader, Server, ServerConfig};

use crate::{Failure, say};

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The folder.
    #[arg(long)]
    data: PathBuf,
    /// Address and port; port 0 takes a free one.
    #[arg(long, default_value = "0.0.0.0:8443")]
    listen: SocketAddr,
    /// PEM: a certificate made elsewhere, under one of the folder's roots, and those between them.
    #[arg(long, requires = "key", conflicts_with = "behind_proxy")]
    cert: Option<PathBuf>,
    /// PEM: its key. Both are read again when they change, and on SIGHUP.
    #[arg(long, requires = "cert")]
    key: Option<PathBuf>,
    /// A proxy on this machine speaks TLS: plain HTTP on a loopback address or a socket file.
    #[arg(long)]
    behind_proxy: bool,
    /// In which header the proxy says whom it speaks for; its last address counts.
    #[arg(
        long,
        value_enum,
        default_value = "x-forwarded-for",
        requires = "behind_proxy"
    )]
    proxy_header: Header,
    /// A socket file instead of the address.
    #[arg(long, requires = "behind_proxy")]
    socket: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Header {
    /// RFC 7239
    Forwarded,
    XForwardedFor,
}

impl Serve {
    fn config(self) -> ServerConfig {
        let mut config = ServerConfig::new(self.data, self.listen);
        config.front = match (self.cert.zip(self.key), self.behind_proxy) {
            (Some((certificate, key)), _) => Front::Files { certificate, key },
            (None, true) => Front::Proxy {
                header: match self.proxy_header {
                    Header::Forwarded => ProxyHeader::Forwarded,
                    Header::XForwardedFor => ProxyHeader::XForwardedFor,
                },
                socket: self.socket,
            },
            (None, false) => Front::Own,
        };
        config
    }

    pub(crate) fn run(self) -> Result<(), Failure> {
        let config = self.config();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        // Signals are caught before anybody is told that the server is ready.
        let mut signals = runtime.block_on(async { Signals::new() })?;
        let front = config.front.clone();
        let running = Server::start(config)?;
        let address = running.address();
        say(&match front {
            Front::Proxy {
                socket: Some(path), ..
            } => format!("listening {}", path.display()),
            Front::Proxy { .. } => format!("listening http://{address}"),
            Front::Own | Front::Files { .. } => format!("listening https://{address}"),
        })?;
        while let Signal::ReadAgain = runtime.block_on(signals.next()) {
            if let Err(error) = running.reload() {
                tracing::error!(%error, "the certificate stays as it is");
            }
        }
        tracing::info!("stopping");
        running.shutdown();
        Ok(())
    }
}

/// What the operator asks of a running server.
enum Signal {
    Stop,
    /// SIGHUP
    #[cfg_attr(not(unix), allow(dead_code))]
    ReadAgain,
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.hangup.recv() => Signal::ReadAgain,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        drop(tokio::signal::ctrl_c().await);
        Signal::Stop
    }
}
