//! Mutations: what a person wants, as an intent and never as a difference of bytes.
//!
//! A mutation is encoded once, on the phone that makes it, and sent as those bytes as often as it takes. Its key is
//! (installation, n). A kind that this version does not know is [`Intent::Unknown`]: a server answers "not yet".

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::documents::PublishDocument;
use crate::meetings::{
    AcknowledgeNotice, AssumeChair, Base, CancelMeeting, ChangeNotice, ConfirmRollCall,
    CorrectRollCall, DecideAbsence, DelegateChair, MarkAttendance, MarkInformed, ObjectToMark,
    OpenRollCall, PublishNotice, RatifyChair, RequestAbsence, ResolveMarks, Respond,
    RespondOnBehalf, WithdrawAbsence,
};
use crate::organisation::{
    Appoint, EndAppointment, EnterMember, FoundOrganisation, IntroduceTemporarily,
};
use crate::profile::RequestCorrection;
use crate::record::Stamp;
use crate::time::Timestamp;

/// The most bytes one mutation may have.
pub const MAX_MUTATION_BYTES: usize = 1 << 20;

/// A mutation as it lies in the outbox and travels.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Mutation {
    /// When it was made, by the phone's clock: shown, never used for order or permission.
    #[n(0)]
    pub made_at: Timestamp,
    /// Numbers of mutations of the same phone that created a record it names or whose pending text it edits.
    #[n(1)]
    pub needs: Vec<i64>,
    /// What is wanted.
    #[n(2)]
    pub intent: Intent,
}

/// Declares the intents: each a number on the wire and a payload type.
macro_rules! intents {
    ($( $(#[$meta:meta])* $variant:ident = $code:literal, )*) => {
        /// What is wanted. The number is part of the wire format and never reused.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Intent {
            $( $(#[$meta])* $variant($variant), )*
            /// A kind of a newer version.
            Unknown {
                /// Its number.
                code: u32,
            },
        }

        $(
            impl From<$variant> for Intent {
                fn from(intent: $variant) -> Self {
                    Self::$variant(intent)
                }
            }
        )*

        impl Intent {
            /// The names of all kinds that this version knows.
            pub const NAMES: &'static [&'static str] = &[$( stringify!($variant), )*];

            /// Its name, for logs: never its contents.
            pub const fn name(&self) -> &'static str {
                match self {
                    $( Self::$variant(_) => stringify!($variant), )*
                    Self::Unknown { .. } => "Unknown",
                }
            }
        }

        impl<Ctx> Encode<Ctx> for Intent {
            fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, ctx: &mut Ctx) -> Result<(), encode::Error<W::Error>> {
                e.array(2)?;
                match self {
                    $( Self::$variant(intent) => { e.u32($code)?; intent.encode(e, ctx) } )*
                    Self::Unknown { code } => e.u32(*code)?.null()?.ok(),
                }
            }
        }

        impl<'b, Ctx> Decode<'b, Ctx> for Intent {
            fn decode(d: &mut Decoder<'b>, ctx: &mut Ctx) -> Result<Self, decode::Error> {
                if d.array()? != Some(2) {
                    return Err(decode::Error::message("an intent is a pair"));
                }
                match d.u32()? {
                    $( $code => <$variant as Decode<'b, Ctx>>::decode(d, ctx).map(Self::$variant), )*
                    code => { d.skip()?; Ok(Self::Unknown { code }) }
                }
            }
        }
    };
}

intents! {
    /// Adds an organisation to the tree.
    FoundOrganisation = 1,
    /// Enters a member from the party's register, or brings the entry up to date.
    EnterMember = 2,
    /// Gives an office.
    Appoint = 3,
    /// Ends an office.
    EndAppointment = 4,
    /// Introduces a member to temporary activity elsewhere.
    IntroduceTemporarily = 5,
    /// Asks for a correction of the profile.
    RequestCorrection = 10,
    /// Announces a meeting.
    PublishNotice = 20,
    /// Changes the notice.
    ChangeNotice = 21,
    /// Cancels the meeting.
    CancelMeeting = 22,
    /// "I know the change."
    AcknowledgeNotice = 23,
    /// "I told this member."
    MarkInformed = 24,
    /// The member's own answer.
    Respond = 25,
    /// An answer entered for another member.
    RespondOnBehalf = 26,
    /// Asks to be excused.
    RequestAbsence = 27,
    /// Takes the request back.
    WithdrawAbsence = 28,
    /// Decides on a request.
    DecideAbsence = 29,
    /// Opens the meeting: freezes who is convened with which status.
    OpenRollCall = 30,
    /// The secretary asks another official member to take the chair.
    DelegateChair = 31,
    /// An official member takes the chair, secretary and deputy being out of reach.
    AssumeChair = 32,
    /// The secretary agrees afterwards.
    RatifyChair = 33,
    /// Marks a member.
    MarkAttendance = 34,
    /// Decides between conflicting marks.
    ResolveMarks = 35,
    /// Confirms the roll call as seen.
    ConfirmRollCall = 36,
    /// Proposes a correction of a confirmed roll call.
    CorrectRollCall = 37,
    /// Objects to the own line.
    ObjectToMark = 38,
    /// Publishes a document.
    PublishDocument = 40,
}

impl Mutation {
    /// The number of the mutation of the same phone whose text this one edits, where it says so.
    pub const fn base_after(&self) -> Option<i64> {
        match &self.intent {
            Intent::ChangeNotice(ChangeNotice {
                base: Base::After(n),
                ..
            }) => Some(*n),
            _ => None,
        }
    }

    /// Replaces a base [`Base::After`] by the version that the named mutation wrote. The server calls this before `apply`;
    /// without a receipt of that mutation the answer is `Rejection::DependsOn`.
    pub const fn resolve_base(&mut self, written: Stamp) {
        if let Intent::ChangeNotice(change) = &mut self.intent {
            change.base = Base::Confirmed(written);
        }
    }
}
