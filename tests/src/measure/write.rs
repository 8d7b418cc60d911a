//! B5: an answer, from the call to its return: rules, journal synced to the disk, database, notification.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Instant;

use sotay_client::{HandbookError, Query};
use sotay_model::meetings::Choice;

use super::ground::{Ground, publish};
use super::{Extent, Figure, Samples};
use crate::failure::Failure;

const TARGET: f64 = 0.3;
const SLOWEST_TARGET: f64 = 3.0;
/// A phone that is offline for a day gathers no more than this.
const PENDING: usize = 50;
/// About what an answer has in the journal.
const FRAME: [u8; 160] = [0x5a; 160];

pub(super) fn measure(extent: &Extent) -> Result<Figure, Failure> {
    let ground = Ground::make()?;
    let secretary = ground.phone("m01", "secretary")?;
    secretary.handbook().sync()?;
    let meeting = publish(&secretary)?;
    secretary.handbook().sync()?;
    let phone = ground.phone("m03", "member")?;
    phone.handbook().sync()?;

    let handbook = phone.shared();
    handbook.watch(Query::Meeting { meeting })?;
    let listener = std::thread::spawn(move || -> Result<u64, HandbookError> {
        let mut told = 0;
        loop {
            match handbook.next_changes() {
                Ok(changes) => told += changes.len() as u64,
                Err(HandbookError::Cancelled) => return Ok(told),
                Err(error) => return Err(error),
            }
        }
    });

    let (mut writes, mut raw) = (Samples::default(), Samples::default());
    let mut disk = OpenOptions::new()
        .create(true)
        .append(true)
        .open(phone.folder().join("raw-journal"))?;
    for round in 0..extent.rounds.max(20) * 2 {
        let choice = if round % 2 == 0 {
            Choice::WillAttend
        } else {
            Choice::Undecided
        };
        let began = Instant::now();
        phone.handbook().respond(meeting, choice, 1)?;
        writes.push(began.elapsed());

        let began = Instant::now();
        disk.write_all(&FRAME)?;
        disk.sync_data()?;
        raw.push(began.elapsed());
        if round % PENDING == PENDING - 1 {
            phone.handbook().sync()?;
        }
    }
    phone.handbook().shutdown()?;
    let told = match listener.join() {
        Ok(told) => told?,
        Err(_) => crate::fail!("the listening thread panicked"),
    };
    if told == 0 {
        crate::fail!("nobody was notified");
    }
    let (p50, p99, disk) = (
        writes.percentile(50),
        writes.percentile(99),
        raw.percentile(50),
    );
    let over = p50 - disk;
    Ok(Figure {
        id: "B5",
        what: "durable local write over one fdatasync, p50",
        figure: over,
        unit: "ms",
        raw: Some(disk),
        ratio: Some(p50 / disk),
        target: TARGET,
        met: over <= TARGET && p99 <= SLOWEST_TARGET,
        detail: vec![
            ("with the fdatasync, p50 ms", p50),
            ("p99 ms (target 3)", p99),
            ("append and fdatasync alone, p99 ms", raw.percentile(99)),
        ],
    })
}
