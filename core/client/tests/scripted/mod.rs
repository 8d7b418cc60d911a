//! A server over real TLS that says what a test wants, with an organisation of its own; and a way to speak with a real one as
//! no phone would.
#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "of tests, each of which uses its own part"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use argon2::{Algorithm, Argon2, Params, Version};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, ServerConfig, ServerConnection,
    SignatureScheme, StreamOwned,
};
use sotay_client::Handbook;
use sotay_model::cbor;
use sotay_model::enrolment::{self, Code, EnrolmentKeys, Invitation};
use sotay_model::exchange;
use sotay_model::statement::STATEMENT_HEADER;
use sotay_model::wire::{
    Enrolled, EnrolmentClaimed, EnrolmentOpened, EnrolmentState, OpenEnrolment, Problem,
    ProblemCode, TrustAnchors,
};
use sotay_model::{Id, InstallationId, MemberId, OrganisationId};
use sotay_server::system_clock;

pub const OPEN: &str = "/v1/enrolment/open";
pub const CLAIM: &str = "/v1/enrolment/claim";
pub const STATE: &str = "/v1/enrolment/state";
pub const NONCE: [u8; 32] = [0x5e; 32];

/// Status and body.
pub type Answer = (u16, Vec<u8>);
type Handler = dyn Fn(&str, &[u8]) -> Answer + Send + Sync;

/// A server whose answers a test writes.
pub struct Scripted {
    pub address: SocketAddr,
    pub anchors: TrustAnchors,
    /// What signs revocations there.
    pub organisation: Ed25519KeyPair,
    handler: Arc<Mutex<Arc<Handler>>>,
    /// Which statement the phone said that it has, and which one every answer brings.
    pub stated: Arc<Mutex<(String, Option<String>)>>,
}

/// What is answered to a claim.
pub fn claimed(nonce: &[u8]) -> EnrolmentClaimed {
    EnrolmentClaimed {
        installation: InstallationId(Id::from_bytes([4; 16])),
        nonce: nonce.to_vec(),
        now: system_clock(),
        until: system_clock().plus_minutes(24 * 60),
    }
}

/// Argon2id of a code, as both sides compute it.
pub fn keys_of(code: &Code) -> EnrolmentKeys {
    let (memory, passes, lanes) = (enrolment::MEMORY_KIB, enrolment::PASSES, enrolment::LANES);
    let params = Params::new(memory, passes, lanes, Some(32)).unwrap();
    let mut stretched = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(&code.secret(), enrolment::SALT, &mut stretched)
        .unwrap();
    EnrolmentKeys::derive(&stretched)
}

impl Scripted {
    pub fn start() -> Self {
        let mut root = CertificateParams::default();
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root_key = KeyPair::generate().unwrap();
        let root_der = root.self_signed(&root_key).unwrap().der().to_vec();
        let key = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = leaf.signed_by(&key, &Issuer::new(root, &root_key)).unwrap();
        let tls = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let organisation = Ed25519KeyPair::from_seed_unchecked(&[0x0a; 32]).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let nothing: Arc<Handler> = Arc::new(|_, _| (404, Vec::new()));
        let handler = Arc::new(Mutex::new(nothing));
        let (asked, tls) = (Arc::clone(&handler), Arc::new(tls));
        let stated = Arc::<Mutex<(String, Option<String>)>>::default();
        let says = Arc::clone(&stated);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), tls, asked) = (stream, Arc::clone(&tls), Arc::clone(&asked))
                else {
                    return;
                };
                let says = Arc::clone(&says);
                std::thread::spawn(move || {
                    let connection = ServerConnection::new(tls).unwrap();
                    let mut stream = StreamOwned::new(connection, stream);
                    // A phone that hangs up is no failure of the server's.
                    while let Ok(Some((head, body))) = message(&mut stream) {
                        let path = head.split(' ').nth(1).unwrap_or_default();
                        let handler = asked.lock().unwrap().clone();
                        let (status, body) = handler(path, &body);
                        let statement = {
                            let mut says = says.lock().unwrap();
                            says.0 = header(&head, STATEMENT_HEADER)
                                .unwrap_or_default()
                                .to_owned();
                            says.1.clone()
                        };
                        if respond(&mut stream, status, &body, statement).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        Self {
            address,
            anchors: TrustAnchors {
                tls: vec![root_der.into()],
                organisation: vec![organisation.public_key().as_ref().to_vec().into()],
            },
            organisation,
            handler,
            stated,
        }
    }

    /// Makes a phone that of a member of this organisation.
    pub fn member(self: &Arc<Self>, handbook: &Handbook) {
        let code = Code::from_random([3; 8]);
        let (scripted, keys) = (Arc::clone(self), keys_of(&code));
        let asked = AtomicU32::new(0);
        self.answers(move |path, body| match path {
            OPEN => (200, cbor::to_bytes(&scripted.opened(&keys, body, &NONCE))),
            CLAIM => (200, cbor::to_bytes(&claimed(&NONCE))),
            STATE if asked.fetch_add(1, Ordering::Relaxed) == 0 => {
                refusal(401, ProblemCode::StaleNonce)
            }
            _ => (
                200,
                cbor::to_bytes(&EnrolmentState::Active(Enrolled {
                    member: MemberId(Id::from_bytes([1; 16])),
                    member_name: "Đồng chí Mẫu 01".into(),
                    cell: OrganisationId(Id::from_bytes([2; 16])),
                    now: system_clock(),
                })),
            ),
        });
        let invitation = self.invitation(&code);
        handbook.join(invitation, "Máy thử".into()).unwrap();
        handbook.finish_joining().unwrap().unwrap();
    }

    /// From now on this answers.
    pub fn answers(&self, handler: impl Fn(&str, &[u8]) -> Answer + Send + Sync + 'static) {
        *self.handler.lock().unwrap() = Arc::new(handler);
    }

    /// An invitation to it.
    pub fn invitation(&self, code: &Code) -> String {
        let host = self.address.to_string();
        Invitation::new(&host, code.clone()).unwrap().text()
    }

    /// What an honest server with that code and nonce answers to `open`.
    pub fn opened(&self, keys: &EnrolmentKeys, asked: &[u8], nonce: &[u8]) -> EnrolmentOpened {
        let asked: OpenEnrolment = cbor::from_bytes(asked).unwrap();
        let (anchors, fresh) = (cbor::to_bytes(&self.anchors), [9; 32]);
        let commitment = exchange::server_commitment(&asked.commitment, &anchors, nonce);
        EnrolmentOpened {
            mac: exchange::anchors_mac(&keys.anchors, &anchors, &fresh, &commitment).to_vec(),
            anchors,
            fresh: fresh.to_vec(),
            commitment: commitment.to_vec(),
        }
    }
}

/// A refusal.
pub fn refusal(status: u16, problem: impl Into<Problem>) -> Answer {
    (status, cbor::to_bytes(&problem.into()))
}

/// Posts to a server without asking who it is.
pub fn post(address: SocketAddr, path: &str, body: &[u8]) -> Answer {
    let tls = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider())))
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connection = ClientConnection::new(Arc::new(tls), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/cbor\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let (head, body) = message(&mut stream).unwrap().unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body)
}

/// A header's value.
fn header<'h>(head: &'h str, wanted: &str) -> Option<&'h str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let found = lines.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    found.map(|(_, value)| value.trim())
}

/// The head and the body of the next message; none where the other side hung up.
fn message(stream: &mut impl Read) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Some((head, body)))
}

fn respond(
    stream: &mut impl Write,
    status: u16,
    body: &[u8],
    statement: Option<String>,
) -> std::io::Result<()> {
    let statement = statement.map_or_else(String::new, |statement| {
        format!("{STATEMENT_HEADER}: {statement}\r\n")
    });
    let head = format!(
        "HTTP/1.1 {status} Said\r\nContent-Type: application/cbor\r\nsotay-nonce: n{status}\r\n\
         {statement}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat())?;
    stream.flush()
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
