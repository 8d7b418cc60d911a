//! The lock against kills at every step, wrong PINs, changed bytes and old folders.

use sotay_disk::{Fault, Snapshot};

use super::*;
use crate::disk::PhoneDisk;
use crate::simulated_disk::SimulatedDisk;
use crate::test_ground::{GroundVault, cut_everywhere};

const FIRST: &str = "123456";
const SECOND: &str = "650000";

fn pin(digits: &str) -> Pin {
    Pin::read(digits.to_owned()).unwrap()
}

/// What tells one data key from another.
fn told(unlocked: &Unlocked) -> [u8; 32] {
    unlocked.keys.check().unwrap()
}

/// A phone with a lock: disk and vault as they outlive a kill, and what its data key is told by.
struct Locked {
    snapshot: Snapshot,
    root: Vec<u8>,
    told: [u8; 32],
}

fn opened(
    disk: &SimulatedDisk,
    vault: &GroundVault,
    pin: Option<&Pin>,
) -> Result<Unlocked, HandbookError> {
    unlock(disk, &disk.folder(), vault, pin)
}

fn set_up(with: Option<&str>) -> Locked {
    let disk = SimulatedDisk::strict(1, None);
    let vault = GroundVault::on(&disk, None, None);
    let unlocked = opened(&disk, &vault, None).unwrap();
    if let Some(digits) = with {
        let set = pin(digits).newly_stretched().unwrap();
        change(&disk, &disk.folder(), &vault, None, Some(&set)).unwrap();
    }
    Locked {
        snapshot: disk.0.snapshot(),
        root: vault.root().unwrap(),
        told: told(&unlocked),
    }
}

#[test]
fn crypto_2_a_new_root_is_resumed_wherever_the_phone_dies() {
    let before = set_up(None);
    let cuts = cut_everywhere(
        &before.snapshot,
        &before.root,
        |disk, vault| drop(change(disk, &disk.folder(), vault, None, None)),
        |disk, vault| {
            let unlocked = opened(disk, vault, None).unwrap();
            assert_eq!(told(&unlocked), before.told);
            // What was begun is cleared away: one wrap, and it opens with what the vault has.
            let Found::Wraps { wraps, spoilt } = keys_file::read(disk, &disk.folder()).unwrap()
            else {
                panic!("no keys");
            };
            assert_eq!((wraps.len(), spoilt), (1, false));
        },
    );
    assert!(cuts > 30, "{cuts}");
}

#[test]
fn crypto_2_after_a_new_root_the_old_one_opens_nothing() {
    let before = set_up(None);
    let disk = SimulatedDisk::strict(1, Some(&before.snapshot));
    let vault = GroundVault::on(&disk, Some(before.root.clone()), None);
    change(&disk, &disk.folder(), &vault, None, None).unwrap();
    assert_ne!(vault.root().unwrap(), before.root);
    assert_eq!(told(&opened(&disk, &vault, None).unwrap()), before.told);
    let old = GroundVault::on(&disk, Some(before.root.clone()), None);
    assert_eq!(
        opened(&disk, &old, None).err(),
        Some(HandbookError::WrongKey)
    );
    // Nor does the new one open the file as it was.
    let copied = SimulatedDisk::strict(1, Some(&before.snapshot));
    let refused = opened(&copied, &GroundVault::on(&copied, vault.root(), None), None);
    assert_eq!(refused.err(), Some(HandbookError::WrongKey));
}

#[test]
fn auth_2_a_change_of_pin_is_resumed_wherever_the_phone_dies() {
    for (now, then) in [
        (None, Some(FIRST)),
        (Some(FIRST), Some(SECOND)),
        (Some(FIRST), None),
    ] {
        let before = set_up(now);
        let disk = SimulatedDisk::strict(1, Some(&before.snapshot));
        let vault = GroundVault::on(&disk, Some(before.root.clone()), None);
        let set = opened(&disk, &vault, now.map(pin).as_ref()).unwrap().pin;
        let new = then.map(|digits| pin(digits).newly_stretched().unwrap());
        let cuts = cut_everywhere(
            &before.snapshot,
            &before.root,
            |disk, vault| {
                drop(change(
                    disk,
                    &disk.folder(),
                    vault,
                    set.as_ref(),
                    new.as_ref(),
                ));
            },
            |disk, vault| {
                // Either it has happened or it has not, and the data key is the same.
                let fits: Vec<_> = [now, then]
                    .into_iter()
                    .filter_map(|digits| opened(disk, vault, digits.map(pin).as_ref()).ok())
                    .collect();
                assert!(!fits.is_empty(), "neither PIN opens it");
                assert!(fits.iter().all(|unlocked| told(unlocked) == before.told));
                // Without a PIN any opens it.
                let has_pin = opened(disk, vault, None).is_err();
                assert_eq!(fits.len(), if has_pin { 1 } else { fits.len() });
                if has_pin {
                    let by_another = opened(disk, vault, Some(&pin("000000"))).err();
                    assert!(matches!(by_another, Some(HandbookError::PinWrong { .. })));
                }
            },
        );
        assert!(cuts > 30, "{cuts}");
    }
}

#[test]
fn auth_2_a_try_is_counted_before_it_is_looked_at() {
    let locked = set_up(Some(FIRST));
    // Whoever switches the phone off in the middle of every try hears no more often that it was wrong.
    for operation in 0.. {
        let disk = SimulatedDisk::strict(operation, Some(&locked.snapshot));
        let vault = GroundVault::on(&disk, Some(locked.root.clone()), None);
        let (mut heard, mut died) = (0, false);
        for _ in 0..25 {
            disk.0.fail_at(operation, Fault::Crash);
            let answer = opened(&disk, &vault, Some(&pin("000000"))).err().unwrap();
            heard += u8::from(matches!(answer, HandbookError::PinWrong { .. }));
            died |= disk.0.is_down();
            disk.0.clear_faults();
            disk.0.crash();
        }
        assert!(heard < MAX_TRIES, "{heard} at {operation}");
        if !died {
            assert_eq!(heard, MAX_TRIES - 1);
            break;
        }
    }
}

#[test]
fn auth_2_ten_wrong_pins_in_a_row_are_the_last() {
    let locked = set_up(Some(FIRST));
    let disk = SimulatedDisk::strict(1, Some(&locked.snapshot));
    let vault = GroundVault::on(&disk, Some(locked.root.clone()), None);
    let wrong = || opened(&disk, &vault, Some(&pin(SECOND))).err().unwrap();
    for left in (7..10).rev() {
        assert_eq!(wrong(), HandbookError::PinWrong { tries_left: left });
    }
    let asked = opened(&disk, &vault, None).err().unwrap();
    assert_eq!(asked, HandbookError::PinNeeded { tries_left: 7 });
    // The right one takes the count back.
    let unlocked = opened(&disk, &vault, Some(&pin(FIRST))).unwrap();
    assert_eq!(told(&unlocked), locked.told);
    for left in (1..10).rev() {
        assert_eq!(wrong(), HandbookError::PinWrong { tries_left: left });
    }
    let burnt = HandbookError::WipedAfterTries { unsent: 0 };
    assert_eq!(wrong(), burnt);
    // And from then on the right one does not help, nor having none.
    for pin in [Some(pin(FIRST)), None] {
        assert_eq!(
            opened(&disk, &vault, pin.as_ref()).err(),
            Some(burnt.clone())
        );
    }
}

#[test]
fn auth_2_without_the_pin_nothing_is_touched() {
    let locked = set_up(Some(FIRST));
    let disk = SimulatedDisk::strict(1, Some(&locked.snapshot));
    let vault = GroundVault::on(&disk, Some(locked.root.clone()), None);
    let files = |disk: &SimulatedDisk| -> Vec<_> {
        let names = disk.0.files();
        names
            .into_iter()
            .map(|name| (disk.0.contents(disk.0.path(&name)), name))
            .collect()
    };
    let before = files(&disk);
    for _ in 0..20 {
        assert_eq!(
            opened(&disk, &vault, None).err(),
            Some(HandbookError::PinNeeded { tries_left: 10 })
        );
    }
    assert_eq!(files(&disk), before);
}

/// A block with its sum made right again, in both copies: what somebody writes who knows the format.
fn with_sum(mut block: Vec<u8>) -> Vec<u8> {
    let end = block.len() - 32;
    let sum = ring::digest::digest(&ring::digest::SHA256, &block[..end]);
    block[end..].copy_from_slice(sum.as_ref());
    let mut bytes = block.clone();
    bytes.resize(4_096, 0);
    bytes.extend_from_slice(&block);
    bytes
}

#[test]
fn auth_2_no_changed_byte_of_the_keys_unlocks_without_the_pin() {
    let locked = set_up(Some(FIRST));
    let disk = SimulatedDisk::strict(1, Some(&locked.snapshot));
    let vault = GroundVault::on(&disk, Some(locked.root.clone()), None);
    let path = disk.folder().join(keys_file::KEYS);
    let whole = disk.read(&path).unwrap();
    let block = whole[4_096..].to_vec();
    for at in 0..block.len() - 32 {
        for change in [0x01, 0x80, 0xff, block[at]] {
            let mut changed = block.clone();
            changed[at] ^= change;
            disk.0.replace(&path, with_sum(changed)).unwrap();
            let answer = opened(&disk, &vault, None);
            assert!(
                answer.is_err() || told(&answer.unwrap()) != locked.told,
                "{at}"
            );
        }
    }
    // As it was, but for the byte that says that a PIN is needed.
    let mut flag = block.clone();
    assert_eq!(flag[7], 1);
    flag[7] = 0;
    disk.0.replace(&path, with_sum(flag)).unwrap();
    assert_eq!(
        opened(&disk, &vault, None).err(),
        Some(HandbookError::WrongKey)
    );
    // Without the file the root alone is no data key either.
    disk.remove(&path).unwrap();
    let alone = opened(&disk, &vault, None).unwrap();
    assert_ne!(told(&alone), locked.told);
}

#[test]
fn crypto_1_a_changed_byte_in_a_wrap_is_refused_and_never_taken_for_damage() {
    let locked = set_up(None);
    let disk = SimulatedDisk::strict(1, Some(&locked.snapshot));
    let path = disk.folder().join(keys_file::KEYS);
    let block = disk.read(&path).unwrap()[4_096..].to_vec();
    let sealed = 7 + 1 + 16 + 29;
    for at in sealed..block.len() - 32 {
        let mut changed = block.clone();
        changed[at] ^= 1;
        disk.0.replace(&path, with_sum(changed)).unwrap();
        let vault = GroundVault::on(&disk, Some(locked.root.clone()), None);
        assert_eq!(
            opened(&disk, &vault, None).err(),
            Some(HandbookError::WrongKey),
            "{at}"
        );
    }
}

#[test]
fn promise_26_a_flipped_bit_of_the_keys_is_mended_by_the_other_copy() {
    let locked = set_up(Some(FIRST));
    let disk = SimulatedDisk::strict(1, Some(&locked.snapshot));
    let vault = GroundVault::on(&disk, Some(locked.root.clone()), None);
    let path = disk.folder().join(keys_file::KEYS);
    let whole = disk.read(&path).unwrap();
    for at in (0..whole.len()).filter(|at| whole[*at] != 0) {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        disk.0.replace(&path, changed).unwrap();
        assert_eq!(
            opened(&disk, &vault, None).err(),
            Some(HandbookError::PinNeeded { tries_left: 10 }),
            "{at}"
        );
    }
    opened(&disk, &vault, Some(&pin(FIRST))).unwrap();
    let Found::Wraps { spoilt, .. } = keys_file::read(&disk, &disk.folder()).unwrap() else {
        panic!("no keys");
    };
    assert!(!spoilt, "mended");
}

#[test]
fn a_vault_that_does_not_take_the_new_root_leaves_the_old_one_in_force() {
    struct Stubborn(GroundVault);
    impl KeyVault for Stubborn {
        fn root_key(&self) -> Result<VaultAnswer, crate::VaultError> {
            self.0.root_key()
        }
        fn store(&self, _: Vec<u8>) -> Result<(), crate::VaultError> {
            Err(crate::VaultError::Failed)
        }
        fn destroy(&self) -> Result<(), crate::VaultError> {
            self.0.destroy()
        }
    }
    let locked = set_up(None);
    let disk = SimulatedDisk::strict(1, Some(&locked.snapshot));
    let vault = Stubborn(GroundVault::on(&disk, Some(locked.root.clone()), None));
    let refused = change(&disk, &disk.folder(), &vault, None, None);
    assert_eq!(refused, Err(HandbookError::KeyFailed));
    let unlocked = unlock(&disk, &disk.folder(), &vault, None).unwrap();
    assert_eq!(told(&unlocked), locked.told);
}

#[test]
fn keys_of_a_newer_version_are_refused_and_left_as_they_are() {
    let locked = set_up(None);
    let disk = SimulatedDisk::strict(1, Some(&locked.snapshot));
    let vault = GroundVault::on(&disk, Some(locked.root.clone()), None);
    let path = disk.folder().join(keys_file::KEYS);
    let mut block = disk.read(&path).unwrap()[4_096..].to_vec();
    block[4] = 2;
    let newer = with_sum(block);
    disk.0.replace(&path, newer.clone()).unwrap();
    assert_eq!(
        opened(&disk, &vault, None).err(),
        Some(HandbookError::NewerDatabase { found: 2, known: 1 })
    );
    assert_eq!(disk.read(&path).unwrap(), newer);
}

#[test]
fn keys_that_are_damaged_in_both_copies_are_lost_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let ground = SimulatedDisk::strict(1, None);
    let vault = GroundVault::on(&ground, None, None);
    let open = || {
        let unlocked = unlock(&PhoneDisk, folder.path(), &vault, None)?;
        let lock = store::lock(folder.path())?;
        let opened = store::Store::open(folder.path(), Arc::clone(&unlocked.keys), lock);
        unlocked.seen(&PhoneDisk, folder.path(), opened)
    };
    drop(open().unwrap());
    let keys = folder.path().join(keys_file::KEYS);
    let whole = std::fs::read(&keys).unwrap();
    std::fs::write(&keys, vec![0; whole.len()]).unwrap();
    assert_eq!(open().err(), Some(HandbookError::KeyLost { unsent: 0 }));
    std::fs::write(&keys, whole).unwrap();
    open().unwrap();
}
