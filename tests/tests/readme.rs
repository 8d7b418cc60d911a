//! The example in the README is this code, and it works.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Village, publish};
use sotay_client::{Handbook, HandbookError, KeyVault};
use sotay_model::meetings::Choice;
use sotay_tests::commune::confirm;
use sotay_tests::phone::MemoryVault;

#[rustfmt::skip]
fn example(folder: String, vault: Arc<dyn KeyVault>, invitation: String, show: impl Fn(&str)) -> Result<Arc<Handbook>, HandbookError> {
// from here
let handbook = Handbook::open(folder, vault)?;            // opens or makes the encrypted store
let joining = handbook.join(invitation, "phone".into())?; // once
show(&joining.digits);                                    // an officer compares them and confirms
while handbook.finish_joining()?.is_none() {
    std::thread::sleep(Duration::from_secs(2));
}
handbook.sync()?;
let home = handbook.home()?;                              // one struct for the screen
if let Some(next) = home.next_meeting {
    handbook.respond(next.meeting, Choice::WillAttend, next.notice_version)?;   // durable, also offline
}
// to here
    Ok(handbook)
}

#[test]
fn the_example_is_in_the_readme() {
    let here = include_str!("readme.rs");
    let code = here
        .split("// from here\n")
        .nth(1)
        .unwrap()
        .split("// to here")
        .next()
        .unwrap();
    assert!(
        include_str!("../../README.md").contains(code),
        "the README has another example"
    );
}

#[test]
fn the_example_works() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let meeting = publish(&secretary, "Sinh hoạt");
    let folder = village
        .path()
        .join("example")
        .to_string_lossy()
        .into_owned();
    let invitation = village.invitation("c1-03", village.server.address());
    let officer = |digits: &str| confirm(&village.data(), digits).unwrap();
    let vault = Arc::new(MemoryVault::default());
    let handbook = example(folder, vault, invitation, officer).unwrap();
    handbook.sync().unwrap();
    secretary.handbook().sync().unwrap();
    assert_eq!(
        secretary.handbook().answers(meeting).unwrap().will_attend,
        1
    );
}
