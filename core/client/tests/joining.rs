//! Joining, from the phone's side: the six digits, whoever stands in between, and a server that does not keep to the protocol.

#![allow(clippy::unwrap_used, clippy::panic, reason = "of tests")]

mod common;
mod scripted;

use std::sync::Arc;

use common::{Commune, Phone};
use minicbor::Encoder;
use ring::signature::{Ed25519KeyPair, KeyPair};
use scripted::{CLAIM, NONCE, OPEN, Scripted, claimed, keys_of, post, refusal};
use sotay_client::{HandbookError, ServerFault};
use sotay_model::device_key::PublicKey;
use sotay_model::enrolment::{Code, Invitation};
use sotay_model::exchange;
use sotay_model::wire::{
    ClaimEnrolment, EnrolmentClaimed, EnrolmentOpened, OpenEnrolment, PROTOCOL, ProblemCode,
};
use sotay_model::{Id, InstallationId, Timestamp, cbor};
use sotay_server::commune::{self, Confirmation};
use sotay_server::system_clock;

fn nothing_is_kept(phone: &Phone) {
    assert_eq!(phone.handbook.joining().unwrap(), None);
    assert_eq!(phone.handbook.joined().unwrap(), None);
    assert_eq!(
        phone.handbook.finish_joining(),
        Err(HandbookError::NotEnrolled)
    );
}

#[test]
fn auth_4_the_digits_survive_the_app_and_until_they_are_confirmed_the_phone_is_nobody_s() {
    let commune = Commune::new();
    let mut phone = Phone::new(commune.folder.path().join("new"));
    let joining = phone
        .handbook
        .join(commune.invitation("a"), "Máy thử".into())
        .unwrap();
    assert_eq!(joining.digits.len(), 6);
    assert_eq!(joining.host, commune.address.to_string());
    let waiting = commune::waiting(&commune.data(), system_clock()).unwrap();
    assert_eq!(waiting[0].digits.text(), joining.digits, "on both screens");

    phone.restart();
    assert_eq!(phone.handbook.joining().unwrap(), Some(joining.clone()));
    assert_eq!(phone.handbook.finish_joining(), Ok(None));
    assert_eq!(phone.handbook.joined().unwrap(), None);
    assert_eq!(phone.handbook.sync(), Err(HandbookError::NotEnrolled));
    assert_eq!(phone.handbook.home(), Err(HandbookError::NotEnrolled));
    assert_eq!(phone.handbook.phones(), Err(HandbookError::NotEnrolled));

    commune.confirm("a", &joining.digits);
    let joined = phone.handbook.finish_joining().unwrap();
    assert_eq!(joined.as_ref().unwrap().member_name, "Đồng chí Mẫu 03");
    assert_eq!(phone.handbook.joining().unwrap(), None);
    assert_eq!(phone.handbook.finish_joining().unwrap(), joined, "again");
    phone.handbook.sync().unwrap();
    phone.restart();
    assert_eq!(phone.handbook.joined().unwrap(), joined);
    phone.handbook.sync().unwrap();
}

#[test]
fn auth_4_a_claim_that_became_void_is_forgotten_and_another_invitation_works() {
    let commune = Commune::new();
    let phone = Phone::new(commune.folder.path().join("new"));
    let join = || {
        let invitation = commune.invitation("a");
        phone.handbook.join(invitation, "Máy thử".into()).unwrap()
    };
    let digits = join().digits;
    let wrong = format!("{:06}", (digits.parse::<u32>().unwrap() + 1) % 1_000_000);
    for left in (0..5).rev() {
        let data = commune.data();
        let answer = commune::confirm(&data, "a", &wrong, system_clock()).unwrap();
        assert_eq!(answer, Confirmation::WrongDigits { left });
    }
    assert_eq!(
        phone.handbook.finish_joining(),
        Err(HandbookError::InvitationUnusable)
    );
    nothing_is_kept(&phone);

    join();
    phone.handbook.stop_joining().unwrap();
    nothing_is_kept(&phone);

    let last = join();
    commune.confirm("a", &last.digits);
    assert!(phone.handbook.finish_joining().unwrap().is_some());
}

#[test]
fn auth_1_a_used_or_expired_invitation_is_as_unusable_as_one_that_never_was() {
    let commune = Commune::new();
    let first = Phone::new(commune.folder.path().join("first"));
    let used = commune.invitation("a");
    first.handbook.join(used.clone(), "Máy thử".into()).unwrap();
    let (host, data) = (commune.address.to_string(), commune.data());
    let yesterday = system_clock().plus_minutes(-24 * 60);
    let expired = commune::invite(&data, "b", Some(&host), 0, yesterday).unwrap();
    let unknown = Invitation::new(&host, Code::from_random(*b"unknown!")).unwrap();
    let second = Phone::new(commune.folder.path().join("second"));
    for invitation in [used, expired.text(), unknown.text()] {
        assert_eq!(
            second.handbook.join(invitation, "Máy thử".into()),
            Err(HandbookError::InvitationUnusable)
        );
        nothing_is_kept(&second);
    }
}

/// Eve knows the code and stands between phone and server. She claims the invitation for a key of her own, and hands the phone
/// anchors of her own. Both sides go through; only the digits tell.
#[test]
fn auth_4_whoever_swaps_keys_in_between_is_told_by_the_digits() {
    let commune = Commune::new();
    let text = commune.invitation("a");
    let code = Invitation::parse(&text).unwrap().code().clone();
    let (eve, keys) = (Arc::new(Scripted::start()), keys_of(&code));
    let pair = Ed25519KeyPair::from_seed_unchecked(&[0xee; 32]).unwrap();
    let device = PublicKey::ed25519(pair.public_key().as_ref());
    let (server, scripted) = (commune.address, Arc::clone(&eve));
    eve.answers(move |path, body| match path {
        OPEN => (200, cbor::to_bytes(&scripted.opened(&keys, body, &NONCE))),
        CLAIM => {
            let phone = exchange::phone_commitment(&keys.lookup, &device, None, &NONCE);
            let open = OpenEnrolment {
                protocol: PROTOCOL,
                lookup: keys.lookup.to_vec(),
                commitment: phone.to_vec(),
            };
            let (_, opened) = post(server, OPEN, &cbor::to_bytes(&open));
            let opened: EnrolmentOpened = cbor::from_bytes(&opened).unwrap();
            let theirs: ClaimEnrolment = cbor::from_bytes(body).unwrap();
            let bytes = exchange::claim_bytes(
                &phone,
                &opened.commitment,
                &opened.fresh,
                &theirs.device_name,
            );
            let claim = ClaimEnrolment {
                device: device.clone(),
                nonce: NONCE.to_vec(),
                fresh: opened.fresh,
                proof: exchange::claim_proof(&keys.claim, &bytes).to_vec(),
                signature: pair.sign(&bytes).as_ref().to_vec(),
                ..theirs
            };
            let (status, taken) = post(server, CLAIM, &cbor::to_bytes(&claim));
            let taken: EnrolmentClaimed = cbor::from_bytes(&taken).unwrap();
            let told = EnrolmentClaimed {
                nonce: NONCE.to_vec(),
                ..taken
            };
            (status, cbor::to_bytes(&told))
        }
        _ => refusal(404, ProblemCode::NoSuchRoute),
    });

    let phone = Phone::new(commune.folder.path().join("new"));
    let joining = phone
        .handbook
        .join(eve.invitation(&code), "Máy thử".into())
        .unwrap();
    let data = commune.data();
    let waiting = commune::waiting(&data, system_clock()).unwrap();
    assert_ne!(waiting[0].digits.text(), joining.digits);
    let answer = commune::confirm(&data, "a", &joining.digits, system_clock()).unwrap();
    assert!(matches!(answer, Confirmation::WrongDigits { .. }));
}

#[test]
fn auth_4_a_server_that_reveals_another_nonce_than_it_committed_to_is_refused() {
    let code = Code::from_random([3; 8]);
    let (server, keys) = (Arc::new(Scripted::start()), keys_of(&code));
    let scripted = Arc::clone(&server);
    server.answers(move |path, body| match path {
        OPEN => (200, cbor::to_bytes(&scripted.opened(&keys, body, &NONCE))),
        _ => (200, cbor::to_bytes(&claimed(&[0x5f; 32]))),
    });
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::new(folder.path().join("phone"));
    let joined = phone
        .handbook
        .join(server.invitation(&code), "Máy thử".into());
    assert_eq!(joined, Err(untrusted(&server)));
    nothing_is_kept(&phone);
}

fn untrusted(server: &Scripted) -> HandbookError {
    HandbookError::ServerUnexpected {
        address: server.address.to_string(),
        fault: ServerFault::Untrusted,
    }
}

/// A message as pairs of numbers and encoded values, in the order in which they are written.
fn written(fields: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encoder.map(fields.len() as u64).unwrap();
    for (number, value) in fields {
        encoder.u32(*number).unwrap();
        encoder.writer_mut().extend_from_slice(value);
    }
    encoder.into_writer()
}

fn bytes(value: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encoder.bytes(value).unwrap();
    encoder.into_writer()
}

/// How a field of byte strings is spoilt.
type Spoil = fn(&mut Vec<(u32, Vec<u8>)>, usize, &[Vec<u8>]);

const SPOILT: [(&str, Spoil); 6] = [
    ("missing", |fields, at, _| {
        fields.remove(at);
    }),
    ("empty", |fields, at, _| fields[at].1 = bytes(&[])),
    ("longer", |fields, at, values| {
        fields[at].1 = bytes(&[&values[at][..], &[0]].concat());
    }),
    ("a text", |fields, at, _| fields[at].1 = vec![0x61, b'x']),
    ("another", |fields, at, values| {
        let mut other = values[at].clone();
        *other.last_mut().unwrap() ^= 1;
        fields[at].1 = bytes(&other);
    }),
    ("doubled", |fields, at, values| {
        let mut other = values[at].clone();
        *other.last_mut().unwrap() ^= 1;
        fields.insert(at + 1, (fields[at].0, bytes(&other)));
    }),
];

#[test]
fn auth_4_each_field_of_what_a_server_hands_over_is_needed_once_whole_and_for_this_invitation() {
    let code = Code::from_random([3; 8]);
    let server = Arc::new(Scripted::start());
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::new(folder.path().join("phone"));
    let join = || {
        let invitation = server.invitation(&code);
        phone.handbook.join(invitation, "Máy thử".into())
    };
    let opened = |spoil: Spoil, at: usize| {
        let (scripted, keys) = (Arc::clone(&server), keys_of(&code));
        server.answers(move |path, body| {
            assert_eq!(path, OPEN, "nothing is claimed of such a server");
            let good = scripted.opened(&keys, body, &NONCE);
            let values = [good.anchors, good.mac, good.fresh, good.commitment];
            let mut fields: Vec<_> = (0..).zip(values.iter().map(|value| bytes(value))).collect();
            spoil(&mut fields, at, &values);
            (200, written(&fields))
        });
    };
    for (how, spoil) in SPOILT {
        for at in 0..4 {
            opened(spoil, at);
            let error = join().unwrap_err();
            let unexpected = matches!(&error, HandbookError::ServerUnexpected { fault, .. }
                if matches!(fault, ServerFault::Untrusted | ServerFault::Unreadable));
            assert!(unexpected, "field {at} {how}: {error:?}");
            nothing_is_kept(&phone);
        }
    }
    // Of another invitation: whole, and under the wrong key.
    let (scripted, keys) = (Arc::clone(&server), keys_of(&Code::from_random([4; 8])));
    server.answers(move |_, body| (200, cbor::to_bytes(&scripted.opened(&keys, body, &NONCE))));
    assert_eq!(join(), Err(untrusted(&server)));
    nothing_is_kept(&phone);
}

#[test]
fn auth_4_each_field_of_the_answer_to_a_claim_is_needed() {
    let code = Code::from_random([3; 8]);
    let server = Arc::new(Scripted::start());
    let folder = tempfile::tempdir().unwrap();
    let good = claimed(&NONCE);
    let fields = [
        bytes(good.installation.0.as_bytes()),
        bytes(&NONCE),
        cbor::to_bytes(&good.now),
        cbor::to_bytes(&good.until),
    ];
    let whole: Vec<_> = (0..).zip(fields).collect();
    let answer = |fields: Vec<(u32, Vec<u8>)>| {
        let (scripted, keys) = (Arc::clone(&server), keys_of(&code));
        server.answers(move |path, body| match path {
            OPEN => (200, cbor::to_bytes(&scripted.opened(&keys, body, &NONCE))),
            _ => (200, written(&fields)),
        });
    };
    let wrong: [fn(&mut Vec<u8>); 3] = [
        |value| *value = bytes(&[]),
        |value| *value = bytes(&[0x5e; 33]),
        |value| *value = vec![0x61, b'x'],
    ];
    for at in 0..whole.len() {
        let mut spoilt = vec![whole.clone()];
        spoilt[0].remove(at);
        for wrong in wrong {
            let mut fields = whole.clone();
            wrong(&mut fields[at].1);
            spoilt.push(fields);
        }
        for (number, fields) in spoilt.into_iter().enumerate() {
            let phone = Phone::new(folder.path().join(format!("{at}-{number}")));
            answer(fields);
            let joined = phone
                .handbook
                .join(server.invitation(&code), "Máy thử".into());
            let error = joined.unwrap_err();
            let unexpected = matches!(&error, HandbookError::ServerUnexpected { .. });
            assert!(unexpected, "field {at}, {number}: {error:?}");
            nothing_is_kept(&phone);
        }
    }
    let phone = Phone::new(folder.path().join("whole"));
    answer(whole);
    let joined = phone
        .handbook
        .join(server.invitation(&code), "Máy thử".into());
    assert!(joined.is_ok(), "{joined:?}");
}

mod revoking {
    use std::time::{Duration, Instant};

    use super::*;
    use sotay_model::session::Revocation;
    use sotay_model::wire::Problem;

    fn revocation(by: &Ed25519KeyPair, of: InstallationId) -> Revocation {
        let at = Timestamp(1_790_000_000_000);
        let signature = by.sign(&Revocation::signed_bytes(of, at)).as_ref().to_vec();
        Revocation {
            installation: of,
            at,
            signature,
        }
    }

    #[test]
    fn loss_only_the_organisation_s_word_for_this_very_phone_wipes_it() {
        let folder = tempfile::tempdir().unwrap();
        let phone = Phone::new(folder.path().join("phone"));
        let server = Arc::new(Scripted::start());
        server.member(&phone.handbook);
        let this = claimed(&NONCE).installation;
        let other = InstallationId(Id::from_bytes([5; 16]));
        let stranger = Ed25519KeyPair::from_seed_unchecked(&[0x0b; 32]).unwrap();
        let moved = Revocation {
            installation: this,
            ..revocation(&server.organisation, other)
        };
        let unknown = |revocation| Problem {
            revocation,
            ..ProblemCode::UnknownInstallation.into()
        };
        let tell = |status, problem: Problem| {
            let body = cbor::to_bytes(&problem);
            server.answers(move |_, _| (status, body.clone()));
        };
        for problem in [
            unknown(None),
            unknown(Some(revocation(&stranger, this))),
            unknown(Some(revocation(&server.organisation, other))),
            unknown(Some(moved)),
            ProblemCode::BadSignature.into(),
            ProblemCode::StaleNonce.into(),
            ProblemCode::UnknownSession.into(),
            // Under another code it says nothing.
            Problem {
                revocation: Some(revocation(&server.organisation, this)),
                ..ProblemCode::Busy.into()
            },
        ] {
            tell(401, problem.clone());
            phone.handbook.sync().unwrap_err();
            phone.handbook.phones().unwrap_err();
            assert!(phone.handbook.joined().unwrap().is_some(), "{problem:?}");
            assert!(phone.handbook.home().is_ok(), "{problem:?}");
            assert!(phone.vault.0.lock().unwrap().is_some(), "{problem:?}");
        }
        let (meant, word) = (
            revocation(&server.organisation, this),
            HandbookError::Revoked,
        );
        tell(401, unknown(Some(meant)));
        assert_eq!(phone.handbook.sync(), Err(word.clone()));
        assert_eq!(phone.handbook.joined(), Err(word.clone()));
        assert_eq!(phone.handbook.home(), Err(word.clone()));
        assert_eq!(phone.handbook.sync(), Err(word));
        assert!(phone.vault.0.lock().unwrap().is_none(), "the key is gone");
        assert!(!phone.folder.join("handbook.db").exists());
    }

    #[test]
    fn loss_a_phone_that_only_listens_is_wiped_soon_after_it_is_revoked_on_the_command_line() {
        let commune = Commune::limited(|limits| limits.heartbeat = Duration::from_millis(100));
        let phone = commune.phone("bt");
        let _run = phone.handbook.start_sync().unwrap();
        common::wait_until_it_hears(&phone.handbook);
        // Nothing is entered, nothing changes, and it would not ask by itself for a quarter of an hour.
        let revoked = commune::revoke(&commune.data(), "bt", None, system_clock());
        assert_eq!(revoked.unwrap(), 1);
        while phone.handbook.next_changes().is_ok() {}
        assert_eq!(phone.handbook.next_changes(), Err(HandbookError::Revoked));
        assert_eq!(opened_after_the_wipe(&phone).joined(), Ok(None));
        assert_eq!(phone.handbook.home(), Err(HandbookError::Revoked));
    }

    /// The last thing that a wipe does is to give the folder back.
    fn opened_after_the_wipe(phone: &Phone) -> Arc<sotay_client::Handbook> {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            match common::open(&phone.folder, &phone.vault) {
                Err(HandbookError::InUse) if Instant::now() < until => std::thread::yield_now(),
                opened => return opened.unwrap(),
            }
        }
    }

    #[test]
    fn loss_a_phone_that_is_revoked_while_it_syncs_by_itself_is_wiped_with_what_waited() {
        let commune = Commune::new();
        let phone = commune.phone("bt");
        phone.notice("Chưa gửi");
        let data = commune.data();
        assert_eq!(
            commune::revoke(&data, "bt", None, system_clock()).unwrap(),
            1
        );
        let run = phone.handbook.start_sync().unwrap();
        // Ends when the run has wiped what is watched.
        while phone.handbook.next_changes().is_ok() {}
        assert_eq!(phone.handbook.next_changes(), Err(HandbookError::Revoked));
        run.cancel().unwrap();
        let empty = opened_after_the_wipe(&phone);
        assert_eq!(phone.handbook.outbox(), Err(HandbookError::Revoked));
        assert_eq!(empty.joined(), Ok(None));
        commune.join(&empty, "bt");
        empty.sync().unwrap();
        assert_eq!(empty.meetings(None, 10).unwrap().count, 0);
    }
}
