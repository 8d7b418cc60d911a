//! Who signed a request, under which session (SECURITY.md, AUTH-1).

use crate::common::{NOW, publish, sent};
use crate::served::{Joiner, Phone, Served, empty_sync, keys_of, nonce_of, problem};
use crate::{BAD, Hardware};
use reqwest::{Method, StatusCode};
use ring::signature::Ed25519KeyPair;
use sotay_model::session::SessionCertificate;
use sotay_model::signature::Headers;
use sotay_model::wire::{
    ClaimEnrolment, EnrolmentClaimed, EnrolmentOpened, EnrolmentState, OpenEnrolment, ProblemCode,
    SyncRequest, SyncResponse,
};
use sotay_model::{Id, InstallationId, Timestamp, cbor, exchange};
use sotay_server::ServerConfig;
use std::sync::atomic::{AtomicI64, Ordering};

const CLAIM: &str = "/v1/enrolment/claim";

#[tokio::test]
async fn auth_1_any_change_of_a_signed_request_is_refused_and_writes_nothing() {
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
    let other_key = served.join("M02", 2).await;
    let stolen = other_key.sign_as(&served, "POST", "/v1/sync", &signed, 0, &phone.nonce);
    let stale = (StatusCode::UNAUTHORIZED, ProblemCode::StaleNonce);
    let replaced = |from: &str, to: &str| {
        let signature_input = headers.signature_input.replace(from, to);
        assert_ne!(signature_input, headers.signature_input);
        Headers {
            signature_input,
            ..headers.clone()
        }
    };
    let their_id = |phone: &Phone| {
        let headers = phone.sign(&served, "POST", "/v1/sync", &signed);
        let from = headers.signature_input.find("keyid=").unwrap();
        headers.signature_input[from..from + 51].to_owned()
    };
    let cases = [
        ("the body", "/v1/sync", body("Hai"), headers.clone(), BAD),
        (
            "the query",
            "/v1/sync?a=1",
            signed.clone(),
            headers.clone(),
            BAD,
        ),
        (
            "the path",
            "/v1/sync",
            signed.clone(),
            phone.sign(&served, "POST", "/v1/wake", &signed),
            BAD,
        ),
        (
            "the method",
            "/v1/sync",
            signed.clone(),
            phone.sign(&served, "GET", "/v1/sync", &signed),
            BAD,
        ),
        (
            "the time",
            "/v1/sync",
            signed.clone(),
            replaced("created=17", "created=18"),
            BAD,
        ),
        (
            "the key's name",
            "/v1/sync",
            signed.clone(),
            replaced(&their_id(&phone), &their_id(&other_key)),
            stale,
        ),
        (
            "the nonce",
            "/v1/sync",
            signed.clone(),
            replaced(&phone.nonce, &other_key.nonce),
            stale,
        ),
        (
            "another phone's nonce",
            "/v1/sync",
            signed.clone(),
            stolen,
            stale,
        ),
    ];
    for (what, path, body, headers, expected) in cases {
        let answer = served.send(Method::POST, path, body, &headers).await;
        assert_eq!(problem(answer).await, expected, "{what}");
    }
    let unsigned = served.post("/v1/sync", signed.clone()).await;
    assert_eq!(problem(unsigned).await, BAD);

    let empty = cbor::to_bytes(&empty_sync());
    let answer = served
        .signed(&phone, Method::POST, "/v1/sync", &empty)
        .await;
    let answer: SyncResponse = cbor::from_bytes(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(answer.high_water, 0);
}

#[tokio::test]
async fn auth_1_a_stale_nonce_brings_a_fresh_one_whatever_the_phone_s_clock_says() {
    let served = Served::start();
    let phone = served.join("M01", 1).await;
    let body = cbor::to_bytes(&empty_sync());
    for stale in ["0", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let headers = phone.sign_as(&served, "POST", "/v1/sync", &body, 0, stale);
        let send = |headers| {
            let body = body.clone();
            let served = &served;
            async move { served.send(Method::POST, "/v1/sync", body, &headers).await }
        };
        let response = send(headers).await;
        let fresh = nonce_of(&response);
        let code = problem(response).await.1;
        assert_eq!(code, ProblemCode::StaleNonce);
        // Ten years off in either direction.
        for created in [1_400_000_000, 2_100_000_000] {
            let headers = phone.sign_as(&served, "POST", "/v1/sync", &body, created, &fresh);
            assert_eq!(send(headers).await.status(), StatusCode::OK);
        }
    }
}

#[tokio::test]
async fn auth_1_a_request_that_was_answered_is_not_taken_again() {
    static TIME: AtomicI64 = AtomicI64::new(NOW.0);
    let clock = |config: &mut ServerConfig| {
        config.clock = || Timestamp(TIME.load(Ordering::Relaxed));
    };
    let stale = (StatusCode::UNAUTHORIZED, ProblemCode::StaleNonce);
    let body = cbor::to_bytes(&empty_sync());
    let served = Served::with(clock);
    let mut phone = served.join("M01", 1).await;
    let captured = phone.sign(&served, "POST", "/v1/sync", &body);
    let answered = served
        .send(Method::POST, "/v1/sync", body.clone(), &captured)
        .await;
    assert_eq!(answered.status(), StatusCode::OK);
    for _ in 0..2 {
        let again = served
            .send(Method::POST, "/v1/sync", body.clone(), &captured)
            .await;
        // The phone itself goes on at once.
        phone.nonce = nonce_of(&again);
        assert_eq!(problem(again).await, stale);
        let anew = served.signed(&phone, Method::POST, "/v1/sync", &body).await;
        assert_eq!(anew.status(), StatusCode::OK);
    }

    // A server that starts anew has forgotten what it answered: it takes no nonce from before.
    let Served { place, running, .. } = served;
    drop(running);
    TIME.fetch_add(1_000, Ordering::Relaxed);
    let served = Served::on(place, clock);
    let before = served.signed(&phone, Method::POST, "/v1/sync", &body).await;
    phone.nonce = nonce_of(&before);
    assert_eq!(problem(before).await, stale);
    let anew = served.signed(&phone, Method::POST, "/v1/sync", &body).await;
    assert_eq!(anew.status(), StatusCode::OK);
}

#[tokio::test]
async fn auth_1_a_session_needs_its_certificate_once_and_ends_after_a_day() {
    static TIME: AtomicI64 = AtomicI64::new(NOW.0);
    let served = Served::with(|config| {
        config.clock = || Timestamp(TIME.load(Ordering::Relaxed));
    });
    let phone = served.join("M01", 1).await;
    let body = cbor::to_bytes(&empty_sync());
    let sync =
        |phone: &Phone, nonce: &str| phone.sign_as(&served, "POST", "/v1/sync", &body, 0, nonce);
    // It was sent while the phone joined; the server remembers.
    let known = served
        .send(
            Method::POST,
            "/v1/sync",
            body.clone(),
            &sync(&phone, &phone.nonce),
        )
        .await;
    assert_eq!(known.status(), StatusCode::OK);

    TIME.fetch_add(23 * 3_600_000, Ordering::Relaxed);
    let stale = served
        .send(
            Method::POST,
            "/v1/sync",
            body.clone(),
            &sync(&phone, "none"),
        )
        .await;
    let nonce = nonce_of(&stale);
    let answer = served
        .send(
            Method::POST,
            "/v1/sync",
            body.clone(),
            &sync(&phone, &nonce),
        )
        .await;
    assert_eq!(
        answer.status(),
        StatusCode::OK,
        "a nonce is for an hour, a session for a day"
    );

    TIME.fetch_add(3_600_001, Ordering::Relaxed);
    let stale = served
        .send(
            Method::POST,
            "/v1/sync",
            body.clone(),
            &sync(&phone, "none"),
        )
        .await;
    let nonce = nonce_of(&stale);
    let over = (StatusCode::UNAUTHORIZED, ProblemCode::UnknownSession);
    let headers = sync(&phone, &nonce);
    let certificate = phone.certificate.as_ref();
    for certificate in [None, certificate] {
        let answer = served
            .send_with(
                Method::POST,
                "/v1/sync",
                body.clone(),
                &headers,
                certificate,
            )
            .await;
        assert_eq!(problem(answer).await, over);
    }
    let device = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
    let renewed = served.session(phone.installation, &device, 50).await;
    let answer = served
        .signed(&renewed, Method::POST, "/v1/sync", &body)
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn auth_1_a_certificate_of_another_key_phone_or_nonce_is_refused() {
    let served = Served::start();
    let phone = served.join("M01", 1).await;
    let other = served.join("M02", 2).await;
    let body = cbor::to_bytes(&empty_sync());
    let device = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
    let fresh = served.session(phone.installation, &device, 90).await;
    let good = fresh.certificate.clone().unwrap();
    let foreign = other.certificate.clone().unwrap();
    let unknown = (StatusCode::UNAUTHORIZED, ProblemCode::UnknownSession);
    let stranger = (StatusCode::UNAUTHORIZED, ProblemCode::UnknownInstallation);
    for (certificate, expected) in [
        (None, unknown),
        (Some(foreign.clone()), unknown),
        (
            Some(SessionCertificate {
                installation: other.installation,
                ..good.clone()
            }),
            BAD,
        ),
        (
            Some(SessionCertificate {
                installation: InstallationId(Id::from_bytes([9; 16])),
                ..good.clone()
            }),
            stranger,
        ),
        (
            Some(SessionCertificate {
                nonce: foreign.nonce.clone(),
                ..good.clone()
            }),
            unknown,
        ),
        (
            Some(SessionCertificate {
                signature: foreign.signature.clone(),
                ..good.clone()
            }),
            BAD,
        ),
    ] {
        let headers = fresh.sign(&served, "POST", "/v1/sync", &body);
        let answer = served
            .send_with(
                Method::POST,
                "/v1/sync",
                body.clone(),
                &headers,
                certificate.as_ref(),
            )
            .await;
        assert_eq!(problem(answer).await, expected, "{certificate:?}");
    }
    let answer = served.signed(&fresh, Method::POST, "/v1/sync", &body).await;
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn auth_1_a_key_in_hardware_certifies_sessions_too() {
    let served = Served::start();
    let keys = keys_of(&served.invite("M03"));
    let hardware = Hardware::new();
    let nonce = [4; 32];
    let commitment = exchange::phone_commitment(&keys.lookup, &hardware.public(), None, &nonce);
    let open = OpenEnrolment {
        commitment: commitment.to_vec(),
        ..Joiner::new(&keys, 4).open()
    };
    let response = served
        .post("/v1/enrolment/open", cbor::to_bytes(&open))
        .await;
    let opened: EnrolmentOpened = cbor::from_bytes(&response.bytes().await.unwrap()).unwrap();
    let claimed = exchange::claim_bytes(&commitment, &opened.commitment, &opened.fresh, "Máy");
    let claim = ClaimEnrolment {
        lookup: keys.lookup.to_vec(),
        device: hardware.public(),
        approval: None,
        nonce: nonce.to_vec(),
        fresh: opened.fresh,
        device_name: "Máy".into(),
        proof: exchange::claim_proof(&keys.claim, &claimed).to_vec(),
        signature: hardware.sign(&claimed),
    };
    let response = served.post(CLAIM, cbor::to_bytes(&claim)).await;
    let claimed: EnrolmentClaimed = cbor::from_bytes(&response.bytes().await.unwrap()).unwrap();
    let anybody = Ed25519KeyPair::from_seed_unchecked(&[4; 32]).unwrap();
    let mut phone = served.session(claimed.installation, &anybody, 4).await;
    let state = served
        .signed(&phone, Method::POST, "/v1/enrolment/state", &[])
        .await;
    assert_eq!(problem(state).await, BAD, "not the key that joined");
    let mut certificate = phone.certificate.take().unwrap();
    certificate.signature = hardware.sign(&SessionCertificate::signed_bytes(
        certificate.installation,
        &certificate.key,
        &certificate.nonce,
    ));
    phone.certificate = Some(certificate);
    assert_eq!(served.state(&phone).await, EnrolmentState::Waiting);
}
