//! Who joined with this phone, and how its server is reached. Kept in the database and, sealed, in the journal.

use minicbor::{Decode, Encode};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use sotay_model::{InstallationId, MemberId, OrganisationId};
use zeroize::Zeroizing;

use crate::error::HandbookError;
use crate::keys::Keys;

const DEVICE_KEY: &[u8] = b"device key";

/// What an enrolment leaves on the phone.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Identity {
    /// The phone's number.
    #[n(0)]
    pub(crate) installation: InstallationId,
    /// Whose handbook it is.
    #[n(1)]
    pub(crate) member: MemberId,
    /// The member's name at the enrolment.
    #[n(2)]
    pub(crate) member_name: String,
    /// The member's home cell.
    #[n(3)]
    pub(crate) cell: OrganisationId,
    /// Host, and port where it is not 443.
    #[n(4)]
    pub(crate) address: String,
    /// CBOR array of the DER certificates that every connection must chain to.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub(crate) roots: Vec<u8>,
    /// The phone's signing key (PKCS #8), sealed.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub(crate) device_key: Vec<u8>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("installation", &self.installation)
            .finish_non_exhaustive()
    }
}

/// A new signing key: the key pair, and its sealed form to keep.
pub(crate) fn new_device_key(keys: &Keys) -> Result<(Ed25519KeyPair, Vec<u8>), HandbookError> {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| HandbookError::KeyFailed)?;
    let pkcs8 = Zeroizing::new(document.as_ref().to_vec());
    let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|_| HandbookError::KeyFailed)?;
    Ok((pair, keys.signer()?.seal(DEVICE_KEY, &pkcs8)?))
}

/// The public half.
pub(crate) fn public_key(pair: &Ed25519KeyPair) -> &[u8] {
    pair.public_key().as_ref()
}

impl Identity {
    /// Opens the signing key.
    pub(crate) fn signing_key(&self, keys: &Keys) -> Result<Ed25519KeyPair, HandbookError> {
        let pkcs8 = keys
            .signer()?
            .open(DEVICE_KEY, &self.device_key)
            .map(Zeroizing::new);
        let pkcs8 = pkcs8.ok_or(HandbookError::WrongKey)?;
        Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|_| HandbookError::KeyFailed)
    }
}
