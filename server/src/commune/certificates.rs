//! The commune's own roots, and the server's certificate under them.
//!
//! Phones trust only the roots handed over when they joined: one in use, and a spare whose key can be taken off the machine
//! and kept for the day the first is lost. The server's certificate is made anew when it nears its end; no phone notices.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minicbor::Encoder;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sotay_model::{CalendarDate, Timestamp};

const ROOT_DAYS: i64 = 3_653;
const SERVER_DAYS: i64 = 397;
/// How long before its end a certificate is made anew.
const RENEW_DAYS: i64 = 30;
const DAY_MINUTES: i64 = 24 * 60;

const ROOT: &str = "root";
const SPARE: &str = "spare-root";
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
        for (name, title) in [(ROOT, "Sotay root"), (SPARE, "Sotay spare root")] {
            let key = KeyPair::generate()?;
            let certificate = root_params(title, now).self_signed(&key)?;
            write_private(&folder.join(format!("{name}.key")), &key.serialize_pem())?;
            write(&folder.join(format!("{name}.pem")), &certificate.pem())?;
        }
        write(&folder.join("hosts"), &hosts.join("\n"))?;
        renew(folder, now)
    }

    /// Reads them, and makes the server's certificate anew when it nears its end.
    pub fn open(folder: &Path, now: Timestamp) -> Result<Self, CertificateError> {
        let until = read(&folder.join("server.until"))?;
        let renew_from = until
            .trim()
            .parse::<CalendarDate>()
            .ok()
            .map(|day| day.start().plus_minutes(-RENEW_DAYS * DAY_MINUTES));
        if renew_from.is_none_or(|day| day <= now) {
            renew(folder, now)?;
            tracing::info!("made a new certificate for the server");
        }
        let certificate = |name: &str| {
            let path = folder.join(format!("{name}.pem"));
            CertificateDer::from_pem_file(&path).map_err(|_| CertificateError::Unreadable { path })
        };
        let path = folder.join("server.key");
        let key = PrivateKeyDer::from_pem_file(&path)
            .map_err(|_| CertificateError::Unreadable { path })?;
        Ok(Self {
            roots: vec![certificate(ROOT)?, certificate(SPARE)?],
            chain: vec![certificate(SERVER)?],
            key,
        })
    }

    /// What phones are handed: a CBOR array of DER certificates.
    pub fn roots(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        // Writing into memory cannot fail.
        let written = encoder
            .array(self.roots.len() as u64)
            .and_then(|e| self.roots.iter().try_fold(e, |e, root| e.bytes(root)))
            .is_ok();
        debug_assert!(written);
        encoder.into_writer()
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

/// Makes the server's certificate under the root in use.
fn renew(folder: &Path, now: Timestamp) -> Result<(), CertificateError> {
    let hosts: Vec<String> = read(&folder.join("hosts"))?
        .lines()
        .map(str::to_owned)
        .collect();
    let path = folder.join("root.key");
    let root_key =
        KeyPair::from_pem(&read(&path)?).map_err(|_| CertificateError::Unreadable { path })?;
    let issuer = Issuer::new(root_params("Sotay root", now), root_key);

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

fn read(path: &Path) -> Result<String, CertificateError> {
    fs::read_to_string(path).map_err(|source| CertificateError::File {
        path: path.to_owned(),
        source,
    })
}

fn write(path: &Path, text: &str) -> Result<(), CertificateError> {
    fs::write(path, text).map_err(|source| CertificateError::File {
        path: path.to_owned(),
        source,
    })
}

/// Writes a file that only its owner may read, from its first byte on. An older one is replaced as a whole.
fn write_private(path: &Path, text: &str) -> Result<(), CertificateError> {
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
