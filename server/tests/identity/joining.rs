//! From an invitation to six digits that an officer compared (SECURITY.md, AUTH-4).

use crate::common::{MEMBERS, NOW};
use crate::served::{Joiner, Served, empty_sync, keys_of, problem};
use crate::{BAD, UNUSABLE, joiner};
use reqwest::{Method, StatusCode};
use sotay_model::device_key::PublicKey;
use sotay_model::enrolment::EnrolmentKeys;
use sotay_model::exchange::SixDigits;
use sotay_model::wire::{
    ClaimEnrolment, EnrolmentClaimed, EnrolmentOpened, EnrolmentState, OpenEnrolment,
    PhonesRequest, Problem, ProblemCode,
};
use sotay_model::{Timestamp, cbor, exchange};
use sotay_server::commune;
use sotay_server::commune::{CommuneError, Confirmation};
use sotay_server::engine::MAX_PHONES;
use sotay_server::engine::MAX_TRIES;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};

const CLAIM: &str = "/v1/enrolment/claim";

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

    let expelled = joiner(&served, "M04", 9);
    let opened = served.opened(&expelled).await;
    served.place.import_with("CB1,Dự bị", "CB1,Khai trừ");
    answers.push(served.claim(&expelled, &opened).await);
    answers.push(served.open(&expelled).await);

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
async fn auth_4_whose_membership_has_ended_joins_with_nothing_that_was_given_before() {
    let served = Served::start();
    let data = served.place.data();
    let (waits, digits) = served.claimed(joiner(&served, "M04", 5)).await;
    let half_way = joiner(&served, "M04", 6);
    let opened = served.opened(&half_way).await;
    let not_begun = joiner(&served, "M04", 7);
    let open = |data| commune::open_invitations(data, NOW).unwrap().len();
    assert_eq!(open(&data), 2);
    assert_eq!(served.state(&waits).await, EnrolmentState::Waiting);

    let list = MEMBERS.replace("CB1,Dự bị", "CB1,Khai trừ");
    let list = commune::read_csv(list.as_bytes()).unwrap();
    let imported = commune::import(&data, &list, NOW).unwrap();
    assert_eq!((imported.changed, imported.closed), (1, 2));
    assert_eq!(open(&data), 0);

    // Also where nobody had closed them, the rules refuse.
    rusqlite::Connection::open(data.join(commune::DATABASE))
        .unwrap()
        .execute("UPDATE invitation SET tries_left = 5", [])
        .unwrap();
    assert_eq!(open(&data), 2);
    assert_eq!(problem(served.open(&not_begun).await).await, UNUSABLE);
    assert_eq!(
        problem(served.claim(&half_way, &opened).await).await,
        UNUSABLE
    );
    let state = served.signed(&waits, Method::POST, "/v1/enrolment/state", &[]);
    assert_eq!(problem(state.await).await, UNUSABLE);
    let refused = [
        commune::confirm(&data, "M04", &digits.text(), NOW).map(drop),
        commune::invite(&data, "M04", None, 14, NOW).map(drop),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(CommuneError::MayNotJoin { code }) if code == "M04"));
    }
    assert_eq!(open(&data), 2);

    // Who is taken back goes on where it stopped.
    let list = commune::read_csv(MEMBERS.as_bytes()).unwrap();
    commune::import(&data, &list, NOW).unwrap();
    let confirmed = commune::confirm(&data, "M04", &digits.text(), NOW).unwrap();
    assert_eq!(confirmed, Confirmation::Confirmed);
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
