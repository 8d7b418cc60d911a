//! The tree of organisations, its members, and who holds which office from when to when.

mod access;
mod records;
mod rules;

pub use access::{Offices, is_cell, offices_of, scopes_of};
pub(crate) use access::{Standing, takes_part};
pub use records::{
    Appointment, Member, MemberStatus, Organisation, OrganisationLevel, Policy, Role,
    TemporaryActivity,
};
pub use rules::{Appoint, EndAppointment, EnterMember, FoundOrganisation, IntroduceTemporarily};
pub(crate) use rules::{
    appoint, end_appointment, enter_member, found_organisation, introduce_temporarily,
};
