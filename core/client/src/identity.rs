//! Who joined with this phone, and how its server is reached. Kept in the database and, sealed, in the journal. A phone that
//! waits for an officer's confirmation is kept in the database only: nothing was entered yet.

use minicbor::{Decode, Encode};
use sotay_model::statement::Version;
use sotay_model::wire::TrustAnchors;
use sotay_model::{InstallationId, MemberId, OrganisationId, Timestamp};

/// The library's version.
pub(crate) const LIBRARY: &str = env!("CARGO_PKG_VERSION");

/// What an enrolment leaves on the phone, and the organisation's statements after it.
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
    /// Whom this phone trusts.
    #[n(5)]
    pub(crate) anchors: TrustAnchors,
    /// The device key (PKCS #8), sealed; empty where the phone's hardware has it.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub(crate) device_key: Vec<u8>,
    /// The serial of the organisation's statement that `anchors` and `minimum` are from; 0: as the phone joined.
    #[n(7)]
    #[cbor(default)]
    pub(crate) serial: u64,
    /// How old a library may be that enters anything.
    #[n(8)]
    #[cbor(default)]
    pub(crate) minimum: Version,
}

impl Identity {
    /// The version that the organisation wants, where this library is older.
    pub(crate) fn wanted(&self) -> Option<Version> {
        let older = Version::parse(LIBRARY).is_some_and(|own| own < self.minimum);
        older.then_some(self.minimum)
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("installation", &self.installation)
            .finish_non_exhaustive()
    }
}

/// A claim that the server took, and no officer has confirmed yet.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Joining {
    /// The phone's number.
    #[n(0)]
    pub(crate) installation: InstallationId,
    /// As in [`Identity`].
    #[n(1)]
    pub(crate) address: String,
    /// As in [`Identity`].
    #[n(2)]
    pub(crate) anchors: TrustAnchors,
    /// As in [`Identity`].
    #[cbor(n(3), with = "minicbor::bytes")]
    pub(crate) device_key: Vec<u8>,
    /// The six digits, as a number.
    #[n(4)]
    pub(crate) digits: u32,
    /// Until when an officer must have confirmed.
    #[n(5)]
    pub(crate) until: Timestamp,
}

impl std::fmt::Debug for Joining {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Joining")
            .field("installation", &self.installation)
            .finish_non_exhaustive()
    }
}
