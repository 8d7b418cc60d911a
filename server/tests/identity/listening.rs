//! Who listens for wake-ups: how many may, for how long, and that a revoked phone does not go on listening.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use sotay_model::cbor;
use sotay_model::wire::{PhonesAnswer, PhonesRequest, PrivilegedAct, Problem, ProblemCode};
use sotay_server::commune;
use sotay_server::http::STREAMS_PER_PHONE;

use crate::acts::{approved, secretary_with_approval};
use crate::common::NOW;
use crate::served::{Phone, Served, empty_sync, problem};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);
/// In the tests that wait for a sign of life.
const OFTEN: Duration = Duration::from_millis(100);
/// In the others none comes.
const NEVER: Duration = Duration::from_secs(3_600);

async fn asks(served: &Served, phone: &Phone) -> Response {
    served.signed(phone, Method::GET, "/v1/wake", b"").await
}

/// A stream that has begun.
async fn listens(served: &Served, phone: &Phone) -> Response {
    let mut stream = asks(served, phone).await;
    assert_eq!(stream.status(), StatusCode::OK);
    assert_eq!(next(&mut stream).await.as_deref(), Some(&b"data: \n\n"[..]));
    stream
}

async fn next(stream: &mut Response) -> Option<Vec<u8>> {
    let chunk = tokio::time::timeout(PATIENCE, stream.chunk()).await;
    chunk.unwrap().unwrap().map(|chunk| chunk.to_vec())
}

/// Whether a stream goes on for a while without a word.
async fn is_quiet(stream: &mut Response) -> bool {
    tokio::time::timeout(OFTEN, stream.chunk()).await.is_err()
}

async fn is_told_of_its_revocation(served: &Served, phone: &Phone) -> bool {
    let response = asks(served, phone).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let told: Problem = cbor::from_bytes(&response.bytes().await.unwrap()).unwrap();
    told.code == ProblemCode::UnknownInstallation && told.revocation.is_some()
}

#[tokio::test]
async fn loss_an_officer_s_revocation_ends_the_phone_s_stream_at_once_and_nobody_else_s() {
    let served = Served::with(|config| config.limits.heartbeat = NEVER);
    let (secretary, approval) = secretary_with_approval(&served).await;
    let (lost, kept) = (served.join("M03", 3).await, served.join("M03", 4).await);
    let mut streams = [
        listens(&served, &lost).await,
        listens(&served, &kept).await,
        listens(&served, &secretary).await,
    ];
    let act = cbor::to_bytes(&PrivilegedAct::Revoke(lost.installation));
    let done = approved(&served, &secretary, &approval, act).await;
    assert_eq!(done, PhonesAnswer::Done);
    let [of_lost, of_kept, of_secretary] = &mut streams;
    assert_eq!(next(of_lost).await, None, "it ends");
    assert!(is_told_of_its_revocation(&served, &lost).await);
    assert!(is_quiet(of_kept).await && is_quiet(of_secretary).await);

    // A phone that leaves is no longer accepted either.
    let left = served.phones(&kept, &PhonesRequest::Leave).await;
    assert_eq!(left, PhonesAnswer::Done);
    assert_eq!(next(of_kept).await, None);
    assert!(is_quiet(of_secretary).await);
}

#[tokio::test]
async fn loss_a_revocation_on_the_command_line_ends_the_stream_with_the_next_sign_of_life() {
    let served = Served::with(|config| config.limits.heartbeat = OFTEN);
    let (lost, kept) = (served.join("M03", 3).await, served.join("M03", 4).await);
    let mut of_lost = listens(&served, &lost).await;
    let mut of_kept = listens(&served, &kept).await;
    assert_eq!(next(&mut of_lost).await.as_deref(), Some(&b": \n\n"[..]));
    let id = Some(lost.installation);
    assert_eq!(
        commune::revoke(&served.place.data(), "M03", id, NOW).unwrap(),
        1
    );
    // What was under way already may still come.
    while let Some(chunk) = next(&mut of_lost).await {
        assert_eq!(chunk, b": \n\n");
    }
    assert!(is_told_of_its_revocation(&served, &lost).await);
    for _ in 0..3 {
        assert_eq!(next(&mut of_kept).await.as_deref(), Some(&b": \n\n"[..]));
    }
}

#[tokio::test]
async fn server_a_phone_s_newest_stream_ends_its_oldest() {
    let served = Served::with(|config| config.limits.heartbeat = NEVER);
    let phone = served.join("M03", 3).await;
    let other = served.join("M05", 5).await;
    let mut of_other = listens(&served, &other).await;
    let mut streams = Vec::new();
    for _ in 0..=STREAMS_PER_PHONE {
        streams.push(listens(&served, &phone).await);
    }
    assert_eq!(next(&mut streams[0]).await, None);
    for stream in &mut streams[1..] {
        assert!(is_quiet(stream).await);
    }
    assert!(is_quiet(&mut of_other).await);
}

#[tokio::test]
async fn server_streams_take_their_share_of_the_connections_and_requests_find_the_rest() {
    let served = Served::with(|config| {
        config.limits.connections = 4;
        config.limits.streams = 2;
        config.limits.heartbeat = NEVER;
    });
    let phones = [
        served.join("M03", 3).await,
        served.join("M05", 5).await,
        served.join("M06", 6).await,
    ];
    let first = listens(&served, &phones[0]).await;
    let _second = listens(&served, &phones[1]).await;
    let refused = asks(&served, &phones[2]).await;
    assert_eq!(refused.headers()["retry-after"], "300");
    let busy = (StatusCode::SERVICE_UNAVAILABLE, ProblemCode::Busy);
    assert_eq!(problem(refused).await, busy);
    let body = cbor::to_bytes(&empty_sync());
    for phone in &phones {
        let synced = served.signed(phone, Method::POST, "/v1/sync", &body).await;
        assert_eq!(synced.status(), StatusCode::OK);
    }
    // The server notices in its own time that a phone has hung up.
    drop(first);
    let until = std::time::Instant::now() + PATIENCE;
    while asks(&served, &phones[2]).await.status() != StatusCode::OK {
        assert!(std::time::Instant::now() < until, "the place stays taken");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn server_a_stream_ends_when_it_is_old_and_the_phone_opens_another() {
    let served = Served::with(|config| {
        config.limits.heartbeat = NEVER;
        config.limits.stream_age = OFTEN;
    });
    let phone = served.join("M03", 3).await;
    for _ in 0..3 {
        let mut stream = listens(&served, &phone).await;
        assert_eq!(next(&mut stream).await, None);
    }
}
