//! A small commune on a real server process, for tests that look closer than the scenarios.

#![allow(dead_code)]

use std::path::{Path, PathBuf};

use sotay_client::meetings::NoticeForm;
use sotay_model::MeetingKey;
use sotay_model::meetings::{MeetingKind, MeetingMode};
use sotay_tests::commune::{
    AppointmentPlan, CommunePlan, Entered, MemberPlan, OrganisationPlan, invitation, join,
};
use sotay_tests::network::Network;
use sotay_tests::phone::Phone;
use sotay_tests::server::{Program, ServerProcess, use_program};

/// Two cells of twelve; number 1 of each is its secretary, number 2 the deputy: `c1-01`, `c1-02`, …
pub(crate) struct Village {
    // Ends before the folder goes.
    pub(crate) server: ServerProcess,
    pub(crate) commune: Entered,
    pub(crate) folder: tempfile::TempDir,
}

impl Village {
    pub(crate) fn new() -> Self {
        use_program(env!("CARGO_BIN_EXE_scenario-server"));
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("server");
        let commune = plan().enter(&data, sotay_server::system_clock()).unwrap();
        let program = Program::find().unwrap();
        let server = ServerProcess::start(&program, &data, ([127, 0, 0, 1], 0).into()).unwrap();
        Self {
            server,
            commune,
            folder,
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A network of its own to the server.
    pub(crate) fn network(&self) -> Network {
        Network::to(self.server.address()).unwrap()
    }

    pub(crate) fn invitation(&self, member: &str, host: std::net::SocketAddr) -> String {
        invitation(&self.data(), member, &host.to_string())
            .unwrap()
            .text()
    }

    /// A phone that has joined and synced.
    pub(crate) fn phone(&self, member: &str) -> Phone {
        self.phone_through(member, self.server.address())
    }

    /// The same, through a network.
    pub(crate) fn phone_through(&self, member: &str, host: std::net::SocketAddr) -> Phone {
        let phone = Phone::with_key_file(self.path(), member).unwrap();
        let invitation = self.invitation(member, host);
        join(phone.handbook(), &self.data(), invitation, member).unwrap();
        phone.handbook().sync().unwrap();
        phone
    }
}

/// A notice for the day after tomorrow, sent.
pub(crate) fn publish(secretary: &Phone, title: &str) -> MeetingKey {
    let starts_at = sotay_server::system_clock().plus_minutes(2 * 24 * 60);
    let form = NoticeForm {
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
    };
    let meeting = secretary.handbook().publish_notice(form, vec![]).unwrap();
    secretary.handbook().sync().unwrap();
    meeting
}

pub(crate) fn plan() -> CommunePlan {
    let organisation = |code: &str, level: &str, above: Option<&str>| OrganisationPlan {
        code: code.into(),
        name: format!("Tổ chức mẫu {code}"),
        level: level.into(),
        above: above.map(str::to_owned),
    };
    let mut plan = CommunePlan {
        organisations: vec![
            organisation("xa", "CommuneCommittee", None),
            organisation("c1", "PartyCell", Some("xa")),
            organisation("c2", "PartyCell", Some("xa")),
        ],
        ..CommunePlan::default()
    };
    for cell in ["c1", "c2"] {
        for number in 1..=12 {
            plan.members.push(MemberPlan {
                code: format!("{cell}-{number:02}"),
                name: format!("Đồng chí Mẫu {cell} {number:02}"),
                cell: cell.into(),
                status: "Official".into(),
                ..MemberPlan::default()
            });
        }
        for (number, role) in [(1, "Secretary"), (2, "DeputySecretary")] {
            plan.appointments.push(AppointmentPlan {
                member: format!("{cell}-{number:02}"),
                organisation: cell.into(),
                role: role.into(),
            });
        }
    }
    plan
}
