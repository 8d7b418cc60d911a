//! The benchmarks of phone and server, as a program: a real handbook over TLS on loopback with a real server process, an
//! encrypted store, and raw SQLite with the same cipher beside it in the same run. Nothing printed is a constant but targets.
//!
//! | | work |
//! | --- | --- |
//! | B1 | first sync of 100,000 records of 280 bytes with random ids, in three scopes |
//! | B2 | peak memory of the phone's process in that, and with a million records |
//! | B3 | from the server's commit to a live query on another phone, 1 and 1,000 changes |
//! | B4 | a sync with nothing new, 20 scopes: round trips, bytes, processor time |
//! | B5 | a durable local write with rules, journal and notification |
//! | B6 | upload of 1,000 queued mutations, with and without refusals |
//! | B7 | 1,000 remote changes while 1,000 own ones are pending |
//! | B8 | a scope of 10,000 records is revoked; what is left of it on the phone |
//! | B9 | any screen's read, idle and during a first sync |
//! | B10 | stored bytes per record, and the stripped library |
//! | B13 | cold start in a fresh process: opening the encrypted handbook to the first screen |
//! | E1 | enrolment over a slow link: from the scanned invitation to the first screen |
//! | E2 | what the server does to know who signed a request |
//! | E3 | stretching a PIN or an invitation's code |

mod child;
mod enrolment;
mod first_sync;
mod ground;
mod idle;
mod library;
mod live;
mod memory;
mod raw;
mod rebase;
mod revoke;
mod screens;
mod start;
mod stretching;
mod upload;
mod verification;
mod write;

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::fail;
use crate::failure::Failure;
use crate::server::say;

pub use child::worked_if_asked;

/// The measurements there are.
pub const IDS: [&str; 14] = [
    "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9", "B10", "B13", "E1", "E2", "E3",
];

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Records of the dataset; 100,000 unless a smoke test wants fewer.
    pub records: usize,
    /// Mutations that are queued, for B6 and B7.
    pub queued: usize,
    /// Rounds of what is done many times.
    pub rounds: usize,
    /// Whether the library that ships on phones is built to be weighed.
    pub library: bool,
}

impl Default for Extent {
    fn default() -> Self {
        Self {
            records: 100_000,
            queued: 1_000,
            rounds: 200,
            library: true,
        }
    }
}

/// One measurement.
#[derive(Debug, Clone)]
pub struct Figure {
    /// Its number.
    pub id: &'static str,
    /// What was measured.
    pub what: &'static str,
    /// The figure.
    pub figure: f64,
    /// Its unit.
    pub unit: &'static str,
    /// The same by SQLite with the cipher and nothing else, or by the disk alone.
    pub raw: Option<f64>,
    /// Figure by raw.
    pub ratio: Option<f64>,
    /// What it should be.
    pub target: f64,
    /// Whether this and every part of it is so.
    pub met: bool,
    /// Everything else that was measured along with it.
    pub detail: Vec<(&'static str, f64)>,
}

impl Figure {
    /// One line of JSON.
    pub fn json(&self) -> Value {
        let detail: Map<String, Value> = self
            .detail
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(rounded(*value))))
            .collect();
        json!({
            "id": self.id,
            "figure": rounded(self.figure),
            "unit": self.unit,
            "raw": self.raw.map(rounded),
            "ratio": self.ratio.map(rounded),
            "target": self.target,
            "met": self.met,
            "detail": detail,
        })
    }

    /// Lines for people.
    fn table(&self) -> String {
        let number = |value: f64| rounded(value).to_string();
        let optional = |value: Option<f64>| value.map_or_else(|| "–".into(), number);
        let mut text = format!(
            "{:<4} {:<52} {:>10} {:<10} raw {:>10}  ratio {:>6}  target {:>8}  {}",
            self.id,
            self.what,
            number(self.figure),
            self.unit,
            optional(self.raw),
            optional(self.ratio),
            number(self.target),
            if self.met { "met" } else { "MISSED" }
        );
        for (name, value) in &self.detail {
            text.push_str(&format!("\n       {name}: {}", number(*value)));
        }
        text
    }
}

/// Measures what is wanted and prints it, in the order of [`IDS`].
pub fn measure(wanted: &[&str], extent: &Extent, as_json: bool) -> Result<Vec<Figure>, Failure> {
    let mut figures = Vec::new();
    // The first sync leaves what B10 weighs.
    let mut synced = None;
    for id in IDS.into_iter().filter(|id| wanted.contains(id)) {
        if matches!(id, "B1" | "B10") && synced.is_none() {
            synced = Some(first_sync::measure(extent)?);
        }
        let figure = match (id, &synced) {
            ("B1", Some(first)) => first.figure(),
            ("B10", Some(first)) => library::measure(first, extent)?,
            ("B3", _) => live::measure(extent)?,
            ("B2", _) => memory::measure(extent)?,
            ("B4", _) => idle::measure(extent)?,
            ("B6", _) => upload::measure(extent)?,
            ("B7", _) => rebase::measure(extent)?,
            ("B8", _) => revoke::measure(extent)?,
            ("B5", _) => write::measure(extent)?,
            ("B9", _) => screens::measure(extent)?,
            ("B13", _) => start::measure(extent)?,
            ("E1", _) => enrolment::measure(extent)?,
            ("E2", _) => verification::measure(extent)?,
            ("E3", _) => stretching::measure(extent)?,
            _ => fail!("nothing measures {id}"),
        };
        say(&if as_json {
            figure.json().to_string()
        } else {
            figure.table()
        })?;
        figures.push(figure);
    }
    Ok(figures)
}

/// Durations, to be asked for a percentile.
#[derive(Debug, Default)]
struct Samples(Vec<Duration>);

impl Samples {
    fn push(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    /// The duration in milliseconds that this share of the samples does not exceed.
    fn percentile(&mut self, percent: usize) -> f64 {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        let place = (self.0.len() * percent)
            .div_ceil(100)
            .saturating_sub(1)
            .min(last);
        self.0
            .get(place)
            .map_or(0.0, |sample| sample.as_secs_f64() * 1e3)
    }
}

/// Three significant places, or whole numbers where they are large.
fn rounded(value: f64) -> f64 {
    if value.abs() >= 1_000.0 || value == 0.0 {
        return value.round();
    }
    let places = 2 - value.abs().log10().floor() as i32;
    let scale = 10_f64.powi(places);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Samples, rounded};

    #[test]
    fn a_percentile_is_one_of_the_samples() {
        let mut samples = Samples((1..=200).map(Duration::from_millis).collect());
        assert_eq!(samples.percentile(50), 100.0);
        assert_eq!(samples.percentile(99), 198.0);
        assert_eq!(Samples(vec![Duration::from_millis(7)]).percentile(99), 7.0);
    }

    #[test]
    fn figures_have_three_places() {
        assert_eq!(rounded(0.012_345), 0.0123);
        assert_eq!(rounded(12.345), 12.3);
        assert_eq!(rounded(123_456.7), 123_457.0);
    }
}
