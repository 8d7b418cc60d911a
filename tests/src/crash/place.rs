//! Where it happens: a commune of one cell, its server at one address, and the folders of a few phones, enrolled once.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sotay_client::meetings::NoticeForm;
use sotay_model::meetings::{MeetingKind, MeetingMode};
use sotay_model::{MeetingKey, MemberId};

use crate::commune::{
    AppointmentPlan, CommunePlan, Entered, MemberPlan, OrganisationPlan, invitation, join,
};
use crate::fail;
use crate::failure::Failure;
use crate::phone::Phone;
use crate::server::{Program, ServerProcess};

use super::process::Process;

/// Members of the cell.
const MEMBERS: usize = 8;
/// The secretary, who gives notice, and two members.
pub(super) const NAMES: [&str; 3] = ["m01", "m03", "m04"];

/// See the module.
#[derive(Debug)]
pub(super) struct Place {
    program: Program,
    address: SocketAddr,
    commune: Entered,
    data: PathBuf,
    folder: PathBuf,
}

impl Place {
    /// Makes the commune and enrols the phones; there is a meeting to answer to. The server is not left running.
    pub(super) fn make(folder: &Path) -> Result<(Self, MeetingKey), Failure> {
        let data = folder.join("server");
        let commune = plan().enter(&data, sotay_server::system_clock())?;
        let program = Program::find()?;
        let server = ServerProcess::start(&program, &data, ([127, 0, 0, 1], 0).into())?;
        let place = Self {
            program,
            address: server.address(),
            commune,
            data,
            folder: folder.to_owned(),
        };
        for name in NAMES {
            let invited = invitation(&place.data, name, &place.address.to_string())?;
            let phone = place.phone(name)?;
            join(phone.handbook(), &place.data, invited.text(), name)?;
            phone.handbook().sync()?;
        }
        let secretary = place.phone(NAMES[0])?;
        let meeting = secretary
            .handbook()
            .publish_notice(notice("Sinh hoạt thường kỳ"), vec![])?;
        secretary.handbook().sync()?;
        for name in NAMES {
            place.phone(name)?.handbook().sync()?;
        }
        Ok((place, meeting))
    }

    /// The same commune with the server's data in another folder.
    pub(super) fn with_data(&self, data: PathBuf) -> Self {
        Self {
            program: self.program.clone(),
            address: self.address,
            commune: self.commune.clone(),
            data,
            folder: self.folder.clone(),
        }
    }

    /// The server's folder.
    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// A phone's folder; its key lies beside it.
    pub(super) fn phone_folder(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A phone in this process. Nobody else may have its folder.
    pub(super) fn phone(&self, name: &str) -> Result<Phone, Failure> {
        Phone::with_key_file(&self.folder, name)
    }

    /// A member's id.
    pub(super) fn member(&self, name: &str) -> Result<MemberId, Failure> {
        match self.commune.members.get(name) {
            Some(member) => Ok(*member),
            None => fail!("there is no member {name}"),
        }
    }

    /// Starts the server and waits until it listens.
    pub(super) fn serve(&self) -> Result<ServerProcess, Failure> {
        ServerProcess::start(&self.program, &self.data, self.address)
    }

    /// Starts the server and does not wait.
    pub(super) fn start_serving(&self) -> Result<Process, Failure> {
        Process::start(self.program.command(&self.data, self.address))
    }
}

/// A program of ours with a hidden argument; it ends when its standard input is closed.
pub(super) fn ourselves(argument: &str) -> Result<Command, Failure> {
    let (Program::Ours(path) | Program::Server(path)) = Program::ours()?;
    let mut command = Command::new(path);
    command.arg(argument).stdin(Stdio::piped());
    Ok(command)
}

/// The text of a notice for the day after tomorrow.
pub(super) fn notice(title: &str) -> NoticeForm {
    let starts_at = sotay_server::system_clock().plus_minutes(2 * 24 * 60);
    NoticeForm {
        kind: MeetingKind::Regular,
        title: title.into(),
        starts_at,
        ends_at: starts_at.plus_minutes(90),
        place: "Nhà văn hóa".into(),
        mode: MeetingMode::InRoom,
        agenda: vec!["Một việc".into()],
        documents: vec![],
        guests: vec![],
        answer_by: None,
        absence_by: None,
    }
}

fn plan() -> CommunePlan {
    let organisation = |code: &str, level: &str, above: Option<&str>| OrganisationPlan {
        code: code.into(),
        name: format!("Tổ chức mẫu {code}"),
        level: level.into(),
        above: above.map(str::to_owned),
    };
    let office = |member: &str, role: &str| AppointmentPlan {
        member: member.into(),
        organisation: "c1".into(),
        role: role.into(),
    };
    CommunePlan {
        organisations: vec![
            organisation("xa", "CommuneCommittee", None),
            organisation("c1", "PartyCell", Some("xa")),
        ],
        members: (1..=MEMBERS)
            .map(|number| MemberPlan {
                code: format!("m{number:02}"),
                name: format!("Đồng chí Mẫu {number:02}"),
                cell: "c1".into(),
                status: "Official".into(),
                ..MemberPlan::default()
            })
            .collect(),
        appointments: vec![office("m01", "Secretary"), office("m02", "DeputySecretary")],
    }
}
