//! `audit show`, `verify`, `checkpoint`, `erase`.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use sotay_model::{Scope, Timestamp};
use sotay_server::audit::{Kept, NotACheckpoint, Tampering};
use sotay_server::commune;

use crate::Failure;

/// The server's own chain, where a scope is asked for.
const SERVER: &str = "server";

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Prints entries: when, which chain, which number, what; fields are separated by tabs.
    Show {
        /// The folder.
        #[arg(long)]
        data: PathBuf,
        /// Only the chain of this scope, as it is printed, or "server".
        #[arg(long)]
        scope: Option<String>,
    },
    /// Reads the whole log again and says whether anything was changed, removed or moved.
    Verify {
        /// The folder.
        #[arg(long)]
        data: PathBuf,
        /// A checkpoint that was kept elsewhere.
        #[arg(long)]
        checkpoint: Option<PathBuf>,
    },
    /// Signs how far the log is.
    Checkpoint {
        /// The folder.
        #[arg(long)]
        data: PathBuf,
        /// A new file for it, to be kept elsewhere; it is printed otherwise.
        #[arg(long)]
        to: Option<PathBuf>,
    },
    /// Erases what an entry tells, for good. That it was there, and that it was erased, stays.
    Erase {
        /// The folder.
        #[arg(long)]
        data: PathBuf,
        /// The chain, as `show` prints it, or "server".
        #[arg(long)]
        scope: String,
        /// The number.
        #[arg(long)]
        entry: u64,
    },
}

/// Why a command about the log fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditFailure {
    /// What was found.
    #[error("the audit log was tampered with: {0}")]
    Tampered(#[from] Tampering),
    /// A scope is written `org:…`, `office:…`, `person:…`, or is the server itself.
    #[error("{text:?} is no scope")]
    Scope { text: String },
    /// A file.
    #[error("{path}: {why}")]
    Checkpoint { path: PathBuf, why: NotACheckpoint },
    /// There is no such entry, it was erased already, or it tells of an erasure.
    #[error("there is nothing to erase")]
    Nothing,
}

impl Audit {
    pub(crate) fn run(self, now: Timestamp) -> Result<String, Failure> {
        match self {
            Self::Show { data, scope } => show(&data, scope.as_deref()),
            Self::Verify { data, checkpoint } => {
                let kept = checkpoint.as_deref().map(read_checkpoint).transpose()?;
                let whole =
                    commune::verify_audit(&data, kept.as_ref())?.map_err(AuditFailure::from)?;
                Ok(format!(
                    "{} entries in {} chains hold, {} of them erased; {} checkpoints hold, {} entries are behind the last",
                    whole.entries, whole.chains, whole.erased, whole.checkpoints, whole.unanchored
                ))
            }
            Self::Checkpoint { data, to } => {
                let Some(made) = commune::checkpoint_audit(&data, now)? else {
                    return Ok("the log is empty".to_owned());
                };
                match to {
                    None => Ok(made.to_string().trim_end().to_owned()),
                    Some(path) => {
                        let written = std::fs::File::create_new(&path)
                            .and_then(|mut file| file.write_all(made.to_string().as_bytes()));
                        written.map_err(|source| Failure::File {
                            path: path.clone(),
                            source,
                        })?;
                        Ok(format!(
                            "checkpoint {} is in {}; keep it elsewhere",
                            made.n,
                            path.display()
                        ))
                    }
                }
            }
            Self::Erase { data, scope, entry } => {
                if commune::erase_audit(&data, chain(&scope)?, entry, now)? {
                    Ok("erased".to_owned())
                } else {
                    Err(AuditFailure::Nothing.into())
                }
            }
        }
    }
}

fn chain(text: &str) -> Result<Option<Scope>, AuditFailure> {
    if text == SERVER {
        return Ok(None);
    }
    let scope = text.parse().map_err(|_| AuditFailure::Scope {
        text: text.to_owned(),
    })?;
    Ok(Some(scope))
}

fn read_checkpoint(path: &Path) -> Result<Kept, Failure> {
    let text = std::fs::read_to_string(path).map_err(|source| Failure::File {
        path: path.to_owned(),
        source,
    })?;
    let kept = text.parse().map_err(|why| AuditFailure::Checkpoint {
        path: path.to_owned(),
        why,
    })?;
    Ok(kept)
}

fn show(data: &Path, scope: Option<&str>) -> Result<String, Failure> {
    let only = scope.map(chain).transpose()?;
    let mut lines = Vec::new();
    commune::read_audit(data, only, |entry| {
        let chain = entry
            .scope()
            .map_or_else(|| SERVER.to_owned(), |scope| scope.to_string());
        let what = match (entry.event(), &entry.payload) {
            (Some(event), _) => event.to_string(),
            (None, None) => "erased".to_owned(),
            (None, Some(_)) => "written by a newer version".to_owned(),
        };
        lines.push(format!("{}\t{chain}\t{}\t{what}", utc(entry.at), entry.n));
        true
    })?;
    Ok(lines.join("\n"))
}

/// RFC 3339, in UTC: also where nobody knows where the server stands.
fn utc(at: Timestamp) -> String {
    let day_ms = 86_400_000;
    let (days, ms) = (at.0.div_euclid(day_ms), at.0.rem_euclid(day_ms));
    let noon = Timestamp(days * day_ms + day_ms / 2);
    // Noon in UTC is the same day in Vietnam.
    let seconds = ms / 1_000;
    format!(
        "{}T{:02}:{:02}:{:02}Z",
        noon.date(),
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}
