//! B10: what a record takes on the disk, and what the library takes on a phone.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::first_sync::FirstSync;
use super::{Extent, Figure};
use crate::fail;
use crate::failure::Failure;

const TARGET: f64 = 480.0;
const LIBRARY_TARGET: f64 = 10.0;

pub(super) fn measure(first: &FirstSync, extent: &Extent) -> Result<Figure, Failure> {
    let figure = first.per_record(first.stored);
    let raw = first.per_record(first.raw.bytes);
    let mut detail = vec![("plain SQLite, bytes per record", first.plain_per_record())];
    let mut met = figure <= TARGET;
    if extent.library {
        let megabytes = build()? as f64 / 1e6;
        met &= megabytes <= LIBRARY_TARGET;
        detail.push(("stripped library, MB (target 10)", megabytes));
    }
    Ok(Figure {
        id: "B10",
        what: "stored bytes per record",
        figure,
        unit: "B",
        raw: Some(raw),
        ratio: Some(figure / raw),
        target: TARGET,
        met,
        detail,
    })
}

/// Builds the library as it ships and weighs it.
fn build() -> Result<u64, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    eprintln!(
        "builds the library as phones get it (profile `phone`); the first time takes three to six minutes"
    );
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "build",
            "--profile",
            "phone",
            "--package",
            "sotay-ffi",
            "--lib",
            "--target-dir",
        ])
        .arg(&target)
        .current_dir(&root)
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        fail!("the library was not built");
    }
    Ok(std::fs::metadata(target.join("phone").join("libsotay_ffi.so"))?.len())
}
