//! The notice: publish, change, cancel, acknowledge; and what changed between two versions.

use super::records::{MeetingKind, MeetingMode, NoticeVersion};
use crate::apply::Context;
use crate::cbor::cbor_code;
use crate::id::{DocumentKey, MeetingKey, OrganisationId};
use crate::record::Effect;
use crate::record::Stamp;
use crate::time::Timestamp;
use crate::world::Stop;
use minicbor::{Decode, Encode};

/// What a notice says.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct NoticeText {
    /// Title.
    #[n(0)]
    pub title: String,
    /// Beginning.
    #[n(1)]
    pub starts_at: Timestamp,
    /// End.
    #[n(2)]
    pub ends_at: Timestamp,
    /// Place.
    #[n(3)]
    pub place: String,
    /// In the room, online, or both.
    #[n(4)]
    pub mode: MeetingMode,
    /// nội dung
    #[n(5)]
    pub agenda: Vec<String>,
    /// Documents to read before.
    #[n(6)]
    pub documents: Vec<DocumentKey>,
    /// Guests.
    #[n(7)]
    pub guests: Vec<String>,
    /// Until when to answer; none: as the policy says.
    #[n(8)]
    pub answer_by: Option<Timestamp>,
    /// Until when to ask to be excused; none: as the policy says.
    #[n(9)]
    pub absence_by: Option<Timestamp>,
}

/// Announces a meeting.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PublishNotice {
    /// The meeting; its home is the organisation that calls it.
    #[n(0)]
    pub meeting: MeetingKey,
    /// Who meets, the calling organisation included.
    #[n(1)]
    pub participating: Vec<OrganisationId>,
    /// What kind.
    #[n(2)]
    pub kind: MeetingKind,
    /// The text.
    #[n(3)]
    pub notice: NoticeText,
}

/// Which version an edit of a shared text was made on.
///
/// `Confirmed` must equal the stamp of the record that `apply` sees. `After` always passes in `apply`, because only the
/// driver can know what it means: the server replaces `After(n)` by `Confirmed` of the stamp that the receipt of mutation n of
/// the same phone wrote ([`crate::Mutation::resolve_base`]) before it applies; on the phone the overlay carries mutation n's
/// text under the stamp of the base, and the edit stands on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Base {
    /// A version the server confirmed.
    #[n(0)]
    Confirmed(#[n(0)] Stamp),
    /// The text as the mutation with this number of the same phone leaves it.
    #[n(1)]
    After(#[n(0)] i64),
}

/// Changes the notice: the whole new text.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ChangeNotice {
    /// The meeting.
    #[n(0)]
    pub meeting: MeetingKey,
    /// The version it was edited on.
    #[n(1)]
    pub base: Base,
    /// The new text.
    #[n(2)]
    pub notice: NoticeText,
    /// Earlier answers are asked again, and the deadline reopens until the beginning.
    #[n(3)]
    pub urgent: bool,
}

/// Cancels the meeting.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CancelMeeting {
    /// The meeting.
    #[n(0)]
    pub meeting: MeetingKey,
    /// Why, for everyone to read.
    #[n(1)]
    pub reason: String,
}

/// "I know this version."
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AcknowledgeNotice {
    /// The meeting.
    #[n(0)]
    pub meeting: MeetingKey,
    /// The participating organisation the member belongs to.
    #[n(1)]
    pub organisation: OrganisationId,
    /// The version on the screen.
    #[n(2)]
    pub notice_version: u32,
}

cbor_code! {
    /// A field of a notice that can differ between versions.
    pub enum NoticeField {
        /// Title.
        Title = 1,
        /// Beginning.
        StartsAt = 2,
        /// End.
        EndsAt = 3,
        /// Place.
        Place = 4,
        /// In the room, online, or both.
        Mode = 5,
        /// Agenda.
        Agenda = 6,
        /// Documents.
        Documents = 7,
        /// Guests.
        Guests = 8,
        /// Deadline for answers.
        AnswerBy = 9,
        /// Deadline for absence requests.
        AbsenceBy = 10,
    }
}

/// The fields in which two versions differ, in the order of the screen.
pub fn differences(_before: &NoticeVersion, _after: &NoticeVersion) -> Vec<NoticeField> {
    todo!()
}

pub(crate) fn publish_notice(_c: &Context<'_>, _i: &PublishNotice) -> Result<Effect, Stop> {
    todo!()
}

pub(crate) fn change_notice(_c: &Context<'_>, _i: &ChangeNotice) -> Result<Effect, Stop> {
    todo!()
}

pub(crate) fn cancel_meeting(_c: &Context<'_>, _i: &CancelMeeting) -> Result<Effect, Stop> {
    todo!()
}

pub(crate) fn acknowledge_notice(_c: &Context<'_>, _i: &AcknowledgeNotice) -> Result<Effect, Stop> {
    todo!()
}
