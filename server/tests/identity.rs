//! Who a request comes from: joining with six digits, sessions, revocations, and what officers do about phones.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod common;
mod served;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};

use common::{NOW, publish, sent};
use reqwest::{Method, StatusCode};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use served::{Joiner, Phone, Served, empty_sync, keys_of, nonce_of, problem};
use sotay_model::device_key::{PublicKey, fixed_from_der};
use sotay_model::enrolment::{Code, EnrolmentKeys};
use sotay_model::exchange::{self, SixDigits};
use sotay_model::organisation::{Appoint, Role};
use sotay_model::session::{Revocation, SessionCertificate, act_bytes};
use sotay_model::signature::Headers;
use sotay_model::wire::{
    ClaimEnrolment, EnrolmentClaimed, EnrolmentOpened, EnrolmentState, NewInvitation,
    OpenEnrolment, PhonesAnswer, PhonesRequest, PrivilegedAct, Problem, ProblemCode, SyncRequest,
    SyncResponse,
};
use sotay_model::{Id, InstallationId, Rejection, Timestamp, cbor};
use sotay_server::commune::{self, Confirmation, OrganisationKeys};
use sotay_server::engine::{MAX_PHONES, MAX_TRIES, stretch};

const CLAIM: &str = "/v1/enrolment/claim";
const UNUSABLE: (StatusCode, ProblemCode) =
    (StatusCode::FORBIDDEN, ProblemCode::InvitationUnusable);
const BAD: (StatusCode, ProblemCode) = (StatusCode::UNAUTHORIZED, ProblemCode::BadSignature);

fn joiner(served: &Served, member: &str, seed: u8) -> Joiner {
    Joiner::new(&keys_of(&served.invite(member)), seed)
}

/// A P-256 key as a phone's hardware holds one.
struct Hardware(EcdsaKeyPair);

impl Hardware {
    fn new() -> Self {
        let random = SystemRandom::new();
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        Self(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap())
    }

    fn public(&self) -> PublicKey {
        PublicKey::p256(self.0.public_key().as_ref()).unwrap()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let der = self.0.sign(&SystemRandom::new(), message).unwrap();
        fixed_from_der(der.as_ref()).unwrap().to_vec()
    }
}

#[tokio::test]
async fn auth_4_a_phone_is_a_member_s_only_after_the_six_digits_were_confirmed() {
    let served = Served::start();
    let (phone, digits) = served.claimed(joiner(&served, "M03", 3)).await;
    assert_eq!(served.state(&phone).await, EnrolmentState::Waiting);
    let body = cbor::to_bytes(&empty_sync());
    let not_yet = (StatusCode::FORBIDDEN, ProblemCode::NotConfirmed);
    let early = served.signed(&phone, Method::POST, "/v1/sync", &body).await;
    assert_eq!(problem(early).await, not_yet);
    let early = served.ask_phones(&phone, &PhonesRequest::List).await;
    assert_eq!(problem(early).await, not_yet);
    let early = served.signed(&phone, Method::GET, "/v1/wake", &[]).await;
    assert_eq!(problem(early).await, not_yet);

    let waiting = commune::waiting(&served.place.data(), NOW).unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].member, "M03");
    assert_eq!(waiting[0].digits, digits, "both screens show the same");
    let data = served.place.data();
    let confirmed = commune::confirm(&data, "M03", &digits.text(), NOW).unwrap();
    assert_eq!(confirmed, Confirmation::Confirmed);
    assert!(matches!(
        served.state(&phone).await,
        EnrolmentState::Active(_)
    ));
    let late = served.signed(&phone, Method::POST, "/v1/sync", &body).await;
    assert_eq!(late.status(), StatusCode::OK);
    assert!(commune::waiting(&data, NOW).unwrap().is_empty());
}

#[tokio::test]
async fn auth_4_five_wrong_digits_void_the_claim() {
    let served = Served::start();
    let (phone, digits) = served.claimed(joiner(&served, "M03", 3)).await;
    let data = served.place.data();
    let wrong = SixDigits::from_number((digits.number() + 1) % 1_000_000).unwrap();
    for left in (0..MAX_TRIES).rev() {
        assert_eq!(served.state(&phone).await, EnrolmentState::Waiting);
        let answer = commune::confirm(&data, "M03", &wrong.text(), NOW).unwrap();
        assert_eq!(answer, Confirmation::WrongDigits { left });
    }
    let answer = commune::confirm(&data, "M03", &digits.text(), NOW).unwrap();
    assert_eq!(answer, Confirmation::NobodyWaits);
    let state = served
        .signed(&phone, Method::POST, "/v1/enrolment/state", &[])
        .await;
    assert_eq!(problem(state).await, UNUSABLE);
    for other in ["", "12345", "1234567", "abcdef"] {
        assert!(commune::confirm(&data, "M03", other, NOW).is_err());
    }
}

#[tokio::test]
async fn auth_4_a_claim_that_nobody_confirms_is_void_after_a_day() {
    static TIME: AtomicI64 = AtomicI64::new(NOW.0);
    let served = Served::with(|config| {
        config.clock = || Timestamp(TIME.load(Ordering::Relaxed));
    });
    let joiner = joiner(&served, "M03", 3);
    let seed = joiner.keys.clone();
    let (mut phone, digits) = served.claimed(joiner).await;
    TIME.fetch_add(24 * 3_600_000 + 1, Ordering::Relaxed);
    let later = Timestamp(TIME.load(Ordering::Relaxed));
    let data = served.place.data();
    let answer = commune::confirm(&data, "M03", &digits.text(), later).unwrap();
    assert_eq!(answer, Confirmation::NobodyWaits);
    assert!(commune::waiting(&data, later).unwrap().is_empty());
    let device = Joiner::new(&seed, 3).pair;
    phone = served.session(phone.installation, &device, 77).await;
    let state = served
        .signed(&phone, Method::POST, "/v1/enrolment/state", &[])
        .await;
    assert_eq!(problem(state).await, UNUSABLE);
    // Its place is free again.
    for seed in 10..10 + u8::try_from(MAX_PHONES).unwrap() {
        let invitation = commune::invite(&data, "M03", Some("a.example"), 14, later).unwrap();
        let next = Joiner::new(&keys_of(&invitation), seed);
        let opened = served.opened(&next).await;
        assert_eq!(served.claim(&next, &opened).await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn auth_4_who_swaps_keys_in_between_is_seen_by_the_digits() {
    let served = Served::start();
    let invitation = served.invite("M03");
    let keys = keys_of(&invitation);
    // The phone speaks with the one in between, who has read the code, and who speaks with the server under a key of his own.
    let (phone, thief) = (Joiner::new(&keys, 3), Joiner::new(&keys, 66));
    let opened = served.opened(&thief).await;
    let nonce = [9; 32];
    let anchors = opened.anchors.clone();
    let commitment = exchange::server_commitment(&phone.commitment(), &anchors, &nonce);
    let shown = EnrolmentOpened {
        mac: exchange::anchors_mac(&keys.anchors, &anchors, &opened.fresh, &commitment).to_vec(),
        commitment: commitment.to_vec(),
        ..opened.clone()
    };
    let response = served.claim(&thief, &opened).await;
    let claimed: EnrolmentClaimed = cbor::from_bytes(&response.bytes().await.unwrap()).unwrap();
    let on_the_phone = phone.digits(
        &shown,
        &EnrolmentClaimed {
            nonce: nonce.to_vec(),
            ..claimed
        },
    );
    let waiting = commune::waiting(&served.place.data(), NOW).unwrap();
    assert_ne!(waiting[0].digits, on_the_phone);
    let data = served.place.data();
    let answer = commune::confirm(&data, "M03", &on_the_phone.text(), NOW).unwrap();
    assert!(matches!(answer, Confirmation::WrongDigits { .. }));
}

#[tokio::test]
async fn auth_4_the_server_keeps_what_it_committed_to_and_shows_it_once() {
    let served = Served::start();
    let joiner = joiner(&served, "M03", 3);
    // However often it is opened, a nonce is shown only for the one claim that is taken.
    let (first, second) = (served.opened(&joiner).await, served.opened(&joiner).await);
    let response = served.claim(&joiner, &first).await;
    let claimed: EnrolmentClaimed = cbor::from_bytes(&response.bytes().await.unwrap()).unwrap();
    let made = |opened: &EnrolmentOpened| {
        exchange::server_commitment(&joiner.commitment(), &opened.anchors, &claimed.nonce)
    };
    assert_eq!(made(&first)[..], first.commitment[..]);
    let again = served.claim(&joiner, &first).await;
    let again: EnrolmentClaimed = cbor::from_bytes(&again.bytes().await.unwrap()).unwrap();
    assert_eq!(again, claimed, "its answer may have been lost");
    let other_nonce = Joiner {
        nonce: [8; 32],
        ..Joiner::new(&joiner.keys, 3)
    };
    let other_name = ClaimEnrolment {
        device_name: "Máy khác".into(),
        ..joiner.claim(&first)
    };
    let fresh = first.fresh == second.fresh;
    assert!(fresh, "the clock of this test stands still");
    let opened = served.open(&other_nonce).await;
    assert_eq!(problem(opened).await, UNUSABLE);
    let renamed = served.post(CLAIM, cbor::to_bytes(&other_name)).await;
    assert_eq!(problem(renamed).await, UNUSABLE);
}

#[tokio::test]
async fn auth_4_every_unusable_invitation_gets_the_same_answer() {
    let served = Served::start();
    let mut answers = Vec::new();

    let unknown = Joiner::new(&EnrolmentKeys::derive(&[7; 32]), 9);
    answers.push(served.open(&unknown).await);

    let long_ago = NOW.plus_minutes(-15 * 24 * 60);
    let data = served.place.data();
    let expired = commune::invite(&data, "M01", Some("a.example"), 14, long_ago).unwrap();
    answers.push(served.open(&Joiner::new(&keys_of(&expired), 9)).await);

    let used = joiner(&served, "M01", 9);
    let second = Joiner::new(&used.keys, 8);
    let opened = served.opened(&used).await;
    let opened_second = served.opened(&second).await;
    let first = served.claim(&used, &opened).await;
    assert_eq!(first.status(), StatusCode::OK);
    answers.push(served.open(&used).await);
    answers.push(served.claim(&second, &opened_second).await);

    let burnt = joiner(&served, "M02", 9);
    let opened = served.opened(&burnt).await;
    let guessed = Joiner {
        keys: EnrolmentKeys {
            claim: [0; 32],
            ..burnt.keys.clone()
        },
        ..Joiner::new(&burnt.keys, 9)
    };
    for _ in 0..MAX_TRIES {
        answers.push(served.claim(&guessed, &opened).await);
    }
    answers.push(served.claim(&burnt, &opened).await);
    answers.push(served.open(&burnt).await);

    let fourth = joiner(&served, "M03", 9);
    let opened = served.opened(&fourth).await;
    for seed in 20..20 + u8::try_from(MAX_PHONES).unwrap() {
        served.join("M03", seed).await;
    }
    answers.push(served.claim(&fourth, &opened).await);
    answers.push(served.open(&fourth).await);

    let mut seen = BTreeSet::new();
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
async fn auth_4_four_wrong_proofs_leave_an_invitation_usable() {
    let served = Served::start();
    let joiner = joiner(&served, "M01", 9);
    let opened = served.opened(&joiner).await;
    for _ in 1..MAX_TRIES {
        let mut guessed = joiner.claim(&opened);
        guessed.proof = vec![0; 32];
        let refused = served.post(CLAIM, cbor::to_bytes(&guessed)).await;
        assert_eq!(problem(refused).await, UNUSABLE);
    }
    assert_eq!(
        served.claim(&joiner, &opened).await.status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn auth_4_a_claim_with_any_one_field_changed_is_refused_and_writes_nothing() {
    let served = Served::start();
    let joiner = joiner(&served, "M01", 9);
    let other = self::joiner(&served, "M02", 8);
    let opened = served.opened(&joiner).await;
    let opened_other = served.opened(&other).await;
    let good = joiner.claim(&opened);
    let foreign = other.claim(&opened_other);
    let malformed = (StatusCode::BAD_REQUEST, ProblemCode::Malformed);
    let stale = (StatusCode::UNAUTHORIZED, ProblemCode::StaleNonce);
    let with = |change: &dyn Fn(&mut ClaimEnrolment)| {
        let mut claim = good.clone();
        change(&mut claim);
        cbor::to_bytes(&claim)
    };
    for (field, claim, expected) in [
        ("lookup missing", with(&|c| c.lookup.clear()), malformed),
        ("lookup too long", with(&|c| c.lookup.push(0)), malformed),
        (
            "lookup of another",
            with(&|c| c.lookup = foreign.lookup.clone()),
            stale,
        ),
        (
            "device missing",
            with(&|c| c.device.bytes.clear()),
            malformed,
        ),
        (
            "device too long",
            with(&|c| c.device.bytes.push(0)),
            malformed,
        ),
        (
            "device of another",
            with(&|c| c.device = foreign.device.clone()),
            stale,
        ),
        (
            "approval of another kind",
            with(&|c| {
                c.approval = Some(PublicKey {
                    bytes: vec![1],
                    ..foreign.device.clone()
                })
            }),
            malformed,
        ),
        (
            "approval added",
            with(&|c| c.approval = Some(foreign.device.clone())),
            stale,
        ),
        ("nonce missing", with(&|c| c.nonce.clear()), malformed),
        ("nonce too long", with(&|c| c.nonce.push(0)), malformed),
        (
            "nonce of another",
            with(&|c| c.nonce = foreign.nonce.clone()),
            stale,
        ),
        ("fresh missing", with(&|c| c.fresh.clear()), stale),
        ("fresh too long", with(&|c| c.fresh.push(0)), stale),
        (
            "fresh of another",
            with(&|c| c.fresh = foreign.fresh.clone()),
            stale,
        ),
        (
            "name too long",
            with(&|c| c.device_name = "x".repeat(101)),
            malformed,
        ),
        ("signature missing", with(&|c| c.signature.clear()), BAD),
        ("signature too long", with(&|c| c.signature.push(0)), BAD),
        ("signature changed", with(&|c| c.signature[0] ^= 1), BAD),
        (
            "signature of another",
            with(&|c| c.signature = foreign.signature.clone()),
            BAD,
        ),
    ] {
        let answer = served.post(CLAIM, claim).await;
        assert_eq!(problem(answer).await, expected, "{field}");
    }
    assert!(
        commune::waiting(&served.place.data(), NOW)
            .unwrap()
            .is_empty()
    );
    // A map with a field doubled or left out is no message.
    let bytes = cbor::to_bytes(&good);
    let mut doubled = bytes.clone();
    doubled[0] += 1;
    doubled.extend_from_slice(&[0, 0x41, 1]);
    let mut short = bytes.clone();
    short[0] -= 1;
    for body in [doubled, short, bytes[..bytes.len() - 1].to_vec()] {
        assert_eq!(problem(served.post(CLAIM, body).await).await, malformed);
    }
    for change in [
        |open: &mut OpenEnrolment| open.lookup.clear(),
        |open: &mut OpenEnrolment| open.lookup.push(0),
        |open: &mut OpenEnrolment| open.commitment.clear(),
        |open: &mut OpenEnrolment| open.commitment.push(0),
    ] {
        let mut open = joiner.open();
        change(&mut open);
        let answer = served
            .post("/v1/enrolment/open", cbor::to_bytes(&open))
            .await;
        assert_eq!(problem(answer).await, malformed);
    }
    let taken = served.post(CLAIM, cbor::to_bytes(&good)).await;
    assert_eq!(taken.status(), StatusCode::OK, "nothing was used up");
}

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

#[tokio::test]
async fn loss_a_revoked_phone_is_told_so_under_the_organisation_s_key_and_nobody_else_is() {
    let served = Served::start();
    let phone = served.join("M03", 3).await;
    let data = served.place.data();
    assert_eq!(commune::phones(&data, "M03").unwrap().len(), 1);
    let revoked = commune::revoke(&data, "M03", Some(phone.installation), NOW).unwrap();
    assert_eq!(revoked, 1);
    let body = cbor::to_bytes(&empty_sync());
    let response = served.signed(&phone, Method::POST, "/v1/sync", &body).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let told: Problem = cbor::from_bytes(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(told.code, ProblemCode::UnknownInstallation);
    let revocation = told.revocation.unwrap();
    let keys = OrganisationKeys::open(&data).unwrap();
    assert!(revocation.holds(phone.installation, keys.public()));

    // Whoever knows the phone's number only is told nothing.
    let device = Ed25519KeyPair::from_seed_unchecked(&[99; 32]).unwrap();
    let stranger = served.session(phone.installation, &device, 98).await;
    let response = served
        .signed(&stranger, Method::POST, "/v1/sync", &body)
        .await;
    let told: Problem = cbor::from_bytes(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(
        (told.code, told.revocation),
        (ProblemCode::BadSignature, None)
    );
    assert_eq!(commune::revoke(&data, "M03", None, NOW).unwrap(), 0);
}

#[tokio::test]
async fn members_list_and_rename_their_own_phones_and_leave() {
    let served = Served::start();
    let phone = served.join("M03", 3).await;
    let second = served.join("M03", 4).await;
    let stranger = served.join("M05", 5).await;
    let PhonesAnswer::Phones(lines) = served.phones(&phone, &PhonesRequest::List).await else {
        panic!("a list was asked for");
    };
    let listed: BTreeSet<_> = lines.iter().map(|line| line.installation).collect();
    assert_eq!(listed, [phone.installation, second.installation].into());
    assert!(
        lines
            .iter()
            .all(|line| line.active && line.name == "Máy thử")
    );

    let rename = |name: &str| PhonesRequest::Rename(second.installation, name.into());
    assert_eq!(
        served.phones(&phone, &rename("Máy bàn")).await,
        PhonesAnswer::Done
    );
    assert!(matches!(
        served.phones(&stranger, &rename("Của tôi")).await,
        PhonesAnswer::Rejected(_)
    ));
    for bad in ["", "  ", &"x".repeat(101)] {
        let answer = served.ask_phones(&phone, &rename(bad)).await;
        assert_eq!(problem(answer).await.1, ProblemCode::Malformed);
    }
    assert_eq!(
        served.phones(&second, &PhonesRequest::Leave).await,
        PhonesAnswer::Done
    );
    let PhonesAnswer::Phones(lines) = served.phones(&phone, &PhonesRequest::List).await else {
        panic!("a list was asked for");
    };
    assert_eq!(lines.len(), 1);
    let gone = served.ask_phones(&second, &PhonesRequest::List).await;
    assert_eq!(problem(gone).await.1, ProblemCode::UnknownInstallation);
}

/// An invitation as an officer's phone makes it: only what follows from the code goes up.
fn invitation_of(served: &Served, member: &str, random: u8) -> (NewInvitation, EnrolmentKeys) {
    let keys = EnrolmentKeys::derive(&stretch(&Code::from_random([random; 8])).unwrap());
    let new = NewInvitation {
        member: served.place.commune.members[member],
        lookup: keys.lookup.to_vec(),
        anchors: keys.anchors.to_vec(),
        claim: keys.claim.to_vec(),
        days: 7,
    };
    (new, keys)
}

#[tokio::test]
async fn auth_4_a_secretary_invites_and_confirms_from_the_phone_and_others_may_not() {
    let served = Served::start();
    // M01 is the secretary of CB1, to which M03 belongs; M05 is in another cell.
    let secretary = served.join("M01", 1).await;
    let stranger = served.join("M05", 5).await;
    let (new, keys) = invitation_of(&served, "M03", 1);
    let invite = PhonesRequest::Invite(new.clone());
    assert!(matches!(
        served.phones(&stranger, &invite).await,
        PhonesAnswer::Rejected(Rejection::NotAllowed { .. } | Rejection::NotFound { .. })
    ));
    let until = NOW.plus_minutes(7 * 24 * 60);
    for _ in 0..2 {
        let answer = served.phones(&secretary, &invite).await;
        assert_eq!(answer, PhonesAnswer::Invited(until));
    }
    for bad in [
        NewInvitation {
            days: 0,
            ..new.clone()
        },
        NewInvitation {
            days: 15,
            ..new.clone()
        },
        NewInvitation {
            claim: vec![1; 31],
            ..new.clone()
        },
    ] {
        let answer = served
            .ask_phones(&secretary, &PhonesRequest::Invite(bad))
            .await;
        assert_eq!(problem(answer).await.1, ProblemCode::Malformed);
    }
    let (phone, digits) = served.claimed(Joiner::new(&keys, 33)).await;
    let PhonesAnswer::Joining(lines) = served.phones(&secretary, &PhonesRequest::Joining).await
    else {
        panic!("a list was asked for");
    };
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].member_name, "Đồng chí Mẫu 03");
    assert_eq!(lines[0].digits, digits.number());
    let nobody = served.phones(&stranger, &PhonesRequest::Joining).await;
    assert_eq!(nobody, PhonesAnswer::Joining(Vec::new()));

    let confirm = PhonesRequest::Confirm(phone.installation, digits.number());
    assert!(matches!(
        served.phones(&stranger, &confirm).await,
        PhonesAnswer::Rejected(Rejection::NotFound { .. })
    ));
    let wrong = PhonesRequest::Confirm(phone.installation, (digits.number() + 1) % 1_000_000);
    let answer = served.phones(&secretary, &wrong).await;
    assert_eq!(answer, PhonesAnswer::WrongDigits(MAX_TRIES - 1));
    assert_eq!(
        served.phones(&secretary, &confirm).await,
        PhonesAnswer::Done
    );
    assert!(matches!(
        served.state(&phone).await,
        EnrolmentState::Active(_)
    ));
    // Confirming or refusing what waits no longer changes nothing.
    let refuse = PhonesRequest::Refuse(phone.installation);
    for late in [confirm, refuse] {
        assert!(matches!(
            served.phones(&secretary, &late).await,
            PhonesAnswer::Rejected(Rejection::NotFound { .. })
        ));
    }
    assert!(matches!(
        served.state(&phone).await,
        EnrolmentState::Active(_)
    ));
}

#[tokio::test]
async fn auth_4_an_officer_who_sees_other_digits_refuses_the_phone() {
    let served = Served::start();
    let secretary = served.join("M01", 1).await;
    let (phone, _) = served.claimed(joiner(&served, "M03", 3)).await;
    let refuse = PhonesRequest::Refuse(phone.installation);
    assert_eq!(served.phones(&secretary, &refuse).await, PhonesAnswer::Done);
    let state = served
        .signed(&phone, Method::POST, "/v1/enrolment/state", &[])
        .await;
    assert_eq!(problem(state).await, UNUSABLE);
}

/// The secretary with a key that only a fresh unlock opens.
async fn secretary_with_approval(served: &Served) -> (Phone, Hardware) {
    let approval = Hardware::new();
    let joiner = Joiner {
        approval: Some(approval.public()),
        ..joiner(served, "M01", 1)
    };
    (served.confirmed("M01", joiner).await, approval)
}

async fn challenge(served: &Served, phone: &Phone, act: &[u8]) -> Vec<u8> {
    match served
        .phones(phone, &PhonesRequest::Begin(act.to_vec()))
        .await
    {
        PhonesAnswer::Challenge(nonce) => nonce,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn auth_3_a_privileged_act_needs_the_approval_key_and_the_server_s_nonce() {
    let served = Served::start();
    let (secretary, approval) = secretary_with_approval(&served).await;
    let lost = served.join("M03", 3).await;
    let act = cbor::to_bytes(&PrivilegedAct::Revoke(lost.installation));
    let other_act = cbor::to_bytes(&PrivilegedAct::Revoke(secretary.installation));
    let nonce = challenge(&served, &secretary, &act).await;
    let sign =
        |act: &[u8], nonce: &[u8]| approval.sign(&act_bytes(secretary.installation, act, nonce));
    let refused = (StatusCode::FORBIDDEN, ProblemCode::NotApproved);
    let stale = (StatusCode::UNAUTHORIZED, ProblemCode::StaleNonce);
    let by_session = secretary
        .key
        .sign(&act_bytes(secretary.installation, &act, &nonce));
    for (act, nonce, signature, expected) in [
        (act.clone(), nonce.clone(), vec![0; 64], refused),
        (
            act.clone(),
            nonce.clone(),
            by_session.as_ref().to_vec(),
            refused,
        ),
        (
            act.clone(),
            nonce.clone(),
            sign(&other_act, &nonce),
            refused,
        ),
        (
            other_act.clone(),
            nonce.clone(),
            sign(&other_act, &nonce),
            stale,
        ),
        (act.clone(), vec![0; 32], sign(&act, &[0; 32]), stale),
    ] {
        let finish = PhonesRequest::Finish(act, nonce, signature);
        let answer = served.ask_phones(&secretary, &finish).await;
        assert_eq!(problem(answer).await, expected);
    }
    assert!(matches!(
        served.state(&lost).await,
        EnrolmentState::Active(_)
    ));

    let finish = PhonesRequest::Finish(act.clone(), nonce.clone(), sign(&act, &nonce));
    assert_eq!(served.phones(&secretary, &finish).await, PhonesAnswer::Done);
    let gone = served.ask_phones(&lost, &PhonesRequest::List).await;
    assert_eq!(problem(gone).await.1, ProblemCode::UnknownInstallation);

    // Without such a key nothing privileged even begins; and who may not, may not with one either.
    let plain = served.join("M02", 2).await;
    let begin = PhonesRequest::Begin(other_act);
    assert_eq!(
        problem(served.ask_phones(&plain, &begin).await).await,
        refused
    );
    let stranger = served.join("M05", 5).await;
    let theirs = cbor::to_bytes(&PrivilegedAct::Revoke(stranger.installation));
    assert!(matches!(
        served
            .phones(&secretary, &PhonesRequest::Begin(theirs))
            .await,
        PhonesAnswer::Rejected(_)
    ));
}

#[tokio::test]
async fn auth_3_a_secretary_grants_a_helper_s_task_and_no_office() {
    let served = Served::start();
    let (secretary, approval) = secretary_with_approval(&served).await;
    let grant = |role| {
        cbor::to_bytes(&PrivilegedAct::Grant(Appoint {
            id: Id::derived("appointment of a test", &[]),
            member: served.place.commune.members["M03"],
            organisation: served.place.cell("CB1"),
            role,
            phone: None,
            from: NOW.date(),
            until: None,
        }))
    };
    let office = PhonesRequest::Begin(grant(Role::DeputySecretary));
    assert!(matches!(
        served.phones(&secretary, &office).await,
        PhonesAnswer::Rejected(_)
    ));
    let act = grant(Role::EnrolmentHelper);
    let nonce = challenge(&served, &secretary, &act).await;
    let signature = approval.sign(&act_bytes(secretary.installation, &act, &nonce));
    let finish = PhonesRequest::Finish(act, nonce, signature);
    assert_eq!(served.phones(&secretary, &finish).await, PhonesAnswer::Done);

    // The helper confirms, and nothing else.
    let helper = served.join("M03", 3).await;
    let (waiting, digits) = served.claimed(joiner(&served, "M04", 4)).await;
    let (new, _) = invitation_of(&served, "M04", 9);
    assert!(matches!(
        served.phones(&helper, &PhonesRequest::Invite(new)).await,
        PhonesAnswer::Rejected(_)
    ));
    let confirm = PhonesRequest::Confirm(waiting.installation, digits.number());
    assert_eq!(served.phones(&helper, &confirm).await, PhonesAnswer::Done);
    let member = served.place.commune.members["M04"];
    assert!(matches!(
        served
            .phones(&helper, &PhonesRequest::PhonesOf(member))
            .await,
        PhonesAnswer::Rejected(_)
    ));
}

#[tokio::test]
async fn auth_3_a_member_takes_along_what_the_server_keeps_about_her() {
    let served = Served::start();
    let (secretary, approval) = secretary_with_approval(&served).await;
    let of =
        |member: &str| cbor::to_bytes(&PrivilegedAct::Export(served.place.commune.members[member]));
    let others = PhonesRequest::Begin(of("M03"));
    assert!(matches!(
        served.phones(&secretary, &others).await,
        PhonesAnswer::Rejected(_)
    ));
    let act = of("M01");
    let nonce = challenge(&served, &secretary, &act).await;
    let signature = approval.sign(&act_bytes(secretary.installation, &act, &nonce));
    let finish = PhonesRequest::Finish(act, nonce, signature);
    let PhonesAnswer::Export(text) = served.phones(&secretary, &finish).await else {
        panic!("it was asked for");
    };
    for part in [
        "\"Member\"",
        "\"Profile\"",
        "\"Appointment\"",
        "Đồng chí Mẫu 01",
        "Máy thử",
        "\"name\":\"Đồng chí Mẫu 01\"",
        "\"status\":\"Official\"",
        "\"role\":\"Secretary\"",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Dates as people write them, and no field under a number only.
    let year = text
        .split("\"from\":\"")
        .nth(1)
        .and_then(|rest| rest.get(..4));
    assert!(
        year.is_some_and(|year| year.parse::<u32>().is_ok()),
        "{text}"
    );
    assert!(!text.contains("{\"0\":"), "{text}");
    assert!(!text.contains("Đồng chí Mẫu 03"));
}

#[test]
fn a_forged_revocation_holds_under_no_key_of_the_organisation() {
    let place = common::Place::new();
    let keys = OrganisationKeys::open(&place.data()).unwrap();
    let phone = InstallationId(Id::from_bytes([1; 16]));
    let forger = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
    let forged = Revocation {
        installation: phone,
        at: NOW,
        signature: forger
            .sign(&Revocation::signed_bytes(phone, NOW))
            .as_ref()
            .to_vec(),
    };
    assert!(!forged.holds(phone, keys.public()));
}
