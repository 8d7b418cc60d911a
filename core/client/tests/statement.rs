//! What the organisation states to its phones: other roots and keys, and how old an app may be. Over real TLS.

#![allow(clippy::unwrap_used, clippy::panic, reason = "of tests")]

mod common;
mod scripted;

use std::sync::Arc;

use common::{Commune, Phone};
use ring::signature::{Ed25519KeyPair, KeyPair};
use scripted::{NONCE, Scripted, claimed, refusal};
use sotay_client::documents::{AttachmentForm, DocumentForm, SectionForm};
use sotay_client::home::WaitingItem;
use sotay_client::phones::TaskForm;
use sotay_client::{Handbook, HandbookError, KeyVault, ServerFault};
use sotay_model::documents::{ConfidentialityLevel, DocumentKind};
use sotay_model::organisation::Role;
use sotay_model::session::Revocation;
use sotay_model::statement::{SignedStatement, Statement, Version};
use sotay_model::wire::{Problem, ProblemCode, SyncResponse, TrustAnchors};
use sotay_model::{Timestamp, cbor};
use sotay_server::commune;
use sotay_server::system_clock;

fn needed(minimum: &str) -> HandbookError {
    HandbookError::UpdateNeeded {
        minimum: minimum.into(),
    }
}

fn rotate(commune: &Commune) {
    commune::rotate(&commune.data(), None, system_clock()).unwrap();
    commune.reload();
}

fn untrusted(error: &HandbookError) -> bool {
    let fault = ServerFault::Untrusted;
    matches!(error, HandbookError::ServerUnexpected { fault: found, .. } if *found == fault)
}

#[test]
fn network_2_a_phone_that_was_online_between_two_rotations_goes_on_and_one_that_was_not_says_why() {
    let commune = Commune::new();
    let (mut online, mut offline) = (commune.phone("bt"), commune.phone("pbt"));
    offline.notice("Viết khi không có mạng");

    rotate(&commune);
    online.handbook.sync().unwrap();
    // Handed the new spare by the same running server.
    let mut late = Phone::new(commune.folder.path().join("late"));
    commune.join(&late.handbook, "a");
    rotate(&commune);
    // Connections are made anew.
    for phone in [&mut online, &mut late, &mut offline] {
        phone.restart();
    }
    online.notice("Sau hai lần thay");
    assert_eq!(online.handbook.sync().unwrap().accepted, 1);
    late.handbook.sync().unwrap();
    assert_eq!(late.handbook.meetings(None, 10).unwrap().count, 1);
    let error = offline.handbook.sync().unwrap_err();
    assert!(untrusted(&error), "{error:?}");
    assert_eq!(offline.handbook.outbox().unwrap().unsent.len(), 1);

    // The journal knows it too: a database that is lost takes no trust along.
    online.handbook.shutdown().unwrap();
    std::fs::write(online.folder.join("handbook.db"), [7; 8_192]).unwrap();
    let (folder, vault) = (
        online.folder.to_string_lossy().into_owned(),
        Arc::clone(&online.vault) as Arc<dyn KeyVault>,
    );
    let rebuilt = Handbook::rebuild(folder, vault).unwrap();
    rebuilt.sync().unwrap();
    assert_eq!(rebuilt.meetings(None, 10).unwrap().count, 1);
    rotate(&commune);
    rebuilt.sync().unwrap();
}

#[test]
fn loss_after_two_changes_of_the_signing_key_only_who_heard_of_them_obeys_a_revocation() {
    let commune = Commune::new();
    let (heard, missed) = (commune.phone("a"), commune.phone("b"));
    for _ in 0..2 {
        commune::rotate_signing_key(&commune.data(), None, system_clock()).unwrap();
        commune.reload();
        heard.handbook.sync().unwrap();
    }
    for member in ["a", "b"] {
        let revoked = commune::revoke(&commune.data(), member, None, system_clock());
        assert_eq!(revoked.unwrap(), 1);
    }
    assert_eq!(heard.handbook.sync(), Err(HandbookError::Revoked));
    assert!(heard.vault.0.lock().unwrap().is_none());
    // Nobody it knows has signed that: it says that it is not known, and keeps what it has.
    assert_eq!(missed.handbook.sync(), Err(HandbookError::PhoneNotKnown));
    assert!(missed.handbook.home().is_ok());
}

fn document(title: &str) -> DocumentForm {
    DocumentForm {
        title: title.into(),
        number: None,
        issuer: "Chi ủy mẫu".into(),
        kind: DocumentKind::Resolution,
        level: ConfidentialityLevel::Internal,
        issued_on: "2026-11-01".parse().unwrap(),
        for_meeting: None,
        sections: vec![SectionForm {
            number: "1".into(),
            heading: "Mục".into(),
            text: "Xem tệp đính kèm.".into(),
        }],
    }
}

fn attached(commune: &Commune) -> Vec<AttachmentForm> {
    let path = commune.folder.path().join("tệp");
    std::fs::write(&path, vec![7; 400_000]).unwrap();
    vec![AttachmentForm {
        name: "tệp.pdf".into(),
        media_type: "application/pdf".into(),
        path: path.to_string_lossy().into_owned(),
    }]
}

fn wants(commune: &Commune, minimum: &str) {
    let minimum = Version::parse(minimum).unwrap();
    commune::set_minimum_version(&commune.data(), minimum, system_clock()).unwrap();
    commune.reload();
}

/// Every file of a phone, with its size.
fn files(phone: &Phone) -> Vec<(std::ffi::OsString, u64)> {
    let mut found = Vec::new();
    let mut folders = vec![phone.folder.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => found.push((entry.path().into(), entry.metadata().unwrap().len())),
            }
        }
    }
    found.sort();
    found
}

#[test]
fn code_below_the_minimum_version_nothing_more_is_entered_and_all_else_goes_on() {
    let mut commune = Commune::new();
    let (mut secretary, member) = (commune.phone("bt"), commune.phone("a"));
    let own = env!("CARGO_PKG_VERSION");
    wants(&commune, own);
    secretary.handbook.sync().unwrap();
    let meeting = secretary.notice("Phiên bản này còn được");

    // Entered before the phone heard of it. The server wants the attachment first: the entry goes up after the statement came.
    secretary
        .handbook
        .publish_document_with_attachments(document("Có tệp"), attached(&commune))
        .unwrap();
    wants(&commune, "99.0.1");
    let report = secretary.handbook.sync().unwrap();
    assert_eq!((report.accepted, report.refused), (2, 0));
    assert!(report.round_trips > 1, "{report:?}");
    assert!(secretary.handbook.outbox().unwrap().unsent.is_empty());

    commune.stop();
    for restarted in [false, true] {
        if restarted {
            secretary.restart();
        }
        let handbook = &secretary.handbook;
        let before = files(&secretary);
        let (refused, form) = (Err(needed("99.0.1")), common::form("Không được nữa"));
        assert_eq!(handbook.publish_notice(form, vec![]), refused);
        assert_eq!(
            handbook.cancel_meeting(meeting, "Lý do".into()),
            Err(needed("99.0.1"))
        );
        assert_eq!(
            handbook.publish_document_with_attachments(document("x"), attached(&commune)),
            Err(needed("99.0.1"))
        );
        let task = TaskForm {
            member: handbook.joined().unwrap().unwrap().member,
            organisation: handbook.joined().unwrap().unwrap().cell,
            role: Role::Secretary,
            phone: None,
            from: system_clock().date(),
            until: None,
        };
        assert_eq!(
            handbook.begin_granting(task).unwrap_err(),
            needed("99.0.1"),
            "before the network is asked"
        );
        assert_eq!(files(&secretary), before, "nothing is written");
        assert!(handbook.outbox().unwrap().unsent.is_empty());
        // Everything can be read, and the first screen says it first.
        assert_eq!(handbook.meetings(None, 10).unwrap().count, 1);
        let minimum = "99.0.1".to_owned();
        assert_eq!(
            handbook.home().unwrap().waiting[0],
            WaitingItem::UpdateNeeded { minimum }
        );
    }

    // What is new still comes, also to who joins now.
    commune.start();
    let other = commune.phone("pbt");
    assert!(secretary.handbook.sync().is_ok());
    member.handbook.sync().unwrap();
    for phone in [&other, &member] {
        let home = phone.handbook.home().unwrap();
        assert_eq!(home.new_documents.len(), 1);
        assert!(home.next_meeting.is_some());
    }

    // Lowered again, all may enter again.
    wants(&commune, "0.0.0");
    secretary.handbook.sync().unwrap();
    secretary.notice("Lại được");
    assert_eq!(secretary.handbook.sync().unwrap().accepted, 1);
}

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn key(seed: u8) -> minicbor::bytes::ByteVec {
    pair(seed).public_key().as_ref().to_vec().into()
}

fn nothing_new() -> Vec<u8> {
    cbor::to_bytes(&SyncResponse {
        incarnation: 7,
        now: system_clock(),
        receipts: Vec::new(),
        bodies: Vec::new(),
        pages: Vec::new(),
        gained: Vec::new(),
        revoked: Vec::new(),
        more: false,
        backed_up_through: 0,
        high_water: 0,
        settled_through: 0,
    })
}

#[test]
fn network_2_a_forged_old_cut_or_foreign_statement_changes_nothing_and_stops_no_sync() {
    let folder = tempfile::tempdir().unwrap();
    let mut phone = Phone::new(folder.path().join("phone"));
    let server = Arc::new(Scripted::start());
    server.member(&phone.handbook);
    server.answers(|_, _| (200, nothing_new()));
    let statement = |serial: u64, keys: [u8; 2], minimum: &str| Statement {
        serial,
        anchors: TrustAnchors {
            tls: server.anchors.tls.clone(),
            organisation: keys.map(key).to_vec(),
        },
        minimum: Version::parse(minimum).unwrap(),
    };
    let signed = |statement: &Statement, by: u8| {
        let statement = cbor::to_bytes(statement);
        let signature = pair(by).sign(&SignedStatement::signed_bytes(&statement));
        SignedStatement {
            statement,
            signature: signature.as_ref().to_vec(),
        }
        .header()
    };
    // What the phone says that it has, after a sync with such an answer and one more.
    let after = |phone: &Phone, header: String| {
        server.stated.lock().unwrap().1 = Some(header);
        phone.handbook.sync().unwrap();
        server.stated.lock().unwrap().1 = None;
        phone.handbook.sync().unwrap();
        server.stated.lock().unwrap().0.clone()
    };
    let wanted = |phone: &Phone| {
        let items = phone.handbook.home().unwrap().waiting;
        items
            .iter()
            .any(|item| matches!(item, WaitingItem::UpdateNeeded { .. }))
    };

    // 0x0a is the key that was handed over at joining.
    let first = signed(&statement(10, [0x0b, 0x0c], "99.0.0"), 0x0a);
    let unusable = Statement {
        anchors: TrustAnchors {
            tls: vec![vec![0x30; 40].into()],
            organisation: vec![key(0x0b)],
        },
        ..statement(10, [0x0b, 0x0c], "99.0.0")
    };
    for bad in [
        signed(&statement(10, [0x0b, 0x0c], "99.0.0"), 0x0b),
        first[..first.len() - 4].to_owned(),
        format!("{first}AAAA"),
        "A".repeat(20_000),
        "!".into(),
        signed(&unusable, 0x0a),
        signed(&statement(0, [0x0b, 0x0c], "99.0.0"), 0x0a),
    ] {
        assert_eq!(after(&phone, bad), "0");
        assert!(!wanted(&phone));
    }

    assert_eq!(after(&phone, first.clone()), "10");
    phone.restart();
    assert!(wanted(&phone));
    for bad in [
        first,
        signed(&statement(9, [0x0b, 0x0c], "0.0.0"), 0x0b),
        // The key from before is one no longer.
        signed(&statement(11, [0x0a, 0x0b], "0.0.0"), 0x0a),
    ] {
        assert_eq!(after(&phone, bad), "10");
        assert!(wanted(&phone));
    }
    // By the spare.
    let second = signed(&statement(11, [0x0c, 0x0d], "0.0.0"), 0x0c);
    assert_eq!(after(&phone, second), "11");
    phone.restart();
    assert!(!wanted(&phone));

    // A revocation is checked against the new keys, too.
    let this = claimed(&NONCE).installation;
    let revoked = move |by: u8| {
        let at = Timestamp(1_790_000_000_000);
        let signature = pair(by).sign(&Revocation::signed_bytes(this, at));
        Problem {
            revocation: Some(Revocation {
                installation: this,
                at,
                signature: signature.as_ref().to_vec(),
            }),
            ..ProblemCode::UnknownInstallation.into()
        }
    };
    for (by, answer) in [
        (0x0a, HandbookError::PhoneNotKnown),
        (0x0d, HandbookError::Revoked),
    ] {
        server.answers(move |_, _| refusal(401, revoked(by)));
        assert_eq!(phone.handbook.sync(), Err(answer));
    }
    assert!(phone.vault.0.lock().unwrap().is_none(), "the key is gone");
}
