//! Who may see what: the one authorisation function, deny by default.

use super::records::Role;
use crate::id::{MemberId, OrganisationId, Scope};
use crate::time::CalendarDate;
use crate::world::{Reader, Stop};

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
}

/// The offices of a member in an organisation.
pub fn offices_of(
    _world: &Reader<'_>,
    _member: MemberId,
    _organisation: OrganisationId,
    _day: CalendarDate,
) -> Result<Offices, Stop> {
    todo!()
}

/// Every scope a member holds on a day: the own person; the home cell and all organisations above it; the host of a
/// temporary activity; for an office the organisation, its office, and all above; for a cell that is followed, the cell. Sorted.
pub fn scopes_of(
    _world: &Reader<'_>,
    _member: MemberId,
    _day: CalendarDate,
) -> Result<Vec<Scope>, Stop> {
    todo!()
}
