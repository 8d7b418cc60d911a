//! `certificates rotate`, `certificates rotate-signing`.

use std::path::PathBuf;

use clap::Subcommand;
use sotay_model::Timestamp;
use sotay_server::commune::{self, CommuneError};

#[derive(Debug, Subcommand)]
pub(crate) enum Certificates {
    /// Puts the spare root in use and makes a new spare. Phones go on without noticing; a running server takes the new
    /// certificate within seconds.
    Rotate {
        /// The folder.
        #[arg(long)]
        data: PathBuf,
        /// The spare's key, if it was taken off the machine.
        #[arg(long)]
        spare_key: Option<PathBuf>,
    },
    /// Puts the organisation's spare signing key in use and makes a new spare: it signs revocations, statements to phones and
    /// the audit log. Phones go on without noticing.
    RotateSigning {
        /// The folder.
        #[arg(long)]
        data: PathBuf,
        /// The spare's key, if it was taken off the machine.
        #[arg(long)]
        spare_key: Option<PathBuf>,
    },
}

impl Certificates {
    pub(crate) fn run(self, now: Timestamp) -> Result<String, CommuneError> {
        match self {
            Self::Rotate { data, spare_key } => {
                commune::rotate(&data, spare_key.as_deref(), now)?;
                Ok("the spare root is in use, and there is a new spare".to_owned())
            }
            Self::RotateSigning { data, spare_key } => {
                commune::rotate_signing_key(&data, spare_key.as_deref(), now)?;
                Ok("the spare signing key is in use, and there is a new spare".to_owned())
            }
        }
    }
}
