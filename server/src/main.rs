//! The command line of the server.

mod command;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sotay_model::InstallationId;
use sotay_model::statement::Version;
use sotay_server::commune::{self, CommuneError, Config, Confirmation};
use sotay_server::storage::Storage;
use sotay_server::{Commune, system_clock};

/// The reference sync server of the member handbook.
#[derive(Debug, Parser)]
#[command(name = "sotay-server", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a folder with a database, roots and a certificate from a configuration and a list of members.
    Init {
        /// TOML: hosts, organisations, offices.
        #[arg(long)]
        config: PathBuf,
        /// .xlsx or .csv
        #[arg(long)]
        members: PathBuf,
        /// The folder to make.
        #[arg(long)]
        data: PathBuf,
    },
    /// Enters a later list: new members and changed entries. Nobody is deleted.
    Import {
        /// The folder.
        #[arg(long)]
        data: PathBuf,
        /// .xlsx or .csv
        #[arg(long)]
        members: PathBuf,
    },
    /// Prints an invitation for one more phone of a member, or invitations on paper for many.
    Invite(command::Invite),
    /// Lists the invitations that are open, or makes them unusable.
    Invitations(command::Invitations),
    /// Lists the phones that wait for six digits to be compared.
    Waiting {
        /// The folder.
        #[arg(long)]
        data: PathBuf,
    },
    /// Confirms a member's phone: the six digits on its screen are these.
    Confirm {
        /// The folder.
        #[arg(long)]
        data: PathBuf,
        /// The member's code in the list.
        #[arg(long)]
        member: String,
        /// What the phone's screen shows.
        #[arg(long)]
        digits: String,
    },
    /// Lists a member's phones.
    Phones {
        /// The folder.
        #[arg(long)]
        data: PathBuf,
        /// The member's code in the list.
        #[arg(long)]
        member: String,
    },
    /// Revokes a member's phones, or one of them: each is wiped at its next contact.
    Revoke {
        /// The folder.
        #[arg(long)]
        data: PathBuf,
        /// The member's code in the list.
        #[arg(long)]
        member: String,
        /// One phone's number, as `phones` lists it.
        #[arg(long)]
        phone: Option<String>,
    },
    /// Serves phones until it is told to stop.
    Serve(command::Serve),
    /// The organisation's roots and the server's certificate.
    #[command(subcommand)]
    Certificates(command::Certificates),
    /// Has apps older than a version enter nothing more, until they are updated: what they entered before is still sent. Says
    /// which version it is where none is given.
    MinimumVersion {
        /// The folder.
        #[arg(long)]
        data: PathBuf,
        /// As 1.2.3; 0.0.0 lets all enter again.
        version: Option<String>,
    },
    /// Writes database, attachments, keys and certificates into a new encrypted file, while the server goes on.
    Backup(command::Backup),
    /// Makes a key for backups. Keep it off this machine: without it no backup can be opened.
    BackupKey(command::BackupKey),
    /// Puts a backup in place. No server may run on the folder; the database that was there is kept beside it.
    Restore(command::Restore),
    /// Removes the contents of a record, or a file, that should never have been entered: here, and on every phone at its next
    /// contact. It cannot be entered again.
    Purge(command::Purge),
    /// Counts the records whose time is over, by kind, or removes them. A server that runs does so by itself once a day.
    Retention(command::Retention),
    /// Shows the audit log, checks it, states how far it is, or erases what an entry tells.
    #[command(subcommand)]
    Audit(command::Audit),
    /// Prints how many organisations, members and phones there are.
    Status {
        /// The folder.
        #[arg(long)]
        data: PathBuf,
    },
}

/// What ends a command.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Commune(#[from] CommuneError),
    #[error(transparent)]
    Storage(#[from] sotay_server::storage::StorageError),
    #[error(transparent)]
    Start(#[from] sotay_server::StartError),
    #[error(transparent)]
    Audit(#[from] command::AuditFailure),
    #[error(transparent)]
    Purge(#[from] command::PurgeFailure),
    #[error("{path}: {source}")]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("the digits differ; {left} tries are left")]
    WrongDigits { left: u32 },
    #[error("the digits differ; the phone was refused, invite the member anew")]
    Void,
    #[error("no phone of this member waits")]
    NobodyWaits,
    #[error("not the number of a phone")]
    NotAPhone,
    #[error("not a version: three numbers, as 1.2.3")]
    NotAVersion,
    #[error("output: {0}")]
    Output(#[from] std::io::Error),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("SOTAY_LOG")
                .unwrap_or_else(|_| "info".into()),
        )
        .init();
    match run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let mut report = format!("sotay-server: {failure}\n");
            if let Failure::Commune(CommuneError::Rows { faults }) = &failure {
                for fault in faults {
                    report.push_str(&format!("  {fault}\n"));
                }
            }
            // If even the error cannot be printed, the exit code still says it.
            drop(std::io::stderr().write_all(report.as_bytes()));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    let now = system_clock();
    match command {
        Command::Init {
            config,
            members,
            data,
        } => {
            let text = std::fs::read_to_string(&config).map_err(|source| Failure::File {
                path: config,
                source,
            })?;
            let config = Config::parse(&text).map_err(CommuneError::from)?;
            let list = commune::read_list(&members).map_err(CommuneError::from)?;
            let made = commune::init(&config, &list, &data, now)?;
            say(&format!(
                "{} organisations, {} members",
                made.organisations.len(),
                made.members.len()
            ))
        }
        Command::Import { data, members } => {
            let list = commune::read_list(&members).map_err(CommuneError::from)?;
            let imported = commune::import(&data, &list, now)?;
            let mut said = format!(
                "{} new, {} changed, {} unchanged",
                imported.new, imported.changed, imported.unchanged
            );
            if imported.closed > 0 {
                said.push_str(&format!(
                    "; {} invitations are no longer good",
                    imported.closed
                ));
            }
            say(&said)
        }
        Command::Invite(invite) => say(&invite.run(now)?),
        Command::Invitations(invitations) => say(&invitations.run(now)?),
        Command::Waiting { data } => {
            for phone in commune::waiting(&data, now)? {
                say(&format!(
                    "{} · {} · {} · until {}",
                    phone.member,
                    phone.device_name,
                    phone.digits.text(),
                    phone.until.date()
                ))?;
            }
            Ok(())
        }
        Command::Confirm {
            data,
            member,
            digits,
        } => match commune::confirm(&data, &member, &digits, now)? {
            Confirmation::Confirmed => say("confirmed"),
            Confirmation::WrongDigits { left: 0 } => Err(Failure::Void),
            Confirmation::WrongDigits { left } => Err(Failure::WrongDigits { left }),
            Confirmation::NobodyWaits => Err(Failure::NobodyWaits),
        },
        Command::Phones { data, member } => {
            for phone in commune::phones(&data, &member)? {
                let state = phone.active_since.map_or("waits", |_| "active");
                say(&format!(
                    "{} · {} · {state} · since {}",
                    phone.id,
                    phone.device_name,
                    phone.enrolled_at.date()
                ))?;
            }
            Ok(())
        }
        Command::Revoke {
            data,
            member,
            phone,
        } => {
            let phone = phone
                .map(|text| text.parse::<InstallationId>())
                .transpose()
                .map_err(|_| Failure::NotAPhone)?;
            let revoked = commune::revoke(&data, &member, phone, now)?;
            say(&format!("{revoked} revoked"))
        }
        Command::Serve(serve) => serve.run(),
        Command::Certificates(certificates) => say(&certificates.run(now)?),
        Command::MinimumVersion { data, version } => {
            if let Some(text) = version {
                let version = Version::parse(&text).ok_or(Failure::NotAVersion)?;
                commune::set_minimum_version(&data, version, now)?;
            }
            say(&commune::minimum_version(&data, now)?.to_string())
        }
        Command::Backup(backup) => say(&backup.run(now)?),
        Command::BackupKey(key) => say(&key.run()?),
        Command::Restore(restore) => say(&restore.run(now)?),
        Command::Purge(purge) => say(&purge.run(now)?),
        Command::Retention(retention) => say(&retention.run(now)?),
        Command::Audit(audit) => say(&audit.run(now)?),
        Command::Status { data } => {
            let commune = Commune::open(&data)?;
            let phones = Storage::open(&data.join(commune::DATABASE))?
                .read()?
                .phones()?;
            say(&format!(
                "{} organisations, {} members, {phones} phones",
                commune.organisations.len(),
                commune.members.len()
            ))
        }
    }
}

fn say(line: &str) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}
