//! The shared stories, each a test, through the handbook's Rust interface against a real server process.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

use sotay_tests::scenario::{Scenario, run};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

macro_rules! stories {
    ($($test:ident = $file:literal,)*) => {
        $(
            #[test]
            fn $test() {
                // The server is another program: whichever cargo built for these tests.
                sotay_tests::server::use_program(env!("CARGO_BIN_EXE_scenario-server"));
                let scenario = Scenario::read(&folder().join(concat!($file, ".json"))).unwrap();
                if let Err(failure) = run(&scenario) {
                    panic!("{}\n{failure}", scenario.title);
                }
            }
        )*

        const TOLD: &[&str] = &[$($file),*];
    };
}

stories! {
    a_cell_holds_its_meeting = "meeting",
    a_late_answer_is_kept = "late-answer",
    an_answer_to_a_cancelled_meeting_comes_back = "cancelled-meeting",
    what_a_notice_must_not_hold_is_refused = "notice-checks",
    two_secretaries_mark_differently = "two-secretaries",
    without_office_nothing_is_decided = "no-office",
    unusable_invitations_are_told = "joining",
    a_bad_server_loses_no_answer = "bad-server",
    phones_offline_anywhere_converge = "offline-everywhere",
    a_stale_notice_overwrites_nothing = "stale-notice",
    a_correction_makes_a_new_version = "correction",
    a_word_entered_on_behalf_is_seen = "on-behalf",
    a_member_takes_the_chair = "chair",
    two_cells_meet_jointly = "joint-meeting",
}

#[test]
fn every_file_has_a_test() {
    let mut files: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let mut told = TOLD.to_vec();
    told.sort_unstable();
    assert_eq!(files, told);
}
