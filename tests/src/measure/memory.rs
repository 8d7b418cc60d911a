//! B2: the most memory a phone's process has in a first sync. The process opens a handbook that has joined, syncs, and says the
//! peak of its resident memory (`VmHWM`): code, heap, caches, the mapped index of the log, everything.

use super::child::{Process, Work};
use super::ground::Ground;
use super::{Extent, Figure};
use crate::fail;
use crate::failure::Failure;

const TARGET: f64 = 40.0;
const MANY_TARGET: f64 = 64.0;
/// How many times the dataset the large one is: a million records.
const MANY: usize = 10;

pub(super) fn measure(extent: &Extent) -> Result<Figure, Failure> {
    let (figure, many) = (
        peak(extent.records)?,
        peak(extent.records.saturating_mul(MANY))?,
    );
    Ok(Figure {
        id: "B2",
        what: "peak memory of the phone's process in a first sync",
        figure,
        unit: "MB",
        raw: None,
        ratio: None,
        target: TARGET,
        met: figure <= TARGET && many <= MANY_TARGET,
        detail: vec![("with ten times the records, MB (target 64)", many)],
    })
}

fn peak(records: usize) -> Result<f64, Failure> {
    let ground = Ground::make()?;
    ground.load(records, drop)?;
    let phone = ground.phone("m01", "weighed")?;
    phone.handbook().shutdown()?;
    let said = Process::start(Work::Sync, &phone, 1)?.numbers()?;
    let [received, kib] = said.as_slice() else {
        fail!("the process said {said:?}");
    };
    if *received < records as u64 {
        fail!("only {received} of {records} records came");
    }
    Ok(*kib as f64 * 1_024.0 / 1e6)
}
