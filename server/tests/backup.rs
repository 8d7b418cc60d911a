//! Backups: everything in them, nothing readable in them, and one that cannot be used changes nothing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod common;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use common::{MEMBERS, NOW, Place, open, publish};
use sotay_model::device_key::PublicKey;
use sotay_model::exchange::SixDigits;
use sotay_model::organisation::Member;
use sotay_model::{BlobDigest, InstallationId, Scope};
use sotay_server::audit::{Event, verify};
use sotay_server::blobs::{Appended, Blobs, Part};
use sotay_server::commune::{self, BackupFault, CommuneError, Config};
use sotay_server::engine::Engine;
use sotay_server::storage::{Installation, Joining, Storage, StorageError};
use unicode_normalization::UnicodeNormalization;

/// A place, a key, and a backup of the place.
struct Kept {
    place: Place,
    identity: PathBuf,
    recipient: String,
    backup: PathBuf,
}

impl Kept {
    fn of(place: Place) -> Self {
        let identity = place.folder.path().join("identity.txt");
        let recipient = commune::make_identity(&identity).unwrap();
        let backup = place.folder.path().join("backup.age");
        commune::back_up(
            &place.data(),
            &backup,
            std::slice::from_ref(&recipient),
            NOW,
        )
        .unwrap();
        Self {
            place,
            identity,
            recipient,
            backup,
        }
    }

    fn new() -> Self {
        Self::of(with_blob(Place::new()).0)
    }

    fn restore_to(&self, data: &Path) -> Result<commune::Restored, CommuneError> {
        commune::restore(data, &self.backup, &self.identity, NOW)
    }
}

fn with_blob(place: Place) -> (Place, Vec<u8>) {
    let bytes = "Nội dung tệp đính kèm kín đáo. ".repeat(5_000).into_bytes();
    let part = Part {
        phone: InstallationId::default(),
        home: Scope::organisation(place.cell("CB1")),
        digest: BlobDigest::of(&bytes),
        size: bytes.len() as u64,
    };
    let done = Blobs::of(&place.data()).append(&part, 0, &bytes).unwrap();
    assert_eq!(done, Appended::Received(part.size));
    // And one that is not complete: it is not part of a backup.
    let unfinished = Part {
        digest: BlobDigest::of(b"another"),
        ..part
    };
    Blobs::of(&place.data())
        .append(&unfinished, 0, b"ano")
        .unwrap();
    (place, bytes)
}

/// Every file of a folder with its bytes; what the database keeps beside itself while it is open is left out.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !["sotay.db-wal", "sotay.db-shm", "lock", "keys.lock"]
                .contains(&name.as_str())
            {
                let bytes = std::fs::read(&path).unwrap();
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), bytes);
            }
        }
    }
    found
}

fn incarnation(database: &Path) -> u64 {
    let mut storage = Storage::open(database).unwrap();
    storage.read().unwrap().incarnation().unwrap()
}

fn fault(result: Result<commune::Restored, CommuneError>) -> BackupFault {
    match result.unwrap_err() {
        CommuneError::Backup(fault) => fault,
        other => panic!("{other}"),
    }
}

#[test]
fn backup_takes_the_database_s_place_as_another_incarnation_unless_a_server_runs() {
    let kept = Kept::new();
    let data = kept.place.data();
    let again = commune::back_up(
        &data,
        &kept.backup,
        std::slice::from_ref(&kept.recipient),
        NOW,
    );
    assert!(
        matches!(
            again,
            Err(CommuneError::Engine(
                sotay_server::engine::EngineError::Storage(StorageError::Exists { .. })
            ))
        ),
        "no backup is overwritten"
    );
    let before = incarnation(&data.join(commune::DATABASE));
    let server = sotay_server::Server::start(sotay_server::ServerConfig::new(
        &data,
        ([127, 0, 0, 1], 0).into(),
    ))
    .unwrap();
    assert!(matches!(
        kept.restore_to(&data),
        Err(CommuneError::Served { .. })
    ));
    // Made while it serves, too.
    let online = kept.place.folder.path().join("online.age");
    commune::back_up(&data, &online, std::slice::from_ref(&kept.recipient), NOW).unwrap();
    server.shutdown();

    let restored = kept.restore_to(&data).unwrap();
    assert!(restored.incarnation > before);
    assert_eq!(
        incarnation(&data.join(commune::DATABASE)),
        restored.incarnation
    );
    assert_eq!(
        incarnation(&restored.before.unwrap()),
        before,
        "what was there is kept"
    );
    assert!(!data.join("restore.unfinished").exists());
    assert!(!data.join("backup.unfinished").exists());
}

#[test]
fn backup_brings_a_whole_server_back_on_a_new_machine() {
    let (place, bytes) = with_blob(Place::new());
    let kept = Kept::of(place);
    let (old, new) = (kept.place.data(), kept.place.folder.path().join("new"));
    let restored = kept.restore_to(&new).unwrap();
    assert_eq!((restored.before, restored.audit_kept), (None, false));

    let (had, has) = (files(&old), files(&new));
    let passing = |path: &&PathBuf| {
        let path = path.to_string_lossy();
        path.contains("partial") || path.ends_with(".lock")
    };
    let expected: Vec<_> = had.keys().filter(|path| !passing(path)).collect();
    assert_eq!(has.keys().collect::<Vec<_>>(), expected);
    for (path, content) in &has {
        if path != Path::new(commune::DATABASE) {
            assert_eq!(Some(content), had.get(path), "{}", path.display());
        }
    }
    let home = Scope::organisation(kept.place.cell("CB1"));
    let size = Blobs::of(&new).size(home, BlobDigest::of(&bytes)).unwrap();
    assert_eq!(size, Some(bytes.len() as u64));
    assert_eq!(commune_of(&new), commune_of(&old));
    let server = sotay_server::Server::start(sotay_server::ServerConfig::new(
        &new,
        ([127, 0, 0, 1], 0).into(),
    ));
    server.unwrap().shutdown();
    #[cfg(unix)]
    for (path, mode) in [(new.clone(), 0o700), (new.join("root.key"), 0o600)] {
        use std::os::unix::fs::PermissionsExt;
        let found = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode, "{}", path.display());
    }
}

fn commune_of(data: &Path) -> sotay_server::Commune {
    sotay_server::Commune::open(data).unwrap()
}

/// Words as they may lie in a file.
fn forms(word: &str) -> Vec<Vec<u8>> {
    let utf16 = |big: bool| {
        word.encode_utf16()
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    };
    vec![
        word.nfc().collect::<String>().into_bytes(),
        word.nfd().collect::<String>().into_bytes(),
        utf16(true),
        utf16(false),
    ]
}

fn holds(bytes: &[u8], word: &str) -> bool {
    forms(word)
        .iter()
        .any(|form| bytes.windows(form.len()).any(|part| part == form))
}

#[test]
fn backup_nothing_of_what_is_in_it_can_be_found_in_the_file() {
    let place = with_blob(Place::new()).0;
    let mut engine = place.engine();
    let mut secretary = place.phone(&mut engine, "M01");
    let mut canaries: Vec<String> = (0..40).map(|n| format!("Chim hoàng yến {n} số")).collect();
    for title in &canaries {
        let sent = secretary.next(publish(place.cell("CB1"), title));
        secretary.sync(&mut engine, vec![sent]);
    }
    let name = MEMBERS.lines().nth(1).unwrap().split(',').nth(1).unwrap();
    canaries.push(name.to_owned());
    canaries.push("Nội dung tệp đính kèm kín đáo".to_owned());
    for key in ["root.key", "spare-root.key", "server.key", "server.pem"] {
        let text = std::fs::read_to_string(place.data().join(key)).unwrap();
        canaries.push(text.lines().nth(1).unwrap().to_owned());
    }
    for word in [
        "SQLite format 3",
        "sotay.db",
        "root.key",
        "blobs/",
        "PRIVATE KEY",
    ] {
        canaries.push(word.to_owned());
    }
    let kept = Kept::of(place);
    let backup = std::fs::read(&kept.backup).unwrap();
    for canary in &canaries {
        assert!(!holds(&backup, canary), "{canary}");
    }
    // The same search finds them all in what was encrypted.
    let mut plain = Vec::new();
    open_with(&kept.backup, &kept.identity)
        .read_to_end(&mut plain)
        .unwrap();
    for canary in &canaries {
        assert!(holds(&plain, canary), "{canary}");
    }
    let folder = kept.place.data();
    assert!(!folder.join("backup.unfinished").exists());
}

/// As any tool that knows age would.
fn open_with(backup: &Path, identity: &Path) -> impl Read + use<> {
    let text = std::fs::read_to_string(identity).unwrap();
    let secret = text.lines().find(|line| line.starts_with("AGE-")).unwrap();
    let identity = age::x25519::Identity::from_str(secret).unwrap();
    let file = std::fs::File::open(backup).unwrap();
    age::Decryptor::new(file)
        .unwrap()
        .decrypt(std::iter::once(&identity as &dyn age::Identity))
        .unwrap()
}

#[test]
fn backup_is_an_archive_that_the_usual_tools_read() {
    let kept = Kept::new();
    let mut archive = tar::Archive::new(open_with(&kept.backup, &kept.identity));
    let names: Vec<String> = archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect();
    assert_eq!(names[0], "sotay.db");
    for name in [
        "hosts",
        "root.pem",
        "root.key",
        "spare-root.pem",
        "server.key",
    ] {
        assert!(names.contains(&format!("folder/{name}")), "{name}");
    }
    assert_eq!(
        names
            .iter()
            .filter(|name| name.starts_with("blobs/"))
            .count(),
        1
    );
}

#[test]
fn backup_that_was_cut_or_changed_or_is_another_s_replaces_nothing() {
    let kept = Kept::new();
    let data = kept.place.data();
    let whole = std::fs::read(&kept.backup).unwrap();
    let before = files(&data);
    let spoilt = kept.place.folder.path().join("spoilt.age");
    let restore = |bytes: &[u8]| {
        std::fs::write(&spoilt, bytes).unwrap();
        let found = fault(commune::restore(&data, &spoilt, &kept.identity, NOW));
        assert!(files(&data) == before, "{found}");
        found
    };
    let usual = |found: &BackupFault| {
        matches!(
            found,
            BackupFault::Damaged | BackupFault::NotABackup | BackupFault::WrongIdentity
        )
    };
    for length in [0, 1, 20, 60, 120, 180, 300] {
        let found = restore(&whole[..length.min(whole.len())]);
        assert!(usual(&found), "{length}: {found}");
    }
    for share in 1..12 {
        let length = whole.len() * share / 12;
        assert_eq!(restore(&whole[..length]), BackupFault::Damaged, "{length}");
    }
    assert_eq!(restore(&whole[..whole.len() - 1]), BackupFault::Damaged);
    assert_eq!(restore(&[&whole[..], b"x"].concat()), BackupFault::Damaged);
    for at in (0..200)
        .step_by(9)
        .chain((200..whole.len()).step_by(whole.len() / 12))
    {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        let found = restore(&bytes);
        assert!(usual(&found), "{at}: {found}");
    }
    assert_eq!(restore(b"SQLite format 3\0"), BackupFault::NotABackup);
    // A copy of the database alone, as earlier versions made.
    let plain = kept.place.folder.path().join("plain.db");
    Storage::open(&data.join(commune::DATABASE))
        .unwrap()
        .back_up(&plain)
        .unwrap();
    let before = files(&data);
    let found = fault(commune::restore(&data, &plain, &kept.identity, NOW));
    assert_eq!(found, BackupFault::NotABackup);

    let other = kept.place.folder.path().join("other.txt");
    commune::make_identity(&other).unwrap();
    let found = fault(commune::restore(&data, &kept.backup, &other, NOW));
    assert_eq!(found, BackupFault::WrongIdentity);
    let found = fault(commune::restore(
        &data,
        &kept.backup,
        &kept.backup_text(),
        NOW,
    ));
    assert_eq!(found, BackupFault::Identity);
    assert!(commune::restore(&data, &data.join("nowhere"), &kept.identity, NOW).is_err());
    assert!(files(&data) == before);
    kept.restore_to(&data).unwrap();
}

impl Kept {
    /// A file that is no identity.
    fn backup_text(&self) -> PathBuf {
        let path = self.place.folder.path().join("no-identity.txt");
        std::fs::write(&path, format!("# {}\n", self.recipient)).unwrap();
        path
    }
}

/// An archive that somebody else made, encrypted for the right recipient.
fn archive(kept: &Kept, entries: &[(&str, &[u8])]) -> PathBuf {
    let recipient = age::x25519::Recipient::from_str(&kept.recipient).unwrap();
    let path = kept.place.folder.path().join("archive.age");
    let output =
        age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
            .unwrap()
            .wrap_output(std::fs::File::create(&path).unwrap())
            .unwrap();
    let mut archive = tar::Builder::new(output);
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        // As it stands, however improper.
        let field = &mut header.as_old_mut().name;
        field[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        archive.append(&header, *bytes).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap();
    path
}

#[test]
fn backup_with_names_that_are_none_of_ours_is_refused_and_writes_nowhere_else() {
    let kept = Kept::new();
    let data = kept.place.data();
    let before = files(kept.place.folder.path());
    for name in [
        "../outside",
        "/tmp/outside",
        "folder/../../outside.key",
        "folder/lock",
        "folder/sotay.db",
        "folder/deeper/root.key",
        "sotay.db-wal",
        "blobs/org-x/aa",
        "other",
    ] {
        let path = archive(&kept, &[(name, b"x")]);
        let found = fault(commune::restore(&data, &path, &kept.identity, NOW));
        assert!(
            matches!(found, BackupFault::Foreign { .. }),
            "{name}: {found}"
        );
        std::fs::remove_file(path).unwrap();
        assert!(files(kept.place.folder.path()) == before, "{name}");
    }
    let path = archive(&kept, &[("folder/hosts", b"x")]);
    let found = fault(commune::restore(&data, &path, &kept.identity, NOW));
    assert_eq!(found, BackupFault::NotABackup, "without a database");
    let path = archive(&kept, &[("sotay.db", b"no database")]);
    assert!(commune::restore(&data, &path, &kept.identity, NOW).is_err());
    std::fs::remove_file(path).unwrap();
    assert!(files(kept.place.folder.path()) == before);
}

#[test]
fn backup_goes_to_recipients_and_to_nobody_else() {
    let kept = Kept::new();
    let to = kept.place.folder.path().join("more.age");
    for wrong in ["", "age1", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1"] {
        let made = commune::back_up(&kept.place.data(), &to, &[wrong.to_owned()], NOW);
        assert!(
            matches!(
                made,
                Err(CommuneError::Backup(BackupFault::Recipient { .. }))
            ),
            "{wrong}"
        );
    }
    assert!(commune::back_up(&kept.place.data(), &to, &[], NOW).is_err());
    assert!(!to.exists());
    let second = kept.place.folder.path().join("second.txt");
    let both = [
        kept.recipient.clone(),
        commune::make_identity(&second).unwrap(),
    ];
    commune::back_up(&kept.place.data(), &to, &both, NOW).unwrap();
    for identity in [&kept.identity, &second] {
        let new = kept.place.folder.path().join("new");
        commune::restore(&new, &to, identity, NOW).unwrap();
        std::fs::remove_dir_all(new).unwrap();
    }
    assert!(
        commune::make_identity(&second).is_err(),
        "no key is overwritten"
    );
}

/// A phone of a member that waits for an officer.
fn waits(place: &Place, engine: &mut Engine, member: &str) -> InstallationId {
    let phone = Installation::joining(
        InstallationId(common::fresh_id()),
        place.commune.members[member],
        PublicKey::ed25519(&[0; 32]),
        "Máy đang chờ".into(),
        NOW,
    );
    let joining = Joining {
        installation: phone.id,
        digits: SixDigits::from_number(123_456).unwrap(),
        tries_left: 5,
        until: NOW.plus_minutes(60),
    };
    let transaction = engine.storage().write().unwrap();
    transaction.add_installation(&phone).unwrap();
    transaction.await_officer(&joining).unwrap();
    transaction.commit().unwrap();
    phone.id
}

#[test]
fn backup_that_is_old_undoes_no_revocation_and_continues_the_audit_log() {
    let place = Place::new();
    let mut engine = place.engine();
    let (mut secretary, lost) = (
        place.phone(&mut engine, "M01"),
        place.phone(&mut engine, "M02"),
    );
    let waiting = waits(&place, &mut engine, "M06");
    commune::invite(&place.data(), "M05", None, 14, NOW).unwrap();
    let sent = secretary.next(publish(place.cell("CB1"), "Trước"));
    secretary.sync(&mut engine, vec![sent]);
    drop(engine);
    let kept = Kept::of(place);
    let data = kept.place.data();

    let mut engine = kept.place.engine();
    engine.revoke(lost.id, NOW).unwrap();
    // What joined since: revoked again, in use, waiting; and one confirmed and then revoked.
    let lost_since = kept.place.phone(&mut engine, "M02");
    engine.revoke(lost_since.id, NOW).unwrap();
    let mut joined_since = kept.place.phone(&mut engine, "M04");
    let sent = joined_since.next(publish(kept.place.cell("CB1"), "Không được phép"));
    joined_since.sync(&mut engine, vec![sent]);
    let waits_since = waits(&kept.place, &mut engine, "M03");
    let transaction = engine.storage().write().unwrap();
    transaction.activate(waiting, NOW).unwrap();
    transaction.commit().unwrap();
    engine.revoke(waiting, NOW).unwrap();
    commune::invite(&data, "M03", None, 14, NOW).unwrap();
    assert_eq!(commune::revoke_invitations(&data, "M05", NOW).unwrap(), 1);
    // And a member.
    let more = format!("{MEMBERS}M77,Đồng chí Mẫu 77,CB1,Chính thức,,,,,\n");
    let more = commune::read_csv(more.as_bytes()).unwrap();
    commune::import(&data, &more, NOW).unwrap();
    let new_member = commune_of(&data).members["M77"];
    let sent = secretary.next(publish(kept.place.cell("CB1"), "Sau"));
    secretary.sync(&mut engine, vec![sent]);
    let cell = Scope::organisation(kept.place.cell("CB1"));
    let transaction = engine.storage().write().unwrap();
    assert!(transaction.erase_event(NOW, cell, 1).unwrap());
    transaction.commit().unwrap();
    drop(engine);

    let restored = kept.restore_to(&data).unwrap();
    assert!(restored.audit_kept && restored.revocations_kept);
    let mut engine = open(&data);
    for id in [lost.id, lost_since.id, waiting] {
        let phone = engine.installation(id).unwrap().unwrap();
        // Only a phone that was a member's is told that it is revoked.
        assert!(phone.active_since.is_some() && phone.revoked_at.is_some());
    }
    let phone = engine.installation(joined_since.id).unwrap().unwrap();
    assert!(phone.is_accepted());
    assert_eq!(phone.high_water, 0, "nothing that it sent is here");
    let named = commune::revoke(&data, "M04", Some(joined_since.id), NOW);
    assert_eq!(named.unwrap(), 1, "it can be named");
    let still: Vec<_> = commune::waiting(&data, NOW).unwrap();
    assert_eq!((still.len(), still[0].member.as_str()), (1, "M03"));
    let confirmed = commune::confirm(&data, "M03", &still[0].digits.text(), NOW).unwrap();
    assert_eq!(confirmed, commune::Confirmation::Confirmed);
    assert!(
        engine
            .installation(waits_since)
            .unwrap()
            .unwrap()
            .is_accepted()
    );
    let invited = commune::open_invitations(&data, NOW).unwrap();
    assert_eq!((invited.len(), invited[0].member.as_str()), (1, "M03"));
    // The same list again enters the same person.
    commune::import(&data, &more, NOW).unwrap();
    assert_eq!(commune_of(&data).members["M77"], new_member);
    let transaction = engine.storage().read().unwrap();
    assert!(
        transaction
            .record(Member::key(new_member))
            .unwrap()
            .is_some()
    );
    drop(transaction);
    assert!(engine.installation(secretary.id).unwrap().is_some());
    let transaction = engine.storage().read().unwrap();
    let whole = verify(&transaction, &[], None).unwrap().unwrap();
    assert_eq!(whole.erased, 1, "what was erased stays erased");
    let mut events = Vec::new();
    transaction
        .audit_entries(None, |entry| {
            events.extend(entry.event());
            true
        })
        .unwrap();
    let published =
        |event: &&Event| matches!(event, Event::Mutation { kind, .. } if kind == "PublishNotice");
    assert_eq!(events.iter().filter(published).count(), 2);
    assert!(events.contains(&Event::BackedUp));
    assert!(events.contains(&Event::Restored {
        incarnation: restored.incarnation
    }));
}

#[test]
fn backup_of_another_commune_is_refused_and_changes_nothing() {
    let kept = Kept::new();
    let config = Config::parse(common::CONFIG).unwrap();
    let list = commune::read_csv(MEMBERS.as_bytes()).unwrap();
    let other = kept.place.folder.path().join("other");
    commune::init(&config, &list, &other, NOW).unwrap();
    let before = files(&other);
    let refused = |data: &Path| {
        let found = fault(kept.restore_to(data));
        assert!(
            matches!(found, BackupFault::AnotherCommune { .. }),
            "{found}"
        );
    };
    refused(&other);
    assert!(files(&other) == before);
    // Also where its keys are gone, as in a folder of an older version: the database says it.
    for name in before.keys() {
        if name.to_string_lossy().contains("organisation") {
            std::fs::remove_file(other.join(name)).unwrap();
        }
    }
    refused(&other);
    let folder = files(&other);
    assert_eq!(folder.len(), before.len() - 4);
    assert!(
        folder
            .iter()
            .all(|(name, bytes)| before.get(name) == Some(bytes))
    );
}

#[test]
fn backup_brings_back_a_lost_key_and_no_half_of_a_pair_that_is_another_one_now() {
    let kept = Kept::new();
    let data = kept.place.data();
    let before = files(&data);
    std::fs::remove_file(data.join("organisation.key")).unwrap();
    // The backup has the root and the certificate before these.
    let rotated = Place::new();
    for name in ["root.pem", "root.key", "server.pem"] {
        std::fs::copy(rotated.data().join(name), data.join(name)).unwrap();
    }
    std::fs::remove_file(data.join("root.key")).unwrap();
    std::fs::remove_file(data.join("server.key")).unwrap();
    kept.restore_to(&data).unwrap();
    let after = files(&data);
    let name = Path::new("organisation.key");
    assert_eq!(after[name], before[name]);
    for name in ["root.key", "server.key"] {
        assert!(!after.contains_key(Path::new(name)), "{name}");
    }
}

/// Overwrites the first page of a table, as a dying disk would.
fn damage(database: &Path, table: &str) {
    use std::io::{Seek, SeekFrom, Write};
    let connection = rusqlite::Connection::open(database).unwrap();
    let page: i64 = connection
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?1",
            [table],
            |row| row.get(0),
        )
        .unwrap();
    let size: i64 = connection
        .pragma_query_value(None, "page_size", |row| row.get(0))
        .unwrap();
    drop(connection);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .open(database)
        .unwrap();
    let at = u64::try_from((page - 1) * size).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&vec![0xa5; usize::try_from(size).unwrap()])
        .unwrap();
}

#[test]
fn backup_over_a_damaged_database_keeps_revocations_or_stops() {
    let place = Place::new();
    let mut engine = place.engine();
    let lost = place.phone(&mut engine, "M02");
    drop(engine);
    let kept = Kept::of(place);
    let data = kept.place.data();
    let database = data.join(commune::DATABASE);
    kept.place.engine().revoke(lost.id, NOW).unwrap();
    let revoked = || {
        let phone = open(&data).installation(lost.id).unwrap().unwrap();
        phone.revoked_at.is_some()
    };

    // The log cannot be read; who was revoked can.
    damage(&database, "audit");
    let restored = kept.restore_to(&data).unwrap();
    assert!(restored.revocations_kept && !restored.audit_kept);
    assert!(revoked());

    damage(&database, "installation");
    let before = files(&data);
    let stopped = kept.restore_to(&data).unwrap_err();
    assert!(
        matches!(&stopped, CommuneError::RevocationsUnreadable { path, .. } if *path == database),
        "{stopped}"
    );
    assert!(files(&data) == before);
    let run = |more: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_sotay-server"))
            .arg("restore")
            .args(["--data".as_ref(), data.as_os_str()])
            .args(["--from".as_ref(), kept.backup.as_os_str()])
            .args(["--identity".as_ref(), kept.identity.as_os_str()])
            .args(more)
            .output()
            .unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    assert_eq!(run(&[]), (false, String::new()));
    let (done, said) = run(&["--lose-revocations"]);
    assert!(
        done && said.contains("not continued: phones revoked"),
        "{said}"
    );
    assert!(said.contains("not continued: the audit log"), "{said}");
    assert!(!revoked(), "as it said");
    let (done, said) = run(&[]);
    assert!(done && !said.contains("not continued"), "{said}");
}
