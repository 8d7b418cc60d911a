//! The one object an app holds.

use std::sync::Arc;

use sotay_model::{Id, Intent, MemberId, OrganisationId, Timestamp};

use crate::current::Current;
use crate::error::HandbookError;
use crate::vault::KeyVault;
use crate::watch::{Change, Query};

/// One person's handbook in one folder of one phone. Every method blocks until it is done and may be called from any
/// thread; the Kotlin and Swift wrappers add `suspend` and `async`.
#[derive(Debug)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct Handbook {}

/// Whose handbook was joined.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct JoinedView {
    /// The member.
    pub member: MemberId,
    /// Name, to greet before the first sync.
    pub member_name: String,
    /// The home cell.
    pub cell: OrganisationId,
}

/// What one sync did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SyncReport {
    /// Own entries that the server carried out.
    pub accepted: u32,
    /// Own entries that the server refused; they are in `outbox`.
    pub refused: u32,
    /// Records received.
    pub received: u32,
    /// Round trips it took.
    pub round_trips: u32,
}

/// A sync that runs in the background until it is cancelled: at once after each entry, when the server wakes it, and again
/// with growing pauses when there is no network.
#[derive(Debug)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct SyncHandle {}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl SyncHandle {
    /// Stops it. What is under way is finished or given up without loss.
    pub fn cancel(&self) -> Result<(), HandbookError> {
        todo!()
    }
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// Opens the handbook in a private folder of the app, or makes an empty one. Opening the same folder again in the same
    /// process gives the same handbook; another process gets `InUse`.
    #[cfg_attr(feature = "uniffi", uniffi::constructor)]
    pub fn open(folder: String, vault: Arc<dyn KeyVault>) -> Result<Arc<Self>, HandbookError> {
        todo!()
    }

    /// Whose handbook it is; none before `join`.
    pub fn joined(&self) -> Result<Option<JoinedView>, HandbookError> {
        todo!()
    }

    /// Joins with an invitation: the text of a scanned code, `sotay://join/<host:port>/<code>`, or `host:port` and the
    /// thirteen typed symbols separated by a space. Needs the network; nothing is left behind when it fails.
    pub fn join(&self, invitation: String, device_name: String) -> Result<JoinedView, HandbookError> {
        todo!()
    }

    /// Sends what is pending and fetches what is new, until nothing is left.
    pub fn sync(&self) -> Result<SyncReport, HandbookError> {
        todo!()
    }

    /// Starts syncing in the background. Starting again while it runs gives another handle on the same run.
    pub fn start_sync(&self) -> Result<Arc<SyncHandle>, HandbookError> {
        todo!()
    }

    /// Registers a query; its first change is reported at once.
    pub fn watch(&self, query: Query) -> Result<i64, HandbookError> {
        todo!()
    }

    /// Ends a query.
    pub fn unwatch(&self, watch: i64) -> Result<(), HandbookError> {
        todo!()
    }

    /// Blocks until a watched query may have changed. `Cancelled` after `shutdown`.
    pub fn next_changes(&self) -> Result<Vec<Change>, HandbookError> {
        todo!()
    }

    /// Refuses new work, waits for commits under way, writes the log back and closes every file. At most `deadline_ms`
    /// milliseconds; what is not finished by then is given up without loss.
    pub fn pause(&self, deadline_ms: u32) -> Result<(), HandbookError> {
        todo!()
    }

    /// Opens the files again.
    pub fn resume(&self) -> Result<(), HandbookError> {
        todo!()
    }

    /// Ends syncing, waiting calls and live queries, and closes the files. The object is of no use afterwards.
    pub fn shutdown(&self) -> Result<(), HandbookError> {
        todo!()
    }

    /// Deletes everything of this handbook from the phone, the key first. Says how many unsent entries are lost.
    pub fn wipe(&self) -> Result<u32, HandbookError> {
        todo!()
    }
}

/// What the domains' commands and views are built on.
impl Handbook {
    /// Decides on an intent by the rules, stores it with its effect, and returns its number once durable.
    pub(crate) fn submit(&self, intent: Intent) -> Result<i64, HandbookError> {
        todo!()
    }

    /// Runs a view on one consistent state of the local database.
    pub(crate) fn read<T>(
        &self,
        view: impl FnOnce(&Current<'_>) -> Result<T, HandbookError>,
    ) -> Result<T, HandbookError> {
        todo!()
    }

    /// A fresh id for something created here.
    pub(crate) fn new_id(&self) -> Result<Id, HandbookError> {
        todo!()
    }

    /// Puts a refused mutation away for good.
    pub(crate) fn discard(&self, n: i64) -> Result<(), HandbookError> {
        todo!()
    }

    /// Submits a refused mutation's intent anew, decided by the rules as they stand now.
    pub(crate) fn resend(&self, n: i64) -> Result<i64, HandbookError> {
        todo!()
    }

    /// Remembers something for this phone only.
    pub(crate) fn set_local(&self, name: &str, value: &[u8]) -> Result<(), HandbookError> {
        todo!()
    }
}

impl Handbook {
    /// The member whose handbook it is.
    pub(crate) fn me(&self) -> Result<MemberId, HandbookError> {
        todo!()
    }

    /// The member's home cell.
    pub(crate) fn cell(&self) -> Result<OrganisationId, HandbookError> {
        todo!()
    }
}
