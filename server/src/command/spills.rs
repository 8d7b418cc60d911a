//! `purge`.

use std::path::PathBuf;

use clap::Args;
use sotay_model::Timestamp;
use sotay_server::commune;
use sotay_server::storage::Spill;

use crate::Failure;

#[derive(Debug, Args)]
pub(crate) struct Purge {
    /// The folder.
    #[arg(long)]
    data: PathBuf,
    #[command(flatten)]
    what: What,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// The record whose words and files are removed, as `audit show` prints it: `<home>/<id>`.
    #[arg(long)]
    record: Option<String>,
    /// The SHA-256 of a file, in hexadecimal: it is removed from every document.
    #[arg(long)]
    file: Option<String>,
}

/// Why nothing is removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PurgeFailure {
    /// A record is written `<home>/<id>`.
    #[error("{text:?} is no record")]
    Record { text: String },
    /// A digest has 64 lower-case hexadecimal digits.
    #[error("{text:?} is no SHA-256")]
    File { text: String },
}

impl Purge {
    pub(crate) fn run(self, now: Timestamp) -> Result<String, Failure> {
        let spill = match self.what {
            What {
                record: Some(text), ..
            } => {
                let key = text.parse();
                Spill::Record(key.map_err(|_| PurgeFailure::Record { text })?)
            }
            What { file, .. } => {
                let text = file.unwrap_or_default();
                Spill::File(text.parse().map_err(|_| PurgeFailure::File { text })?)
            }
        };
        let cleared = commune::purge(&self.data, spill, now)?;
        Ok(format!(
            "{} records lost their contents, {} files deleted, {} databases set aside cleared; \
             backups made before now still hold it: make a new one and destroy those",
            cleared.records, cleared.files, cleared.set_aside
        ))
    }
}
