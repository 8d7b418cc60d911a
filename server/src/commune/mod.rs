//! Making a commune: the folder with everything in it, the register of organisations, members and offices.
//!
//! Everything goes through the rules as the operator's mutations. A list is entered as a whole or not at all; the same list
//! again changes nothing; nobody is ever deleted or merged because of what a list lacks.

mod certificates;
mod config;
mod list;
mod members;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use minicbor::Encode;
use ring::digest::{SHA256, digest};
use sotay_model::enrolment::{Invitation, InvitationFault};
use sotay_model::organisation::{Appoint, EnterMember, FoundOrganisation, Organisation};
use sotay_model::{Id, Intent, MemberId, OrganisationId, Timestamp, cbor};

use crate::engine::{Engine, EngineError, meta, operator, random};
use crate::storage::{Entry, Storage, StorageError, Transaction};

pub use certificates::{CertificateError, Certificates};
pub use config::{Config, ConfigFault, PlannedOffice, PlannedOrganisation};
pub use list::{Cell, ListFault, Rows, read as read_list, read_csv};
pub use members::{CellFault, Column, MemberRow, RowFault};

/// The database's name in the folder.
pub const DATABASE: &str = "sotay.db";

const ORGANISATION: &str = "organisation";
const MEMBER: &str = "member";
const OFFICE: &str = "office";

/// Why nothing was entered.
#[derive(Debug, thiserror::Error)]
pub enum CommuneError {
    /// The configuration.
    #[error("configuration: {0}")]
    Config(#[from] ConfigFault),
    /// The list as a file.
    #[error("the list {0}")]
    List(#[from] ListFault),
    /// The list has no row that names code, name and cell.
    #[error("the list has no heading: one row must name at least code, name and cell")]
    NoHeading,
    /// Rows that are not clear.
    #[error("{} rows are not clear; nothing was entered", faults.len())]
    Rows {
        /// All of them.
        faults: Vec<RowFault>,
    },
    /// The rules refuse an entry of the configuration.
    #[error("{what}: {why}")]
    Refused {
        /// Which entry.
        what: String,
        /// Why.
        why: sotay_model::Rejection,
    },
    /// A code that the list does not have.
    #[error("there is no member {code:?}")]
    UnknownMember {
        /// The code.
        code: String,
    },
    /// The folder is in use for something else.
    #[error("{path} exists and is not empty")]
    FolderInUse {
        /// Which folder.
        path: PathBuf,
    },
    /// The host of an invitation.
    #[error(transparent)]
    Invitation(#[from] InvitationFault),
    /// The keys and certificates.
    #[error(transparent)]
    Certificates(#[from] CertificateError),
    /// The database.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The folder.
    #[error("{path}: {source}")]
    File {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl From<StorageError> for CommuneError {
    fn from(error: StorageError) -> Self {
        Self::Engine(error.into())
    }
}

/// What the operator's codes stand for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Commune {
    /// Organisations by their codes in the configuration.
    pub organisations: BTreeMap<String, OrganisationId>,
    /// Members by their codes in the list.
    pub members: BTreeMap<String, MemberId>,
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Members entered for the first time.
    pub new: usize,
    /// Members whose entry changed.
    pub changed: usize,
    /// Members of whom the list says what it said before.
    pub unchanged: usize,
}

/// Makes a folder with a database, roots and a server certificate, and enters organisations, members and offices. On any
/// fault nothing is left behind.
pub fn init(
    config: &Config,
    list: &Rows,
    folder: &Path,
    now: Timestamp,
) -> Result<Commune, CommuneError> {
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| CommuneError::File { path, source }
    };
    if folder.exists() && fs::read_dir(folder).map_err(file(folder))?.next().is_some() {
        return Err(CommuneError::FolderInUse {
            path: folder.to_owned(),
        });
    }
    let mut name = folder.as_os_str().to_owned();
    name.push(".unfinished");
    let unfinished = PathBuf::from(name);
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(file(&unfinished))?;
    }
    make_private_folder(&unfinished).map_err(file(&unfinished))?;
    let made = fill(config, list, &unfinished, now);
    if made.is_ok() {
        fs::rename(&unfinished, folder).map_err(file(folder))?;
    } else {
        fs::remove_dir_all(&unfinished).map_err(file(&unfinished))?;
    }
    made
}

fn fill(
    config: &Config,
    list: &Rows,
    folder: &Path,
    now: Timestamp,
) -> Result<Commune, CommuneError> {
    Certificates::create(folder, &config.hosts, now)?;
    let mut storage = Storage::create(&folder.join(DATABASE))?;
    let transaction = storage.write()?;
    // Seconds since 1970: a server restored later mints a higher one.
    let incarnation = now.0.max(1_000).cast_unsigned() / 1_000;
    transaction.set_meta(meta::INCARNATION, &incarnation.to_be_bytes())?;
    transaction.set_meta(meta::NONCE_SECRET, &random::<32>()?)?;
    enter_organisations(&transaction, config, now)?;
    enter_members(&transaction, list, now)?;
    enter_offices(&transaction, config, now)?;
    let commune = codes(&transaction)?;
    transaction.commit()?;
    Ok(commune)
}

/// Enters a later list: new members, changed entries. A list that does not name somebody says nothing about that person.
pub fn import(folder: &Path, list: &Rows, now: Timestamp) -> Result<Imported, CommuneError> {
    let mut storage = Storage::open(&folder.join(DATABASE))?;
    let transaction = storage.write()?;
    let imported = enter_members(&transaction, list, now)?;
    transaction.commit()?;
    Ok(imported)
}

/// Invites a member to join from one more phone. Without `host` it is the first of the configuration.
pub fn invite(
    folder: &Path,
    member_code: &str,
    host: Option<&str>,
    valid_days: u32,
    now: Timestamp,
) -> Result<Invitation, CommuneError> {
    let mut engine = Engine::new(Storage::open(&folder.join(DATABASE))?);
    let code = members::tidy(member_code);
    let entry = engine.storage().read()?.entry(MEMBER, &code)?;
    let member = MemberId(entry.ok_or(CommuneError::UnknownMember { code })?.id);
    let host = match host {
        Some(host) => host.to_owned(),
        None => first_host(folder)?,
    };
    let expires_at = now.plus_minutes(i64::from(valid_days) * 24 * 60);
    // The host is checked before the invitation exists.
    Invitation::new(&host, sotay_model::enrolment::Code::from_random([0; 8]))?;
    Ok(Invitation::new(&host, engine.invite(member, expires_at)?)?)
}

impl Commune {
    /// Reads the codes of a folder.
    pub fn open(folder: &Path) -> Result<Self, CommuneError> {
        let mut storage = Storage::open(&folder.join(DATABASE))?;
        let transaction = storage.read()?;
        codes(&transaction)
    }
}

fn first_host(folder: &Path) -> Result<String, CommuneError> {
    let path = folder.join("hosts");
    let hosts = fs::read_to_string(&path).map_err(|source| CommuneError::File { path, source })?;
    Ok(hosts.lines().next().unwrap_or_default().to_owned())
}

fn codes(transaction: &Transaction<'_>) -> Result<Commune, CommuneError> {
    let of = |subject| transaction.entries(subject);
    Ok(Commune {
        organisations: of(ORGANISATION)?
            .into_iter()
            .map(|(code, entry)| (code, OrganisationId(entry.id)))
            .collect(),
        members: of(MEMBER)?
            .into_iter()
            .map(|(code, entry)| (code, MemberId(entry.id)))
            .collect(),
    })
}

fn make_private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn fingerprint<T: Encode<()>>(entered: &T) -> Vec<u8> {
    digest(&SHA256, &cbor::to_bytes(entered)).as_ref().to_vec()
}

fn new_id(now: Timestamp) -> Result<Id, CommuneError> {
    Ok(Id::v7(now.0, random()?))
}

fn enter_organisations(
    transaction: &Transaction<'_>,
    config: &Config,
    now: Timestamp,
) -> Result<(), CommuneError> {
    let mut ids = config::OrganisationIds::new();
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
            name: members::tidy(&planned.name),
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

fn enter_members(
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
    let mut intents = Vec::new();
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
            Some(_) => imported.changed += 1,
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
    if faults.is_empty() {
        Ok(imported)
    } else {
        Err(CommuneError::Rows { faults })
    }
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

fn enter_offices(
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
