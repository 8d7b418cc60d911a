//! A revocation, from the thread that hears of it.

use std::sync::Mutex;

use super::*;
use crate::store::locked;
use crate::vault::{VaultAnswer, VaultError};
use crate::watch::Query;

/// A vault in memory.
#[derive(Default)]
struct Vault(Mutex<Option<Vec<u8>>>);

impl KeyVault for Vault {
    fn root_key(&self) -> Result<VaultAnswer, VaultError> {
        Ok(match locked(&self.0).clone() {
            Some(root) => VaultAnswer::Key { root },
            None => VaultAnswer::Empty,
        })
    }

    fn store(&self, root: Vec<u8>) -> Result<(), VaultError> {
        *locked(&self.0) = Some(root);
        Ok(())
    }

    fn destroy(&self) -> Result<(), VaultError> {
        *locked(&self.0) = None;
        Ok(())
    }
}

fn names(folder: &std::path::Path) -> Vec<std::ffi::OsString> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name()).collect()
}

#[test]
fn storage_1_after_a_revocation_nothing_is_left_and_every_call_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Arc::new(Vault::default());
    let text = folder.path().to_string_lossy().into_owned();
    let handbook = Handbook::open(text.clone(), vault.clone()).unwrap();
    handbook.watch(Query::Home).unwrap();
    let run = handbook.start_sync().unwrap();
    let waiting = Arc::clone(&handbook);
    let changes = std::thread::spawn(move || {
        loop {
            if let Err(error) = waiting.next_changes() {
                return error;
            }
        }
    });
    // As a sync would: on a thread of its own, in the middle of its turn.
    let inner = Arc::clone(handbook.inner());
    let revoked = std::thread::spawn(move || {
        let _turn = inner.turns.take(&inner.under_way, None).unwrap();
        inner.wipe_revoked()
    });
    assert_eq!(revoked.join().unwrap(), HandbookError::Revoked);
    assert_eq!(changes.join().unwrap(), HandbookError::Revoked);
    assert_eq!(names(folder.path()), ["lock"]);
    assert_eq!(*locked(&vault.0), None);
    let refused = [
        handbook.joined().err(),
        handbook.home().err(),
        handbook.sync().err(),
        handbook.outbox().err(),
        handbook.set_pin("123456".into()).err(),
        handbook.sign_out(true).err(),
        handbook.resume().err(),
        handbook.next_changes().err(),
    ];
    assert_eq!(refused, [const { Some(HandbookError::Revoked) }; 8]);
    run.cancel().unwrap();
    handbook.shutdown().unwrap();
    let fresh = Handbook::open(text, vault).unwrap();
    assert_eq!(fresh.joined(), Ok(None));
}

#[test]
fn storage_1_a_revocation_that_was_interrupted_is_finished_by_the_next_opening() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Arc::new(Vault::default());
    let text = folder.path().to_string_lossy().into_owned();
    let handbook = Handbook::open(text.clone(), vault.clone()).unwrap();
    handbook.shutdown().unwrap();
    let root = locked(&vault.0).clone();
    wipe::mark(&PhoneDisk, folder.path()).unwrap();
    // Not even to a PIN that fits does it open again.
    let fresh = Handbook::open_with_pin(text, vault.clone(), "123456".into()).unwrap();
    assert_eq!(fresh.joined(), Ok(None));
    assert_ne!(*locked(&vault.0), root);
    assert!(!names(folder.path()).contains(&"wiping".into()));
}
