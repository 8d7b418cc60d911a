//! Deleting against kills at every step.

use sotay_disk::Snapshot;

use super::*;
use crate::simulated_disk::SimulatedDisk;
use crate::test_ground::{GroundVault, cut_everywhere};

/// A folder with one of every file that a handbook ever makes.
fn handbook() -> Snapshot {
    let disk = SimulatedDisk::strict(1, None);
    for name in [
        "handbook.db",
        "handbook.db-wal",
        "handbook.db-shm",
        "handbook.db-journal",
        "damaged.db",
        "damaged.db-wal",
        "damaged.db-shm",
        "journal",
        "journal.new",
        "key-check",
        "keys",
        "keys.new",
        "blobs/01",
        "blobs/outgoing/02",
        "lock",
    ] {
        let path = disk.folder().join(name);
        disk.0.replace(path, b"sealed".to_vec()).unwrap();
    }
    disk.0.snapshot()
}

#[test]
fn storage_1_a_wipe_is_finished_wherever_the_phone_dies() {
    let before = handbook();
    let all = before.files().count();
    let cuts = cut_everywhere(
        &before,
        &[7; 32],
        |disk, vault| drop(wipe(disk, &disk.folder(), vault)),
        |disk, vault| {
            let begun = disk.0.files().iter().any(|name| name.ends_with(MARKER));
            finish(disk, &disk.folder(), vault).unwrap();
            let (left, root) = (disk.0.files(), vault.root());
            if begun || left.len() < all {
                assert_eq!((left, root), (vec!["handbook/lock".to_owned()], None));
            } else {
                assert!(root.is_some(), "not begun, nothing done");
            }
        },
    );
    assert!(cuts > 60, "{cuts}");
}

#[test]
fn storage_1_the_root_goes_before_any_file_does() {
    let before = handbook();
    let all = before.files().count();
    cut_everywhere(
        &before,
        &[7; 32],
        |disk, vault| drop(wipe(disk, &disk.folder(), vault)),
        |disk, vault| {
            let marked = disk.0.files().iter().any(|name| name.ends_with(MARKER));
            if disk.0.files().len() < all + usize::from(marked) {
                assert_eq!(vault.root(), None);
            }
        },
    );
}

#[test]
fn a_vault_that_does_not_let_go_keeps_no_file_and_is_asked_again() {
    struct Stubborn;
    impl KeyVault for Stubborn {
        fn root_key(&self) -> Result<VaultAnswer, crate::VaultError> {
            Ok(VaultAnswer::Key { root: vec![7; 32] })
        }
        fn store(&self, _: Vec<u8>) -> Result<(), crate::VaultError> {
            Ok(())
        }
        fn destroy(&self) -> Result<(), crate::VaultError> {
            Err(crate::VaultError::Failed)
        }
    }
    let disk = SimulatedDisk::strict(1, Some(&handbook()));
    let folder = disk.folder();
    let refused = wipe(&disk, &folder, &Stubborn);
    assert_eq!(refused, Err(HandbookError::KeyFailed));
    assert_eq!(disk.0.files(), ["handbook/lock", "handbook/wiping"]);
    assert_eq!(
        finish(&disk, &folder, &Stubborn),
        Err(HandbookError::KeyFailed)
    );
    let vault = GroundVault::on(&disk, Some(vec![7; 32]), None);
    finish(&disk, &folder, &vault).unwrap();
    assert_eq!((disk.0.files().len(), vault.root()), (1, None));
}
