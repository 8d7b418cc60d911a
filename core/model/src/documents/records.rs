//! Records of documents.

use crate::blob::{BlobDigest, PieceDigests};
use crate::cbor::{cbor_code, cbor_map};
use crate::id::{DocumentKey, Id, MeetingKey, OrganisationId, RecordKey, Scope};
use crate::inventory::{Kept, Retention};
use crate::record::{Body, Kind};
use crate::time::{CalendarDate, Timestamp};

cbor_code! {
    /// độ mật. Only the first two may be kept here; the others exist so that a refusal can name them.
    pub enum ConfidentialityLevel {
        /// công khai
        Public = 1,
        /// nội bộ
        Internal = 2,
        /// hạn chế
        Restricted = 3,
        /// bí mật nhà nước
        StateSecret = 4,
    }
}

cbor_code! {
    /// What kind of document.
    pub enum DocumentKind {
        /// nghị quyết
        Resolution = 1,
        /// dự thảo
        Draft = 2,
        /// chỉ thị, hướng dẫn, quy định
        Directive = 3,
        /// kết luận
        Conclusion = 4,
        /// bản tin
        Bulletin = 5,
        /// Any other.
        Other = 6,
    }
}

cbor_map! {
    /// A document's metadata. Home `org:<organisation>`, parent: the meeting it is for, else the organisation.
    pub struct Document {
        /// Who published it here.
        0 => organisation: OrganisationId [No],
        /// Its title.
        1 => title: String [Words],
        /// số, ký hiệu
        2 => number: Option<String> [Words],
        /// cơ quan ban hành
        3 => issuer: String [Words],
        /// What kind.
        4 => kind: DocumentKind [No],
        /// độ mật
        5 => level: ConfidentialityLevel [No],
        /// Day of issue.
        6 => issued_on: CalendarDate [No],
        /// When it was published here.
        7 => published_at: Timestamp [No],
        /// The meeting it is for.
        8 => for_meeting: Option<MeetingKey> [No],
        /// How many sections it has.
        9 => section_count: u32 [No],
        /// What is attached; none where nothing is. A version that does not know this key keeps it and shows the text.
        10 => attachments: Option<Vec<Attachment>> [No],
    }
}

cbor_map! {
    /// A file attached to a document: what it is, and everything needed to check its bytes.
    pub struct Attachment {
        /// Its name, without a folder.
        0 => name: String [Words],
        /// `application/pdf`, `image/…`, `audio/…` or `video/…`.
        1 => media_type: String [No],
        /// How many bytes.
        2 => size: u64 [No],
        /// Its SHA-256.
        3 => blob: BlobDigest [No],
        /// The SHA-256 of each piece, see [`crate::blob`].
        4 => pieces: PieceDigests [No],
    }
}

impl Body for Document {
    const KIND: Kind = Kind::Document;
    const KEPT: Kept = Kept {
        purpose: "Members read documents without a network, and see what is new.",
        about: "Nobody's, as a rule.",
        seen_by: "The members of the organisation that published it, and those below it.",
        until: Retention::People("The document is in force"),
        because: ", as the organisation that published it decides",
    };

    fn audience(&self, _home: Scope) -> Vec<Scope> {
        vec![Scope::organisation(self.organisation)]
    }
}

cbor_map! {
    /// A numbered section. Home: the document's, parent: the document. Shown to the document's audience.
    pub struct Section {
        /// Position in the document, from 0.
        0 => order: u32 [No],
        /// 1, 1.1, 1.1.1
        1 => number: String [No],
        /// Its heading.
        2 => heading: String [Words],
        /// Its text; paragraphs are separated by a line feed.
        3 => text: String [Words],
    }
}

impl Body for Section {
    const KIND: Kind = Kind::Section;
    const KEPT: Kept = Kept {
        purpose: "The text of a document, read and shared by section.",
        about: "Nobody's, as a rule.",
        seen_by: "Whoever sees the document.",
        until: Retention::People("As the document"),
        because: "",
    };

    fn audience(&self, home: Scope) -> Vec<Scope> {
        vec![home]
    }
}

impl Section {
    /// The key of a document's section.
    pub fn key(document: DocumentKey, order: u32) -> RecordKey {
        let mut position = [0; 16];
        position[12..].copy_from_slice(&order.to_be_bytes());
        RecordKey::new(
            document.0.home,
            Id::derived("section", &[document.0.id, Id::from_bytes(position)]),
        )
    }
}
