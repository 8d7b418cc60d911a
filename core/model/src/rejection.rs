//! Why a mutation was not carried out, so that a person knows what to do next.

use minicbor::{Decode, Encode};

use crate::cbor::cbor_code;
use crate::record::Stamp;
use crate::time::Timestamp;

/// Why a mutation was refused. A refused mutation changes nothing and stays with its author.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, thiserror::Error)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Rejection {
    /// The actor may not do this: ask the person who holds the office.
    #[n(0)]
    #[error("not allowed: {why:?}")]
    NotAllowed {
        /// Which rule stands in the way.
        #[n(0)]
        why: Denial,
    },
    /// What it speaks of is not there, or not shown to the actor.
    #[n(1)]
    #[error("not found: {what:?}")]
    NotFound {
        /// What was looked for.
        #[n(0)]
        what: Subject,
    },
    /// It was made on an older version: look at the current one and decide again.
    #[n(2)]
    #[error("made on an older version")]
    Stale {
        /// The version that stands now.
        #[n(0)]
        current: Version,
    },
    /// It is over.
    #[n(3)]
    #[error("closed: {what:?}")]
    Closed {
        /// What is over.
        #[n(0)]
        what: Closing,
        /// Since when, where known.
        #[n(1)]
        since: Option<Timestamp>,
    },
    /// A field does not hold what it must.
    #[n(4)]
    #[error("{field:?}: {why:?}")]
    Invalid {
        /// Which field.
        #[n(0)]
        field: Field,
        /// What is wrong with it.
        #[n(1)]
        why: Fault,
    },
    /// The text carries a secrecy marking; such texts never enter this system.
    #[n(5)]
    #[error("{field:?} is marked {level:?}")]
    Secret {
        /// Which field.
        #[n(0)]
        field: Field,
        /// The marking found.
        #[n(1)]
        level: SecrecyMarking,
    },
    /// Longer than a limit.
    #[n(6)]
    #[error("{field:?} is longer than {limit}")]
    TooLarge {
        /// Which field.
        #[n(0)]
        field: Field,
        /// The limit: characters for a text, entries for a list, bytes for a whole mutation.
        #[n(1)]
        limit: u32,
    },
    /// Something it needs was refused or is not there yet.
    #[n(7)]
    #[error("depends on mutation {n}")]
    DependsOn {
        /// The number of the mutation of the same phone.
        #[n(0)]
        n: i64,
    },
    /// Marks of the same member differ and nobody has decided between them.
    #[n(8)]
    #[error("{count} members have conflicting marks")]
    Conflict {
        /// How many members.
        #[n(0)]
        count: u32,
    },
    /// Members without a mark stand in the way of a confirmation.
    #[n(9)]
    #[error("{count} members are unmarked")]
    Unmarked {
        /// How many members.
        #[n(0)]
        count: u32,
    },
    /// Below the server's floor of remembered mutations; never executed again.
    #[n(10)]
    #[error("too old to be told from a repetition")]
    Expired,
    /// The same number was used for another mutation.
    #[n(11)]
    #[error("this number belongs to another mutation")]
    NumberReused,
    /// An id that is already in use.
    #[n(12)]
    #[error("this id is already in use")]
    AlreadyExists,
    /// It holds, or speaks of, what was removed because it should never have been entered.
    #[n(13)]
    #[error("{field:?} was removed, because it should never have been entered")]
    Removed {
        /// [`Field::Documents`]: it names a removed document. Otherwise its own words or files are the removed ones, and the
        /// phone keeps them no longer.
        #[n(0)]
        field: Field,
    },
}

/// A version a person can look up: a record's stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Version {
    /// The server's incarnation.
    #[n(0)]
    pub incarnation: i64,
    /// Counts the record's changes.
    #[n(1)]
    pub number: i64,
}

impl From<Stamp> for Version {
    fn from(stamp: Stamp) -> Self {
        Self {
            incarnation: stamp.incarnation.cast_signed(),
            number: stamp.version.cast_signed(),
        }
    }
}

impl From<Version> for Stamp {
    fn from(version: Version) -> Self {
        Self {
            incarnation: version.incarnation.cast_unsigned(),
            version: version.number.cast_unsigned(),
        }
    }
}

cbor_code! {
    /// Which rule keeps the actor from it.
    pub enum Denial {
        /// Only the secretary or deputy secretary of the organisation.
        OfficeNeeded = 1,
        /// Nobody decides on the own absence.
        OwnAbsence = 2,
        /// Only the chair of the meeting.
        ChairNeeded = 3,
        /// Only those convened.
        NotConvened = 4,
        /// Only an official member.
        OfficialMemberNeeded = 5,
        /// Only chair, minute-taker, or another official member present where there is no minute-taker.
        NotAConfirmer = 6,
        /// Chair and minute-taker must be two persons.
        SecondPersonNeeded = 7,
        /// Only what is one's own: the own line, the own phones.
        NotOwnLine = 8,
        /// Only the operator of the server.
        OperatorNeeded = 9,
        /// Only a member of the organisation.
        NotAMember = 10,
        /// An assistant enters, but never decides.
        AssistantNeverDecides = 11,
    }
}

cbor_code! {
    /// What was looked for.
    pub enum Subject {
        /// An organisation.
        Organisation = 1,
        /// A member.
        Member = 2,
        /// A meeting.
        Meeting = 3,
        /// An absence request.
        AbsenceRequest = 4,
        /// A roll call that has been opened.
        RollCall = 5,
        /// A line of the roll call.
        AttendanceLine = 6,
        /// A document.
        Document = 7,
        /// An appointment.
        Appointment = 8,
        /// A phone that waits to be confirmed, or can be revoked.
        Phone = 9,
    }
}

cbor_code! {
    /// What is over.
    pub enum Closing {
        /// The meeting was cancelled.
        MeetingCancelled = 1,
        /// The meeting has been opened; what only makes sense before is over.
        MeetingOpened = 2,
        /// The roll call is confirmed; ask for a correction.
        RollCallConfirmed = 3,
        /// The absence was already decided.
        AbsenceDecided = 4,
        /// The days for an objection are over.
        ObjectionPeriod = 5,
        /// The membership has ended.
        Membership = 6,
    }
}

cbor_code! {
    /// Which field of a form.
    pub enum Field {
        /// A title.
        Title = 1,
        /// A place.
        Place = 2,
        /// An entry of the agenda.
        Agenda = 3,
        /// When it begins.
        StartsAt = 4,
        /// When it ends.
        EndsAt = 5,
        /// Until when to answer.
        AnswerBy = 6,
        /// A reason in words.
        Reason = 7,
        /// A note.
        Note = 8,
        /// A name.
        Name = 9,
        /// A telephone number.
        Phone = 10,
        /// A document's number and symbol.
        DocumentNumber = 11,
        /// A document's issuer.
        Issuer = 12,
        /// The list of sections.
        Sections = 13,
        /// A section's number.
        SectionNumber = 14,
        /// A section's heading.
        Heading = 15,
        /// A text.
        Text = 16,
        /// A level of confidentiality.
        ConfidentialityLevel = 17,
        /// A beginning and an end.
        Period = 18,
        /// The parent of an organisation.
        Parent = 19,
        /// A status.
        Status = 20,
        /// A choice from a list.
        Choice = 21,
        /// The participating organisations.
        Participants = 22,
        /// The list of guests.
        Guests = 23,
        /// The documents of a meeting.
        Documents = 24,
        /// A mark of the roll call.
        Mark = 25,
        /// The whole mutation.
        Mutation = 26,
        /// A card number.
        CardNumber = 27,
        /// The changes of a correction.
        Changes = 28,
        /// A version of a notice.
        NoticeVersion = 29,
        /// The files attached to a document.
        Attachments = 30,
    }
}

cbor_code! {
    /// What is wrong with a field.
    pub enum Fault {
        /// Nothing was written.
        Empty = 1,
        /// The end is before the beginning.
        EndBeforeStart = 2,
        /// Control characters, which no keyboard types.
        ControlCharacter = 3,
        /// Characters that turn the direction of a text and make it read as another.
        DirectionOverride = 4,
        /// A value this version does not know.
        UnknownValue = 5,
        /// Numbers out of order or written twice.
        OutOfOrder = 6,
        /// The same entry twice.
        Repeated = 7,
        /// It lies after the meeting's beginning.
        AfterStart = 8,
        /// A level that must not be kept here.
        NotKeptHere = 9,
        /// Not in the expected form.
        Malformed = 10,
        /// It would make the organisation its own ancestor.
        Loop = 11,
        /// It changes nothing.
        NoChange = 12,
    }
}

cbor_code! {
    /// A secrecy marking found in a text.
    pub enum SecrecyMarking {
        /// HẠN CHẾ
        Restricted = 1,
        /// MẬT
        Secret = 2,
        /// TỐI MẬT
        TopSecret = 3,
        /// TUYỆT MẬT
        UtmostSecret = 4,
    }
}
