//! `cargo sim`: runs seeds, finds switched-on defects, shows one seed's log.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sotay_model::defect::Defect;
use sotay_sim::ground::Ground;
use sotay_sim::world::Tally;
use sotay_sim::{run, run_twice};

const USAGE: &str = "usage: cargo sim -- [--seeds N] [--from K] [--seconds S] [--threads T]
       cargo sim -- --seed N [--trace]
       cargo sim -- --defects [--within N]
       cargo sim -- --defect NAME [--within N]";

struct Wanted {
    from: u64,
    seeds: u64,
    seconds: Option<u64>,
    seed: Option<u64>,
    trace: bool,
    defects: bool,
    only: String,
    within: u64,
    threads: usize,
}

fn wanted() -> Option<Wanted> {
    let mut wanted = Wanted {
        from: 0,
        seeds: 2_000,
        seconds: None,
        seed: None,
        trace: false,
        defects: false,
        only: String::new(),
        within: 2_000,
        threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--defect" {
            wanted.defects = true;
            wanted.only = arguments.next()?;
            continue;
        }
        let mut number = || arguments.next()?.parse::<u64>().ok();
        match argument.as_str() {
            "--from" => wanted.from = number()?,
            "--seeds" => wanted.seeds = number()?,
            "--seconds" => wanted.seconds = Some(number()?),
            "--seed" => wanted.seed = Some(number()?),
            "--within" => wanted.within = number()?,
            "--threads" => wanted.threads = usize::try_from(number()?).ok()?,
            "--trace" => wanted.trace = true,
            "--defects" => wanted.defects = true,
            _ => return None,
        }
    }
    Some(wanted)
}

fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    // Nobody may be listening.
    let _ = writeln!(output, "{line}");
    let _ = output.flush();
}

fn main() -> ExitCode {
    // What panics is reported as the seed's violation.
    std::panic::set_hook(Box::new(|_| {}));
    let Some(wanted) = wanted() else {
        say(USAGE);
        return ExitCode::from(2);
    };
    let passed = match (wanted.seed, wanted.defects) {
        (Some(seed), _) => one(seed, wanted.trace),
        (None, true) => defects(&wanted),
        (None, false) => many(&wanted),
    };
    match passed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(what) => {
            say(&what);
            ExitCode::FAILURE
        }
    }
}

fn one(seed: u64, trace: bool) -> Result<bool, String> {
    let ground = Ground::make()?;
    let outcome = run(&ground, seed, None, trace);
    for line in &outcome.trace {
        say(line);
    }
    report(&outcome.tally, 1, Duration::ZERO);
    match &outcome.violation {
        Some(violation) => {
            say(&format!("seed {seed}: {violation}"));
            Ok(false)
        }
        None => Ok(true),
    }
}

fn report(tally: &Tally, seeds: u64, time: Duration) {
    let rate = match time.as_secs_f64() {
        seconds if seconds > 0.0 => format!(
            ", {:.0} s, {:.0} seeds a minute",
            seconds,
            seeds as f64 * 60.0 / seconds
        ),
        _ => String::new(),
    };
    say(&format!(
        "{seeds} seeds, {} steps, {} mutations, {} checks{rate}",
        tally.steps, tally.entered, tally.checks
    ));
    for (kind, count) in &tally.faults {
        say(&format!("  {count:>9}  {kind}"));
    }
}

fn many(wanted: &Wanted) -> Result<bool, String> {
    let began = Instant::now();
    let next = AtomicU64::new(wanted.from);
    let stop = AtomicBool::new(false);
    let total = Mutex::new((Tally::default(), 0_u64, BTreeMap::new()));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..wanted.threads.max(1))
            .map(|_| {
                scope.spawn(|| -> Result<(), String> {
                    let ground = Ground::make()?;
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        let over = match wanted.seconds {
                            Some(seconds) => began.elapsed() >= Duration::from_secs(seconds),
                            None => seed >= wanted.from + wanted.seeds,
                        };
                        if over || stop.load(Ordering::Relaxed) {
                            return Ok(());
                        }
                        let outcome = run_twice(&ground, seed);
                        let mut total = total.lock().map_err(|_| "a worker failed")?;
                        total.0.add(&outcome.tally);
                        total.1 += 1;
                        if let Some(violation) = outcome.violation {
                            say(&format!("seed {seed}: {violation}"));
                            total.2.insert(seed, violation);
                            if total.2.len() >= 20 {
                                stop.store(true, Ordering::Relaxed);
                            }
                        }
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a worker panicked".to_owned())?)
    })?;
    let (tally, seeds, violations) = total.into_inner().map_err(|_| "a worker failed")?;
    report(&tally, seeds, began.elapsed());
    say(&format!("{} seeds broke a promise", violations.len()));
    Ok(violations.is_empty())
}

/// Switches one defect after the other on, and counts the seeds until it is found.
fn defects(wanted: &Wanted) -> Result<bool, String> {
    let wanted_ones = Defect::ALL
        .into_iter()
        .filter(|defect| wanted.only.is_empty() || wanted.only == format!("{defect:?}"));
    let left = Mutex::new(wanted_ones.collect::<Vec<_>>());
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..wanted.threads.max(1))
            .map(|_| {
                scope.spawn(|| -> Result<(), String> {
                    let ground = Ground::make()?;
                    loop {
                        let defect = left.lock().map_err(|_| "a worker failed")?.pop();
                        let Some(defect) = defect else { return Ok(()) };
                        let hit = (wanted.from..wanted.from + wanted.within).find_map(|seed| {
                            let violation = run(&ground, seed, Some(defect), false).violation?;
                            Some((seed, violation))
                        });
                        found
                            .lock()
                            .map_err(|_| "a worker failed")?
                            .push((format!("{defect:?}"), hit));
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a worker panicked".to_owned())?)
    })?;
    let mut found = found.into_inner().map_err(|_| "a worker failed")?;
    found.sort();
    say(&format!("{:<28} {:>7}  by", "defect", "seeds"));
    let mut all = true;
    for (name, hit) in found {
        match hit {
            Some((seed, violation)) => say(&format!(
                "{name:<28} {:>7}  {violation}",
                seed - wanted.from + 1
            )),
            None => {
                all = false;
                say(&format!("{name:<28} {:>7}", "MISSED"));
            }
        }
    }
    Ok(all)
}
