//! `cargo measure [B1 B3 …] [--json] [--records N]`: see `sotay_tests::measure`. Without a number all are measured. Figures go to standard
//! output, one JSON line each with `--json`; whatever else is said goes to standard error.

use sotay_tests::measure::{Extent, IDS, measure, worked_if_asked};
use sotay_tests::server::serve_if_asked;
use sotay_tests::{Failure, fail};

fn main() -> Result<(), Failure> {
    if serve_if_asked()? || worked_if_asked()? {
        return Ok(());
    }
    let mut wanted = Vec::new();
    let mut extent = Extent::default();
    let mut json = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => json = true,
            "--records" => match arguments.next().unwrap_or_default().parse() {
                Ok(records @ 1..) => extent.records = records,
                _ => fail!("--records wants a number from 1"),
            },
            id => match IDS.iter().find(|known| known.eq_ignore_ascii_case(id)) {
                Some(known) => wanted.push(*known),
                None => fail!("there is no measurement {id}; there are {}", IDS.join(" ")),
            },
        }
    }
    if wanted.is_empty() {
        wanted.extend(IDS);
    }
    measure(&wanted, &extent, json)?;
    Ok(())
}
