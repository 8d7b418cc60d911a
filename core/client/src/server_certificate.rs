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

use sotay_model::wire::TrustAnchors;

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
    /// Certificates must chain to one of these anchors; none where there is no usable one.
    pub(crate) fn under(anchors: &TrustAnchors, time: &Arc<Time>) -> Option<Self> {
        let mut roots = RootCertStore::empty();
        for der in &anchors.tls {
            roots.add(CertificateDer::from(der.to_vec())).ok()?;
        }
        Self::new(roots, Arc::clone(time))
    }

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

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
        KeyUsagePurpose, date_time_ymd,
    };
    use sotay_model::{CalendarDate, Timestamp};

    use super::*;
    use crate::clock::{Known, Reading, SettableClock};

    fn first_of(year: i32) -> Timestamp {
        CalendarDate::new(year, 1, 1).unwrap().start()
    }

    /// A root, and a certificate under it for 2026 and 2027.
    fn made() -> (RootCertStore, CertificateDer<'static>) {
        let mut root = CertificateParams::default();
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root_key = KeyPair::generate().unwrap();
        let mut roots = RootCertStore::empty();
        let signed = root.self_signed(&root_key).unwrap();
        roots.add(signed.der().clone()).unwrap();
        let mut server = CertificateParams::new(vec!["sotay.example".to_owned()]).unwrap();
        server.not_before = date_time_ymd(2026, 1, 1);
        server.not_after = date_time_ymd(2028, 1, 1);
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::new(root, root_key);
        let certificate = server.signed_by(&key, &issuer).unwrap();
        (roots, certificate.der().clone())
    }

    /// Whether a phone accepts it whose wall clock says `wall`, and whom the server told `told`, before a new start or after.
    fn accepts(wall: i32, told: Option<i32>, restarted: bool) -> bool {
        let clock = Arc::new(SettableClock::at(Reading {
            wall: first_of(wall),
            since_boot: 1_000,
            boot: [3; 16],
        }));
        let time = Arc::new(Time::by(clock.clone()));
        if let Some(told) = told {
            time.learn(first_of(told));
        } else {
            time.recall(Known::default(), Timestamp(0));
        }
        if restarted {
            clock.reboot();
        }
        let (roots, certificate) = made();
        ServerCertificate::new(roots, time)
            .unwrap()
            .verify_server_cert(
                &certificate,
                &[],
                &ServerName::try_from("sotay.example").unwrap(),
                &[],
                UnixTime::now(),
            )
            .is_ok()
    }

    #[test]
    fn promise_15_a_certificate_is_judged_by_the_servers_time_and_never_by_the_wall_clock() {
        for wall in [1970, 2017, 2027, 2037] {
            assert!(accepts(wall, Some(2027), false), "in time, by {wall}");
            assert!(!accepts(wall, Some(2025), false), "too early, by {wall}");
            assert!(!accepts(wall, Some(2029), false), "expired, by {wall}");
        }
    }

    #[test]
    fn promise_15_while_the_time_is_uncertain_only_what_is_surely_expired_is_refused() {
        for wall in [1970, 2017, 2037] {
            assert!(accepts(wall, None, false), "never told, by {wall}");
            assert!(
                accepts(wall, Some(2025), true),
                "perhaps in time, by {wall}"
            );
            assert!(accepts(wall, Some(2027), true), "in time then, by {wall}");
            assert!(!accepts(wall, Some(2029), true), "expired then, by {wall}");
        }
    }

    #[test]
    fn a_certificate_of_another_root_is_never_accepted() {
        let time = Arc::new(Time::by(Arc::new(crate::clock::SystemClock)));
        let (roots, _) = made();
        let (_, other) = made();
        let name = ServerName::try_from("sotay.example").unwrap();
        ServerCertificate::new(roots, time)
            .unwrap()
            .verify_server_cert(&other, &[], &name, &[], UnixTime::now())
            .unwrap_err();
    }
}
