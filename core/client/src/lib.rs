//! The phone's engine: everything the handbook does on a phone, behind one object, [`Handbook`].
//!
//! * submit – a command is decided by the same rules as on the server, stored with its effect, and returned from when durable
//! * sync – one round trip sends what is pending and brings what is new
//! * read – a screen reads one struct from the local database
//!
//! The sync engine does no I/O of its own: it turns a store and an instant into a request, and a response into a
//! transaction. [`Handbook`] drives it with reqwest and a thread.
//!
//! What it does can be followed through `tracing`: how syncing goes, in numbers and codes. No span and no event carries a
//! name, an id of a member, a title or any other word of a record; on phones nobody listens unless the app subscribes.

mod any_certificate;
mod background;
mod blob;
mod clock;
mod current;
mod disk;
mod ending;
mod engine;
mod enrol;
mod error;
#[cfg(feature = "simulation")]
pub mod foreign;
mod gate;
mod handbook;
mod identity;
mod joining;
mod journal;
mod keys;
mod keys_file;
mod lifecycle;
mod lock;
mod network;
mod organisation;
mod pin;
mod schedule;
mod server_certificate;
mod session;
mod signer;
#[cfg(any(test, feature = "simulation"))]
mod simulated_disk;
#[cfg(feature = "simulation")]
pub mod simulation;
mod state;
mod store;
mod sync;
#[cfg(test)]
mod test_ground;
mod threads;
mod transport;
mod unlock;
mod vault;
mod watch;
mod wipe;

pub mod documents;
pub mod home;
pub mod meetings;
pub mod phones;
pub mod profile;

pub use clock::{Clock, Reading, SettableClock, SystemClock};
pub use ending::erase_handbook;
pub use error::{HandbookError, ServerFault};
pub use handbook::{Handbook, JoinedView, SyncHandle, SyncReport};
pub use joining::JoiningView;
pub use schedule::{NextTryReason, SyncOutcome};
pub use signer::{DeviceSigner, SignerError};
pub use state::{ParkedView, ProgressView, SyncStateView};
pub use sync::SyncCall;
pub use vault::{KeyVault, VaultAnswer, VaultError};
pub use watch::{Change, Query};

#[cfg(feature = "uniffi")]
uniffi::setup_scaffolding!();
