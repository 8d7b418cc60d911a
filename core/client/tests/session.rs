//! Sessions, and the hardware that certifies them: asked once a day, and never more than it must be.

#![allow(clippy::unwrap_used, clippy::panic, reason = "of tests")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use common::{Commune, Vault, form};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use sotay_client::phones::{ActDone, Confirmation};
use sotay_client::{DeviceSigner, Handbook, HandbookError, KeyVault, SignerError};
use sotay_model::Timestamp;
use sotay_model::rejection::Rejection;
use sotay_server::{Server, ServerConfig, system_clock};

/// Secure hardware: two keys that it never shows, a lock, and a counter.
struct Hardware {
    device: EcdsaKeyPair,
    approval: EcdsaKeyPair,
    locked: AtomicBool,
    signed: AtomicU32,
}

fn pair() -> EcdsaKeyPair {
    let (algorithm, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap()
}

impl Hardware {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            device: pair(),
            approval: pair(),
            locked: AtomicBool::new(false),
            signed: AtomicU32::new(0),
        })
    }

    fn signed(&self) -> u32 {
        self.signed.load(Ordering::Relaxed)
    }

    fn lock(&self, locked: bool) {
        self.locked.store(locked, Ordering::Relaxed);
    }

    /// After a fresh unlock.
    fn approve(&self, challenge: &[u8]) -> Vec<u8> {
        let signature = self.approval.sign(&SystemRandom::new(), challenge);
        signature.unwrap().as_ref().to_vec()
    }
}

impl DeviceSigner for Hardware {
    fn device_key(&self) -> Result<Vec<u8>, SignerError> {
        Ok(self.device.public_key().as_ref().to_vec())
    }

    fn sign(&self, message: Vec<u8>) -> Result<Vec<u8>, SignerError> {
        if self.locked.load(Ordering::Relaxed) {
            return Err(SignerError::LockedNow);
        }
        self.signed.fetch_add(1, Ordering::Relaxed);
        let signature = self.device.sign(&SystemRandom::new(), &message);
        Ok(signature.unwrap().as_ref().to_vec())
    }

    fn approval_key(&self) -> Result<Option<Vec<u8>>, SignerError> {
        Ok(Some(self.approval.public_key().as_ref().to_vec()))
    }
}

struct Secured {
    folder: String,
    vault: Arc<Vault>,
    hardware: Arc<Hardware>,
    handbook: Arc<Handbook>,
}

impl Secured {
    fn joined(commune: &Commune, member: &str) -> Self {
        let folder = commune.folder.path().join(format!("secured-{member}"));
        let folder = folder.to_string_lossy().into_owned();
        let (vault, hardware) = (Arc::new(Vault::default()), Hardware::new());
        let handbook = open(&folder, &vault, &hardware);
        commune.join(&handbook, member);
        handbook.sync().unwrap();
        Self {
            folder,
            vault,
            hardware,
            handbook,
        }
    }

    fn restart(&mut self) {
        self.handbook.shutdown().unwrap();
        self.handbook = open(&self.folder, &self.vault, &self.hardware);
    }
}

fn open(folder: &str, vault: &Arc<Vault>, hardware: &Arc<Hardware>) -> Arc<Handbook> {
    let (vault, signer) = (Arc::clone(vault), Arc::clone(hardware));
    let signer = signer as Arc<dyn DeviceSigner>;
    Handbook::open_with_signer(folder.to_owned(), vault as Arc<dyn KeyVault>, signer, None).unwrap()
}

#[test]
fn auth_1_the_hardware_signs_the_claim_and_one_session_a_day_also_over_new_starts() {
    let mut commune = Commune::new();
    let mut phone = Secured::joined(&commune, "bt");
    assert_eq!(phone.hardware.signed(), 2, "the claim, and a session");
    for _ in 0..3 {
        phone.restart();
        phone.handbook.sync().unwrap();
    }
    assert_eq!(phone.hardware.signed(), 2, "the app was started again");
    commune.stop();
    commune.start();
    phone.handbook.sync().unwrap();
    phone.restart();
    phone.handbook.sync().unwrap();
    assert_eq!(phone.hardware.signed(), 2, "and the server, which forgot");
}

#[test]
fn auth_1_after_a_day_of_the_server_s_a_locked_phone_waits_and_loses_nothing() {
    static LATER: AtomicI64 = AtomicI64::new(0);
    fn clock() -> Timestamp {
        Timestamp(system_clock().0 + LATER.load(Ordering::Relaxed))
    }
    let mut commune = Commune::new();
    commune.stop();
    let running = Server::start(ServerConfig {
        clock,
        ..ServerConfig::new(commune.data(), commune.address)
    })
    .unwrap();
    let phone = Secured::joined(&commune, "bt");
    phone
        .handbook
        .publish_notice(form("Trong ngày"), vec![])
        .unwrap();
    phone.handbook.sync().unwrap();
    assert_eq!(phone.hardware.signed(), 2);

    LATER.store(25 * 3_600_000, Ordering::Relaxed);
    phone.hardware.lock(true);
    phone
        .handbook
        .publish_notice(form("Hôm sau"), vec![])
        .unwrap();
    assert_eq!(phone.handbook.sync(), Err(HandbookError::KeyLocked));
    assert_eq!(phone.handbook.outbox().unwrap().unsent.len(), 1);
    phone.hardware.lock(false);
    assert_eq!(phone.handbook.sync().unwrap().accepted, 1);
    assert_eq!(phone.hardware.signed(), 3, "a new session");

    // Opened without the hardware, what is here is shown, and no session begins.
    LATER.store(50 * 3_600_000, Ordering::Relaxed);
    phone.handbook.shutdown().unwrap();
    let vault = Arc::clone(&phone.vault) as Arc<dyn KeyVault>;
    let without = Handbook::open(phone.folder.clone(), vault).unwrap();
    assert!(without.home().is_ok());
    assert_eq!(without.sync(), Err(HandbookError::KeyFailed));
    assert_eq!(phone.hardware.signed(), 3);
    running.shutdown();
}

#[test]
fn authz_an_office_that_ended_while_the_phone_was_offline_brings_its_entries_back_with_the_reason()
{
    fn clock() -> Timestamp {
        system_clock().plus_minutes(3 * 24 * 60)
    }
    let mut commune = Commune::deputy_until(system_clock().plus_minutes(24 * 60).date());
    let phone = commune.phone("pbt");
    commune.stop();
    // While it was the deputy's to enter.
    phone.notice("Từ khi còn là phó bí thư");
    let running = Server::start(ServerConfig {
        clock,
        ..ServerConfig::new(commune.data(), commune.address)
    })
    .unwrap();
    let report = phone.handbook.sync().unwrap();
    assert_eq!((report.accepted, report.refused), (0, 1));
    let outbox = phone.handbook.outbox().unwrap();
    assert!(outbox.unsent.is_empty());
    let [refused] = outbox.refused.as_slice() else {
        panic!("{outbox:?}")
    };
    assert!(
        matches!(refused.refusal, Some(Rejection::NotAllowed { .. })),
        "{:?}",
        refused.refusal
    );
    running.shutdown();
}

#[test]
fn auth_4_an_officer_invites_compares_and_confirms_from_the_phone() {
    let commune = Commune::new();
    let officer = commune.phone("bt");
    let member = sotay_server::Commune::open(&commune.data())
        .unwrap()
        .members["a"];
    let invitation = officer.handbook.invite(member, 7).unwrap();
    assert!(invitation.text.ends_with(&invitation.code));
    let phone = common::Phone::new(commune.folder.path().join("invited"));
    let joining = phone
        .handbook
        .join(invitation.text, "Máy của a".into())
        .unwrap();
    let waiting = officer.handbook.joining_phones().unwrap();
    let [line] = waiting.as_slice() else {
        panic!("{waiting:?}")
    };
    assert_eq!((&line.digits, line.member), (&joining.digits, member));
    assert_eq!(line.device_name, "Máy của a");
    let wrong = format!(
        "{:06}",
        (joining.digits.parse::<u32>().unwrap() + 1) % 1_000_000
    );
    let confirm = |digits: String| officer.handbook.confirm_phone(line.installation, digits);
    assert_eq!(confirm("12345".into()), Err(HandbookError::DigitsMalformed));
    assert_eq!(
        confirm(wrong),
        Ok(Confirmation::WrongDigits { tries_left: 4 })
    );
    assert_eq!(confirm(joining.digits), Ok(Confirmation::Confirmed));
    assert!(phone.handbook.finish_joining().unwrap().is_some());
    let own = phone.handbook.phones().unwrap();
    assert_eq!((own.len(), own[0].this, own[0].active), (1, true, true));
    phone
        .handbook
        .rename_phone(own[0].installation, "Tên mới".into())
        .unwrap();
    assert_eq!(phone.handbook.phones().unwrap()[0].name, "Tên mới");
    // Who holds no office invites nobody.
    assert!(matches!(
        phone.handbook.invite(member, 7),
        Err(HandbookError::Refused { .. })
    ));
}

#[test]
fn auth_4_without_a_network_nothing_about_phones_is_done_and_all_say_so() {
    let mut commune = Commune::new();
    let officer = commune.phone("bt");
    let member = officer.handbook.joined().unwrap().unwrap().member;
    let phone = officer.handbook.phones().unwrap()[0].installation;
    commune.stop();
    let offline = HandbookError::ServerUnreachable {
        address: commune.address.to_string(),
    };
    let handbook = &officer.handbook;
    assert_eq!(handbook.phones(), Err(offline.clone()));
    assert_eq!(handbook.invite(member, 7).unwrap_err(), offline);
    assert_eq!(handbook.joining_phones().unwrap_err(), offline);
    assert_eq!(handbook.refuse_phone(phone), Err(offline.clone()));
    assert_eq!(handbook.begin_revoking(phone).unwrap_err(), offline);
}

#[test]
fn auth_4_revoking_takes_the_key_of_a_fresh_unlock_and_wipes_the_other_phone() {
    let commune = Commune::limited(|limits| limits.heartbeat = Duration::from_secs(3_600));
    let officer = Secured::joined(&commune, "bt");
    let lost = commune.phone("a");
    let member = lost.handbook.joined().unwrap().unwrap().member;
    let phones = officer.handbook.phones_of(member).unwrap();
    let act = officer
        .handbook
        .begin_revoking(phones[0].installation)
        .unwrap();
    // The device key, which signs without an unlock, is not enough.
    let unattended = officer.hardware.sign(act.challenge()).unwrap();
    assert_eq!(act.finish(unattended), Err(HandbookError::NotApproved));
    let act = officer
        .handbook
        .begin_revoking(phones[0].installation)
        .unwrap();
    let approved = officer.hardware.approve(&act.challenge());
    assert_eq!(act.finish(approved.clone()), Ok(ActDone::Done));
    assert!(act.finish(approved).is_err(), "once");
    assert_eq!(lost.handbook.sync(), Err(HandbookError::Revoked));
    assert!(officer.handbook.phones_of(member).unwrap().is_empty());

    // A phone that listens learns it by itself, without waiting for a sign of life.
    let listening = commune.phone("b");
    let _run = listening.handbook.start_sync().unwrap();
    common::wait_until_it_hears(&listening.handbook);
    let member = listening.handbook.joined().unwrap().unwrap().member;
    let phones = officer.handbook.phones_of(member).unwrap();
    let act = officer.handbook.begin_revoking(phones[0].installation);
    let act = act.unwrap();
    let approved = officer.hardware.approve(&act.challenge());
    assert_eq!(act.finish(approved), Ok(ActDone::Done));
    while listening.handbook.next_changes().is_ok() {}
    let told = listening.handbook.next_changes();
    assert_eq!(told, Err(HandbookError::Revoked));

    // A phone without such a key begins none.
    let plain = commune.phone("pbt");
    let own = plain.handbook.phones().unwrap()[0].installation;
    let begun = plain.handbook.begin_revoking(own);
    assert_eq!(begun.unwrap_err(), HandbookError::NotApproved);
}
