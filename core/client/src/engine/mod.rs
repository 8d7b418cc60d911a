//! The sync engine: turns the store and an instant into a request, and a response into one transaction.
//!
//! It does no I/O of its own and reads no clock. One [`Round`] is one call of `sync`: it asks at least once, and again as
//! long as the server has more or mutations wait that it has not looked at.
//!
//! In one transaction a response's receipts settle the outbox, their bodies go into place, its pages move listings,
//! cursors and sums, and the overlay is made anew from what is still pending. So an own write never flickers, and a crash
//! anywhere leaves the state before or after.

pub(crate) mod feeds;
pub(crate) mod incoming;
pub(crate) mod overlay;
mod receipts;
#[cfg(test)]
mod simulation;
pub(crate) mod submit;

use std::collections::BTreeSet;

use rusqlite::{Connection, TransactionBehavior};
use sotay_model::wire::{Cursor, MAX_MUTATIONS, MAX_REQUEST_BYTES, PROTOCOL, Sent, SyncRequest};
use sotay_model::{OrganisationId, Timestamp, cbor};

use self::feeds::{Applied, Rows};
use self::incoming::Incoming;
use crate::error::HandbookError;
use crate::handbook::SyncReport;
use crate::identity::Identity;
use crate::store::Writer;
use crate::store::rows::{self, Setting, Standing, scope_of, unsigned_of};
use crate::watch::{Concern, Touched};

/// The most rows a phone asks for at once: large enough to load fast, small enough to hold in memory.
pub(crate) const MAX_ROWS: u32 = 10_000;
/// The most bytes of mutations in one request, with room for everything else in it.
const MAX_SENT_BYTES: usize = MAX_REQUEST_BYTES / 2;
/// How often everything is read again and compared with the sums.
const VERIFY_EVERY_MS: i64 = 24 * 3_600_000;
/// How many responses of one round may not follow on what the phone has.
const MAX_UNFIT: u32 = 3;
/// More round trips than any honest server needs for one call.
const MAX_ROUND_TRIPS: u32 = 100_000;

/// Why a response was not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It could not be read.
    Unreadable,
    /// It ended early.
    Truncated,
    /// The store failed; nothing was applied.
    Store(HandbookError),
}

impl From<HandbookError> for Fault {
    fn from(error: HandbookError) -> Self {
        Self::Store(error)
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// One call of `sync`.
#[derive(Debug, Default)]
pub(crate) struct Round {
    again: bool,
    asked: bool,
    /// Mutations that the server does not know the kind of yet, and that were sent in this round.
    not_yet: BTreeSet<i64>,
    /// The server was sent mutations and looked at none of them.
    ignored: bool,
    /// Responses that did not follow on what the phone has.
    unfit: u32,
    resent: bool,
    /// Numbers without a mutation are filled.
    fills: bool,
    max_rows: u32,
    /// A scope's sum does not fit, and fetching it again did not help: what could be applied was.
    pub(crate) broken: bool,
    /// The server's time in the last response.
    pub(crate) server_time: Option<Timestamp>,
    /// What it did so far.
    pub(crate) report: SyncReport,
}

impl Round {
    /// A new round that asks for pages of at most this many rows.
    pub(crate) fn new(max_rows: u32) -> Self {
        Self {
            max_rows,
            ..Self::default()
        }
    }

    /// The next request's body; none when the round is over.
    pub(crate) fn next_request(
        &mut self,
        writer: &Writer,
    ) -> Result<Option<Vec<u8>>, HandbookError> {
        let mut mutations = pending(&writer.db)?;
        let waiting = !self.ignored
            && mutations
                .iter()
                .any(|sent| !self.not_yet.contains(&sent.n.cast_signed()));
        if self.asked && !self.again && !waiting {
            return Ok(None);
        }
        if self.report.round_trips >= MAX_ROUND_TRIPS {
            return Ok(None);
        }
        if self.fills {
            mutations = filled(mutations);
        }
        let request = SyncRequest {
            protocol: PROTOCOL,
            incarnation: rows::setting_number(&writer.db, Setting::Incarnation)?
                .unwrap_or(0)
                .cast_unsigned(),
            cursors: cursors(&writer.db)?,
            mutations,
            max_rows: self.max_rows,
        };
        Ok(Some(cbor::to_bytes(&request)))
    }

    /// Applies a response, and says what it touched.
    pub(crate) fn on_response(
        &mut self,
        writer: &mut Writer,
        me: &Identity,
        bytes: &[u8],
        wall: Timestamp,
    ) -> Result<Touched, Fault> {
        let mut response: Incoming<'_> = cbor::from_bytes(bytes).map_err(|error| {
            if error.is_end_of_input() {
                Fault::Truncated
            } else {
                Fault::Unreadable
            }
        })?;
        let mut touched = Touched {
            delivery: true,
            ..Touched::default()
        };
        let db = writer
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;

        let stored = rows::setting_number(&db, Setting::Incarnation)?
            .unwrap_or(0)
            .cast_unsigned();
        let other_server = stored != 0 && stored != response.incarnation;
        if other_server {
            feeds::void_all(&db)?;
            receipts::send_accepted_again(&db, response.backed_up_through)?;
        }
        let mut to = Rows::new(&db)?;
        for scope in &response.revoked {
            feeds::revoke(&mut to, *scope, &mut touched)?;
        }
        for scope in &response.gained {
            if feeds::gain(&mut to, *scope)? {
                // What the phone may see changed as a whole.
                touched.everything = true;
            }
        }
        let settled = receipts::settle(&mut to, &writer.overlay, &response, &mut touched)?;
        let (mut received, mut healing, mut unfit, mut broken) = (0, false, false, false);
        let mut complete = !response.more;
        for page in &mut response.pages {
            complete &= !page.more;
            match feeds::apply_page(&mut to, page, &mut touched)? {
                Applied::Done => received += u32::try_from(page.rows.len()).unwrap_or(u32::MAX),
                Applied::NotFitting => unfit = true,
                Applied::Healing => healing = true,
                Applied::Broken => broken = true,
            }
        }
        drop(to);
        if complete && !healing && !unfit {
            feeds::sweep(&db, &mut touched)?;
            let verified = rows::setting_number(&db, Setting::LastVerified)?;
            let due =
                verified.is_some_and(|at| response.now.0.saturating_sub(at) >= VERIFY_EVERY_MS);
            if due {
                healing = feeds::verify(&db)?;
            }
            if due || verified.is_none() {
                rows::set_number(&db, Setting::LastVerified, response.now.0)?;
            }
        }
        receipts::forget_backed_up(&db, response.backed_up_through)?;
        let next = rows::setting_number(&db, Setting::NextN)?.unwrap_or(1);
        rows::set_number(
            &db,
            Setting::NextN,
            next.max(response.high_water.cast_signed().saturating_add(1)),
        )?;
        rows::set_number(
            &db,
            Setting::Incarnation,
            response.incarnation.cast_signed(),
        )?;
        rows::set_number(
            &db,
            Setting::ClockOffset,
            response.now.0.saturating_sub(wall.0),
        )?;
        rows::set_number(&db, Setting::LastSynced, response.now.0)?;
        let replayed = if settled.is_empty()
            && touched.records.is_empty()
            && !touched.everything
            && !other_server
        {
            None
        } else {
            Some(overlay::replay(&db, &writer.overlay, me.member)?)
        };
        db.commit()?;
        if let Some((overlay, changed)) = replayed {
            writer.overlay = overlay;
            touched.extend(changed);
        }
        touched.outbox |= !settled.is_empty();
        // The database is right already; a journal that says too much only costs a repetition.
        let _ = writer.journal.settle(&settled.done);

        self.asked = true;
        self.not_yet.extend(&settled.not_yet);
        self.report.round_trips += 1;
        self.report.accepted += u32::try_from(settled.done.len()).unwrap_or(u32::MAX);
        self.report.refused += settled.refused;
        self.report.received = self.report.received.saturating_add(received);
        let unfit = (unfit || other_server) && self.unfit < MAX_UNFIT;
        self.unfit += u32::from(unfit);
        self.again = response.more || healing || unfit;
        // A server that was sent mutations and looked at none will not look at them now.
        self.ignored = settled.looked_at == 0 && !response.more;
        self.broken = broken;
        self.server_time = Some(response.now);
        Ok(touched)
    }

    /// The server says that a number was left out. A server restored from a backup has forgotten mutations that this phone
    /// still keeps: they are sent again, and the numbers of those that were refused or discarded since are filled, once a round.
    pub(crate) fn on_gap(&mut self, writer: &mut Writer) -> Result<bool, HandbookError> {
        if std::mem::replace(&mut self.resent, true) {
            return Ok(false);
        }
        self.fills = true;
        receipts::send_accepted_again(&writer.db, 0)?;
        Ok(true)
    }
}

fn cursors(db: &Connection) -> Result<Vec<Cursor>, HandbookError> {
    let mut select =
        db.prepare_cached("SELECT scope, epoch, cursor FROM scope WHERE held = 1 ORDER BY scope")?;
    let mut rows = select.query([])?;
    let mut cursors = Vec::new();
    while let Some(row) = rows.next()? {
        cursors.push(Cursor {
            scope: scope_of(row, 0)?,
            epoch: unsigned_of(row, 1)?,
            seq: unsigned_of(row, 2)?,
        });
    }
    Ok(cursors)
}

fn pending(db: &Connection) -> Result<Vec<Sent>, HandbookError> {
    let mut select =
        db.prepare_cached("SELECT n, mutation FROM outbox WHERE state = ?1 ORDER BY n")?;
    let mut rows = select.query([Standing::Pending as u8])?;
    let (mut sent, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let mutation: Vec<u8> = row.get(1)?;
        bytes += mutation.len() + 16;
        if sent.len() >= MAX_MUTATIONS || (bytes > MAX_SENT_BYTES && !sent.is_empty()) {
            break;
        }
        sent.push(Sent {
            n: unsigned_of(row, 0)?,
            mutation,
        });
    }
    Ok(sent)
}

/// Puts an empty mutation under every number that is left out. A server that does not know the number refuses it as malformed,
/// which uses the number up; one that knows it answers with what it remembers. The phone waits for neither.
fn filled(mutations: Vec<Sent>) -> Vec<Sent> {
    let (Some(first), Some(last)) = (
        mutations.first().map(|s| s.n),
        mutations.last().map(|s| s.n),
    ) else {
        return mutations;
    };
    let from = first.saturating_sub(MAX_MUTATIONS as u64 / 2).max(1);
    let mut known = mutations.into_iter().peekable();
    (from..=last)
        .map(|n| {
            known.next_if(|sent| sent.n == n).unwrap_or(Sent {
                n,
                mutation: Vec::new(),
            })
        })
        .take(MAX_MUTATIONS)
        .collect()
}

/// What concerns the phone now, for the live queries.
pub(crate) fn concern(db: &Connection, me: Option<&Identity>) -> Result<Concern, HandbookError> {
    let mut organisations: BTreeSet<OrganisationId> = cursors(db)?
        .into_iter()
        .filter(|cursor| cursor.scope.kind != sotay_model::id::ScopeKind::Person)
        .map(|cursor| OrganisationId(cursor.scope.id))
        .collect();
    organisations.extend(me.map(|me| me.cell));
    Ok(Concern {
        me: me.map(|me| me.member),
        organisations,
    })
}
