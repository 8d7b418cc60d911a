//! Who belongs to a meeting: whether the actor may look at it, and who is convened with which status.
//!
//! The day that counts is the day of the meeting, not the day of the question: so no clock takes part, and a phone that is
//! months off convenes the same people.

use std::collections::BTreeMap;

use super::records::{Meeting, MeetingKind, MeetingState, RollCall};
use crate::apply::{Actor, Context};
use crate::id::{MeetingKey, MemberId, OrganisationId, Scope};
use crate::organisation::{
    Act, Appointment, Member, MemberStatus, OnBehalf, Role, Standing, TemporaryActivity, takes_part,
};
use crate::rejection::{Closing, Denial, Rejection, Subject};
use crate::time::CalendarDate;
use crate::world::Stop;

/// The acting member at a meeting of one participating organisation that the actor's scopes show.
pub(super) struct Attended {
    /// Who acts.
    pub(super) me: Standing,
    /// The meeting.
    pub(super) meeting: Meeting,
    /// Its key.
    pub(super) key: MeetingKey,
    /// The participating organisation.
    pub(super) organisation: OrganisationId,
}

/// A member as convened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Convened {
    /// Who.
    pub(super) member: MemberId,
    /// The name now.
    pub(super) name: String,
    /// With which status.
    pub(super) status: MemberStatus,
}

/// The meeting, for an actor who holds the scope of the participating organisation.
pub(super) fn attended(
    c: &Context<'_>,
    key: MeetingKey,
    organisation: OrganisationId,
) -> Result<Attended, Stop> {
    let me = c.me()?;
    c.permit(&Act::Read {
        scope: Scope::organisation(organisation),
    })?;
    let meeting = c.require::<Meeting>(key.0, Subject::Meeting)?.body;
    if !meeting.participating.contains(&organisation) {
        return Err(Rejection::NotFound {
            what: Subject::Meeting,
        }
        .into());
    }
    Ok(Attended {
        me: me.clone(),
        meeting,
        key,
        organisation,
    })
}

impl Attended {
    /// Refuses what makes no sense for a cancelled meeting.
    pub(super) fn not_cancelled(&self) -> Result<(), Rejection> {
        not_cancelled(&self.meeting)
    }

    /// Refuses what makes no sense once the cell has confirmed who was there.
    pub(super) fn not_confirmed(&self, c: &Context<'_>) -> Result<(), Stop> {
        not_confirmed(self.roll_call(c)?.as_ref())
    }

    /// The roll call, if it was opened.
    pub(super) fn roll_call(&self, c: &Context<'_>) -> Result<Option<RollCall>, Stop> {
        let key = RollCall::key(self.key, self.organisation);
        Ok(c.world.get::<RollCall>(key)?.map(|found| found.body))
    }

    /// Whether the actor is secretary or deputy here.
    pub(super) fn leads(&self) -> bool {
        self.me.offices(self.organisation).leads()
    }

    /// The actor's id.
    pub(super) const fn my_id(&self) -> MemberId {
        self.me.member.id
    }

    /// How a member is convened; refuses those who are not.
    pub(super) fn convened(&self, c: &Context<'_>, member: MemberId) -> Result<Convened, Stop> {
        one(c, &self.meeting, self.organisation, member)?.ok_or_else(|| {
            Rejection::NotAllowed {
                why: Denial::NotConvened,
            }
            .into()
        })
    }

    /// Something entered about a member here.
    pub(super) fn about(&self, c: &Context<'_>, member: MemberId) -> Result<OnBehalf, Stop> {
        Ok(OnBehalf {
            organisation: self.organisation,
            member,
            convened: self.is_convened(c, member)?,
        })
    }

    /// With which status a member is convened.
    pub(super) fn convened_as(
        &self,
        c: &Context<'_>,
        member: MemberId,
    ) -> Result<Option<MemberStatus>, Stop> {
        let convened = one(c, &self.meeting, self.organisation, member)?;
        Ok(convened.map(|convened| convened.status))
    }

    /// Whether a member is convened.
    pub(super) fn is_convened(&self, c: &Context<'_>, member: MemberId) -> Result<bool, Stop> {
        Ok(self.convened_as(c, member)?.is_some())
    }

    /// Refuses a version of the notice that does not exist.
    pub(super) fn notice_version(&self, version: u32) -> Result<(), Rejection> {
        let newest = self.meeting.notice().map_or(0, |notice| notice.number);
        if version == 0 || version > newest {
            return Err(Rejection::Invalid {
                field: crate::rejection::Field::NoticeVersion,
                why: crate::rejection::Fault::UnknownValue,
            });
        }
        Ok(())
    }
}

/// Refuses what makes no sense for a cancelled meeting.
pub(super) fn not_cancelled(meeting: &Meeting) -> Result<(), Rejection> {
    if meeting.state == MeetingState::Cancelled {
        return Err(Rejection::Closed {
            what: Closing::MeetingCancelled,
            since: meeting.cancelled_at,
        });
    }
    Ok(())
}

/// Refuses what makes no sense once the cell has confirmed who was there.
pub(super) fn not_confirmed(roll_call: Option<&RollCall>) -> Result<(), Stop> {
    match roll_call.and_then(RollCall::confirmed) {
        Some(version) => Err(Rejection::Closed {
            what: Closing::RollCallConfirmed,
            since: Some(version.confirmed_at),
        }
        .into()),
        None => Ok(()),
    }
}

/// How one member is convened. A committee meeting convenes the office holders; every other one the members of the cell, with
/// those who are here for a time, and those who are elsewhere for a time as such.
fn one(
    c: &Context<'_>,
    meeting: &Meeting,
    organisation: OrganisationId,
    member: MemberId,
) -> Result<Option<Convened>, Stop> {
    let day = day_of(meeting);
    if meeting.kind == MeetingKind::Committee {
        // Of others only their offices are shown; but nobody takes part by an office that counts no longer.
        let sleeps =
            c.actor == Actor::Member(member) && c.me()?.member.status != MemberStatus::Official;
        let mut holders = office_holders(c, organisation, day)?;
        return Ok(holders.remove(&member).filter(|_| !sleeps));
    }
    let entry = c.world.get::<Member>(Member::key(member));
    let activities = activities(c, organisation, day);
    let (entry, activities) = (entry?, activities?);
    let at_home = entry
        .map(|found| found.body)
        .filter(|entry| entry.cell == organisation)
        .and_then(|entry| at_home(entry, &activities));
    Ok(at_home.or_else(|| {
        activities
            .into_iter()
            .filter(|activity| activity.member == member)
            .find_map(|activity| visiting(activity, organisation))
    }))
}

/// Everyone convened, each person once, by member.
pub(super) fn all(
    c: &Context<'_>,
    meeting: &Meeting,
    organisation: OrganisationId,
) -> Result<BTreeMap<MemberId, Convened>, Stop> {
    let day = day_of(meeting);
    if meeting.kind == MeetingKind::Committee {
        return office_holders(c, organisation, day);
    }
    let entries = c
        .world
        .children::<Member>(Scope::organisation(organisation), organisation.0);
    let activities = activities(c, organisation, day);
    let (entries, activities) = (entries?, activities?);
    let mut convened: BTreeMap<MemberId, Convened> = entries
        .into_iter()
        .filter_map(|found| at_home(found.body, &activities))
        .map(|convened| (convened.member, convened))
        .collect();
    for visitor in activities
        .into_iter()
        .filter_map(|activity| visiting(activity, organisation))
    {
        convened.entry(visitor.member).or_insert(visitor);
    }
    Ok(convened)
}

/// The Vietnamese day on which a meeting begins.
fn day_of(meeting: &Meeting) -> CalendarDate {
    meeting
        .notice()
        .map(|notice| notice.starts_at)
        .unwrap_or_default()
        .date()
}

/// Temporary activities from and to an organisation.
fn activities(
    c: &Context<'_>,
    organisation: OrganisationId,
    day: CalendarDate,
) -> Result<Vec<TemporaryActivity>, Stop> {
    let all = c
        .world
        .all::<TemporaryActivity>(Scope::organisation(organisation))?;
    Ok(all
        .into_iter()
        .map(|found| found.body)
        .filter(|activity| activity.in_force(day))
        .collect())
}

/// A member at home. Probationary members who are elsewhere count as elsewhere too: they are expected there, not here.
fn at_home(entry: Member, activities: &[TemporaryActivity]) -> Option<Convened> {
    if !takes_part(entry.status) {
        return None;
    }
    let elsewhere = matches!(
        entry.status,
        MemberStatus::Official | MemberStatus::Probationary
    ) && activities
        .iter()
        .any(|a| a.member == entry.id && a.host != entry.cell);
    let status = if elsewhere {
        MemberStatus::TemporaryOut
    } else {
        entry.status
    };
    Some(Convened {
        member: entry.id,
        name: entry.name,
        status,
    })
}

/// A member of another cell who is here for a time.
fn visiting(activity: TemporaryActivity, organisation: OrganisationId) -> Option<Convened> {
    (activity.host == organisation).then_some(Convened {
        member: activity.member,
        name: activity.name,
        status: MemberStatus::TemporaryIn,
    })
}

/// Secretary, deputy and members of the committee, each once whatever number of offices they hold.
fn office_holders(
    c: &Context<'_>,
    organisation: OrganisationId,
    day: CalendarDate,
) -> Result<BTreeMap<MemberId, Convened>, Stop> {
    let held = c
        .world
        .children::<Appointment>(Scope::organisation(organisation), organisation.0)?;
    Ok(held
        .into_iter()
        .map(|found| found.body)
        .filter(|held| {
            held.in_force(day)
                && matches!(
                    held.role,
                    Role::Secretary | Role::DeputySecretary | Role::CommitteeMember
                )
        })
        .map(|held| {
            let status = MemberStatus::Official;
            (
                held.member,
                Convened {
                    member: held.member,
                    name: held.name,
                    status,
                },
            )
        })
        .collect())
}
