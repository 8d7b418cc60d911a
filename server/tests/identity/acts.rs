//! Privileged acts: begun, approved under a fresh unlock, finished (SECURITY.md, AUTH-3).

use crate::common::NOW;
use crate::served::{Joiner, Phone, Served, problem};
use crate::{Hardware, invitation_of, joiner};
use reqwest::StatusCode;
use sotay_model::organisation::{Appoint, Role};
use sotay_model::session::act_bytes;
use sotay_model::wire::{EnrolmentState, PhonesAnswer, PhonesRequest, PrivilegedAct, ProblemCode};
use sotay_model::{Id, cbor};

pub(crate) async fn secretary_with_approval(served: &Served) -> (Phone, Hardware) {
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

/// Begins an act, approves it, and finishes it.
pub(crate) async fn approved(
    served: &Served,
    phone: &Phone,
    approval: &Hardware,
    act: Vec<u8>,
) -> PhonesAnswer {
    let nonce = challenge(served, phone, &act).await;
    let signature = approval.sign(&act_bytes(phone.installation, &act, &nonce));
    let finish = PhonesRequest::Finish(act, nonce, signature);
    served.phones(phone, &finish).await
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
            refused,
        ),
        (act.clone(), vec![0; 32], sign(&act, &[0; 32]), refused),
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
    let again = served.ask_phones(&secretary, &finish).await;
    assert_eq!(problem(again).await, refused, "an act is carried out once");
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
    let helper_s = grant(Role::EnrolmentHelper);
    let answer = approved(&served, &secretary, &approval, helper_s).await;
    assert_eq!(answer, PhonesAnswer::Done);

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
    let answer = approved(&served, &secretary, &approval, of("M01")).await;
    let PhonesAnswer::Export(text) = answer else {
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
