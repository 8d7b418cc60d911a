//! What the first screen shows: the next meeting, and what waits for the member.

use sotay_model::rejection::Rejection;
use sotay_model::{DocumentKey, MeetingKey, Timestamp};

use crate::documents::DocumentCard;
use crate::meetings::{MeetingCard, NoticeChangeView};

/// The first screen.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct HomeView {
    /// Whom to greet.
    pub member_name: String,
    /// The own cell.
    pub cell_name: String,
    /// The member leads the own cell: the secretary's entries are shown.
    pub leads: bool,
    /// Notices that changed since the member knew them.
    pub changes: Vec<NoticeChangeView>,
    /// The next meeting that has not ended.
    pub next_meeting: Option<MeetingCard>,
    /// What waits for the member, the most urgent first.
    pub waiting: Vec<WaitingItem>,
    /// Documents not opened yet, the newest first, at most five.
    pub new_documents: Vec<DocumentCard>,
    /// Whom to call.
    pub secretary: Option<ContactView>,
    /// Whether everything is sent.
    pub delivery: DeliveryView,
}

/// Something that waits for the member.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum WaitingItem {
    /// A notice changed: say that you know.
    Acknowledge {
        /// The meeting.
        meeting: MeetingKey,
        /// Its title.
        title: String,
    },
    /// A meeting without an answer.
    Answer {
        /// The meeting.
        meeting: MeetingKey,
        /// Its title.
        title: String,
        /// Until when it counts as in time.
        answer_by: Timestamp,
    },
    /// A document for the next meeting, not opened yet.
    Read {
        /// The document.
        document: DocumentKey,
        /// Its title.
        title: String,
    },
    /// Absence requests to decide.
    DecideAbsences {
        /// The meeting.
        meeting: MeetingKey,
        /// Its title.
        title: String,
        /// How many.
        count: u32,
    },
    /// Differing marks to decide between.
    ResolveMarks {
        /// The meeting.
        meeting: MeetingKey,
        /// Its title.
        title: String,
        /// How many lines.
        count: u32,
    },
    /// A roll call that waits for the member's confirmation.
    Confirm {
        /// The meeting.
        meeting: MeetingKey,
        /// Its title.
        title: String,
    },
    /// An assumed chair to ratify.
    RatifyChair {
        /// The meeting.
        meeting: MeetingKey,
        /// Its title.
        title: String,
    },
    /// The organisation wants a newer app: until then nothing more can be entered. What was entered is still sent.
    UpdateNeeded {
        /// The oldest version that may, as `1.2.3`.
        minimum: String,
    },
    /// The phone holds records of kinds that this version does not know: a newer app shows them.
    UpdateApp {
        /// How many.
        count: u32,
    },
    /// Something of one's own was refused and can be looked at.
    Refused {
        /// How many.
        count: u32,
    },
}

/// Whom to call.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ContactView {
    /// Name.
    pub name: String,
    /// Number; none where the person gave none for the office.
    pub phone: Option<String>,
}

/// Whether everything is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct DeliveryView {
    /// How many things wait to be sent.
    pub unsent: u32,
    /// How many were refused and wait for the member.
    pub refused: u32,
    /// When the server was last reached; none: never.
    pub last_synced_at: Option<Timestamp>,
    /// The last try did not reach the server.
    pub offline: bool,
}

/// What waits to be sent, and what was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct OutboxView {
    /// Waiting to be sent, the oldest first.
    pub unsent: Vec<OutboxLine>,
    /// Refused, with everything the author wrote.
    pub refused: Vec<OutboxLine>,
}

/// A mutation of one's own.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct OutboxLine {
    /// Its number.
    pub n: i64,
    /// What it wants, as the name of the intent: `Respond`, `RequestAbsence`, …
    pub intent: String,
    /// The meeting it is about.
    pub meeting: Option<MeetingKey>,
    /// That meeting's title, where it is still on this phone.
    pub title: Option<String>,
    /// The author's own words in it: note, reason, title, text.
    pub words: Option<String>,
    /// When it was made, by the phone's clock.
    pub made_at: Timestamp,
    /// Why it was refused.
    pub refusal: Option<Rejection>,
}

sotay_model::redacted! {
    HomeView { member_name, cell_name, leads, changes, next_meeting, waiting, new_documents,
        secretary, delivery },
    enum WaitingItem { Acknowledge { meeting, title }, Answer { meeting, title, answer_by },
        Read { document, title }, DecideAbsences { meeting, title, count }, ResolveMarks {
        meeting, title, count }, Confirm { meeting, title }, RatifyChair { meeting, title },
        UpdateNeeded { minimum }, UpdateApp { count }, Refused { count } },
    ContactView { name, phone },
    OutboxLine { n, intent, meeting, title, words, made_at, refusal },
}
