//! B13: a cold start. A fresh process opens the handbook that holds the dataset and reads the first screen.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sotay_client::Handbook;

use super::ground::{Ground, publish};
use super::{Extent, Figure, Samples, raw};
use crate::fail;
use crate::failure::Failure;
use crate::phone::FileVault;
use crate::server::{Program, say};

const TARGET: f64 = 40.0;
const OPEN_HERE: &str = "open-here";

pub(super) fn measure(extent: &Extent) -> Result<Figure, Failure> {
    let ground = Ground::make()?;
    ground.load(extent.records)?;
    let phone = ground.phone("m01", "opened")?;
    phone.handbook().sync()?;
    publish(&phone)?;
    phone.handbook().sync()?;
    phone.handbook().shutdown()?;

    let (Program::Ours(program) | Program::Server(program)) = Program::ours()?;
    let (mut inside, mut whole, mut alone) =
        (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..(extent.rounds / 5).max(5) {
        let began = Instant::now();
        let output = Command::new(&program)
            .arg(OPEN_HERE)
            .arg(phone.folder())
            .arg(phone.folder().with_extension("key"))
            .output()?;
        whole.push(began.elapsed());
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        match text.parse() {
            Ok(nanoseconds) => inside.push(Duration::from_nanos(nanoseconds)),
            Err(_) => fail!(
                "the process said {text:?} {}",
                String::from_utf8_lossy(&output.stderr)
            ),
        }
        alone.push(raw::open(&phone)?);
    }
    let (p50, alone) = (inside.percentile(50), alone.percentile(50));
    Ok(Figure {
        id: "B13",
        what: "cold start: open encrypted handbook → first screen, p50",
        figure: p50,
        unit: "ms",
        raw: Some(alone),
        ratio: Some(p50 / alone),
        target: TARGET,
        met: p50 <= TARGET,
        detail: vec![
            ("p99 ms", inside.percentile(99)),
            (
                "with the start and end of the process, p50 ms",
                whole.percentile(50),
            ),
        ],
    })
}

/// If the program was started to open a handbook, does so and prints how many nanoseconds it took. Says whether it was.
pub fn opened_if_asked() -> Result<bool, Failure> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [word, folder, key] = arguments.as_slice() else {
        return Ok(false);
    };
    if word != OPEN_HERE {
        return Ok(false);
    }
    let began = Instant::now();
    let vault = Arc::new(FileVault(Path::new(key).to_owned()));
    let handbook = Handbook::open(folder.to_string_lossy().into_owned(), vault)?;
    let home = handbook.home()?;
    let took = began.elapsed();
    if home.next_meeting.is_none() {
        fail!("the first screen lacks the meeting");
    }
    say(&took.as_nanos().to_string())?;
    Ok(true)
}
