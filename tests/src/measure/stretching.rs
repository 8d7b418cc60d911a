//! E3: Argon2id with the parameters of PIN and invitation: 19 MiB, two passes, one lane. The server stretches a code by the same crate
//! and the same parameters as a phone its PIN.

use std::time::Instant;

use sotay_model::enrolment::Code;

use super::{Extent, Figure, Samples};
use crate::fail;
use crate::failure::Failure;

/// On a slow phone; here it may only be less.
const TARGET_MS: f64 = 300.0;

pub(super) fn measure(extent: &Extent) -> Result<Figure, Failure> {
    let code = Code::from_random([3; 8]);
    let mut samples = Samples::default();
    for _ in 0..extent.rounds.min(50) {
        let began = Instant::now();
        let stretched = sotay_server::engine::stretch(&code)?;
        samples.push(began.elapsed());
        if stretched == [0; 32] {
            fail!("nothing was derived");
        }
    }
    let figure = samples.percentile(50);
    Ok(Figure {
        id: "E3",
        what: "stretching a PIN or a code (Argon2id)",
        figure,
        unit: "ms",
        raw: None,
        ratio: None,
        target: TARGET_MS,
        met: figure <= TARGET_MS,
        detail: vec![("p99, ms", samples.percentile(99))],
    })
}
