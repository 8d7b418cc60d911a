//! The certificate that is served now and what phones are handed, and their exchange without a restart: when their files change,
//! once a day, or when asked.
//!
//! A certificate that phones would refuse is never taken into use: the one before goes on, and the log says why. No statement
//! that would have phones refuse the certificate goes out either.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

use super::accept::closed;
use super::{Clock, Front};
use crate::commune::{CertificateError, Certificates, Stated, hold};

/// How often to look whether the files changed.
const LOOK: Duration = Duration::from_secs(5);
/// How often the folder's own certificate is looked at for its end.
const DAY_MS: i64 = 24 * 3_600_000;

/// What of the folder is read whoever speaks TLS.
const OWN: [&str; 5] = [
    "root.pem",
    "spare-root.pem",
    "organisation.pub",
    "spare-organisation.pub",
    "statement",
];

/// Reads certificates and hands them to whoever accepts connections.
pub(super) struct Reloader {
    folder: PathBuf,
    front: Front,
    clock: Clock,
    served: watch::Sender<Arc<rustls::ServerConfig>>,
    stated: watch::Sender<Arc<Stated>>,
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
        let (tls, stated) = load(&folder, &front, clock)?;
        let (served, _) = watch::channel(tls);
        let (stated, _) = watch::channel(Arc::new(stated));
        let reloader = Self {
            folder,
            front,
            clock,
            served,
            stated,
            seen: Mutex::default(),
        };
        *reloader.seen() = reloader.look();
        Ok(reloader)
    }

    /// What is served, now and later.
    pub(super) fn served(&self) -> watch::Receiver<Arc<rustls::ServerConfig>> {
        self.served.subscribe()
    }

    /// What phones are handed, now and later.
    pub(super) fn stated(&self) -> watch::Receiver<Arc<Stated>> {
        self.stated.subscribe()
    }

    /// Reads again. On an error what is served stays.
    pub(super) fn reload(&self) -> Result<(), CertificateError> {
        let seen = self.look();
        let loaded = load(&self.folder, &self.front, self.clock);
        // Tried, whatever came of it: the same files are not tried over and over.
        *self.seen() = seen;
        let (tls, stated) = loaded?;
        self.served.send_replace(tls);
        let stated = stated.following(&self.stated.borrow());
        self.stated.send_replace(Arc::new(stated));
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
        let mut files = OWN.map(of_folder).to_vec();
        match &self.front {
            Front::Files { certificate, key } => files.extend([certificate.clone(), key.clone()]),
            Front::Own | Front::Proxy { .. } => {
                files.extend(["server.pem", "server.key"].map(of_folder));
            }
        }
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
) -> Result<(Arc<rustls::ServerConfig>, Stated), CertificateError> {
    let _held = hold(folder)?;
    let now = clock();
    let certificates = match front {
        Front::Files { certificate, key } => {
            Certificates::from_files(folder, certificate, key, now)?
        }
        Front::Own | Front::Proxy { .. } => Certificates::open(folder, now)?,
    };
    let stated = Stated::open(folder, certificates.roots(), None, now)?;
    Ok((certificates.tls()?, stated))
}

#[cfg(test)]
mod tests {
    use sotay_model::Timestamp;
    use sotay_model::statement::Version;

    use super::*;
    use crate::commune;

    fn now() -> Timestamp {
        Timestamp(1_795_316_400_000)
    }

    #[test]
    fn network_2_a_running_server_sees_that_roots_or_statement_changed() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let config = include_str!("../../commune.example.toml");
        let config = commune::Config::parse(config).unwrap();
        let list = commune::read_csv(include_bytes!("../../members.example.csv")).unwrap();
        commune::init(&config, &list, &data, now()).unwrap();
        let reloader = Reloader::new(data.clone(), Front::Own, now).unwrap();
        let serial = || reloader.stated().borrow().serial;
        let first = serial();
        assert!(*reloader.seen() == reloader.look(), "nothing changed");

        commune::rotate(&data, None, now()).unwrap();
        assert!(*reloader.seen() != reloader.look());
        reloader.reload().unwrap();
        assert!(*reloader.seen() == reloader.look());
        let second = serial();
        assert!(second > first);

        let wanted = Version::parse("65535.0.0").unwrap();
        commune::set_minimum_version(&data, wanted, now()).unwrap();
        assert!(*reloader.seen() != reloader.look());
        reloader.reload().unwrap();
        assert!(serial() > second);

        // One that cannot be read: what was handed out goes on.
        std::fs::write(data.join("statement"), "no statement").unwrap();
        assert!(matches!(
            reloader.reload(),
            Err(CertificateError::Unreadable { .. })
        ));
        assert_eq!(reloader.stated().borrow().minimum, wanted);
    }
}
