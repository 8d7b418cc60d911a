//! `invite`, `invite print`, `invitations`, `invitations revoke`.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use sotay_model::Timestamp;
use sotay_model::qr::Qr;
use sotay_server::commune::{self, CommuneError, PrintOrder, Printed};
use sotay_server::picture;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Invite {
    #[command(subcommand)]
    many: Option<InviteMany>,
    #[command(flatten)]
    one: Option<InviteOne>,
}

#[derive(Debug, Subcommand)]
enum InviteMany {
    /// Writes invitations into a PDF: A4 pages to cut apart, for a whole commune or one cell.
    Print(Print),
}

#[derive(Debug, Args)]
struct InviteOne {
    /// The folder.
    #[arg(long)]
    data: PathBuf,
    /// The member's code in the list.
    #[arg(long)]
    member: String,
    /// For how many days it can be used.
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(0..=i64::from(commune::MAX_VALID_DAYS)))]
    valid_days: u32,
    /// The server's name and port as phones reach it; the first of the configuration's hosts otherwise.
    #[arg(long)]
    host: Option<String>,
    /// Also prints the QR code where the output is no terminal.
    #[arg(long)]
    qr: bool,
    /// Writes the QR code into a new file, .png or .svg, that only its owner may read.
    #[arg(long)]
    picture: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Print {
    /// The folder.
    #[arg(long)]
    data: PathBuf,
    /// The PDF to make; only its owner may read it.
    #[arg(long)]
    to: PathBuf,
    /// The code of a cell, or of an organisation above cells; the whole commune otherwise.
    #[arg(long)]
    organisation: Option<String>,
    /// Until the end of which day they can be used, counted from today.
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(0..=i64::from(commune::MAX_VALID_DAYS)))]
    valid_days: u32,
    /// The server's name and port as phones reach it; the first of the configuration's hosts otherwise.
    #[arg(long)]
    host: Option<String>,
    /// Also for members who already have a phone.
    #[arg(long)]
    with_phone: bool,
    /// Also for candidates.
    #[arg(long)]
    candidates: bool,
    /// Makes earlier invitations of the same members unusable.
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Invitations {
    #[command(subcommand)]
    act: Option<InvitationsAct>,
    #[command(flatten)]
    list: Option<List>,
}

#[derive(Debug, Subcommand)]
enum InvitationsAct {
    /// Makes the open invitations of a member unusable.
    Revoke {
        /// The folder.
        #[arg(long)]
        data: PathBuf,
        /// The member's code in the list.
        #[arg(long)]
        member: String,
    },
}

#[derive(Debug, Args)]
struct List {
    /// The folder.
    #[arg(long)]
    data: PathBuf,
}

impl Invite {
    pub(crate) fn run(self, now: Timestamp) -> Result<String, CommuneError> {
        match (self.many, self.one) {
            (Some(InviteMany::Print(print)), _) => print.run(now),
            (None, Some(one)) => one.run(now),
            // The parser asks for one of them.
            (None, None) => Ok(String::new()),
        }
    }
}

impl InviteOne {
    fn run(self, now: Timestamp) -> Result<String, CommuneError> {
        let (host, days) = (self.host.as_deref(), self.valid_days);
        let invitation = match &self.picture {
            Some(picture) => {
                commune::invite_by_picture(&self.data, &self.member, host, days, picture, now)?
            }
            None => commune::invite(&self.data, &self.member, host, days, now)?,
        };
        let mut said = invitation.text();
        if (self.qr || std::io::stdout().is_terminal())
            && let Ok(qr) = Qr::of(&said)
        {
            said.push('\n');
            said.push_str(picture::terminal(&qr).trim_end_matches('\n'));
        }
        Ok(said)
    }
}

impl Print {
    fn run(self, now: Timestamp) -> Result<String, CommuneError> {
        let order = PrintOrder {
            organisation: self.organisation,
            host: self.host,
            valid_days: self.valid_days,
            with_phone: self.with_phone,
            candidates: self.candidates,
            replace: self.replace,
        };
        let printed = commune::print_invitations(&self.data, &self.to, &order, now)?;
        Ok(said_of(&printed))
    }
}

fn said_of(printed: &Printed) -> String {
    let mut said = format!(
        "{} invitations for {} cells on {} pages",
        printed.invitations, printed.cells, printed.pages
    );
    for (many, what) in [
        (printed.have_phone, "have a phone and got none"),
        (printed.not_in_standing, "are not in standing and got none"),
        (
            printed.invited_before,
            "also hold an earlier one that is still good",
        ),
        (printed.replaced, "earlier ones are no longer good"),
    ] {
        if many > 0 {
            said.push_str(&format!("\n{many} {what}"));
        }
    }
    said
}

impl Invitations {
    pub(crate) fn run(self, now: Timestamp) -> Result<String, CommuneError> {
        match (self.act, self.list) {
            (Some(InvitationsAct::Revoke { data, member }), _) => {
                let closed = commune::revoke_invitations(&data, &member, now)?;
                Ok(format!("{closed} invitations are no longer good"))
            }
            (None, Some(List { data })) => {
                let open = commune::open_invitations(&data, now)?;
                let mut said = format!("{} open", open.len());
                for one in open {
                    said.push_str(&format!(
                        "\n{}\t{}\tuntil {}",
                        one.member,
                        one.cell,
                        minute(one.expires_at)
                    ));
                }
                Ok(said)
            }
            (None, None) => Ok(String::new()),
        }
    }
}

/// Day and time in Vietnam, to the minute.
fn minute(at: Timestamp) -> String {
    let day = at.date();
    let minutes = (at.0 - day.start().0) / 60_000;
    format!("{day} {:02}:{:02}", minutes / 60, minutes % 60)
}
