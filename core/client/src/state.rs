//! How syncing stands: one struct for the person and for the support desk, and what is remembered of the tries for it.
//!
//! Invariant: nothing here says who the person is or what was entered. Entries are named by their numbers and the kind of
//! their refusal; the text for the support desk holds no id, no name, no address and no word of a record.

use std::sync::Mutex;
use std::time::Duration;

use rusqlite::{Connection, params};
use sotay_model::wire::PROTOCOL;
use sotay_model::{Rejection, Timestamp, cbor};

use crate::error::HandbookError;
use crate::handbook::Handbook;
use crate::identity::LIBRARY;
use crate::lifecycle::Inner;
use crate::schedule::{Next, NextTryReason, Situation, SyncOutcome};
use crate::store::locked;
use crate::store::rows::{self, DAMAGED, Setting, Standing};
use crate::watch::Touched;

/// How often a scope that does not add up is fetched again; see `engine/feeds.rs`.
const MAX_HEALS: i64 = 3;
/// The most refused entries that are told one by one.
const MAX_PARKED: u32 = 200;

/// How syncing stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SyncStateView {
    /// A handbook was joined.
    pub joined: bool,
    /// When the server last answered as it should, by its clock.
    pub last_success: Option<Timestamp>,
    /// When it was last tried; none since the app was started.
    pub last_try: Option<Timestamp>,
    /// How that ended.
    pub last_outcome: Option<SyncOutcome>,
    /// How many tries failed in a row.
    pub failures: u32,
    /// When it is tried next by itself; none: when something happens, or never while nothing syncs in the background.
    pub next_try: Option<Timestamp>,
    /// Why then; none while nothing syncs in the background.
    pub next_reason: Option<NextTryReason>,
    /// A sync is under way.
    pub running: bool,
    /// The last try did not reach the server.
    pub offline: bool,
    /// The network is taken for one that costs money by the byte.
    pub metered: bool,
    /// Entries not sent yet.
    pub pending: u32,
    /// Entries that the server refused.
    pub parked_count: u32,
    /// The first of them.
    pub parked: Vec<ParkedView>,
    /// How far the download under way is, or how far the last one came.
    pub progress: Option<ProgressView>,
    /// Bytes of messages sent since the handbook was opened.
    pub bytes_up: i64,
    /// Bytes of messages received since the handbook was opened.
    pub bytes_down: i64,
    /// Bytes sent in the last sync, or in the one under way.
    pub last_bytes_up: i64,
    /// Bytes received in it.
    pub last_bytes_down: i64,
    /// How many scopes do not add up although they were fetched again.
    pub broken_scopes: u32,
    /// The time is a guess until the next sync: the phone was started anew.
    pub clock_uncertain: bool,
    /// The library's version.
    pub app_version: String,
    /// The version of the protocol that it speaks.
    pub protocol: u32,
}

/// An entry that the server refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ParkedView {
    /// Its number.
    pub n: i64,
    /// Why.
    pub why: Rejection,
}

/// How far a download is. `received` never shrinks while the download lasts and is never more than `total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ProgressView {
    /// Records that are here.
    pub received: i64,
    /// Records that there are.
    pub total: i64,
}

#[derive(Debug, Default)]
struct Remembered {
    running: bool,
    last_try: Option<Timestamp>,
    outcome: Option<SyncOutcome>,
    failures: u32,
    asked: Option<Duration>,
    next: Option<(Option<Timestamp>, NextTryReason)>,
    metered: bool,
    before: (u64, u64),
    progress: Option<ProgressView>,
}

/// What became of the tries to sync, since the handbook was opened.
#[derive(Debug, Default)]
pub(crate) struct Tries(Mutex<Remembered>);

impl Tries {
    /// A try begins.
    pub(crate) fn begin(&self, now: Timestamp, traffic: (u64, u64)) {
        let mut tries = locked(&self.0);
        tries.running = true;
        tries.last_try = Some(now);
        tries.before = traffic;
        // A download that was broken off goes on where it was.
        tries.progress = tries.progress.filter(|shown| shown.received < shown.total);
        // What was planned is happening; what comes next is planned when it has ended.
        tries.next = None;
    }

    /// It ended.
    pub(crate) fn end(&self, outcome: SyncOutcome, asked: Option<Duration>) {
        let mut tries = locked(&self.0);
        tries.running = false;
        tries.outcome = Some(outcome);
        tries.asked = asked;
        match outcome {
            SyncOutcome::Done | SyncOutcome::OutOfTime => tries.failures = 0,
            failed if failed.failed() => tries.failures = tries.failures.saturating_add(1),
            _ => {}
        }
    }

    /// So much of the download is here.
    pub(crate) fn progress(&self, db: &Connection) -> Result<(), HandbookError> {
        let (received, total) = db
            .prepare_cached(
                "SELECT coalesce(sum(count), 0), coalesce(sum(max(count, total)), 0) FROM scope WHERE held = 1",
            )?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut tries = locked(&self.0);
        tries.progress = advanced(tries.progress, received, total);
        Ok(())
    }

    /// When the background tries next; none: it does not run.
    pub(crate) fn plan(&self, next: Option<(Option<Timestamp>, NextTryReason)>) {
        locked(&self.0).next = next;
    }

    /// What the next try depends on, after a try that ended so.
    pub(crate) fn situation(&self, heard: bool, pending: bool) -> Option<Situation> {
        let tries = locked(&self.0);
        Some(Situation {
            outcome: tries.outcome?,
            failures: tries.failures,
            asked: tries.asked,
            heard,
            metered: tries.metered,
            pending,
        })
    }

    /// Whether one is under way.
    pub(crate) fn is_running(&self) -> bool {
        locked(&self.0).running
    }

    /// Whether the network costs money by the byte.
    pub(crate) fn is_metered(&self) -> bool {
        locked(&self.0).metered
    }

    /// From now on it does, or does not; whether that is new.
    pub(crate) fn set_metered(&self, metered: bool) -> bool {
        std::mem::replace(&mut locked(&self.0).metered, metered) != metered
    }
}

/// Progress as it may be shown after `before`: no more than all, and never backwards. What is fetched again because it did
/// not add up stands still until it is beyond where it was.
fn advanced(before: Option<ProgressView>, received: i64, total: i64) -> Option<ProgressView> {
    if total <= 0 {
        return before;
    }
    let shown = before.map_or(0, |before| before.received);
    let total = total.max(shown);
    Some(ProgressView {
        received: received.clamp(shown, total),
        total,
    })
}

impl Inner {
    /// Something of the state changed: its live query is due.
    pub(crate) fn state_changed(&self) {
        self.watches.committed(&Touched {
            state: true,
            ..Touched::default()
        });
    }

    /// The background tries next then, for this reason.
    pub(crate) fn plan(&self, next: Option<Next>) {
        tracing::debug!(?next, "planned");
        self.tries.plan(next.map(|next| {
            let at = next.pause.map(|pause| {
                let ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
                Timestamp(self.now().0.saturating_add(ms))
            });
            (at, next.reason)
        }));
        self.state_changed();
    }
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// How syncing stands. Also before joining.
    pub fn sync_state(&self) -> Result<SyncStateView, HandbookError> {
        let inner = self.inner();
        inner.guarded(|| {
            let (last_success, pending, parked_count, parked, broken_scopes) =
                inner.enter()?.read(|db| {
                    Ok((
                        rows::setting_number(db, Setting::LastSynced)?.map(Timestamp),
                        rows::standing(db, Standing::Pending)?,
                        rows::standing(db, Standing::Parked)?,
                        parked(db)?,
                        broken_scopes(db)?,
                    ))
                })?;
            let (up, down) = inner.link.traffic.so_far();
            let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
            let tries = locked(&inner.tries.0);
            Ok(SyncStateView {
                joined: inner.joined().is_some(),
                last_success,
                last_try: tries.last_try,
                last_outcome: tries.outcome,
                failures: tries.failures,
                next_try: tries.next.and_then(|(at, _)| at),
                next_reason: tries.next.map(|(_, reason)| reason),
                running: tries.running,
                offline: inner.offline(),
                metered: tries.metered,
                pending,
                parked_count,
                parked,
                progress: tries.progress,
                bytes_up: signed(up),
                bytes_down: signed(down),
                last_bytes_up: signed(up.saturating_sub(tries.before.0)),
                last_bytes_down: signed(down.saturating_sub(tries.before.1)),
                broken_scopes,
                clock_uncertain: !inner.link.time.told().1,
                app_version: LIBRARY.to_owned(),
                protocol: PROTOCOL,
            })
        })
    }

    /// The same as lines of text for a support desk, without anything that says who the person is.
    pub fn support_text(&self) -> Result<String, HandbookError> {
        Ok(self.sync_state()?.for_support())
    }
}

impl SyncStateView {
    fn for_support(&self) -> String {
        let time = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), written);
        let word = |yes: bool| if yes { "yes" } else { "no" };
        let mut lines = vec![
            format!("sotay {} protocol {}", self.app_version, self.protocol),
            format!(
                "joined {} offline {} metered {} running {} clock {}",
                word(self.joined),
                word(self.offline),
                word(self.metered),
                word(self.running),
                if self.clock_uncertain {
                    "uncertain"
                } else {
                    "certain"
                },
            ),
            format!("last success {}", time(self.last_success)),
            format!(
                "last try {} {} failures {}",
                time(self.last_try),
                self.last_outcome
                    .map_or_else(|| "none".to_owned(), |outcome| format!("{outcome:?}")),
                self.failures
            ),
            format!(
                "next try {} {}",
                time(self.next_try),
                self.next_reason
                    .map_or_else(|| "NoBackground".to_owned(), |reason| format!("{reason:?}"))
            ),
            format!(
                "pending {} parked {} broken {}",
                self.pending, self.parked_count, self.broken_scopes
            ),
        ];
        for parked in &self.parked {
            lines.push(format!("parked {} {}", parked.n, kind(&parked.why)));
        }
        if let Some(ProgressView { received, total }) = self.progress {
            lines.push(format!("progress {received} of {total}"));
        }
        lines.push(format!(
            "bytes up {} down {} last up {} down {}",
            self.bytes_up, self.bytes_down, self.last_bytes_up, self.last_bytes_down
        ));
        lines.join("\n")
    }
}

/// The kind of a refusal, without its facts.
const fn kind(why: &Rejection) -> &'static str {
    match why {
        Rejection::NotAllowed { .. } => "NotAllowed",
        Rejection::NotFound { .. } => "NotFound",
        Rejection::Stale { .. } => "Stale",
        Rejection::Closed { .. } => "Closed",
        Rejection::Invalid { .. } => "Invalid",
        Rejection::Secret { .. } => "Secret",
        Rejection::TooLarge { .. } => "TooLarge",
        Rejection::DependsOn { .. } => "DependsOn",
        Rejection::Conflict { .. } => "Conflict",
        Rejection::Unmarked { .. } => "Unmarked",
        Rejection::Expired => "Expired",
        Rejection::NumberReused => "NumberReused",
        Rejection::AlreadyExists => "AlreadyExists",
        Rejection::Removed { .. } => "Removed",
    }
}

/// The first refused entries, by number.
fn parked(db: &Connection) -> Result<Vec<ParkedView>, HandbookError> {
    let mut select = db.prepare_cached(
        "SELECT n, rejection FROM outbox WHERE state = ?1 AND rejection IS NOT NULL ORDER BY n LIMIT ?2",
    )?;
    let mut found = Vec::new();
    let mut rows = select.query(params![Standing::Parked as u8, MAX_PARKED])?;
    while let Some(row) = rows.next()? {
        let why = row.get_ref(1)?.as_blob().map_err(|_| DAMAGED)?;
        found.push(ParkedView {
            n: row.get(0)?,
            why: cbor::from_bytes(why).map_err(|_| DAMAGED)?,
        });
    }
    Ok(found)
}

/// How many scopes were fetched again as often as may be and still do not add up.
fn broken_scopes(db: &Connection) -> Result<u32, HandbookError> {
    let mut select = db.prepare_cached(
        "SELECT count(*) FROM scope WHERE held = 1 AND heals >= ?1 AND cursor > 0",
    )?;
    Ok(select.query_row([MAX_HEALS], |row| row.get(0))?)
}

/// Date and time in Vietnam, as `2026-11-23T08:02:03+07:00`.
fn written(at: Timestamp) -> String {
    let seconds = at.0.div_euclid(1_000) + 7 * 3_600;
    let of_day = seconds.rem_euclid(86_400);
    format!(
        "{}T{:02}:{:02}:{:02}+07:00",
        at.date(),
        of_day / 3_600,
        of_day % 3_600 / 60,
        of_day % 60
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn progress_never_goes_back_and_is_never_more_than_all(seen in proptest::collection::vec((0_i64..1_000, 0_i64..1_000), 1..20)) {
            let mut shown = None;
            for (received, total) in seen {
                let next = advanced(shown, received, total);
                if let (Some(before), Some(after)) = (shown, next) {
                    prop_assert!(after.received >= before.received);
                }
                if let Some(now) = next {
                    prop_assert!(now.received <= now.total);
                }
                shown = next;
            }
        }
    }

    #[test]
    fn a_try_that_succeeds_forgets_the_failures_and_one_that_is_cancelled_says_nothing() {
        let tries = Tries::default();
        for outcome in [SyncOutcome::Unreachable, SyncOutcome::Unreachable] {
            tries.begin(Timestamp(1), (0, 0));
            tries.end(outcome, None);
        }
        tries.end(SyncOutcome::Cancelled, None);
        assert_eq!(tries.situation(false, true).unwrap().failures, 2);
        tries.end(SyncOutcome::Done, None);
        assert_eq!(tries.situation(false, true).unwrap().failures, 0);
    }

    #[test]
    fn instants_are_written_by_the_clock_on_the_wall() {
        assert_eq!(
            written(Timestamp(1_795_395_723_999)),
            "2026-11-23T08:02:03+07:00"
        );
        assert_eq!(written(Timestamp(-1)), "1970-01-01T06:59:59+07:00");
    }
}
