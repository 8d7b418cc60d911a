//! The value beside the database that tells a wrong key from a damaged file, which look alike to SQLCipher.
//!
//! A key fits when any part of the handbook says so: this value, the database, or a frame of the journal. So a damaged
//! value is mended and never taken for a wrong key, and a wrong key is never taken for a damaged database, not even where
//! the value is missing.

use super::{DATABASE, JOURNAL, KEY_CHECK, Place};
use crate::error::HandbookError;
use crate::journal;
use crate::keys::Keys;

/// `WrongKey` where there is something in the folder that the key does not open. Writes the value where it is missing or
/// damaged.
pub(super) fn check_key(place: &Place, keys: &Keys) -> Result<(), HandbookError> {
    let (path, expected) = (place.folder.join(KEY_CHECK), keys.check()?);
    let found = match place.disk.read(&path) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    if found.as_deref() == Some(&expected[..]) {
        return Ok(());
    }
    let another = found.is_some_and(|found| found.len() == expected.len());
    let journal = place.folder.join(JOURNAL);
    let fits = match journal::opens(&*place.disk, &journal, &keys.journal()?)? {
        Some(true) => Some(true),
        journal => database_opens(place, keys)?.or(journal),
    };
    if !fits.unwrap_or(!another) {
        return Err(HandbookError::WrongKey);
    }
    let mut file = place.disk.open(&path)?;
    file.set_len(expected.len() as u64)?;
    file.write_at(0, &expected)?;
    file.sync()?;
    Ok(place.disk.sync_folder(&place.folder)?)
}

/// Whether the key opens the database; nothing where there is none yet, or no cipher.
fn database_opens(place: &Place, keys: &Keys) -> Result<Option<bool>, HandbookError> {
    if !place.cipher {
        return Ok(None);
    }
    match place.disk.read(&place.folder.join(DATABASE)) {
        Ok(bytes) if !bytes.is_empty() => {}
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => return Ok(None),
    }
    let read = super::connect(place, keys, 64)
        .and_then(|db| Ok(db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?));
    match read {
        Ok(()) => Ok(Some(true)),
        Err(HandbookError::DatabaseUnreadable { .. }) => Ok(Some(false)),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::store::{Store, lock};

    fn opened(folder: &Path, key: u8) -> Result<Store, HandbookError> {
        let keys = Arc::new(Keys::from_data_key(&[key; 32].into()));
        Store::open(folder, keys, lock(folder)?)
    }

    fn value(folder: &Path) -> Vec<u8> {
        std::fs::read(folder.join(KEY_CHECK)).unwrap()
    }

    #[test]
    #[cfg(feature = "cipher")]
    fn promise_26_a_flipped_bit_of_the_key_check_is_mended_by_the_database() {
        let folder = tempfile::tempdir().unwrap();
        drop(opened(folder.path(), 3).unwrap());
        let whole = value(folder.path());
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(folder.path().join(KEY_CHECK), damaged).unwrap();
            drop(opened(folder.path(), 3).unwrap());
            assert_eq!(value(folder.path()), whole, "bit {bit}");
        }
    }

    #[test]
    fn promise_26_a_damaged_key_check_is_mended_by_the_journal_though_the_database_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(folder.path(), 3).unwrap();
        store.writer().journal.keep_identity(b"who").unwrap();
        drop(store);
        let whole = value(folder.path());
        std::fs::write(folder.path().join(DATABASE), [7; 8_192]).unwrap();
        for damaged in [&[0; 32][..], &[0; 5], &[]] {
            std::fs::write(folder.path().join(KEY_CHECK), damaged).unwrap();
            assert!(matches!(
                opened(folder.path(), 3),
                Err(HandbookError::DatabaseUnreadable { .. })
            ));
            assert_eq!(value(folder.path()), whole);
        }
    }

    #[test]
    fn promise_26_a_wrong_key_is_never_taken_for_a_damaged_database() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(folder.path(), 3).unwrap();
        store.writer().journal.keep_identity(b"who").unwrap();
        drop(store);
        let whole = value(folder.path());
        let refused = || opened(folder.path(), 4).unwrap_err();
        assert_eq!(refused(), HandbookError::WrongKey);
        assert_eq!(value(folder.path()), whole);
        // Nor where the value is torn or gone, and the value of the wrong key is not written.
        std::fs::write(folder.path().join(KEY_CHECK), &whole[..9]).unwrap();
        assert_eq!(refused(), HandbookError::WrongKey);
        std::fs::remove_file(folder.path().join(KEY_CHECK)).unwrap();
        assert_eq!(refused(), HandbookError::WrongKey);
        assert!(!folder.path().join(KEY_CHECK).exists());
        drop(opened(folder.path(), 3).unwrap());
        assert_eq!(value(folder.path()), whole);
    }
}
