//! The table at the end: what was done and found.

use std::fmt::{self, Write};

use super::full::Means;
use super::kill::Killed;
use super::ledger::Struck;
use super::trial::Found;

const CYCLES: &str = "cycles";
const KEPT: &str = "entries kept (the command returned)";

/// What was done and found.
#[derive(Debug, Default)]
pub struct Report {
    pub(super) kill: Option<Killed>,
    pub(super) torn: Option<Found>,
    pub(super) flip: Option<Found>,
    pub(super) full: Option<(Means, Found)>,
}

impl Report {
    /// Nothing was lost, doubled, or damaged without being noticed.
    pub fn is_well(&self) -> bool {
        self.wrong().is_empty()
    }

    /// How often something was done or found, by the words of the table.
    pub fn count(&self, words: &str) -> u64 {
        let full = self.full.as_ref().map(|(_, found)| found);
        let found = [self.torn.as_ref(), self.flip.as_ref(), full];
        let counts = found.into_iter().flatten();
        let counted: u64 = counts.filter_map(|found| found.counts.get(words)).sum();
        let killed = self.kill.as_ref().map_or(0, |kill| match words {
            CYCLES => kill.cycles,
            KEPT => kill.outcome.kept,
            _ => 0,
        });
        counted + killed
    }

    /// Whether this machine let a disk be filled; true where that was not asked for.
    pub fn disk_was_filled(&self) -> bool {
        self.full.as_ref().is_none_or(|(means, _)| means.is_some())
    }

    /// What exactly is wrong.
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if let Some(kill) = &self.kill {
            wrong.extend(kill.outcome.wrong.iter().cloned());
            wrong.extend(kill.troubles().cloned());
        }
        let full = self.full.as_ref().map(|(_, found)| found);
        let damaged = [self.torn.as_ref(), self.flip.as_ref(), full];
        let damaged = damaged.into_iter().flatten();
        wrong.extend(damaged.flat_map(|found| found.wrong.iter().cloned()));
        wrong
    }
}

fn line(f: &mut fmt::Formatter<'_>, what: &str, figure: impl fmt::Display) -> fmt::Result {
    writeln!(f, "  {what:<44} {figure}")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kill) = &self.kill {
            killed(f, kill)?;
        }
        if let Some(torn) = &self.torn {
            writeln!(f, "torn files")?;
            found(f, torn)?;
        }
        if let Some(flip) = &self.flip {
            writeln!(f, "flipped bits")?;
            found(f, flip)?;
        }
        match &self.full {
            Some((Some(means), full)) => {
                writeln!(f, "full disks ({means})")?;
                found(f, full)?;
            }
            Some((None, _)) => {
                writeln!(
                    f,
                    "full disks: NOT TRIED, no small file system can be mounted here"
                )?;
            }
            None => {}
        }
        for wrong in self.wrong().iter().take(40) {
            writeln!(f, "WRONG  {wrong}")?;
        }
        f.write_str(if self.is_well() {
            "nothing was lost, nothing doubled, no damage unnoticed"
        } else {
            "SOMETHING IS WRONG"
        })
    }
}

fn killed(f: &mut fmt::Formatter<'_>, kill: &Killed) -> fmt::Result {
    writeln!(f, "kill −9")?;
    let took = kill.took.as_secs_f64();
    let per = 1e3 * took / kill.cycles.max(1) as f64;
    line(
        f,
        CYCLES,
        format_args!("{} in {took:.0} s, {per:.0} ms each", kill.cycles),
    )?;
    line(
        f,
        "killed: a phone, the server, both",
        format_args!("{}, {}, {}", kill.phone, kill.server, kill.both),
    )?;
    let mut text = String::new();
    for (struck, count) in &kill.phones_struck {
        let word = match struck {
            Struck::Opening => "opening",
            Struck::Submit => "submit",
            Struck::Sync => "sync",
            Struck::Closing => "closing",
            Struck::Idle => "idle or reading",
        };
        write!(text, "{word} {count}, ")?;
    }
    line(f, "phones were struck during", text.trim_end_matches(", "))?;
    let mut text = String::new();
    for (struck, count) in &kill.server_struck {
        let word = match struck {
            Struck::Opening => "start",
            Struck::Sync => "a phone's sync",
            _ => "rest",
        };
        write!(text, "{word} {count}, ")?;
    }
    line(
        f,
        "the server was struck during",
        text.trim_end_matches(", "),
    )?;
    let sum = |of: fn(&super::ledger::Ledger) -> u64| kill.ledgers.values().map(of).sum::<u64>();
    line(f, "entries tried", sum(|l| l.entries.len() as u64))?;
    let o = &kill.outcome;
    line(f, KEPT, o.kept)?;
    line(
        f,
        "found waiting at an opening after a kill",
        sum(|l| l.found_again),
    )?;
    line(
        f,
        "syncs that ended well, that did not",
        format_args!(
            "{}, {}",
            sum(|l| l.synced),
            sum(|l| l.unsynced.values().sum())
        ),
    )?;
    line(f, "entries carried out by the server", o.accepted)?;
    line(f, "refused, and shown to their author", o.refused)?;
    line(f, "lost", o.lost)?;
    line(f, "doubled", o.doubled)
}

fn found(f: &mut fmt::Formatter<'_>, found: &Found) -> fmt::Result {
    found
        .counts
        .iter()
        .try_for_each(|(name, count)| line(f, name, count))
}
