//! The server over real TLS: joining, signatures, limits, refusals.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod common;
mod served;

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use common::{NOW, Place, publish, sent};
use reqwest::{Method, Response, StatusCode};
use served::{Phone, Served, client_of, empty_sync, problem};
use sotay_model::blob::{MAX_BLOB_BYTES, PIECE_BYTES, PieceDigests};
use sotay_model::cbor::UnknownKeys;
use sotay_model::documents::{
    Attachment, ConfidentialityLevel, DocumentKind, PublishDocument, SectionDraft,
};
use sotay_model::signature;
use sotay_model::wire::{
    BlobState, MAX_REQUEST_BYTES, NONCE_HEADER, ProblemCode, SyncRequest, SyncResponse, Verdict,
};
use sotay_model::{BlobDigest, DocumentKey, RecordKey, Scope, cbor};
use sotay_server::Limits;
use sotay_server::commune::Certificates;

#[tokio::test]
async fn a_phone_joins_and_syncs() {
    let served = Served::start();
    let phone = served.join("M01", 1).await;
    let enrolled = served.enrolled(&phone).await;
    assert_eq!(enrolled.member, served.place.commune.members["M01"]);
    assert_eq!(enrolled.member_name, "Đồng chí Mẫu 01");
    assert_eq!(enrolled.cell, served.place.cell("CB1"));

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
    for root in Certificates::open(&served.place.data(), NOW)
        .unwrap()
        .roots()
    {
        roots.add(root.clone()).unwrap();
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
    let cell = chair.cell();
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
    let of_chair = RecordKey::new(Scope::person(chair.member()), chair.member().0);

    let outsider = {
        let members = &served.place.commune.members;
        let mut found = None;
        for (seed, code) in (2..).zip(members.keys()) {
            let phone = served.join(code, seed).await;
            if phone.cell() != chair.cell() {
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
    let home = Scope::organisation(chair.cell());
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
