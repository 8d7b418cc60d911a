//! The rules of the member handbook, and nothing else: records, mutations, what is allowed, and the wire messages.
//!
//! No I/O, no clock, no randomness. The phone and the server run the same [`apply()`] on the records that each of them
//! holds. One module per domain, with the same name as in the client and the apps.

pub mod apply;
pub mod blob;
pub mod board;
pub mod cbor;
pub mod defect;
pub mod device_key;
pub mod documents;
pub mod enrolment;
pub mod exchange;
pub mod id;
pub mod inventory;
pub mod meetings;
pub mod mutation;
pub mod organisation;
pub mod profile;
pub mod qr;
pub mod record;
mod redacted;
pub mod rejection;
pub mod removed;
pub mod session;
pub mod signature;
pub mod statement;
pub mod text;
pub mod time;
pub mod wire;
pub mod world;

pub use apply::{Actor, Outcome, apply};
pub use blob::{BlobDigest, NamedBlob};
pub use id::{
    DocumentKey, Id, InstallationId, MeetingKey, MemberId, OrganisationId, RecordKey, Scope,
};
pub use mutation::{Intent, Mutation};
pub use record::{Body, Effect, Kind, Put, Record, RecordHash, ScopeSum, Stamp};
pub use rejection::Rejection;
pub use time::{CalendarDate, ClockAuthority, Now, Timestamp};
pub use world::{Need, World};

#[cfg(feature = "uniffi")]
uniffi::setup_scaffolding!();
