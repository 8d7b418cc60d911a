//! The only place that decides what is allowed and what happens.
//!
//! `apply` has the same answer for the same input on the phone and on the server, never panics, and reads only records that
//! the actor's own scopes show. What it needs and does not find loaded, it asks for.

use crate::id::MemberId;
use crate::mutation::{Intent, Mutation};
use crate::record::{Effect, MAX_BODY_BYTES};
use crate::rejection::{Field, Rejection};
use crate::time::{ClockAuthority, Now, Timestamp};
use crate::world::{Need, Reader, Stop, World};
use crate::{defect, documents, meetings, organisation, profile};

/// On whose behalf a mutation is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A member, through an installation that the server knows.
    Member(MemberId),
    /// Whoever runs the server: enters what the party's register says.
    Operator,
}

/// What `apply` decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Allowed; this is what happens.
    Done(Effect),
    /// Refused; nothing happens.
    Rejected(Rejection),
    /// Undecided: load these and ask again.
    Need(Vec<Need>),
    /// A kind of mutation this version does not know: held, never parked.
    NotYet,
}

/// What every rule is given.
#[derive(Debug)]
pub(crate) struct Context<'w> {
    /// The loaded records.
    pub(crate) world: Reader<'w>,
    /// Who wants it.
    pub(crate) actor: Actor,
    /// At which instant.
    pub(crate) now: Now,
    /// When the phone says it was made.
    pub(crate) made_at: Timestamp,
}

/// Decides on a mutation.
pub fn apply(world: &World, actor: Actor, now: Now, mutation: &Mutation) -> Outcome {
    if now.authority == ClockAuthority::Server && defect::older_server_lacks(&mutation.intent) {
        return Outcome::NotYet;
    }
    let context = Context {
        world: Reader::new(world),
        actor,
        now,
        made_at: mutation.made_at,
    };
    let c = &context;
    let decided = match &mutation.intent {
        Intent::FoundOrganisation(i) => organisation::found_organisation(c, i),
        Intent::EnterMember(i) => organisation::enter_member(c, i),
        Intent::Appoint(i) => organisation::appoint(c, i),
        Intent::EndAppointment(i) => organisation::end_appointment(c, i),
        Intent::IntroduceTemporarily(i) => organisation::introduce_temporarily(c, i),
        Intent::RequestCorrection(i) => profile::request_correction(c, i),
        Intent::PublishNotice(i) => meetings::publish_notice(c, i),
        Intent::ChangeNotice(i) => meetings::change_notice(c, i),
        Intent::CancelMeeting(i) => meetings::cancel_meeting(c, i),
        Intent::AcknowledgeNotice(i) => meetings::acknowledge_notice(c, i),
        Intent::MarkInformed(i) => meetings::mark_informed(c, i),
        Intent::Respond(i) => meetings::respond(c, i),
        Intent::RespondOnBehalf(i) => meetings::respond_on_behalf(c, i),
        Intent::RequestAbsence(i) => meetings::request_absence(c, i),
        Intent::WithdrawAbsence(i) => meetings::withdraw_absence(c, i),
        Intent::DecideAbsence(i) => meetings::decide_absence(c, i),
        Intent::OpenRollCall(i) => meetings::open_roll_call(c, i),
        Intent::DelegateChair(i) => meetings::delegate_chair(c, i),
        Intent::AssumeChair(i) => meetings::assume_chair(c, i),
        Intent::RatifyChair(i) => meetings::ratify_chair(c, i),
        Intent::MarkAttendance(i) => meetings::mark_attendance(c, i),
        Intent::ResolveMarks(i) => meetings::resolve_marks(c, i),
        Intent::ConfirmRollCall(i) => meetings::confirm_roll_call(c, i),
        Intent::CorrectRollCall(i) => meetings::correct_roll_call(c, i),
        Intent::ObjectToMark(i) => meetings::object_to_mark(c, i),
        Intent::PublishDocument(i) => documents::publish_document(c, i),
        Intent::Unknown { .. } => return Outcome::NotYet,
    };
    match decided {
        Ok(effect)
            if effect
                .puts
                .iter()
                .any(|put| put.body.len() > MAX_BODY_BYTES as usize) =>
        {
            Outcome::Rejected(Rejection::TooLarge {
                field: Field::Mutation,
                limit: MAX_BODY_BYTES,
            })
        }
        Ok(effect) => Outcome::Done(effect),
        Err(Stop::Rejected(rejection)) => Outcome::Rejected(rejection),
        Err(Stop::Unloaded) => Outcome::Need(context.world.into_needs()),
    }
}
