//! PIN, new keys, signing out and wiping, on phones of a real server.

#![allow(clippy::unwrap_used, reason = "of tests")]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{Commune, Phone, Vault, open};
use sotay_client::{Handbook, HandbookError, KeyVault, VaultAnswer};

fn opened_with(phone: &Phone, pin: &str) -> Result<Arc<Handbook>, HandbookError> {
    opened_in(&phone.folder, &phone.vault, pin)
}

fn opened_in(folder: &Path, vault: &Arc<Vault>, pin: &str) -> Result<Arc<Handbook>, HandbookError> {
    let vault: Arc<dyn KeyVault> = vault.clone();
    Handbook::open_with_pin(folder.to_string_lossy().into_owned(), vault, pin.into())
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn auth_2_a_locked_handbook_opens_with_its_pin_only_and_keeps_everything() {
    let commune = Commune::new();
    let phone = commune.phone("bt");
    let meeting = phone.notice("Trước khi khóa");
    assert_eq!(phone.handbook.has_pin(), Ok(false));
    phone.handbook.set_pin("246810".into()).unwrap();
    assert_eq!(phone.handbook.has_pin(), Ok(true));
    phone.handbook.shutdown().unwrap();
    // Whatever asks without it, as work in the background does, opens and changes nothing.
    let before = files(&phone.folder);
    for _ in 0..3 {
        assert_eq!(
            open(&phone.folder, &phone.vault).unwrap_err(),
            HandbookError::PinNeeded { tries_left: 10 }
        );
    }
    assert_eq!(
        opened_with(&phone, "24681").unwrap_err(),
        HandbookError::PinMalformed
    );
    assert!(files(&phone.folder) == before, "nothing was touched");
    assert_eq!(
        opened_with(&phone, "000000").unwrap_err(),
        HandbookError::PinWrong { tries_left: 9 }
    );
    let handbook = opened_with(&phone, "246810").unwrap();
    assert_eq!(
        handbook.meeting(meeting).unwrap().card.title,
        "Trước khi khóa"
    );
    assert_eq!(handbook.sync().unwrap().accepted, 1);
    handbook
        .change_pin("246810".into(), "135790".into())
        .unwrap();
    handbook.rotate_keys().unwrap();
    handbook.shutdown().unwrap();
    assert_eq!(
        opened_with(&phone, "246810").unwrap_err(),
        HandbookError::PinWrong { tries_left: 9 }
    );
    let handbook = opened_with(&phone, "135790").unwrap();
    handbook.remove_pin("135790".into()).unwrap();
    handbook.shutdown().unwrap();
    open(&phone.folder, &phone.vault).unwrap().home().unwrap();
}

#[test]
fn auth_2_ten_wrong_pins_delete_a_handbook_wherever_they_are_given() {
    let commune = Commune::new();
    let phone = commune.phone("bt");
    phone.notice("Sẽ mất");
    let handbook = &phone.handbook;
    handbook.set_pin("246810".into()).unwrap();
    assert_eq!(
        handbook.set_pin("111111".into()),
        Err(HandbookError::PinNeeded { tries_left: 10 })
    );
    // Three on the open handbook, three on the closed one, and the rest on the open one again.
    for left in [9, 8, 7] {
        assert_eq!(
            handbook.change_pin("000000".into(), "111111".into()),
            Err(HandbookError::PinWrong { tries_left: left })
        );
    }
    for left in [6, 5, 4] {
        assert_eq!(
            opened_with(&phone, "000000").unwrap_err(),
            HandbookError::PinWrong { tries_left: left }
        );
    }
    for left in [3, 2, 1] {
        assert_eq!(
            handbook.remove_pin("000000".into()),
            Err(HandbookError::PinWrong { tries_left: left })
        );
    }
    assert_eq!(
        handbook.remove_pin("000000".into()),
        Err(HandbookError::WipedAfterTries { unsent: 1 })
    );
    assert_eq!(phone.vault.root_key(), Ok(VaultAnswer::Empty));
    assert_eq!(files(&phone.folder), [("lock".to_owned(), Vec::new())]);
    let fresh = opened_with(&phone, "246810").unwrap();
    assert_eq!(fresh.joined(), Ok(None));
}

#[test]
fn auth_2_two_handbooks_on_one_phone_have_two_locks() {
    let commune = Commune::new();
    let (one, other) = (commune.phone("bt"), commune.phone("a"));
    one.handbook.set_pin("111111".into()).unwrap();
    other.handbook.set_pin("222222".into()).unwrap();
    one.handbook.shutdown().unwrap();
    other.handbook.shutdown().unwrap();
    for (phone, wrong) in [(&one, "222222"), (&other, "111111")] {
        let refused = opened_with(phone, wrong).unwrap_err();
        assert_eq!(refused, HandbookError::PinWrong { tries_left: 9 });
    }
    // Not even with the PIN of the one does the vault of the other open it.
    let refused = opened_in(&one.folder, &other.vault, "111111").unwrap_err();
    assert_eq!(refused, HandbookError::WrongKey);
    let (first, second) = (
        opened_with(&one, "111111").unwrap(),
        opened_with(&other, "222222").unwrap(),
    );
    assert_eq!(
        first.joined().unwrap().unwrap().member_name,
        "Đồng chí Mẫu 01"
    );
    assert_eq!(first.wipe(), Ok(0));
    assert_eq!(second.home().unwrap().member_name, "Đồng chí Mẫu 03");
    second.sync().unwrap();
}

#[test]
fn crypto_2_a_copy_of_the_files_does_not_open_with_the_new_root() {
    let commune = Commune::new();
    let phone = commune.phone("bt");
    let old = phone.vault.root_key().unwrap();
    let stolen = commune.folder.path().join("stolen");
    std::fs::create_dir(&stolen).unwrap();
    for (name, bytes) in files(&phone.folder) {
        std::fs::write(stolen.join(name), bytes).unwrap();
    }
    phone.handbook.rotate_keys().unwrap();
    assert_ne!(phone.vault.root_key().unwrap(), old);
    assert_eq!(
        open(&stolen, &phone.vault).unwrap_err(),
        HandbookError::WrongKey
    );
    phone.handbook.home().unwrap();
}

#[test]
fn crypto_2_a_handbook_from_before_the_keys_file_opens_and_gets_one() {
    let commune = Commune::new();
    let mut phone = commune.phone("bt");
    phone.notice("Từ bản cũ");
    // As it was made then: the root is the data key. A PIN would not be worth anything without a new root.
    common::make_older(&phone);
    phone.handbook = open(&phone.folder, &phone.vault).unwrap();
    assert_eq!(phone.handbook.home().unwrap().delivery.unsent, 1);
    assert!(phone.folder.join("keys").exists());
    let root = phone.vault.root_key().unwrap();
    phone.handbook.set_pin("246810".into()).unwrap();
    assert_ne!(phone.vault.root_key().unwrap(), root);
    phone.handbook.shutdown().unwrap();
    let handbook = opened_with(&phone, "246810").unwrap();
    assert_eq!(handbook.sync().unwrap().accepted, 1);
    handbook.shutdown().unwrap();
    // What is in the vault now is no data key.
    std::fs::remove_file(phone.folder.join("keys")).unwrap();
    assert_eq!(
        open(&phone.folder, &phone.vault).unwrap_err(),
        HandbookError::WrongKey
    );
}

#[test]
fn storage_1_signing_out_says_what_would_be_lost_and_does_nothing_until_then() {
    let mut commune = Commune::new();
    let phone = commune.phone("bt");
    commune.stop();
    phone.notice("Chưa gửi");
    let refused = phone.handbook.sign_out(false);
    assert_eq!(refused, Err(HandbookError::Unsent { count: 1 }));
    assert_eq!(phone.handbook.home().unwrap().delivery.unsent, 1);
    commune.start();
    assert_eq!(phone.handbook.sync().unwrap().accepted, 1);
    assert_eq!(phone.handbook.sign_out(false), Ok(0));
    assert_eq!(files(&phone.folder), [("lock".to_owned(), Vec::new())]);
    assert_eq!(phone.handbook.sign_out(true), Err(HandbookError::Cancelled));

    let other = commune.phone("pbt");
    commune.stop();
    other.notice("Cũng chưa gửi");
    assert_eq!(other.handbook.sign_out(true), Ok(1));
}

#[test]
fn storage_1_who_joins_afterwards_in_the_same_folder_sees_nothing_of_the_first() {
    let commune = Commune::new();
    let phone = commune.phone("bt");
    let meeting = phone.notice("Chỉ của người trước");
    phone.handbook.sync().unwrap();
    phone.handbook.sign_out(false).unwrap();
    let fresh = open(&phone.folder, &phone.vault).unwrap();
    commune.join(&fresh, "x");
    fresh.sync().unwrap();
    assert_eq!(
        fresh.joined().unwrap().unwrap().member_name,
        "Đồng chí Mẫu 05"
    );
    assert_eq!(fresh.meetings(None, 200).unwrap().count, 0);
    assert_eq!(fresh.meeting(meeting).unwrap_err(), HandbookError::NotHere);
    assert!(fresh.outbox().unwrap().unsent.is_empty());
}
