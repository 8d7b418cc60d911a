//! The server over real TLS: joining, signatures, limits, refusals.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod common;

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use common::{NOW, Place, publish, sent};
use reqwest::{Client, Method, Response, StatusCode};
use ring::signature::{Ed25519KeyPair, KeyPair};
use rustls::pki_types::CertificateDer;
use sotay_model::blob::{MAX_BLOB_BYTES, PIECE_BYTES, PieceDigests};
use sotay_model::cbor::UnknownKeys;
use sotay_model::documents::{
    Attachment, ConfidentialityLevel, DocumentKind, PublishDocument, SectionDraft,
};
use sotay_model::enrolment::{self, EnrolmentKeys, Invitation};
use sotay_model::signature::{self, Headers, Parameters};
use sotay_model::wire::{
    BlobState, ClaimEnrolment, Enrolled, EnrolmentOpened, KeyAlgorithm, MAX_REQUEST_BYTES,
    NONCE_HEADER, OpenEnrolment, PROTOCOL, Problem, ProblemCode, SyncRequest, SyncResponse,
    Verdict,
};
use sotay_model::{BlobDigest, DocumentKey, InstallationId, RecordKey, Scope, Timestamp, cbor};
use sotay_server::commune::{self, Certificates};
use sotay_server::engine::stretch;
use sotay_server::{Limits, Running, Server, ServerConfig};

fn fixed_clock() -> Timestamp {
    NOW
}

struct Served {
    place: Place,
    running: Running,
    client: Client,
}

/// A client that trusts this folder's roots and nothing else.
fn client_of(place: &Place) -> Client {
    let mut roots = rustls::RootCertStore::empty();
    for root in roots_of(&Certificates::open(&place.data(), NOW).unwrap().roots()) {
        roots.add(root).unwrap();
    }
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_root_certificates(roots)
    .with_no_client_auth();
    #[allow(clippy::disallowed_methods, reason = "with the folder's roots")]
    let builder = Client::builder();
    builder
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .build()
        .unwrap()
}

fn roots_of(bytes: &[u8]) -> Vec<CertificateDer<'static>> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let count = decoder.array().unwrap().unwrap();
    (0..count)
        .map(|_| CertificateDer::from(decoder.bytes().unwrap().to_vec()))
        .collect()
}

impl Served {
    fn start() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let place = Place::new();
        let mut config = ServerConfig::new(place.data(), "127.0.0.1:0".parse().unwrap());
        config.clock = fixed_clock;
        change(&mut config);
        let running = Server::start(config).unwrap();
        let client = client_of(&place);
        Self {
            place,
            running,
            client,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.running.address())
    }

    fn invite(&self, member: &str) -> Invitation {
        commune::invite(
            &self.place.data(),
            member,
            Some(&self.running.address().to_string()),
            14,
            NOW,
        )
        .unwrap()
    }

    async fn post(&self, path: &str, body: Vec<u8>) -> Response {
        self.client
            .post(self.url(path))
            .body(body)
            .send()
            .await
            .unwrap()
    }

    async fn open(&self, keys: &EnrolmentKeys) -> Response {
        let open = OpenEnrolment {
            protocol: PROTOCOL,
            lookup: keys.lookup.to_vec(),
        };
        self.post("/v1/enrolment/open", cbor::to_bytes(&open)).await
    }

    async fn opened(&self, keys: &EnrolmentKeys) -> EnrolmentOpened {
        cbor::from_bytes(&self.open(keys).await.bytes().await.unwrap()).unwrap()
    }

    /// Joins with a key made of one byte.
    async fn join(&self, member: &str, seed: u8) -> Phone {
        let keys = keys_of(&self.invite(member));
        let opened = self.opened(&keys).await;
        assert!(enrolment::roots_fit(
            &keys.roots,
            &opened.roots,
            &opened.nonce,
            &opened.mac
        ));
        let key = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let response = self
            .post("/v1/enrolment/claim", claim(&keys, &opened, &key))
            .await;
        assert_eq!(response.status(), StatusCode::OK);
        let nonce = nonce_of(&response);
        let enrolled: Enrolled = cbor::from_bytes(&response.bytes().await.unwrap()).unwrap();
        Phone {
            enrolled,
            key,
            nonce,
        }
    }

    async fn signed(&self, phone: &Phone, method: Method, path: &str, body: &[u8]) -> Response {
        let headers = phone.sign(self, method.as_str(), path, body);
        self.send(method, path, body.to_vec(), &headers).await
    }

    async fn send(&self, method: Method, path: &str, body: Vec<u8>, headers: &Headers) -> Response {
        self.client
            .request(method, self.url(path))
            .header(signature::CONTENT_DIGEST, &headers.content_digest)
            .header(signature::SIGNATURE_INPUT, &headers.signature_input)
            .header(signature::SIGNATURE, &headers.signature)
            .body(body)
            .send()
            .await
            .unwrap()
    }
}

struct Phone {
    enrolled: Enrolled,
    key: Ed25519KeyPair,
    nonce: String,
}

impl Phone {
    fn sign(&self, served: &Served, method: &str, path: &str, body: &[u8]) -> Headers {
        self.sign_as(
            served,
            method,
            path,
            body,
            1_700_000_000,
            self.enrolled.installation,
            &self.nonce,
        )
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "each of them is what a test changes"
    )]
    fn sign_as(
        &self,
        served: &Served,
        method: &str,
        path: &str,
        body: &[u8],
        created: i64,
        id: InstallationId,
        nonce: &str,
    ) -> Headers {
        let (path, query) = path
            .split_once('?')
            .map_or((path, None), |(path, query)| (path, Some(query)));
        let authority = served.running.address().to_string();
        let request = signature::Request {
            method,
            authority: &authority,
            path,
            query,
            body,
        };
        signature::sign_with(
            &self.key,
            &request,
            &Parameters::new(created, id, nonce).unwrap(),
        )
    }
}

fn keys_of(invitation: &Invitation) -> EnrolmentKeys {
    EnrolmentKeys::derive(&stretch(invitation.code()).unwrap())
}

fn claim(keys: &EnrolmentKeys, opened: &EnrolmentOpened, key: &Ed25519KeyPair) -> Vec<u8> {
    let public_key = key.public_key().as_ref();
    let algorithm = KeyAlgorithm::Ed25519;
    cbor::to_bytes(&ClaimEnrolment {
        lookup: keys.lookup.to_vec(),
        algorithm,
        public_key: public_key.to_vec(),
        proof: enrolment::claim_proof(&keys.claim, &opened.nonce, algorithm, public_key).to_vec(),
        nonce: opened.nonce.clone(),
        device_name: "Máy thử".into(),
        signature: key
            .sign(&enrolment::claim_signed_bytes(&opened.nonce, public_key))
            .as_ref()
            .to_vec(),
    })
}

fn nonce_of(response: &Response) -> String {
    response.headers()[NONCE_HEADER]
        .to_str()
        .unwrap()
        .to_owned()
}

fn empty_sync() -> SyncRequest {
    SyncRequest {
        protocol: PROTOCOL,
        incarnation: 0,
        cursors: vec![],
        mutations: vec![],
        max_rows: 1_000,
        max_bytes: 0,
        settled_through: 0,
    }
}

async fn problem(response: Response) -> (StatusCode, ProblemCode) {
    let status = response.status();
    assert_eq!(response.headers()["content-type"], "application/cbor");
    let problem: Problem = cbor::from_bytes(&response.bytes().await.unwrap()).unwrap();
    (status, problem.code)
}

#[tokio::test]
async fn a_phone_joins_and_syncs() {
    let served = Served::start();
    let phone = served.join("M01", 1).await;
    assert_eq!(phone.enrolled.member, served.place.commune.members["M01"]);
    assert_eq!(phone.enrolled.member_name, "Đồng chí Mẫu 01");
    assert_eq!(phone.enrolled.cell, served.place.cell("CB1"));

    let mutation = sent(1, vec![], publish(served.place.cell("CB1"), "Sinh hoạt"));
    let body = cbor::to_bytes(&SyncRequest {
        mutations: vec![mutation],
        ..empty_sync()
    });
    let response = served.signed(&phone, Method::POST, "/v1/sync", &body).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.headers().contains_key(NONCE_HEADER));
    let response: SyncResponse = cbor::from_bytes(&response.bytes().await.unwrap()).unwrap();
    assert!(matches!(response.receipts[0].verdict, Verdict::Done(_)));
    assert!(!response.pages.is_empty());
    served.running.shutdown();
}

#[tokio::test]
async fn any_change_of_a_signed_request_is_refused_and_writes_nothing() {
    let served = Served::start();
    let phone = served.join("M01", 1).await;
    let body = |title| {
        let mutation = sent(1, vec![], publish(served.place.cell("CB1"), title));
        cbor::to_bytes(&SyncRequest {
            mutations: vec![mutation],
            ..empty_sync()
        })
    };
    let signed = body("Một");
    let headers = phone.sign(&served, "POST", "/v1/sync", &signed);
    let bad = (StatusCode::UNAUTHORIZED, ProblemCode::BadSignature);

    let changed_body = served
        .send(Method::POST, "/v1/sync", body("Hai"), &headers)
        .await;
    assert_eq!(problem(changed_body).await, bad);
    let changed_query = served
        .send(Method::POST, "/v1/sync?a=1", signed.clone(), &headers)
        .await;
    assert_eq!(problem(changed_query).await, bad);
    let other_path = phone.sign(&served, "POST", "/v1/wake", &signed);
    assert_eq!(
        problem(
            served
                .send(Method::POST, "/v1/sync", signed.clone(), &other_path)
                .await
        )
        .await,
        bad
    );
    let other_method = phone.sign(&served, "GET", "/v1/sync", &signed);
    assert_eq!(
        problem(
            served
                .send(Method::POST, "/v1/sync", signed.clone(), &other_method)
                .await
        )
        .await,
        bad
    );
    let other_time = Headers {
        signature_input: headers.signature_input.replace("created=17", "created=18"),
        ..headers.clone()
    };
    assert_eq!(
        problem(
            served
                .send(Method::POST, "/v1/sync", signed.clone(), &other_time)
                .await
        )
        .await,
        bad
    );
    let unsigned = served.post("/v1/sync", signed.clone()).await;
    assert_eq!(problem(unsigned).await, bad);
    // Another phone's key under this phone's name.
    let other = served.join("M02", 2).await;
    let stolen = other.sign_as(
        &served,
        "POST",
        "/v1/sync",
        &signed,
        0,
        phone.enrolled.installation,
        &phone.nonce,
    );
    assert_eq!(
        problem(
            served
                .send(Method::POST, "/v1/sync", signed.clone(), &stolen)
                .await
        )
        .await,
        bad
    );

    let answer = served
        .signed(
            &phone,
            Method::POST,
            "/v1/sync",
            &cbor::to_bytes(&empty_sync()),
        )
        .await;
    let answer: SyncResponse = cbor::from_bytes(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(answer.high_water, 0);
}

#[tokio::test]
async fn a_stale_nonce_brings_a_fresh_one_whatever_the_phone_s_clock_says() {
    let served = Served::start();
    let phone = served.join("M01", 1).await;
    let body = cbor::to_bytes(&empty_sync());
    for stale in ["0", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let id = phone.enrolled.installation;
        let headers = phone.sign_as(&served, "POST", "/v1/sync", &body, 0, id, stale);
        let response = served
            .send(Method::POST, "/v1/sync", body.clone(), &headers)
            .await;
        let fresh = nonce_of(&response);
        assert_eq!(
            problem(response).await,
            (StatusCode::UNAUTHORIZED, ProblemCode::StaleNonce)
        );
        // Ten years off in either direction.
        for created in [1_400_000_000, 2_100_000_000] {
            let headers = phone.sign_as(&served, "POST", "/v1/sync", &body, created, id, &fresh);
            assert_eq!(
                served
                    .send(Method::POST, "/v1/sync", body.clone(), &headers)
                    .await
                    .status(),
                StatusCode::OK
            );
        }
    }
}

#[tokio::test]
async fn a_revoked_phone_is_told_that_it_is_unknown() {
    let served = Served::start();
    let phone = served.join("M01", 1).await;
    served
        .place
        .engine()
        .revoke(phone.enrolled.installation, NOW)
        .unwrap();
    let response = served
        .signed(
            &phone,
            Method::POST,
            "/v1/sync",
            &cbor::to_bytes(&empty_sync()),
        )
        .await;
    assert_eq!(
        problem(response).await,
        (StatusCode::UNAUTHORIZED, ProblemCode::UnknownInstallation)
    );
}

#[tokio::test]
async fn every_unusable_invitation_gets_the_same_answer() {
    let served = Served::start();
    let key = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let mut answers = Vec::new();

    let unknown = EnrolmentKeys::derive(&[7; 32]);
    answers.push(served.open(&unknown).await);

    let long_ago = NOW.plus_minutes(-15 * 24 * 60);
    let expired =
        commune::invite(&served.place.data(), "M01", Some("a.example"), 14, long_ago).unwrap();
    answers.push(served.open(&keys_of(&expired)).await);

    let used = keys_of(&served.invite("M01"));
    let opened = served.opened(&used).await;
    let opened_again = served.opened(&used).await;
    let first = claim(&used, &opened, &key);
    assert_eq!(
        served
            .post("/v1/enrolment/claim", first.clone())
            .await
            .status(),
        StatusCode::OK
    );
    answers.push(served.open(&used).await);
    let second = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
    answers.push(
        served
            .post("/v1/enrolment/claim", claim(&used, &opened_again, &second))
            .await,
    );
    // The same phone, whose answer was lost on the way, gets it again.
    assert_eq!(
        served.post("/v1/enrolment/claim", first).await.status(),
        StatusCode::OK
    );

    let burnt = keys_of(&served.invite("M02"));
    let opened = served.opened(&burnt).await;
    let guessed = EnrolmentKeys {
        claim: [0; 32],
        ..burnt.clone()
    };
    for _ in 0..5 {
        answers.push(
            served
                .post("/v1/enrolment/claim", claim(&guessed, &opened, &key))
                .await,
        );
    }
    answers.push(
        served
            .post("/v1/enrolment/claim", claim(&burnt, &opened, &key))
            .await,
    );
    answers.push(served.open(&burnt).await);

    let fourth = keys_of(&served.invite("M03"));
    let opened = served.opened(&fourth).await;
    for seed in 20..23 {
        served.join("M03", seed).await;
    }
    answers.push(
        served
            .post("/v1/enrolment/claim", claim(&fourth, &opened, &key))
            .await,
    );
    answers.push(served.open(&fourth).await);

    let mut seen = std::collections::BTreeSet::new();
    for answer in answers {
        let mut headers: Vec<String> = answer.headers().keys().map(ToString::to_string).collect();
        headers.sort();
        seen.insert((
            answer.status().as_u16(),
            headers,
            answer.bytes().await.unwrap().to_vec(),
        ));
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
    let (status, _, body) = seen.pop_first().unwrap();
    let problem: Problem = cbor::from_bytes(&body).unwrap();
    assert_eq!(
        (status, problem.code),
        (403, ProblemCode::InvitationUnusable)
    );
}

#[tokio::test]
async fn four_wrong_proofs_leave_an_invitation_usable() {
    let served = Served::start();
    let keys = keys_of(&served.invite("M01"));
    let opened = served.opened(&keys).await;
    let key = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let guessed = EnrolmentKeys {
        claim: [0; 32],
        ..keys.clone()
    };
    for _ in 0..4 {
        let refused = served
            .post("/v1/enrolment/claim", claim(&guessed, &opened, &key))
            .await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    }
    assert_eq!(
        served
            .post("/v1/enrolment/claim", claim(&keys, &opened, &key))
            .await
            .status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_claim_without_its_private_key_or_with_an_old_nonce_is_refused() {
    let served = Served::start();
    let keys = keys_of(&served.invite("M01"));
    let opened = served.opened(&keys).await;
    let key = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let mut forged: ClaimEnrolment = cbor::from_bytes(&claim(&keys, &opened, &key)).unwrap();
    forged.signature[0] ^= 1;
    let response = served
        .post("/v1/enrolment/claim", cbor::to_bytes(&forged))
        .await;
    assert_eq!(
        problem(response).await,
        (StatusCode::UNAUTHORIZED, ProblemCode::BadSignature)
    );
    let old = EnrolmentOpened {
        nonce: vec![0; 32],
        ..opened
    };
    let response = served
        .post("/v1/enrolment/claim", claim(&keys, &old, &key))
        .await;
    assert_eq!(
        problem(response).await,
        (StatusCode::UNAUTHORIZED, ProblemCode::StaleNonce)
    );
}

#[tokio::test]
async fn what_is_no_message_or_too_large_is_refused() {
    let served = Served::start();
    let phone = served.join("M01", 1).await;
    for body in [
        &b"<html></html>"[..],
        b"",
        &cbor::to_bytes(&empty_sync())[..5],
    ] {
        let response = served.signed(&phone, Method::POST, "/v1/sync", body).await;
        assert_eq!(
            problem(response).await,
            (StatusCode::BAD_REQUEST, ProblemCode::Malformed)
        );
        let response = served.post("/v1/enrolment/open", body.to_vec()).await;
        assert_eq!(
            problem(response).await,
            (StatusCode::BAD_REQUEST, ProblemCode::Malformed)
        );
    }
    let newer = cbor::to_bytes(&SyncRequest {
        protocol: 99,
        ..empty_sync()
    });
    let response = served
        .signed(&phone, Method::POST, "/v1/sync", &newer)
        .await;
    assert_eq!(
        problem(response).await,
        (StatusCode::BAD_REQUEST, ProblemCode::UnsupportedProtocol)
    );

    // Declared, and undeclared in chunks: the server need not wait for the whole of it, so the client may not get to read.
    let large = vec![0; MAX_REQUEST_BYTES + 1];
    match served
        .client
        .post(served.url("/v1/enrolment/open"))
        .body(large)
        .send()
        .await
    {
        Ok(response) => {
            assert_eq!(
                problem(response).await,
                (StatusCode::PAYLOAD_TOO_LARGE, ProblemCode::TooLarge)
            );
        }
        Err(error) => assert!(error.is_request() || error.is_body(), "{error:?}"),
    }
}

#[tokio::test]
async fn other_routes_and_methods_are_refused_with_a_problem() {
    let served = Served::start();
    let get = |path: &str| served.client.get(served.url(path)).send();
    assert_eq!(
        problem(get("/index.html").await.unwrap()).await,
        (StatusCode::NOT_FOUND, ProblemCode::NoSuchRoute)
    );
    assert_eq!(
        problem(get("/v1/sync").await.unwrap()).await,
        (StatusCode::METHOD_NOT_ALLOWED, ProblemCode::NoSuchRoute)
    );
    let health = get("/healthz").await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
    assert_eq!(
        health.text().await.unwrap(),
        concat!("ok ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[tokio::test]
async fn bodies_are_compressed_both_ways_where_accepted() {
    let served = Served::start();
    let phone = served.join("M01", 1).await;
    let notices = (1..=40)
        .map(|n| {
            sent(
                n,
                vec![],
                publish(served.place.cell("CB1"), "Sinh hoạt thường kỳ"),
            )
        })
        .collect();
    let plain = cbor::to_bytes(&SyncRequest {
        mutations: notices,
        ..empty_sync()
    });
    let body = zstd::encode_all(plain.as_slice(), 3).unwrap();
    let headers = phone.sign(&served, "POST", "/v1/sync", &body);
    let response = served
        .client
        .post(served.url("/v1/sync"))
        .header("content-encoding", "zstd")
        .header("accept-encoding", "zstd")
        .header(signature::CONTENT_DIGEST, &headers.content_digest)
        .header(signature::SIGNATURE_INPUT, &headers.signature_input)
        .header(signature::SIGNATURE, &headers.signature)
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["content-encoding"], "zstd");
    let bytes = zstd::decode_all(response.bytes().await.unwrap().as_ref()).unwrap();
    let response: SyncResponse = cbor::from_bytes(&bytes).unwrap();
    assert_eq!(response.receipts.len(), 40);
}

#[tokio::test]
async fn a_phone_is_woken_by_what_it_may_see_and_by_other_processes() {
    let served = Served::start();
    let secretary = served.join("M01", 1).await;
    let member = served.join("M03", 3).await;
    let stranger = served.join("M05", 5).await;
    // Invitations and claims were written meanwhile: they wake nobody.
    let mut wakes = Vec::new();
    for phone in [&member, &stranger] {
        let mut response = served.signed(phone, Method::GET, "/v1/wake", b"").await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(
            response.chunk().await.unwrap().unwrap().as_ref(),
            b"data: \n\n",
            "one at the beginning"
        );
        wakes.push(response);
    }
    let mutation = sent(1, vec![], publish(served.place.cell("CB1"), "Mẫu"));
    let body = cbor::to_bytes(&SyncRequest {
        mutations: vec![mutation],
        ..empty_sync()
    });
    assert_eq!(
        served
            .signed(&secretary, Method::POST, "/v1/sync", &body)
            .await
            .status(),
        StatusCode::OK
    );
    let woken = tokio::time::timeout(Duration::from_secs(5), wakes[0].chunk())
        .await
        .unwrap();
    assert_eq!(woken.unwrap().unwrap().as_ref(), b"data: \n\n");
    let quiet = tokio::time::timeout(Duration::from_millis(1_200), wakes[1].chunk()).await;
    assert!(quiet.is_err(), "a member of another cell was woken");
    // Another process imports.
    served
        .place
        .import_with("Đồng chí Mẫu 06", "Đồng chí Mẫu 66");
    let woken = tokio::time::timeout(Duration::from_secs(5), wakes[1].chunk())
        .await
        .unwrap();
    assert_eq!(woken.unwrap().unwrap().as_ref(), b"data: \n\n");

    let unsigned = served
        .client
        .get(served.url("/v1/wake"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        problem(unsigned).await,
        (StatusCode::UNAUTHORIZED, ProblemCode::BadSignature)
    );
    served.running.shutdown();
}

#[tokio::test]
async fn a_half_sent_head_and_a_silent_handshake_are_cut() {
    let limits = Limits {
        handshake: Duration::from_millis(300),
        head: Duration::from_millis(300),
        ..Limits::default()
    };
    let served = Served::with(|config| config.limits = limits);
    let address = served.running.address();
    let cut = tokio::task::spawn_blocking(move || {
        let mut silent = std::net::TcpStream::connect(address).unwrap();
        silent
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        silent.read(&mut [0; 16]).unwrap()
    });
    assert_eq!(cut.await.unwrap(), 0, "the connection ends");

    let mut roots = rustls::RootCertStore::empty();
    for root in roots_of(
        &Certificates::open(&served.place.data(), NOW)
            .unwrap()
            .roots(),
    ) {
        roots.add(root).unwrap();
    }
    let half = tokio::task::spawn_blocking(move || {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = address.ip().into();
        let connection = rustls::ClientConnection::new(Arc::new(tls), name).unwrap();
        let stream = std::net::TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        let mut stream = rustls::StreamOwned::new(connection, stream);
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: ")
            .unwrap();
        let mut answer = Vec::new();
        // Cut with or without a closing word; never answered.
        drop(stream.read_to_end(&mut answer));
        answer
    });
    let answer = half.await.unwrap();
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
}

#[tokio::test]
async fn only_the_roots_handed_over_are_trusted() {
    let served = Served::start();
    let other = Place::new();
    let stranger = client_of(&other);
    assert!(stranger.get(served.url("/healthz")).send().await.is_err());
}

/// The chair of the first cell hands a blob over and names it in a document; its record.
async fn with_blob(served: &Served, chair: &Phone, bytes: &[u8]) -> (BlobDigest, RecordKey) {
    let cell = chair.enrolled.cell;
    let home = Scope::organisation(cell);
    let document = DocumentKey(RecordKey::new(home, common::fresh_id()));
    let mut pieces = PieceDigests::default();
    for piece in bytes.chunks(PIECE_BYTES as usize) {
        pieces.push(piece);
    }
    let blob = BlobDigest::of(bytes);
    let publication = PublishDocument {
        document,
        title: "Nghị quyết".into(),
        number: None,
        issuer: "Chi bộ thôn Mẫu Một".into(),
        kind: DocumentKind::Resolution,
        level: ConfidentialityLevel::Internal,
        issued_on: NOW.date(),
        for_meeting: None,
        sections: vec![SectionDraft {
            number: "1".into(),
            heading: "Mục".into(),
            text: String::new(),
        }],
        attachments: vec![Attachment {
            name: "a.pdf".into(),
            media_type: "application/pdf".into(),
            size: bytes.len() as u64,
            blob,
            pieces,
            unknown: UnknownKeys::none(),
        }],
    };
    let request = SyncRequest {
        mutations: vec![sent(1, vec![], publication)],
        ..empty_sync()
    };
    // Without its blob the document waits.
    assert_eq!(verdict(served, chair, &request).await, Verdict::NotYet);
    for (from, part) in [
        (0, &bytes[..bytes.len() / 2]),
        (bytes.len() / 2, &bytes[bytes.len() / 2..]),
    ] {
        let path = format!(
            "/v1/blobs/{blob}?home={home}&from={from}&size={}",
            bytes.len()
        );
        let response = served.signed(chair, Method::PUT, &path, part).await;
        assert_eq!(response.status(), StatusCode::OK);
        let state: BlobState = cbor::from_bytes(&response.bytes().await.unwrap()).unwrap();
        assert_eq!(state.received, (from + part.len()) as u64);
    }
    assert!(matches!(
        verdict(served, chair, &request).await,
        Verdict::Done(_)
    ));
    (blob, document.0)
}

async fn verdict(served: &Served, phone: &Phone, request: &SyncRequest) -> Verdict {
    let body = cbor::to_bytes(request);
    let response = served.signed(phone, Method::POST, "/v1/sync", &body).await;
    let mut response: SyncResponse = cbor::from_bytes(&response.bytes().await.unwrap()).unwrap();
    response.receipts.pop().unwrap().verdict
}

impl Served {
    async fn range(&self, phone: &Phone, path: &str, range: Option<&str>) -> Response {
        let headers = phone.sign(self, "GET", path, &[]);
        let mut request = self
            .client
            .get(self.url(path))
            .header(signature::CONTENT_DIGEST, &headers.content_digest)
            .header(signature::SIGNATURE_INPUT, &headers.signature_input)
            .header(signature::SIGNATURE, &headers.signature);
        if let Some(range) = range {
            request = request.header("range", range);
        }
        request.send().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_27_a_blob_is_served_in_ranges_and_other_ranges_are_refused() {
    let served = Served::start();
    let chair = served.join("M01", 1).await;
    let bytes: Vec<u8> = (0..2_500_000_u32).map(|n| (n / 7) as u8).collect();
    let (blob, record) = with_blob(&served, &chair, &bytes).await;
    let path = format!("/v1/blobs/{blob}?record={record}");

    for (range, from, to) in [
        ("bytes=0-0", 0, 0),
        ("bytes=262144-524287", 262_144, 524_287),
        ("bytes=2499990-", 2_499_990, 2_499_999),
        ("bytes=2499990-9999999", 2_499_990, 2_499_999),
        // No more than the limit at once.
        ("bytes=100-", 100, 100 + (1 << 20) - 1),
    ] {
        let response = served.range(&chair, &path, Some(range)).await;
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT, "{range}");
        let told = format!("bytes {from}-{to}/2500000");
        assert_eq!(response.headers()["content-range"], told.as_str());
        assert!(
            response.bytes().await.unwrap() == bytes[from..=to],
            "{range}"
        );
    }
    for range in [
        "bytes=2500000-",
        "bytes=2500000-2500001",
        "bytes=99999999999-",
    ] {
        let response = served.range(&chair, &path, Some(range)).await;
        assert_eq!(response.headers()["content-range"], "bytes */2500000");
        let refused = (StatusCode::RANGE_NOT_SATISFIABLE, ProblemCode::NoSuchRange);
        assert_eq!(problem(response).await, refused, "{range}");
    }
    let malformed = (StatusCode::BAD_REQUEST, ProblemCode::Malformed);
    for range in [
        None,
        Some("bytes=5-4"),
        Some("bytes=-5"),
        Some("bytes=0-10,5-20"),
        Some("bytes=0-1,4-5"),
        Some("pieces=0-1"),
        Some("bytes=a-b"),
        Some("bytes=18446744073709551616-"),
    ] {
        assert_eq!(
            problem(served.range(&chair, &path, range).await).await,
            malformed,
            "{range:?}"
        );
    }
    for wrong in [
        format!("/v1/blobs/{blob}"),
        format!("/v1/blobs/{blob}?record=x"),
        format!("/v1/blobs/{blob}?record={record}&more=1"),
        format!("/v1/blobs/x?record={record}"),
    ] {
        let response = served.range(&chair, &wrong, Some("bytes=0-")).await;
        assert_eq!(problem(response).await, malformed, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_17_a_blob_that_is_not_shown_is_answered_like_one_that_is_unknown() {
    let served = Served::start();
    let chair = served.join("M01", 1).await;
    let (blob, record) = with_blob(&served, &chair, &[7; 1_000]).await;
    let unknown = BlobDigest::of(b"unknown");
    let nowhere = RecordKey::new(record.home, common::fresh_id());
    let of_chair = RecordKey::new(
        Scope::person(chair.enrolled.member),
        chair.enrolled.member.0,
    );

    let outsider = {
        let members = &served.place.commune.members;
        let mut found = None;
        for (seed, code) in (2..).zip(members.keys()) {
            let phone = served.join(code, seed).await;
            if phone.enrolled.cell != chair.enrolled.cell {
                found = Some(phone);
                break;
            }
        }
        found.unwrap()
    };
    let mut answers = Vec::new();
    for (phone, blob, record) in [
        (&outsider, blob, record),
        (&outsider, unknown, record),
        (&outsider, blob, nowhere),
        (&chair, unknown, record),
        (&chair, blob, nowhere),
        (&chair, blob, of_chair),
    ] {
        let path = format!("/v1/blobs/{blob}?record={record}");
        let response = served.range(phone, &path, Some("bytes=0-9")).await;
        let status = response.status();
        let mut names: Vec<String> = response.headers().keys().map(ToString::to_string).collect();
        names.sort();
        answers.push((status, names, response.bytes().await.unwrap()));
    }
    assert_eq!(answers[0].0, StatusCode::NOT_FOUND);
    assert!(
        answers.windows(2).all(|two| two[0] == two[1]),
        "{answers:?}"
    );

    // Nor does handing it over tell anything, or spoil anything.
    let home = record.home;
    let path = format!("/v1/blobs/{blob}?home={home}&from=0&size=1000");
    let refused = (StatusCode::FORBIDDEN, ProblemCode::MayNotHandOver);
    for path in [
        path.clone(),
        path.replace(&blob.to_string(), &unknown.to_string()),
    ] {
        let response = served
            .signed(&outsider, Method::PUT, &path, &[7; 1_000])
            .await;
        assert_eq!(problem(response).await, refused);
    }
    let unsigned = served
        .client
        .get(served.url(&format!("/v1/blobs/{blob}?record={record}")));
    assert_eq!(
        unsigned.send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_handed_over_wrongly_is_refused_and_thrown_away() {
    let served = Served::start();
    let chair = served.join("M01", 1).await;
    let home = Scope::organisation(chair.enrolled.cell);
    let blob = BlobDigest::of(&[7; 1_000]);
    let put = async |query: String, body: &[u8]| {
        let path = format!("/v1/blobs/{blob}?{query}");
        served.signed(&chair, Method::PUT, &path, body).await
    };
    let wrong = put(format!("home={home}&from=0&size=1000"), &[8; 1_000]).await;
    assert_eq!(
        problem(wrong).await,
        (StatusCode::CONFLICT, ProblemCode::WrongBlob)
    );
    let received = async |query: String, body: &[u8]| {
        let response = put(query, body).await;
        cbor::from_bytes::<BlobState>(&response.bytes().await.unwrap())
            .unwrap()
            .received
    };
    assert_eq!(
        received(format!("home={home}&from=0&size=1000"), &[]).await,
        0
    );
    assert_eq!(
        received(format!("home={home}&from=0&size=1000"), &[7; 400]).await,
        400
    );
    assert_eq!(
        received(format!("home={home}&from=0&size=1000"), &[7; 400]).await,
        400
    );
    assert_eq!(
        received(format!("home={home}&from=900&size=1000"), &[7; 100]).await,
        400
    );
    assert_eq!(
        received(format!("home={home}&from=400&size=1000"), &[7; 900]).await,
        400
    );
    assert_eq!(
        received(format!("home={home}&from=400&size=1000"), &[7; 600]).await,
        1_000
    );

    let malformed = (StatusCode::BAD_REQUEST, ProblemCode::Malformed);
    for query in [
        String::new(),
        format!("home={home}&from=0"),
        format!("from=0&home={home}&size=10"),
        format!("home={home}&from=-1&size=10"),
        format!("home={home}&from=0&size=0"),
        "home=x&from=0&size=10".to_owned(),
    ] {
        assert_eq!(
            problem(put(query.clone(), b"x").await).await,
            malformed,
            "{query}"
        );
    }
    let too_large = (StatusCode::PAYLOAD_TOO_LARGE, ProblemCode::TooLarge);
    let query = format!("home={home}&from=0&size={}", u64::from(MAX_BLOB_BYTES) + 1);
    assert_eq!(problem(put(query, b"x").await).await, too_large);
}
