//! Crashes with real processes, real files and a really full disk, briefly; `cargo crash` does the same at length.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use common::{Village, publish};
use sotay_client::{Handbook, HandbookError, KeyVault, VaultAnswer, VaultError};
use sotay_model::meetings::Choice;
use sotay_tests::crash::{OPEN_HERE, Plan, Report, run};
use sotay_tests::phone::{FileVault, Phone};

const PROGRAM: &str = env!("CARGO_BIN_EXE_crash");

/// A commune whose server is this program too.
fn village() -> Village {
    sotay_tests::server::use_program(PROGRAM);
    Village::new()
}

/// One part of `cargo crash`.
fn crashed(part: &'static str, cycles: u64) -> Report {
    sotay_tests::server::use_program(PROGRAM);
    let plan = Plan {
        parts: vec![part],
        cycles,
        ..Plan::default()
    };
    let report = run(&plan).unwrap();
    assert!(report.is_well(), "{report}");
    report
}

#[test]
fn promise_03_kill_9_of_phones_and_server_loses_nothing_and_doubles_nothing() {
    let report = crashed("kill", 60);
    assert_eq!(report.count("cycles"), 60);
    assert!(
        report.count("entries kept (the command returned)") > 60,
        "{report}"
    );
}

#[test]
fn promise_21_a_full_disk_is_a_typed_error_and_everything_goes_on_when_there_is_room() {
    let report = crashed("full", 0);
    if !report.disk_was_filled() {
        println!("not tried: no small file system can be mounted here");
        return;
    }
    for name in [
        "phone: commands without room",
        "phone: syncs without room",
        "phone: starts after a kill without room",
        "server: syncs without room",
    ] {
        assert!(report.count(name) > 0, "{name}: {report}");
    }
}

/// The files of this process that lie in a folder.
fn held_in(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
        .filter(|path| path.starts_with(folder))
        .collect()
}

/// Whether another process can open the handbook.
fn another_process_opens(phone: &Phone) -> bool {
    let opened = Command::new(PROGRAM)
        .arg(OPEN_HERE)
        .arg(phone.folder())
        .output()
        .unwrap();
    match String::from_utf8(opened.stdout).unwrap().trim() {
        "opened" => true,
        "in use by another process" => false,
        other => panic!("it said {other:?}"),
    }
}

#[test]
fn promise_22_after_pause_no_lock_and_no_file_is_held() {
    let village = village();
    let phone = village.phone("c1-01");
    let meeting = publish(&phone, "Sinh hoạt");
    let sync = phone.handbook().start_sync().unwrap();
    assert!(!held_in(phone.folder()).is_empty());
    assert!(!another_process_opens(&phone));
    for _ in 0..5 {
        phone.handbook().home().unwrap();
        phone.handbook().pause(2_000).unwrap();
        assert_eq!(held_in(phone.folder()), Vec::<PathBuf>::new());
        assert!(another_process_opens(&phone));
        assert!(matches!(
            phone.handbook().home(),
            Err(HandbookError::Paused)
        ));
        phone.handbook().resume().unwrap();
        let answer = phone.handbook().respond(meeting, Choice::WillAttend, 1);
        answer.unwrap();
    }
    sync.cancel().unwrap();
}

#[test]
fn promise_26_a_flipped_bit_in_any_page_is_found_or_harmless() {
    let report = crashed("flip", 0);
    for file in [
        "handbook.db",
        "handbook.db-wal",
        "journal",
        "key-check",
        "keys",
    ] {
        assert!(
            report.count(&format!("{file} bits flipped")) > 100,
            "{report}"
        );
    }
    assert!(report.count("rebuilt") > 100, "{report}");
    assert_eq!(report.count("undetected"), 0);
}

/// A vault that is locked, or that holds another key.
struct OtherVault(VaultAnswer);

impl KeyVault for OtherVault {
    fn root_key(&self) -> Result<VaultAnswer, VaultError> {
        Ok(self.0.clone())
    }

    fn store(&self, _: Vec<u8>) -> Result<(), VaultError> {
        Err(VaultError::Failed)
    }

    fn destroy(&self) -> Result<(), VaultError> {
        Err(VaultError::Failed)
    }
}

#[test]
fn promise_26_a_wrong_or_locked_key_is_never_taken_for_corruption() {
    let village = village();
    let secretary = village.phone("c1-01");
    let meeting = publish(&secretary, "Sinh hoạt");
    let phone = village.phone("c1-03");
    let answer = phone.handbook().respond(meeting, Choice::WillAttend, 1);
    answer.unwrap();
    phone.handbook().shutdown().unwrap();
    let folder = phone.folder().to_string_lossy().into_owned();
    let files = || {
        ["handbook.db", "journal", "key-check", "keys"]
            .map(|name| std::fs::read(phone.folder().join(name)).unwrap())
    };
    let before = files();
    let another = OtherVault(VaultAnswer::Key { root: vec![9; 32] });
    let cases = [
        (another, HandbookError::WrongKey),
        (OtherVault(VaultAnswer::LockedNow), HandbookError::KeyLocked),
        (
            OtherVault(VaultAnswer::Lost),
            HandbookError::KeyLost { unsent: 1 },
        ),
        (
            OtherVault(VaultAnswer::Empty),
            HandbookError::KeyLost { unsent: 1 },
        ),
    ];
    for (vault, expected) in cases {
        let vault: Arc<dyn KeyVault> = Arc::new(vault);
        for open in [Handbook::open, Handbook::rebuild] {
            let refused = open(folder.clone(), vault.clone()).unwrap_err();
            assert_eq!(refused, expected);
            assert!(files() == before, "{expected:?} changed a file");
        }
    }
    // The right key finds the answer where it was, and sends it.
    let key = Arc::new(FileVault(phone.folder().with_extension("key")));
    let handbook = Handbook::open(folder, key).unwrap();
    assert_eq!(handbook.outbox().unwrap().unsent.len(), 1);
    assert_eq!(handbook.sync().unwrap().accepted, 1);
}

#[test]
fn promise_26_whatever_page_is_broken_the_unsent_entries_come_back_and_the_rest_is_fetched() {
    let village = village();
    let secretary = village.phone("c1-01");
    let meeting = publish(&secretary, "Sinh hoạt");
    let phone = village.phone("c1-03");
    let answer = phone.handbook().respond(meeting, Choice::Undecided, 1);
    answer.unwrap();
    phone.handbook().shutdown().unwrap();
    let key = Arc::new(FileVault(phone.folder().with_extension("key")));
    let database = std::fs::read(phone.folder().join("handbook.db")).unwrap();
    let journal = std::fs::read(phone.folder().join("journal")).unwrap();
    let keys = std::fs::read(phone.folder().join("keys")).unwrap();
    let pages = database.len() / 4_096;
    for page in 0..pages {
        let broken = village.path().join(format!("broken-{page}"));
        std::fs::create_dir_all(&broken).unwrap();
        let mut bytes = database.clone();
        bytes[page * 4_096..(page + 1) * 4_096].fill(0x5a);
        std::fs::write(broken.join("handbook.db"), bytes).unwrap();
        std::fs::write(broken.join("journal"), &journal).unwrap();
        std::fs::write(broken.join("keys"), &keys).unwrap();
        let handbook =
            Handbook::rebuild(broken.to_string_lossy().into_owned(), key.clone()).unwrap();
        let unsent = handbook.outbox().unwrap().unsent;
        assert_eq!(unsent.len(), 1, "page {page}");
        handbook.sync().unwrap();
        let card = handbook.meeting(meeting).unwrap().card;
        assert_eq!(
            card.my_answer.unwrap().choice,
            Choice::Undecided,
            "page {page}"
        );
        assert!(handbook.outbox().unwrap().unsent.is_empty());
        handbook.shutdown().unwrap();
    }
}
