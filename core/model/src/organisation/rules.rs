//! What the operator enters: organisations, members, offices, temporary activities.

use super::records::{MemberStatus, OrganisationLevel, Policy, Role};
use crate::apply::Context;
use crate::id::{Id, MemberId, OrganisationId};
use crate::record::Effect;
use crate::time::CalendarDate;
use crate::world::Stop;
use minicbor::{Decode, Encode};

/// Adds an organisation to the tree.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
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
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
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
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
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

pub(crate) fn found_organisation(_c: &Context<'_>, _i: &FoundOrganisation) -> Result<Effect, Stop> {
    todo!()
}

pub(crate) fn enter_member(_c: &Context<'_>, _i: &EnterMember) -> Result<Effect, Stop> {
    todo!()
}

pub(crate) fn appoint(_c: &Context<'_>, _i: &Appoint) -> Result<Effect, Stop> {
    todo!()
}

pub(crate) fn end_appointment(_c: &Context<'_>, _i: &EndAppointment) -> Result<Effect, Stop> {
    todo!()
}

pub(crate) fn introduce_temporarily(
    _c: &Context<'_>,
    _i: &IntroduceTemporarily,
) -> Result<Effect, Stop> {
    todo!()
}
