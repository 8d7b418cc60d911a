//! Answering a request: the pages of every scope the member holds, what was gained and revoked, bodies for the receipts.
//!
//! Access, pages, sums and bodies come from the same transaction.

use std::collections::BTreeSet;

use sotay_model::Scope;
use sotay_model::defect::{self, Defect};
use sotay_model::wire::{
    Content, CurrentBody, Cursor, Page, Receipt, Row, SyncRequest, SyncResponse, Verdict,
};

use super::{Batch, EngineError};
use crate::storage::{Installation, ScopeHead};

/// The most rows of all pages of one response.
pub const MAX_RESPONSE_ROWS: usize = 10_000;
/// About how many bytes the pages of one response have, and its bodies.
pub const PAGE_BYTES: usize = 4 << 20;
/// What a row costs besides its body.
const ROW_BYTES: usize = 100;

/// What is left of a response.
struct Budget {
    rows: usize,
    bytes: usize,
    /// Nothing was taken yet: the first mutation's rows go out whatever they cost, so that every response goes forward.
    untouched: bool,
}

impl Batch<'_> {
    /// Answers one request from what stands now.
    pub(super) fn answer(
        &mut self,
        phone: &Installation,
        request: &SyncRequest,
        receipts: Vec<Receipt>,
    ) -> Result<SyncResponse, EngineError> {
        let mut held = self.scopes(phone.member)?;
        if defect::is_on(Defect::AccessOfYesterday) {
            self.now = self.now.plus_minutes(-24 * 60);
            held = self.scopes(phone.member)?;
            self.now = self.now.plus_minutes(24 * 60);
        }
        let named: BTreeSet<Scope> = request.cursors.iter().map(|cursor| cursor.scope).collect();
        let gained: Vec<Scope> = held
            .iter()
            .copied()
            .filter(|scope| !named.contains(scope))
            .collect();
        let revoked: Vec<Scope> = named
            .iter()
            .copied()
            .filter(|scope| !held.contains(scope))
            .collect();

        // Cursors of another incarnation say nothing.
        let cursors: &[Cursor] = if request.incarnation == self.incarnation {
            &request.cursors
        } else {
            &[]
        };
        let mut waiting = Vec::new();
        for scope in &held {
            let head = self.head(*scope)?;
            let cursor = cursors
                .iter()
                .find(|cursor| cursor.scope == *scope && cursor.epoch == head.epoch);
            match cursor {
                Some(cursor) if cursor.seq >= head.head => {}
                Some(cursor)
                    if cursor.seq.max(cursor.began) >= head.floor
                        || defect::is_on(Defect::FloorIgnored) =>
                {
                    waiting.push((
                        head.head - cursor.seq,
                        *scope,
                        head,
                        cursor.seq,
                        cursor.began,
                    ));
                }
                // Never fetched, or so long ago that deletions since are forgotten.
                _ => waiting.push((head.head, *scope, head, 0, 0)),
            }
        }
        // Little ones first: the volume of one scope does not delay another.
        waiting.sort_unstable_by_key(|(behind, scope, ..)| (*behind, *scope));

        let mut budget = Budget {
            rows: usize::try_from(request.max_rows)
                .unwrap_or(MAX_RESPONSE_ROWS)
                .clamp(1, MAX_RESPONSE_ROWS),
            bytes: match request.max_bytes {
                0 => PAGE_BYTES,
                wanted => usize::try_from(wanted).map_or(PAGE_BYTES, |w| w.min(PAGE_BYTES)),
            },
            untouched: true,
        };
        let mut pages = Vec::with_capacity(waiting.len());
        let mut more = receipts.len() < request.mutations.len();
        for (_, scope, head, from, began) in waiting {
            match self.page(scope, &head, (from, began), &mut budget)? {
                Some(page) => {
                    more |= page.more;
                    pages.push(page);
                }
                None => more = true,
            }
        }
        let bodies = self.bodies(&receipts, &held)?;
        Ok(SyncResponse {
            incarnation: self.incarnation,
            now: self.now,
            receipts,
            bodies,
            pages,
            gained,
            revoked,
            more,
            backed_up_through: phone.backed_up,
            high_water: phone.high_water,
            settled_through: phone.settled,
        })
    }

    /// The changes of one scope behind `from`, as far as the budget goes; none if it goes not far enough for one mutation. What
    /// was deleted before the download `began` is left out.
    fn page(
        &self,
        scope: Scope,
        head: &ScopeHead,
        (from, began): (u64, u64),
        budget: &mut Budget,
    ) -> Result<Option<Page>, EngineError> {
        let began = if from == 0 { head.head } else { began };
        let mut rows: Vec<Row> = Vec::new();
        // Rows of whole mutations, and where the last of these ends in the feed.
        let (mut whole, mut whole_to) = (0, from);
        let mut group_end = from;
        let (mut bytes, mut whole_bytes) = (0, 0);
        let mut cut = false;
        self.transaction.listing(scope, from, |line| {
            if line.seq > group_end {
                (whole, whole_to, whole_bytes) = (rows.len(), group_end, bytes);
                group_end = line.group_end;
            }
            let full = rows.len() >= budget.rows || bytes >= budget.bytes;
            if full && (whole > 0 || !budget.untouched) {
                cut = true;
                return false;
            }
            if line.content.is_none() && line.seq <= began {
                return true;
            }
            bytes += ROW_BYTES + line.content.as_ref().map_or(0, |(.., body)| body.len());
            rows.push(Row {
                seq: line.seq,
                key: line.key,
                stamp: line.stamp,
                content: line
                    .content
                    .map(|(kind, parent, body)| Content { kind, parent, body }),
            });
            true
        })?;
        if cut {
            rows.truncate(whole);
            bytes = whole_bytes;
            if rows.is_empty() {
                return Ok(None);
            }
        }
        budget.untouched &= rows.is_empty();
        budget.rows = budget.rows.saturating_sub(rows.len());
        budget.bytes = budget.bytes.saturating_sub(bytes);
        Ok(Some(Page {
            scope,
            epoch: head.epoch,
            from,
            to: if cut { whole_to } else { head.head },
            rows,
            more: cut,
            sum: (!cut).then(|| head.sum.sum.to_be_bytes().to_vec()),
            count: (!cut).then_some(head.sum.count),
            began: if from == 0 { began } else { 0 },
            total: cut.then_some(head.sum.count),
        }))
    }

    /// What stands now of the records that the receipts name, as far as the member may see it.
    fn bodies(
        &self,
        receipts: &[Receipt],
        held: &[Scope],
    ) -> Result<Vec<CurrentBody>, EngineError> {
        let mut keys = BTreeSet::new();
        for receipt in receipts {
            if let Verdict::Done(written) = &receipt.verdict {
                keys.extend(written.iter().map(|written| written.key));
            }
        }
        let mut bodies = Vec::with_capacity(keys.len());
        let mut bytes = 0;
        for key in keys {
            let Some(stored) = self.transaction.record(key)? else {
                continue;
            };
            if !stored.audience.iter().any(|scope| held.contains(scope)) {
                continue;
            }
            bytes += ROW_BYTES + stored.record.body.len();
            if bytes > PAGE_BYTES {
                // The rest comes with the pages.
                break;
            }
            bodies.push(CurrentBody {
                key,
                stamp: stored.record.stamp,
                content: Content {
                    kind: stored.record.kind,
                    parent: stored.record.parent,
                    body: stored.record.body,
                },
            });
        }
        Ok(bodies)
    }
}
