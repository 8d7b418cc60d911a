//! Invitations of many members at once: their codes are drawn and stretched outside of any transaction, since that is what takes
//! time, and given out within one.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

use sotay_model::enrolment::{Code, EnrolmentKeys};
use sotay_model::organisation::Act;
use sotay_model::{Actor, MemberId, Scope, Timestamp};

use super::enrolment::{random, stretch, unused};
use super::{Batch, EngineError};
use crate::audit::Event;
use crate::storage::{StorageError, Transaction};

/// Each thread fills 19 MiB at a time; a server that serves at the same time keeps the rest of its cores.
const MOST_THREADS: usize = 8;

/// A code and the keys that it gives. Nobody is invited by it yet.
#[derive(Debug)]
pub(crate) struct Drawn {
    /// What goes on paper, and nowhere else.
    pub(crate) code: Code,
    keys: EnrolmentKeys,
}

/// Draws that many codes, on as many threads as there are cores.
pub(crate) fn draw(many: usize) -> Result<Vec<Drawn>, StorageError> {
    let threads = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(MOST_THREADS)
        .min(many);
    let share = |codes: usize| -> Result<Vec<Drawn>, StorageError> {
        (0..codes)
            .map(|_| {
                let code = Code::from_random(random()?);
                let keys = EnrolmentKeys::derive(&stretch(&code)?);
                Ok(Drawn { code, keys })
            })
            .collect()
    };
    let drawn = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|at| many / threads + usize::from(at < many % threads))
            .map(|codes| scope.spawn(move || share(codes)))
            .collect();
        let mut drawn = Vec::with_capacity(many);
        for worker in workers {
            drawn.extend(worker.join().unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok::<_, StorageError>(drawn)
    })?;
    let lookups: BTreeSet<_> = drawn.iter().map(|one| one.keys.lookup).collect();
    if lookups.len() == many {
        Ok(drawn)
    } else {
        Err(DRAWN_TWICE)
    }
}

/// The same 60 bits twice are no accident.
const DRAWN_TWICE: StorageError = StorageError::Damaged {
    what: "source of randomness",
};

/// Whether a member may have a phone at all: what the one authorisation function lets even the operator do. Nobody unknown, and
/// nobody whose membership has ended.
pub(crate) fn may_join(
    transaction: &Transaction<'_>,
    member: MemberId,
    now: Timestamp,
) -> Result<bool, EngineError> {
    let invite = Act::Invite { member };
    let permitted = Batch::begin(transaction, now)?.permit(Actor::Operator, &invite)?;
    Ok(permitted.is_ok())
}

/// Makes a code an invitation of a member, by the operator. The caller commits.
pub(crate) fn give_out(
    transaction: &Transaction<'_>,
    member: MemberId,
    drawn: &Drawn,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<(), StorageError> {
    if transaction.invitation(&drawn.keys.lookup)?.is_some() {
        return Err(DRAWN_TWICE);
    }
    transaction.set_invitation(&unused(member, &drawn.keys, expires_at))?;
    let made = Event::InvitationMade { member, by: None };
    transaction.audit(now, Scope::person(member), &made)
}

/// Makes the open invitations of a member unusable, for the operator; how many there were. The caller commits.
pub(crate) fn close(
    transaction: &Transaction<'_>,
    member: MemberId,
    now: Timestamp,
) -> Result<usize, StorageError> {
    let closed = transaction.close_invitations(member, now)?;
    if closed > 0 {
        let event = Event::InvitationsClosed { member, by: None };
        transaction.audit(now, Scope::person(member), &event)?;
    }
    Ok(closed)
}
