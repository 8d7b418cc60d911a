//! The benchmarks run on a small dataset, so that the program cannot rot. What they say on it is not looked at, only that it was measured.

#![allow(clippy::unwrap_used)]

use sotay_tests::measure::{Extent, IDS, measure};

#[test]
fn every_benchmark_measures_something() {
    sotay_tests::server::use_program(env!("CARGO_BIN_EXE_measure"));
    let extent = Extent {
        records: 2_000,
        queued: 100,
        rounds: 20,
        library: false,
    };
    let figures = measure(&IDS, &extent, true).unwrap();
    let ids: Vec<&str> = figures.iter().map(|figure| figure.id).collect();
    assert_eq!(ids, IDS);
    for figure in figures {
        assert!(figure.figure > 0.0, "{figure:?}");
        assert_eq!(figure.raw.is_some(), figure.ratio.is_some(), "{figure:?}");
        let line = figure.json();
        for field in ["id", "figure", "unit", "raw", "ratio", "target", "met"] {
            assert!(line.get(field).is_some(), "{field} of {line}");
        }
    }
}
