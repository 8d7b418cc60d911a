//! Records whose time is over, and their removal.
//!
//! For how long a kind is needed says its declaration ([`sotay_model::inventory::Retention`]); here is when that is, for one record. Nothing goes
//! before: a year counts as 366 days, and where two instants could be meant, the later one is. A removed record leaves a line in the feed
//! of each scope that showed it, so phones drop it with their next sync.

use std::collections::{BTreeMap, BTreeSet};

use sotay_model::inventory::{Retention, of};
use sotay_model::meetings::{AbsenceRequest, Acknowledgement, Meeting, Response};
use sotay_model::organisation::{Appointment, TemporaryActivity};
use sotay_model::profile::CorrectionRequest;
use sotay_model::record::Stamp;
use sotay_model::{CalendarDate, Kind, MeetingKey, Record, RecordKey, Scope, Timestamp};

use super::{Batch, Engine, EngineError};
use crate::audit::Event;
use crate::storage::{StorageError, StoredRecord};

/// When meetings end, as far as they were looked up.
type Ends = BTreeMap<MeetingKey, Option<Timestamp>>;

/// How many records one transaction removes: nobody waits long behind it.
pub const REMOVED_AT_ONCE: usize = 200;
const DAY_MINUTES: i64 = 24 * 60;
const YEAR_MINUTES: i64 = 366 * DAY_MINUTES;

impl Engine {
    /// The records whose time is over, by kind. Reads every record of the kinds that the server removes.
    pub fn over(&mut self, now: Timestamp) -> Result<BTreeMap<Kind, Vec<RecordKey>>, EngineError> {
        let transaction = self.storage.read()?;
        let batch = Batch::begin(&transaction, now)?;
        let (mut found, mut ends) = (BTreeMap::new(), Ends::new());
        let stated = |kind| of(kind).is_some_and(|entry| entry.kept.until.is_kept_by_server());
        transaction.records(stated, |stored| {
            if batch.is_over(&stored, &mut ends)? {
                let of_kind: &mut Vec<_> = found.entry(stored.record.kind).or_default();
                of_kind.push(stored.record.key);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Removes those of these records whose time is over, in one transaction: how many, and the scopes in which something new
    /// stands.
    pub fn remove_over(
        &mut self,
        keys: &[RecordKey],
        now: Timestamp,
    ) -> Result<(usize, BTreeSet<Scope>), EngineError> {
        let transaction = self.storage.write()?;
        let mut batch = Batch::begin(&transaction, now)?;
        let (mut removed, mut ends) = (0, Ends::new());
        for key in keys {
            // It may have been changed since it was found.
            if let Some(stored) = transaction.record(*key)?
                && batch.is_over(&stored, &mut ends)?
            {
                batch.remove(&stored)?;
                removed += 1;
            }
        }
        if removed > 0 {
            batch.store_heads()?;
            let records = removed as u64;
            transaction.audit(now, None, &Event::Expired { records })?;
        }
        let changed = batch.changed;
        transaction.commit()?;
        Ok((removed, changed))
    }
}

impl Batch<'_> {
    fn is_over(&self, stored: &StoredRecord, ends: &mut Ends) -> Result<bool, StorageError> {
        let until = self.needed_until(stored, ends)?;
        Ok(until.is_some_and(|until| until < self.now))
    }

    /// Until when a record is needed; none where no date says it.
    fn needed_until(
        &self,
        stored: &StoredRecord,
        ends: &mut Ends,
    ) -> Result<Option<Timestamp>, StorageError> {
        let record = &stored.record;
        let Some(entry) = of(record.kind) else {
            return Ok(None);
        };
        let (years, from) = match entry.kept.until {
            Retention::LastDay { years } => (years, last_day(record).map(end_of)),
            Retention::Meeting { years } => (years, self.meeting_ends(stored, ends)?),
            Retention::Written { years } => (years, self.written_at(stored)?),
            Retention::People(_) => return Ok(None),
        };
        Ok(from.map(|from| from.plus_minutes(i64::from(years) * YEAR_MINUTES)))
    }

    /// When the meeting ends that a record belongs to, as its notice says now. Where there is no such meeting, when the record was written.
    fn meeting_ends(
        &self,
        stored: &StoredRecord,
        ends: &mut Ends,
    ) -> Result<Option<Timestamp>, StorageError> {
        let Some(meeting) = meeting_of(&stored.record) else {
            return Ok(None);
        };
        let known = match ends.get(&meeting) {
            Some(known) => *known,
            None => {
                let found = self.transaction.record(meeting.0)?;
                let notice = found.and_then(|found| {
                    let meeting: Meeting = found.record.read().ok()?;
                    meeting.notice().map(|notice| notice.ends_at)
                });
                ends.insert(meeting, notice);
                notice
            }
        };
        match known {
            Some(ends_at) => Ok(Some(ends_at)),
            None => self.written_at(stored),
        }
    }

    /// When a record was last written: by the server's clock and, where it says so itself, not before the phone's either.
    fn written_at(&self, stored: &StoredRecord) -> Result<Option<Timestamp>, StorageError> {
        let mut at = made_at(&stored.record);
        for scope in &stored.audience {
            at = at.max(self.transaction.listed_at(*scope, stored.record.key)?);
        }
        Ok(at)
    }

    /// Takes a record out of every scope and away.
    fn remove(&mut self, stored: &StoredRecord) -> Result<(), EngineError> {
        let record = &stored.record;
        let stamp = Stamp {
            incarnation: self.incarnation,
            version: record.stamp.version + 1,
        };
        for scope in &stored.audience {
            self.list(*scope, record.key, stamp, None, &BTreeMap::new())?;
        }
        Ok(self.transaction.delete_record(record.key)?)
    }
}

/// The end of a day in Vietnam.
fn end_of(day: CalendarDate) -> Timestamp {
    day.start().plus_minutes(DAY_MINUTES)
}

fn last_day(record: &Record) -> Option<CalendarDate> {
    match record.kind {
        Kind::TemporaryActivity => Some(record.read::<TemporaryActivity>().ok()?.until),
        Kind::Appointment => record.read::<Appointment>().ok()?.until,
        _ => None,
    }
}

fn meeting_of(record: &Record) -> Option<MeetingKey> {
    match record.kind {
        Kind::Response => Some(record.read::<Response>().ok()?.meeting),
        Kind::Acknowledgement => Some(record.read::<Acknowledgement>().ok()?.meeting),
        Kind::AbsenceRequest => Some(record.read::<AbsenceRequest>().ok()?.meeting),
        _ => None,
    }
}

fn made_at(record: &Record) -> Option<Timestamp> {
    match record.kind {
        Kind::CorrectionRequest => Some(record.read::<CorrectionRequest>().ok()?.made_at),
        Kind::Response => Some(record.read::<Response>().ok()?.made_at),
        Kind::Acknowledgement => Some(record.read::<Acknowledgement>().ok()?.made_at),
        Kind::AbsenceRequest => Some(record.read::<AbsenceRequest>().ok()?.made_at),
        _ => None,
    }
}
