//! Receipts: what the server made of own mutations, and what they wrote, put into place before the pages that list it.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};
use sotay_model::defect::{self, Defect};
use sotay_model::wire::{Verdict, Written};
use sotay_model::{RecordKey, Rejection, cbor};

use super::MAX_KEPT;
use super::feeds::{self, Rows};
use super::incoming::{Incoming, IncomingBody, IncomingContent};
use super::overlay::Overlay;
use super::spills;
use crate::error::HandbookError;
use crate::store::rows::{self, Setting, Standing};
use crate::watch::Touched;

/// What the receipts of a response settled.
#[derive(Default)]
pub(crate) struct Settled {
    /// Carried out.
    pub(crate) done: Vec<i64>,
    /// Refused, with the reason encoded, and parked now.
    pub(crate) refused: Vec<(i64, Vec<u8>)>,
    /// Not known to this server yet.
    pub(crate) not_yet: Vec<i64>,
    /// One was refused because it holds what was removed.
    pub(crate) spilled: bool,
    /// How many pending mutations the response spoke of at all.
    pub(crate) looked_at: u32,
}

impl Settled {
    /// Nothing left the queue.
    pub(crate) const fn is_empty(&self) -> bool {
        self.done.is_empty() && self.refused.is_empty()
    }
}

/// Settles the outbox by the receipts, and writes their bodies.
pub(crate) fn settle(
    to: &mut Rows<'_>,
    overlay: &Overlay,
    response: &Incoming<'_>,
    touched: &mut Touched,
) -> Result<Settled, HandbookError> {
    let db = to.db();
    let bodies: HashMap<RecordKey, &IncomingBody<'_>> = response
        .bodies
        .iter()
        .map(|body| (body.key, body))
        .collect();
    let mut settled = Settled::default();
    for receipt in &response.receipts {
        let n = receipt.n.cast_signed();
        if !is_pending(db, n)? {
            continue;
        }
        settled.looked_at += 1;
        match &receipt.verdict {
            Verdict::Done(written) => {
                for written in written {
                    put_into_place(to, overlay, &bodies, n, written, touched)?;
                }
                db.prepare_cached("UPDATE outbox SET state = ?2 WHERE n = ?1")?
                    .execute(params![n, Standing::Accepted as u8])?;
                settled.done.push(n);
            }
            Verdict::Rejected(why) => {
                settled.refused.push((n, park(db, n, why)?));
                settled.spilled |= spills::is_own_fault(why);
            }
            Verdict::NotYet => settled.not_yet.push(n),
        }
    }
    Ok(settled)
}

fn is_pending(db: &Connection, n: i64) -> Result<bool, HandbookError> {
    let mut select = db.prepare_cached("SELECT state FROM outbox WHERE n = ?1")?;
    let state: Option<u8> = select.query_row([n], |row| row.get(0)).optional()?;
    Ok(state == Some(Standing::Pending as u8))
}

/// Keeps a refused mutation for its author; the reason, encoded.
pub(super) fn park(db: &Connection, n: i64, why: &Rejection) -> Result<Vec<u8>, HandbookError> {
    let why = cbor::to_bytes(why);
    db.prepare_cached("UPDATE outbox SET state = ?2, rejection = ?3 WHERE n = ?1")?
        .execute(params![n, Standing::Parked as u8, why])?;
    Ok(why)
}

/// A record that an accepted mutation wrote is confirmed now, though no page has listed it yet. Where the server sent no body
/// for it, the phone's own stands in for it until the page comes.
fn put_into_place(
    to: &mut Rows<'_>,
    overlay: &Overlay,
    bodies: &HashMap<RecordKey, &IncomingBody<'_>>,
    n: i64,
    written: &Written,
    touched: &mut Touched,
) -> Result<(), HandbookError> {
    if defect::is_on(Defect::OverlayDroppedEarly) {
        return Ok(());
    }
    let db = to.db();
    let sid = to.number(written.scope)?;
    if !feeds::expects(db, sid, written.seq)? {
        // The page was here first, and brought this or newer; or a receipt that comes late names a scope that was lost since.
        return Ok(());
    }
    let laid = overlay.get(&written.key);
    let (stamp, content) = match (bodies.get(&written.key), laid) {
        (Some(body), _) => (body.stamp, body.content),
        (None, Some(laid)) if laid.n == n => (
            written.stamp,
            IncomingContent {
                kind: laid.kind,
                parent: laid.parent,
                body: &laid.body,
            },
        ),
        _ => return Ok(()),
    };
    let (rid, _) = to.write_body(&written.key, stamp, content, touched)?;
    let audience = laid.map_or_else(
        || written.scope.to_bytes().to_vec(),
        |laid| rows::audience_bytes(&laid.audience),
    );
    db.prepare_cached(
        "INSERT OR REPLACE INTO provisional (rid, sid, seq, audience) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![rid, sid, written.seq.cast_signed(), audience])?;
    Ok(())
}

/// The server was restored: what it had accepted and may have forgotten goes up again under the same numbers, behind those
/// whose receipts it knows to be settled.
pub(crate) fn send_accepted_again(
    db: &Connection,
    settled_through: u64,
) -> Result<usize, HandbookError> {
    if defect::is_on(Defect::AcceptedForgotten) {
        return Ok(0);
    }
    // The new server must not forget what an older one was told is settled.
    let told = rows::setting_number(db, Setting::SettledThrough)?.unwrap_or(0);
    let told = told.min(settled_through.cast_signed());
    rows::set_number(db, Setting::SettledThrough, told)?;
    Ok(db
        .prepare_cached("UPDATE outbox SET state = ?1 WHERE state = ?2 AND n > ?3")?
        .execute(params![
            Standing::Pending as u8,
            Standing::Accepted as u8,
            settled_through.cast_signed()
        ])?)
}

/// What is in the server's backups need not be kept here, nor what is older than the last [`MAX_KEPT`]; the numbers
/// that are forgotten.
pub(crate) fn forget_backed_up(
    db: &Connection,
    backed_up_through: u64,
) -> Result<Vec<i64>, HandbookError> {
    let mut delete = db.prepare_cached(
        "DELETE FROM outbox WHERE state = ?1 AND n <= max(?2, COALESCE(
         (SELECT n FROM outbox WHERE state = ?1 ORDER BY n DESC LIMIT 1 OFFSET ?3), 0)) RETURNING n",
    )?;
    let forgotten = delete.query_map(
        params![
            Standing::Accepted as u8,
            backed_up_through.cast_signed(),
            MAX_KEPT
        ],
        |row| row.get(0),
    )?;
    Ok(forgotten.collect::<Result<_, _>>()?)
}

sotay_model::redacted! {
    Settled { done, refused, not_yet, spilled, looked_at },
}
