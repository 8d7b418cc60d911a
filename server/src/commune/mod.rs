//! Making a commune: the folder with everything in it, the register of organisations, members and offices.
//!
//! Everything goes through the rules as the operator's mutations. A list is entered as a whole or not at all; the same list
//! again changes nothing; nobody is ever deleted or merged because of what a list lacks.

mod backup;
mod certificates;
mod config;
mod days;
mod entering;
mod faults;
mod invitations;
mod list;
mod log;
mod members;
mod phones;
mod printing;
mod restore;
mod retention;
mod signing;
mod spills;
mod statement;
mod words;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sotay_model::enrolment::InvitationFault;
use sotay_model::statement::Version;
use sotay_model::{MemberId, OrganisationId, Timestamp};

use crate::audit::Event;
use crate::engine::{EngineError, meta, random};
use crate::storage::{Storage, StorageError, Transaction};

pub(crate) use backup::serve_in;
pub use backup::{BackupFault, back_up, make_identity};
pub use certificates::{CertificateError, Certificates};
pub use config::{Config, ConfigFault, PlannedOffice, PlannedOrganisation};
pub use faults::{CellFault, RowFault};
pub use invitations::{
    MAX_VALID_DAYS, OpenInvitation, invite, invite_by_picture, open_invitations, revoke_invitations,
};
#[cfg(feature = "simulation")]
pub(crate) use list::read_xlsx;
pub use list::{
    Cell, ListFault, MAX_BYTES, MAX_CELLS, MAX_COLUMNS, Rows, read as read_list, read_csv,
};
pub(crate) use log::seal;
pub use log::{checkpoint_audit, erase_audit, read_audit, verify_audit};
pub use members::MemberRow;
#[cfg(feature = "simulation")]
pub(crate) use members::interpret;
pub use phones::{Confirmation, Waiting, confirm, phones, revoke, waiting};
pub use printing::{PrintOrder, Printed, print_invitations};
pub use restore::{Restored, restore, restore_losing_revocations};
pub use retention::{count_over, remove_over};
pub use signing::OrganisationKeys;
pub use spills::{Cleared, purge};
pub use statement::Stated;
pub(crate) use statement::hold;
pub use words::Column;

use entering::{enter_members, enter_offices, enter_organisations};

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
    /// A server runs on the folder: stop it first.
    #[error("a server runs on {path}")]
    Served {
        /// The folder.
        path: PathBuf,
    },
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
    /// Somebody whose membership has ended, and who therefore gets no phone.
    #[error("{code:?} may not join: the membership has ended")]
    MayNotJoin {
        /// The code.
        code: String,
    },
    /// A code that the configuration does not have.
    #[error("there is no organisation {code:?}")]
    UnknownOrganisation {
        /// The code.
        code: String,
    },
    /// Everybody asked for has a phone or takes no part in the life of a cell; or there is nobody.
    #[error("there is nobody to invite")]
    NobodyToInvite,
    /// An invitation is not good for that long: whoever finds it later could use it.
    #[error("an invitation is good for {MAX_VALID_DAYS} days at most, not for {days}")]
    ValidTooLong {
        /// How many days were asked for.
        days: u32,
    },
    /// A picture is a .png or an .svg file.
    #[error("{path}: a picture ends in .png or .svg")]
    PictureForm {
        /// Which file.
        path: PathBuf,
    },
    /// What goes on paper could not be drawn.
    #[error("paper: {0}")]
    Paper(#[from] crate::paper::PaperError),
    /// What was entered are not the six digits of a phone's screen.
    #[error("six digits are wanted")]
    NotSixDigits,
    /// The folder is in use for something else.
    #[error("{path} exists and is not empty")]
    FolderInUse {
        /// Which folder.
        path: PathBuf,
    },
    /// A backup that is not made or not used.
    #[error(transparent)]
    Backup(#[from] BackupFault),
    /// The database that a restore replaces does not say any more who was revoked since the backup. Nothing was replaced.
    #[error("{path} does not say any more who was revoked since the backup: {source}")]
    RevocationsUnreadable {
        /// The database.
        path: PathBuf,
        /// Why.
        source: StorageError,
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
    /// Open invitations of members whose membership the list ends: they are no longer good.
    pub closed: usize,
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
    OrganisationKeys::create(folder)?;
    statement::minimum_version(folder, None, now)?;
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
    let event = Event::Imported {
        new: imported.new as u64,
        changed: imported.changed as u64,
    };
    transaction.audit(now, None, &event)?;
    transaction.commit()?;
    Ok(imported)
}

/// Puts the spare root in use and makes a new spare; see [`Certificates`]. `spare_key` is where the spare's key is kept, if
/// not in the folder.
pub fn rotate(folder: &Path, spare_key: Option<&Path>, now: Timestamp) -> Result<(), CommuneError> {
    let mut storage = Storage::open(&folder.join(DATABASE))?;
    let transaction = storage.write()?;
    {
        let _held = hold(folder)?;
        certificates::rotate(folder, spare_key, now)?;
    }
    // From now on phones are told.
    statement::minimum_version(folder, None, now)?;
    transaction.audit(now, None, &Event::RootsRotated)?;
    Ok(transaction.commit()?)
}

/// Puts the organisation's spare signing key in use and makes a new spare; see [`OrganisationKeys`]. `spare_key` is where the
/// spare's private half is kept, if not in the folder.
pub fn rotate_signing_key(
    folder: &Path,
    spare_key: Option<&Path>,
    now: Timestamp,
) -> Result<(), CommuneError> {
    let mut storage = Storage::open(&folder.join(DATABASE))?;
    let transaction = storage.write()?;
    {
        let _held = hold(folder)?;
        signing::rotate(folder, spare_key)?;
    }
    // From now on phones are told.
    statement::minimum_version(folder, None, now)?;
    transaction.audit(now, None, &Event::SigningKeyRotated)?;
    Ok(transaction.commit()?)
}

/// The oldest version of the apps' library that may enter anything; 0.0.0: all may.
pub fn minimum_version(folder: &Path, now: Timestamp) -> Result<Version, CommuneError> {
    Ok(statement::minimum_version(folder, None, now)?)
}

/// Has phones with an older library enter nothing more: what they entered before is still sent, and they go on receiving.
pub fn set_minimum_version(
    folder: &Path,
    minimum: Version,
    now: Timestamp,
) -> Result<(), CommuneError> {
    let mut storage = Storage::open(&folder.join(DATABASE))?;
    let transaction = storage.write()?;
    statement::minimum_version(folder, Some(minimum), now)?;
    let version = minimum.to_string();
    transaction.audit(now, None, &Event::MinimumVersionSet { version })?;
    Ok(transaction.commit()?)
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
