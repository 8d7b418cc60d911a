//! Invitations of a whole commune as A4 pages: whom they are for, and the file and the invitations coming to be together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sotay_model::enrolment::Invitation;
use sotay_model::organisation::{Organisation, takes_part};
use sotay_model::{MemberId, OrganisationId, Timestamp};

use super::invitations::{DAY, checked_days, checked_host, file_error, member, write};
use super::{CommuneError, DATABASE, MEMBER, ORGANISATION, words};
use crate::audit::Event;
use crate::engine::{Drawn, MAX_PHONES, close, draw, give_out, may_join};
use crate::paper::{self, Sheaf, Strip};
use crate::storage::{Storage, Transaction};

/// Whom to print invitations for, and how they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrintOrder {
    /// The code of a cell, or of any organisation above cells; everybody otherwise.
    pub organisation: Option<String>,
    /// The server's name and port as phones reach it; the first of the configuration's hosts otherwise.
    pub host: Option<String>,
    /// Good until the end of this day, counted from today.
    pub valid_days: u32,
    /// Also who has a phone, unless it is the most that one may have.
    pub with_phone: bool,
    /// Also candidates, who take no part in the life of a cell yet. Whose membership has ended never gets one.
    pub candidates: bool,
    /// Makes earlier invitations of the same members unusable.
    pub replace: bool,
}

/// What was printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Printed {
    /// How many strips.
    pub invitations: usize,
    /// Of how many cells.
    pub cells: usize,
    /// On how many pages.
    pub pages: usize,
    /// Who got none because of a phone.
    pub have_phone: usize,
    /// Who got none because of the status.
    pub not_in_standing: usize,
    /// Who got one beside an earlier one that is still good.
    pub invited_before: usize,
    /// How many earlier ones are no longer good.
    pub replaced: usize,
}

/// Prints invitations into a new PDF that only its owner may read: A4 pages to cut apart, a new page for each cell. All of them come
/// to be, or none and no file either.
pub fn print_invitations(
    folder: &Path,
    to: &Path,
    order: &PrintOrder,
    now: Timestamp,
) -> Result<Printed, CommuneError> {
    let host = checked_host(folder, order.host.as_deref())?;
    let last_day = now
        .plus_minutes(checked_days(order.valid_days)? * DAY)
        .date();
    let expires_at = Timestamp(last_day.start().plus_minutes(DAY).0 - 1);
    let mut storage = Storage::open(&folder.join(DATABASE))?;
    let (guests, mut printed) = choose(&storage.read()?, order, now)?;
    if guests.is_empty() {
        return Err(CommuneError::NobodyToInvite);
    }
    // What is likely to fail does so before the codes are drawn, which takes the time.
    if to.exists() {
        return Err(file_error(to)(std::io::ErrorKind::AlreadyExists.into()));
    }
    let drawn = draw(guests.len())?;
    let sheaves = sheaves(&guests, &drawn, &host)?;
    let paper = paper::draw(&sheaves, last_day)?;
    printed.cells = sheaves.len();
    printed.pages = paper.pages;
    let file = write(to, &paper.pdf)?;
    let transaction = storage.write()?;
    for (guest, one) in guests.iter().zip(&drawn) {
        if order.replace {
            printed.replaced += close(&transaction, guest.id, now)?;
        }
        give_out(&transaction, guest.id, one, expires_at, now)?;
    }
    let what = "invitations".to_owned();
    transaction.audit(now, None, &Event::Exported { by: None, what })?;
    transaction.commit()?;
    file.keep();
    Ok(printed)
}

/// Somebody who gets a strip.
struct Guest {
    id: MemberId,
    name: String,
    cell: OrganisationId,
    cell_name: String,
    above: Option<String>,
}

/// Who gets a strip, by cell and code, and how many others do not.
fn choose(
    transaction: &Transaction<'_>,
    order: &PrintOrder,
    now: Timestamp,
) -> Result<(Vec<Guest>, Printed), CommuneError> {
    let mut tree = BTreeMap::new();
    let mut codes = BTreeMap::new();
    for (code, entry) in transaction.entries(ORGANISATION)? {
        let id = OrganisationId(entry.id);
        if let Some(stored) = transaction.record(Organisation::key(id))?
            && let Ok(organisation) = stored.record.read::<Organisation>()
        {
            tree.insert(id, organisation);
        }
        codes.insert(code, id);
    }
    let within = match &order.organisation {
        None => None,
        Some(code) => {
            let code = words::tidy(code);
            Some(match codes.get(&code) {
                Some(id) => *id,
                None => return Err(CommuneError::UnknownOrganisation { code }),
            })
        }
    };
    let invited: BTreeSet<_> = transaction
        .open_invitations(now)?
        .into_iter()
        .map(|(member, _)| member)
        .collect();
    let mut printed = Printed::default();
    let mut by_cell: BTreeMap<OrganisationId, Vec<Guest>> = BTreeMap::new();
    for (_, entry) in transaction.entries(MEMBER)? {
        let id = MemberId(entry.id);
        let Some(member) = member(transaction, id)? else {
            continue;
        };
        if within.is_some_and(|above| !is_within(&tree, member.cell, above)) {
            continue;
        }
        let wanted = order.candidates || takes_part(member.status);
        if !wanted || !may_join(transaction, id, now)? {
            printed.not_in_standing += 1;
            continue;
        }
        let phones = transaction.phones_of(id, now)?;
        if phones >= MAX_PHONES || (phones > 0 && !order.with_phone) {
            printed.have_phone += 1;
            continue;
        }
        if !order.replace && invited.contains(&id) {
            printed.invited_before += 1;
        }
        let cell = tree.get(&member.cell);
        by_cell.entry(member.cell).or_default().push(Guest {
            id,
            name: member.name,
            cell: member.cell,
            cell_name: cell.map(|cell| cell.name.clone()).unwrap_or_default(),
            above: cell
                .and_then(|cell| tree.get(&cell.above?))
                .map(|above| above.name.clone()),
        });
    }
    // Cells in the order of the operator's codes.
    let guests: Vec<Guest> = codes
        .values()
        .filter_map(|cell| by_cell.remove(cell))
        .flatten()
        .collect();
    printed.invitations = guests.len();
    Ok((guests, printed))
}

/// Whether an organisation is another one or stands below it. The rules see to it that a tree has no circle and no end in nothing.
fn is_within(
    tree: &BTreeMap<OrganisationId, Organisation>,
    organisation: OrganisationId,
    above: OrganisationId,
) -> bool {
    let up = |id: &OrganisationId| tree.get(id).and_then(|one| one.above);
    std::iter::successors(Some(organisation), up)
        .take(tree.len())
        .any(|id| id == above)
}

fn sheaves(guests: &[Guest], drawn: &[Drawn], host: &str) -> Result<Vec<Sheaf>, CommuneError> {
    let mut drawn = drawn.iter();
    let mut sheaves = Vec::new();
    for of_cell in guests.chunk_by(|one, next| one.cell == next.cell) {
        let strips = of_cell
            .iter()
            .zip(drawn.by_ref())
            .map(|(guest, one)| {
                Ok(Strip {
                    name: guest.name.clone(),
                    invitation: Invitation::new(host, one.code.clone())?,
                })
            })
            .collect::<Result<_, CommuneError>>()?;
        let first = of_cell.first();
        sheaves.push(Sheaf {
            cell: first
                .map(|guest| guest.cell_name.clone())
                .unwrap_or_default(),
            above: first.and_then(|guest| guest.above.clone()),
            strips,
        });
    }
    Ok(sheaves)
}
