//! A damaged copy is opened, looked at, and synced. Trials run in processes of their own, one for each processor: a handbook opens
//! under one lock in a process, and a crash of the handbook itself would be one more thing to find.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sotay_client::{Handbook, HandbookError};

use crate::fail;
use crate::failure::Failure;
use crate::server::say;

use super::chance::Chance;
use super::damage::{Damage, How, flips, tears};
use super::place::ourselves;
use super::process::Process;
use super::scene::{FILES, JOURNAL, LOG, Scene, Screens, copy, log_frames, screens, unsent};

const TRY_HERE: &str = "try-here";
/// One trial in so many ends with a sync, and one rebuilt handbook in so many.
const SYNCED: usize = 101;
const REBUILT_SYNCED: usize = 7;
/// After one damage of the journal in so many the database breaks too.
const BROKEN: usize = 5;

/// What trials found, by name, and what is wrong.
#[derive(Debug, Default, Clone)]
pub(super) struct Found {
    /// How often each outcome.
    pub(super) counts: BTreeMap<String, u64>,
    /// What should not be.
    pub(super) wrong: Vec<String>,
}

impl Found {
    /// What another process told.
    pub(super) fn heard(lines: Vec<String>) -> Result<Self, Failure> {
        let mut found = Self::default();
        for line in lines {
            match line.split_once(' ') {
                Some(("wrong", what)) => found.wrong.push(what.to_owned()),
                Some((count, name)) => {
                    *found.counts.entry(name.to_owned()).or_default() += count.parse::<u64>()?;
                }
                None => found.wrong.push(line),
            }
        }
        Ok(found)
    }

    /// Tells it to whoever started this process.
    pub(super) fn tell(&self) -> Result<(), Failure> {
        for (name, count) in &self.counts {
            say(&format!("{count} {name}"))?;
        }
        for wrong in &self.wrong {
            say(&format!("wrong {}", wrong.replace('\n', " ")))?;
        }
        Ok(())
    }

    /// One more.
    pub(super) fn add(&mut self, name: &str) {
        *self.counts.entry(name.to_owned()).or_default() += 1;
    }

    /// Takes in what another one found.
    pub(super) fn join(&mut self, other: Self) {
        for (name, count) in other.counts {
            *self.counts.entry(name).or_default() += count;
        }
        self.wrong.extend(other.wrong);
    }
}

/// Tries all damages of a kind on a scene, on all processors. `scratch` is made and filled with copies.
pub(super) fn try_all(
    scene: &Scene,
    kind: &str,
    seed: u64,
    scratch: &Path,
) -> Result<Found, Failure> {
    let shares = std::thread::available_parallelism().map_or(1, usize::from);
    let mut workers = Vec::new();
    for share in 0..shares {
        let mut command = ourselves(TRY_HERE)?;
        command
            .arg(&scene.folder)
            .arg(scratch.join(format!("copy-{share}")))
            .args([kind.to_owned(), seed.to_string()])
            .args([share.to_string(), shares.to_string()]);
        workers.push(Process::start(command)?);
    }
    let mut all = Found::default();
    all.counts.insert("undetected".into(), 0);
    for worker in workers {
        let (lines, well) = worker.ended()?;
        all.join(Found::heard(lines)?);
        if !well {
            all.wrong
                .push(format!("a process that tried {kind} ended badly"));
        }
    }
    Ok(all)
}

/// If the program was started to try damages, does so. Says whether it was.
pub(super) fn try_if_asked() -> Result<bool, Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [word, folder, scratch, kind, seed, share, shares] = arguments.as_slice() else {
        return Ok(false);
    };
    if word != TRY_HERE {
        return Ok(false);
    }
    let (seed, share, shares): (u64, usize, usize) =
        (seed.parse()?, share.parse()?, shares.parse()?);
    let scene = Scene::in_folder(Path::new(folder));
    let damages = match kind.as_str() {
        "torn" => tears(&scene, false)?,
        "torn at every byte" => tears(&scene, true)?,
        "flip" => flips(&scene, seed)?,
        _ => fail!("there is no kind {kind}"),
    };
    let mut bench = Bench::prepare(scene, scratch.into(), Chance::new(seed, share as u64))?;
    for (number, damage) in damages.iter().enumerate() {
        if number % shares == share
            && let Err(failure) = bench.run(number / shares, damage)
        {
            let wrong = failure.during(format!("{damage:?}"));
            bench.found.wrong.push(wrong.0);
        }
    }
    bench.found.tell()?;
    Ok(true)
}

struct Bench {
    scene: Scene,
    copy: PathBuf,
    chance: Chance,
    /// What the undamaged copy shows.
    whole: Screens,
    /// What it shows when the log ends with an earlier transaction.
    states: BTreeSet<String>,
    /// What everything shows after a sync.
    settled: Screens,
    found: Found,
}

impl Bench {
    fn prepare(scene: Scene, copy_to: PathBuf, chance: Chance) -> Result<Self, Failure> {
        std::fs::create_dir_all(&copy_to)?;
        let look = |end: Option<usize>| -> Result<(Screens, Screens), Failure> {
            copy(&scene.folder, &copy_to)?;
            if let Some(end) = end {
                let log = std::fs::OpenOptions::new()
                    .write(true)
                    .open(copy_to.join(LOG))?;
                log.set_len(end as u64)?;
            }
            let handbook = scene.open(&copy_to)?;
            let before = screens(&handbook)?;
            handbook.sync()?;
            let after = screens(&handbook)?;
            handbook.shutdown()?;
            Ok((before, after))
        };
        let (whole, settled) = look(None)?;
        if !settled.unsent.is_empty() {
            fail!("a sync left {} entries", settled.unsent.len());
        }
        let mut states = BTreeSet::from([whole.text.clone()]);
        let frames = log_frames(&scene.file(LOG)?);
        let commits = frames.iter().filter(|(_, commits)| *commits);
        // The first state is that of the database without its log.
        for end in std::iter::once(0).chain(commits.map(|(end, _)| *end)) {
            if frames.is_empty() {
                break;
            }
            let (before, after) = look(Some(end))?;
            if after != settled {
                fail!("the log that ends at {end} does not sync to what all show");
            }
            if !whole.unsent.is_subset(&before.unsent) {
                fail!("the log that ends at {end} lacks entries");
            }
            states.insert(before.text);
        }
        Ok(Self {
            scene,
            copy: copy_to,
            chance,
            whole,
            states,
            settled,
            found: Found::default(),
        })
    }

    fn run(&mut self, number: usize, damage: &Damage) -> Result<(), Failure> {
        copy(&self.scene.folder, &self.copy)?;
        damage.strike(&self.copy, &mut self.chance)?;
        let trial = match damage.how {
            How::Ends(_) => "cut short",
            How::Garbage(_) | How::Zeros(_) => "garbage behind",
            How::Flip { .. } => "bits flipped",
        };
        self.found.add(&format!("{} {trial}", damage.file));
        let seen = self
            .scene
            .open(&self.copy)
            .and_then(|handbook| match screens(&handbook) {
                Ok(screens) => Ok((handbook, screens)),
                Err(error) => handbook.shutdown().and(Err(error)),
            });
        match seen {
            Ok((handbook, seen)) => self.opened(number, damage, &handbook, &seen),
            Err(HandbookError::DatabaseUnreadable { unsent }) => {
                if unsent as usize != self.whole.unsent.len() {
                    fail!("unreadable, and {unsent} unsent entries are counted");
                }
                self.found.add("found");
                self.rebuilt(number)?;
                self.found.add("rebuilt");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// It opened: what it shows must be what the whole file shows, or an earlier state with every unsent entry.
    fn opened(
        &mut self,
        number: usize,
        damage: &Damage,
        handbook: &Handbook,
        seen: &Screens,
    ) -> Result<(), Failure> {
        if *seen == self.whole {
            self.found.add("harmless");
        } else if damage.file == LOG && self.states.contains(&seen.text) {
            // The log's own sums found it.
            self.found.add("earlier state");
        } else if damage.file == JOURNAL && self.whole.unsent.is_subset(&seen.unsent) {
            // What says that an entry is settled is gone: it is sent again, and the server knows its number.
            self.found.add("sent again");
            return self.sync(handbook);
        } else {
            self.found.add("undetected");
            fail!(
                "it shows something else: {}",
                differing(&self.whole.text, &seen.text)
            );
        }
        if number.is_multiple_of(SYNCED) {
            match handbook.sync() {
                Ok(_) => return self.sync(handbook),
                // No screen read the damaged page, but the sync did.
                Err(HandbookError::DatabaseUnreadable { .. }) if damage.file == FILES[0] => {
                    self.found.add("found by a sync");
                    handbook.shutdown()?;
                    return self.rebuilt(0);
                }
                Err(error) => return Err(Failure::from(error).during("syncing")),
            }
        }
        handbook.shutdown()?;
        if damage.file == JOURNAL && number.is_multiple_of(BROKEN) {
            // The opening mended the journal, so that the database may break now.
            std::fs::write(self.copy.join(FILES[0]), [0x5a; 20_000])?;
            self.found.add("database broken after it");
            self.rebuilt(number)?;
        } else if matches!(damage.how, How::Flip { .. }) && damage.file == FILES[0] {
            // No screen read the damaged page; whoever looks at all of them finds it or there is nothing to find.
            self.rebuilt(number)?;
            if self.copy.join("damaged.db").exists() {
                self.found.add("found by the full check");
            }
        }
        Ok(())
    }

    /// Every unsent entry comes back from the journal, and the rest with the next sync.
    fn rebuilt(&mut self, number: usize) -> Result<(), Failure> {
        let handbook = self.scene.rebuild(&self.copy);
        let handbook = handbook.map_err(|error| Failure::from(error).during("rebuilding"))?;
        let back = unsent(&handbook)?;
        if !self.whole.unsent.is_subset(&back) {
            self.found.add("undetected");
            fail!("rebuilt, and entries are missing");
        }
        if back != self.whole.unsent {
            // What says that an entry is settled is gone: it is sent again, and the server knows its number.
            self.found.add("sent again");
        }
        if back != self.whole.unsent || number.is_multiple_of(REBUILT_SYNCED) {
            self.sync(&handbook)?;
        }
        Ok(handbook.shutdown()?)
    }

    fn sync(&mut self, handbook: &Handbook) -> Result<(), Failure> {
        handbook.sync()?;
        let after = screens(handbook)?;
        if after != self.settled {
            self.found.add("undetected");
            fail!(
                "after a sync it shows something else: {}",
                differing(&self.settled.text, &after.text)
            );
        }
        self.found.add("synced");
        Ok(handbook.shutdown()?)
    }
}

/// Where two texts begin to differ.
fn differing(whole: &str, seen: &str) -> String {
    let same = whole
        .bytes()
        .zip(seen.bytes())
        .take_while(|(one, other)| one == other)
        .count();
    let around = |text: &str| {
        let bytes = text.as_bytes();
        let part = &bytes[same.saturating_sub(60).min(bytes.len())..(same + 60).min(bytes.len())];
        String::from_utf8_lossy(part).into_owned()
    };
    format!("{:?} instead of {:?}", around(seen), around(whole))
}
