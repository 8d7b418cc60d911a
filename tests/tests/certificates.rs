//! Whom a phone believes to be its server: the organisation's roots and nobody else, over real TLS. Whatever is wrong with a
//! certificate is a typed error, and nothing that the phone holds or wants to send is lost by it.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{Village, publish};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection, StreamOwned};
use sotay_client::{HandbookError, ServerFault};
use sotay_model::meetings::Choice;
use sotay_server::commune::{self, CertificateError};
use sotay_server::{Front, Running, Server, ServerConfig, StartError, system_clock};
use sotay_tests::commune::{invitation, join};
use sotay_tests::examiner::agree;
use sotay_tests::fault::{Fault, FaultServer, self_signed};
use sotay_tests::phone::Phone;

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    Expired,
    NotYetValid,
    AnotherHost,
    UnknownRoot,
    SignedByALeaf,
    NotForServers,
}

/// A root of a folder: its name and its key.
fn root(folder: &Path, name: &str) -> Issuer<'static, KeyPair> {
    let read = |ending: &str| std::fs::read_to_string(folder.join(format!("{name}.{ending}")));
    let key = KeyPair::from_pem(&read("key").unwrap()).unwrap();
    let title = read("pem").unwrap().lines().next().unwrap().to_owned();
    Issuer::new(authority(&title), key)
}

fn authority(title: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, title);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

/// A chain and its key, as PEM, for 127.0.0.1.
fn made(data: &Path, wrong: Wrong) -> (String, String) {
    let host = match wrong {
        Wrong::AnotherHost => "other.example",
        _ => "127.0.0.1",
    };
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    (params.not_before, params.not_after) = match wrong {
        Wrong::Expired => (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1)),
        Wrong::NotYetValid => (date_time_ymd(2090, 1, 1), date_time_ymd(2091, 1, 1)),
        _ => (date_time_ymd(2020, 1, 1), date_time_ymd(2090, 1, 1)),
    };
    params.extended_key_usages = vec![match wrong {
        Wrong::NotForServers => ExtendedKeyUsagePurpose::ClientAuth,
        _ => ExtendedKeyUsagePurpose::ServerAuth,
    }];
    let key = KeyPair::generate().unwrap();
    let read = |name: &str| std::fs::read_to_string(data.join(name)).unwrap();
    let (issuer, between) = match wrong {
        Wrong::UnknownRoot => {
            let key = KeyPair::generate().unwrap();
            // Even with the name of the right one.
            let title = read("root.pem").lines().next().unwrap().to_owned();
            (Issuer::new(authority(&title), key), String::new())
        }
        Wrong::SignedByALeaf => {
            let key = KeyPair::from_pem(&read("server.key")).unwrap();
            (
                Issuer::new(authority("Sotay server"), key),
                read("server.pem"),
            )
        }
        _ => (root(data, "root"), String::new()),
    };
    let certificate = params.signed_by(&key, &issuer).unwrap();
    (certificate.pem() + &between, key.serialize_pem())
}

fn tls(chain: &str, key: &str) -> Arc<rustls::ServerConfig> {
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Arc::new(config)
}

/// A village whose server runs inside the test.
struct Here {
    data: PathBuf,
    address: SocketAddr,
    running: Option<Running>,
    secretary: Phone,
    _village: (tempfile::TempDir, sotay_tests::commune::Entered),
}

impl Here {
    /// With a notice sent, and an answer to it that waits to be sent.
    fn new() -> Self {
        let village = Village::new();
        let secretary = village.phone("c1-01");
        let meeting = publish(&secretary, "Sinh hoạt");
        secretary
            .handbook()
            .respond(meeting, Choice::WillAttend, 1)
            .unwrap();
        let (data, address) = (village.data(), village.server.address());
        let Village {
            server,
            commune,
            folder,
        } = village;
        server.kill().unwrap();
        Self {
            data,
            address,
            running: None,
            secretary,
            _village: (folder, commune),
        }
    }

    fn start(&mut self, front: Front) -> Result<(), StartError> {
        let mut config = ServerConfig::new(&self.data, self.address);
        config.front = front;
        self.running = Some(Server::start(config)?);
        Ok(())
    }

    fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown();
        }
    }

    /// The phone meets somebody who is not its server: it says why, and keeps everything.
    fn meets(&self, whom: &str) -> HandbookError {
        let before = self.secretary.handbook().joined().unwrap();
        let error = self.secretary.handbook().sync().unwrap_err();
        assert_eq!(
            self.secretary.handbook().outbox().unwrap().unsent.len(),
            1,
            "{whom}"
        );
        assert_eq!(
            self.secretary.handbook().joined().unwrap(),
            before,
            "{whom}"
        );
        assert!(before.is_some());
        error
    }

    fn all_is_well(&self) {
        self.secretary.handbook().sync().unwrap();
        assert!(
            self.secretary
                .handbook()
                .outbox()
                .unwrap()
                .unsent
                .is_empty()
        );
        agree(&self.secretary, &self.data).unwrap();
    }

    fn joins(&self, member: &str) -> Phone {
        let folder = self.data.parent().unwrap();
        let phone = Phone::new(folder, member).unwrap();
        let invitation = invitation(&self.data, member, &self.address.to_string());
        let text = invitation.unwrap().text();
        join(phone.handbook(), &self.data, text, member).unwrap();
        phone.handbook().sync().unwrap();
        phone
    }
}

fn untrusted(error: &HandbookError) -> bool {
    matches!(
        error,
        HandbookError::ServerUnexpected {
            fault: ServerFault::Untrusted,
            ..
        }
    )
}

#[test]
fn network_1_a_certificate_that_is_not_the_organisation_s_is_refused_and_nothing_is_lost() {
    let mut here = Here::new();
    for wrong in [
        Wrong::Expired,
        Wrong::NotYetValid,
        Wrong::AnotherHost,
        Wrong::UnknownRoot,
        Wrong::SignedByALeaf,
        Wrong::NotForServers,
    ] {
        let (chain, key) = made(&here.data, wrong);
        let _server = FaultServer::start(here.address, Fault::Html, tls(&chain, &key)).unwrap();
        let error = here.meets(&format!("{wrong:?}"));
        assert!(untrusted(&error), "{wrong:?}: {error:?}");
    }
    let _server = FaultServer::start(here.address, Fault::Html, self_signed().unwrap()).unwrap();
    let error = here.meets("self-signed");
    assert!(untrusted(&error), "{error:?}");
    drop(_server);

    // What those tests rest on: the same way of making a certificate, with nothing wrong about it, gets through.
    let (chain, key) = made(&here.data, Wrong::Nothing);
    let server = FaultServer::start(here.address, Fault::Html, tls(&chain, &key)).unwrap();
    let error = here.meets("nothing wrong");
    assert!(
        matches!(
            error,
            HandbookError::ServerUnexpected {
                fault: ServerFault::Html,
                ..
            }
        ),
        "{error:?}"
    );
    drop(server);

    here.start(Front::Own).unwrap();
    here.all_is_well();
    here.stop();
}

#[test]
fn network_2_a_root_is_no_server_s_certificate() {
    let mut here = Here::new();
    let read = |name: &str| std::fs::read_to_string(here.data.join(name)).unwrap();
    let server = FaultServer::start(
        here.address,
        Fault::Html,
        tls(&read("root.pem"), &read("root.key")),
    )
    .unwrap();
    let error = here.meets("the root itself");
    assert!(untrusted(&error), "{error:?}");
    drop(server);
    here.start(Front::Own).unwrap();
    here.all_is_well();
    here.stop();
}

/// Answers one connection after the other until dropped by the end of the test: reads a head, sends these bytes.
fn answers_with(listener: TcpListener, tls: Option<Arc<rustls::ServerConfig>>, answer: String) {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let answered = match &tls {
                None => answer_one(stream, &answer),
                Some(tls) => {
                    let connection = ServerConnection::new(tls.clone()).unwrap();
                    answer_one(StreamOwned::new(connection, stream), &answer)
                }
            };
            // A phone that hangs up is what is expected.
            drop(answered);
        }
    });
}

fn answer_one(mut stream: impl Read + Write, answer: &str) -> std::io::Result<()> {
    let mut head = [0; 1];
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") && seen.len() < 8_192 {
        stream.read_exact(&mut head)?;
        seen.extend(head);
    }
    stream.write_all(answer.as_bytes())?;
    stream.flush()
}

#[test]
fn network_1_a_redirect_is_not_followed() {
    let here = Here::new();
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let target = elsewhere.local_addr().unwrap();
    let listener = TcpListener::bind(here.address).unwrap();
    let (chain, key) = made(&here.data, Wrong::Nothing);
    answers_with(
        listener,
        Some(tls(&chain, &key)),
        format!(
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: https://{target}/v1/sync\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        ),
    );
    let error = here.meets("a redirect");
    assert!(
        matches!(
            error,
            HandbookError::ServerUnexpected {
                fault: ServerFault::Status { code: 307 },
                ..
            }
        ),
        "{error:?}"
    );
    let nobody = elsewhere.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn network_1_plain_http_is_not_spoken() {
    let here = Here::new();
    let listener = TcpListener::bind(here.address).unwrap();
    answers_with(
        listener,
        None,
        "HTTP/1.1 200 OK\r\ncontent-type: application/cbor\r\ncontent-length: 1\r\n\r\n\u{1}"
            .into(),
    );
    let error = here.meets("plain HTTP");
    assert!(
        matches!(
            error,
            HandbookError::ServerUnreachable { .. } | HandbookError::ServerUnexpected { .. }
        ),
        "{error:?}"
    );
}

/// The certificate that is served now, and whether it stands under a root.
fn is_under(address: SocketAddr, root: &CertificateDer<'static>) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), address.ip().into()).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .is_ok()
}

fn certificate(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).unwrap()
}

#[test]
fn network_2_after_a_rotation_to_the_spare_phones_go_on_and_others_join() {
    let mut here = Here::new();
    here.start(Front::Own).unwrap();
    let (root, spare) = (
        certificate(&here.data.join("root.pem")),
        certificate(&here.data.join("spare-root.pem")),
    );
    assert!(is_under(here.address, &root) && !is_under(here.address, &spare));

    // The spare's key was kept elsewhere, as it should be.
    let elsewhere = here.data.parent().unwrap().join("kept.key");
    std::fs::rename(here.data.join("spare-root.key"), &elsewhere).unwrap();
    let now = system_clock();
    assert!(
        commune::rotate(&here.data, None, now).is_err(),
        "without it"
    );
    let wrong_key = here.data.join("server.key");
    assert!(commune::rotate(&here.data, Some(&wrong_key), now).is_err());
    assert!(is_under(here.address, &root));
    commune::rotate(&here.data, Some(&elsewhere), now).unwrap();
    here.running.as_ref().unwrap().reload().unwrap();

    assert!(is_under(here.address, &spare) && !is_under(here.address, &root));
    assert_eq!(certificate(&here.data.join("root.pem")), spare);
    assert_ne!(certificate(&here.data.join("spare-root.pem")), root);
    here.secretary.restart().unwrap();
    here.all_is_well();
    here.stop();

    // Also over a new start, and the one who joins now is still there after the next rotation.
    here.start(Front::Own).unwrap();
    let new = here.joins("c1-05");
    commune::rotate(&here.data, None, now).unwrap();
    here.running.as_ref().unwrap().reload().unwrap();
    new.handbook().sync().unwrap();
    here.stop();
}

fn written(here: &Here, wrong: Wrong) -> Front {
    let (certificate, key) = (here.data.join("outer.pem"), here.data.join("outer.key"));
    let (chain, its_key) = made(&here.data, wrong);
    std::fs::write(&certificate, chain).unwrap();
    std::fs::write(&key, its_key).unwrap();
    Front::Files { certificate, key }
}

#[test]
fn network_2_a_certificate_from_files_is_read_again_and_one_that_phones_would_refuse_is_not_used() {
    let mut here = Here::new();
    for wrong in [
        Wrong::Expired,
        Wrong::NotYetValid,
        Wrong::AnotherHost,
        Wrong::UnknownRoot,
        Wrong::SignedByALeaf,
        Wrong::NotForServers,
    ] {
        let front = written(&here, wrong);
        let refused = here.start(front).unwrap_err();
        assert!(
            matches!(
                refused,
                StartError::Certificates(CertificateError::Refused { .. })
            ),
            "{wrong:?}: {refused}"
        );
    }
    let front = written(&here, Wrong::Nothing);
    here.start(front).unwrap();
    here.all_is_well();
    let root = certificate(&here.data.join("root.pem"));
    let running = here.running.take().unwrap();

    written(&here, Wrong::UnknownRoot);
    assert!(matches!(
        running.reload(),
        Err(CertificateError::Refused { .. })
    ));
    std::fs::write(here.data.join("outer.pem"), "no certificate").unwrap();
    assert!(matches!(
        running.reload(),
        Err(CertificateError::Unreadable { .. })
    ));
    assert!(is_under(here.address, &root), "the one before goes on");

    // A good one is taken: under the spare this time, to see the difference.
    commune::rotate(&here.data, None, system_clock()).unwrap();
    let spare = certificate(&here.data.join("root.pem"));
    written(&here, Wrong::Nothing);
    running.reload().unwrap();
    assert!(is_under(here.address, &spare) && !is_under(here.address, &root));
    here.secretary.restart().unwrap();
    here.secretary.handbook().sync().unwrap();
    running.shutdown();
}
