//! The benchmarks run on a small dataset, so that the program cannot rot. What they say on it is not looked at, only that it was measured; but
//! what is counted and not timed holds at every size.

#![allow(clippy::unwrap_used)]

use sotay_tests::measure::{Extent, Figure, IDS, measure};

fn measured(ids: &[&str], records: usize) -> Vec<Figure> {
    sotay_tests::server::use_program(env!("CARGO_BIN_EXE_measure"));
    let extent = Extent {
        records,
        queued: 100,
        rounds: 20,
        library: false,
    };
    measure(ids, &extent, true).unwrap()
}

fn detail(figure: &Figure, name: &str) -> f64 {
    let found = figure.detail.iter().find(|(n, _)| n.starts_with(name));
    found.unwrap().1
}

#[test]
fn every_benchmark_measures_something() {
    let figures = measured(&IDS, 2_000);
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

#[test]
fn promise_16_after_the_checkpoint_no_byte_of_a_revoked_scope_is_left() {
    let figures = measured(&["B8"], 20_000);
    assert_eq!(detail(&figures[0], "bytes left after the checkpoint"), 0.0);
}

#[test]
fn a_sync_with_nothing_new_is_one_small_request() {
    let figures = measured(&["B4"], 1);
    assert_eq!(detail(&figures[0], "requests"), 1.0);
    assert!(detail(&figures[0], "bodies up and down") < 1_000.0);
}

#[test]
fn an_enrolment_takes_few_requests_and_few_bytes() {
    let figures = measured(&["E1"], 1);
    let figure = &figures[0];
    // Lookup and anchors, the claim, the nonce of a session, its certificate, the first sync.
    assert!(detail(figure, "requests") <= 6.0, "{figure:?}");
    assert!(detail(figure, "connections") <= 4.0, "{figure:?}");
    assert!(
        detail(figure, "bytes up and down") <= 100_000.0,
        "{figure:?}"
    );
}
