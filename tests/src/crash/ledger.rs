//! What the authors said: what was tried, what the handbook returned from, and what the process was doing when it was killed.

use std::collections::BTreeMap;

/// An entry that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// What it is.
    pub(super) kind: String,
    /// Within a slot the last one stands: the meeting that is answered.
    pub(super) slot: String,
    /// The text.
    pub(super) text: String,
    /// The command returned.
    pub(super) kept: bool,
}

/// What a process was doing when it died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Struck {
    /// Before the handbook was open, or the server listened.
    Opening,
    /// Between the beginning of a command and its return.
    Submit,
    /// During a sync, or while a server was asked.
    Sync,
    /// While the files were closed and opened again.
    Closing,
    /// Anywhere else: between two calls, while a screen was read.
    Idle,
}

/// One phone's entries over all its lives.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    /// In the order in which they were tried.
    pub(super) entries: Vec<Entry>,
    /// Entries that were found waiting when a handbook was opened again.
    pub(super) found_again: u64,
    /// What the author's own syncs reported as accepted.
    pub(super) reported: u64,
    /// Syncs that ended well.
    pub(super) synced: u64,
    /// Syncs that did not, by their error.
    pub(super) unsynced: BTreeMap<String, u64>,
    /// Errors that nothing excuses.
    pub(super) troubles: Vec<String>,
}

impl Ledger {
    /// Takes in what one life said. What it was doing when it ended.
    pub(super) fn hear(&mut self, lines: &[String]) -> Struck {
        let mut struck = Struck::Opening;
        for line in lines {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            struck = Struck::Idle;
            match word {
                "opened" => self.found_again += rest.parse().unwrap_or(0),
                "try" => {
                    struck = Struck::Submit;
                    let mut words = rest.splitn(3, ' ').map(str::to_owned);
                    let mut word = || words.next().unwrap_or_default();
                    self.entries.push(Entry {
                        kind: word(),
                        slot: word(),
                        text: word(),
                        kept: false,
                    });
                }
                "kept" => {
                    if let Some(entry) = self.entries.last_mut() {
                        entry.kept = true;
                    }
                }
                "sync" => struck = Struck::Sync,
                "close" => struck = Struck::Closing,
                "synced" => {
                    self.synced += 1;
                    self.reported += rest.parse().unwrap_or(0);
                }
                "unsynced" => *self.unsynced.entry(rest.to_owned()).or_default() += 1,
                "trouble" => self.troubles.push(rest.to_owned()),
                _ => {}
            }
        }
        struck
    }

    /// How many the handbook returned from.
    pub(super) fn kept(&self) -> u64 {
        self.entries.iter().filter(|entry| entry.kept).count() as u64
    }

    /// The texts that may stand in each slot at the end, where one was kept: the last one kept, and those tried after it.
    pub(super) fn standing(&self, kind: &str) -> BTreeMap<&str, Vec<&str>> {
        let mut standing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.kind == kind) {
            if entry.kept {
                standing.insert(&entry.slot, vec![&entry.text]);
            } else if let Some(texts) = standing.get_mut(entry.slot.as_str()) {
                texts.push(&entry.text);
            }
        }
        standing
    }
}

#[cfg(test)]
mod tests {
    use super::{Ledger, Struck};

    fn heard(lines: &[&str]) -> (Ledger, Struck) {
        let mut ledger = Ledger::default();
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let struck = ledger.hear(&lines);
        (ledger, struck)
    }

    #[test]
    fn the_last_line_says_where_the_kill_struck() {
        assert_eq!(heard(&[]).1, Struck::Opening);
        assert_eq!(heard(&["opened 0", "try answer m a"]).1, Struck::Submit);
        assert_eq!(
            heard(&["opened 0", "try answer m a", "kept"]).1,
            Struck::Idle
        );
        assert_eq!(heard(&["opened 0", "sync"]).1, Struck::Sync);
    }

    #[test]
    fn only_what_returned_is_kept_and_the_last_kept_or_a_later_one_stands() {
        let (ledger, _) = heard(&[
            "opened 3",
            "try answer m a",
            "kept",
            "try answer m b",
            "kept",
            "try answer m c d",
        ]);
        assert_eq!((ledger.kept(), ledger.found_again), (2, 3));
        assert_eq!(ledger.standing("answer")["m"], ["b", "c d"]);
        assert!(ledger.standing("absence").is_empty());
    }
}
