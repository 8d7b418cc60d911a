//! What the operator enters: organisations, members, offices, temporary activities.

use super::access::{chain_above, takes_part};
use super::permission::Act;
use super::records::{
    Appointment, Member, MemberStatus, Organisation, OrganisationLevel, Policy, Role,
    TemporaryActivity,
};
use crate::apply::Context;
use crate::cbor::UnknownKeys;
use crate::id::{Id, MemberId, OrganisationId, RecordKey, Scope};
use crate::profile::Profile;
use crate::record::{Body, Effect, Put};
use crate::rejection::{Closing, Denial, Fault, Field, Rejection, Subject};
use crate::text::{self, MAX_LINE};
use crate::time::CalendarDate;
use crate::world::{Found, Stop};
use minicbor::{Decode, Encode};

/// Adds an organisation to the tree.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FoundOrganisation {
    /// Its id.
    #[n(0)]
    pub id: OrganisationId,
    /// The organisation directly above; none for the root.
    #[n(1)]
    pub above: Option<OrganisationId>,
    /// What it is called.
    #[n(2)]
    pub level: OrganisationLevel,
    /// Its name.
    #[n(3)]
    pub name: String,
    /// What it decided.
    #[n(4)]
    pub policy: Policy,
}

/// Enters a member from the register, or brings the entry up to date.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnterMember {
    /// The member.
    #[n(0)]
    pub id: MemberId,
    /// The home cell.
    #[n(1)]
    pub cell: OrganisationId,
    /// The name.
    #[n(2)]
    pub name: String,
    /// The status.
    #[n(3)]
    pub status: MemberStatus,
    /// A number to call.
    #[n(4)]
    pub phone: Option<String>,
    /// Birthday.
    #[n(5)]
    pub born: Option<CalendarDate>,
    /// Year of birth where the day is not known.
    #[n(6)]
    pub born_year: Option<u32>,
    /// ngày vào Đảng
    #[n(7)]
    pub admitted_on: Option<CalendarDate>,
    /// ngày chính thức
    #[n(8)]
    pub official_on: Option<CalendarDate>,
    /// số thẻ
    #[n(9)]
    pub card_number: Option<String>,
    /// ngày cấp thẻ
    #[n(10)]
    pub card_issued_on: Option<CalendarDate>,
    /// nơi cấp thẻ
    #[n(11)]
    pub card_issued_by: Option<String>,
}

/// Gives an office.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Appoint {
    /// The appointment; made by whoever enters it.
    #[n(0)]
    pub id: Id,
    /// Who.
    #[n(1)]
    pub member: MemberId,
    /// Where.
    #[n(2)]
    pub organisation: OrganisationId,
    /// What.
    #[n(3)]
    pub role: Role,
    /// The number to call for this office.
    #[n(4)]
    pub phone: Option<String>,
    /// First day.
    #[n(5)]
    pub from: CalendarDate,
    /// Last day, if known.
    #[n(6)]
    pub until: Option<CalendarDate>,
}

/// Ends an office.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EndAppointment {
    /// Whose.
    #[n(0)]
    pub member: MemberId,
    /// Which appointment.
    #[n(1)]
    pub id: Id,
    /// The last day.
    #[n(2)]
    pub until: CalendarDate,
}

/// Introduces a member to temporary activity in another cell.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct IntroduceTemporarily {
    /// The introduction.
    #[n(0)]
    pub id: Id,
    /// Who.
    #[n(1)]
    pub member: MemberId,
    /// Where to.
    #[n(2)]
    pub host: OrganisationId,
    /// First day.
    #[n(3)]
    pub from: CalendarDate,
    /// Last day.
    #[n(4)]
    pub until: CalendarDate,
}

pub(crate) fn found_organisation(c: &Context<'_>, i: &FoundOrganisation) -> Result<Effect, Stop> {
    c.permit(&Act::FoundOrganisation)?;
    let name = text::required(Field::Name, &i.name, MAX_LINE)?;
    if matches!(i.level, OrganisationLevel::Unknown { .. }) {
        return Err(invalid(Field::Choice, Fault::UnknownValue));
    }
    if let Some(above) = i.above {
        if above == i.id || chain_above(c.world, above)?.contains(&i.id) {
            return Err(invalid(Field::Parent, Fault::Loop));
        }
        c.require::<Organisation>(Organisation::key(above), Subject::Organisation)?;
    }
    let key = Organisation::key(i.id);
    let old = c.existing::<Organisation>(key)?;
    let new = Organisation {
        id: i.id,
        above: i.above,
        level: i.level,
        name,
        policy: i.policy.clone(),
        unknown: unknown_of(old.as_ref(), |body| &body.unknown),
    };
    Ok(written(
        key,
        i.above.map_or(i.id.0, |above| above.0),
        old,
        new,
    ))
}

pub(crate) fn enter_member(c: &Context<'_>, i: &EnterMember) -> Result<Effect, Stop> {
    c.permit(&Act::EnterMember)?;
    let name = text::required(Field::Name, &i.name, MAX_LINE)?;
    let phone = text::optional(Field::Phone, i.phone.as_deref(), MAX_LINE)?;
    let card_number = text::optional(Field::CardNumber, i.card_number.as_deref(), MAX_LINE)?;
    let card_issued_by = text::optional(Field::Issuer, i.card_issued_by.as_deref(), MAX_LINE)?;
    match i.status {
        // These follow from other records or from a meeting; nobody has them at home.
        MemberStatus::TemporaryIn
        | MemberStatus::TemporaryOut
        | MemberStatus::Guest
        | MemberStatus::Unknown { .. } => return Err(invalid(Field::Status, Fault::UnknownValue)),
        _ => {}
    }
    c.require::<Organisation>(Organisation::key(i.cell), Subject::Organisation)?;
    let (key, profile_key) = (Member::key(i.id), Profile::key(i.id));
    let old = c.existing::<Member>(key)?;
    let old_profile = c.existing::<Profile>(profile_key)?;
    let member = Member {
        id: i.id,
        cell: i.cell,
        name,
        status: i.status,
        phone,
        unknown: unknown_of(old.as_ref(), |body| &body.unknown),
    };
    let profile = Profile {
        member: i.id,
        born: i.born,
        born_year: i.born_year,
        admitted_on: i.admitted_on,
        official_on: i.official_on,
        card_number,
        card_issued_on: i.card_issued_on,
        card_issued_by,
        unknown: unknown_of(old_profile.as_ref(), |body| &body.unknown),
    };
    let mut effect = written(key, i.cell.0, old, member);
    effect
        .puts
        .extend(written(profile_key, i.id.0, old_profile, profile).puts);
    Ok(effect)
}

pub(crate) fn appoint(c: &Context<'_>, i: &Appoint) -> Result<Effect, Stop> {
    c.permit(&Act::Appoint)?;
    let phone = text::optional(Field::Phone, i.phone.as_deref(), MAX_LINE)?;
    check_period(i.from, i.until)?;
    let member = c
        .require::<Member>(Member::key(i.member), Subject::Member)?
        .body;
    c.require::<Organisation>(Organisation::key(i.organisation), Subject::Organisation)?;
    if !takes_part(member.status) {
        return Err(Rejection::Closed {
            what: Closing::Membership,
            since: None,
        }
        .into());
    }
    match i.role {
        Role::Secretary | Role::DeputySecretary | Role::CommitteeMember => {
            if member.status != MemberStatus::Official {
                return Err(Rejection::NotAllowed {
                    why: Denial::OfficialMemberNeeded,
                }
                .into());
            }
        }
        Role::CellFollower | Role::Assistant | Role::EnrolmentHelper => {}
        Role::Unknown { .. } => return Err(invalid(Field::Choice, Fault::UnknownValue)),
    }
    let key = RecordKey::new(Scope::person(i.member), i.id);
    let old = c.existing::<Appointment>(key)?;
    if old
        .as_ref()
        .is_some_and(|old| (old.body.organisation, old.body.role) != (i.organisation, i.role))
    {
        return Err(Rejection::AlreadyExists.into());
    }
    let new = Appointment {
        member: i.member,
        organisation: i.organisation,
        role: i.role,
        name: member.name,
        phone,
        from: i.from,
        until: i.until,
        unknown: unknown_of(old.as_ref(), |body| &body.unknown),
    };
    Ok(written(key, i.organisation.0, old, new))
}

pub(crate) fn end_appointment(c: &Context<'_>, i: &EndAppointment) -> Result<Effect, Stop> {
    c.permit(&Act::EndAppointment)?;
    let key = RecordKey::new(Scope::person(i.member), i.id);
    let old = c.require::<Appointment>(key, Subject::Appointment)?;
    check_period(old.body.from, Some(i.until))?;
    let new = Appointment {
        until: Some(i.until),
        ..old.body.clone()
    };
    Ok(written(key, old.record.parent, Some(old), new))
}

pub(crate) fn introduce_temporarily(
    c: &Context<'_>,
    i: &IntroduceTemporarily,
) -> Result<Effect, Stop> {
    c.permit(&Act::IntroduceTemporarily)?;
    check_period(i.from, Some(i.until))?;
    if i.from.years_until(i.until) >= MAX_TEMPORARY_YEARS {
        return Err(invalid(Field::Period, Fault::Malformed));
    }
    let member = c
        .require::<Member>(Member::key(i.member), Subject::Member)?
        .body;
    c.require::<Organisation>(Organisation::key(i.host), Subject::Organisation)?;
    if !matches!(
        member.status,
        MemberStatus::Official | MemberStatus::Probationary
    ) {
        return Err(invalid(Field::Status, Fault::UnknownValue));
    }
    if member.cell == i.host {
        return Err(invalid(Field::Participants, Fault::Repeated));
    }
    let key = RecordKey::new(Scope::person(i.member), i.id);
    let old = c.existing::<TemporaryActivity>(key)?;
    if old.as_ref().is_some_and(|old| old.body.host != i.host) {
        return Err(Rejection::AlreadyExists.into());
    }
    // A member has at most one temporary cell at a time.
    let overlaps = c
        .world
        .all::<TemporaryActivity>(Scope::person(i.member))?
        .iter()
        .any(|other| {
            other.record.key != key && other.body.from <= i.until && i.from <= other.body.until
        });
    if overlaps {
        return Err(invalid(Field::Period, Fault::Repeated));
    }
    let new = TemporaryActivity {
        member: i.member,
        name: member.name,
        home_cell: member.cell,
        host: i.host,
        from: i.from,
        until: i.until,
        status: member.status,
        unknown: unknown_of(old.as_ref(), |body| &body.unknown),
    };
    Ok(written(key, i.host.0, old, new))
}

/// A temporary activity lasts under a year, for study up to two.
const MAX_TEMPORARY_YEARS: u32 = 2;

fn invalid(field: Field, why: Fault) -> Stop {
    Stop::Rejected(Rejection::Invalid { field, why })
}

fn check_period(from: CalendarDate, until: Option<CalendarDate>) -> Result<(), Rejection> {
    if until.is_some_and(|until| until < from) {
        return Err(Rejection::Invalid {
            field: Field::Period,
            why: Fault::EndBeforeStart,
        });
    }
    Ok(())
}

/// Keys of newer versions outlive an update by this one.
fn unknown_of<T>(old: Option<&Found<T>>, unknown: impl Fn(&T) -> &UnknownKeys) -> UnknownKeys {
    old.map(|found| unknown(&found.body).clone())
        .unwrap_or_default()
}

/// Writes the record, or nothing where it already says so: the same list imported twice changes nothing.
fn written<T: Body + PartialEq>(
    key: RecordKey,
    parent: Id,
    old: Option<Found<T>>,
    new: T,
) -> Effect {
    if old.is_some_and(|old| old.body == new && old.record.parent == parent) {
        return Effect::default();
    }
    Effect {
        puts: vec![Put::of(key, parent, &new)],
    }
}

crate::redacted! {
    FoundOrganisation { id, above, level, name, policy },
    EnterMember { id, cell, name, status, phone, born, born_year, admitted_on, official_on,
        card_number, card_issued_on, card_issued_by },
    Appoint { id, member, organisation, role, phone, from, until },
}
