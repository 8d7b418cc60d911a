//! Defects of phone and server that the simulator switches on, to see whether it finds them; and a server that plays an
//! older one.
//!
//! They exist only with the feature `simulation`; without it [`is_on`] is false at compile time.

use crate::mutation::Intent;

/// A way to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// A phone commits a scope's cursor before the page that it belongs to.
    CursorBeforePage,
    /// A server commits receipts and numbers after the effect.
    ReceiptOutsideTransaction,
    /// A phone passes over rows that say that a record left.
    TombstoneDropped,
    /// A phone leaves the overlay as it was when a page came.
    OverlayNotReplayed,
    /// A phone takes a receipt for the page: what was written is gone until that comes.
    OverlayDroppedEarly,
    /// A phone keeps the body that came last, not the one with the highest stamp.
    LastBodyWins,
    /// A phone sweeps bodies that no scope lists before the last page has come.
    SweepBeforeLastPage,
    /// A phone parks what its own replay refuses.
    ParksByItself,
    /// A server forgets receipts after a time.
    ReceiptsExpireByClock,
    /// A phone keeps the bodies of a scope that was revoked.
    RevokedHalf,
    /// A phone goes on with its cursors after the server was restored.
    RestoredBelieved,
    /// A phone does not wait until the journal is on the disk.
    JournalNotSynced,
    /// A phone lets the server forget receipts before it has settled them for good.
    SettledTooEarly,
    /// A phone sends what a restored server forgot no more.
    AcceptedForgotten,
    /// A server forgets deletions without a phone noticing.
    FloorIgnored,
    /// A server shows a page of a scope that the member no longer holds.
    AccessOfYesterday,
}

impl Defect {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::CursorBeforePage,
        Self::ReceiptOutsideTransaction,
        Self::TombstoneDropped,
        Self::OverlayNotReplayed,
        Self::OverlayDroppedEarly,
        Self::LastBodyWins,
        Self::SweepBeforeLastPage,
        Self::ParksByItself,
        Self::ReceiptsExpireByClock,
        Self::RevokedHalf,
        Self::RestoredBelieved,
        Self::JournalNotSynced,
        Self::SettledTooEarly,
        Self::AcceptedForgotten,
        Self::FloorIgnored,
        Self::AccessOfYesterday,
    ];
}

#[cfg(feature = "simulation")]
std::thread_local! {
    static ON: core::cell::Cell<Option<Defect>> = const { core::cell::Cell::new(None) };
    static OLDER_SERVER: core::cell::Cell<bool> = const { core::cell::Cell::new(false) };
}

/// From now on this thread's servers are, or are not, of an older version that knows fewer kinds of mutations.
#[cfg(feature = "simulation")]
pub fn pretend_older_server(older: bool) {
    OLDER_SERVER.set(older);
}

/// Whether the server is one of an older version that does not know this kind of mutation.
#[cfg(feature = "simulation")]
pub fn older_server_lacks(intent: &Intent) -> bool {
    OLDER_SERVER.get()
        && matches!(
            intent,
            Intent::PublishDocument(_) | Intent::RequestAbsence(_) | Intent::CancelMeeting(_)
        )
}

/// Whether the server is one of an older version that does not know this kind of mutation.
#[cfg(not(feature = "simulation"))]
pub const fn older_server_lacks(_: &Intent) -> bool {
    false
}

/// Switches one on for this thread, or none.
#[cfg(feature = "simulation")]
pub fn switch(defect: Option<Defect>) {
    ON.set(defect);
}

/// Whether a defect is switched on.
#[cfg(feature = "simulation")]
pub fn is_on(defect: Defect) -> bool {
    ON.get() == Some(defect)
}

/// Whether a defect is switched on.
#[cfg(not(feature = "simulation"))]
pub const fn is_on(_: Defect) -> bool {
    false
}
