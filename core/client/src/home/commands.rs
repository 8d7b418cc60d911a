//! Reading the first screen, and settling what was refused.

use super::views::{HomeView, OutboxView};
use crate::error::HandbookError;
use crate::handbook::Handbook;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// The first screen.
    pub fn home(&self) -> Result<HomeView, HandbookError> {
        todo!()
    }

    /// What waits to be sent, and what was refused.
    pub fn outbox(&self) -> Result<OutboxView, HandbookError> {
        todo!()
    }

    /// Puts a refused entry away for good.
    pub fn discard_refused(&self, n: i64) -> Result<(), HandbookError> {
        todo!()
    }

    /// Sends a refused entry again as a new one, decided by the rules as they stand now.
    pub fn send_again(&self, n: i64) -> Result<(), HandbookError> {
        todo!()
    }
}
