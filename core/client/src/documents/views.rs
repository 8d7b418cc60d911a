//! What the handbook screens show.

use sotay_model::documents::{ConfidentialityLevel, DocumentKind};
use sotay_model::{CalendarDate, DocumentKey, MeetingKey, Timestamp};

/// A document as a line of a list.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct DocumentCard {
    /// The document.
    pub document: DocumentKey,
    /// Title.
    pub title: String,
    /// số, ký hiệu
    pub number: Option<String>,
    /// cơ quan ban hành
    pub issuer: String,
    /// What kind.
    pub kind: DocumentKind,
    /// độ mật
    pub level: ConfidentialityLevel,
    /// Day of issue.
    pub issued_on: CalendarDate,
    /// When it was published here.
    pub published_at: Timestamp,
    /// The meeting it is for.
    pub for_meeting: Option<MeetingKey>,
    /// How many sections it has.
    pub section_count: u32,
    /// All its sections are on this phone: it can be read without a network.
    pub complete: bool,
    /// Whether it was opened on this phone.
    pub opened: bool,
}

/// The handbook screen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct LibraryView {
    /// For the next meeting.
    pub for_next_meeting: Vec<DocumentCard>,
    /// Where reading stopped last.
    pub continue_reading: Option<ReadingPlace>,
    /// bản tin, the newest ones.
    pub bulletin: Vec<DocumentCard>,
    /// A page of all documents, the newest first.
    pub documents: Vec<DocumentCard>,
    /// How many documents there are in all.
    pub count: u32,
}

/// A place in a document.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ReadingPlace {
    /// The document.
    pub document: DocumentKey,
    /// Its title.
    pub title: String,
    /// The section's position, from 0.
    pub order: u32,
    /// The section's number.
    pub number: String,
    /// The section's heading.
    pub heading: String,
}

/// A document's screen: what it is and its table of contents.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct DocumentView {
    /// What the list shows.
    pub card: DocumentCard,
    /// The table of contents.
    pub contents: Vec<SectionHeading>,
    /// Where reading stopped, from 0.
    pub reading_place: Option<u32>,
    /// What is attached, in the document's order.
    #[cfg_attr(feature = "uniffi", uniffi(default = []))]
    pub attachments: Vec<AttachmentView>,
}

/// A file attached to a document.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AttachmentView {
    /// Its name, without a folder.
    pub name: String,
    /// `application/pdf`, `image/…`, `audio/…` or `video/…`.
    pub media_type: String,
    /// How many bytes it has.
    pub size: u32,
    /// About how many of them are on this phone; what is missing is fetched by `fetch_attachment`.
    pub present: u32,
    /// All of it is here and was checked: it can be read without a network.
    pub ready: bool,
    /// It is kept whatever else needs room.
    pub pinned: bool,
}

/// What attachments take on this phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AttachmentStorageView {
    /// Bytes, those still on their way included.
    pub used: i64,
    /// The most they may take; what was not used for the longest time makes room.
    pub quota: i64,
}

/// A file to attach.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AttachmentForm {
    /// The name that readers see, without a folder.
    pub name: String,
    /// `application/pdf`, `image/…`, `audio/…` or `video/…`.
    pub media_type: String,
    /// Where its bytes are now. They are copied; the app may remove the file when the call returned.
    pub path: String,
}

/// A line of the table of contents.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SectionHeading {
    /// Position, from 0.
    pub order: u32,
    /// 1, 1.1, 1.1.1
    pub number: String,
    /// Heading.
    pub heading: String,
    /// 1 for "1", 2 for "1.1".
    pub depth: u32,
}

/// A section to read.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SectionView {
    /// Position, from 0.
    pub order: u32,
    /// 1, 1.1, 1.1.1
    pub number: String,
    /// Heading.
    pub heading: String,
    /// Paragraphs, separated by a line feed.
    pub text: String,
}

/// A page of sections.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SectionPage {
    /// The sections in order.
    pub sections: Vec<SectionView>,
    /// How many the document has.
    pub count: u32,
}

/// The form for publishing a document.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct DocumentForm {
    /// Title.
    pub title: String,
    /// số, ký hiệu
    pub number: Option<String>,
    /// cơ quan ban hành
    pub issuer: String,
    /// What kind.
    pub kind: DocumentKind,
    /// độ mật
    pub level: ConfidentialityLevel,
    /// Day of issue.
    pub issued_on: CalendarDate,
    /// The meeting it is for.
    pub for_meeting: Option<MeetingKey>,
    /// Its text.
    pub sections: Vec<SectionForm>,
}

/// A section to publish.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SectionForm {
    /// 1, 1.1, 1.1.1
    pub number: String,
    /// Heading.
    pub heading: String,
    /// Text.
    pub text: String,
}

sotay_model::redacted! {
    DocumentCard { document, title, number, issuer, kind, level, issued_on, published_at,
        for_meeting, section_count, complete, opened },
    ReadingPlace { document, title, order, number, heading },
    AttachmentView { name, media_type, size, present, ready, pinned },
    AttachmentForm { name, media_type, path },
    SectionHeading { order, number, heading, depth },
    SectionView { order, number, heading, text },
    DocumentForm { title, number, issuer, kind, level, issued_on, for_meeting, sections },
    SectionForm { number, heading, text },
}
