//! Where a scenario plays: its commune, served by a process of its own at one address, which can be killed, started
//! again, or replaced by a server that answers wrongly.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use sotay_server::commune::Certificates;

use super::Scenario;
use crate::commune::{confirm, expired_invitation, invitation, unknown_invitation};
use crate::failure::Failure;
use crate::fault::FaultServer;
use crate::server::{Program, ServerProcess};

enum Behind {
    Nobody,
    Server { _process: ServerProcess },
    Fault { _server: FaultServer },
}

/// A served commune.
pub struct Place {
    // Before the folder, so that the process ends before its files go.
    behind: Behind,
    program: Program,
    address: SocketAddr,
    tls: Arc<rustls::ServerConfig>,
    names: BTreeMap<String, String>,
    folder: tempfile::TempDir,
}

impl Place {
    /// Makes and serves a scenario's commune.
    pub fn make(scenario: &Scenario) -> Result<Self, Failure> {
        let now = sotay_server::system_clock();
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("server");
        let entered = scenario.commune.enter(&data, now)?;
        let program = Program::find()?;
        let server = ServerProcess::start(&program, &data, ([127, 0, 0, 1], 0).into())?;
        let address = server.address();
        let host = address.to_string();

        let mut names = BTreeMap::from([("address".to_owned(), host.clone())]);
        for (code, id) in &entered.organisations {
            names.insert(format!("organisation.{code}"), id.to_string());
        }
        for (code, id) in &entered.members {
            names.insert(format!("member.{code}"), id.to_string());
        }
        for (phone, member) in &scenario.phones {
            if let Some(member) = member {
                let made = invitation(&data, member, &host)?;
                names.insert(format!("invitation.{phone}"), made.text());
                names.insert(format!("code.{phone}"), made.code().text());
            }
        }
        if let Some(member) = entered.members.keys().next() {
            let made = expired_invitation(&data, member, &host)?;
            names.insert("invitation.expired".into(), made.text());
        }
        names.insert(
            "invitation.unknown".into(),
            unknown_invitation(&host)?.text(),
        );
        Ok(Self {
            behind: Behind::Server { _process: server },
            program,
            address,
            tls: Certificates::open(&data, now)?.tls()?,
            names,
            folder,
        })
    }

    /// What stands for what.
    pub const fn names(&self) -> &BTreeMap<String, String> {
        &self.names
    }

    /// The server's folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    /// Where it is served.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a runner in another process needs to know.
    pub fn introduction(&self) -> Value {
        json!({
            "address": self.address.to_string(),
            "folder": self.data().to_string_lossy(),
            "names": self.names,
        })
    }

    /// Changes what answers at the address: `stop`, `start`, or a fault's word. `confirm DIGITS` confirms the phone that waits
    /// and shows them.
    pub fn turn(&mut self, word: &str) -> Result<(), Failure> {
        if let Some(digits) = word.strip_prefix("confirm ") {
            return confirm(&self.data(), digits);
        }
        // Whoever listened has to go first.
        self.behind = Behind::Nobody;
        self.behind = match word {
            "stop" => Behind::Nobody,
            "start" => Behind::Server {
                _process: ServerProcess::start(&self.program, &self.data(), self.address)?,
            },
            fault => Behind::Fault {
                _server: FaultServer::start(self.address, fault.parse()?, self.tls.clone())?,
            },
        };
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.behind = Behind::Nobody;
    }
}
