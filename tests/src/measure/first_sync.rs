//! B1: the first sync of the whole dataset, and what it leaves on the disk for B10.

use std::time::{Duration, Instant};

use super::ground::{Ground, Line};
use super::raw::{self, Filled};
use super::{Extent, Figure};
use crate::examiner;
use crate::fail;
use crate::failure::Failure;

/// Phones that sync one after the other; the one in the middle counts.
const RUNS: usize = 3;
const TARGET: f64 = 120_000.0;
const SHARE_TARGET: f64 = 0.6;

/// What was measured.
pub(super) struct FirstSync {
    records: usize,
    /// Sorted.
    took: Vec<Duration>,
    pub(super) stored: u64,
    pub(super) raw: Filled,
    plain: Filled,
}

pub(super) fn measure(extent: &Extent) -> Result<FirstSync, Failure> {
    let ground = Ground::make()?;
    let mut lines: Vec<Line> = Vec::with_capacity(extent.records);
    ground.load(extent.records, |line| lines.push(line))?;
    let mut took = Vec::new();
    let mut stored = 0;
    let mut filled = None;
    for run in 0..RUNS {
        let phone = ground.phone("m01", &format!("first-{run}"))?;
        let began = Instant::now();
        let report = phone.handbook().sync()?;
        took.push(began.elapsed());
        if (report.received as usize) < extent.records {
            fail!(
                "only {} of {} records came",
                report.received,
                extent.records
            );
        }
        let held = examiner::contents(&phone)?.records;
        if (held as usize) < extent.records {
            fail!("only {held} of {} records are stored", extent.records);
        }
        if run == 0 {
            let path = |name: &str| ground.folder().join(name);
            let raw = raw::fill(&path("raw.db"), &phone, &lines, true)?;
            let plain = raw::fill(&path("plain.db"), &phone, &lines, false)?;
            filled = Some((raw, plain));
        }
        phone.handbook().shutdown()?;
        stored = size(phone.folder())?;
    }
    took.sort_unstable();
    let Some((raw, plain)) = filled else {
        fail!("nothing was measured");
    };
    Ok(FirstSync {
        records: extent.records,
        took,
        stored,
        raw,
        plain,
    })
}

/// Everything in a phone's folder.
fn size(folder: &std::path::Path) -> Result<u64, Failure> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

impl FirstSync {
    fn rate(&self, took: Duration) -> f64 {
        self.records as f64 / took.as_secs_f64()
    }

    /// Bytes for each record.
    pub(super) fn per_record(&self, bytes: u64) -> f64 {
        bytes as f64 / self.records as f64
    }

    /// Bytes for each record where there is no cipher.
    pub(super) fn plain_per_record(&self) -> f64 {
        self.per_record(self.plain.bytes)
    }

    pub(super) fn figure(&self) -> Figure {
        let rates: Vec<f64> = self.took.iter().map(|took| self.rate(*took)).collect();
        let figure = rates.get(RUNS / 2).copied().unwrap_or(0.0);
        let raw = self.rate(self.raw.took);
        Figure {
            id: "B1",
            what: "first sync, encrypted, TLS on loopback",
            figure,
            unit: "records/s",
            raw: Some(raw),
            ratio: Some(figure / raw),
            target: TARGET,
            met: figure >= TARGET && figure / raw >= SHARE_TARGET,
            detail: vec![
                (
                    "fastest of three phones, records/s",
                    rates.first().copied().unwrap_or(0.0),
                ),
                (
                    "slowest of three phones, records/s",
                    rates.last().copied().unwrap_or(0.0),
                ),
                ("plain SQLite, records/s", self.rate(self.plain.took)),
            ],
        }
    }
}
