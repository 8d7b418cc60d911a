//! A commune to try things in, written down as an operator writes it: a configuration in TOML and a list in CSV, entered by
//! the server's own `init`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use sotay_client::{Handbook, JoinedView};
use sotay_model::enrolment::{Code, Invitation};
use sotay_model::{MemberId, OrganisationId, Timestamp};
use sotay_server::commune::{self, Config, Confirmation, init, invite, read_csv};

use crate::fail;
use crate::failure::Failure;

/// Who there is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommunePlan {
    /// The tree.
    pub organisations: Vec<OrganisationPlan>,
    /// Everybody.
    pub members: Vec<MemberPlan>,
    /// Who holds which office.
    #[serde(default)]
    pub appointments: Vec<AppointmentPlan>,
}

/// An organisation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganisationPlan {
    /// A short word for it.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What it is called: a name of `OrganisationLevel`.
    pub level: String,
    /// The code of the one above.
    pub above: Option<String>,
}

/// A member.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemberPlan {
    /// A short word for the person.
    pub code: String,
    /// The name: plainly an invented one.
    pub name: String,
    /// The code of the home cell.
    pub cell: String,
    /// A name of `MemberStatus`.
    pub status: String,
    /// The number to call.
    pub phone: String,
    /// Birthday, or only the year.
    pub born: String,
    /// ngày vào Đảng
    pub admitted_on: String,
    /// ngày chính thức
    pub official_on: String,
    /// số thẻ
    pub card_number: String,
}

/// An office, held since 2024.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppointmentPlan {
    /// Whose.
    pub member: String,
    /// Where.
    pub organisation: String,
    /// A name of `Role`.
    pub role: String,
}

/// A commune that was entered: what the codes stand for.
#[derive(Debug, Clone)]
pub struct Entered {
    /// Organisations by their codes.
    pub organisations: BTreeMap<String, OrganisationId>,
    /// Members by their codes.
    pub members: BTreeMap<String, MemberId>,
}

impl CommunePlan {
    /// The configuration, for a server on this machine.
    pub fn toml(&self) -> String {
        let mut text = String::from("hosts = [\"127.0.0.1\", \"localhost\"]\n");
        for organisation in &self.organisations {
            text.push_str("\n[[organisation]]\n");
            let mut line = |name: &str, value: &str| {
                text.push_str(&format!("{name} = {}\n", quoted(value)));
            };
            line("code", &organisation.code);
            line("name", &organisation.name);
            line("level", &organisation.level);
            if let Some(above) = &organisation.above {
                line("above", above);
            }
        }
        for office in &self.appointments {
            text.push_str("\n[[office]]\n");
            let mut line = |name: &str, value: &str| {
                text.push_str(&format!("{name} = {}\n", quoted(value)));
            };
            line("member", &office.member);
            line("organisation", &office.organisation);
            line("role", &office.role);
            line("from", "2024-01-01");
        }
        text
    }

    /// The list of members.
    pub fn csv(&self) -> String {
        let mut text =
            String::from("code,name,cell,status,phone,born,admitted_on,official_on,card_number\n");
        for member in &self.members {
            let cells = [
                &member.code,
                &member.name,
                &member.cell,
                &member.status,
                &member.phone,
                &member.born,
                &member.admitted_on,
                &member.official_on,
                &member.card_number,
            ]
            .map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
            text.push_str(&cells.join(","));
            text.push('\n');
        }
        text
    }

    /// Makes the server's folder.
    pub fn enter(&self, folder: &Path, now: Timestamp) -> Result<Entered, Failure> {
        let config = Config::parse(&self.toml())?;
        let list = read_csv(self.csv().as_bytes())?;
        let made = init(&config, &list, folder, now)?;
        Ok(Entered {
            organisations: made.organisations,
            members: made.members,
        })
    }
}

/// An invitation for a member, in the text that a phone scans.
pub fn invitation(folder: &Path, member: &str, host: &str) -> Result<Invitation, Failure> {
    let now = sotay_server::system_clock();
    Ok(invite(folder, member, Some(host), 14, now)?)
}

/// Confirms the phone that shows these six digits, as whoever runs the server does; `all` confirms every one that waits.
pub fn confirm(folder: &Path, digits: &str) -> Result<(), Failure> {
    let now = sotay_server::system_clock();
    let mut confirmed = 0;
    for phone in commune::waiting(folder, now)? {
        let shown = phone.digits.text();
        if digits != "all" && digits != shown {
            continue;
        }
        match commune::confirm(folder, &phone.member, &shown, now)? {
            Confirmation::Confirmed => confirmed += 1,
            other => fail!("not confirmed: {other:?}"),
        }
    }
    if confirmed == 0 {
        fail!("no phone that waits shows {digits}");
    }
    Ok(())
}

/// Joins, has the digits confirmed, and finishes.
pub fn join(
    handbook: &Handbook,
    folder: &Path,
    invitation: String,
    device_name: &str,
) -> Result<JoinedView, Failure> {
    let joining = handbook.join(invitation, device_name.to_owned())?;
    confirm(folder, &joining.digits)?;
    match handbook.finish_joining()? {
        Some(joined) => Ok(joined),
        None => fail!("confirmed, and waiting all the same"),
    }
}

/// One that was good until yesterday.
pub fn expired_invitation(folder: &Path, member: &str, host: &str) -> Result<Invitation, Failure> {
    let yesterday = sotay_server::system_clock().plus_minutes(-24 * 60);
    Ok(invite(folder, member, Some(host), 0, yesterday)?)
}

/// One that no server ever made, without a mistake in it.
pub fn unknown_invitation(host: &str) -> Result<Invitation, Failure> {
    Ok(Invitation::new(host, Code::from_random(*b"unknown!"))?)
}

/// A TOML string.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
