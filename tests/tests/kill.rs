//! A phone that dies in the middle of writing: whatever a command returned from is there afterwards, and is sent.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use common::{Village, publish};
use sotay_client::Handbook;
use sotay_model::MeetingKey;
use sotay_model::meetings::Choice;
use sotay_tests::phone::FileVault;

const FOLDER: &str = "SOTAY_TEST_FOLDER";
const MEETING: &str = "SOTAY_TEST_MEETING";
/// How often the phone dies.
const DEATHS: usize = 3;
/// How many answers are given before each death, at least.
const ANSWERS: usize = 10;

fn open(folder: &Path) -> Arc<Handbook> {
    let vault = Arc::new(FileVault(folder.with_extension("key")));
    Handbook::open(folder.to_string_lossy().into_owned(), vault).unwrap()
}

/// Not a test of its own: what the other one starts and kills.
#[test]
fn a_phone_that_answers_until_it_is_killed() {
    let (Ok(folder), Ok(meeting)) = (std::env::var(FOLDER), std::env::var(MEETING)) else {
        return;
    };
    let meeting: MeetingKey = meeting.parse().unwrap();
    let handbook = open(Path::new(&folder));
    for number in 0_u64.. {
        let choice = if number % 2 == 0 {
            Choice::WillAttend
        } else {
            Choice::Undecided
        };
        handbook.respond(meeting, choice, 1).unwrap();
        // Said only after the command returned.
        println!("answered {number}");
        std::io::stdout().flush().unwrap();
    }
}

#[test]
fn what_a_command_returned_from_survives_kill_9() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let meeting = publish(&secretary, "Sinh hoạt");
    let phone = village.phone("c1-03");
    phone.handbook().shutdown().unwrap();

    let mut answered = 0;
    for _ in 0..DEATHS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "a_phone_that_answers_until_it_is_killed",
                "--nocapture",
            ])
            .env(FOLDER, phone.folder())
            .env(MEETING, meeting.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let said = lines
            .filter(|line| line.contains("answered"))
            .take(ANSWERS)
            .count();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(said, ANSWERS);
        answered += said;
    }

    let handbook = open(phone.folder());
    let unsent = handbook.outbox().unwrap().unsent.len();
    assert!(
        unsent >= answered,
        "{answered} answers were given, {unsent} are there"
    );
    let report = handbook.sync().unwrap();
    assert_eq!(report.accepted as usize, unsent);
    assert!(handbook.outbox().unwrap().unsent.is_empty());

    secretary.handbook().sync().unwrap();
    let answers = secretary.handbook().answers(meeting).unwrap();
    let me = handbook.joined().unwrap().unwrap().member;
    let line = answers.lines.iter().find(|line| line.member == me).unwrap();
    assert_eq!(
        line.answer.as_ref().unwrap().choice,
        handbook
            .meeting(meeting)
            .unwrap()
            .card
            .my_answer
            .unwrap()
            .choice
    );
}
