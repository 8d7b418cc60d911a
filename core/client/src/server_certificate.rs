//! Checks the server's certificate against the organisation's roots at a time that the phone really knows.
//!
//! A phone's clock may be years off, and after a new start of the phone the server's time is a guess until the next sync. A
//! guess must not shut the phone out, nor let a certificate live on that is surely expired. So while the time is uncertain
//! the check is made at the latest time that the server ever told, which is surely over: what had expired by then is
//! refused, and what was not valid yet by then may be by now.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::clock::Time;

/// More certificates than any honest chain has, each with a beginning of its own.
const LONGEST_CHAIN: usize = 4;

/// See the module.
#[derive(Debug)]
pub(crate) struct ServerCertificate {
    chain: Arc<WebPkiServerVerifier>,
    time: Arc<Time>,
}

impl ServerCertificate {
    /// Certificates must chain to these roots; none where there is no usable root.
    pub(crate) fn new(roots: RootCertStore, time: Arc<Time>) -> Option<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .ok()?;
        Some(Self { chain, time })
    }
}

impl ServerCertVerifier for ServerCertificate {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let (time, certain) = self.time.surely_over();
        let milliseconds = u64::try_from(time.0).unwrap_or(0);
        let mut at = UnixTime::since_unix_epoch(Duration::from_millis(milliseconds));
        for _ in 0..LONGEST_CHAIN {
            match self
                .chain
                .verify_server_cert(certificate, between, name, ocsp, at)
            {
                Err(Error::InvalidCertificate(CertificateError::NotValidYetContext {
                    not_before,
                    ..
                })) if !certain && not_before > at => at = not_before,
                verified => return verified,
            }
        }
        Err(Error::InvalidCertificate(CertificateError::NotValidYet))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}
