//! What bodies may take: from a stranger nothing, from a phone its share, from all together so much and no more.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sotay_model::cbor;
use sotay_model::signature::{self, Headers};
use sotay_model::wire::{MAX_REQUEST_BYTES, Problem, ProblemCode};
use sotay_server::commune::Certificates;
use sotay_server::http::{BODIES_PER_PHONE, MAX_JOINING_BYTES, MAX_PHONES_BYTES};

use crate::BAD;
use crate::common::NOW;
use crate::served::{Phone, Served, empty_sync, problem};

const SYNC: &str = "/v1/sync";
const SOON: Duration = Duration::from_millis(300);
const BUSY: (u16, ProblemCode) = (503, ProblemCode::Busy);

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A request whose body is sent by hand. The server says when it begins to take it.
struct Sending(StreamOwned<ClientConnection, TcpStream>);

impl Sending {
    /// Its head, and nothing of its body.
    fn begun(served: &Served, path: &str, length: usize, headers: Option<&Headers>) -> Self {
        let mut roots = RootCertStore::empty();
        let certificates = Certificates::open(&served.place.data(), NOW).unwrap();
        for root in certificates.roots() {
            roots.add(root.clone()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let address = served.running.address();
        let stream = TcpStream::connect(address).unwrap();
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).unwrap();
        let connection = ClientConnection::new(Arc::new(tls), address.ip().into()).unwrap();
        let mut sending = Self(StreamOwned::new(connection, stream));
        let mut head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n"
        );
        if let Some(headers) = headers {
            for (name, value) in [
                (signature::CONTENT_DIGEST, &headers.content_digest),
                (signature::SIGNATURE_INPUT, &headers.signature_input),
                (signature::SIGNATURE, &headers.signature),
            ] {
                head += &format!("{name}: {value}\r\n");
            }
        }
        sending.send(format!("{head}\r\n").as_bytes());
        sending
    }

    /// The head of a sync that the phone signed.
    fn sync(served: &Served, phone: &Phone, body: &[u8]) -> Self {
        let headers = phone.sign(served, "POST", SYNC, body);
        Self::begun(served, SYNC, body.len(), Some(&headers))
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
        self.0.flush().unwrap();
    }

    /// Returns when the server has made room for the body, or reads it to throw it away.
    fn begins_to_be_taken(&mut self) {
        let mut told = vec![0; CONTINUE.len()];
        self.0.read_exact(&mut told).unwrap();
        assert_eq!(told, CONTINUE);
    }

    /// Status and problem of what is answered.
    fn refused(&mut self) -> (u16, ProblemCode) {
        let mut answer = Vec::new();
        let mut buffer = [0; 4_096];
        loop {
            let read = self.0.read(&mut buffer).unwrap();
            assert!(read > 0, "cut without an answer");
            answer.extend_from_slice(&buffer[..read]);
            if answer.starts_with(CONTINUE) {
                answer.drain(..CONTINUE.len());
            }
            let Some(end) = answer.windows(4).position(|part| part == b"\r\n\r\n") else {
                continue;
            };
            let head = String::from_utf8_lossy(&answer[..end]);
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            if let Ok(problem) = cbor::from_bytes::<Problem>(&answer[end + 4..]) {
                return (status, problem.code);
            }
        }
    }
}

async fn syncs(served: &Served, phone: &Phone) -> StatusCode {
    let body = cbor::to_bytes(&empty_sync());
    let synced = served.signed(phone, Method::POST, SYNC, &body).await;
    synced.status()
}

#[tokio::test]
async fn server_the_bodies_of_strangers_take_no_room_however_many_and_slow_they_are() {
    let served = Served::with(|config| {
        config.limits.bodies = 1_000;
        config.limits.room = SOON;
    });
    let phone = served.join("M03", 3).await;
    let stolen = phone.sign(&served, "POST", "/v1/phones", b"");
    let nonsense = Headers {
        content_digest: "sha-256=:AAAA:".into(),
        ..stolen.clone()
    };
    let mut strangers: Vec<Sending> = [None, Some(&stolen), Some(&nonsense)]
        .into_iter()
        .map(|headers| {
            let mut sending = Sending::begun(&served, SYNC, MAX_REQUEST_BYTES, headers);
            sending.begins_to_be_taken();
            sending.send(&[0; 100_000]);
            sending
        })
        .collect();
    assert_eq!(syncs(&served, &phone).await, StatusCode::OK);
    // Whoever has sent all of it is told why it was for nothing.
    for sending in &mut strangers {
        sending.send(&vec![0; MAX_REQUEST_BYTES - 100_000]);
        assert_eq!(sending.refused(), (401, ProblemCode::BadSignature));
    }
}

#[tokio::test]
async fn auth_1_a_stale_nonce_is_answered_after_a_large_body_too_and_brings_a_fresh_one() {
    let served = Served::start();
    let phone = served.join("M03", 3).await;
    let body = vec![0; MAX_REQUEST_BYTES];
    let headers = phone.sign_as(&served, "POST", SYNC, &body, 0, "none");
    let send = served.send(Method::POST, SYNC, body, &headers);
    let response = send.await;
    assert!(response.headers().contains_key("sotay-nonce"));
    assert_eq!(problem(response).await.1, ProblemCode::StaleNonce);
}

#[tokio::test]
async fn server_with_no_room_left_a_body_waits_for_a_while_and_is_told_to_come_back() {
    let served = Served::with(|config| {
        config.limits.bodies = 1_000;
        config.limits.room = SOON;
    });
    let (slow, other) = (served.join("M03", 3).await, served.join("M05", 5).await);
    let mut holding = Sending::sync(&served, &slow, &[0; 990]);
    holding.begins_to_be_taken();
    holding.send(&[0; 10]);
    let mut next = Sending::sync(&served, &other, &[1; 990]);
    next.send(&[1; 990]);
    assert_eq!(next.refused(), BUSY);
    // The slow one was not touched, and once it is answered there is room again.
    holding.send(&[0; 980]);
    assert_eq!(holding.refused(), (400, ProblemCode::Malformed));
    let mut next = Sending::sync(&served, &other, &[1; 990]);
    next.send(&[1; 990]);
    assert_eq!(next.refused(), (400, ProblemCode::Malformed));
    // One that was packed may become larger: it needs the room for that too.
    let packed = zstd::encode_all(&[0; 900][..], 3).unwrap();
    let headers = other.sign(&served, "POST", SYNC, &packed);
    let request = (served.client.post(served.url(SYNC)))
        .header("content-encoding", "zstd")
        .header(signature::CONTENT_DIGEST, &headers.content_digest)
        .header(signature::SIGNATURE_INPUT, &headers.signature_input)
        .header(signature::SIGNATURE, &headers.signature)
        .body(packed);
    let busy = problem(request.send().await.unwrap()).await;
    assert_eq!(busy, (StatusCode::SERVICE_UNAVAILABLE, ProblemCode::Busy));
    assert_eq!(syncs(&served, &other).await, StatusCode::OK);
}

#[tokio::test]
async fn server_a_phone_has_its_share_of_the_room_and_others_have_the_rest() {
    let served = Served::start();
    let (slow, other) = (served.join("M03", 3).await, served.join("M05", 5).await);
    let mut held: Vec<Sending> = (0..BODIES_PER_PHONE)
        .map(|_| {
            let mut sending = Sending::sync(&served, &slow, &[0; 100]);
            sending.begins_to_be_taken();
            sending
        })
        .collect();
    let mut one_more = Sending::sync(&served, &slow, &[0; 100]);
    one_more.send(&[0; 100]);
    assert_eq!(one_more.refused(), BUSY);
    assert_eq!(syncs(&served, &other).await, StatusCode::OK);
    for sending in &mut held {
        sending.send(&[0; 100]);
        assert_eq!(sending.refused(), (400, ProblemCode::Malformed));
    }
    assert_eq!(syncs(&served, &slow).await, StatusCode::OK);
}

#[tokio::test]
async fn server_each_route_takes_bodies_of_its_own_size_and_no_larger() {
    let served = Served::start();
    let phone = served.join("M03", 3).await;
    let too_large = (413, ProblemCode::TooLarge);
    for (path, most) in [
        ("/v1/enrolment/open", MAX_JOINING_BYTES),
        ("/v1/enrolment/claim", MAX_JOINING_BYTES),
        ("/v1/enrolment/state", MAX_JOINING_BYTES),
        ("/v1/phones", MAX_PHONES_BYTES),
        (SYNC, MAX_REQUEST_BYTES),
    ] {
        let body = vec![0xff; most + 1];
        let signed = |body: &[u8]| phone.sign(&served, "POST", path, body);
        let headers = signed(&body);
        // Refused by what the head says, before anything of it is sent.
        let mut larger = Sending::begun(&served, path, body.len(), Some(&headers));
        assert_eq!(larger.refused(), too_large, "{path}");
        let fits = &body[..most];
        if path != "/v1/enrolment/state" {
            let headers = signed(fits);
            let answer = served.send(Method::POST, path, fits.to_vec(), &headers);
            let malformed = (StatusCode::BAD_REQUEST, ProblemCode::Malformed);
            assert_eq!(problem(answer.await).await, malformed, "{path}");
        }
    }
    let of_get = phone.sign(&served, "GET", "/v1/wake", b"x");
    let sent = served.send(Method::GET, "/v1/wake", b"x".to_vec(), &of_get);
    assert_eq!(
        problem(sent.await).await,
        (StatusCode::PAYLOAD_TOO_LARGE, ProblemCode::TooLarge)
    );
}

#[tokio::test]
async fn auth_1_a_body_other_than_the_one_whose_digest_was_signed_is_refused() {
    let served = Served::start();
    let phone = served.join("M03", 3).await;
    let body = cbor::to_bytes(&empty_sync());
    let mut other = body.clone();
    *other.last_mut().unwrap() ^= 1;
    let headers = phone.sign(&served, "POST", SYNC, &body);
    let answer = served.send(Method::POST, SYNC, other, &headers).await;
    assert_eq!(problem(answer).await, BAD);
    assert_eq!(syncs(&served, &phone).await, StatusCode::OK);
}
