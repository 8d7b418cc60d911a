//! Commands whose arguments and answers take more than some lines. Each has a `run` that returns what is printed.

mod audit;
mod backup;
mod certificates;
mod invitations;
mod retention;
mod serve;
mod spills;

pub(crate) use audit::{Audit, AuditFailure};
pub(crate) use backup::{Backup, BackupKey, Restore};
pub(crate) use certificates::Certificates;
pub(crate) use invitations::{Invitations, Invite};
pub(crate) use retention::Retention;
pub(crate) use serve::Serve;
pub(crate) use spills::{Purge, PurgeFailure};
