//! `cargo crash [--only kill|torn|flip|full] [--cycles N] [--seed N] [--every-byte]`: see `sotay_tests::crash`. Ends with code 1 if anything was lost,
//! doubled, or damaged without being noticed.

use std::process::ExitCode;

use sotay_tests::crash::{PARTS, Plan, crash_if_asked, run};
use sotay_tests::server::{say, serve_if_asked};
use sotay_tests::{Failure, fail};

fn main() -> Result<ExitCode, Failure> {
    if serve_if_asked()? || crash_if_asked()? {
        return Ok(ExitCode::SUCCESS);
    }
    let plan = plan(std::env::args().skip(1))?;
    say(&format!(
        "crash  {}, {} cycles, seed {}",
        plan.parts.join(" "),
        plan.cycles,
        plan.seed
    ))?;
    let report = run(&plan)?;
    say(&report.to_string())?;
    Ok(if report.is_well() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn plan(mut arguments: impl Iterator<Item = String>) -> Result<Plan, Failure> {
    let mut plan = Plan::default();
    let mut only = Vec::new();
    while let Some(argument) = arguments.next() {
        if argument == "--every-byte" {
            plan.every_byte = true;
            continue;
        }
        let value = arguments.next().unwrap_or_default();
        match argument.as_str() {
            "--cycles" => match value.parse() {
                Ok(cycles @ 1..) => plan.cycles = cycles,
                _ => fail!("--cycles wants a number from 1"),
            },
            "--seed" => match value.parse() {
                Ok(seed) => plan.seed = seed,
                Err(_) => fail!("--seed wants a number"),
            },
            "--only" => match PARTS.iter().find(|part| **part == value) {
                Some(part) => only.push(*part),
                None => fail!("there is no part {value:?}; there are {}", PARTS.join(" ")),
            },
            _ => fail!(
                "usage: cargo crash [--only {}] [--cycles N] [--seed N] [--every-byte]",
                PARTS.join("|")
            ),
        }
    }
    if !only.is_empty() {
        plan.parts = only;
    }
    Ok(plan)
}
