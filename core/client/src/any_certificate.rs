//! Accepts any certificate, but still checks that the other side holds its key: only for opening an enrolment, where the answer
//! proves itself by a MAC. What was met is remembered, to be checked against the anchors that the answer brings.

use std::sync::Mutex;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

use crate::server_certificate::ServerCertificate;
use crate::store::locked;

/// See the module.
#[derive(Debug)]
pub(crate) struct AnyCertificate {
    provider: CryptoProvider,
    met: Mutex<Option<Met>>,
}

/// A chain as the other side showed it, and the name it was asked under.
#[derive(Debug)]
struct Met {
    certificate: CertificateDer<'static>,
    between: Vec<CertificateDer<'static>>,
    name: ServerName<'static>,
}

impl AnyCertificate {
    /// Checks signatures with ring.
    pub(crate) fn new() -> Self {
        Self {
            provider: ring::default_provider(),
            met: Mutex::new(None),
        }
    }

    /// Whether the certificate that was met passes this check.
    pub(crate) fn passes(&self, check: &ServerCertificate) -> bool {
        locked(&self.met).as_ref().is_some_and(|met| {
            check
                .verify_server_cert(
                    &met.certificate,
                    &met.between,
                    &met.name,
                    &[],
                    UnixTime::since_unix_epoch(Duration::ZERO),
                )
                .is_ok()
        })
    }
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *locked(&self.met) = Some(Met {
            certificate: certificate.clone().into_owned(),
            between: between
                .iter()
                .map(|between| between.clone().into_owned())
                .collect(),
            name: name.to_owned(),
        });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
