//! E2: what the server does to know who signed a request, each step by the function that it calls itself, on one thread: reads the
//! header, checks the nonce, digest and signature, finds the session, reads the phone from its database. The first request of a
//! session brings a certificate, whose signature is checked beside.

use std::time::{Duration, Instant};

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use sotay_model::InstallationId;
use sotay_model::device_key::PublicKey;
use sotay_model::session::SessionCertificate;
use sotay_model::signature::{self, Headers, Parameters, Request};
use sotay_server::engine::Nonces;
use sotay_server::http::Sessions;
use sotay_server::storage::Storage;

use super::ground::Ground;
use super::{Extent, Figure, Samples};
use crate::fail;
use crate::failure::Failure;

const TARGET_US: f64 = 100.0;
/// Measured so often for each round of the extent.
const EACH: usize = 50;
/// The bytes of an ordinary request: a sync of twenty scopes.
const BODY: [u8; 560] = [7; 560];

/// A server's side of it.
struct Server {
    nonces: Nonces,
    sessions: Sessions,
    storage: Storage,
}

impl Server {
    /// Who signed the request. `device`: the key that a certificate is checked against, where one came.
    fn knows(
        &mut self,
        request: &Request<'_>,
        headers: &Headers,
        certificate: Option<(&str, &PublicKey)>,
    ) -> Option<InstallationId> {
        let now = sotay_server::system_clock();
        let parameters = signature::parse(&headers.signature_input).ok()?;
        let key = parameters.key;
        let given_out = self
            .nonces
            .fresh_for_session(&key, parameters.nonce(), now)?;
        signature::verify_head(request, headers, &parameters).ok()?;
        if headers.content_digest != signature::content_digest(request.body) {
            return None;
        }
        let phone = match certificate {
            None => self.sessions.phone(&key, now)?,
            Some((header, device)) => {
                let certificate = SessionCertificate::from_header(header)?;
                let until = self.nonces.session_ends(&key, &certificate.nonce)?;
                if !certificate.fits(device) {
                    return None;
                }
                self.sessions
                    .remember(key, certificate.installation, until, now);
                certificate.installation
            }
        };
        let known = self.storage.read().ok()?.installation(phone).ok()??;
        known.active_since?;
        let signature = headers.signature.as_bytes();
        (self.nonces.is_first(signature, given_out, now)).then_some(phone)
    }
}

pub(super) fn measure(extent: &Extent) -> Result<Figure, Failure> {
    let ground = Ground::make()?;
    drop(ground.phone("m03", "signer")?);
    let mut storage = ground.storage()?;
    let phones = storage.read()?.installations_of(ground.member("m03")?)?;
    let [phone] = phones.as_slice() else {
        fail!("there are {} phones", phones.len());
    };
    let phone = phone.id;
    let mut server = Server {
        nonces: Nonces::new(&[5; 32], sotay_server::system_clock()),
        sessions: Sessions::default(),
        storage,
    };

    let broken = |_| Failure("no key could be made".into());
    let session = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).map_err(broken)?;
    let key = signature::session_key(&session);
    let now = sotay_server::system_clock();
    let nonce = server.nonces.for_session(&key, now);
    let request = Request {
        method: "POST",
        authority: "sotay.example:8443",
        path: "/v1/sync",
        query: None,
        body: &BODY,
    };
    // Each request is signed a second after the one before: the server takes none twice.
    let mut second = now.0 / 1_000;
    let mut signed_anew = || {
        second += 1;
        Parameters::new(second, key, &nonce)
            .map(|parameters| signature::sign_with(&session, &request, &parameters))
            .map_err(|_| Failure("the server's nonce is none".into()))
    };

    let random = SystemRandom::new();
    let ed25519 = Ed25519KeyPair::from_seed_unchecked(&[3; 32]).map_err(broken)?;
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random)
        .map_err(|_| Failure("no key could be made".into()))?;
    let p256 = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).map_err(broken)?;
    let signed = SessionCertificate::signed_bytes(phone, &key, &nonce);
    let certificate = |signature: &[u8]| {
        SessionCertificate {
            installation: phone,
            key: key.to_vec(),
            nonce: nonce.clone(),
            signature: signature.to_vec(),
        }
        .header()
    };
    let software = (
        certificate(ed25519.sign(&signed).as_ref()),
        PublicKey::ed25519(ed25519.public_key().as_ref()),
    );
    let by_hardware = p256
        .sign(&random, &signed)
        .map_err(|_| Failure("nothing was signed".into()))?;
    let Ok(point) = PublicKey::p256(p256.public_key().as_ref()) else {
        fail!("not a key of P-256");
    };
    let hardware = (certificate(by_hardware.as_ref()), point);

    let rounds = extent.rounds * EACH;
    let mut time = |certificate: Option<&(String, PublicKey)>| -> Result<Samples, Failure> {
        let mut samples = Samples::default();
        for _ in 0..rounds {
            let headers = signed_anew()?;
            let began = Instant::now();
            let known = server.knows(
                &request,
                &headers,
                certificate.map(|(header, device)| (header.as_str(), device)),
            );
            let took: Duration = began.elapsed();
            if known != Some(phone) {
                fail!("the request was refused");
            }
            samples.push(took);
        }
        Ok(samples)
    };
    // The first ones also make the session known.
    let mut first = [time(Some(&software))?, time(Some(&hardware))?];
    let mut ordinary = time(None)?;
    let [software, hardware] = &mut first;
    let (figure, slowest) = (ordinary.percentile(50) * 1e3, ordinary.percentile(99) * 1e3);
    Ok(Figure {
        id: "E2",
        what: "who signed a request: nonce, signature, session, phone",
        figure,
        unit: "us",
        raw: None,
        ratio: None,
        target: TARGET_US,
        met: figure <= TARGET_US,
        detail: vec![
            ("p99, us", slowest),
            (
                "first of a session, certified by Ed25519, p50, us",
                software.percentile(50) * 1e3,
            ),
            (
                "first of a session, certified by P-256, p50, us",
                hardware.percentile(50) * 1e3,
            ),
            ("requests verified", rounds as f64),
        ],
    })
}
