//! Where a run begins: a commune of three cells under a committee, made once for each thread and copied for each seed.

use std::collections::BTreeSet;

use sotay_disk::{Disk, Snapshot, vfs_name};
use sotay_model::organisation::{
    Appoint, EnterMember, FoundOrganisation, MemberStatus, OrganisationLevel, Policy, Role,
};
use sotay_model::{CalendarDate, Id, Intent, MemberId, OrganisationId, Timestamp};
use sotay_server::engine::Engine;
use sotay_server::storage::Storage;

use crate::reference::Reference;
use crate::violation::Checked;

/// 2026-06-01T08:00+07:00
pub const BEGINNING: Timestamp = Timestamp(1_780_275_600_000);
/// The server's database on its disk.
pub const DATABASE: &str = "sotay.db";

/// The beginning of every run.
#[derive(Debug)]
pub struct Ground {
    /// The server's disk.
    pub server: Snapshot,
    /// What is on it.
    pub reference: Reference,
    /// The cells.
    pub cells: Vec<OrganisationId>,
    /// The committee above, and a section between it and the last cell.
    pub above: [OrganisationId; 2],
    /// Members with the cell they belong to.
    pub members: Vec<(MemberId, OrganisationId)>,
}

/// An identifier that stands for a number.
pub fn id(kind: u8, number: u8) -> Id {
    Id::derived(
        "simulated",
        &[Id::from_bytes([kind; 16]), Id::from_bytes([number; 16])],
    )
}

/// A day, months after the beginning of 2026.
pub fn day(month: u32, day: u32) -> Checked<CalendarDate> {
    CalendarDate::new(2026, month, day).ok_or_else(|| "no such day".into())
}

/// A member's entry.
pub fn entry(member: MemberId, number: usize, cell: OrganisationId) -> EnterMember {
    EnterMember {
        id: member,
        cell,
        name: format!("Đồng chí Mẫu {number:02}"),
        status: if number % 7 == 6 {
            MemberStatus::Probationary
        } else {
            MemberStatus::Official
        },
        phone: None,
        born: None,
        born_year: Some(1960),
        admitted_on: None,
        official_on: None,
        card_number: None,
        card_issued_on: None,
        card_issued_by: None,
    }
}

impl Ground {
    /// Makes it.
    pub fn make() -> Checked<Self> {
        let organisation = |number| OrganisationId(id(1, number));
        let [committee, section] = [organisation(0), organisation(1)];
        let cells = vec![organisation(2), organisation(3), organisation(4)];
        let members: Vec<(MemberId, OrganisationId)> = (0..10u8)
            .map(|number| (MemberId(id(2, number)), cells[usize::from(number) % 3]))
            .collect();
        let found = |id, above, level, name: &str| -> Intent {
            FoundOrganisation {
                id,
                above,
                level,
                name: name.into(),
                policy: Policy::default(),
            }
            .into()
        };
        let mut intents = vec![
            found(
                committee,
                None,
                OrganisationLevel::CommuneCommittee,
                "Đảng bộ xã Mẫu",
            ),
            found(
                section,
                Some(committee),
                OrganisationLevel::SectionCommittee,
                "Đảng bộ bộ phận Mẫu",
            ),
        ];
        for (number, cell) in cells.iter().enumerate() {
            let above = if number == 2 { section } else { committee };
            intents.push(found(
                *cell,
                Some(above),
                OrganisationLevel::PartyCell,
                &format!("Chi bộ Mẫu {number}"),
            ));
        }
        for (number, (member, cell)) in members.iter().enumerate() {
            intents.push(entry(*member, number, *cell).into());
        }
        let offices = [
            (0, cells[0], Role::Secretary),
            (3, cells[0], Role::DeputySecretary),
            (1, cells[1], Role::Secretary),
            (2, cells[2], Role::Secretary),
            (4, committee, Role::Secretary),
        ];
        for (number, (member, organisation, role)) in offices.into_iter().enumerate() {
            intents.push(
                Appoint {
                    id: id(3, number as u8),
                    member: members[member].0,
                    organisation,
                    role,
                    phone: None,
                    from: day(1, 1)?,
                    until: None,
                }
                .into(),
            );
        }
        let mut reference = Reference::new(1_000);
        if !reference.enter(&intents, BEGINNING) {
            return Err("the rules refuse the commune".into());
        }
        let disk = Disk::new(0);
        let failed = |error: &dyn std::fmt::Display| format!("the commune: {error}");
        let mut storage =
            Storage::open_in(vfs_name(), &disk.path(DATABASE)).map_err(|error| failed(&error))?;
        let change = storage.write().map_err(|error| failed(&error))?;
        change
            .set_meta("incarnation", &1_000_u64.to_be_bytes())
            .and_then(|()| change.commit())
            .map_err(|error| failed(&error))?;
        let mut engine = Engine::new(storage);
        let entered: Result<BTreeSet<_>, _> = engine
            .enter(intents, BEGINNING)
            .map_err(|error| failed(&error))?;
        entered.map_err(|refused| format!("the server refuses the commune: {refused:?}"))?;
        // Closing the last connection writes the log back: a copy is then one file.
        drop(engine);
        Ok(Self {
            server: disk.snapshot(),
            reference,
            cells,
            above: [committee, section],
            members,
        })
    }
}
