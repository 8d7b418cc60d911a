//! The commune's own roots, and the server's certificate under them.
//!
//! Phones trust only the roots handed over when they joined: one in use, and a spare whose key can be taken off the machine
//! and kept for the day the first is lost. The server's certificate is made anew when it nears its end; no phone notices.
//!
//! On that day [`rotate`] puts the spare in use: phones that joined before trust it already, those that join later are
//! handed it and a new spare. The certificate goes first and the roots follow by renaming, so that a rotation that breaks
//! off leaves a certificate that every phone accepts, and is completed when the folder is next opened.

use std::fs;
use std::io::Write;
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
        finish_rotation(folder)?;
        let until = read(&folder.join("server.until"))?;
        let renew_from = until
            .trim()
            .parse::<CalendarDate>()
            .ok()
            .map(|day| day.start().plus_minutes(-RENEW_DAYS * DAY_MINUTES));
        if renew_from.is_none_or(|day| day <= now) {
            renew(folder, ROOT, now)?;
            tracing::info!("made a new certificate for the server");
        }
        let path = folder.join("server.key");
        let key = PrivateKeyDer::from_pem_file(&path)
            .map_err(|_| CertificateError::Unreadable { path })?;
        Ok(Self {
            roots: read_roots(folder)?,
            chain: vec![read_certificate(&folder.join(format!("{SERVER}.pem")))?],
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
        finish_rotation(folder)?;
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
    finish_rotation(folder)?;
    let own = folder.join(format!("{SPARE}.key"));
    if let Some(path) = spare_key {
        let text = read(path)?;
        let unreadable = || CertificateError::Unreadable {
            path: path.to_owned(),
        };
        let key = KeyPair::from_pem(&text).map_err(|_| unreadable())?;
        // The key of another root would sign what no phone accepts.
        let spare = read_certificate(&folder.join(format!("{SPARE}.pem")))?;
        let public = key.der_bytes();
        if !spare.windows(public.len()).any(|part| part == public) {
            return Err(unreadable());
        }
        write_private(&own, &text)?;
    }
    renew(folder, SPARE, now)?;
    let title = format!("Sotay root {}", now.date());
    make_root(folder, NEXT, &title, now)?;
    finish_rotation(folder)
}

/// Completes a rotation of the roots.
fn finish_rotation(folder: &Path) -> Result<(), CertificateError> {
    finish([NEXT, SPARE, ROOT], "pem", folder)
}

/// Once the public half of the next spare is there, everything else of a rotation is renaming, each step of which may have
/// happened. `ending` is that of the public half.
pub(super) fn finish(
    [next, spare, used]: [&str; 3],
    ending: &str,
    folder: &Path,
) -> Result<(), CertificateError> {
    let at = |name: &str, ending: &str| folder.join(format!("{name}.{ending}"));
    if !at(next, ending).exists() {
        return Ok(());
    }
    for (from, to) in [(spare, used), (next, spare)] {
        // Until its public half has moved, a key has not.
        if !at(from, ending).exists() {
            continue;
        }
        for ending in ["key", ending] {
            match fs::rename(at(from, ending), at(to, ending)) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    let path = at(from, ending);
                    return Err(CertificateError::File { path, source });
                }
                _ => {}
            }
        }
    }
    Ok(())
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
    write(&folder.join(format!("{name}.pem")), &text)
}

/// The name of a root: what stands before its certificate; older folders had one name for each file.
fn title_of(folder: &Path, name: &str) -> Result<String, CertificateError> {
    let text = read(&folder.join(format!("{name}.pem")))?;
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
        .map(|name| read_certificate(&folder.join(format!("{name}.pem"))))
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

/// Makes the server's certificate under a root of the folder.
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

    write_private(&folder.join("server.key"), &key.serialize_pem())?;
    write(&folder.join("server.pem"), &certificate.pem())?;
    write(&folder.join("server.until"), &until.to_string())
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
    fs::read_to_string(path).map_err(|source| CertificateError::File {
        path: path.to_owned(),
        source,
    })
}

pub(super) fn write(path: &Path, text: &str) -> Result<(), CertificateError> {
    fs::write(path, text).map_err(|source| CertificateError::File {
        path: path.to_owned(),
        source,
    })
}

/// Writes a file that only its owner may read, from its first byte on. An older one is replaced as a whole.
pub(super) fn write_private(path: &Path, text: &str) -> Result<(), CertificateError> {
    let failed = |source| CertificateError::File {
        path: path.to_owned(),
        source,
    };
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let fresh = path.with_extension("key.new");
    if fresh.exists() {
        fs::remove_file(&fresh).map_err(failed)?;
    }
    let mut file = options.open(&fresh).map_err(failed)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    fs::rename(&fresh, path).map_err(failed)
}
