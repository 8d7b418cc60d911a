//! The sync engine: turns the store and an instant into a request, and a response into one transaction.
//!
//! It does no I/O of its own and reads no clock. One [`Round`] is one call of `sync`: it asks at least once, and again as
//! long as the server has more or mutations wait that it has not looked at.
//!
//! In one transaction a response's receipts settle the outbox, their bodies go into place, its pages move listings,
//! cursors and sums, and the overlay is made anew from what is still pending. So an own write never flickers, and a crash
//! anywhere leaves the state before or after.

mod ahead;
pub(crate) mod feeds;
pub(crate) mod incoming;
pub(crate) mod overlay;
mod receipts;
mod spills;
pub(crate) mod submit;

use std::collections::BTreeSet;

use rusqlite::{Connection, TransactionBehavior};
use sotay_model::defect::{self, Defect};
use sotay_model::mutation::MAX_MUTATION_BYTES;
use sotay_model::rejection::{self, Field};
use sotay_model::wire::{
    Cursor, MAX_MUTATIONS, MAX_REQUEST_BYTES, PROTOCOL, ProblemCode, Sent, SyncRequest, Verdict,
};
use sotay_model::{Mutation, OrganisationId, Rejection, Timestamp, cbor};

use self::feeds::{Applied, Rows};
use self::incoming::Incoming;
use crate::blob::tidy;
use crate::error::HandbookError;
use crate::handbook::SyncReport;
use crate::identity::Identity;
use crate::store::Writer;
use crate::store::rows::{self, Setting, Standing, scope_of, unsigned_of};
use crate::watch::{Concern, Touched};

/// The most rows a phone asks for at once: large enough to load fast, small enough to hold in memory.
pub(crate) const MAX_ROWS: u32 = 6_000;
/// The most bytes of mutations in one request, with room for everything else in it.
const MAX_SENT_BYTES: usize = MAX_REQUEST_BYTES / 2;
/// How often everything is read again and compared with the sums.
const VERIFY_EVERY_MS: i64 = 24 * 3_600_000;
/// How many settled numbers the server hears of at once.
const SETTLED_LAG: u64 = 256;
/// How many responses of one round may not follow on what the phone has.
const MAX_UNFIT: u32 = 3;
/// More round trips than any honest server needs for one call.
const MAX_ROUND_TRIPS: u32 = 100_000;
/// How many own mutations are kept that the server carried out and its backups may lack. Older ones are forgotten: they
/// are in the server's database, and in its backups if it has any.
pub(crate) const MAX_KEPT: u32 = 10_000;

/// Why a response was not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "simulation"), allow(unreachable_pub))]
pub enum Fault {
    /// It could not be read.
    Unreadable,
    /// It ended early.
    Truncated,
    /// It says what no server may say; nothing was applied.
    Protocol,
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
    /// What the next request asks without sending mutations.
    probe: Option<Probe>,
    /// A number was missing once.
    missed: bool,
    /// Numbers from here on that have no mutation are filled.
    fills_from: Option<u64>,
    /// The most mutations in one request; 0: as many as fit.
    most: usize,
    /// The same, as long as time is short.
    hurried: usize,
    /// How many numbers may be settled before the server is told.
    settled_lag: u64,
    max_rows: u32,
    max_bytes: u32,
    /// The last request.
    last: Option<SyncRequest>,
    /// A scope's sum does not fit, or pages do not, and fetching again did not help: what could be applied was.
    pub(crate) broken: bool,
    /// The server's time in the last response.
    pub(crate) server_time: Option<Timestamp>,
    /// Scopes whose sums did not fit, and that are fetched again.
    pub(crate) healed: u32,
    /// What it did so far.
    pub(crate) report: SyncReport,
}

/// Why a request goes without mutations, though some wait.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Probe {
    /// The server misses a number: how far did it see?
    Missing,
    /// The server refuses a request with this one mutation: is it the mutation's fault?
    Suspect(i64, Rejection),
}

impl Round {
    /// A new round that asks for pages of at most this many rows.
    pub(crate) fn new(max_rows: u32) -> Self {
        Self {
            settled_lag: SETTLED_LAG,
            max_rows,
            ..Self::default()
        }
    }

    /// From now on asks for pages of at most so many rows, and about so many bytes; 0: as many as the server likes.
    pub(crate) const fn ask_for(&mut self, max_rows: u32, max_bytes: u32) {
        (self.max_rows, self.max_bytes) = (max_rows, max_bytes);
    }

    /// From now on tells the server of every so many settled numbers.
    #[cfg(feature = "simulation")]
    pub(crate) const fn tell_settled_after(&mut self, lag: u64) {
        self.settled_lag = lag;
    }

    /// From now on sends at most so many mutations in one request; 0: as many as fit.
    pub(crate) const fn send_at_most(&mut self, mutations: usize) {
        self.hurried = mutations;
    }

    /// The next request's body; none when the round is over.
    pub(crate) fn next_request(
        &mut self,
        writer: &Writer,
    ) -> Result<Option<Vec<u8>>, HandbookError> {
        let most = match (self.most, self.hurried) {
            (most, 0) | (0, most) => most,
            (most, hurried) => most.min(hurried),
        };
        let mut mutations = pending(&writer.db, most)?;
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
        if let Some(from) = self.fills_from {
            mutations = filled(mutations, from);
        }
        if self.probe.is_some() {
            mutations.clear();
        }
        let request = SyncRequest {
            protocol: PROTOCOL,
            incarnation: rows::setting_number(&writer.db, Setting::Incarnation)?
                .unwrap_or(0)
                .cast_unsigned(),
            cursors: cursors(&writer.db)?,
            mutations,
            max_rows: self.max_rows,
            max_bytes: self.max_bytes,
            settled_through: self.settled_through(writer)?,
        };
        let bytes = cbor::to_bytes(&request);
        self.last = Some(request);
        Ok(Some(bytes))
    }

    /// The mutations of the last request.
    fn sent(&self) -> &[Sent] {
        self.last.as_ref().map_or(&[], |last| &last.mutations)
    }

    /// The request that will follow once this response is stored, as far as that is plain to see: see [`ahead`].
    pub(crate) fn request_ahead(&self, response: &[u8]) -> Option<Vec<u8>> {
        let last = self.last.as_ref()?;
        ahead::request(last, response, self.max_rows, self.max_bytes)
    }

    /// Up to which number the server may forget receipts. That the phone settled them must then be on the disk, or a loss of
    /// power would have it ask again; as this costs a sync, the server is told now and then only.
    fn settled_through(&self, writer: &Writer) -> Result<u64, HandbookError> {
        let db = &writer.db;
        let told = rows::setting_number(db, Setting::SettledThrough)?.unwrap_or(0);
        let settled = settled_through(db)?;
        // Before the first answer to a database that was rebuilt nothing is settled: what was accepted may yet go up again.
        let rebuilt = rows::setting_number(db, Setting::Incarnation)?.is_none();
        if rebuilt || settled.saturating_sub(told) < self.settled_lag.cast_signed() {
            // Less than it was told where a restored server has forgotten what was settled once.
            return Ok(told.min(settled).cast_unsigned());
        }
        if !defect::is_on(Defect::SettledTooEarly) {
            writer.journal.sync()?;
            db.execute_batch("PRAGMA synchronous = FULL")?;
        }
        let kept = rows::set_number(db, Setting::SettledThrough, settled);
        db.execute_batch("PRAGMA synchronous = NORMAL")?;
        kept?;
        Ok(settled.cast_unsigned())
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
        if !response.is_sound() {
            return Err(Fault::Protocol);
        }
        let mut touched = Touched {
            delivery: true,
            ..Touched::default()
        };
        if defect::is_on(Defect::CursorBeforePage) {
            for page in &response.pages {
                writer.db.execute(
                    "UPDATE scope SET cursor = ?2 WHERE scope = ?1 AND held = 1 AND cursor = ?3",
                    rusqlite::params![
                        page.scope.to_bytes(),
                        page.to.cast_signed(),
                        page.from.cast_signed()
                    ],
                )?;
            }
        }
        let stored = rows::setting_number(&writer.db, Setting::Incarnation)?
            .unwrap_or(0)
            .cast_unsigned();
        // The server goes by it that these were heard of: a loss of power must not take them back.
        let must_last = stored != response.incarnation
            || self.probe.is_some()
            || response
                .receipts
                .iter()
                .any(|receipt| matches!(receipt.verdict, Verdict::Rejected(_)));
        if must_last {
            writer.db.execute_batch("PRAGMA synchronous = FULL")?;
        }
        let db = writer
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let other_server = stored != 0
            && stored != response.incarnation
            && !defect::is_on(Defect::RestoredBelieved);
        if other_server {
            feeds::void_all(&db)?;
        }
        if other_server || stored == 0 {
            touched.outbox |= receipts::send_accepted_again(&db, response.settled_through)? > 0;
        }
        let mut to = Rows::new(&db)?;
        for scope in &response.revoked {
            feeds::revoke(&mut to, *scope, &mut touched)?;
        }
        if !response.revoked.is_empty() && !touched.records.is_empty() {
            feeds::purge_indexes(&db)?;
        }
        for scope in &response.gained {
            if feeds::gain(&mut to, *scope)? {
                // What the phone may see changed as a whole.
                touched.everything = true;
            }
        }
        let mut settled = receipts::settle(&mut to, &writer.overlay, &response, &mut touched)?;
        if settled.spilled {
            spills::remember(&db, spills::ENTRIES)?;
        }
        let (mut received, mut healing, mut unfit, mut broken) = (0, false, false, false);
        let mut complete = !response.more;
        for page in &mut response.pages {
            complete &= !page.more;
            match feeds::apply_page(&mut to, page, &mut touched)? {
                Applied::Done => received += u32::try_from(page.rows.len()).unwrap_or(u32::MAX),
                Applied::NotFitting => unfit = true,
                Applied::NotHeld => return Err(Fault::Protocol),
                Applied::Healing => {
                    healing = true;
                    self.healed += 1;
                }
                Applied::Broken => broken = true,
            }
        }
        if to.spilled > 0 {
            spills::remember(&db, to.spilled)?;
        }
        drop(to);
        let complete = complete || defect::is_on(Defect::SweepBeforeLastPage);
        if complete && !healing && !unfit {
            feeds::sweep(&db, &mut touched)?;
            let verified = rows::setting_number(&db, Setting::LastVerified)?;
            let due =
                verified.is_some_and(|at| response.now.0.saturating_sub(at) >= VERIFY_EVERY_MS);
            if due {
                healing = feeds::verify(&db)?;
                self.healed += u32::from(healing);
            }
            if due || verified.is_none() {
                rows::set_number(&db, Setting::LastVerified, response.now.0)?;
            }
        }
        let forgotten = receipts::forget_backed_up(&db, response.backed_up_through)?;
        let probed = match self.probe.take() {
            Some(Probe::Missing) => {
                touched.outbox |= receipts::send_accepted_again(&db, response.settled_through)? > 0;
                self.fills_from = Some(response.high_water.saturating_add(1));
                true
            }
            Some(Probe::Suspect(n, why)) => {
                settled.refused.push((n, receipts::park(&db, n, &why)?));
                true
            }
            None => false,
        };
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
        // A row that only says that a record left a scope changes what rules see there.
        let nothing_new = settled.is_empty()
            && !probed
            && response.pages.iter().all(|page| page.rows.is_empty())
            && touched.records.is_empty()
            && !touched.everything
            && !other_server;
        let left_as_it_was = defect::is_on(Defect::OverlayNotReplayed) && settled.is_empty();
        let replayed = if nothing_new || left_as_it_was {
            None
        } else {
            Some(overlay::replay(&db, &writer.overlay, me.member)?)
        };
        tidy::forget_unnamed(&db, &touched)?;
        db.commit()?;
        if must_last {
            writer.db.execute_batch("PRAGMA synchronous = NORMAL")?;
        }
        if let Some((overlay, changed)) = replayed {
            writer.overlay = overlay;
            touched.extend(changed);
        }
        touched.outbox |= !settled.is_empty();
        // The database is right already; a journal that says too much only costs a repetition.
        let _ = writer.journal.decide(&settled.done, &settled.refused);
        let _ = writer.journal.settle(&forgotten);
        if let Err(error) = spills::clear(writer, &mut touched) {
            tracing::warn!(%error, "what was removed is not cleared yet");
        }

        self.asked = true;
        self.not_yet.extend(&settled.not_yet);
        self.report.round_trips += 1;
        self.report.accepted += u32::try_from(settled.done.len()).unwrap_or(u32::MAX);
        self.report.refused += u32::try_from(settled.refused.len()).unwrap_or(u32::MAX);
        self.report.received = self.report.received.saturating_add(received);
        let unfit = unfit || other_server;
        self.unfit += u32::from(unfit);
        self.again = response.more || healing || unfit;
        // A server that was sent mutations and looked at none will not look at them now.
        self.ignored =
            !self.sent().is_empty() && settled.looked_at == 0 && !response.more && !probed;
        self.broken = broken || self.unfit > MAX_UNFIT;
        self.server_time = Some(response.now);
        Ok(touched)
    }

    /// The server refused a whole request. Whether the round goes on: a request that is too much is sent in smaller pieces, until
    /// the one mutation that is refused is found and parked. Any other refusal ends the round.
    pub(crate) fn on_problem(&mut self, problem: ProblemCode) -> bool {
        let suspicion = match problem {
            // A server restored from a backup has forgotten mutations that this phone still keeps: how far did it see?
            ProblemCode::NumberGap => {
                if std::mem::replace(&mut self.missed, true) {
                    return false;
                }
                self.probe = Some(Probe::Missing);
                return true;
            }
            ProblemCode::TooLarge => Rejection::TooLarge {
                field: Field::Mutation,
                limit: u32::try_from(MAX_MUTATION_BYTES).unwrap_or(u32::MAX),
            },
            ProblemCode::Malformed => Rejection::Invalid {
                field: Field::Mutation,
                why: rejection::Fault::Malformed,
            },
            _ => return false,
        };
        match self.sent() {
            // Not because of any mutation.
            [] => return false,
            [one] => self.probe = Some(Probe::Suspect(one.n.cast_signed(), suspicion)),
            several => self.most = several.len() / 2,
        }
        true
    }
}

/// The phone asks no more about its mutations up to this number: all of them are settled, and none that waits builds on them.
fn settled_through(db: &Connection) -> Result<i64, HandbookError> {
    let mut through = rows::setting_number(db, Setting::NextN)?.unwrap_or(1) - 1;
    let mut select = db.prepare_cached("SELECT n, mutation FROM outbox WHERE state = ?1")?;
    let mut rows = select.query([Standing::Pending as u8])?;
    while let Some(row) = rows.next()? {
        let n: i64 = row.get(0)?;
        let bytes = row.get_ref(1)?.as_blob().map_err(|_| rows::DAMAGED)?;
        let mutation: Mutation = cbor::from_bytes(bytes).map_err(|_| rows::DAMAGED)?;
        let earliest = mutation
            .needs
            .iter()
            .copied()
            .chain(mutation.base_after())
            .fold(n, i64::min);
        through = through.min(earliest.saturating_sub(1));
    }
    Ok(through.max(0))
}

fn cursors(db: &Connection) -> Result<Vec<Cursor>, HandbookError> {
    let mut select = db.prepare_cached(
        "SELECT scope, epoch, cursor, began FROM scope WHERE held = 1 ORDER BY scope",
    )?;
    let mut rows = select.query([])?;
    let mut cursors = Vec::new();
    while let Some(row) = rows.next()? {
        cursors.push(Cursor {
            scope: scope_of(row, 0)?,
            epoch: unsigned_of(row, 1)?,
            seq: unsigned_of(row, 2)?,
            began: unsigned_of(row, 3)?,
        });
    }
    Ok(cursors)
}

fn pending(db: &Connection, most: usize) -> Result<Vec<Sent>, HandbookError> {
    let most = match most {
        0 => MAX_MUTATIONS,
        most => most.min(MAX_MUTATIONS),
    };
    let mut select =
        db.prepare_cached("SELECT n, mutation FROM outbox WHERE state = ?1 ORDER BY n")?;
    let mut rows = select.query([Standing::Pending as u8])?;
    let (mut sent, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let mutation: Vec<u8> = row.get(1)?;
        bytes += mutation.len() + 16;
        if sent.len() >= most || (bytes > MAX_SENT_BYTES && !sent.is_empty()) {
            break;
        }
        sent.push(Sent {
            n: unsigned_of(row, 0)?,
            mutation,
        });
    }
    Ok(sent)
}

/// Puts an empty mutation under every number from `from` on that is left out, because what had it was refused or discarded. The
/// server, which does not know the number, refuses it as malformed, which uses the number up. The phone waits for no such one.
fn filled(mutations: Vec<Sent>, from: u64) -> Vec<Sent> {
    let Some(last) = mutations.last().map(|sent| sent.n) else {
        return mutations;
    };
    let mut known = mutations.into_iter().peekable();
    let mut sent: Vec<Sent> = std::iter::from_fn(|| known.next_if(|sent| sent.n < from)).collect();
    let room = MAX_MUTATIONS.saturating_sub(sent.len());
    sent.extend((from..=last).take(room).map(|n| {
        known.next_if(|sent| sent.n == n).unwrap_or(Sent {
            n,
            mutation: Vec::new(),
        })
    }));
    sent.truncate(MAX_MUTATIONS);
    sent
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
