//! Live queries: a screen names what it shows and is told when to read again.
//!
//! One wrapper thread blocks in `next_changes`; commits never call back into an app. Generations are coalesced: a
//! slow reader gets the latest only. After `shutdown` the waiting call ends with `Cancelled`.

use sotay_model::{DocumentKey, MeetingKey};

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
