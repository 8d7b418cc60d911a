//! Reads `docs/authorisation.md`: its tables are the oracle. Nothing here knows the program's rules.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = include_str!("../../../../docs/authorisation.md");

/// The columns of a row that a case is held against; the last one is the case's own.
pub(crate) const COLUMNS: [&str; 6] = [
    "Office",
    "The organisation is",
    "Term",
    "Belongs",
    "Status",
    "Case",
];

/// What the page says.
#[derive(Debug)]
pub(crate) struct Page {
    words: [BTreeSet<String>; 5],
    groups: BTreeMap<String, Vec<String>>,
    acts: BTreeMap<String, Vec<Row>>,
}

/// A row that allows something. `None` in a cell is `any`.
#[derive(Debug)]
struct Row {
    line: usize,
    cells: [Option<BTreeMap<String, Cell<bool>>>; 6],
    matched: Cell<bool>,
}

impl Page {
    /// Reads the page, and refuses words that it does not explain.
    pub(crate) fn read() -> Self {
        let mut page = Self {
            words: Default::default(),
            groups: BTreeMap::new(),
            acts: BTreeMap::new(),
        };
        let mut heading = String::new();
        for (number, line) in (1..).zip(PAGE.lines()) {
            if let Some(text) = line.strip_prefix("## ").or(line.strip_prefix("### ")) {
                heading = text.to_owned();
                if let Some(act) = act_of(&heading) {
                    let earlier = page.acts.insert(act.to_owned(), Vec::new());
                    assert!(earlier.is_none(), "line {number}: {act} stands twice");
                }
            } else if line.starts_with('|') && !line.starts_with("| ---") {
                let cells: Vec<&str> = line.split('|').map(str::trim).collect();
                page.row(&heading, number, &cells[1..cells.len() - 1]);
            }
        }
        page
    }

    fn row(&mut self, heading: &str, line: usize, cells: &[&str]) {
        if let Some(act) = act_of(heading) {
            assert_eq!(cells.len(), 7, "line {line}: six cells and a source");
            if cells[0] == COLUMNS[0] {
                assert_eq!(&cells[..6], &COLUMNS, "line {line}");
                return;
            }
            assert!(!cells[6].is_empty(), "line {line}: a row without a source");
            let row = Row {
                line,
                cells: std::array::from_fn(|column| self.cell(line, column, cells[column])),
                matched: Cell::new(false),
            };
            self.acts.get_mut(act).unwrap().push(row);
        } else if heading == "Words for several words" {
            let several = split(cells[1]).map(str::to_owned).collect();
            self.groups.insert(cells[0].to_owned(), several);
        } else if let Some(column) = COLUMNS.iter().position(|name| heading.starts_with(name)) {
            self.words[column].insert(cells[0].to_owned());
        }
    }

    fn cell(&self, line: usize, column: usize, text: &str) -> Option<BTreeMap<String, Cell<bool>>> {
        if text == "any" {
            return None;
        }
        let mut words = BTreeMap::new();
        for word in split(text) {
            let several = self.groups.get(word).filter(|_| column < 5);
            for word in several.unwrap_or(&vec![word.to_owned()]) {
                let explained = column == 5 || self.words[column].contains(word);
                assert!(explained, "line {line}: nobody explains {word:?}");
                words.insert(word.clone(), Cell::new(false));
            }
        }
        Some(words)
    }

    /// Whether a row allows this.
    pub(crate) fn allows(&self, act: &str, case: [&str; 6]) -> bool {
        for (word, known) in case.iter().zip(&self.words) {
            assert!(known.contains(*word), "the page does not explain {word:?}");
        }
        let rows = self.acts.get(act);
        let rows = rows.unwrap_or_else(|| panic!("the page has no section for {act}"));
        let mut allowed = false;
        for row in rows {
            let holds = |column: usize| match &row.cells[column] {
                None => true,
                Some(words) => words.contains_key(case[column]),
            };
            if (0..6).all(holds) {
                allowed = true;
                row.matched.set(true);
                for (words, word) in row.cells.iter().zip(case) {
                    if let Some(used) = words.as_ref().and_then(|words| words.get(word)) {
                        used.set(true);
                    }
                }
            }
        }
        allowed
    }

    /// The acts that have a section.
    pub(crate) fn acts(&self) -> BTreeSet<&str> {
        self.acts.keys().map(String::as_str).collect()
    }

    /// What is said and was never met by a case: a row, or a word of a row.
    pub(crate) fn unmet(&self) -> BTreeSet<String> {
        let mut unmet = BTreeSet::new();
        for row in self.acts.values().flatten() {
            if !row.matched.get() {
                unmet.insert(format!("line {}", row.line));
            }
            for (word, met) in row.cells.iter().flatten().flatten() {
                if !met.get() {
                    unmet.insert(format!("line {}: {word}", row.line));
                }
            }
        }
        unmet
    }
}

fn act_of(heading: &str) -> Option<&str> {
    heading.strip_prefix('`')?.strip_suffix('`')
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim)
}
