//! What the server removed because it should never have been entered, removed from this phone too.
//!
//! A page brings the record without its words, and with that the confirmed copy is gone; a receipt refuses an entry that brings them
//! back. What else holds the words: own entries that wrote them, in the outbox and in the journal, and pages of the database that
//! nobody uses any more. That is done after the transaction which found it out, and a setting says until then that it is still
//! to be done, so a kill anywhere in between is made good by the next response.

use std::collections::BTreeSet;

use rusqlite::{Connection, TransactionBehavior, params};
use sotay_model::meetings::RollCall;
use sotay_model::rejection::Field;
use sotay_model::removed::{REMOVED, is_removed};
use sotay_model::{Id, Intent, Kind, Mutation, Rejection, cbor};

use crate::error::HandbookError;
use crate::store::Writer;
use crate::store::rows::{self, DAMAGED, Setting, Standing};
use crate::watch::Touched;

/// Own entries may hold removed words.
pub(super) const ENTRIES: i64 = 1;
/// So may pages that are in no use.
pub(super) const PAGES: i64 = 2;

/// What is written once, and by which entries: a kind, and the id that entry and record have in common.
type Target = (Kind, Id);

/// The target that a record's words belong to.
const fn target_of_record(kind: Kind, id: Id, parent: Id) -> Option<Target> {
    match kind {
        Kind::Meeting | Kind::Document | Kind::CorrectionRequest => Some((kind, id)),
        Kind::Section => Some((Kind::Document, parent)),
        Kind::AbsenceRequest | Kind::RollCall | Kind::Attendance => Some((kind, parent)),
        _ => None,
    }
}

/// The target into which an entry writes words.
fn target_of_entry(intent: &Intent) -> Option<Target> {
    Some(match intent {
        Intent::PublishNotice(i) => (Kind::Meeting, i.meeting.0.id),
        Intent::ChangeNotice(i) => (Kind::Meeting, i.meeting.0.id),
        Intent::CancelMeeting(i) => (Kind::Meeting, i.meeting.0.id),
        Intent::PublishDocument(i) => (Kind::Document, i.document.0.id),
        Intent::RequestCorrection(i) => (Kind::CorrectionRequest, i.id),
        Intent::RequestAbsence(i) => (Kind::AbsenceRequest, i.meeting.0.id),
        Intent::DecideAbsence(i) => (Kind::AbsenceRequest, i.meeting.0.id),
        Intent::AssumeChair(i) => (Kind::RollCall, i.meeting.0.id),
        Intent::CorrectRollCall(i) => (Kind::RollCall, i.meeting.0.id),
        Intent::ObjectToMark(i) => (
            Kind::Attendance,
            RollCall::key(i.meeting, i.organisation).id,
        ),
        _ => return None,
    })
}

/// Takes the words and files out of an entry.
fn without_words(intent: &mut Intent) {
    let removed = || REMOVED.to_owned();
    match intent {
        Intent::PublishNotice(i) => {
            (i.notice.title, i.notice.place) = (removed(), removed());
            (i.notice.agenda, i.notice.guests) = (Vec::new(), Vec::new());
        }
        Intent::ChangeNotice(i) => {
            (i.notice.title, i.notice.place) = (removed(), removed());
            (i.notice.agenda, i.notice.guests) = (Vec::new(), Vec::new());
        }
        Intent::CancelMeeting(i) => i.reason = removed(),
        Intent::PublishDocument(i) => {
            (i.title, i.issuer, i.number) = (removed(), removed(), None);
            (i.sections, i.attachments) = (Vec::new(), Vec::new());
        }
        Intent::RequestCorrection(i) => i.text = removed(),
        Intent::RequestAbsence(i) => i.note = None,
        Intent::DecideAbsence(i) => i.answer = None,
        Intent::AssumeChair(i) => i.reason = removed(),
        Intent::CorrectRollCall(i) => i.reason = removed(),
        Intent::ObjectToMark(i) => i.text = removed(),
        _ => {}
    }
}

/// Whether a refusal says that the entry itself holds what was removed.
pub(super) const fn is_own_fault(why: &Rejection) -> bool {
    matches!(why, Rejection::Removed { field } if !matches!(field, Field::Documents))
}

/// Remembers that something is to be done; part of the transaction that found it out.
pub(super) fn remember(db: &Connection, what: i64) -> Result<(), HandbookError> {
    let already = rows::setting_number(db, Setting::Spilled)?.unwrap_or(0);
    rows::set_number(db, Setting::Spilled, already.max(what))
}

/// Does what is to be done. Where it fails, the next response tries again.
pub(super) fn clear(writer: &mut Writer, touched: &mut Touched) -> Result<(), HandbookError> {
    let Some(what) = rows::setting_number(&writer.db, Setting::Spilled)? else {
        return Ok(());
    };
    let change = writer
        .db
        .transaction_with_behavior(TransactionBehavior::Immediate)?;
    let entries = entries(&change)?;
    let removed = removed_records(&change)?;
    let refused = refused_entries(&entries);
    let (mut forgotten, mut emptied) = (Vec::new(), Vec::new());
    let (mut found, mut undecided) = (false, false);
    for entry in &entries {
        let Some(target) = target_of_entry(&entry.mutation.intent) else {
            continue;
        };
        // What the server took and did not remove is not concerned by what was refused beside it.
        let concerned = removed.contains(&target)
            || refused.contains(&target) && entry.standing == Standing::Parked as u8;
        if !concerned {
            continue;
        }
        if entry.standing == Standing::Pending as u8 {
            // The server decides: it may be a corrected text. Or it knew it already, before it was restored.
            undecided = true;
        } else if entry.standing == Standing::Accepted as u8 {
            change
                .prepare_cached("DELETE FROM outbox WHERE n = ?1")?
                .execute([entry.n])?;
            forgotten.push(entry.n);
            found = true;
        } else {
            let mut mutation = entry.mutation.clone();
            without_words(&mut mutation.intent);
            let bytes = cbor::to_bytes(&mutation);
            if mutation != entry.mutation {
                change
                    .prepare_cached("UPDATE outbox SET mutation = ?2 WHERE n = ?1")?
                    .execute(params![entry.n, bytes])?;
                (found, touched.outbox) = (true, true);
            }
            // Also one that was emptied before: the journal may not have heard of it.
            emptied.push((entry, bytes));
        }
    }
    if found {
        remember(&change, PAGES)?;
    }
    change.commit()?;
    if found || what >= PAGES {
        for (entry, bytes) in &emptied {
            writer.journal.keep(entry.n, entry.at, bytes)?;
            writer
                .journal
                .decide(&[], &[(entry.n, entry.refusal.clone())])?;
        }
        writer.journal.settle(&forgotten)?;
        writer.journal.rewrite()?;
        // Rows that were moved from page to page left copies; the database written anew has none.
        writer.db.execute_batch("VACUUM")?;
        let log_in_use: bool =
            writer
                .db
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if log_in_use {
            return Ok(());
        }
    }
    if undecided {
        return rows::set_number(&writer.db, Setting::Spilled, ENTRIES);
    }
    rows::unset(&writer.db, Setting::Spilled)
}

/// An own mutation.
struct Entry {
    n: i64,
    at: i64,
    standing: u8,
    mutation: Mutation,
    /// Why it was refused, encoded; empty where it was not.
    refusal: Vec<u8>,
}

fn entries(db: &Connection) -> Result<Vec<Entry>, HandbookError> {
    let mut select = db.prepare_cached("SELECT n, at, state, mutation, rejection FROM outbox")?;
    let mut rows = select.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(3)?.as_blob().map_err(|_| DAMAGED)?;
        found.push(Entry {
            n: row.get(0)?,
            at: row.get(1)?,
            standing: row.get(2)?,
            mutation: cbor::from_bytes(bytes).map_err(|_| DAMAGED)?,
            refusal: row.get::<_, Option<Vec<u8>>>(4)?.unwrap_or_default(),
        });
    }
    Ok(found)
}

/// The confirmed records whose words were removed.
fn removed_records(db: &Connection) -> Result<BTreeSet<Target>, HandbookError> {
    let mut found = BTreeSet::new();
    let mut select = db.prepare_cached("SELECT kind, id, parent, body FROM base")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        if is_removed(row.get_ref(3)?.as_blob().map_err(|_| DAMAGED)?) {
            let (id, parent) = (rows::id_of(row, 1)?, rows::id_of(row, 2)?);
            found.extend(target_of_record(Kind::from_code(row.get(0)?), id, parent));
        }
    }
    Ok(found)
}

/// What entries wanted to write that were refused for what they hold. Others that build on them hold it too.
fn refused_entries(entries: &[Entry]) -> BTreeSet<Target> {
    let spilled = |entry: &&Entry| {
        cbor::from_bytes(&entry.refusal).is_ok_and(|why: Rejection| is_own_fault(&why))
    };
    let targets = entries.iter().filter(spilled);
    targets
        .filter_map(|entry| target_of_entry(&entry.mutation.intent))
        .collect()
}
