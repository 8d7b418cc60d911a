//! The organisation's own signing keys: what phones obey without asking, and what seals the audit log.
//!
//! Two Ed25519 keys are made with the folder: one in use, and a spare that can be taken off the machine. Phones are handed
//! both public halves when they join, so that the spare can take the first one's place without any phone joining again: that is
//! [`rotate`]. Public halves that were in use once stay in the folder, for the part of the audit log that they sealed.
//!
//! Keys are made once. A phone obeys those that it knows and no others, so nothing that is missing is ever replaced by another
//! key: a public half is worked out from its key, and anything else is an error that names the file.

use std::path::{Path, PathBuf};

use rcgen::{KeyPair, PKCS_ED25519, PublicKeyData};
use ring::signature::Ed25519KeyPair;
use rustls::pki_types::CertificateDer;
use sotay_model::session::Revocation;
use sotay_model::statement::{SignedStatement, Statement};
use sotay_model::wire::TrustAnchors;
use sotay_model::{InstallationId, Timestamp, cbor};

use super::certificates::{CertificateError, finish_rotation, follow, read, write, write_private};
use super::statement;

const IN_USE: &str = "organisation";
const SPARE: &str = "spare-organisation";
/// The spare-to-be while a rotation is under way.
const NEXT: &str = "next-organisation";
/// The two while they are made.
const NEW: &str = "new-organisation";
const NEW_SPARE: &str = "new-spare-organisation";
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
        // The key in use last: until it is there, nothing counts.
        for name in [NEW_SPARE, NEW] {
            write_private(&file(folder, name, "key"), &new_key()?.serialize_pem())?;
        }
        Self::complete(folder)
    }

    /// Makes the keys of a folder that never had any, as of an older version, and completes what a kill left. The caller holds the
    /// folder's lock for keys.
    pub(super) fn complete(folder: &Path) -> Result<(), CertificateError> {
        finish(folder)?;
        // A statement is made with the keys: where there is one, they were lost.
        if !has(folder, IN_USE) && !has(folder, SPARE) && !folder.join(statement::FILE).exists() {
            return Self::create(folder);
        }
        for name in [IN_USE, SPARE] {
            let public = file(folder, name, "pub");
            if !public.exists() && file(folder, name, "key").exists() {
                write(&public, &hexadecimal(&public_half(folder, name)?))?;
            }
        }
        Ok(())
    }

    /// Reads them. The spare's private half need not be there.
    pub fn open(folder: &Path) -> Result<Self, CertificateError> {
        finish(folder)?;
        let path = file(folder, IN_USE, "key");
        let unreadable = || CertificateError::Unreadable { path: path.clone() };
        let key = KeyPair::from_pem(&read(&path)?).map_err(|_| unreadable())?;
        let pair = Ed25519KeyPair::from_pkcs8(&key.serialize_der()).map_err(|_| unreadable())?;
        let public = [IN_USE, SPARE]
            .map(|name| public_half(folder, name))
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
    let used = keys.public.into_iter().next();
    once.extend(used.filter(|used| !once.contains(used)));
    let lines: Vec<String> = once.iter().map(|key| hexadecimal(key)).collect();
    write(&folder.join(FORMER), &lines.join("\n"))?;
    // Its public half last: once that is there, the rest is renaming.
    let next = new_key()?;
    write_private(&file(folder, NEXT, "key"), &next.serialize_pem())?;
    let public = hexadecimal(next.der_bytes());
    write(&file(folder, NEXT, "pub"), &public)?;
    finish(folder)
}

/// Completes what a kill left of making keys, or of a rotation.
pub(super) fn finish(folder: &Path) -> Result<(), CertificateError> {
    if file(folder, NEW, "key").exists() {
        follow(folder, NEW_SPARE, SPARE, &["key"])?;
        follow(folder, NEW, IN_USE, &["key"])?;
    }
    finish_rotation(folder, [NEXT, SPARE, IN_USE], "pub")
}

fn new_key() -> Result<KeyPair, CertificateError> {
    Ok(KeyPair::generate_for(&PKCS_ED25519)?)
}

/// Every public half that a folder has or had; none in one that never had keys.
pub(super) fn public_halves(folder: &Path) -> Result<Vec<Vec<u8>>, CertificateError> {
    finish(folder)?;
    let mut halves = former(folder)?;
    for name in [IN_USE, SPARE].into_iter().filter(|name| has(folder, name)) {
        halves.push(public_half(folder, name)?);
    }
    Ok(halves)
}

fn has(folder: &Path, name: &str) -> bool {
    ["key", "pub"].map(|ending| file(folder, name, ending).exists()) != [false; 2]
}

/// A public half, as it stands there and as its key says.
fn public_half(folder: &Path, name: &str) -> Result<Vec<u8>, CertificateError> {
    let (key, public) = (file(folder, name, "key"), file(folder, name, "pub"));
    let of_key = if key.exists() {
        let unreadable = |_| CertificateError::Unreadable { path: key.clone() };
        let key = KeyPair::from_pem(&read(&key)?).map_err(unreadable)?;
        Some(key.der_bytes().to_vec())
    } else {
        None
    };
    if !public.exists()
        && let Some(of_key) = of_key
    {
        return Ok(of_key);
    }
    let written = bytes_of(&read(&public)?);
    let written = written.ok_or_else(|| CertificateError::Unreadable {
        path: public.clone(),
    })?;
    if of_key.is_some_and(|of_key| of_key != written) {
        return Err(CertificateError::Unfitting { path: public });
    }
    Ok(written)
}

fn file(folder: &Path, name: &str, ending: &str) -> PathBuf {
    folder.join(format!("{name}.{ending}"))
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
    use crate::durable::cut;
    use sotay_model::Id;

    fn made() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        OrganisationKeys::create(folder.path()).unwrap();
        folder
    }

    fn public(folder: &Path) -> Vec<Vec<u8>> {
        let keys = OrganisationKeys::open(folder).unwrap();
        keys.public().map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn a_revocation_holds_under_the_keys_that_phones_were_handed() {
        let folder = made();
        let keys = OrganisationKeys::open(folder.path()).unwrap();
        let phone = InstallationId(Id::from_bytes([4; 16]));
        let revocation = keys.revocation(phone, Timestamp(7));
        assert!(revocation.holds(phone, keys.public()));
        let again = OrganisationKeys::open(folder.path()).unwrap();
        assert!(revocation.holds(phone, again.public()));
        assert_eq!(again.public().count(), 2);
        let other = made();
        let others = OrganisationKeys::open(other.path()).unwrap();
        assert!(!revocation.holds(phone, others.public()));
    }

    #[test]
    fn network_2_a_missing_half_of_the_organisation_s_keys_never_makes_another_key() {
        let names = [
            "organisation.key",
            "organisation.pub",
            "spare-organisation.key",
            "spare-organisation.pub",
        ];
        for lost in 1..1 << names.len() {
            let folder = made();
            let folder = folder.path();
            let before = public(folder);
            fs::write(folder.join(statement::FILE), "made with them").unwrap();
            let lost: Vec<_> = (0..names.len())
                .filter(|at| lost & 1 << at != 0)
                .map(|at| names[at])
                .collect();
            for name in &lost {
                fs::remove_file(folder.join(name)).unwrap();
            }
            for _ in 0..2 {
                // What a public half can be worked out from is there, or nothing goes on.
                let spare_lost = lost.contains(&names[2]) && lost.contains(&names[3]);
                if lost.contains(&names[0]) || spare_lost {
                    let opened = OrganisationKeys::open(folder);
                    assert!(
                        matches!(&opened, Err(CertificateError::File { source, .. })
                            if source.kind() == std::io::ErrorKind::NotFound),
                        "{lost:?}: {opened:?}"
                    );
                } else {
                    assert_eq!(public(folder), before, "{lost:?}");
                }
                OrganisationKeys::complete(folder).unwrap();
            }
            let there = |name: &str| folder.join(name).exists();
            assert!(!lost.iter().any(|name| name.ends_with("key") && there(name)));
        }
    }

    #[test]
    fn network_2_making_the_organisation_s_keys_is_completed_wherever_it_broke_off() {
        let mut found = Vec::new();
        for steps in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path();
            let (_, was_cut) = cut::after(steps, || OrganisationKeys::complete(folder));
            let early = OrganisationKeys::open(folder).ok().map(|_| public(folder));
            OrganisationKeys::complete(folder).unwrap();
            let now = public(folder);
            assert!(
                early.is_none_or(|early| early == now),
                "whoever saw them sees them again"
            );
            let mut names: Vec<_> = fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| !name.ends_with(".new"))
                .collect();
            names.sort();
            found.push(names);
            if !was_cut {
                break;
            }
        }
        let whole = [
            "organisation.key",
            "organisation.pub",
            "spare-organisation.key",
            "spare-organisation.pub",
        ];
        assert!(
            found.len() > 12 && found.iter().all(|names| names == &whole),
            "{found:?}"
        );
    }

    #[test]
    fn network_2_halves_that_do_not_fit_are_refused() {
        let (folder, other) = (made(), made());
        for name in ["organisation", "spare-organisation"] {
            let path = folder.path().join(format!("{name}.pub"));
            let own = fs::read(&path).unwrap();
            fs::copy(other.path().join(format!("{name}.pub")), &path).unwrap();
            let opened = OrganisationKeys::open(folder.path());
            assert!(
                matches!(&opened, Err(CertificateError::Unfitting { path: found }) if *found == path)
            );
            fs::write(&path, "no key").unwrap();
            let opened = OrganisationKeys::open(folder.path());
            assert!(matches!(opened, Err(CertificateError::Unreadable { .. })));
            fs::write(&path, own).unwrap();
        }
        fs::write(folder.path().join("organisation.key"), "no key").unwrap();
        assert!(OrganisationKeys::open(folder.path()).is_err());
    }

    #[test]
    fn network_2_a_rotation_of_the_signing_key_that_broke_off_anywhere_is_completed() {
        let kept = tempfile::NamedTempFile::new().unwrap();
        let (mut not_yet, mut completed) = (0, 0);
        for steps in 0.. {
            let folder = made();
            let folder = folder.path();
            let before = public(folder);
            fs::rename(folder.join("spare-organisation.key"), kept.path()).unwrap();
            let (_, was_cut) = cut::after(steps, || rotate(folder, Some(kept.path())));
            let found = public(folder);
            if found == before {
                not_yet += 1;
                rotate(folder, Some(kept.path())).unwrap();
            } else {
                completed += 1;
            }
            let rotated = OrganisationKeys::open(folder).unwrap();
            assert_eq!(public(folder)[0], before[1], "after {steps} steps");
            assert!(
                rotated.sealing().count() == 3 && rotated.sealing().any(|key| key == before[0])
            );
            // The next one needs nothing from elsewhere.
            rotate(folder, None).unwrap();
            assert_eq!(public(folder)[0], rotated.public[1]);
            if !was_cut {
                break;
            }
        }
        assert!(not_yet > 8 && completed > 4, "{not_yet}, {completed}");
    }

    #[test]
    fn network_2_only_the_spare_s_own_key_takes_the_place_of_the_one_in_use() {
        let folder = made();
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
}
