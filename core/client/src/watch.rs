//! Live queries: a screen names what it shows and is told when to read again.
//!
//! One wrapper thread blocks in `next_changes`; commits never call back into an app. Generations are coalesced: a
//! slow reader gets the latest only. After `shutdown` the waiting call ends with `Cancelled`.
//!
//! A commit says which records it touched; a query is told only if its screen shows one of them.

use std::collections::{BTreeMap, BTreeSet};

use sotay_model::meetings::RollCall;
use sotay_model::{DocumentKey, Id, Kind, MeetingKey, MemberId, OrganisationId, RecordKey};

use crate::error::HandbookError;
use crate::threads::{Condvar, Mutex, PoisonError, locked};

/// What a screen shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Query {
    /// `home`
    Home,
    /// `meetings`
    Meetings,
    /// `meeting`
    Meeting {
        /// Which.
        meeting: MeetingKey,
    },
    /// `answers`
    Answers {
        /// Of which meeting.
        meeting: MeetingKey,
    },
    /// `roll_call`
    RollCall {
        /// Of which meeting.
        meeting: MeetingKey,
    },
    /// `library`
    Library,
    /// `document` and `sections`
    Document {
        /// Which.
        document: DocumentKey,
    },
    /// `profile`
    Profile,
    /// `outbox`
    Outbox,
    /// `sync_state`
    SyncState,
}

/// A query whose answer may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Change {
    /// The number that `watch` gave.
    pub watch: i64,
    /// The commit up to which the query is covered when it is read now.
    pub generation: i64,
}

/// What a commit touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Records, with what they are about and what they belong to.
    pub(crate) records: Vec<(Kind, Id, RecordKey)>,
    /// The queue of own mutations.
    pub(crate) outbox: bool,
    /// Whether the server was reached, and when.
    pub(crate) delivery: bool,
    /// What the phone remembers for itself.
    pub(crate) local: bool,
    /// How syncing stands.
    pub(crate) state: bool,
    /// Everything, as after joining.
    pub(crate) everything: bool,
}

impl Touched {
    /// A record changed, came or went.
    pub(crate) fn record(&mut self, kind: Kind, parent: Id, key: RecordKey) {
        self.records.push((kind, parent, key));
    }

    /// Adds what another part of the same commit touched.
    pub(crate) fn extend(&mut self, other: Self) {
        self.records.extend(other.records);
        self.outbox |= other.outbox;
        self.delivery |= other.delivery;
        self.local |= other.local;
        self.state |= other.state;
        self.everything |= other.everything;
    }

    fn is_empty(&self) -> bool {
        self.records.is_empty()
            && !(self.outbox || self.delivery || self.local || self.state || self.everything)
    }
}

/// What decides whether a touched record is of this phone's concern.
#[derive(Debug, Clone, Default)]
pub(crate) struct Concern {
    /// The member whose handbook it is.
    pub(crate) me: Option<MemberId>,
    /// Organisations whose records the phone holds.
    pub(crate) organisations: BTreeSet<OrganisationId>,
}

impl Query {
    fn shows(&self, touched: &Touched, concern: &Concern) -> bool {
        if touched.everything {
            return true;
        }
        let beside = match self {
            Self::Home => touched.outbox || touched.delivery || touched.local,
            Self::Library | Self::Document { .. } => touched.local,
            Self::Outbox => touched.outbox,
            Self::SyncState => touched.outbox || touched.delivery || touched.state,
            _ => false,
        };
        beside
            || touched
                .records
                .iter()
                .any(|(kind, parent, key)| self.shows_record(*kind, *parent, *key, concern))
    }

    fn shows_record(&self, kind: Kind, parent: Id, key: RecordKey, concern: &Concern) -> bool {
        let is_me = |key: RecordKey| concern.me.is_some_and(|me| key.home.id == me.0);
        // Names and offices stand beside every line of a meeting.
        let person = matches!(
            kind,
            Kind::Member | Kind::Appointment | Kind::TemporaryActivity | Kind::Organisation
        );
        match self {
            Self::Home => match kind {
                Kind::Profile | Kind::CorrectionRequest => false,
                Kind::Member => is_me(key),
                _ => true,
            },
            Self::Meetings => matches!(
                kind,
                Kind::Meeting
                    | Kind::Response
                    | Kind::Acknowledgement
                    | Kind::AbsenceRequest
                    | Kind::RollCall
                    | Kind::Attendance
                    | Kind::ChairDelegation
                    | Kind::TemporaryActivity
                    | Kind::Appointment
            ),
            Self::Meeting { meeting } | Self::Answers { meeting } | Self::RollCall { meeting } => {
                let of_meeting = key == meeting.0 || parent == meeting.0.id || person;
                match kind {
                    Kind::Attendance => concern
                        .organisations
                        .iter()
                        .any(|organisation| RollCall::key(*meeting, *organisation).id == parent),
                    // An answer in advance is no part of the roll call's screen.
                    Kind::Acknowledgement => of_meeting && !matches!(self, Self::RollCall { .. }),
                    Kind::Document => of_meeting && matches!(self, Self::Meeting { .. }),
                    _ => of_meeting,
                }
            }
            Self::Library => matches!(kind, Kind::Document | Kind::Section | Kind::Meeting),
            Self::Document { document } => {
                key == document.0 || (kind == Kind::Section && parent == document.0.id)
            }
            Self::Profile => match kind {
                Kind::Profile | Kind::CorrectionRequest | Kind::Member | Kind::Appointment => {
                    is_me(key)
                }
                Kind::Organisation => true,
                _ => false,
            },
            Self::Outbox => kind == Kind::Meeting,
            Self::SyncState => false,
        }
    }
}

#[derive(Debug)]
struct Watching {
    query: Query,
    /// Not delivered yet.
    due: bool,
}

#[derive(Debug, Default)]
struct State {
    last: i64,
    generation: i64,
    watching: BTreeMap<i64, Watching>,
    concern: Concern,
    ended: bool,
}

/// The live queries of a handbook.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    state: Mutex<State>,
    changed: Condvar,
}

impl Watches {
    /// Registers a query, due at once.
    pub(crate) fn watch(&self, query: Query) -> Result<i64, HandbookError> {
        let mut state = locked(&self.state);
        if state.ended {
            return Err(HandbookError::Cancelled);
        }
        state.last += 1;
        let number = state.last;
        state.watching.insert(number, Watching { query, due: true });
        self.changed.notify_all();
        Ok(number)
    }

    /// Ends a query.
    pub(crate) fn unwatch(&self, number: i64) {
        locked(&self.state).watching.remove(&number);
    }

    /// From now on these records concern the phone.
    pub(crate) fn concern(&self, concern: Concern) {
        locked(&self.state).concern = concern;
    }

    /// Says that a commit was made.
    pub(crate) fn committed(&self, touched: &Touched) {
        if touched.is_empty() {
            return;
        }
        let mut state = locked(&self.state);
        state.generation += 1;
        let State {
            watching, concern, ..
        } = &mut *state;
        let mut any = false;
        for watching in watching.values_mut().filter(|watching| !watching.due) {
            watching.due = watching.query.shows(touched, concern);
            any |= watching.due;
        }
        if any {
            self.changed.notify_all();
        }
    }

    /// Waits for changes that were not delivered yet.
    pub(crate) fn next(&self) -> Result<Vec<Change>, HandbookError> {
        let mut state = locked(&self.state);
        loop {
            if state.ended {
                return Err(HandbookError::Cancelled);
            }
            let generation = state.generation;
            let changes: Vec<Change> = state
                .watching
                .iter_mut()
                .filter_map(|(number, watching)| {
                    std::mem::take(&mut watching.due).then_some(Change {
                        watch: *number,
                        generation,
                    })
                })
                .collect();
            if !changes.is_empty() {
                return Ok(changes);
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Every query is due: while the files were closed nothing could be read, and what was told may not have been.
    pub(crate) fn reopened(&self) {
        let mut state = locked(&self.state);
        state.generation += 1;
        for watching in state.watching.values_mut() {
            watching.due = true;
        }
        self.changed.notify_all();
    }

    /// Ends every waiting call.
    pub(crate) fn end(&self) {
        locked(&self.state).ended = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests;
