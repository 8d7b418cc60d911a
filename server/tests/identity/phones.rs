//! What members and officers do about phones, and what a revoked one is told.

use crate::common::NOW;
use crate::served::{Joiner, Served, empty_sync, problem};
use crate::{UNUSABLE, invitation_of, joiner};
use reqwest::{Method, StatusCode};
use ring::signature::Ed25519KeyPair;
use sotay_model::session::Revocation;
use sotay_model::wire::{
    EnrolmentState, NewInvitation, PhonesAnswer, PhonesRequest, Problem, ProblemCode,
};
use sotay_model::{Id, InstallationId, Rejection, cbor};
use sotay_server::commune;
use sotay_server::commune::OrganisationKeys;
use sotay_server::engine::MAX_TRIES;
use std::collections::BTreeSet;

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

#[test]
fn a_forged_revocation_holds_under_no_key_of_the_organisation() {
    let place = crate::common::Place::new();
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
