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
//! A restore unpacks and checks everything beside what is there and replaces the database last, so that a backup that cannot be
//! used changes nothing. What happened since and must not be undone is taken over from the database that was there, if it
//! can still be read: the audit log with its erasures, revoked phones, used and burnt invitations, and the list of what was
//! removed because it should never have been entered, which is then removed once more. Keys, certificates and
//! attachments that are there stay; only what is missing comes from the backup.
//!
//! A server holds the folder's lock, shared with others that serve it; a restore wants it alone.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};

use age::secrecy::ExposeSecret;
use age::x25519::{Identity, Recipient};
use age::{DecryptError, Decryptor, Encryptor};
use sotay_model::Timestamp;

use super::{CommuneError, DATABASE, make_private_folder, statement};
use crate::audit::Event;
use crate::blobs;
use crate::engine::Engine;
use crate::private_file::PrivateFile;
use crate::storage::{Storage, StorageError};

const LOCK: &str = "lock";
/// The copy of the database while a backup is made.
const COPY: &str = "backup.unfinished";
/// The folder in which a backup is unpacked.
const UNPACKED: &str = "restore.unfinished";
/// Where the folder's own files lie in the archive.
const FOLDER: &str = "folder";
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
    /// The archive has no database, or something that no backup has.
    #[error("the backup holds {name:?}, which is none of ours")]
    Foreign {
        /// What.
        name: String,
    },
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The incarnation that begins: phones see by it that they must send again what the copy lacks.
    pub incarnation: u64,
    /// Where the database lies that was there, if there was one.
    pub before: Option<PathBuf>,
    /// Whether the audit log since the backup was taken over from it.
    pub audit_kept: bool,
}

/// Takes the folder for a server, beside other servers.
pub(crate) fn serve_in(folder: &Path) -> io::Result<File> {
    let lock = lock_file(folder)?;
    lock.lock_shared()?;
    Ok(lock)
}

fn lock_file(folder: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(folder.join(LOCK))
}

/// Says which file an error is about.
fn file(path: &Path) -> impl FnOnce(io::Error) -> CommuneError + use<> {
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
    let failed = file(folder);
    let write = || -> io::Result<()> {
        let mut archive = tar::Builder::new(encryptor.wrap_output(io::BufWriter::new(output))?);
        // Names and bytes, not whose they were on this machine.
        archive.mode(tar::HeaderMode::Deterministic);
        archive.follow_symlinks(false);
        archive.append_path_with_name(copy, DATABASE)?;
        for name in own_files(folder)? {
            archive.append_path_with_name(folder.join(&name), format!("{FOLDER}/{name}"))?;
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

/// The names of the folder's own files that belong in a backup.
fn own_files(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Ok(name) = entry.file_name().into_string()
            && entry.file_type()?.is_file()
            && is_own_file(&name)
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn is_own_file(name: &str) -> bool {
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
    let (copy, unpacked) = (folder.join(COPY), folder.join(UNPACKED));
    remove_database(&copy).map_err(file(&copy))?;
    remove_folder(&unpacked).map_err(file(&unpacked))
}

/// Puts a backup in place; the database that was there is kept under another name.
pub fn restore(
    folder: &Path,
    from: &Path,
    identity: &Path,
    now: Timestamp,
) -> Result<Restored, CommuneError> {
    let identities = read_identities(identity)?;
    make_private_folder(folder).map_err(file(folder))?;
    let lock = lock_file(folder).map_err(file(folder))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(CommuneError::Served {
                path: folder.to_owned(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(file(folder)(source)),
    }
    let unpacked = folder.join(UNPACKED);
    remove_folder(&unpacked).map_err(file(&unpacked))?;
    make_private_folder(&unpacked).map_err(file(&unpacked))?;
    let restored =
        unpack(from, &identities, &unpacked).and_then(|()| put_in_place(folder, &unpacked, now));
    remove_folder(&unpacked).map_err(file(&unpacked))?;
    restored
}

fn read_identities(path: &Path) -> Result<Vec<Identity>, CommuneError> {
    let text = fs::read_to_string(path).map_err(file(path))?;
    let found: Vec<Identity> = text
        .lines()
        .filter_map(|line| line.trim().parse().ok())
        .collect();
    if found.is_empty() {
        return Err(BackupFault::Identity.into());
    }
    Ok(found)
}

fn unpack(from: &Path, identities: &[Identity], into: &Path) -> Result<(), CommuneError> {
    let input = BufReader::new(File::open(from).map_err(file(from))?);
    let decryptor = Decryptor::new_buffered(input).map_err(|error| match error {
        DecryptError::InvalidMac => BackupFault::Damaged,
        _ => BackupFault::NotABackup,
    })?;
    let tried = identities.iter().map(|one| one as &dyn age::Identity);
    let plain = decryptor.decrypt(tried).map_err(|error| match error {
        DecryptError::NoMatchingKeys => BackupFault::WrongIdentity,
        DecryptError::InvalidHeader | DecryptError::UnknownFormat => BackupFault::NotABackup,
        _ => BackupFault::Damaged,
    })?;
    // Whatever is read was authenticated; what cannot be read was cut or changed, unless the disk says otherwise.
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::PermissionDenied => file(into)(error),
        _ => BackupFault::Damaged.into(),
    };
    let mut archive = tar::Archive::new(plain);
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        let path = entry.path().map_err(unreadable)?.into_owned();
        let foreign = || BackupFault::Foreign {
            name: path.display().to_string(),
        };
        let usual = entry.header().entry_type().is_file() && is_ours(&path);
        if !usual {
            return Err(foreign().into());
        }
        let to = into.join(&path);
        if let Some(parent) = to.parent() {
            make_private_folder(parent).map_err(file(parent))?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut output = options.open(&to).map_err(file(&to))?;
        io::copy(&mut entry, &mut output).map_err(unreadable)?;
        output.sync_all().map_err(file(&to))?;
    }
    // The end of the encrypted file is behind the end of the archive: without it something is missing.
    let mut rest = archive.into_inner();
    let mut buffer = [0; 4_096];
    while rest.read(&mut buffer).map_err(unreadable)? > 0 {}
    if into.join(DATABASE).exists() {
        Ok(())
    } else {
        Err(BackupFault::NotABackup.into())
    }
}

/// Whether a name in the archive is one that [`back_up`] writes.
fn is_ours(path: &Path) -> bool {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name.to_str().unwrap_or_default()),
            _ => return false,
        }
    }
    match names.as_slice() {
        [DATABASE] => true,
        [FOLDER, name] => is_own_file(name),
        [blobs::FOLDER, home, digest] => {
            home.replacen('-', ":", 1)
                .parse::<sotay_model::Scope>()
                .is_ok()
                && digest.parse::<sotay_model::BlobDigest>().is_ok()
        }
        _ => false,
    }
}

fn put_in_place(folder: &Path, unpacked: &Path, now: Timestamp) -> Result<Restored, CommuneError> {
    let (database, incoming) = (folder.join(DATABASE), unpacked.join(DATABASE));
    // One that cannot be read any more need not say how far it was.
    let above = Storage::open(&database)
        .and_then(|mut storage| storage.read()?.incarnation())
        .ok();
    let mut storage = Storage::open(&incoming)?;
    storage.check()?;
    let mut audit_kept = false;
    if above.is_some() {
        match storage.take_over(&database) {
            Ok(kept) => audit_kept = kept,
            Err(error) => {
                tracing::warn!(%error, "nothing is taken over from the database that was here")
            }
        }
    }
    let incarnation = storage.begin_incarnation(above.unwrap_or(0), now)?;
    let transaction = storage.write()?;
    transaction.audit(now, None, &Event::Restored { incarnation })?;
    transaction.commit()?;
    // Whatever was removed here since does not come back.
    let mut engine = Engine::new(storage);
    let removed = engine.purge_again(now)?.files;
    engine.storage().leave_no_trace()?;
    // Closing it writes its log back.
    drop(engine);
    for home in names_in(&unpacked.join(blobs::FOLDER)).map_err(file(unpacked))? {
        for digest in &removed {
            let spilled = unpacked
                .join(blobs::FOLDER)
                .join(&home)
                .join(digest.to_string());
            match fs::remove_file(&spilled) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(file(&spilled)(error));
                }
                _ => {}
            }
        }
    }

    move_missing(&unpacked.join(FOLDER), folder)?;
    let attachments = unpacked.join(blobs::FOLDER);
    for home in names_in(&attachments).map_err(file(&attachments))? {
        let to = folder.join(blobs::FOLDER).join(&home);
        make_private_folder(&to).map_err(file(&to))?;
        move_missing(&attachments.join(&home), &to)?;
    }

    let before = folder.join(format!("{DATABASE}.before-{incarnation}"));
    let mut was_there = false;
    for ending in ["", "-wal", "-shm"] {
        let name = |database: &Path| PathBuf::from(format!("{}{ending}", database.display()));
        match fs::rename(name(&database), name(&before)) {
            Ok(()) => was_there = true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(file(&database)(error)),
        }
    }
    fs::rename(&incoming, &database).map_err(file(&incoming))?;
    #[cfg(unix)]
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(file(folder))?;
    Ok(Restored {
        incarnation,
        before: was_there.then_some(before),
        audit_kept,
    })
}

/// Moves files that are not there yet.
fn move_missing(from: &Path, to: &Path) -> Result<(), CommuneError> {
    for name in names_in(from).map_err(file(from))? {
        let target = to.join(&name);
        if !target.exists() {
            fs::rename(from.join(&name), &target).map_err(file(&target))?;
        }
    }
    Ok(())
}

fn names_in(folder: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect(),
    }
}

fn remove_database(database: &Path) -> io::Result<()> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        match fs::remove_file(format!("{}{ending}", database.display())) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
