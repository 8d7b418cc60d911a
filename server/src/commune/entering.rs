//! Entering the register through the rules: organisations, members, offices, each under the operator's own code.

use std::collections::BTreeMap;

use minicbor::Encode;
use ring::digest::{SHA256, digest};
use sotay_model::organisation::{Appoint, EnterMember, FoundOrganisation, Organisation};
use sotay_model::{Id, Intent, MemberId, OrganisationId, Timestamp, cbor};

use super::config::OrganisationIds;
use super::words::tidy;
use super::{
    CellFault, CommuneError, Config, Imported, MEMBER, MemberRow, OFFICE, ORGANISATION, RowFault,
    Rows, codes, members,
};
use crate::engine::{close, may_join, operator, random};
use crate::storage::{Entry, Transaction};

fn fingerprint<T: Encode<()>>(entered: &T) -> Vec<u8> {
    digest(&SHA256, &cbor::to_bytes(entered)).as_ref().to_vec()
}

fn new_id(now: Timestamp) -> Result<Id, CommuneError> {
    Ok(Id::v7(now.0, random()?))
}

pub(super) fn enter_organisations(
    transaction: &Transaction<'_>,
    config: &Config,
    now: Timestamp,
) -> Result<(), CommuneError> {
    let mut ids = OrganisationIds::new();
    let mut intents = Vec::with_capacity(config.organisations.len());
    for planned in &config.organisations {
        let id = OrganisationId(new_id(now)?);
        let founded = FoundOrganisation {
            id,
            above: planned
                .above
                .as_ref()
                .and_then(|above| ids.get(above).copied()),
            level: planned.level,
            name: tidy(&planned.name),
            policy: planned.policy.clone(),
        };
        let entry = Entry {
            id: id.0,
            entered: fingerprint(&founded),
        };
        transaction.set_entry(ORGANISATION, &planned.code, &entry)?;
        ids.insert(planned.code.clone(), id);
        intents.push(Intent::from(founded));
    }
    operator::enter(transaction, intents, now)?
        .map(drop)
        .map_err(|refused| CommuneError::Refused {
            what: config
                .organisations
                .get(refused.index)
                .map(|one| format!("organisation {}", one.code))
                .unwrap_or_default(),
            why: refused.why,
        })
}

pub(super) fn enter_members(
    transaction: &Transaction<'_>,
    list: &Rows,
    now: Timestamp,
) -> Result<Imported, CommuneError> {
    let commune = codes(transaction)?;
    let mut names = BTreeMap::new();
    for id in commune.organisations.values() {
        if let Some(stored) = transaction.record(Organisation::key(*id))?
            && let Ok(organisation) = stored.record.read::<Organisation>()
        {
            names.insert(organisation.name, *id);
        }
    }
    let cell_of = |text: &str| {
        commune
            .organisations
            .get(text)
            .or_else(|| names.get(text))
            .copied()
    };
    let rows = members::interpret(list, cell_of).map_err(|faults| {
        if faults.is_empty() {
            CommuneError::NoHeading
        } else {
            CommuneError::Rows { faults }
        }
    })?;

    let mut imported = Imported::default();
    let mut entered_rows = Vec::new();
    let (mut intents, mut changed) = (Vec::new(), Vec::new());
    for row in rows {
        let known = transaction.entry(MEMBER, &row.code)?;
        let id = known
            .as_ref()
            .map_or_else(|| new_id(now), |entry| Ok(entry.id))?;
        let (number, code) = (row.row, row.code.clone());
        let intent = enter_member(MemberId(id), row);
        let entry = Entry {
            id,
            entered: fingerprint(&intent),
        };
        match known {
            Some(known) if known.entered == entry.entered => {
                imported.unchanged += 1;
                continue;
            }
            Some(_) => {
                imported.changed += 1;
                changed.push(MemberId(id));
            }
            None => imported.new += 1,
        }
        transaction.set_entry(MEMBER, &code, &entry)?;
        entered_rows.push(number);
        intents.push(Intent::from(intent));
    }
    // One by one, so that every row the rules refuse is reported, not only the first.
    let mut faults = Vec::new();
    for (row, intent) in entered_rows.into_iter().zip(intents) {
        if let Err(refused) = operator::enter(transaction, [intent], now)? {
            let fault = CellFault::Refused(refused.why.to_string());
            faults.push(RowFault {
                row,
                column: None,
                fault,
            });
        }
    }
    if !faults.is_empty() {
        return Err(CommuneError::Rows { faults });
    }
    for member in changed {
        if !may_join(transaction, member, now)? {
            imported.closed += close(transaction, member, now)?;
        }
    }
    Ok(imported)
}

fn enter_member(id: MemberId, row: MemberRow) -> EnterMember {
    EnterMember {
        id,
        cell: row.cell,
        name: row.name,
        status: row.status,
        phone: row.phone,
        born: row.born,
        born_year: row.born_year,
        admitted_on: row.admitted_on,
        official_on: row.official_on,
        card_number: row.card_number,
        card_issued_on: row.card_issued_on,
        card_issued_by: row.card_issued_by,
    }
}

pub(super) fn enter_offices(
    transaction: &Transaction<'_>,
    config: &Config,
    now: Timestamp,
) -> Result<(), CommuneError> {
    let commune = codes(transaction)?;
    let mut intents = Vec::with_capacity(config.offices.len());
    for office in &config.offices {
        let member =
            commune
                .members
                .get(&office.member)
                .ok_or_else(|| CommuneError::UnknownMember {
                    code: office.member.clone(),
                })?;
        let organisation = commune
            .organisations
            .get(&office.organisation)
            .copied()
            .unwrap_or_default();
        let appoint = Appoint {
            id: new_id(now)?,
            member: *member,
            organisation,
            role: office.role,
            phone: office.phone.clone(),
            from: office.from,
            until: office.until,
        };
        let code = format!(
            "{}/{}/{}/{}",
            office.member,
            office.organisation,
            office.role.name(),
            office.from
        );
        transaction.set_entry(
            OFFICE,
            &code,
            &Entry {
                id: appoint.id,
                entered: fingerprint(&appoint),
            },
        )?;
        intents.push(Intent::from(appoint));
    }
    operator::enter(transaction, intents, now)?
        .map(drop)
        .map_err(|refused| CommuneError::Refused {
            what: config
                .offices
                .get(refused.index)
                .map(|one| format!("office of {}", one.member))
                .unwrap_or_default(),
            why: refused.why,
        })
}
