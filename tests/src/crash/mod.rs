//! Real crashes: real processes that are killed, files that are torn and flipped, disks that are full.
//!
//! * `kill`  phones and the server are killed −9 at random moments, hundreds of times in the same folders
//! * `torn`  the write-ahead log and the journal end, or turn into garbage, at any byte of what was written last
//! * `flip`  one bit differs, anywhere in any file
//! * `full`  a small file system of its own is full, under a phone and under the server
//!
//! Everything goes through [`sotay_client::Handbook`] and a server process, as an app does. What a command returned from must
//! be found again: on the server once, or refused and shown to its author. All chance comes from one seed; what the kernel
//! schedules does not, so that a run can be repeated only roughly.

mod author;
mod chance;
mod check;
mod damage;
mod full;
mod kill;
mod ledger;
mod place;
mod process;
mod report;
mod scene;
mod small_disk;
mod trial;

use std::path::Path;
use std::sync::Arc;

use sotay_client::Handbook;

use crate::failure::Failure;
use crate::phone::FileVault;
use crate::server::say;

use author::Extent;
use place::Place;
use trial::Found;

pub use report::Report;

/// The parts, in the order in which they run.
pub const PARTS: [&str; 4] = ["kill", "torn", "flip", "full"];

/// The word after which a program of ours opens a handbook and says how that went.
pub const OPEN_HERE: &str = "open-here";

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Some of [`PARTS`].
    pub parts: Vec<&'static str>,
    /// How many times something is killed.
    pub cycles: u64,
    /// Where all chance comes from.
    pub seed: u64,
    /// Whether files are torn at every byte of the last transactions, and not only of their last pages.
    pub every_byte: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            parts: PARTS.to_vec(),
            cycles: 200,
            seed: 0,
            every_byte: false,
        }
    }
}

/// If the program was started as one of the processes that are killed, is one. Says whether it was.
pub fn crash_if_asked() -> Result<bool, Failure> {
    Ok(open_if_asked()?
        || author::write_if_asked()?
        || trial::try_if_asked()?
        || full::fill_if_asked()?)
}

/// If the program was started to open a handbook that another process may have, says how that went. Says whether it was.
fn open_if_asked() -> Result<bool, Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [word, folder] = arguments.as_slice() else {
        return Ok(false);
    };
    if word != OPEN_HERE {
        return Ok(false);
    }
    let vault = Arc::new(FileVault(Path::new(folder).with_extension("key")));
    match Handbook::open(folder.clone(), vault) {
        Ok(handbook) => {
            handbook.shutdown()?;
            say("opened")?;
        }
        Err(error) => say(&error.to_string())?,
    }
    Ok(true)
}

/// Does all of it, and says what it did and found.
pub fn run(plan: &Plan) -> Result<Report, Failure> {
    let mut report = Report::default();
    let folder = tempfile::Builder::new().prefix("sotay-crash-").tempdir()?;
    let wanted = |part: &str| plan.parts.contains(&part);
    if wanted("kill") {
        report.kill = Some(kill::run(
            &make(folder.path(), "kill")?,
            plan.cycles,
            plan.seed,
        )?);
    }
    if wanted("torn") || wanted("flip") {
        let (torn, flip) = damaged(&make(folder.path(), "damage")?, plan)?;
        (report.torn, report.flip) = (torn, flip);
    }
    if wanted("full") {
        report.full = Some(full::run(&make(folder.path(), "full")?)?);
    }
    Ok(report)
}

/// Tears and flips what a kill leaves: entries not sent yet, entries just sent, and a handbook that was closed in order.
fn damaged(folder: &Path, plan: &Plan) -> Result<(Option<Found>, Option<Found>), Failure> {
    let (place, meeting) = Place::make(folder)?;
    let server = place.serve()?;
    // In memory where there is one: what is torn here is torn by hand.
    let memory = Path::new("/dev/shm");
    let scratch = match tempfile::Builder::new()
        .prefix("sotay-crash-")
        .tempdir_in(memory)
    {
        Ok(scratch) => scratch,
        Err(_) => tempfile::tempdir()?,
    };
    let entries = 12;
    let extent = |sync| Extent::Entries { entries, sync };
    let scene = |name: &str, extent, to: &str| {
        scene::leave(&place, meeting, name, extent, &scratch.path().join(to))
    };
    let (unsent, _) = scene("m01", extent(false), "unsent")?;
    let (sent, _) = scene("m03", extent(true), "sent")?;
    let mut torn = Found::default();
    if plan.parts.contains(&"torn") {
        let kind = ["torn", "torn at every byte"][usize::from(plan.every_byte)];
        for scene in [&unsent, &sent] {
            torn.join(trial::try_all(scene, kind, plan.seed, scratch.path())?);
        }
    }
    let mut flip = Found::default();
    if plan.parts.contains(&"flip") {
        let closed = unsent.closed(&scratch.path().join("closed"))?;
        for scene in [&closed, &unsent, &sent] {
            flip.join(trial::try_all(scene, "flip", plan.seed, scratch.path())?);
        }
    }
    drop(server);
    let some = |part, found| plan.parts.contains(&part).then_some(found);
    Ok((some("torn", torn), some("flip", flip)))
}

fn make(folder: &Path, name: &str) -> Result<std::path::PathBuf, Failure> {
    let path = folder.join(name);
    std::fs::create_dir_all(&path)?;
    Ok(path)
}
