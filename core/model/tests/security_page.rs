//! `docs/security.md` names the tests that show what it says: each of them exists, and each control has one or is said to be open.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

const PAGE: &str = include_str!("../../../docs/security.md");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const SOURCES: [&str; 7] = [
    "core", "server", "bindings", "tests", "fuzz", "android", "ios",
];

/// What stands in backticks and looks like a test's name.
fn names(text: &str) -> BTreeSet<&str> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| {
            word.matches('_').count() >= 3
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        })
        .collect()
}

/// A name that Kotlin or Swift writes as a sentence, as the page writes it.
fn in_one_word(name: &str) -> String {
    let words: Vec<&str> = name
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.join("_").to_lowercase()
}

/// The names of all functions in the sources.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with("build") {
                functions(&path, found);
            }
        } else if path
            .extension()
            .is_some_and(|e| e == "rs" || e == "py" || e == "kt" || e == "swift")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            // The name may stand on the next line.
            for test in text.split("@Test(").skip(1) {
                let name = test.trim_start().strip_prefix('"');
                if let Some((name, _)) = name.and_then(|name| name.split_once('"')) {
                    found.insert(in_one_word(name));
                }
            }
            for line in text.lines() {
                let line = line
                    .trim_start()
                    .trim_start_matches("pub ")
                    .trim_start_matches("async ");
                if let Some((name, _)) = line
                    .strip_prefix("fun `")
                    .and_then(|rest| rest.split_once('`'))
                {
                    found.insert(in_one_word(name));
                }
                let rest = line
                    .strip_prefix("fn ")
                    .or_else(|| line.strip_prefix("def "));
                if let Some((name, _)) = rest.and_then(|rest| rest.split_once('(')) {
                    found.insert(name.to_owned());
                }
            }
        }
    }
}

#[test]
fn every_test_that_the_page_names_exists() {
    let mut found = BTreeSet::new();
    for folder in SOURCES {
        functions(&Path::new(ROOT).join(folder), &mut found);
    }
    let named = names(PAGE);
    assert!(named.len() > 50, "{}", named.len());
    let missing: Vec<&&str> = named
        .iter()
        .filter(|name| !found.contains(**name))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_control_has_a_test_or_is_said_to_be_open() {
    let (_, table) = PAGE.split_once("| control | ").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let rows: Vec<&str> = table.lines().skip(2).collect();
    assert!(rows.len() >= 18, "{}", rows.len());
    for row in rows {
        let shown = !names(row).is_empty();
        assert!(
            shown || row.contains("**open**") || row.contains("not a test by name"),
            "{row}"
        );
    }
}
