//! `retention`.

use std::path::PathBuf;

use clap::Args;
use sotay_model::Timestamp;
use sotay_server::commune;

use crate::Failure;

#[derive(Debug, Args)]
pub(crate) struct Retention {
    /// The folder.
    #[arg(long)]
    data: PathBuf,
    /// Remove them now; otherwise they are only counted.
    #[arg(long)]
    remove: bool,
}

impl Retention {
    pub(crate) fn run(self, now: Timestamp) -> Result<String, Failure> {
        if self.remove {
            let removed = commune::remove_over(&self.data, now)?;
            return Ok(format!("{removed} records removed"));
        }
        let counted = commune::count_over(&self.data, now)?;
        if counted.is_empty() {
            return Ok("nothing is kept longer than its time".to_owned());
        }
        let lines: Vec<String> = counted
            .into_iter()
            .map(|(kind, count)| format!("{count} {}", kind.name()))
            .collect();
        Ok(lines.join("\n"))
    }
}
