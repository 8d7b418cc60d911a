//! B13: a cold start. A fresh process opens the handbook that holds the dataset and reads the first screen.

use std::time::{Duration, Instant};

use super::child::{Process, Work};
use super::ground::{Ground, publish};
use super::{Extent, Figure, Samples, raw};
use crate::fail;
use crate::failure::Failure;

const TARGET: f64 = 20.0;

pub(super) fn measure(extent: &Extent) -> Result<Figure, Failure> {
    let ground = Ground::make()?;
    ground.load(extent.records, drop)?;
    let phone = ground.phone("m01", "opened")?;
    phone.handbook().sync()?;
    publish(&phone)?;
    phone.handbook().sync()?;
    phone.handbook().shutdown()?;

    let (mut inside, mut whole, mut alone) =
        (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..(extent.rounds / 5).max(5) {
        let began = Instant::now();
        let said = Process::start(Work::Open, &phone, 1)?.numbers()?;
        whole.push(began.elapsed());
        let [nanoseconds] = said.as_slice() else {
            fail!("the process said {said:?}");
        };
        inside.push(Duration::from_nanos(*nanoseconds));
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
