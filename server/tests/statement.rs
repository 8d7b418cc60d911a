//! The organisation's statement to its phones, from the server's side: who is handed it, and joining while it changes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod common;
mod served;

use common::NOW;
use reqwest::header::HeaderValue;
use reqwest::{Method, StatusCode};
use served::{Joiner, Phone, Served, empty_sync, keys_of};
use sotay_model::cbor;
use sotay_model::signature;
use sotay_model::statement::{STATEMENT_HEADER, SignedStatement, Statement, Version};
use sotay_model::wire::TrustAnchors;
use sotay_server::audit::Tampering;
use sotay_server::commune::{self, OrganisationKeys};

/// A sync of a phone that says which statement it has; the status, and what the answer brings.
async fn asked(
    served: &Served,
    phone: Option<&Phone>,
    serial: Option<&str>,
) -> (StatusCode, Option<HeaderValue>) {
    let body = cbor::to_bytes(&empty_sync());
    let mut request = served.client.post(served.url("/v1/sync"));
    if let Some(phone) = phone {
        let headers = phone.sign(served, Method::POST.as_str(), "/v1/sync", &body);
        request = request
            .header(signature::CONTENT_DIGEST, &headers.content_digest)
            .header(signature::SIGNATURE_INPUT, &headers.signature_input)
            .header(signature::SIGNATURE, &headers.signature);
    }
    if let Some(serial) = serial {
        request = request.header(STATEMENT_HEADER, serial);
    }
    let response = request.body(body).send().await.unwrap();
    let statement = response.headers().get(STATEMENT_HEADER).cloned();
    (response.status(), statement)
}

fn opened(served: &Served, header: &HeaderValue) -> Statement {
    let keys = OrganisationKeys::open(&served.place.data()).unwrap();
    let signed = SignedStatement::from_header(header.to_str().unwrap()).unwrap();
    signed.open(keys.public(), 0).unwrap()
}

#[tokio::test]
async fn network_2_a_phone_with_an_older_statement_is_handed_the_newest_and_nobody_else_is() {
    let served = Served::start();
    let phone = served.join("M01", 1).await;
    let (status, brought) = asked(&served, Some(&phone), Some("0")).await;
    assert_eq!(status, StatusCode::OK);
    let statement = opened(&served, &brought.unwrap());
    assert_eq!(statement.minimum, Version::default());
    let known = statement.serial.to_string();
    // Phones of older versions say nothing; one that has it gets nothing; and what is no number is none.
    for serial in [None, Some(known.as_str()), Some("-1"), Some("x"), Some("")] {
        let (status, brought) = asked(&served, Some(&phone), serial).await;
        assert_eq!((status, brought), (StatusCode::OK, None), "{serial:?}");
    }
    let (status, brought) = asked(&served, None, Some("0")).await;
    assert_eq!((status, brought), (StatusCode::UNAUTHORIZED, None));

    // The running server takes what another process stated.
    let wanted = Version::parse("1.2.3").unwrap();
    commune::set_minimum_version(&served.place.data(), wanted, NOW).unwrap();
    served.running.reload().unwrap();
    let (_, brought) = asked(&served, Some(&phone), Some(&known)).await;
    let newer = opened(&served, &brought.unwrap());
    assert!(newer.serial > statement.serial && newer.minimum == wanted);
    assert_eq!(newer.anchors, statement.anchors);
    served.running.shutdown();
}

#[tokio::test]
async fn network_2_who_joins_while_the_roots_are_rotated_is_taken_and_the_next_one_gets_the_new_ones()
 {
    let served = Served::start();
    let joiner = Joiner::new(&keys_of(&served.invite("M01")), 1);
    let opened = served.opened(&joiner).await;
    commune::rotate(&served.place.data(), None, NOW).unwrap();
    served.running.reload().unwrap();
    for _ in 0..2 {
        let claimed = served.claim(&joiner, &opened).await;
        assert_eq!(claimed.status(), StatusCode::OK, "and once more");
    }
    let next = Joiner::new(&keys_of(&served.invite("M02")), 2);
    let before: TrustAnchors = cbor::from_bytes(&opened.anchors).unwrap();
    let after: TrustAnchors = cbor::from_bytes(&served.opened(&next).await.anchors).unwrap();
    assert_eq!(after.tls[0], before.tls[1], "the spare is in use");
    assert!(!before.tls.contains(&after.tls[1]));
    assert_eq!(after.organisation, before.organisation);
    served.running.shutdown();
}

#[test]
fn audit_what_the_former_signing_key_sealed_still_verifies() {
    let place = common::Place::new();
    let data = place.data();
    let checkpoint = || commune::checkpoint_audit(&data, NOW).unwrap().unwrap();
    let first = checkpoint();
    commune::rotate_signing_key(&data, None, NOW).unwrap();
    let second = checkpoint();
    assert_ne!(first.key, second.key);
    for kept in [&first, &second] {
        let verified = commune::verify_audit(&data, Some(kept)).unwrap().unwrap();
        assert_eq!(verified.checkpoints, 2);
    }
    // It is the folder that says whose seals count.
    std::fs::remove_file(data.join("former-organisation.pub")).unwrap();
    let found = commune::verify_audit(&data, None).unwrap();
    assert_eq!(found, Err(Tampering::Checkpoint { n: first.n }));
}
