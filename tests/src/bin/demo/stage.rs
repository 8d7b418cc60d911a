//! The stage: server, networks, phones.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sotay_client::phones::Confirmation;
use sotay_client::{Handbook, HandbookError};
use sotay_model::MemberId;
use sotay_tests::commune::{Entered, confirm, invitation};
use sotay_tests::network::Network;
use sotay_tests::phone::Phone;
use sotay_tests::server::{Program, ServerProcess};
use sotay_tests::{Failure, fail};

use crate::cast::{self, PHONES};
use crate::paper::{Paper, Screen};

/// Everything on it.
pub(crate) struct Stage {
    /// Where is printed.
    pub(crate) paper: Paper,
    /// The commune.
    pub(crate) commune: Entered,
    phones: BTreeMap<&'static str, Phone>,
    networks: BTreeMap<&'static str, Network>,
    /// The server.
    pub(crate) server: ServerProcess,
    folder: tempfile::TempDir,
}

impl Stage {
    /// Makes the commune, starts the server, hands out the phones.
    pub(crate) fn build() -> Result<Self, Failure> {
        let mut paper = Paper::new();
        paper.scene("A server and six phones")?;
        let plan = cast::commune();
        let folder = tempfile::Builder::new().prefix("sotay-demo-").tempdir()?;
        let data = folder.path().join("server");
        let commune = plan.enter(&data, sotay_server::system_clock())?;
        let server = ServerProcess::start(&Program::find()?, &data, ([127, 0, 0, 1], 0).into())?;
        paper.say(&format!(
            "Đảng ủy xã Thí Dụ: {} organisations, {} invented members, entered from a TOML file and a CSV list. The server \
             listens on https://{} with an embedded database.",
            commune.organisations.len(),
            commune.members.len(),
            server.address(),
        ))?;
        let mut stage = Self {
            paper,
            commune,
            phones: BTreeMap::new(),
            networks: BTreeMap::new(),
            server,
            folder,
        };
        for role in &PHONES {
            stage.enrol(role)?;
        }
        Ok(stage)
    }

    fn enrol(&mut self, role: &cast::Role) -> Result<(), Failure> {
        let mut host = self.server.address();
        if role.loses_network {
            let network = Network::to(host)?;
            host = network.address();
            self.networks.insert(role.phone, network);
        }
        let invited = invitation(&self.data(), role.member, &host.to_string())?;
        let phone = Phone::new(self.folder.path(), role.phone)?;
        let joining = phone
            .handbook()
            .join(invited.text(), role.phone.to_owned())?;
        let by = self.confirm(role, &joining.digits)?;
        let Some(joined) = phone.handbook().finish_joining()? else {
            fail!("{} is confirmed and still waits", role.phone);
        };
        phone.handbook().sync()?;
        let home = phone.handbook().home()?;
        self.paper.say(&format!(
            "Mã mời {}  →  {} ({}), {}: số {} trên cả hai màn hình, {by}",
            invited.code().text(),
            joined.member_name,
            role.part,
            home.cell_name,
            joining.digits,
        ))?;
        self.phones.insert(role.phone, phone);
        Ok(())
    }

    /// Compares the six digits that a phone shows with those that an officer sees, and confirms; says who did. The secretary does
    /// it for the own cell, whoever runs the server for the others.
    fn confirm(&self, role: &cast::Role, digits: &str) -> Result<&'static str, Failure> {
        let Some(secretary) = self
            .phones
            .get("secretary")
            .filter(|_| role.member.starts_with(cast::CELL))
        else {
            confirm(&self.data(), digits)?;
            return Ok("người vận hành máy chủ xác nhận");
        };
        let member = self.member(role.member)?;
        let waiting = secretary.handbook().joining_phones()?;
        let Some(phone) = waiting.iter().find(|phone| phone.member == member) else {
            fail!("the secretary does not see that {} waits", role.phone);
        };
        if phone.digits != digits {
            fail!(
                "{} shows {digits}, the secretary {}",
                role.phone,
                phone.digits
            );
        }
        match secretary
            .handbook()
            .confirm_phone(phone.installation, digits.to_owned())?
        {
            Confirmation::Confirmed => Ok("bí thư xác nhận"),
            other => fail!("{}: {other:?}", role.phone),
        }
    }

    /// The server's folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    /// Everything of the demo.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// A phone.
    pub(crate) fn phone(&self, name: &str) -> Result<&Phone, Failure> {
        match self.phones.get(name) {
            Some(phone) => Ok(phone),
            None => fail!("nobody has the phone {name:?}"),
        }
    }

    /// The handbook on a phone.
    pub(crate) fn handbook(&self, name: &str) -> Result<&Handbook, Failure> {
        Ok(self.phone(name)?.handbook())
    }

    /// The network of a phone that can lose it.
    pub(crate) fn network(&self, name: &str) -> Result<&Network, Failure> {
        match self.networks.get(name) {
            Some(network) => Ok(network),
            None => fail!("the network of {name:?} cannot be cut"),
        }
    }

    /// Lets phones send and fetch.
    pub(crate) fn sync(&self, names: &[&str]) -> Result<(), Failure> {
        for name in names {
            let synced = self.handbook(name)?.sync();
            synced.map_err(|error| Failure::from(error).during(name))?;
        }
        Ok(())
    }

    /// Lets a phone try, and makes sure that there is no network.
    pub(crate) fn sync_in_vain(&self, name: &str) -> Result<(), Failure> {
        match self.handbook(name)?.sync() {
            Err(HandbookError::ServerUnreachable { .. }) => Ok(()),
            other => fail!("{name} should be without a network: {other:?}"),
        }
    }

    /// A member's id.
    pub(crate) fn member(&self, code: &str) -> Result<MemberId, Failure> {
        match self.commune.members.get(code) {
            Some(member) => Ok(*member),
            None => fail!("there is no member {code:?}"),
        }
    }

    /// A screen of a phone, in its holder's frame.
    pub(crate) fn screen(&self, name: &str, lines: Vec<String>) -> Result<Screen, Failure> {
        let home = self.handbook(name)?.home()?;
        let part = PHONES
            .iter()
            .find(|role| role.phone == name)
            .map_or("", |role| role.part);
        Ok(Screen {
            who: format!("{} · {part}", home.member_name),
            state: if home.delivery.offline {
                " mất mạng "
            } else {
                ""
            }
            .into(),
            lines,
        })
    }
}
