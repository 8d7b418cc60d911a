//! Opening, closing and losing: keys, damaged files, two processes, pauses.

#![allow(clippy::unwrap_used, reason = "of tests")]

mod common;

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use common::{Commune, Phone, Vault, open};
use sotay_client::{Handbook, HandbookError, KeyVault, VaultAnswer, erase_handbook};

fn phone() -> (tempfile::TempDir, Phone) {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::new(folder.path().join("phone"));
    (folder, phone)
}

fn text(folder: &Path) -> String {
    folder.to_string_lossy().into_owned()
}

/// A phone of a commune whose server is gone, with one notice waiting to be sent.
fn phone_with_a_waiting_notice() -> (Commune, Phone, sotay_model::MeetingKey) {
    let mut commune = Commune::new();
    let phone = commune.phone("bt");
    commune.stop();
    let meeting = phone.notice("Đang chờ gửi");
    (commune, phone, meeting)
}

#[test]
fn the_same_folder_is_the_same_handbook_in_one_process() {
    let (_folder, phone) = phone();
    let again = open(&phone.folder, &phone.vault).unwrap();
    assert!(Arc::ptr_eq(&phone.handbook, &again));
    phone.handbook.shutdown().unwrap();
    let fresh = open(&phone.folder, &phone.vault).unwrap();
    assert!(!Arc::ptr_eq(&phone.handbook, &fresh));
}

#[test]
fn another_holder_of_the_lock_means_in_use() {
    let (_folder, phone) = phone();
    phone.handbook.shutdown().unwrap();
    // A lock taken through another open file counts as another process's.
    let lock = OpenOptions::new()
        .write(true)
        .open(phone.folder.join("lock"))
        .unwrap();
    lock.lock().unwrap();
    assert_eq!(
        open(&phone.folder, &phone.vault).unwrap_err(),
        HandbookError::InUse
    );
    drop(lock);
    open(&phone.folder, &phone.vault).unwrap();
}

#[test]
fn a_wrong_key_is_never_taken_for_damage() {
    let (_folder, phone) = phone();
    phone.handbook.shutdown().unwrap();
    let other = Arc::new(Vault::default());
    other.store(vec![9; 32]).unwrap();
    assert_eq!(
        open(&phone.folder, &other).unwrap_err(),
        HandbookError::WrongKey
    );
    open(&phone.folder, &phone.vault).unwrap();
}

#[test]
fn a_locked_key_is_told_from_a_lost_one_which_says_what_is_lost() {
    let (_commune, phone, _) = phone_with_a_waiting_notice();
    phone.handbook.shutdown().unwrap();
    let key = phone.vault.root_key().unwrap();
    for (answer, error) in [
        (Some(VaultAnswer::LockedNow), HandbookError::KeyLocked),
        (
            Some(VaultAnswer::Lost),
            HandbookError::KeyLost { unsent: 1 },
        ),
        (None, HandbookError::KeyLost { unsent: 1 }),
        (
            Some(VaultAnswer::Key { root: vec![1] }),
            HandbookError::KeyFailed,
        ),
    ] {
        *phone.vault.0.lock().unwrap() = answer.clone();
        assert_eq!(
            open(&phone.folder, &phone.vault).unwrap_err(),
            error,
            "{answer:?}"
        );
    }
    *phone.vault.0.lock().unwrap() = Some(key);
    assert_eq!(
        open(&phone.folder, &phone.vault)
            .unwrap()
            .home()
            .unwrap()
            .delivery
            .unsent,
        1
    );
}

#[test]
fn a_handbook_whose_key_is_lost_can_be_erased_and_joined_again() {
    let (mut commune, phone, _) = phone_with_a_waiting_notice();
    phone.handbook.shutdown().unwrap();
    *phone.vault.0.lock().unwrap() = None;
    assert!(matches!(
        open(&phone.folder, &phone.vault),
        Err(HandbookError::KeyLost { unsent: 1 })
    ));
    let vault: Arc<dyn KeyVault> = phone.vault.clone();
    assert_eq!(erase_handbook(text(&phone.folder), vault), Ok(1));
    commune.start();
    let fresh = open(&phone.folder, &phone.vault).unwrap();
    commune.join(&fresh, "bt");
    fresh.sync().unwrap();
    assert_eq!(fresh.home().unwrap().delivery.unsent, 0);
}

#[test]
fn a_file_that_is_no_database_says_what_is_safe_and_loses_no_answer() {
    let (mut commune, phone, meeting) = phone_with_a_waiting_notice();
    phone.handbook.shutdown().unwrap();
    std::fs::write(
        phone.folder.join("handbook.db"),
        "xin chào, không phải cơ sở dữ liệu".repeat(500),
    )
    .unwrap();
    assert_eq!(
        open(&phone.folder, &phone.vault).unwrap_err(),
        HandbookError::DatabaseUnreadable { unsent: 1 }
    );

    let vault: Arc<dyn KeyVault> = phone.vault.clone();
    let rebuilt = Handbook::rebuild(text(&phone.folder), vault).unwrap();
    assert_eq!(
        rebuilt.joined().unwrap().unwrap().member_name,
        "Đồng chí Mẫu 01"
    );
    assert_eq!(rebuilt.outbox_numbers(), [1]);
    commune.start();
    assert_eq!(rebuilt.sync().unwrap().accepted, 1);
    assert_eq!(rebuilt.meeting(meeting).unwrap().card.title, "Đang chờ gửi");
    assert_eq!(
        commune
            .phone("a")
            .handbook
            .meeting(meeting)
            .unwrap()
            .card
            .title,
        "Đang chờ gửi"
    );
}

/// The numbers of what waits.
trait Outbox {
    fn outbox_numbers(&self) -> Vec<i64>;
}

impl Outbox for Handbook {
    fn outbox_numbers(&self) -> Vec<i64> {
        // Titles cannot be resolved while nothing is downloaded; the numbers are what counts.
        self.outbox()
            .unwrap()
            .unsent
            .iter()
            .map(|line| line.n)
            .collect()
    }
}

#[test]
fn a_lost_database_comes_back_from_journal_and_server_without_asking() {
    let (mut commune, phone, meeting) = phone_with_a_waiting_notice();
    phone.handbook.shutdown().unwrap();
    std::fs::remove_file(phone.folder.join("handbook.db")).unwrap();
    let again = open(&phone.folder, &phone.vault).unwrap();
    assert_eq!(again.outbox_numbers(), [1]);
    commune.start();
    assert_eq!(again.sync().unwrap().accepted, 1);
    assert_eq!(again.meeting(meeting).unwrap().card.title, "Đang chờ gửi");
}

#[test]
fn a_flipped_byte_in_the_database_is_found_or_harmless() {
    let (_commune, phone, _) = phone_with_a_waiting_notice();
    phone.handbook.shutdown().unwrap();
    let database = phone.folder.join("handbook.db");
    let whole = std::fs::read(&database).unwrap();
    for place in (0..whole.len()).step_by(whole.len() / 23) {
        let mut file = OpenOptions::new().write(true).open(&database).unwrap();
        file.seek(SeekFrom::Start(place as u64)).unwrap();
        file.write_all(&[whole[place] ^ 1]).unwrap();
        drop(file);
        let said = open(&phone.folder, &phone.vault).and_then(|handbook| {
            let home = handbook.home();
            handbook.shutdown()?;
            home
        });
        match said {
            Ok(home) => assert_eq!(home.delivery.unsent, 1, "byte {place}"),
            Err(error) => assert_eq!(
                error,
                HandbookError::DatabaseUnreadable { unsent: 1 },
                "byte {place}"
            ),
        }
        for ending in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(phone.folder.join(format!("handbook.db{ending}")));
        }
        std::fs::write(&database, &whole).unwrap();
    }
}

#[test]
fn promise_22_after_a_pause_nothing_is_held_and_resuming_goes_on() {
    let (_commune, phone, meeting) = phone_with_a_waiting_notice();
    let handbook = &phone.handbook;
    handbook.pause(1_000).unwrap();
    assert_eq!(
        handbook.meeting(meeting).unwrap_err(),
        HandbookError::Paused
    );
    assert_eq!(handbook.sync().unwrap_err(), HandbookError::Paused);
    let lock = File::open(phone.folder.join("lock")).unwrap();
    lock.try_lock().unwrap();
    drop(lock);
    if cfg!(target_os = "linux") {
        let held: Vec<_> = std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
            .filter(|path| path.starts_with(&phone.folder))
            .collect();
        assert!(held.is_empty(), "{held:?}");
    }
    assert!(!phone.folder.join("handbook.db-wal").exists());
    handbook.resume().unwrap();
    assert_eq!(
        handbook.meeting(meeting).unwrap().card.title,
        "Đang chờ gửi"
    );
    assert_eq!(handbook.home().unwrap().delivery.unsent, 1);
}

#[test]
fn shutting_down_ends_the_waiting_call() {
    let (_commune, phone, _) = phone_with_a_waiting_notice();
    let waiting = phone.handbook.clone();
    let call = thread::spawn(move || waiting.next_changes());
    phone.handbook.shutdown().unwrap();
    assert_eq!(call.join().unwrap().unwrap_err(), HandbookError::Cancelled);
    assert_eq!(phone.handbook.home().unwrap_err(), HandbookError::Cancelled);
}

#[test]
fn wiping_destroys_the_key_and_every_file() {
    let (_commune, phone, _) = phone_with_a_waiting_notice();
    assert_eq!(phone.handbook.wipe(), Ok(1));
    assert_eq!(phone.vault.root_key(), Ok(VaultAnswer::Empty));
    let left: Vec<_> = std::fs::read_dir(&phone.folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["lock"]);
    let fresh = open(&phone.folder, &phone.vault).unwrap();
    assert_eq!(fresh.joined().unwrap(), None);
}

#[cfg(feature = "cipher")]
#[test]
fn nothing_a_person_wrote_stands_in_clear_in_any_file() {
    let (_commune, phone, _) = phone_with_a_waiting_notice();
    phone.handbook.home().unwrap();
    for entry in std::fs::read_dir(&phone.folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for word in ["Đang chờ gửi", "Nhà văn hóa", "Đồng chí Mẫu"] {
            let found = bytes
                .windows(word.len())
                .any(|window| window == word.as_bytes());
            assert!(!found, "{word} in {}", path.display());
        }
    }
}
