//! What the operator enters: the register's organisations, members and offices, through the same rules.

use std::collections::BTreeSet;

use sotay_model::{Actor, Intent, Mutation, Outcome, Rejection, Scope, Timestamp};

use super::{Batch, EngineError};
use crate::storage::Transaction;

/// An entry that the rules refuse; nothing of the whole list was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which one, counted from 0.
    pub index: usize,
    /// Why.
    pub why: Rejection,
}

/// Enters a list within a transaction and says which scopes changed. The caller commits, unless one was refused.
pub(crate) fn enter(
    transaction: &Transaction<'_>,
    intents: impl IntoIterator<Item = Intent>,
    now: Timestamp,
) -> Result<Result<BTreeSet<Scope>, Refused>, EngineError> {
    let mut batch = Batch::begin(transaction, now)?;
    for (index, intent) in intents.into_iter().enumerate() {
        let mutation = Mutation {
            made_at: now,
            needs: Vec::new(),
            intent,
        };
        match batch.decide(Actor::Operator, &mutation)? {
            Outcome::Done(effect) => {
                let written = batch.write(&effect)?;
                batch.audit(None, &mutation.intent, &written)?;
            }
            Outcome::Rejected(why) => return Ok(Err(Refused { index, why })),
            Outcome::NotYet | Outcome::Need(_) => return Err(EngineError::Endless),
        }
    }
    batch.store_heads()?;
    Ok(Ok(batch.changed))
}
