//! Phones and server in one thread, moved by one seed, with every fault that networks, disks, clocks and operators have.
//!
//! It runs the real engine of the phone and of the server, on simulated disks that lose, tear and reorder what was not
//! synced. After every step, what was touched is compared with a small model written from the design
//! ([`mod@reference`], [`expected`]); when the faults end, everybody must come to rest with everything, in bounded time.
//! The same seed does the same, always.

pub mod chronicle;
pub mod dice;
pub mod expected;
pub mod ground;
pub mod intents;
pub mod operator;
pub mod plan;
pub mod reference;
pub mod server_disk;
pub mod violation;
pub mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use sotay_model::defect::{self, Defect};

use crate::ground::Ground;
use crate::violation::Violation;
use crate::world::{Tally, World};

/// What a seed came to.
#[derive(Debug)]
pub struct Outcome {
    /// What was done.
    pub tally: Tally,
    /// What sums up the log: the same for the same seed.
    pub print: u64,
    /// The log, where one was wanted.
    pub trace: Vec<String>,
    /// The first broken promise.
    pub violation: Option<Violation>,
}

/// Runs a seed once.
pub fn run(ground: &Ground, seed: u64, defect: Option<Defect>, tracing: bool) -> Outcome {
    defect::switch(defect);
    let mut tally = Tally::default();
    let mut print = 0;
    let mut trace = Vec::new();
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let mut world =
            World::new(ground, seed, tracing).map_err(|what| Violation { step: 0, what })?;
        let ended = world.run();
        tally = world.tally.clone();
        print = world.print();
        trace = world.trace();
        ended
    }));
    defect::switch(None);
    let violation = match ran {
        Ok(ended) => ended.err(),
        Err(panic) => {
            let said = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("nothing");
            Some(Violation {
                step: tally.steps,
                what: format!("a panic: {said}"),
            })
        }
    };
    Outcome {
        tally,
        print,
        trace,
        violation,
    }
}

/// Runs a seed twice, and compares the two.
pub fn run_twice(ground: &Ground, seed: u64) -> Outcome {
    let first = run(ground, seed, None, false);
    if first.violation.is_some() {
        return first;
    }
    let second = run(ground, seed, None, false);
    let violation = (first.print != second.print).then(|| Violation {
        step: second.tally.steps,
        what: "the same seed did something else".into(),
    });
    Outcome {
        violation: second.violation.or(violation),
        ..first
    }
}
