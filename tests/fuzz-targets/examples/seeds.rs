//! Writes the inputs to begin with into the folders of the corpus: `cargo run -p sotay-fuzz-targets --example seeds -- fuzz/corpus`.
#![allow(
    clippy::unwrap_used,
    reason = "a tool for who works on the targets; it ends where it cannot go on"
)]

use std::path::PathBuf;

use sotay_fuzz_targets::{TARGETS, seeds};

fn main() {
    let corpus = PathBuf::from(std::env::args().nth(1).unwrap_or("fuzz/corpus".into()));
    for target in TARGETS {
        let folder = corpus.join(target.name);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, seed) in (1..).zip(seeds::of(target.name)) {
            std::fs::write(folder.join(format!("seed-{number:02}")), seed).unwrap();
        }
    }
}
