//! What records hold, said beside their declarations: for whoever asks what is kept about people, and for whoever reads a body
//! without knowing its type.
//!
//! Invariant: nothing is kept without a statement. A kind of record without [`Kept`] does not compile, nor does a field without
//! its [`Personal`]. Only constants: what nobody asks for is not linked. `docs/data-inventory.md` is written from them.

use crate::blob::{BlobDigest, PieceDigests};
use crate::documents::{Document, Section};
use crate::id::{DocumentKey, Id, MeetingKey, MemberId, OrganisationId, RecordKey};
use crate::meetings::{
    AbsenceRequest, Acknowledgement, Attendance, ChairDelegation, Meeting, Response, RollCall,
};
use crate::organisation::{Appointment, Member, Organisation, TemporaryActivity};
use crate::profile::{CorrectionRequest, Profile};
use crate::record::{Body, Kind};
use crate::time::{CalendarDate, Timestamp};

/// Why a kind of record exists, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// What it is for.
    pub purpose: &'static str,
    /// Whose personal particulars it holds.
    pub about: &'static str,
    /// Who sees it: what [`Body::audience`] says, in words.
    pub seen_by: &'static str,
    /// For how long it is needed.
    pub until: Retention,
    /// Why so long, where that does not go without saying; begins with a comma or colon.
    pub because: &'static str,
}

/// For how long a kind of record is needed, and who removes it then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// So many years after the last day that it names. The server removes it.
    LastDay {
        /// How many.
        years: u32,
    },
    /// So many years after the end of the meeting it belongs to. The server removes it.
    Meeting {
        /// How many.
        years: u32,
    },
    /// So many years after it was last written. The server removes it.
    Written {
        /// How many.
        years: u32,
    },
    /// As long as these words say, which no date in the record tells: people decide.
    People(&'static str),
}

impl Retention {
    /// In words, without an end.
    pub fn words(self) -> String {
        let after = |years: u32, what: &str| match years {
            1 => format!("One year after {what}"),
            years => format!("{years} years after {what}"),
        };
        match self {
            Self::LastDay { years } => after(years, "its last day"),
            Self::Meeting { years } => after(years, "the meeting"),
            Self::Written { years } => after(years, "it was last written"),
            Self::People(words) => words.to_owned(),
        }
    }

    /// Whether the server removes it by itself.
    pub const fn is_kept_by_server(self) -> bool {
        !matches!(self, Self::People(_))
    }
}

/// What a field says about people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Personal {
    /// Nothing about a person.
    No,
    /// Who somebody is: an identifier, a name, a number to call.
    Who,
    /// What somebody is, did or answered, and when.
    About,
    /// Free text that somebody wrote; it may say anything.
    Words,
    /// What only the person and whoever must decide may know: particulars of the register, reasons of health and family.
    Private,
}

impl Personal {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::No => "–",
            Self::Who => "who",
            Self::About => "about a person",
            Self::Words => "free text",
            Self::Private => "private",
        }
    }
}

/// A field of a map.
#[derive(Debug, Clone, Copy)]
pub struct MapField {
    /// Its key in the encoding.
    pub number: u32,
    /// Its name.
    pub name: &'static str,
    /// Its type as declared.
    pub type_name: &'static str,
    /// What it says about people.
    pub personal: Personal,
    /// What its value is made of; of a list, what each item is made of.
    pub shape: Shape,
}

/// What a value is made of.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A number, a text, bytes: as it is.
    Plain,
    /// A map with these fields.
    Map(&'static [MapField]),
    /// A code with these names.
    Code(&'static [(u32, &'static str)]),
    /// [`Timestamp`]
    Timestamp,
    /// [`CalendarDate`]
    CalendarDate,
    /// [`RecordKey`]
    RecordKey,
}

/// A type of which something kept is made. `cbor_map!` and `cbor_code!` say it for what they declare.
pub trait Described {
    /// What it is made of.
    const SHAPE: Shape;
}

impl<T: Described> Described for Option<T> {
    const SHAPE: Shape = T::SHAPE;
}

impl<T: Described> Described for Vec<T> {
    const SHAPE: Shape = T::SHAPE;
}

macro_rules! described {
    ($($shape:ident: $($type:ty),+;)+) => {
        $($(
            impl Described for $type {
                const SHAPE: Shape = Shape::$shape;
            }
        )+)+
    };
}

described! {
    Plain: bool, u8, u32, u64, String, Id, MemberId, OrganisationId, BlobDigest, PieceDigests;
    Timestamp: Timestamp;
    CalendarDate: CalendarDate;
    RecordKey: RecordKey, MeetingKey, DocumentKey;
}

/// What is said of a kind of record.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Why it exists, and for whom.
    pub kept: Kept,
    /// What its body is made of.
    pub fields: &'static [MapField],
}

/// What is said of this kind; none for one of a newer version.
pub const fn of(kind: Kind) -> Option<Entry> {
    const fn entry<T: Body + Described>() -> Entry {
        Entry {
            kept: T::KEPT,
            fields: match T::SHAPE {
                Shape::Map(fields) => fields,
                _ => &[],
            },
        }
    }
    Some(match kind {
        Kind::Organisation => entry::<Organisation>(),
        Kind::Member => entry::<Member>(),
        Kind::TemporaryActivity => entry::<TemporaryActivity>(),
        Kind::Appointment => entry::<Appointment>(),
        Kind::Profile => entry::<Profile>(),
        Kind::CorrectionRequest => entry::<CorrectionRequest>(),
        Kind::Meeting => entry::<Meeting>(),
        Kind::Response => entry::<Response>(),
        Kind::Acknowledgement => entry::<Acknowledgement>(),
        Kind::AbsenceRequest => entry::<AbsenceRequest>(),
        Kind::RollCall => entry::<RollCall>(),
        Kind::Attendance => entry::<Attendance>(),
        Kind::ChairDelegation => entry::<ChairDelegation>(),
        Kind::Document => entry::<Document>(),
        Kind::Section => entry::<Section>(),
        Kind::Unknown { .. } => return None,
    })
}
