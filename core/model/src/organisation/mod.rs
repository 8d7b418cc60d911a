//! The tree of organisations, its members, and who holds which office from when to when.

mod access;
mod permission;
mod records;
mod rules;

pub(crate) use access::Standing;
pub use access::takes_part;
pub use access::{Offices, is_cell, office_counts, scopes_of};
pub use permission::{Act, Marking, OnBehalf, Seat, permit};
pub use records::{
    Appointment, Member, MemberStatus, Organisation, OrganisationLevel, Policy, Role,
    TemporaryActivity,
};
pub use rules::{Appoint, EndAppointment, EnterMember, FoundOrganisation, IntroduceTemporarily};
pub(crate) use rules::{
    appoint, end_appointment, enter_member, found_organisation, introduce_temporarily,
};
