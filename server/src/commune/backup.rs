//! Copies of everything that a server needs, encrypted to a key that is kept elsewhere, and putting one in place.
//!
//! A backup is an age file (age-encryption.org/v1, X25519) around a tar archive, so that the usual tools open it too:
//!
//! ```text
//! sotay.db                     one consistent state of the database, taken while the server goes on
//! folder/<name>                keys, certificates and hosts of the folder: `.pem`, `.key`, `.pub`, `.until`, `hosts`, `statement`
//! blobs/<home>/<sha256>        attachments that were complete
//! ```
//! Not in it: parts of attachments still being handed over, databases that a restore put aside, the lock. Nothing of a
//! backup is ever written outside the data folder in the clear, and there are no backups that are not encrypted.
//!
//! The keys of the folder are read under their lock, so that no backup has some of before a rotation and some of after it.
//!
//! A server holds the folder's lock, shared with others that serve it; a restore wants it alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use age::Encryptor;
use age::secrecy::ExposeSecret;
use age::x25519::{Identity, Recipient};
use sotay_model::Timestamp;

use super::{CommuneError, DATABASE, certificates, hold, signing, statement};
use crate::audit::Event;
use crate::blobs;
use crate::durable;
use crate::private_file::PrivateFile;
use crate::storage::{Storage, StorageError};

const LOCK: &str = "lock";
/// The copy of the database while a backup is made.
const COPY: &str = "backup.unfinished";
/// The copy of the database that a restore replaces, while it is made.
pub(super) const ASIDE: &str = "aside.unfinished";
/// The folder in which a backup is unpacked.
pub(super) const UNPACKED: &str = "restore.unfinished";
/// Where the folder's own files lie in the archive.
pub(super) const FOLDER: &str = "folder";
const ENDINGS: [&str; 4] = ["pem", "key", "pub", "until"];
const HOSTS: &str = "hosts";

/// Why a backup is not made or not used. Whatever it is, nothing was replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackupFault {
    /// Not the public half of a key: it begins with `age1`.
    #[error("{text:?} is no recipient: it begins with age1")]
    Recipient {
        /// What was given.
        text: String,
    },
    /// The file holds no secret key of age.
    #[error("the identity file has no line that begins with AGE-SECRET-KEY-1")]
    Identity,
    /// It is something else than a backup, or ends within its first lines.
    #[error("this is no backup")]
    NotABackup,
    /// It is encrypted to somebody else.
    #[error("this identity does not open the backup")]
    WrongIdentity,
    /// It was cut or changed.
    #[error("the backup is damaged: it was cut or changed")]
    Damaged,
    /// The folder's keys or its database are another commune's: phones of the one in the backup would find keys there that they do not
    /// know. It may also be a folder that `init` has just made.
    #[error("{path} is another commune's: restore into a new folder")]
    AnotherCommune {
        /// The folder.
        path: PathBuf,
    },
    /// The archive has no database, or something that no backup has.
    #[error("the backup holds {name:?}, which is none of ours")]
    Foreign {
        /// What.
        name: String,
    },
}

/// Takes the folder for a server, beside other servers.
pub(crate) fn serve_in(folder: &Path) -> io::Result<File> {
    let lock = lock_file(folder)?;
    lock.lock_shared()?;
    Ok(lock)
}

pub(super) fn lock_file(folder: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(folder.join(LOCK))
}

/// Says which file an error is about.
pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> CommuneError + use<> {
    let path = path.to_owned();
    move |source| CommuneError::File { path, source }
}

/// Makes a key for backups: the secret half goes into a new file that only its owner may read, the recipient is returned.
pub fn make_identity(to: &Path) -> Result<String, CommuneError> {
    let identity = Identity::generate();
    let recipient = identity.to_public().to_string();
    let secret = identity.to_string();
    let text = format!("# public key: {recipient}\n{}\n", secret.expose_secret());
    PrivateFile::write(to, text.as_bytes())
        .map_err(file(to))?
        .keep();
    Ok(recipient)
}

/// Writes a backup into a new file, for these recipients, while the server goes on.
pub fn back_up(
    folder: &Path,
    to: &Path,
    recipients: &[String],
    now: Timestamp,
) -> Result<(), CommuneError> {
    let recipients = recipients
        .iter()
        .map(|text| {
            let recipient: Result<Recipient, _> = text.trim().parse();
            recipient.map_err(|_| BackupFault::Recipient { text: text.clone() })
        })
        .collect::<Result<Vec<_>, _>>()?;
    if to.exists() {
        return Err(StorageError::Exists {
            path: to.to_owned(),
        }
        .into());
    }
    let mut storage = Storage::open(&folder.join(DATABASE))?;
    let copy = folder.join(COPY);
    remove_database(&copy).map_err(file(&copy))?;
    storage.copy_to(&copy)?;
    let written = write_file(folder, &copy, to, &recipients);
    if written.is_ok() {
        // Only now may phones rely on it.
        storage.remember_copy(&copy)?;
    }
    remove_database(&copy).map_err(file(&copy))?;
    written?;
    let transaction = storage.write()?;
    transaction.audit(now, None, &Event::BackedUp)?;
    Ok(transaction.commit()?)
}

/// Everything into `<to>.unfinished`, and that to its place once it is whole and on the disk.
fn write_file(
    folder: &Path,
    copy: &Path,
    to: &Path,
    recipients: &[Recipient],
) -> Result<(), CommuneError> {
    let mut name = to.as_os_str().to_owned();
    name.push(".unfinished");
    let unfinished = PathBuf::from(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // One that a killed backup left.
    drop(fs::remove_file(&unfinished));
    let output = options.open(&unfinished).map_err(file(&unfinished))?;
    let written = encrypt(folder, copy, output, recipients)
        .and_then(|()| fs::rename(&unfinished, to).map_err(file(to)));
    if written.is_err() {
        drop(fs::remove_file(&unfinished));
    }
    written
}

fn encrypt(
    folder: &Path,
    copy: &Path,
    output: File,
    recipients: &[Recipient],
) -> Result<(), CommuneError> {
    let for_whom = recipients.iter().map(|one| one as &dyn age::Recipient);
    let encryptor = Encryptor::with_recipients(for_whom).map_err(|_| BackupFault::Recipient {
        text: String::new(),
    })?;
    let own = own_files(folder)?;
    let failed = file(folder);
    let write = || -> io::Result<()> {
        let mut archive = tar::Builder::new(encryptor.wrap_output(io::BufWriter::new(output))?);
        // Names and bytes, not whose they were on this machine.
        archive.mode(tar::HeaderMode::Deterministic);
        archive.follow_symlinks(false);
        archive.append_path_with_name(copy, DATABASE)?;
        for (name, bytes) in &own {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o600);
            archive.append_data(&mut header, format!("{FOLDER}/{name}"), bytes.as_slice())?;
        }
        // After the database: what it names was complete before it was written.
        for (home, digest) in complete_blobs(folder)? {
            let name = format!("{}/{home}/{digest}", blobs::FOLDER);
            archive.append_path_with_name(folder.join(&name), &name)?;
        }
        let mut output = archive.into_inner()?.finish()?;
        output.flush()?;
        output.get_ref().sync_all()
    };
    write().map_err(failed)
}

/// The folder's own files that belong in a backup, as they are together at one moment.
fn own_files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, CommuneError> {
    let _held = hold(folder)?;
    certificates::finish(folder)?;
    signing::finish(folder)?;
    let read = || {
        let mut files = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string()
                && entry.file_type()?.is_file()
                && is_own_file(&name)
            {
                files.push((name, fs::read(entry.path())?));
            }
        }
        files.sort();
        Ok(files)
    };
    read().map_err(file(folder))
}

pub(super) fn is_own_file(name: &str) -> bool {
    let ending = Path::new(name)
        .extension()
        .and_then(|ending| ending.to_str());
    name == HOSTS
        || name == statement::FILE
        || ending.is_some_and(|ending| ENDINGS.contains(&ending))
}

fn complete_blobs(folder: &Path) -> io::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let homes = match fs::read_dir(folder.join(blobs::FOLDER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        homes => homes?,
    };
    for home in homes {
        let home = home?;
        for blob in fs::read_dir(home.path())? {
            let blob = blob?;
            let names = home.file_name().into_string().ok();
            if let Some(names) = names.zip(blob.file_name().into_string().ok())
                && blob.file_type()?.is_file()
            {
                found.push(names);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Removes what a killed backup or restore left. A backup under way then fails, and is to be made again.
pub(super) fn clear_leftovers(folder: &Path) -> Result<(), CommuneError> {
    for name in [COPY, ASIDE] {
        let copy = folder.join(name);
        remove_database(&copy).map_err(file(&copy))?;
    }
    let unpacked = folder.join(UNPACKED);
    durable::remove_folder(&unpacked).map_err(file(&unpacked))
}

fn remove_database(database: &Path) -> io::Result<()> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        durable::remove(Path::new(&format!("{}{ending}", database.display())))?;
    }
    Ok(())
}
