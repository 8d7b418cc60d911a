//! What a member is and holds on a day: the standing, the offices that count, and the scopes that follow from them.
//!
//! Rules never read past the actor's own scopes. They look at a record through [`Context::see`], which answers "not there"
//! where no scope of the actor shows it, or they first make sure of the scope with [`Context::holds`]. So the phone, which
//! has nothing else, decides as the server does. What may be done with a standing, [`super::permission`] says.

use super::records::{
    Appointment, Member, MemberStatus, Organisation, OrganisationLevel, Role, TemporaryActivity,
};
use crate::apply::{Actor, Context};
use crate::id::{MemberId, OrganisationId, RecordKey, Scope, ScopeKind};
use crate::record::Body;
use crate::rejection::{Closing, Denial, Field, Rejection, Subject};
use crate::removed::is_removed;
use crate::time::{CalendarDate, ClockAuthority};
use crate::world::{Found, Reader, Stop};

/// No tree of organisations is deeper; a chain that is, is broken or runs in a circle.
const MAX_TREE_DEPTH: usize = 64;

/// The offices a member holds in one organisation on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offices(Vec<Role>);

impl Offices {
    /// Whether one of them is this role.
    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// Secretary or deputy secretary: may publish, decide absences, open the roll call.
    pub fn leads(&self) -> bool {
        self.has(Role::Secretary) || self.has(Role::DeputySecretary)
    }

    /// May enter what others say: leaders, committee members, and whoever types for them.
    pub fn enters(&self) -> bool {
        self.leads() || self.has(Role::CommitteeMember) || self.has(Role::Assistant)
    }
}

/// Every scope a member holds on a day: the own person; the home cell and all organisations above it; the host of a
/// temporary activity; for an office that counts the organisation, its office, and all above; for a cell that is followed, the
/// cell and all above. Sorted.
///
/// The office scope goes to secretary and deputy, and to committee members where the organisation is no cell: in a cell of
/// twenty, who asks to be excused and why is for those who decide. Assistants, followers and helpers hold none. The office of
/// an enrolment helper opens nothing at all. Candidates and those whose membership ended hold only their own person.
pub fn scopes_of(
    world: &Reader<'_>,
    member: MemberId,
    day: CalendarDate,
) -> Result<Vec<Scope>, Stop> {
    let mut scopes = vec![Scope::person(member)];
    if let Some(standing) = Standing::of(world, member, Some(day))? {
        scopes.push(Scope::organisation(standing.member.cell));
        scopes.extend(
            chain_above(world, standing.member.cell)?
                .into_iter()
                .map(Scope::organisation),
        );
        scopes.extend(
            standing
                .activities
                .iter()
                .map(|a| Scope::organisation(a.host)),
        );
        for held in standing.opening() {
            scopes.push(Scope::organisation(held.organisation));
            scopes.extend(
                chain_above(world, held.organisation)?
                    .into_iter()
                    .map(Scope::organisation),
            );
            if gives_office(world, held)? {
                scopes.push(Scope::office(held.organisation));
            }
        }
    }
    scopes.sort_unstable();
    scopes.dedup();
    Ok(scopes)
}

/// The organisations above one, nearest first. Stops where a record is missing or the chain runs in a circle.
pub(super) fn chain_above(
    world: &Reader<'_>,
    organisation: OrganisationId,
) -> Result<Vec<OrganisationId>, Stop> {
    let mut chain = Vec::new();
    let mut current = organisation;
    while chain.len() < MAX_TREE_DEPTH {
        let above = world
            .get::<Organisation>(Organisation::key(current))?
            .and_then(|o| o.body.above);
        let Some(above) = above.filter(|above| *above != organisation && !chain.contains(above))
        else {
            break;
        };
        chain.push(above);
        current = above;
    }
    Ok(chain)
}

/// Whether an organisation of this level is a cell, whose members meet, and not a committee over cells.
pub const fn is_cell(level: OrganisationLevel) -> bool {
    matches!(
        level,
        OrganisationLevel::GrassrootsCell
            | OrganisationLevel::PartyCell
            | OrganisationLevel::PartyGroup
    )
}

/// Whether an appointment opens the office scope of its organisation.
pub(super) fn gives_office(world: &Reader<'_>, held: &Appointment) -> Result<bool, Stop> {
    match held.role {
        Role::Secretary | Role::DeputySecretary => Ok(true),
        Role::CommitteeMember => Ok(world
            .get::<Organisation>(Organisation::key(held.organisation))?
            .is_some_and(|o| !is_cell(o.body.level))),
        Role::CellFollower | Role::Assistant | Role::EnrolmentHelper | Role::Unknown { .. } => {
            Ok(false)
        }
    }
}

/// Whether an office counts while its holder has this status at home: who leads or sits on a committee is an official member,
/// and a suspended member holds no office.
pub const fn office_counts(role: Role, status: MemberStatus) -> bool {
    match role {
        Role::Secretary | Role::DeputySecretary | Role::CommitteeMember => {
            matches!(status, MemberStatus::Official)
        }
        Role::CellFollower | Role::Assistant | Role::EnrolmentHelper => {
            takes_part(status) && !matches!(status, MemberStatus::Suspended)
        }
        Role::Unknown { .. } => false,
    }
}

/// Whether an office counts while its holder is this member: by status, and an assistant types for the own cell, or for an
/// organisation above it.
fn counts(world: &Reader<'_>, member: &Member, held: &Appointment) -> Result<bool, Stop> {
    Ok(office_counts(held.role, member.status)
        && (held.role != Role::Assistant
            || held.organisation == member.cell
            || chain_above(world, member.cell)?.contains(&held.organisation)))
}

/// What a member in good standing is and holds, from records that the own scopes show.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// The entry in the directory.
    pub(crate) member: Member,
    /// Temporary activities in force.
    pub(crate) activities: Vec<TemporaryActivity>,
    /// Appointments in force that count.
    pub(crate) appointments: Vec<Appointment>,
}

impl Standing {
    /// `None` for an unknown member, a candidate, or one whose membership ended. Without a day everything counts as in force.
    fn of(
        world: &Reader<'_>,
        member: MemberId,
        day: Option<CalendarDate>,
    ) -> Result<Option<Self>, Stop> {
        let scope = Scope::person(member);
        // Ask for all three before the first answer is looked at: one round of loading instead of three.
        let entry = world.get::<Member>(Member::key(member));
        let activities = world.all::<TemporaryActivity>(scope);
        let appointments = world.all::<Appointment>(scope);
        let (entry, activities, appointments) = (entry?, activities?, appointments?);
        let Some(entry) = entry.filter(|entry| takes_part(entry.body.status)) else {
            return Ok(None);
        };
        let mut standing = Self {
            member: entry.body,
            activities: activities
                .into_iter()
                .map(|found| found.body)
                .filter(|a| a.member == member && day.is_none_or(|day| a.in_force(day)))
                .collect(),
            appointments: Vec::new(),
        };
        for held in appointments.into_iter().map(|found| found.body) {
            if held.member == member
                && day.is_none_or(|day| held.in_force(day))
                && counts(world, &standing.member, &held)?
            {
                standing.appointments.push(held);
            }
        }
        Ok(Some(standing))
    }

    /// The appointments that show the holder their organisation and those above. A helper confirms and sees nothing more.
    fn opening(&self) -> impl Iterator<Item = &Appointment> {
        self.appointments
            .iter()
            .filter(|held| held.role != Role::EnrolmentHelper)
    }

    /// The offices in one organisation.
    pub(crate) fn offices(&self, organisation: OrganisationId) -> Offices {
        Offices(
            self.appointments
                .iter()
                .filter(|held| held.organisation == organisation)
                .map(|held| held.role)
                .collect(),
        )
    }
}

/// Whether a member of this status takes part in the life of the cell.
pub const fn takes_part(status: MemberStatus) -> bool {
    matches!(
        status,
        MemberStatus::Official
            | MemberStatus::Probationary
            | MemberStatus::Exempt
            | MemberStatus::Suspended
    )
}

impl Context<'_> {
    /// The day by which offices begin and end. A phone's clock may be years off, so on a phone every office counts that the
    /// phone was shown; the server, which has the last word, looks at the day.
    fn day(&self) -> Option<CalendarDate> {
        match self.now.authority {
            ClockAuthority::Server => Some(self.now.at.date()),
            ClockAuthority::Phone => None,
        }
    }

    /// The acting member; refuses the operator, who is no member.
    pub(crate) fn my_id(&self) -> Result<MemberId, Rejection> {
        match self.actor {
            Actor::Member(member) => Ok(member),
            Actor::Operator => Err(Rejection::NotAllowed {
                why: Denial::NotAMember,
            }),
        }
    }

    /// The standing of the acting member, read once for each mutation.
    fn standing(&self, member: MemberId) -> Result<Option<&Standing>, Stop> {
        if self.standing.get().is_none() {
            let read = Standing::of(self.world, member, self.day())?;
            return Ok(self.standing.get_or_init(|| read).as_ref());
        }
        Ok(self.standing.get().and_then(Option::as_ref))
    }

    /// The acting member's standing; refuses those who have none.
    pub(crate) fn me(&self) -> Result<&Standing, Stop> {
        let member = self.my_id()?;
        if let Some(standing) = self.standing(member)? {
            return Ok(standing);
        }
        let ended = self
            .world
            .get::<Member>(Member::key(member))?
            .is_some_and(|entry| {
                matches!(
                    entry.body.status,
                    MemberStatus::Transferred | MemberStatus::Removed | MemberStatus::Expelled
                )
            });
        Err(Stop::Rejected(if ended {
            Rejection::Closed {
                what: Closing::Membership,
                since: None,
            }
        } else {
            Rejection::NotAllowed {
                why: Denial::NotAMember,
            }
        }))
    }

    /// Whether the actor holds a scope. The same answer as looking it up in [`scopes_of`], with as few reads as it takes.
    pub(crate) fn holds(&self, scope: Scope) -> Result<bool, Stop> {
        let Actor::Member(member) = self.actor else {
            return Ok(true);
        };
        if scope.kind == ScopeKind::Person {
            return Ok(scope.id == member.0);
        }
        let Some(standing) = self.standing(member)? else {
            return Ok(false);
        };
        let organisation = OrganisationId(scope.id);
        if scope.kind == ScopeKind::Office {
            for held in &standing.appointments {
                if held.organisation == organisation && gives_office(self.world, held)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        if standing.member.cell == organisation
            || standing.activities.iter().any(|a| a.host == organisation)
            || standing
                .opening()
                .any(|held| held.organisation == organisation)
        {
            return Ok(true);
        }
        if chain_above(self.world, standing.member.cell)?.contains(&organisation) {
            return Ok(true);
        }
        for held in standing.opening() {
            if chain_above(self.world, held.organisation)?.contains(&organisation) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A record, if one of the actor's scopes shows it.
    pub(crate) fn see<T: Body>(&self, key: RecordKey) -> Result<Option<Found<T>>, Stop> {
        let Some(found) = self.world.get::<T>(key)? else {
            return Ok(None);
        };
        for scope in found.body.audience(key.home) {
            if self.holds(scope)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// A record that one of the actor's scopes shows, or a refusal that names what is missing.
    pub(crate) fn require<T: Body>(&self, key: RecordKey, what: Subject) -> Result<Found<T>, Stop> {
        self.see(key)?
            .ok_or(Stop::Rejected(Rejection::NotFound { what }))
    }

    /// Refuses an id that is already in use. Only for homes of which the actor sees everything.
    pub(crate) fn fresh(&self, key: RecordKey) -> Result<(), Stop> {
        match self.world.any(key)? {
            None => Ok(()),
            // The same once more, from a phone that still had it.
            Some(record) if is_removed(&record.body) => Err(Stop::Rejected(Rejection::Removed {
                field: Field::Mutation,
            })),
            Some(_) => Err(Stop::Rejected(Rejection::AlreadyExists)),
        }
    }

    /// The record to bring up to date, or none where a new one is made; refuses an id that something else uses.
    pub(crate) fn existing<T: Body>(&self, key: RecordKey) -> Result<Option<Found<T>>, Stop> {
        let found = self.world.get::<T>(key)?;
        if found.is_none() {
            self.fresh(key)?;
        }
        Ok(found)
    }
}
