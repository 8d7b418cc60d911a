//! The commune's own roots, and the server's certificate under them.
//!
//! Phones trust only the roots handed over when they joined: one in use, and a spare whose key can be taken off the machine
//! and kept for the day the first is lost. The server's certificate is made anew when it nears its end; no phone notices.
//!
//! On that day [`rotate`] puts the spare in use: phones that joined before trust it already, those that join later are
//! handed it and a new spare. The server's certificate goes first and the roots follow.
//!
//! What consists of several files is written whole under other names, the certificate last, and then renamed, the certificate
//! last again. So wherever it breaks off, nothing has happened, or it is completed when the folder is next opened; either way
//! the key and the certificate in use fit, and every phone accepts them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, date_time_ymd,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use sotay_model::{CalendarDate, Timestamp};

use crate::durable::{self, Readers};

const ROOT_DAYS: i64 = 3_653;
const SERVER_DAYS: i64 = 397;
/// How long before its end a certificate is made anew.
const RENEW_DAYS: i64 = 30;
const DAY_MINUTES: i64 = 24 * 60;

const ROOT: &str = "root";
const SPARE: &str = "spare-root";
/// The spare-to-be while a rotation is under way.
const NEXT: &str = "next-root";
const SERVER: &str = "server";
/// What takes the server's certificate's place.
const NEXT_SERVER: &str = "next-server";

/// What is wrong with the keys and certificates of a folder.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{path} is not a key or certificate")]
    Unreadable {
        /// Which one.
        path: PathBuf,
    },
    /// A public key that is not the half of the key beside it.
    #[error("{path} does not fit the key beside it")]
    Unfitting {
        /// The public half.
        path: PathBuf,
    },
    /// A host name cannot stand in a certificate.
    #[error("{host:?} cannot be the name of a server")]
    Host {
        /// The name.
        host: String,
    },
    /// Phones trust only the organisation's roots, and would refuse this certificate.
    #[error("phones would refuse {path}: {why}")]
    Refused {
        /// The certificate's file.
        path: PathBuf,
        /// What they would find.
        why: rustls::Error,
    },
    /// Making a key or certificate failed.
    #[error("certificate: {0}")]
    Making(#[from] rcgen::Error),
    /// TLS refuses the key or certificate.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// The roots and the server's own certificate of a folder.
#[derive(Debug)]
pub struct Certificates {
    roots: Vec<CertificateDer<'static>>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Certificates {
    /// Makes roots, a spare, and a server certificate for these hosts.
    pub fn create(folder: &Path, hosts: &[String], now: Timestamp) -> Result<(), CertificateError> {
        let unusable = |host: &String| CertificateParams::new(vec![host.clone()]).is_err();
        if let Some(host) = hosts.iter().find(|host| unusable(host)) {
            return Err(CertificateError::Host { host: host.clone() });
        }
        make_root(folder, ROOT, "Sotay root", now)?;
        make_root(folder, SPARE, "Sotay spare root", now)?;
        write(&folder.join("hosts"), &hosts.join("\n"))?;
        renew(folder, ROOT, now)
    }

    /// Reads them, and makes the server's certificate anew when it nears its end.
    pub fn open(folder: &Path, now: Timestamp) -> Result<Self, CertificateError> {
        finish(folder)?;
        // Earlier versions wrote key and certificate one after the other, and a kill left one of each.
        let until = read(&folder.join(format!("{SERVER}.until"))).ok();
        let renew_from = until
            .filter(|_| pair(folder, SERVER).is_ok_and(|(key, pem)| fits(&key, &pem)))
            .and_then(|day| day.trim().parse::<CalendarDate>().ok())
            .map(|day| day.start().plus_minutes(-RENEW_DAYS * DAY_MINUTES));
        if renew_from.is_none_or(|day| day <= now) {
            renew(folder, ROOT, now)?;
            tracing::info!("made a new certificate for the server");
        }
        let path = folder.join(format!("{SERVER}.key"));
        let key = PrivateKeyDer::from_pem_file(&path)
            .map_err(|_| CertificateError::Unreadable { path })?;
        Ok(Self {
            roots: read_roots(folder)?,
            chain: vec![read_certificate(&pem(folder, SERVER))?],
            key,
        })
    }

    /// Reads a certificate that was made elsewhere, and refuses it where phones would: it must stand under one of the folder's
    /// roots, be valid now, and name one of the folder's hosts.
    pub fn from_files(
        folder: &Path,
        certificate: &Path,
        key: &Path,
        now: Timestamp,
    ) -> Result<Self, CertificateError> {
        finish(folder)?;
        let unreadable = |path: &Path| CertificateError::Unreadable {
            path: path.to_owned(),
        };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|_| unreadable(certificate))?;
        let roots = read_roots(folder)?;
        let hosts = read(&folder.join("hosts"))?;
        would_be_accepted(&roots, &chain, &hosts, now).map_err(|why| match why {
            None => unreadable(certificate),
            Some(why) => CertificateError::Refused {
                path: certificate.to_owned(),
                why,
            },
        })?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|_| unreadable(key))?;
        Ok(Self { roots, chain, key })
    }

    /// What every connection of a phone must chain to: in use, and spare.
    pub fn roots(&self) -> &[CertificateDer<'static>] {
        &self.roots
    }

    /// How the server speaks TLS: 1.2 and 1.3, ring, no client certificates.
    pub fn tls(&self) -> Result<Arc<rustls::ServerConfig>, CertificateError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key.clone_key())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// Puts the spare root in use, and makes a new spare. `spare_key` is where the spare's key is kept, if not in the folder.
pub(super) fn rotate(
    folder: &Path,
    spare_key: Option<&Path>,
    now: Timestamp,
) -> Result<(), CertificateError> {
    finish(folder)?;
    let own = folder.join(format!("{SPARE}.key"));
    if let Some(path) = spare_key {
        let text = read(path)?;
        let unreadable = || CertificateError::Unreadable {
            path: path.to_owned(),
        };
        let key = KeyPair::from_pem(&text).map_err(|_| unreadable())?;
        // The key of another root would sign what no phone accepts.
        if !fits(&key, &read_certificate(&pem(folder, SPARE))?) {
            return Err(unreadable());
        }
        write_private(&own, &text)?;
    }
    renew(folder, SPARE, now)?;
    let title = format!("Sotay root {}", now.date());
    make_root(folder, NEXT, &title, now)?;
    finish(folder)
}

/// Completes what a kill left of a new certificate for the server and of a rotation.
pub(super) fn finish(folder: &Path) -> Result<(), CertificateError> {
    follow(folder, NEXT_SERVER, SERVER, &["key", "until", "pem"])?;
    finish_rotation(folder, [NEXT, SPARE, ROOT], "pem")
}

/// Once the public half of the next spare is there, the rest of a rotation is renaming. `ending` is that of the public half.
pub(super) fn finish_rotation(
    folder: &Path,
    [next, spare, used]: [&str; 3],
    ending: &str,
) -> Result<(), CertificateError> {
    if folder.join(format!("{next}.{ending}")).exists() {
        follow(folder, spare, used, &["key", ending])?;
        follow(folder, next, spare, &["key", ending])?;
    }
    Ok(())
}

/// Puts files in others' place, each step of which may have happened before: until the last of them has moved, they have not.
pub(super) fn follow(
    folder: &Path,
    from: &str,
    to: &str,
    endings: &[&str],
) -> Result<(), CertificateError> {
    let at = |name: &str, ending: &str| folder.join(format!("{name}.{ending}"));
    if endings.last().is_none_or(|last| !at(from, last).exists()) {
        return Ok(());
    }
    for ending in endings {
        let path = at(from, ending);
        match durable::rename(&path, &at(to, ending)) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(CertificateError::File { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

fn pair(folder: &Path, name: &str) -> Result<(KeyPair, CertificateDer<'static>), CertificateError> {
    let path = folder.join(format!("{name}.key"));
    let key =
        KeyPair::from_pem(&read(&path)?).map_err(|_| CertificateError::Unreadable { path })?;
    Ok((key, read_certificate(&pem(folder, name))?))
}

/// Whether a certificate is that of a key.
fn fits(key: &KeyPair, certificate: &CertificateDer<'_>) -> bool {
    let public = key.der_bytes();
    certificate.windows(public.len()).any(|part| part == public)
}

fn pem(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.pem"))
}

fn make_root(
    folder: &Path,
    name: &str,
    title: &str,
    now: Timestamp,
) -> Result<(), CertificateError> {
    let key = KeyPair::generate()?;
    let certificate = root_params(title, now).self_signed(&key)?;
    write_private(&folder.join(format!("{name}.key")), &key.serialize_pem())?;
    // What stands before the first line of dashes is a comment; here, the name that certificates under it repeat.
    let text = format!("{title}\n{}", certificate.pem());
    write(&pem(folder, name), &text)
}

/// The name of a root: what stands before its certificate; older folders had one name for each file.
fn title_of(folder: &Path, name: &str) -> Result<String, CertificateError> {
    let text = read(&pem(folder, name))?;
    let first = text.lines().next().unwrap_or_default();
    Ok(match (first.starts_with("-----"), name) {
        (false, _) => first.to_owned(),
        (true, SPARE) => "Sotay spare root".to_owned(),
        (true, _) => "Sotay root".to_owned(),
    })
}

fn read_certificate(path: &Path) -> Result<CertificateDer<'static>, CertificateError> {
    CertificateDer::from_pem_file(path).map_err(|_| CertificateError::Unreadable {
        path: path.to_owned(),
    })
}

pub(super) fn read_roots(folder: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    [ROOT, SPARE]
        .iter()
        .map(|name| read_certificate(&pem(folder, name)))
        .collect()
}

/// Checks a chain as phones do, for the host that suits it best. Without an error in the end: it is no chain.
fn would_be_accepted(
    roots: &[CertificateDer<'static>],
    chain: &[CertificateDer<'static>],
    hosts: &str,
    now: Timestamp,
) -> Result<(), Option<rustls::Error>> {
    let mut store = rustls::RootCertStore::empty();
    for root in roots {
        store.add(root.clone()).map_err(Some)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider)
        .build()
        .map_err(|_| None)?;
    let (own, between) = chain.split_first().ok_or(None)?;
    let seconds = u64::try_from(now.0 / 1_000).unwrap_or(0);
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let mut refused = None;
    for host in hosts.lines() {
        let Ok(name) = ServerName::try_from(host) else {
            continue;
        };
        match verifier.verify_server_cert(own, between, &name, &[], at) {
            Ok(_) => return Ok(()),
            Err(why) => refused = Some(why),
        }
    }
    Err(refused)
}

/// Makes the server's certificate anew, under a root of the folder.
fn renew(folder: &Path, root: &str, now: Timestamp) -> Result<(), CertificateError> {
    let hosts: Vec<String> = read(&folder.join("hosts"))?
        .lines()
        .map(str::to_owned)
        .collect();
    let path = folder.join(format!("{root}.key"));
    let root_key =
        KeyPair::from_pem(&read(&path)?).map_err(|_| CertificateError::Unreadable { path })?;
    let issuer = Issuer::new(root_params(&title_of(folder, root)?, now), root_key);

    let until = now.plus_minutes(SERVER_DAYS * DAY_MINUTES).date();
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name = name("Sotay server");
    let (year, month, day) = ymd(now.plus_minutes(-DAY_MINUTES).date());
    params.not_before = date_time_ymd(year, month, day);
    let (year, month, day) = ymd(until);
    params.not_after = date_time_ymd(year, month, day);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &issuer)?;

    let at = |ending: &str| folder.join(format!("{NEXT_SERVER}.{ending}"));
    write_private(&at("key"), &key.serialize_pem())?;
    write(&at("until"), &until.to_string())?;
    write(&at("pem"), &certificate.pem())?;
    follow(folder, NEXT_SERVER, SERVER, &["key", "until", "pem"])
}

fn root_params(title: &str, now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name(title);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let (year, month, day) = ymd(now.plus_minutes(-DAY_MINUTES).date());
    params.not_before = date_time_ymd(year, month, day);
    let (year, month, day) = ymd(now.plus_minutes(ROOT_DAYS * DAY_MINUTES).date());
    params.not_after = date_time_ymd(year, month, day);
    params
}

fn name(common: &str) -> rcgen::DistinguishedName {
    let mut name = rcgen::DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

/// Year, month and day, as the certificate library wants them.
fn ymd(date: CalendarDate) -> (i32, u8, u8) {
    let text = date.to_string();
    let part = |place: usize| {
        text.rsplit('-')
            .nth(place)
            .and_then(|part| part.parse().ok())
            .unwrap_or(1)
    };
    (date.year(), part(1), part(0))
}

pub(super) fn read(path: &Path) -> Result<String, CertificateError> {
    std::fs::read_to_string(path).map_err(|source| CertificateError::File {
        path: path.to_owned(),
        source,
    })
}

/// Writes a file; an older one is replaced as a whole.
pub(super) fn write(path: &Path, text: &str) -> Result<(), CertificateError> {
    write_for(path, text, Readers::Folder)
}

/// The same, for its owner only.
pub(super) fn write_private(path: &Path, text: &str) -> Result<(), CertificateError> {
    write_for(path, text, Readers::Owner)
}

fn write_for(path: &Path, text: &str, readers: Readers) -> Result<(), CertificateError> {
    durable::write(path, text.as_bytes(), readers).map_err(|source| CertificateError::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;
    use crate::durable::cut;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    type Files = BTreeMap<PathBuf, Vec<u8>>;

    fn made() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        Certificates::create(folder.path(), &["127.0.0.1".to_owned()], NOW).unwrap();
        folder
    }

    fn files(folder: &Path) -> Files {
        let paths = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        paths
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect()
    }

    fn put(folder: &Path, files: &Files) {
        for path in self::files(folder).keys() {
            fs::remove_file(path).unwrap();
        }
        for (path, bytes) in files {
            fs::write(path, bytes).unwrap();
        }
    }

    fn accepted(roots: &[CertificateDer<'static>], chain: &[CertificateDer<'static>]) -> bool {
        would_be_accepted(roots, chain, "127.0.0.1", NOW).is_ok()
    }

    #[test]
    fn network_2_a_rotation_that_broke_off_anywhere_is_completed() {
        let folder = made();
        let folder = folder.path();
        // The day on which it matters: the first root's key is lost, the spare's comes from elsewhere.
        let elsewhere = tempfile::tempdir().unwrap();
        let kept = elsewhere.path().join("kept.key");
        fs::rename(folder.join("spare-root.key"), &kept).unwrap();
        fs::remove_file(folder.join("root.key")).unwrap();
        let before = files(folder);
        let joined = read_roots(folder).unwrap();
        let (mut not_yet, mut completed) = (0, 0);
        for steps in 0.. {
            put(folder, &before);
            let (done, was_cut) = cut::after(steps, || rotate(folder, Some(&kept), NOW));
            assert_eq!(done.is_err(), was_cut);
            let started = Certificates::open(folder, NOW).unwrap();
            started.tls().unwrap();
            assert!(
                accepted(&joined[..], &started.chain),
                "phones go on after {steps} steps"
            );
            assert!(accepted(started.roots(), &started.chain), "and others join");
            if started.roots() == joined {
                not_yet += 1;
                assert!(was_cut);
                // Whoever asked for it asks again.
                rotate(folder, Some(&kept), NOW).unwrap();
            } else {
                completed += 1;
                assert_eq!(started.roots()[0], joined[1]);
            }
            let again = Certificates::open(folder, NOW).unwrap();
            assert!(accepted(&again.roots()[..1], &again.chain));
            assert!(!files(folder).keys().any(|path| {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                name.starts_with("next-")
            }));
            // The next rotation needs nothing from elsewhere.
            rotate(folder, None, NOW).unwrap();
            if !was_cut {
                break;
            }
        }
        assert!(not_yet > 10 && completed > 4, "{not_yet}, {completed}");
    }

    #[test]
    fn network_2_renewing_that_broke_off_anywhere_leaves_a_key_and_a_certificate_that_fit() {
        let folder = made();
        let folder = folder.path();
        let before = files(folder);
        let later = NOW.plus_minutes((SERVER_DAYS - 5) * DAY_MINUTES);
        for steps in 0.. {
            put(folder, &before);
            let (_, was_cut) = cut::after(steps, || Certificates::open(folder, later));
            // Also where the root's key was taken away meanwhile, nothing of what is there contradicts itself.
            finish(folder).unwrap();
            let (key, certificate) = pair(folder, SERVER).unwrap();
            assert!(fits(&key, &certificate), "after {steps} steps");
            Certificates::open(folder, later).unwrap().tls().unwrap();
            if !was_cut {
                break;
            }
        }
    }

    #[test]
    fn network_2_a_server_s_key_without_its_certificate_as_earlier_versions_left_it_is_made_anew() {
        let folder = made();
        let folder = folder.path();
        let other = made();
        for name in ["server.key", "server.pem", "server.until"] {
            fs::copy(other.path().join(name), folder.join(name)).unwrap();
            let opened = Certificates::open(folder, NOW).unwrap();
            opened.tls().unwrap();
            assert!(accepted(opened.roots(), &opened.chain), "{name}");
            fs::write(folder.join(name), "torn").unwrap();
            Certificates::open(folder, NOW).unwrap().tls().unwrap();
        }
    }
}
