//! kill −9 of phones and of the server, over and over, in the same folders.
//!
//! Three phones of one cell enter and sync all the time, each a process of its own; so is the server. Each cycle kills one phone, or
//! the server, or both, at a moment drawn by chance: while it starts, or so many lines later and between a microsecond and some
//! milliseconds. What died is started again in the next cycle. Now and then everything rests: all is killed, the phones sync to
//! quiet, and what they were told is kept is looked for on the server.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use sotay_model::MeetingKey;

use crate::fail;
use crate::failure::Failure;
use crate::server::say;

use super::author::{Extent, Life};
use super::chance::Chance;
use super::check::{Outcome, compare, settle};
use super::ledger::{Ledger, Struck};
use super::place::{NAMES, Place};
use super::process::Process;

/// So often everything rests.
const REST: u64 = 250;
/// Longer than any start or any step takes, unless something hangs.
const LONGEST: Duration = Duration::from_secs(20);
/// A start takes about this long.
const START: Duration = Duration::from_millis(30);

/// What was killed where, and what came of it.
#[derive(Debug, Default)]
pub(super) struct Killed {
    /// Cycles.
    pub(super) cycles: u64,
    /// Cycles that killed only a phone, only the server, both.
    pub(super) phone: u64,
    /// See `phone`.
    pub(super) server: u64,
    /// See `phone`.
    pub(super) both: u64,
    /// Where phones were struck.
    pub(super) phones_struck: BTreeMap<Struck, u64>,
    /// Where the server was: while it started, while a phone synced, or neither.
    pub(super) server_struck: BTreeMap<Struck, u64>,
    /// The phones' ledgers.
    pub(super) ledgers: BTreeMap<String, Ledger>,
    /// What came of the entries, at the last rest.
    pub(super) outcome: Outcome,
    /// How long it took.
    pub(super) took: Duration,
}

impl Killed {
    /// Nothing lost, nothing doubled, no error that a kill does not excuse.
    pub(super) fn is_well(&self) -> bool {
        self.outcome.wrong.is_empty() && self.troubles().next().is_none()
    }

    /// Errors that nothing excuses.
    pub(super) fn troubles(&self) -> impl Iterator<Item = &String> {
        self.ledgers.values().flat_map(|ledger| &ledger.troubles)
    }
}

struct Storm {
    place: Place,
    meeting: MeetingKey,
    folder: std::path::PathBuf,
    seed: u64,
    chance: Chance,
    lives: u64,
    authors: BTreeMap<String, Process>,
    server: Option<Process>,
    found: Killed,
}

/// Kills so many times.
pub(super) fn run(folder: &Path, cycles: u64, seed: u64) -> Result<Killed, Failure> {
    let (place, meeting) = Place::make(folder)?;
    let began = Instant::now();
    let ledgers = NAMES.map(|name| (name.to_owned(), Ledger::default()));
    let mut storm = Storm {
        place,
        meeting,
        folder: folder.to_owned(),
        seed,
        chance: Chance::new(seed, 1),
        lives: 0,
        authors: BTreeMap::new(),
        server: None,
        found: Killed {
            ledgers: BTreeMap::from(ledgers),
            ..Killed::default()
        },
    };
    for cycle in 1..=cycles {
        storm.cycle()?;
        if storm.found.troubles().count() > 20 {
            break;
        }
        if cycle % REST == 0 || cycle == cycles {
            storm.rest()?;
            let (o, took) = (&storm.found.outcome, began.elapsed().as_secs_f64());
            say(&format!(
                "kill   {cycle:>6} cycles in {took:.0} s: {} entries kept, {} accepted, {} refused, {} lost, {} doubled",
                o.kept, o.accepted, o.refused, o.lost, o.doubled
            ))?;
            if !storm.found.is_well() {
                break;
            }
        }
    }
    let mut found = storm.found;
    found.took = began.elapsed();
    Ok(found)
}

impl Storm {
    /// Everybody lives, then one or two die.
    fn cycle(&mut self) -> Result<(), Failure> {
        let mut young = None;
        for name in NAMES {
            if !self.authors.contains_key(name) {
                self.lives += 1;
                young = Some(name);
                let life = Life {
                    folder: self.folder.clone(),
                    name: name.into(),
                    number: self.lives,
                    seed: self.seed,
                    meeting: self.meeting,
                    extent: Extent::Ever,
                };
                self.authors.insert(name.into(), life.begin()?);
            }
        }
        let server_is_young = self.server.is_none();
        if server_is_young {
            self.server = Some(self.place.start_serving()?);
        }
        self.found.cycles += 1;
        let early = self.chance.percent(25);
        match self.chance.below(100) {
            0..60 => {
                self.found.phone += 1;
                self.kill_phone(young.filter(|_| early))
            }
            60..80 => {
                self.found.server += 1;
                self.kill_server(early && server_is_young)
            }
            _ => {
                self.found.both += 1;
                self.kill_server(early && server_is_young)?;
                self.kill_phone(young.filter(|_| early))
            }
        }
    }

    /// Kills the one that was just started, while it starts, or any, in the middle of its work.
    fn kill_phone(&mut self, young: Option<&'static str>) -> Result<(), Failure> {
        let name = match young {
            Some(name) => {
                std::thread::sleep(self.chance.evenly(START));
                name
            }
            None => {
                let name = self.chance.one_of(&NAMES).copied().unwrap_or(NAMES[0]);
                if let Some(author) = self.authors.get(name) {
                    let lines = author.said() as u64 + 1 + self.chance.below(12);
                    author.wait_for(LONGEST, |said| said.len() as u64 >= lines);
                }
                std::thread::sleep(self.chance.moment(Duration::from_millis(4)));
                name
            }
        };
        if let Some(author) = self.authors.remove(name) {
            let struck = self.hear(name, &author.kill()?);
            *self.found.phones_struck.entry(struck).or_default() += 1;
        }
        Ok(())
    }

    /// Kills the server while it starts, or while somebody syncs.
    fn kill_server(&mut self, early: bool) -> Result<(), Failure> {
        let Some(server) = self.server.take() else {
            fail!("the server does not run");
        };
        let mut struck = Struck::Opening;
        if early {
            std::thread::sleep(self.chance.evenly(START));
        } else {
            if !server.wait_for(LONGEST, |said| !said.is_empty()) {
                fail!("the server did not start again");
            }
            struck = Struck::Idle;
            let name = self.chance.one_of(&NAMES).copied().unwrap_or(NAMES[0]);
            if let Some(author) = self.authors.get(name) {
                let from = author.said();
                let syncs = |said: &[String]| said[from..].iter().any(|line| line == "sync");
                if author.wait_for(LONGEST, syncs) {
                    struck = Struck::Sync;
                }
            }
            std::thread::sleep(self.chance.moment(Duration::from_millis(15)));
        }
        server.kill()?;
        *self.found.server_struck.entry(struck).or_default() += 1;
        Ok(())
    }

    fn hear(&mut self, name: &str, lines: &[String]) -> Struck {
        self.found
            .ledgers
            .entry(name.to_owned())
            .or_default()
            .hear(lines)
    }

    /// Kills all, lets the phones sync to quiet, and looks for everything.
    fn rest(&mut self) -> Result<(), Failure> {
        for (name, author) in std::mem::take(&mut self.authors) {
            let lines = author.kill()?;
            self.hear(&name, &lines);
        }
        if let Some(server) = self.server.take() {
            server.kill()?;
        }
        let _server = self.place.serve()?;
        let phones = settle(&self.place, &NAMES)?;
        self.found.outcome = compare(&self.place, &phones, &self.found.ledgers)?;
        Ok(())
    }
}
