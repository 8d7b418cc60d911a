//! The end of a handbook: closed, signed out of, wiped, or revoked by the organisation.
//!
//! Invariant: whoever wipes has closed the files first, and what is left to do after a kill is in [`crate::wipe`]'s marker.

use std::sync::Arc;
use std::time::Duration;

use crate::disk::PhoneDisk;
use crate::error::HandbookError;
use crate::handbook::{Handbook, canonical};
use crate::lifecycle::{Inner, guarded};
use crate::store;
use crate::store::rows::{self, Standing};
use crate::vault::KeyVault;
use crate::wipe;

/// How long `shutdown` and `wipe` wait for commits under way.
const LAST_COMMITS: Duration = Duration::from_secs(5);

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// Deletes everything of this handbook from the phone, the key first. Says how many unsent entries are lost. Killed in the
    /// middle, the next opening finishes it.
    pub fn wipe(&self) -> Result<u32, HandbookError> {
        let inner = self.inner();
        guarded(&inner.folder, || inner.wipe())
    }

    /// Leaves the handbook: the same as `wipe`, but while something entered was not sent it answers `Unsent` and does nothing,
    /// unless `lose_unsent` says that the member knows.
    pub fn sign_out(&self, lose_unsent: bool) -> Result<u32, HandbookError> {
        let inner = self.inner();
        inner.guarded(|| {
            if inner.is_shut() {
                return Err(HandbookError::Cancelled);
            }
            if !lose_unsent {
                inner.nothing_unsent()?;
            }
            inner.leave();
            inner.wipe()
        })
    }
}

/// Deletes a handbook that cannot be opened because its key is lost or its PIN is forgotten, so that the phone can join again.
/// Says how many unsent entries are lost: ask the person first.
#[cfg_attr(feature = "uniffi", uniffi::export)]
pub fn erase_handbook(folder: String, vault: Arc<dyn KeyVault>) -> Result<u32, HandbookError> {
    let folder = canonical(&folder)?;
    guarded(&folder, || {
        let _lock = store::lock(&folder)?;
        wipe::wipe(&PhoneDisk, &folder, &*vault)
    })
}

impl Inner {
    /// Ends syncing, waiting calls and live queries, and closes the files.
    pub(crate) fn end(&self) {
        self.watches.end();
        self.stop_background();
        self.close(true, LAST_COMMITS);
        self.disconnect();
    }

    /// Deletes everything. The caller is not inside the gate.
    pub(crate) fn wipe(&self) -> Result<u32, HandbookError> {
        self.end();
        self.forget();
        let _lock = store::lock(&self.folder)?;
        wipe::wipe(&PhoneDisk, &self.folder, &*self.vault)
    }

    /// Deletes everything because the organisation revoked this phone: for whoever has seen its signature, and is not inside
    /// the gate. From now on every call answers `Revoked`, until the app opens an empty handbook in this folder. What cannot be
    /// deleted now is deleted by that opening.
    pub(crate) fn wipe_revoked(&self) -> HandbookError {
        // The marker first: this process has the folder as long as its files are open.
        let marked = self
            .enter()
            .and_then(|_open| wipe::mark(&PhoneDisk, &self.folder));
        self.revoke();
        let wiped = self.wipe();
        tracing::warn!(
            marked = marked.is_ok(),
            wiped = wiped.is_ok(),
            "deleted, because this phone was revoked"
        );
        HandbookError::Revoked
    }

    /// `Unsent` where something waits to be sent. If not, the handbook is paused, so that nothing more is entered.
    fn nothing_unsent(&self) -> Result<(), HandbookError> {
        let waiting = self
            .enter()?
            .read(|db| rows::standing(db, Standing::Pending))?;
        if waiting > 0 {
            return Err(HandbookError::Unsent { count: waiting });
        }
        self.close(false, LAST_COMMITS);
        match store::unsent_in(&self.folder) {
            0 => Ok(()),
            // Entered at the last moment.
            count => {
                self.reopen()?;
                self.watches.reopened();
                self.wake_background();
                Err(HandbookError::Unsent { count })
            }
        }
    }
}

#[cfg(test)]
mod tests;
