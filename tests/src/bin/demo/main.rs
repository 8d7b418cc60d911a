//! `cargo demo`: one real meeting, from the notice to the attendance that the cell confirms, on six phones and a server.
//!
//! Every phone is a handbook as an app holds it, in a folder of its own; the server is a process of its own; two phones reach
//! it through a network that is cut. Every line of a screen comes from the view that the app would show. At the end the
//! databases are opened from outside and compared record by record; only if all agree is the exit code 0.
//!
//! `cargo demo -- --keep` leaves the server running and says how to talk to it.

mod cast;
mod ending;
mod paper;
mod screens;
mod stage;
mod story;
mod words;

use std::process::ExitCode;

use sotay_tests::server::serve_if_asked;
use sotay_tests::{Failure, fail};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nThe demo did not end well: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    if serve_if_asked()? {
        return Ok(());
    }
    let mut keep = false;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--keep" => keep = true,
            "-h" | "--help" => return sotay_tests::server::say("cargo demo [-- --keep]"),
            other => fail!("unknown argument {other}; there is only --keep"),
        }
    }
    let mut stage = stage::Stage::build()?;
    let meeting = story::play(&mut stage)?;
    ending::check(&mut stage, meeting)?;
    if keep {
        ending::keep(&mut stage)?;
    }
    Ok(())
}
