//! What the server lets anybody do to it: each limit, over real connections.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use common::{NOW, Place};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sotay_model::wire::{MAX_REQUEST_BYTES, OpenEnrolment, PROTOCOL, Problem, ProblemCode};
use sotay_model::{Timestamp, cbor};
use sotay_server::http::{MAX_HEAD_BYTES, MAX_HEADERS};
use sotay_server::shape::{MAX_ENTRIES, MAX_NESTING};
use sotay_server::{
    Front, Limits, ProxyHeader, Rate, Rates, Running, Server, ServerConfig, StartError,
};

const OPEN: &str = "/v1/enrolment/open";
const SOON: Duration = Duration::from_millis(300);
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn fixed_clock() -> Timestamp {
    NOW
}

struct Served {
    place: Place,
    running: Running,
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

impl Served {
    fn with(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let place = Place::new();
        let mut config = ServerConfig::new(place.data(), "127.0.0.1:0".parse().unwrap());
        config.clock = fixed_clock;
        change(&mut config);
        let running = Server::start(config).unwrap();
        Self { place, running }
    }

    fn address(&self) -> SocketAddr {
        self.running.address()
    }

    fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn tls(&self) -> Tls {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_file(self.place.data().join("root.pem")).unwrap();
        roots.add(root).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = self.address().ip().into();
        StreamOwned::new(
            ClientConnection::new(Arc::new(tls), name).unwrap(),
            self.tcp(),
        )
    }
}

/// Status, head and body of one answer; none where the connection is cut.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn problem(&self) -> ProblemCode {
        let problem: Problem = sotay_model::cbor::from_bytes(&self.body).unwrap();
        problem.code
    }
}

fn read_answer(stream: &mut impl Read) -> Option<Answer> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        if let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return Some(Answer {
                    status: head.split(' ').nth(1).unwrap().parse().unwrap(),
                    body: bytes[end + 4..end + 4 + length].to_vec(),
                    head,
                });
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) => return None,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("never cut"),
            Err(_) => return None,
        }
    }
}

fn ask(stream: &mut (impl Read + Write), request: &str, body: &[u8]) -> Option<Answer> {
    let head = format!(
        "{request} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n",
        body.len()
    );
    ask_raw(stream, &head, body)
}

fn ask_raw(stream: &mut (impl Read + Write), head: &str, body: &[u8]) -> Option<Answer> {
    // Who is refused early may be cut while still sending.
    let _ = stream.write_all(format!("{head}\r\n").as_bytes());
    let _ = stream.write_all(body);
    let _ = stream.flush();
    read_answer(stream)
}

#[test]
fn server_a_head_that_is_too_large_or_has_too_many_fields_is_refused() {
    let served = Served::with(|_| {});
    let base = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
    let fields = |count: usize| -> String {
        let more = (1..count).map(|n| format!("x-{n}: 1\r\n"));
        base.to_owned() + &more.collect::<String>()
    };
    let all = ask_raw(&mut served.tls(), &fields(MAX_HEADERS), b"").unwrap();
    assert_eq!(all.status, 200);
    let one_more = ask_raw(&mut served.tls(), &fields(MAX_HEADERS + 1), b"").unwrap();
    assert_eq!(one_more.status, 431);

    let sized = |bytes: usize| format!("{base}x: {}\r\n", "a".repeat(bytes));
    let fits = ask_raw(&mut served.tls(), &sized(MAX_HEAD_BYTES / 2), b"").unwrap();
    assert_eq!(fits.status, 200);
    let too_large = ask_raw(&mut served.tls(), &sized(MAX_HEAD_BYTES), b"").unwrap();
    assert_eq!(too_large.status, 431);
}

#[test]
fn server_a_half_sent_head_a_slow_body_an_idle_connection_and_a_silent_handshake_are_cut() {
    let served = Served::with(|config| {
        config.limits = Limits {
            handshake: SOON,
            head: SOON,
            body: SOON,
            ..Limits::default()
        };
    });
    let mut silent = served.tcp();
    assert_eq!(silent.read(&mut [0; 16]).unwrap(), 0, "the handshake");

    let mut half = served.tls();
    half.write_all(b"GET /healthz HTTP/1.1\r\nHost: ").unwrap();
    let answer = read_answer(&mut half);
    assert!(answer.is_none_or(|answer| answer.status != 200), "the head");

    let mut slow = served.tls();
    let head = format!("POST {OPEN} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\na");
    slow.write_all(head.as_bytes()).unwrap();
    let answer = read_answer(&mut slow).unwrap();
    assert_eq!(answer.status, 503, "the body");
    assert!(read_answer(&mut slow).is_none(), "and then it is closed");

    let mut idle = served.tls();
    assert_eq!(ask(&mut idle, "GET /healthz", b"").unwrap().status, 200);
    assert!(read_answer(&mut idle).is_none(), "the pause after it");
}

#[test]
fn server_a_body_larger_than_allowed_is_refused_before_it_is_read() {
    let served = Served::with(|_| {});
    let head = format!(
        "POST {OPEN} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n",
        MAX_REQUEST_BYTES + 1
    );
    let answer = ask_raw(&mut served.tls(), &head, b"").unwrap();
    assert_eq!(
        (answer.status, answer.problem()),
        (413, ProblemCode::TooLarge)
    );
}

#[test]
fn server_a_message_nested_too_deeply_or_with_a_list_too_long_is_refused() {
    let served = Served::with(|_| {});
    let post = |body: &[u8]| {
        let answer = ask(&mut served.tls(), &format!("POST {OPEN}"), body).unwrap();
        (answer.status, answer.problem())
    };
    // A field that this version does not know, around it a message that lacks nothing else.
    let zeros = [0; 32];
    let with = |value: &[u8]| {
        let fields = [
            &[0xa4, 0, 1, 1, 0x58, 32],
            &zeros[..],
            &[2, 0x58, 32],
            &zeros,
        ];
        [&fields.concat(), &[0x18, 99][..], value].concat()
    };
    assert_eq!(post(&with(&[0x80])).1, ProblemCode::InvitationUnusable);
    let deep = [vec![0x81; MAX_NESTING], vec![0]].concat();
    assert_eq!(post(&with(&deep)), (400, ProblemCode::Malformed));
    let length = u16::try_from(MAX_ENTRIES + 1).unwrap().to_be_bytes();
    let entries = vec![0; usize::try_from(MAX_ENTRIES + 1).unwrap()];
    let long = [vec![0x99], length.to_vec(), entries].concat();
    assert_eq!(post(&with(&long)), (413, ProblemCode::TooLarge));
}

#[test]
fn server_an_address_has_so_many_connections_and_no_more() {
    let served = Served::with(|config| {
        config.limits.connections_per_address = 2;
        config.limits.rates.spare_loopback = false;
    });
    let mut held: Vec<Tls> = (0..2).map(|_| served.tls()).collect();
    for stream in &mut held {
        assert_eq!(ask(stream, "GET /healthz", b"").unwrap().status, 200);
    }
    let mut third = served.tcp();
    assert_eq!(third.read(&mut [0; 16]).unwrap(), 0, "closed at once");
    held.clear();
    // The server notices the end of the others in its own time.
    let again = (0..200).any(|_| {
        let answer = ask(&mut served.tls(), "GET /healthz", b"");
        answer.is_some_and(|answer| answer.status == 200)
    });
    assert!(again, "their places are free again");
}

#[test]
fn server_with_all_places_taken_others_wait_for_one() {
    let served = Served::with(|config| config.limits.connections = 1);
    let mut first = served.tls();
    assert_eq!(ask(&mut first, "GET /healthz", b"").unwrap().status, 200);
    let mut second = served.tls();
    second.sock.set_read_timeout(Some(SOON)).unwrap();
    let waiting = second.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(waiting.unwrap_err().kind(), ErrorKind::WouldBlock);
    drop(first);
    second.sock.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(ask(&mut second, "GET /healthz", b"").unwrap().status, 200);
}

fn counting_loopback(rates: Rates) -> impl FnOnce(&mut ServerConfig) {
    move |config| {
        config.limits.rates = Rates {
            spare_loopback: false,
            ..rates
        };
    }
}

#[test]
fn server_an_address_that_asks_too_often_is_told_when_to_come_back() {
    let served = Served::with(counting_loopback(Rates {
        address: Rate {
            burst: 3,
            every_ms: 7_000,
        },
        ..Rates::default()
    }));
    let mut stream = served.tls();
    for _ in 0..3 {
        assert_eq!(ask(&mut stream, "GET /healthz", b"").unwrap().status, 200);
    }
    let refused = ask(&mut stream, "GET /healthz", b"").unwrap();
    assert_eq!(
        (refused.status, refused.problem()),
        (429, ProblemCode::Busy)
    );
    assert!(refused.head.contains("retry-after: 7"), "{}", refused.head);
}

#[test]
fn server_joining_is_counted_apart_by_address_and_by_invitation() {
    let rates = Rates {
        enrolment_from: Rate::new(4, 1),
        invitation: Rate::new(2, 1),
        ..Rates::default()
    };
    let served = Served::with(counting_loopback(rates));
    // Who is refused before his message is read may be cut off.
    let open = |invitation: u8| {
        let message = cbor::to_bytes(&OpenEnrolment {
            protocol: PROTOCOL,
            lookup: vec![invitation; 32],
            commitment: vec![0; 32],
        });
        let answer = ask(&mut served.tls(), &format!("POST {OPEN}"), &message).unwrap();
        (answer.status, answer.problem())
    };
    let unusable = (403, ProblemCode::InvitationUnusable);
    assert_eq!([open(1), open(1)], [unusable, unusable]);
    assert_eq!(open(1), (429, ProblemCode::Busy), "this invitation");
    assert_eq!(open(2), unusable, "another one");
    assert_eq!(open(3), (429, ProblemCode::Busy), "this address");
    let health = ask(&mut served.tls(), "GET /healthz", b"").unwrap();
    assert_eq!(health.status, 200, "whatever is no joining");
}

fn behind_proxy(header: ProxyHeader) -> Front {
    Front::Proxy {
        header,
        socket: None,
    }
}

#[test]
fn server_behind_a_proxy_counts_whom_the_proxy_names_and_nobody_else() {
    let served = Served::with(|config| {
        config.front = behind_proxy(ProxyHeader::XForwardedFor);
        config.limits.rates.address = Rate::new(2, 1);
    });
    let mut stream = served.tcp();
    let mut from = |forwarded: &str| {
        let head = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{forwarded}");
        ask_raw(&mut stream, &head, b"").unwrap().status
    };
    let a = "X-Forwarded-For: 198.51.100.1, 203.0.113.7\r\n";
    assert_eq!([from(a), from(a), from(a)], [200, 200, 429]);
    let claims_another = "X-Forwarded-For: 198.51.100.2, 203.0.113.7\r\n";
    assert_eq!(from(claims_another), 429);
    let other_header = "Forwarded: for=198.51.100.3\r\nX-Forwarded-For: 203.0.113.7\r\n";
    assert_eq!(from(other_header), 429);
    assert_eq!(from("X-Forwarded-For: 203.0.113.8\r\n"), 200);
    assert_eq!(
        [from(""), from(""), from("")],
        [200, 200, 429],
        "the proxy itself"
    );
}

#[test]
fn server_without_a_proxy_nobody_chooses_his_address() {
    let served = Served::with(counting_loopback(Rates {
        address: Rate::new(2, 1),
        ..Rates::default()
    }));
    let mut stream = served.tls();
    let statuses: Vec<u16> = (0..3)
        .map(|n| {
            let head = format!(
                "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.{n}\r\nForwarded: for=203.0.113.{n}\r\n"
            );
            ask_raw(&mut stream, &head, b"").unwrap().status
        })
        .collect();
    assert_eq!(statuses, [200, 200, 429]);
}

#[test]
fn network_1_plain_http_is_spoken_only_with_a_proxy_on_this_machine() {
    let place = Place::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let mut config = ServerConfig::new(place.data(), address.parse().unwrap());
        config.front = behind_proxy(ProxyHeader::Forwarded);
        let refused = Server::start(config).unwrap_err();
        assert!(
            matches!(refused, StartError::PlainHttp { .. }),
            "{address}: {refused}"
        );
    }
    // With TLS of its own, it has no plain answer for anybody.
    let served = Served::with(|_| {});
    assert!(ask(&mut served.tcp(), "GET /healthz", b"").is_none());
}

#[cfg(unix)]
#[test]
fn server_a_proxy_may_come_by_a_socket_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sotay.socket");
    for _ in 0..2 {
        let served = Served::with(|config| {
            config.front = Front::Proxy {
                header: ProxyHeader::XForwardedFor,
                socket: Some(path.clone()),
            };
        });
        let mut stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
        assert_eq!(ask(&mut stream, "GET /healthz", b"").unwrap().status, 200);
        // The file stays and is no hindrance next time.
        served.running.shutdown();
        assert!(path.exists());
    }
    // What is no socket is not removed.
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "mine").unwrap();
    let place = Place::new();
    let mut config = ServerConfig::new(place.data(), "127.0.0.1:0".parse().unwrap());
    config.front = Front::Proxy {
        header: ProxyHeader::XForwardedFor,
        socket: Some(path.clone()),
    };
    assert!(Server::start(config).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}
