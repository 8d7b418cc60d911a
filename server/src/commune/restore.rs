//! Putting a backup in place.
//!
//! A restore unpacks and checks everything beside what is there and replaces the database last, in one step: whatever ends it before
//! that, the database that was there is in use, and the same restore again begins anew. What happened since the backup and must not be
//! undone is taken over from that database: phones that joined or were revoked, invitations that were used or burnt, and the
//! list of what was removed because it should never have been entered, which is then removed once more. Where these cannot be read,
//! nothing is restored, unless whoever runs the server gives them up. The audit log with its erasures is taken over apart
//! from them, where the backup's is the beginning of it.
//!
//! Keys, certificates and attachments that are there stay; only what is missing comes from the backup. A folder whose keys or whose
//! database are another commune's is refused.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use age::x25519::Identity;
use age::{DecryptError, Decryptor};
use sotay_model::{BlobDigest, Timestamp};

use super::backup::{
    ASIDE, BackupFault, FOLDER, UNPACKED, clear_leftovers, file, is_own_file, lock_file,
};
use super::signing::{self, public_halves};
use super::spills::databases_set_aside;
use super::{CommuneError, DATABASE, certificates, hold, make_private_folder};
use crate::audit::Event;
use crate::engine::Engine;
use crate::storage::{Storage, StorageError};
use crate::{blobs, durable};

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The incarnation that begins: phones see by it that they must send again what the copy lacks.
    pub incarnation: u64,
    /// Where the database lies that was there, if there was one.
    pub before: Option<PathBuf>,
    /// Whether phones that were revoked, invitations that were used, and removals since the backup are known.
    pub revocations_kept: bool,
    /// Whether the audit log since the backup was taken over.
    pub audit_kept: bool,
}

/// Puts a backup in place; the database that was there is kept under another name.
pub fn restore(
    folder: &Path,
    from: &Path,
    identity: &Path,
    now: Timestamp,
) -> Result<Restored, CommuneError> {
    restore_or_lose(folder, from, identity, false, now)
}

/// The same where the database that was there cannot be read any more: whoever was revoked since the backup is accepted again, until
/// revoked again.
pub fn restore_losing_revocations(
    folder: &Path,
    from: &Path,
    identity: &Path,
    now: Timestamp,
) -> Result<Restored, CommuneError> {
    restore_or_lose(folder, from, identity, true, now)
}

fn restore_or_lose(
    folder: &Path,
    from: &Path,
    identity: &Path,
    lose: bool,
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
    clear_leftovers(folder)?;
    let unpacked = folder.join(UNPACKED);
    make_private_folder(&unpacked).map_err(file(&unpacked))?;
    let restored = unpack(from, &identities, &unpacked)
        .and_then(|()| put_in_place(folder, &unpacked, lose, now));
    clear_leftovers(folder)?;
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

fn put_in_place(
    folder: &Path,
    unpacked: &Path,
    lose: bool,
    now: Timestamp,
) -> Result<Restored, CommuneError> {
    let _held = hold(folder)?;
    let keys = unpacked.join(FOLDER);
    // What earlier versions put into a backup half-way is completed before any of it is compared.
    for folder in [folder, &keys] {
        certificates::finish(folder)?;
        signing::finish(folder)?;
    }
    refuse_another(folder, &keys)?;
    let (database, incoming) = (folder.join(DATABASE), unpacked.join(DATABASE));
    let mut storage = Storage::open(&incoming)?;
    storage.check()?;
    // Earlier versions renamed the database away before they put the other in its place, and a kill left none.
    let aside = databases_set_aside(folder).map_err(file(folder))?;
    let newest = aside.last().map(|(_, path)| path.clone());
    let standing = if database.exists() {
        Some(database.clone())
    } else {
        newest
    };
    let mut above = aside.last().map_or(0, |(number, _)| *number);
    let (mut revocations_kept, mut audit_kept) = (false, false);
    if let Some(standing) = &standing {
        match take_over(&storage, standing) {
            Ok(None) => {
                let path = folder.to_owned();
                return Err(BackupFault::AnotherCommune { path }.into());
            }
            Ok(Some(incarnation)) => {
                above = above.max(incarnation);
                revocations_kept = true;
                audit_kept = storage.take_over_audit(standing).unwrap_or_else(|error| {
                    tracing::warn!(%error, "the audit log is not taken over");
                    false
                });
            }
            Err(error) if lose => tracing::warn!(%error, "revocations are not taken over"),
            Err(source) => {
                let path = standing.clone();
                return Err(CommuneError::RevocationsUnreadable { path, source });
            }
        }
    }
    let incarnation = storage.begin_incarnation(above, now)?;
    let transaction = storage.write()?;
    transaction.audit(now, None, &Event::Restored { incarnation })?;
    transaction.commit()?;
    // Whatever was removed here since does not come back.
    let mut engine = Engine::new(storage);
    let removed = engine.purge_again(now)?.files;
    engine.storage().leave_no_trace()?;
    // Closing it writes its log back.
    drop(engine);

    move_keys(&keys, folder)?;
    move_attachments(&unpacked.join(blobs::FOLDER), folder, &removed)?;
    let before = match standing {
        Some(standing) if standing == database => {
            let before = folder.join(format!("{DATABASE}.before-{incarnation}"));
            set_aside(folder, &database, &before).map_err(file(&database))?;
            Some(before)
        }
        standing => standing,
    };
    durable::rename(&incoming, &database).map_err(file(&incoming))?;
    Ok(Restored {
        incarnation,
        before,
        revocations_kept,
        audit_kept,
    })
}

/// Refuses a folder of another commune. Keys that took another's place since are known by those that were in use before.
fn refuse_another(folder: &Path, unpacked: &Path) -> Result<(), CommuneError> {
    let (own, others) = (public_halves(folder)?, public_halves(unpacked)?);
    // Folders and backups of older versions have none.
    if own.is_empty() || others.is_empty() || own.iter().any(|key| others.contains(key)) {
        return Ok(());
    }
    let path = folder.to_owned();
    Err(BackupFault::AnotherCommune { path }.into())
}

/// Takes over what must not be undone, and returns the incarnation of the database it comes from; none if that is another commune's.
fn take_over(storage: &Storage, standing: &Path) -> Result<Option<u64>, StorageError> {
    let mut before = Storage::open(standing)?;
    let incarnation = before.read()?.incarnation()?;
    before.fold_log()?;
    drop(before);
    if !storage.is_copy_of_same(standing)? {
        return Ok(None);
    }
    storage.take_over_revocations(standing)?;
    Ok(Some(incarnation))
}

/// Moves the keys and certificates that the folder lacks. Of what belongs together, by its name, nothing comes from the backup
/// where the folder has something else.
fn move_keys(from: &Path, folder: &Path) -> Result<(), CommuneError> {
    let stem = |name: &OsString| Path::new(name).file_stem().map(OsString::from);
    let names = names_in(from).map_err(file(from))?;
    let mut differing = Vec::new();
    for name in &names {
        match fs::read(folder.join(name)) {
            Ok(own) if own != fs::read(from.join(name)).map_err(file(from))? => {
                differing.push(stem(name));
            }
            _ => {}
        }
    }
    for name in names {
        if !differing.contains(&stem(&name)) {
            move_missing(from, folder, &name)?;
        }
    }
    durable::sync_folder(&folder.join(FOLDER)).map_err(file(folder))
}

/// Moves the attachments that the folder lacks, without those that were removed.
fn move_attachments(
    from: &Path,
    folder: &Path,
    removed: &std::collections::BTreeSet<BlobDigest>,
) -> Result<(), CommuneError> {
    for home in names_in(from).map_err(file(from))? {
        let (from, to) = (from.join(&home), folder.join(blobs::FOLDER).join(&home));
        make_private_folder(&to).map_err(file(&to))?;
        for name in names_in(&from).map_err(file(&from))? {
            let digest = name.to_str().and_then(|name| name.parse().ok());
            if !digest.is_some_and(|digest| removed.contains(&digest)) {
                move_missing(&from, &to, &name)?;
            }
        }
        durable::sync_folder(&to.join(FOLDER)).map_err(file(&to))?;
    }
    Ok(())
}

/// Moves a file that is not there yet. The caller syncs the folder.
fn move_missing(from: &Path, to: &Path, name: &OsString) -> Result<(), CommuneError> {
    let target = to.join(name);
    if target.exists() {
        return Ok(());
    }
    durable::shift(&from.join(name), &target).map_err(file(&target))
}

/// Keeps a copy of the database that is about to be replaced. A second name for the same file would not do: whatever opened it by that name
/// while it is still in use would spoil it.
fn set_aside(folder: &Path, database: &Path, before: &Path) -> io::Result<()> {
    let beside = |name: &Path, ending: &str| PathBuf::from(format!("{}{ending}", name.display()));
    // A log that could not be written back, because the database is damaged, belongs to it.
    for ending in ["-wal", ""] {
        let from = beside(database, ending);
        if from.exists() {
            durable::copy(&from, &folder.join(ASIDE), &beside(before, ending))?;
        }
    }
    // The database that comes must not find it.
    durable::remove(&beside(database, "-wal"))?;
    durable::remove(&beside(database, "-shm"))
}

fn names_in(folder: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commune::{Config, back_up, init, make_identity, read_csv};
    use crate::durable::cut;
    use crate::storage::Installation;
    use sotay_model::device_key::PublicKey;
    use sotay_model::{Id, InstallationId, MemberId, Scope};

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let to = to.join(path.file_name().unwrap());
            if path.is_dir() {
                copy(&path, &to);
            } else {
                fs::copy(&path, to).unwrap();
            }
        }
    }

    /// A folder with two phones, a backup of it, and one of the phones revoked since; and the phone.
    fn made(at: &Path) -> InstallationId {
        let config = Config::parse(include_str!("../../commune.example.toml")).unwrap();
        let list = read_csv(include_bytes!("../../members.example.csv")).unwrap();
        let data = at.join("data");
        let commune = init(&config, &list, &data, NOW).unwrap();
        let database = data.join(DATABASE);
        let mut engine = Engine::new(Storage::open(&database).unwrap());
        let [kept, lost] = [1, 2].map(|n| InstallationId(Id::from_bytes([n; 16])));
        let transaction = engine.storage().write().unwrap();
        for id in [kept, lost] {
            let member: MemberId = commune.members["M01"];
            let key = PublicKey::ed25519(&[0; 32]);
            let phone = Installation::joining(id, member, key, "phone".into(), NOW);
            transaction.add_installation(&phone.confirmed()).unwrap();
        }
        transaction.commit().unwrap();
        let file = Scope::organisation(commune.organisations["CB1"])
            .to_string()
            .replacen(':', "-", 1);
        let file = data
            .join(blobs::FOLDER)
            .join(file)
            .join(BlobDigest::of(b"x").to_string());
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, b"x").unwrap();
        let recipient = make_identity(&at.join("identity")).unwrap();
        back_up(&data, &at.join("backup"), &[recipient], NOW).unwrap();
        // What the folder lacks by then.
        fs::remove_dir_all(data.join(blobs::FOLDER)).unwrap();
        fs::remove_file(data.join("spare-root.key")).unwrap();
        engine.revoke(lost, NOW).unwrap();
        lost
    }

    fn is_revoked(data: &Path, phone: InstallationId) -> bool {
        let mut engine = Engine::new(Storage::open(&data.join(DATABASE)).unwrap());
        let found = engine.installation(phone).unwrap();
        found.unwrap().revoked_at.is_some()
    }

    fn incarnation(database: &Path) -> u64 {
        Storage::open(database)
            .unwrap()
            .read()
            .unwrap()
            .incarnation()
            .unwrap()
    }

    #[test]
    fn backup_a_restore_killed_anywhere_loses_no_revocation_and_is_done_again() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let lost = made(at);
        let (backup, identity) = (at.join("backup"), at.join("identity"));
        let original = incarnation(&at.join("data").join(DATABASE));
        let (mut before, mut after) = (0, 0);
        for steps in 0.. {
            let data = at.join(format!("data-{steps}"));
            copy(&at.join("data"), &data);
            let (done, was_cut) = cut::after(steps, || restore(&data, &backup, &identity, NOW));
            assert!(was_cut || done.is_ok(), "{done:?}");
            assert!(is_revoked(&data, lost), "after {steps} steps");
            let now = incarnation(&data.join(DATABASE));
            if now == original {
                before += 1;
            } else {
                after += 1;
            }
            let again = restore(&data, &backup, &identity, NOW).unwrap();
            assert!(again.revocations_kept && again.audit_kept && again.incarnation > now);
            assert!(is_revoked(&data, lost), "again, after {steps} steps");
            assert_eq!(
                incarnation(&again.before.unwrap()),
                now,
                "what was there is kept"
            );
            let aside = databases_set_aside(&data).unwrap();
            assert!(aside.iter().any(|(_, path)| incarnation(path) == original));
            let found = names_in(&data).unwrap();
            let left = |name: &OsString| name.to_string_lossy().ends_with("unfinished");
            assert!(!found.iter().any(left), "{found:?}");
            assert!(data.join("spare-root.key").exists());
            assert_eq!(names_in(&data.join(blobs::FOLDER)).unwrap().len(), 1);
            fs::remove_dir_all(&data).unwrap();
            if !was_cut {
                break;
            }
        }
        assert!(before > 12 && after > 2, "{before}, {after}");
    }

    #[test]
    fn backup_goes_on_from_a_database_that_an_earlier_version_had_put_aside_when_it_was_killed() {
        let folder = tempfile::tempdir().unwrap();
        let lost = made(folder.path());
        let data = folder.path().join("data");
        let number = incarnation(&data.join(DATABASE)) + 7;
        let aside = data.join(format!("{DATABASE}.before-{number}"));
        fs::rename(data.join(DATABASE), &aside).unwrap();
        let (backup, identity) = (folder.path().join("backup"), folder.path().join("identity"));
        let restored = restore(&data, &backup, &identity, NOW).unwrap();
        assert!(restored.revocations_kept && restored.audit_kept);
        assert_eq!(restored.before, Some(aside));
        assert!(restored.incarnation > number);
        assert!(is_revoked(&data, lost));
    }
}
