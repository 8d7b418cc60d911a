//! The notice: publish, change, cancel, acknowledge; and what changed between two versions.

use minicbor::{Decode, Encode};

use super::convened::{attended, not_cancelled};
use super::records::{
    Acknowledgement, Meeting, MeetingKind, MeetingMode, MeetingState, NoticeVersion, RollCall,
};
use crate::apply::Context;
use crate::cbor::{UnknownKeys, cbor_code};
use crate::documents::Document;
use crate::id::{DocumentKey, MeetingKey, OrganisationId, Scope, ScopeKind};
use crate::organisation::{Act, Organisation, Policy};
use crate::record::{Effect, Put, Stamp};
use crate::rejection::{Closing, Fault, Field, Rejection, Subject};
use crate::removed::is_removed;
use crate::text::{self, MAX_LINE, MAX_LIST, MAX_NOTE};
use crate::time::{CalendarDate, Timestamp};
use crate::world::{Found, Stop};

/// What a notice says.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
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
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
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
pub fn differences(before: &NoticeVersion, after: &NoticeVersion) -> Vec<NoticeField> {
    [
        (NoticeField::Title, before.title != after.title),
        (NoticeField::StartsAt, before.starts_at != after.starts_at),
        (NoticeField::EndsAt, before.ends_at != after.ends_at),
        (NoticeField::Place, before.place != after.place),
        (NoticeField::Mode, before.mode != after.mode),
        (NoticeField::Agenda, before.agenda != after.agenda),
        (NoticeField::Documents, before.documents != after.documents),
        (NoticeField::Guests, before.guests != after.guests),
        (NoticeField::AnswerBy, before.answer_by != after.answer_by),
        (
            NoticeField::AbsenceBy,
            before.absence_by != after.absence_by,
        ),
    ]
    .into_iter()
    .filter_map(|(field, differs)| differs.then_some(field))
    .collect()
}

pub(crate) fn publish_notice(c: &Context<'_>, i: &PublishNotice) -> Result<Effect, Stop> {
    let text = Checked::new(&i.notice)?;
    if matches!(i.kind, MeetingKind::Unknown { .. }) {
        return Err(invalid(Field::Choice, Fault::UnknownValue).into());
    }
    let caller = caller(i.meeting)?;
    participants(c, caller, &i.participating)?;
    text.documents_exist(c, &[])?;
    let policy = policy_of(c, caller)?;
    c.fresh(i.meeting.0)?;
    let meeting = Meeting {
        organisation: caller,
        participating: i.participating.clone(),
        kind: i.kind,
        state: MeetingState::Announced,
        versions: vec![text.version(c, 1, &policy, false)?],
        cancel_reason: None,
        cancelled_at: None,
        unknown: UnknownKeys::none(),
    };
    Ok(Effect {
        puts: vec![Put::of(i.meeting.0, caller.0, &meeting)],
    })
}

pub(crate) fn change_notice(c: &Context<'_>, i: &ChangeNotice) -> Result<Effect, Stop> {
    let text = Checked::new(&i.notice)?;
    let caller = caller(i.meeting)?;
    c.permit(&Act::ChangeNotice { caller })?;
    let found = called(c, i.meeting)?;
    if let Base::Confirmed(stamp) = i.base
        && stamp != found.record.stamp
    {
        // An edit of words that were removed meanwhile is likely to hold them.
        let removed = found
            .body
            .notice()
            .is_some_and(|now| is_removed(now.title.as_bytes()));
        return Err(if removed {
            Rejection::Removed {
                field: Field::Mutation,
            }
        } else {
            Rejection::Stale {
                current: found.record.stamp.into(),
            }
        }
        .into());
    }
    let mut meeting = found.body;
    let Some(current) = meeting.notice().cloned() else {
        return Err(Rejection::NotFound {
            what: Subject::Meeting,
        }
        .into());
    };
    if meeting.versions.len() >= MAX_LIST as usize {
        return Err(Rejection::TooLarge {
            field: Field::NoticeVersion,
            limit: MAX_LIST,
        }
        .into());
    }
    text.documents_exist(c, &current.documents)?;
    let policy = policy_of(c, meeting.organisation)?;
    let next = text.version(c, current.number.saturating_add(1), &policy, i.urgent)?;
    if differences(&current, &next).is_empty() && current.urgent == next.urgent {
        return Err(invalid(Field::Mutation, Fault::NoChange).into());
    }
    meeting.versions.push(next);
    Ok(Effect {
        puts: vec![Put::of(i.meeting.0, found.record.parent, &meeting)],
    })
}

pub(crate) fn cancel_meeting(c: &Context<'_>, i: &CancelMeeting) -> Result<Effect, Stop> {
    let reason = text::required_lines(Field::Reason, &i.reason, MAX_NOTE)?;
    let caller = caller(i.meeting)?;
    c.permit(&Act::CancelMeeting { caller })?;
    let found = called(c, i.meeting)?;
    let meeting = Meeting {
        state: MeetingState::Cancelled,
        cancel_reason: Some(reason),
        cancelled_at: Some(c.now.at),
        ..found.body
    };
    Ok(Effect {
        puts: vec![Put::of(i.meeting.0, found.record.parent, &meeting)],
    })
}

pub(crate) fn acknowledge_notice(c: &Context<'_>, i: &AcknowledgeNotice) -> Result<Effect, Stop> {
    let at = attended(c, i.meeting, i.organisation)?;
    c.permit(&Act::AcknowledgeNotice {
        organisation: i.organisation,
        convened: at.is_convened(c, at.my_id())?,
    })?;
    at.notice_version(i.notice_version)?;
    let key = Acknowledgement::key(i.meeting, i.organisation, at.my_id());
    let old = c.existing::<Acknowledgement>(key)?;
    // A phone that comes back late does not make the member forget what the other phone already showed.
    if old
        .as_ref()
        .is_some_and(|old| old.body.notice_version >= i.notice_version)
    {
        return Ok(Effect::default());
    }
    let known = Acknowledgement {
        member: at.my_id(),
        meeting: i.meeting,
        notice_version: i.notice_version,
        made_at: c.made_at,
        entered: None,
        unknown: old.map(|old| old.body.unknown).unwrap_or_default(),
    };
    Ok(Effect {
        puts: vec![Put::of(key, i.meeting.0.id, &known)],
    })
}

/// The organisation that calls the meeting.
fn caller(meeting: MeetingKey) -> Result<OrganisationId, Rejection> {
    if meeting.0.home.kind != ScopeKind::Organisation {
        return Err(Rejection::NotFound {
            what: Subject::Organisation,
        });
    }
    Ok(meeting.organisation())
}

/// A meeting that nobody has cancelled or opened.
fn called(c: &Context<'_>, key: MeetingKey) -> Result<Found<Meeting>, Stop> {
    let found = c.require::<Meeting>(key.0, Subject::Meeting)?;
    not_cancelled(&found.body)?;
    for organisation in &found.body.participating {
        // Of the cells that meet jointly only those are looked at whose roll call the actor may see.
        if c.holds(Scope::organisation(*organisation))?
            && let Some(roll_call) = c.world.get::<RollCall>(RollCall::key(key, *organisation))?
        {
            return Err(Rejection::Closed {
                what: Closing::MeetingOpened,
                since: Some(roll_call.body.opened_at),
            }
            .into());
        }
    }
    Ok(found)
}

/// Checks who meets: each once; the calling organisation itself or those directly below, and others only where the actor
/// leads them too.
fn participants(
    c: &Context<'_>,
    caller: OrganisationId,
    participating: &[OrganisationId],
) -> Result<(), Stop> {
    let permitted = |participant| {
        c.permit(&Act::PublishNotice {
            caller,
            participant,
        })
    };
    permitted(caller)?;
    check_list(Field::Participants, participating)?;
    if participating.is_empty() {
        return Err(invalid(Field::Participants, Fault::Empty).into());
    }
    participating.iter().copied().try_for_each(permitted)
}

fn policy_of(c: &Context<'_>, organisation: OrganisationId) -> Result<Policy, Stop> {
    let key = Organisation::key(organisation);
    Ok(c.require::<Organisation>(key, Subject::Organisation)?
        .body
        .policy)
}

/// A notice's text, checked.
struct Checked<'i> {
    draft: &'i NoticeText,
    title: String,
    place: String,
    agenda: Vec<String>,
    guests: Vec<String>,
}

impl<'i> Checked<'i> {
    fn new(draft: &'i NoticeText) -> Result<Self, Rejection> {
        let title = text::required(Field::Title, &draft.title, MAX_LINE)?;
        let place = text::required(Field::Place, &draft.place, MAX_LINE)?;
        check_length(Field::Agenda, draft.agenda.len())?;
        check_length(Field::Guests, draft.guests.len())?;
        check_list(Field::Documents, &draft.documents)?;
        let agenda = draft
            .agenda
            .iter()
            .map(|entry| text::required_lines(Field::Agenda, entry, MAX_NOTE))
            .collect::<Result<_, _>>()?;
        let guests = draft
            .guests
            .iter()
            .map(|guest| text::required(Field::Guests, guest, MAX_LINE))
            .collect::<Result<_, _>>()?;
        if matches!(draft.mode, MeetingMode::Unknown { .. }) {
            return Err(invalid(Field::Choice, Fault::UnknownValue));
        }
        check_instant(Field::StartsAt, draft.starts_at)?;
        check_instant(Field::EndsAt, draft.ends_at)?;
        if draft.ends_at <= draft.starts_at {
            return Err(invalid(Field::EndsAt, Fault::EndBeforeStart));
        }
        for deadline in [draft.answer_by, draft.absence_by].into_iter().flatten() {
            check_instant(Field::AnswerBy, deadline)?;
            if deadline > draft.starts_at {
                return Err(invalid(Field::AnswerBy, Fault::AfterStart));
            }
        }
        Ok(Self {
            draft,
            title,
            place,
            agenda,
            guests,
        })
    }

    /// Every document is there and shown to the actor; and was not removed, unless the notice named it `before`.
    fn documents_exist(&self, c: &Context<'_>, before: &[DocumentKey]) -> Result<(), Stop> {
        for document in &self.draft.documents {
            let found = c.require::<Document>(document.0, Subject::Document)?;
            if is_removed(found.body.title.as_bytes()) && !before.contains(document) {
                return Err(Rejection::Removed {
                    field: Field::Documents,
                }
                .into());
            }
        }
        Ok(())
    }

    fn version(
        self,
        c: &Context<'_>,
        number: u32,
        policy: &Policy,
        urgent: bool,
    ) -> Result<NoticeVersion, Stop> {
        let starts_at = self.draft.starts_at;
        let deadline = |wanted: Option<Timestamp>, minutes_before: u32| {
            let usual =
                wanted.unwrap_or_else(|| starts_at.plus_minutes(-i64::from(minutes_before)));
            // A change shortly before asks everyone again; and a deadline that is over before anyone can read the notice would
            // call every answer late.
            if urgent || (wanted.is_none() && usual <= c.now.at) {
                starts_at
            } else {
                usual
            }
        };
        Ok(NoticeVersion {
            number,
            title: self.title,
            starts_at,
            ends_at: self.draft.ends_at,
            place: self.place,
            mode: self.draft.mode,
            agenda: self.agenda,
            documents: self.draft.documents.clone(),
            guests: self.guests,
            answer_by: deadline(self.draft.answer_by, policy.answer_minutes_before),
            absence_by: deadline(self.draft.absence_by, policy.absence_minutes_before),
            published_at: c.now.at,
            published_by: c.my_id()?,
            late: c.now.at > starts_at.plus_minutes(-i64::from(policy.notice_minutes_ahead)),
            urgent,
            unknown: UnknownKeys::none(),
        })
    }
}

/// An instant a meeting can have: a year written by mistake is caught here, and no date arithmetic runs over.
fn check_instant(field: Field, at: Timestamp) -> Result<(), Rejection> {
    let in_range = |year: i32| (1930..=2200).contains(&year);
    let year = CalendarDate::year(at.date());
    if at.0 < MAX_INSTANT && at.0 > -MAX_INSTANT && in_range(year) {
        Ok(())
    } else {
        Err(invalid(field, Fault::Malformed))
    }
}

/// Some 300 years in milliseconds: beyond, [`Timestamp::date`] may have no day.
const MAX_INSTANT: i64 = 10_000_000_000_000;

fn check_length(field: Field, length: usize) -> Result<(), Rejection> {
    if length > MAX_LIST as usize {
        return Err(Rejection::TooLarge {
            field,
            limit: MAX_LIST,
        });
    }
    Ok(())
}

fn check_list<T: Ord>(field: Field, entries: &[T]) -> Result<(), Rejection> {
    check_length(field, entries.len())?;
    let mut sorted: Vec<&T> = entries.iter().collect();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(invalid(field, Fault::Repeated));
    }
    Ok(())
}

const fn invalid(field: Field, why: Fault) -> Rejection {
    Rejection::Invalid { field, why }
}

crate::redacted! {
    NoticeText { title, starts_at, ends_at, place, mode, agenda, documents, guests, answer_by,
        absence_by },
    CancelMeeting { meeting, reason },
}
