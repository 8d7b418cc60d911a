//! The only place that decides what is allowed and what happens.
//!
//! `apply` has the same answer for the same input on the phone and on the server, never panics, and reads only records that
//! the actor's own scopes show. What it needs and does not find loaded, it asks for.

use std::cell::{Cell, OnceCell};

use crate::id::MemberId;
use crate::mutation::{Intent, Mutation};
use crate::organisation::Standing;
use crate::record::{Effect, MAX_BODY_BYTES, Put};
use crate::rejection::{Denial, Field, Rejection};
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
    pub(crate) world: &'w Reader<'w>,
    /// Who wants it.
    pub(crate) actor: Actor,
    /// At which instant.
    pub(crate) now: Now,
    /// When the phone says it was made.
    pub(crate) made_at: Timestamp,
    /// What the acting member is and holds, once somebody asked.
    pub(crate) standing: OnceCell<Option<Standing>>,
    /// Whether [`crate::organisation::permit`] allowed the rule to write. A rule that never asks changes nothing.
    pub(crate) permitted: Cell<bool>,
}

impl<'w> Context<'w> {
    pub(crate) const fn new(
        world: &'w Reader<'w>,
        actor: Actor,
        now: Now,
        made_at: Timestamp,
    ) -> Self {
        Self {
            world,
            actor,
            now,
            made_at,
            standing: OnceCell::new(),
            permitted: Cell::new(false),
        }
    }
}

/// Decides on a mutation.
pub fn apply(world: &World, actor: Actor, now: Now, mutation: &Mutation) -> Outcome {
    if now.authority == ClockAuthority::Server && defect::older_server_lacks(&mutation.intent) {
        return Outcome::NotYet;
    }
    let reader = Reader::new(world);
    let c = &Context::new(&reader, actor, now, mutation.made_at);
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
    let permitted = c.permitted.get();
    match decided {
        Ok(effect) => concluded(permitted, effect),
        Err(Stop::Rejected(rejection)) => Outcome::Rejected(rejection),
        Err(Stop::Unloaded) => Outcome::Need(reader.into_needs()),
    }
}

/// What becomes of an effect: nothing, where the rule never asked whether the actor may, or where a record grew too large.
fn concluded(permitted: bool, effect: Effect) -> Outcome {
    if !permitted {
        return Outcome::Rejected(Rejection::NotAllowed {
            why: Denial::OfficeNeeded,
        });
    }
    let too_large = |put: &Put| put.body.len() > MAX_BODY_BYTES as usize;
    if effect.puts.iter().any(too_large) {
        return Outcome::Rejected(Rejection::TooLarge {
            field: Field::Mutation,
            limit: MAX_BODY_BYTES,
        });
    }
    Outcome::Done(effect)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{RecordKey, Scope};
    use crate::record::Kind;
    use crate::world::World;

    fn an_effect() -> Effect {
        let home = Scope::organisation(crate::OrganisationId::default());
        Effect {
            puts: vec![Put {
                key: RecordKey::new(home, crate::Id::default()),
                kind: Kind::Document,
                parent: crate::Id::default(),
                audience: vec![home],
                body: Vec::new(),
            }],
        }
    }

    #[test]
    fn authz_a_rule_that_never_asked_changes_nothing() {
        assert!(matches!(
            concluded(false, an_effect()),
            Outcome::Rejected(Rejection::NotAllowed { .. })
        ));
        assert!(matches!(concluded(true, an_effect()), Outcome::Done(_)));
    }

    #[test]
    fn authz_looking_at_something_is_no_permission_to_write() {
        use crate::organisation::Act;
        let (world, nobody) = (World::new(), MemberId::default());
        let reader = Reader::new(&world);
        let now = Now::server(Timestamp(0));
        let member = Context::new(&reader, Actor::Member(nobody), now, Timestamp(0));
        let scope = Scope::person(nobody);
        assert_eq!(member.permit(&Act::Read { scope }), Ok(()));
        assert!(!member.permitted.get());
        let operator = Context::new(&reader, Actor::Operator, now, Timestamp(0));
        assert_eq!(operator.permit(&Act::EnterMember), Ok(()));
        assert!(operator.permitted.get());
    }
}
