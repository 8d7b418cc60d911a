//! The organisation's own signing keys: what phones obey without asking, and what seals the audit log.
//!
//! Two Ed25519 keys are made with the folder: one in use, and a spare that can be taken off the machine. Phones are handed
//! both public halves when they join, so that the spare can take the first one's place without any phone joining again.

use std::path::Path;

use rcgen::{KeyPair, PKCS_ED25519, PublicKeyData};
use ring::signature::Ed25519KeyPair;
use rustls::pki_types::CertificateDer;
use sotay_model::session::Revocation;
use sotay_model::statement::{SignedStatement, Statement};
use sotay_model::wire::TrustAnchors;
use sotay_model::{InstallationId, Timestamp, cbor};

use super::certificates::{CertificateError, read, write, write_private};

const IN_USE: &str = "organisation";
const SPARE: &str = "spare-organisation";

/// The organisation's keys of a folder.
pub struct OrganisationKeys {
    pair: Ed25519KeyPair,
    public: Vec<Vec<u8>>,
}

impl std::fmt::Debug for OrganisationKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OrganisationKeys(…)")
    }
}

impl OrganisationKeys {
    /// Makes both keys.
    pub(super) fn create(folder: &Path) -> Result<(), CertificateError> {
        for name in [IN_USE, SPARE] {
            let key = KeyPair::generate_for(&PKCS_ED25519)?;
            write_private(&folder.join(format!("{name}.key")), &key.serialize_pem())?;
            write(
                &folder.join(format!("{name}.pub")),
                &hexadecimal(key.der_bytes()),
            )?;
        }
        Ok(())
    }

    /// Reads them; a folder of an older version gets them now. The spare's private half need not be there.
    pub fn open(folder: &Path) -> Result<Self, CertificateError> {
        if !folder.join(format!("{IN_USE}.pub")).exists() {
            Self::create(folder)?;
        }
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
        Ok(Self { pair, public })
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
    fn the_spare_s_private_half_may_be_elsewhere_and_the_other_may_not() {
        let folder = tempfile::tempdir().unwrap();
        OrganisationKeys::open(folder.path()).unwrap();
        fs::remove_file(folder.path().join("spare-organisation.key")).unwrap();
        assert!(OrganisationKeys::open(folder.path()).is_ok());
        fs::write(folder.path().join("organisation.key"), "no key").unwrap();
        assert!(OrganisationKeys::open(folder.path()).is_err());
    }
}
