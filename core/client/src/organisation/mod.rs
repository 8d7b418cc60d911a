//! Who is who on this phone: names, offices, organisations. No screens of its own; the other domains' views ask here.

use sotay_model::organisation::{
    Appointment, Member, MemberStatus, Organisation, Role, TemporaryActivity, office_counts,
};
use sotay_model::{MemberId, OrganisationId};

use crate::current::Current;
use crate::error::HandbookError;
use crate::home::ContactView;

/// A member as the cell's directory shows them, with the status that counts here today.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DirectoryLine {
    pub(crate) member: MemberId,
    pub(crate) name: String,
    pub(crate) status: MemberStatus,
    pub(crate) phone: Option<String>,
}

/// The name of a member; none where this phone does not know the person.
pub(crate) fn name_of(
    current: &Current<'_>,
    member: MemberId,
) -> Result<Option<String>, HandbookError> {
    if let Some(found) = current.get::<Member>(Member::key(member))? {
        return Ok(Some(found.body.name));
    }
    let appointments = current.all::<Appointment>()?;
    if let Some(found) = appointments
        .into_iter()
        .find(|found| found.body.member == member)
    {
        return Ok(Some(found.body.name));
    }
    let activities = current.all::<TemporaryActivity>()?;
    Ok(activities
        .into_iter()
        .find(|found| found.body.member == member)
        .map(|found| found.body.name))
}

/// The name of an organisation; empty where it is not on this phone.
pub(crate) fn organisation_name(
    current: &Current<'_>,
    id: OrganisationId,
) -> Result<String, HandbookError> {
    let found = current.get::<Organisation>(Organisation::key(id))?;
    Ok(found.map(|found| found.body.name).unwrap_or_default())
}

/// The names of an organisation and of all above it, from below.
pub(crate) fn path_up(
    current: &Current<'_>,
    from: OrganisationId,
) -> Result<Vec<String>, HandbookError> {
    let (mut names, mut seen, mut next) = (Vec::new(), Vec::new(), Some(from));
    while let Some(id) = next {
        if seen.contains(&id) {
            break;
        }
        seen.push(id);
        next = match current.get::<Organisation>(Organisation::key(id))? {
            Some(found) => {
                names.push(found.body.name);
                found.body.above
            }
            None => None,
        };
    }
    Ok(names)
}

/// The roles a member holds in an organisation today, as far as they count with the status that this phone knows of.
pub(crate) fn roles_of(
    current: &Current<'_>,
    member: MemberId,
    organisation: OrganisationId,
) -> Result<Vec<Role>, HandbookError> {
    let today = current.now().date();
    let entry = current.get::<Member>(Member::key(member))?;
    let counts = |role| {
        entry
            .as_ref()
            .is_none_or(|found| office_counts(role, found.body.status))
    };
    let appointments = current.children::<Appointment>(organisation.0)?;
    Ok(appointments
        .into_iter()
        .map(|found| found.body)
        .filter(|appointment| appointment.member == member && appointment.in_force(today))
        .map(|appointment| appointment.role)
        .filter(|role| counts(*role))
        .collect())
}

/// Whether a member is secretary or deputy secretary of an organisation today.
pub(crate) fn leads(
    current: &Current<'_>,
    member: MemberId,
    organisation: OrganisationId,
) -> Result<bool, HandbookError> {
    let roles = roles_of(current, member, organisation)?;
    Ok(roles
        .iter()
        .any(|role| matches!(role, Role::Secretary | Role::DeputySecretary)))
}

/// Whom to call about an organisation: the secretary, else the deputy.
pub(crate) fn contact(
    current: &Current<'_>,
    organisation: OrganisationId,
) -> Result<Option<ContactView>, HandbookError> {
    let today = current.now().date();
    let appointments = current.children::<Appointment>(organisation.0)?;
    Ok(appointments
        .into_iter()
        .map(|found| found.body)
        .filter(|a| a.in_force(today) && matches!(a.role, Role::Secretary | Role::DeputySecretary))
        .min_by_key(|a| (a.role, a.from))
        .map(|a| ContactView {
            name: a.name,
            phone: a.phone,
        }))
}

/// The members who take part in an organisation's life today, those here for a temporary activity included; by name.
pub(crate) fn directory(
    current: &Current<'_>,
    organisation: OrganisationId,
) -> Result<Vec<DirectoryLine>, HandbookError> {
    let today = current.now().date();
    let away: Vec<MemberId> = current
        .all::<TemporaryActivity>()?
        .into_iter()
        .map(|found| found.body)
        .filter(|a| a.home_cell == organisation && a.from <= today && today <= a.until)
        .map(|a| a.member)
        .collect();
    let mut lines: Vec<DirectoryLine> = current
        .children::<Member>(organisation.0)?
        .into_iter()
        .map(|found| found.body)
        .map(|member| DirectoryLine {
            member: member.id,
            name: member.name,
            status: match member.status {
                MemberStatus::Official | MemberStatus::Probationary
                    if away.contains(&member.id) =>
                {
                    MemberStatus::TemporaryOut
                }
                status => status,
            },
            phone: member.phone,
        })
        .filter(|line| {
            !matches!(
                line.status,
                MemberStatus::Transferred
                    | MemberStatus::Removed
                    | MemberStatus::Expelled
                    | MemberStatus::Candidate
            )
        })
        .collect();
    for visitor in current.children::<TemporaryActivity>(organisation.0)? {
        let visitor = visitor.body;
        if visitor.from <= today
            && today <= visitor.until
            && lines.iter().all(|line| line.member != visitor.member)
        {
            lines.push(DirectoryLine {
                member: visitor.member,
                name: visitor.name,
                status: MemberStatus::TemporaryIn,
                phone: None,
            });
        }
    }
    lines.sort_by(|a, b| {
        given_name(&a.name)
            .cmp(given_name(&b.name))
            .then_with(|| a.name.cmp(&b.name))
    });
    Ok(lines)
}

/// Vietnamese lists are sorted by the given name, which stands last.
pub(crate) fn given_name(name: &str) -> &str {
    name.rsplit(' ').next().unwrap_or(name)
}

sotay_model::redacted! {
    DirectoryLine { member, name, status, phone },
}
