//! Disks that are full: first under a phone, then under the server.
//!
//! In each round a small file system is filled until a little is left, another little each time, so that the end comes now in the
//! journal, now in the log, now in the database. Commands and syncs go on until it does. Then everything entered before must be
//! readable, and once there is room again all goes on.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use sotay_client::{Handbook, HandbookError, ServerFault};
use sotay_model::profile::ProfileField;

use crate::examiner::agree;
use crate::fail;
use crate::failure::Failure;
use crate::phone::Phone;
use crate::server::{ServerProcess, say};

use super::author::is_excused;
use super::check::compare;
use super::ledger::{Entry, Ledger};
use super::place::{Place, ourselves};
use super::process::Process;
use super::scene::{Scene, copy, screens};
use super::small_disk::{SmallDisk, way};
use super::trial::Found;

const FILL_HERE: &str = "fill-here";
/// Enough for the files of a phone, or of a server of a few phones, and for a log that may grow to some megabytes.
const MEGABYTES: u32 = 24;
/// How much is left in each round, in KiB.
const LEFT: [u64; 14] = [0, 4, 8, 12, 16, 24, 32, 40, 56, 72, 96, 128, 192, 320];
/// So many entries fill more than was left.
const ENTRIES: u64 = 200;

/// How it was done, or nothing where this machine does not let it.
pub(super) type Means = Option<&'static str>;

/// Fills the disks in a process that may mount.
pub(super) fn run(folder: &Path) -> Result<(Means, Found), Failure> {
    let Some((means, words)) = way(folder) else {
        return Ok((None, Found::default()));
    };
    let ours = ourselves(FILL_HERE)?;
    let mut command = match words.split_first() {
        Some((program, arguments)) => {
            let mut command = Command::new(program);
            command.args(arguments);
            command
        }
        None => fail!("no way to mount"),
    };
    command
        .arg(ours.get_program())
        .args(ours.get_args())
        .arg(folder);
    let (lines, well) = Process::start(command)?.ended()?;
    let mut found = Found::heard(lines)?;
    if !well {
        found
            .wrong
            .push("the process that filled the disk ended badly".into());
    }
    Ok((Some(means), found))
}

/// If the program was started to fill a disk, does so. Says whether it was.
pub(super) fn fill_if_asked() -> Result<bool, Failure> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [word, folder] = arguments.as_slice() else {
        return Ok(false);
    };
    if word != FILL_HERE {
        return Ok(false);
    }
    let folder = Path::new(folder);
    let (place, _) = Place::make(folder)?;
    let mut found = Found::default();
    if let Err(failure) = under_the_phone(&place, folder, &mut found) {
        found.wrong.push(failure.during("phone").0);
    }
    if let Err(failure) = under_the_server(&place, folder, &mut found) {
        found.wrong.push(failure.during("server").0);
    }
    found.tell()?;
    Ok(true)
}

/// Enters a line; `Ok(false)` where there was no room.
fn enter(handbook: &Handbook, ledger: &mut Ledger, name: &str) -> Result<bool, Failure> {
    let text = format!("{name} {} {}", ledger.entries.len(), "x".repeat(600));
    let entered = handbook.request_correction(ProfileField::Other, text.clone());
    let kept = match entered {
        Ok(()) => true,
        Err(HandbookError::StorageFull) => false,
        Err(error) => return Err(Failure::from(error).during("a command on a full disk")),
    };
    ledger.entries.push(Entry {
        kind: "correction".into(),
        slot: "-".into(),
        text,
        kept,
    });
    Ok(kept)
}

/// Every kept entry is on the profile's screen, sent or not.
fn all_there(handbook: &Handbook, ledger: &Ledger) -> Result<(), Failure> {
    let profile = handbook.profile()?;
    for entry in ledger.entries.iter().filter(|entry| entry.kept) {
        if !profile.corrections.iter().any(|c| c.text == entry.text) {
            fail!("an entry that was kept is not shown: {:.20}", entry.text);
        }
    }
    Ok(())
}

fn under_the_phone(place: &Place, folder: &Path, found: &mut Found) -> Result<(), Failure> {
    let name = "m03";
    let mut disk = SmallDisk::mount(&folder.join("small-phone"), MEGABYTES)?;
    let home = disk.folder().join(name);
    std::fs::create_dir_all(&home)?;
    copy(&place.phone_folder(name), &home)?;
    let key = place.phone_folder(name).with_extension("key");
    std::fs::copy(key, home.with_extension("key"))?;

    let mut other = SmallDisk::mount(&folder.join("small-other"), MEGABYTES)?;
    let scene = Scene::in_folder(&home);

    let _server = place.serve()?;
    let mut ledger = Ledger::default();
    let mut phone = Phone::with_key_file(disk.folder(), name)?;
    for left in LEFT {
        disk.leave(left << 10)?;
        found.add("phone: rounds");
        for _ in 0..ENTRIES {
            if !enter(phone.handbook(), &mut ledger, name)? {
                found.add("phone: commands without room");
                break;
            }
            found.add("phone: entries kept");
        }
        for left in [0, 4, 16, 40] {
            start_after_a_kill(&scene, &mut other, left << 10, &ledger, found)?;
        }
        let before = screens(phone.handbook())?;
        all_there(phone.handbook(), &ledger)?;
        match phone.handbook().sync() {
            Ok(_) => found.add("phone: syncs that found room"),
            Err(HandbookError::StorageFull) => {
                found.add("phone: syncs without room");
                if screens(phone.handbook())? != before {
                    fail!("a sync without room changed what is shown");
                }
            }
            Err(error) => return Err(Failure::from(error).during("a sync on a full disk")),
        }
        // The app ends and starts again while the disk is full.
        match phone.restart() {
            Ok(()) => {
                found.add("phone: starts that found room");
                all_there(phone.handbook(), &ledger)?;
                disk.empty()?;
            }
            Err(HandbookError::StorageFull) => {
                found.add("phone: starts without room");
                disk.empty()?;
                phone = Phone::with_key_file(disk.folder(), name)?;
            }
            Err(error) => return Err(Failure::from(error).during("a start on a full disk")),
        }
        all_there(phone.handbook(), &ledger)?;
        if !enter(phone.handbook(), &mut ledger, name)? {
            fail!("there is room, and a command says there is none");
        }
        phone.handbook().sync()?;
    }
    ended(
        place,
        vec![phone],
        BTreeMap::from([(name.to_owned(), ledger)]),
        found,
    )
}

/// What a kill leaves now is opened where only so much is left.
fn start_after_a_kill(
    scene: &Scene,
    disk: &mut SmallDisk,
    left: u64,
    ledger: &Ledger,
    found: &mut Found,
) -> Result<(), Failure> {
    let home = disk.folder().join("killed");
    disk.empty()?;
    drop(std::fs::remove_dir_all(&home));
    std::fs::create_dir_all(&home)?;
    copy(&scene.folder, &home)?;
    disk.leave(left)?;
    match scene.open(&home) {
        Ok(handbook) => {
            found.add("phone: starts after a kill that found room");
            all_there(&handbook, ledger)?;
            handbook.shutdown()?;
        }
        Err(HandbookError::StorageFull) => found.add("phone: starts after a kill without room"),
        Err(error) => {
            return Err(Failure::from(error).during("a start after a kill, on a full disk"));
        }
    }
    disk.empty()?;
    let handbook = scene.open(&home)?;
    all_there(&handbook, ledger)?;
    Ok(handbook.shutdown()?)
}

fn under_the_server(place: &Place, folder: &Path, found: &mut Found) -> Result<(), Failure> {
    let names = ["m01", "m04"];
    let mut disk = SmallDisk::mount(&folder.join("small-server"), MEGABYTES)?;
    let data = disk.folder().join("server");
    std::fs::create_dir_all(&data)?;
    for entry in std::fs::read_dir(place.data())? {
        let from = entry?.path();
        if let (true, Some(name)) = (from.is_file(), from.file_name()) {
            std::fs::copy(&from, data.join(name))?;
        }
    }
    let place = place.with_data(data);
    let mut server = place.serve()?;
    let phones = names.map(|name| place.phone(name));
    let phones = phones.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut ledgers: BTreeMap<String, Ledger> = BTreeMap::new();
    for (round, left) in LEFT.into_iter().enumerate() {
        disk.leave(left << 10)?;
        found.add("server: rounds");
        for phone in &phones {
            let ledger = ledgers.entry(phone.name.clone()).or_default();
            fill_server(phone, ledger, found)?;
        }
        // Every other time it is killed while its disk is full, and started again.
        if round % 2 == 1 {
            server = restarted(&place, server, &mut disk, found)?;
        }
        disk.empty()?;
        for phone in &phones {
            phone.handbook().sync()?;
            if !phone.handbook().outbox()?.unsent.is_empty() {
                fail!("the server has room, and {} keeps entries", phone.name);
            }
        }
    }
    for phone in &phones {
        phone.handbook().sync()?;
    }
    ended(&place, phones, ledgers, found)
}

/// Enters and syncs until the server has no room.
fn fill_server(phone: &Phone, ledger: &mut Ledger, found: &mut Found) -> Result<(), Failure> {
    for _ in 0..ENTRIES / 10 {
        for _ in 0..10 {
            enter(phone.handbook(), ledger, &phone.name)?;
            found.add("server: entries kept by phones");
        }
        let synced = phone.handbook().sync();
        all_there(phone.handbook(), ledger)?;
        match synced {
            Ok(_) => found.add("server: syncs that found room"),
            Err(error) if is_excused(&error) || is_status(&error) => {
                found.add("server: syncs without room");
                if phone.handbook().outbox()?.unsent.len() < 10 {
                    fail!("the sync failed, and the entries are gone from the outbox");
                }
                return Ok(());
            }
            Err(error) => return Err(Failure::from(error).during("a sync with a full server")),
        }
    }
    Ok(())
}

fn is_status(error: &HandbookError) -> bool {
    matches!(
        error,
        HandbookError::ServerUnexpected {
            fault: ServerFault::Status { code: 500..=599 },
            ..
        }
    )
}

fn restarted(
    place: &Place,
    server: ServerProcess,
    disk: &mut SmallDisk,
    found: &mut Found,
) -> Result<ServerProcess, Failure> {
    server.kill()?;
    if let Ok(server) = place.serve() {
        found.add("server: starts that found room");
        return Ok(server);
    }
    found.add("server: starts without room");
    disk.empty()?;
    place.serve()
}

/// At the end nothing is lost and nothing doubled.
fn ended(
    place: &Place,
    phones: Vec<Phone>,
    ledgers: BTreeMap<String, Ledger>,
    found: &mut Found,
) -> Result<(), Failure> {
    for phone in &phones {
        agree(phone, place.data())?;
    }
    let outcome = compare(place, &phones, &ledgers)?;
    found.wrong.extend(outcome.wrong);
    say(&format!("{} lost", outcome.lost))?;
    say(&format!("{} doubled", outcome.doubled))
}
