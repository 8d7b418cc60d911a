//! The certificate that is served now, and its exchange without a restart: when its files change, once a day, or when asked.
//!
//! A certificate that phones would refuse is never taken into use: the one before goes on, and the log says why.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

use super::accept::closed;
use super::{Clock, Front};
use crate::commune::{CertificateError, Certificates};

/// How often to look whether the files changed.
const LOOK: Duration = Duration::from_secs(5);
/// How often the folder's own certificate is looked at for its end.
const DAY_MS: i64 = 24 * 3_600_000;

/// Reads certificates and hands them to whoever accepts connections.
pub(super) struct Reloader {
    folder: PathBuf,
    front: Front,
    clock: Clock,
    served: watch::Sender<Arc<rustls::ServerConfig>>,
    seen: Mutex<Seen>,
}

/// What was last read.
#[derive(Default, PartialEq, Eq, Clone)]
struct Seen {
    files: Vec<Option<(SystemTime, u64)>>,
    day: i64,
}

impl std::fmt::Debug for Reloader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reloader")
            .field("front", &self.front)
            .finish_non_exhaustive()
    }
}

impl Reloader {
    /// Reads for the first time.
    pub(super) fn new(
        folder: PathBuf,
        front: Front,
        clock: Clock,
    ) -> Result<Self, CertificateError> {
        let certificates = load(&folder, &front, clock)?;
        let (served, _) = watch::channel(certificates.tls()?);
        let reloader = Self {
            folder,
            front,
            clock,
            served,
            seen: Mutex::default(),
        };
        *reloader.seen() = reloader.look();
        Ok(reloader)
    }

    /// What is served, now and later.
    pub(super) fn served(&self) -> watch::Receiver<Arc<rustls::ServerConfig>> {
        self.served.subscribe()
    }

    /// Reads again. On an error what is served stays.
    pub(super) fn reload(&self) -> Result<(), CertificateError> {
        let seen = self.look();
        let tls = load(&self.folder, &self.front, self.clock).and_then(|found| found.tls());
        // Tried, whatever came of it: the same files are not tried over and over.
        *self.seen() = seen;
        self.served.send_replace(tls?);
        tracing::info!("the certificate was read again");
        Ok(())
    }

    /// Reads again whenever there is a reason, until the server closes.
    pub(super) async fn watch(self: Arc<Self>, mut closing: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = closed(&mut closing) => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            let this = self.clone();
            let looked = tokio::task::spawn_blocking(move || {
                if *this.seen() == this.look() {
                    return Ok(());
                }
                this.reload()
            });
            if let Ok(Err(error)) = looked.await {
                tracing::error!(%error, "the new certificate is not used");
            }
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) -> Seen {
        let of_folder = |name: &str| self.folder.join(name);
        let files = match &self.front {
            Front::Files { certificate, key } => vec![certificate.clone(), key.clone()],
            Front::Own | Front::Proxy { .. } => ["root.pem", "server.pem", "server.key"]
                .map(of_folder)
                .to_vec(),
        };
        let stamp = |path: &PathBuf| {
            let found = std::fs::metadata(path).ok()?;
            Some((found.modified().ok()?, found.len()))
        };
        Seen {
            files: files.iter().map(stamp).collect(),
            day: (self.clock)().0.div_euclid(DAY_MS),
        }
    }
}

fn load(
    folder: &std::path::Path,
    front: &Front,
    clock: Clock,
) -> Result<Certificates, CertificateError> {
    match front {
        Front::Files { certificate, key } => {
            Certificates::from_files(folder, certificate, key, clock())
        }
        Front::Own | Front::Proxy { .. } => Certificates::open(folder, clock()),
    }
}
