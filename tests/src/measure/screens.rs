//! B9: reading any screen, while nothing happens and while the same phone loads the dataset.

use std::time::{Duration, Instant};

use sotay_client::{Handbook, HandbookError};
use sotay_model::{DocumentKey, MeetingKey};

use super::ground::{Ground, publish};
use super::{Extent, Figure, Samples};
use crate::failure::Failure;

const TARGET: f64 = 2.0;

struct Shown {
    meeting: MeetingKey,
    document: DocumentKey,
}

type Read = fn(&Handbook, &Shown) -> Result<(), HandbookError>;

const SCREENS: [(&str, Read); 10] = [
    ("home", |phone, _| phone.home().map(drop)),
    ("outbox", |phone, _| phone.outbox().map(drop)),
    ("meetings", |phone, _| phone.meetings(None, 50).map(drop)),
    ("meeting", |phone, shown| {
        phone.meeting(shown.meeting).map(drop)
    }),
    ("answers", |phone, shown| {
        phone.answers(shown.meeting).map(drop)
    }),
    ("roll call", |phone, shown| {
        phone.roll_call(shown.meeting).map(drop)
    }),
    ("library", |phone, _| phone.library(None, 50).map(drop)),
    ("document", |phone, shown| {
        phone.document(shown.document).map(drop)
    }),
    ("sections", |phone, shown| {
        phone.sections(shown.document, 0, 20).map(drop)
    }),
    ("profile", |phone, _| phone.profile().map(drop)),
];

pub(super) fn measure(extent: &Extent) -> Result<Figure, Failure> {
    let ground = Ground::make()?;
    let phone = ground.phone("m01", "reader")?;
    phone.handbook().sync()?;
    let shown = Shown {
        document: phone
            .handbook()
            .publish_document(super::live::document_of(20)?)?,
        meeting: publish(&phone)?,
    };
    let secretary = ground.member("m01")?;
    phone
        .handbook()
        .open_roll_call(shown.meeting, secretary, None)?;
    phone.handbook().sync()?;
    ground.load(extent.records, drop)?;

    let handbook = phone.shared();
    let loading = std::thread::spawn(move || handbook.sync());
    let mut during = all();
    while !loading.is_finished() {
        rounds(phone.handbook(), &shown, &mut during, 1)?;
    }
    match loading.join() {
        Ok(synced) => {
            synced?;
        }
        Err(_) => crate::fail!("the syncing thread panicked"),
    }
    let mut idle = all();
    rounds(phone.handbook(), &shown, &mut idle, extent.rounds)?;

    let (worst_idle, worst_during) = (worst(&mut idle), worst(&mut during));
    let mut detail = vec![(
        "during a first sync, p99 ms of the slowest screen",
        worst_during,
    )];
    for ((name, _), samples) in SCREENS.iter().zip(&mut idle) {
        detail.push((name, samples.percentile(99)));
    }
    Ok(Figure {
        id: "B9",
        what: "any screen's read, idle, p99 of the slowest",
        figure: worst_idle,
        unit: "ms",
        raw: None,
        ratio: None,
        target: TARGET,
        met: worst_idle <= TARGET && worst_during <= TARGET.max(2.0 * worst_idle),
        detail,
    })
}

fn all() -> Vec<Samples> {
    SCREENS.iter().map(|_| Samples::default()).collect()
}

fn rounds(
    phone: &Handbook,
    shown: &Shown,
    samples: &mut [Samples],
    rounds: usize,
) -> Result<(), Failure> {
    for _ in 0..rounds {
        for ((_, read), samples) in SCREENS.iter().zip(&mut *samples) {
            let began = Instant::now();
            read(phone, shown)?;
            samples.push(began.elapsed());
        }
        // A person does not read without a pause; and the sync has one processor of two.
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn worst(samples: &mut [Samples]) -> f64 {
    samples
        .iter_mut()
        .map(|samples| samples.percentile(99))
        .fold(0.0, f64::max)
}
