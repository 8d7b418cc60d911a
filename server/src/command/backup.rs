//! `backup`, `backup-key`, `restore`.

use std::path::PathBuf;

use clap::Args;
use sotay_model::Timestamp;
use sotay_server::commune::{self, CommuneError};

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The folder.
    #[arg(long)]
    data: PathBuf,
    /// The file to make.
    #[arg(long)]
    to: PathBuf,
    /// For whom it is encrypted: the line beginning with age1 that `backup-key` or `age-keygen` printed. May be given more than
    /// once; each of them can open it.
    #[arg(long, required = true)]
    recipient: Vec<String>,
}

impl Backup {
    pub(crate) fn run(self, now: Timestamp) -> Result<String, CommuneError> {
        commune::back_up(&self.data, &self.to, &self.recipient, now)?;
        Ok(format!("written to {}", self.to.display()))
    }
}

#[derive(Debug, Args)]
pub(crate) struct BackupKey {
    /// The file to make.
    #[arg(long)]
    to: PathBuf,
}

impl BackupKey {
    pub(crate) fn run(self) -> Result<String, CommuneError> {
        commune::make_identity(&self.to)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The folder; it may be a new one.
    #[arg(long)]
    data: PathBuf,
    /// The backup.
    #[arg(long)]
    from: PathBuf,
    /// The file with the secret key.
    #[arg(long)]
    identity: PathBuf,
    /// Restores also where the database that was there does not say any more who was revoked since: they are to be revoked again.
    #[arg(long)]
    lose_revocations: bool,
}

impl Restore {
    pub(crate) fn run(self, now: Timestamp) -> Result<String, CommuneError> {
        let restore = if self.lose_revocations {
            commune::restore_losing_revocations
        } else {
            commune::restore
        };
        let restored = restore(&self.data, &self.from, &self.identity, now)?;
        let mut text = format!("restored as incarnation {}", restored.incarnation);
        if let Some(before) = restored.before {
            text.push_str(&format!("; the database before is {}", before.display()));
        }
        if !restored.revocations_kept {
            text.push_str(
                "\nnot continued: phones revoked, invitations used and contents removed since the backup; revoke and purge again",
            );
        }
        if !restored.audit_kept {
            text.push_str("\nnot continued: the audit log since the backup");
        }
        text.push_str("\nimport the list of members once more: the backup's may be older");
        Ok(text)
    }
}
