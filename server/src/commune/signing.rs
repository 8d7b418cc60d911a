//! The organisation's own signing keys: what phones obey without asking, and what seals the audit log.
//!
//! Two Ed25519 keys are made with the folder: one in use, and a spare that can be taken off the machine. Phones are handed
//! both public halves when they join, so that the spare can take the first one's place without any phone joining again: that is
//! [`rotate`]. Public halves that were in use once stay in the folder, for the part of the audit log that they sealed.

use std::path::Path;

use rcgen::{KeyPair, PKCS_ED25519, PublicKeyData};
use ring::signature::Ed25519KeyPair;
use rustls::pki_types::CertificateDer;
use sotay_model::session::Revocation;
use sotay_model::statement::{SignedStatement, Statement};
use sotay_model::wire::TrustAnchors;
use sotay_model::{InstallationId, Timestamp, cbor};

use super::certificates::{CertificateError, finish, read, write, write_private};

const IN_USE: &str = "organisation";
const SPARE: &str = "spare-organisation";
/// The spare-to-be while a rotation is under way.
const NEXT: &str = "next-organisation";
/// The public halves that were in use once, one a line.
const FORMER: &str = "former-organisation.pub";

/// The organisation's keys of a folder.
pub struct OrganisationKeys {
    pair: Ed25519KeyPair,
    public: Vec<Vec<u8>>,
    former: Vec<Vec<u8>>,
}

impl std::fmt::Debug for OrganisationKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OrganisationKeys(…)")
    }
}

impl OrganisationKeys {
    /// Makes both keys.
    pub(super) fn create(folder: &Path) -> Result<(), CertificateError> {
        make(folder, IN_USE)?;
        make(folder, SPARE)
    }

    /// Reads them; a folder of an older version gets them now. The spare's private half need not be there.
    pub fn open(folder: &Path) -> Result<Self, CertificateError> {
        if !folder.join(format!("{IN_USE}.pub")).exists() {
            Self::create(folder)?;
        }
        finish([NEXT, SPARE, IN_USE], "pub", folder)?;
        let path = folder.join(format!("{IN_USE}.key"));
        let unreadable = || CertificateError::Unreadable { path: path.clone() };
        let key = KeyPair::from_pem(&read(&path)?).map_err(|_| unreadable())?;
        let pair = Ed25519KeyPair::from_pkcs8(&key.serialize_der()).map_err(|_| unreadable())?;
        let public = [IN_USE, SPARE]
            .map(|name| {
                let path = folder.join(format!("{name}.pub"));
                bytes_of(&read(&path)?).ok_or(CertificateError::Unreadable { path })
            })
            .into_iter()
            .collect::<Result<_, _>>()?;
        Ok(Self {
            pair,
            public,
            former: former(folder)?,
        })
    }

    /// The public halves that may have sealed the audit log: those that were in use once, too.
    pub fn sealing(&self) -> impl Iterator<Item = &[u8]> {
        self.public().chain(self.former.iter().map(Vec::as_slice))
    }

    /// The public halves, 32 bytes each: in use, and spare.
    pub fn public(&self) -> impl Iterator<Item = &[u8]> {
        self.public.iter().map(Vec::as_slice)
    }

    /// Signs with the key in use: 64 bytes.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }

    /// The organisation's word that a phone is revoked.
    pub fn revocation(&self, installation: InstallationId, at: Timestamp) -> Revocation {
        Revocation {
            installation,
            at,
            signature: self.sign(&Revocation::signed_bytes(installation, at)),
        }
    }

    /// Whom phones trust, with these roots.
    pub fn anchors(&self, roots: &[CertificateDer<'static>]) -> TrustAnchors {
        TrustAnchors {
            tls: roots.iter().map(|root| root.to_vec().into()).collect(),
            organisation: self.public.iter().map(|key| key.clone().into()).collect(),
        }
    }

    /// The organisation's word to its phones.
    pub fn states(&self, statement: &Statement) -> SignedStatement {
        let statement = cbor::to_bytes(statement);
        SignedStatement {
            signature: self.sign(&SignedStatement::signed_bytes(&statement)),
            statement,
        }
    }
}

/// Puts the spare in use, and makes a new spare. `spare_key` is where the spare's private half is kept, if not in the folder.
pub(super) fn rotate(folder: &Path, spare_key: Option<&Path>) -> Result<(), CertificateError> {
    let keys = OrganisationKeys::open(folder)?;
    let own = folder.join(format!("{SPARE}.key"));
    let path = spare_key.unwrap_or(&own);
    let text = read(path)?;
    let unreadable = || CertificateError::Unreadable {
        path: path.to_owned(),
    };
    let key = KeyPair::from_pem(&text).map_err(|_| unreadable())?;
    // Phones would not know the signature of another one.
    if keys.public().nth(1) != Some(key.der_bytes()) {
        return Err(unreadable());
    }
    write_private(&own, &text)?;
    let mut once = keys.former;
    once.extend(keys.public.into_iter().next());
    let lines: Vec<String> = once.iter().map(|key| hexadecimal(key)).collect();
    write(&folder.join(FORMER), &lines.join("\n"))?;
    make(folder, NEXT)?;
    finish([NEXT, SPARE, IN_USE], "pub", folder)
}

/// Makes a key, its public half last: once that is there, the key is.
fn make(folder: &Path, name: &str) -> Result<(), CertificateError> {
    let key = KeyPair::generate_for(&PKCS_ED25519)?;
    write_private(&folder.join(format!("{name}.key")), &key.serialize_pem())?;
    let public = hexadecimal(key.der_bytes());
    write(&folder.join(format!("{name}.pub")), &public)
}

fn former(folder: &Path) -> Result<Vec<Vec<u8>>, CertificateError> {
    let path = folder.join(FORMER);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = read(&path)?;
    let keys = text.lines().map(bytes_of).collect::<Option<_>>();
    keys.ok_or(CertificateError::Unreadable { path })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    (text.len() == 64 && text.is_ascii())
        .then(|| {
            (0..32)
                .map(|place| u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok())
                .collect()
        })
        .flatten()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use sotay_model::Id;

    #[test]
    fn a_revocation_holds_under_the_keys_that_phones_were_handed() {
        let folder = tempfile::tempdir().unwrap();
        let keys = OrganisationKeys::open(folder.path()).unwrap();
        let phone = InstallationId(Id::from_bytes([4; 16]));
        let revocation = keys.revocation(phone, Timestamp(7));
        assert!(revocation.holds(phone, keys.public()));
        let again = OrganisationKeys::open(folder.path()).unwrap();
        assert!(revocation.holds(phone, again.public()));
        assert_eq!(again.public().count(), 2);
        let other = tempfile::tempdir().unwrap();
        let others = OrganisationKeys::open(other.path()).unwrap();
        assert!(!revocation.holds(phone, others.public()));
    }

    #[test]
    fn network_2_a_rotation_of_the_signing_key_that_broke_off_anywhere_is_completed() {
        let folder = tempfile::tempdir().unwrap();
        OrganisationKeys::open(folder.path()).unwrap();
        let names =
            [IN_USE, SPARE, NEXT].map(|name| [format!("{name}.key"), format!("{name}.pub")]);
        let names = names.concat();
        let now = || {
            let read = |name: &String| fs::read(folder.path().join(name)).ok();
            names.iter().map(read).collect::<Vec<_>>()
        };
        let before = now();
        rotate(folder.path(), None).unwrap();
        let after = now();
        assert_eq!(after[..2], before[2..4], "the spare is in use");
        // As the folder is when the next spare was made, and behind each renaming.
        let made = [&before[..4], &after[2..4]].concat();
        for done in 0..=4 {
            let mut state = made.clone();
            for (from, to) in &[(2, 0), (3, 1), (4, 2), (5, 3)][..done] {
                state[*to] = state[*from].take();
            }
            for (name, bytes) in names.iter().zip(&state) {
                let path = folder.path().join(name);
                match bytes {
                    Some(bytes) => fs::write(path, bytes).unwrap(),
                    None => drop(fs::remove_file(path)),
                }
            }
            OrganisationKeys::open(folder.path()).unwrap();
            assert!(now() == after, "after {done} renamings");
        }
    }

    #[test]
    fn network_2_only_the_spare_s_own_key_takes_the_place_of_the_one_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let first = OrganisationKeys::open(folder.path()).unwrap();
        let kept = folder.path().join("kept");
        fs::rename(folder.path().join("spare-organisation.key"), &kept).unwrap();
        assert!(rotate(folder.path(), None).is_err(), "without it");
        let wrong = folder.path().join("organisation.key");
        assert!(rotate(folder.path(), Some(&wrong)).is_err());
        let still = OrganisationKeys::open(folder.path()).unwrap();
        assert!(still.public().eq(first.public()) && still.sealing().count() == 2);

        rotate(folder.path(), Some(&kept)).unwrap();
        let second = OrganisationKeys::open(folder.path()).unwrap();
        assert_eq!(second.public().next(), first.public().nth(1));
        assert!(
            second
                .public()
                .all(|key| Some(key) != first.public().next())
        );
        assert_eq!(second.sealing().nth(2), first.public().next());
        let phone = InstallationId(Id::from_bytes([4; 16]));
        let revocation = second.revocation(phone, Timestamp(7));
        assert!(revocation.holds(phone, first.public()));
    }

    #[test]
    fn the_spare_s_private_half_may_be_elsewhere_and_the_other_may_not() {
        let folder = tempfile::tempdir().unwrap();
        OrganisationKeys::open(folder.path()).unwrap();
        fs::remove_file(folder.path().join("spare-organisation.key")).unwrap();
        assert!(OrganisationKeys::open(folder.path()).is_ok());
        fs::write(folder.path().join("organisation.key"), "no key").unwrap();
        assert!(OrganisationKeys::open(folder.path()).is_err());
    }
}
