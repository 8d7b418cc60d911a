//! What phones are handed: the trust anchors when they join, and the organisation's signed statement ever after.
//!
//! The statement lies in the folder as it travels. It follows from the folder: where roots or keys are others than it names, a
//! newer one is made, also when a rotation broke off before it. Invariant: whoever reads or changes roots, keys and statement
//! holds the folder's lock for them, so that no statement names some of before a rotation and some of after it.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use rustls::pki_types::CertificateDer;
use sotay_model::statement::{SignedStatement, Statement, Version};
use sotay_model::{Timestamp, cbor};

use super::certificates::{CertificateError, read_roots, write_private};
use super::signing::OrganisationKeys;

/// The statement's name in the folder.
pub(super) const FILE: &str = "statement";
const LOCK: &str = "keys.lock";

/// What phones are handed now.
#[derive(Debug)]
pub struct Stated {
    /// Signs revocations, and seals the audit log.
    pub organisation: OrganisationKeys,
    /// What who joins is handed, encoded; behind it what was handed before, which a phone may be joining with just now.
    pub anchors: Vec<Vec<u8>>,
    /// The statement's serial.
    pub serial: u64,
    /// The oldest library that may enter anything.
    pub minimum: Version,
    /// The statement as it travels.
    pub header: String,
}

impl Stated {
    /// Reads roots, keys and statement of a folder; a statement that does not say what the folder does is made anew. `minimum`
    /// replaces the version that it names. The caller holds the lock.
    pub(crate) fn open(
        folder: &Path,
        roots: &[CertificateDer<'static>],
        minimum: Option<Version>,
        now: Timestamp,
    ) -> Result<Self, CertificateError> {
        OrganisationKeys::complete(folder)?;
        let organisation = OrganisationKeys::open(folder)?;
        let anchors = organisation.anchors(roots);
        let before = read(folder)?;
        let known = before.as_ref().map(|(_, statement)| statement);
        let minimum = minimum
            .or(known.map(|statement| statement.minimum))
            .unwrap_or_default();
        let stands = before.as_ref().filter(|(signed, statement)| {
            statement.anchors == anchors
                && statement.minimum == minimum
                && signed.open(organisation.public(), 0).is_ok()
        });
        let (signed, serial) = match stands {
            Some((signed, statement)) => (signed.clone(), statement.serial),
            None => {
                let after = known.map_or(0, |statement| statement.serial) + 1;
                let serial = after.max(u64::try_from(now.0).unwrap_or(0));
                let statement = Statement {
                    serial,
                    anchors: anchors.clone(),
                    minimum,
                };
                let signed = organisation.states(&statement);
                write_private(&folder.join(FILE), &signed.header())?;
                tracing::info!(serial, %minimum, "the organisation states anew");
                (signed, serial)
            }
        };
        Ok(Self {
            organisation,
            anchors: vec![cbor::to_bytes(&anchors)],
            serial,
            minimum,
            header: signed.header(),
        })
    }

    /// The same, remembering what was handed before.
    pub(crate) fn following(mut self, before: &Self) -> Self {
        let mut handed = before.anchors.iter();
        let other = handed.find(|anchors| **anchors != self.anchors[0]);
        self.anchors.extend(other.cloned());
        self
    }
}

/// Takes the folder's lock for roots, keys and statement; given back when the file is dropped.
pub(crate) fn hold(folder: &Path) -> Result<File, CertificateError> {
    let path = folder.join(LOCK);
    let mut options = fs::OpenOptions::new();
    let held = options
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .and_then(|file| file.lock().map(|()| file));
    held.map_err(|source| CertificateError::File { path, source })
}

/// Has phones whose library is older than `minimum` enter nothing more, or says which version that is.
pub(super) fn minimum_version(
    folder: &Path,
    minimum: Option<Version>,
    now: Timestamp,
) -> Result<Version, CertificateError> {
    let _held = hold(folder)?;
    Ok(Stated::open(folder, &read_roots(folder)?, minimum, now)?.minimum)
}

/// The statement in the folder; none in a folder of an older version.
fn read(folder: &Path) -> Result<Option<(SignedStatement, Statement)>, CertificateError> {
    let path = folder.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(CertificateError::File { path, source }),
    };
    let signed = SignedStatement::from_header(text.trim()).ok();
    let read = signed.and_then(|signed| {
        let statement = cbor::from_bytes(&signed.statement).ok()?;
        Some((signed, statement))
    });
    // It says which version is the oldest: nobody makes up another one in its place.
    read.map(Some).ok_or(CertificateError::Unreadable { path })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn root(byte: u8) -> [CertificateDer<'static>; 1] {
        [CertificateDer::from(vec![byte; 8])]
    }

    #[test]
    fn network_2_a_statement_is_made_anew_where_the_folder_says_something_else() {
        let folder = tempfile::tempdir().unwrap();
        let open = |roots: u8, minimum: Option<&str>, now| {
            let minimum = minimum.map(|text| Version::parse(text).unwrap());
            Stated::open(folder.path(), &root(roots), minimum, now).unwrap()
        };
        let first = open(1, None, NOW);
        assert_eq!(first.serial, 1_790_000_000_000);
        assert_eq!(open(1, None, Timestamp(NOW.0 + 5)).header, first.header);
        // Newer even where the clock was set back.
        let second = open(2, Some("1.2.3"), Timestamp(7));
        assert_eq!(second.serial, first.serial + 1);
        assert_ne!(second.anchors, first.anchors);
        let third = open(1, None, NOW);
        assert_eq!(third.serial, first.serial + 2);
        assert_eq!(third.minimum.to_string(), "1.2.3", "it stays");
        assert_eq!(open(1, Some("1.2.3"), NOW).serial, third.serial);
        let followed = open(1, None, NOW).following(&second);
        assert_eq!(
            followed.anchors,
            [first.anchors.as_slice(), &second.anchors].concat()
        );
        assert_eq!(open(1, None, NOW).following(&first).anchors.len(), 1);
    }

    #[test]
    fn network_2_a_statement_in_the_folder_that_cannot_be_read_or_is_another_s_is_not_handed_out() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Stated::open(folder.path(), &root(1), None, NOW);
        let own = open().unwrap();
        let other = tempfile::tempdir().unwrap();
        let foreign = Stated::open(other.path(), &root(1), None, NOW).unwrap();
        let path = folder.path().join(FILE);
        fs::write(&path, &foreign.header).unwrap();
        let again = open().unwrap();
        assert!(again.serial > own.serial && again.anchors == own.anchors);
        fs::write(&path, "no statement").unwrap();
        assert!(matches!(open(), Err(CertificateError::Unreadable { .. })));
    }
}
