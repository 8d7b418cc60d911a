//! A commune on a real server in this process, and phones on it.
#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "of tests, each of which uses its own part"
)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use sotay_client::meetings::NoticeForm;
use sotay_client::{
    Handbook, HandbookError, JoinedView, KeyVault, Query, SyncStateView, VaultAnswer, VaultError,
};
use sotay_model::{CalendarDate, Timestamp};
use sotay_server::commune::{Config, Confirmation, confirm, init, invite, read_csv};
use sotay_server::{Limits, Running, Server, ServerConfig, system_clock};
use tempfile::TempDir;

const CONFIG: &str = r#"
hosts = ["127.0.0.1", "localhost"]

[[organisation]]
code = "xa"
name = "Đảng bộ xã Mẫu"
level = "CommuneCommittee"

[[organisation]]
code = "cb1"
name = "Chi bộ Mẫu 1"
level = "PartyCell"
above = "xa"

[[organisation]]
code = "cb2"
name = "Chi bộ Mẫu 2"
level = "PartyCell"
above = "xa"

[[office]]
member = "bt"
organisation = "cb1"
role = "Secretary"
from = "2024-01-01"

[[office]]
member = "pbt"
organisation = "cb1"
role = "DeputySecretary"
from = "2024-01-01"
"#;

const MEMBERS: &str = "code,name,cell,status\n\
    bt,Đồng chí Mẫu 01,cb1,Official\n\
    pbt,Đồng chí Mẫu 02,cb1,Official\n\
    a,Đồng chí Mẫu 03,cb1,Official\n\
    b,Đồng chí Mẫu 04,cb1,Official\n\
    x,Đồng chí Mẫu 05,cb2,Official\n";

/// A key store in memory.
#[derive(Default)]
pub struct Vault(pub Mutex<Option<VaultAnswer>>);

impl KeyVault for Vault {
    fn root_key(&self) -> Result<VaultAnswer, VaultError> {
        Ok(self.0.lock().unwrap().clone().unwrap_or(VaultAnswer::Empty))
    }

    fn store(&self, root: Vec<u8>) -> Result<(), VaultError> {
        *self.0.lock().unwrap() = Some(VaultAnswer::Key { root });
        Ok(())
    }

    fn destroy(&self) -> Result<(), VaultError> {
        *self.0.lock().unwrap() = None;
        Ok(())
    }
}

pub struct Commune {
    pub folder: TempDir,
    running: Option<Running>,
    pub address: SocketAddr,
}

impl Commune {
    pub fn new() -> Self {
        Self::configured(CONFIG, |_| {})
    }

    /// The same on a server with other limits, until it is stopped.
    pub fn limited(change: impl FnOnce(&mut Limits)) -> Self {
        Self::configured(CONFIG, change)
    }

    /// The same with the deputy's office ending on this day.
    pub fn deputy_until(day: CalendarDate) -> Self {
        Self::configured(&format!("{CONFIG}until = \"{day}\"\n"), |_| {})
    }

    fn configured(config: &str, change: impl FnOnce(&mut Limits)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::parse(config).unwrap();
        let list = read_csv(MEMBERS.as_bytes()).unwrap();
        init(
            &config,
            &list,
            &folder.path().join("server"),
            system_clock(),
        )
        .unwrap();
        let here = ([127, 0, 0, 1], 0).into();
        let running = serve(&folder.path().join("server"), here, change);
        let address = running.address();
        Self {
            folder,
            running: Some(running),
            address,
        }
    }

    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown();
        }
    }

    pub fn start(&mut self) {
        self.running = Some(serve(&self.data(), self.address, |_| {}));
    }

    /// The running server reads roots, certificate and statement again, as it does when their files change.
    pub fn reload(&self) {
        self.running.as_ref().unwrap().reload().unwrap();
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    pub fn invitation(&self, member: &str) -> String {
        invite(
            &self.data(),
            member,
            Some(&self.address.to_string()),
            14,
            system_clock(),
        )
        .unwrap()
        .text()
    }

    /// Joins as a member, whose digits are confirmed at the server.
    pub fn join(&self, handbook: &Handbook, member: &str) -> JoinedView {
        let joining = handbook
            .join(self.invitation(member), "Điện thoại thử".into())
            .unwrap();
        self.confirm(member, &joining.digits);
        handbook.finish_joining().unwrap().unwrap()
    }

    /// Confirms a member's phone at the server.
    pub fn confirm(&self, member: &str, digits: &str) {
        let confirmed = confirm(&self.data(), member, digits, system_clock()).unwrap();
        assert_eq!(confirmed, Confirmation::Confirmed);
    }

    /// A phone that joined and synced.
    pub fn phone(&self, member: &str) -> Phone {
        let phone = Phone::new(self.folder.path().join(format!("phone-{member}")));
        self.join(&phone.handbook, member);
        phone.handbook.sync().unwrap();
        phone
    }
}

fn serve(folder: &Path, listen: SocketAddr, change: impl FnOnce(&mut Limits)) -> Running {
    let mut config = ServerConfig::new(folder, listen);
    change(&mut config.limits);
    Server::start(config).unwrap()
}

/// In how many milliseconds after the last try the next one is planned, where it is.
pub fn planned_in_ms(state: &SyncStateView) -> Option<i64> {
    Some(state.next_try?.0 - state.last_try?.0)
}

/// Whether a phone in this state hears wake-ups: then it asks only after a quarter of an hour at the earliest.
pub fn hears(state: &SyncStateView) -> bool {
    planned_in_ms(state).is_some_and(|pause| pause >= 15 * 60_000)
}

/// Waits until a phone that syncs in the background hears wake-ups.
pub fn wait_until_it_hears(handbook: &Handbook) {
    let watch = handbook.watch(Query::SyncState).unwrap();
    while !hears(&handbook.sync_state().unwrap()) {
        handbook.next_changes().unwrap();
    }
    handbook.unwatch(watch).unwrap();
}

pub struct Phone {
    pub folder: PathBuf,
    pub vault: Arc<Vault>,
    pub handbook: Arc<Handbook>,
}

impl Phone {
    pub fn new(folder: PathBuf) -> Self {
        let vault = Arc::new(Vault::default());
        let handbook = open(&folder, &vault).unwrap();
        Self {
            folder,
            vault,
            handbook,
        }
    }

    pub fn restart(&mut self) {
        self.handbook.shutdown().unwrap();
        self.handbook = open(&self.folder, &self.vault).unwrap();
    }

    /// A notice by this phone, a week ahead.
    pub fn notice(&self, title: &str) -> sotay_model::MeetingKey {
        self.handbook
            .publish_notice(form(title), Vec::new())
            .unwrap()
    }
}

pub fn open(folder: &Path, vault: &Arc<Vault>) -> Result<Arc<Handbook>, HandbookError> {
    Handbook::open(
        folder.to_string_lossy().into_owned(),
        Arc::clone(vault) as Arc<dyn KeyVault>,
    )
}

pub fn form(title: &str) -> NoticeForm {
    let starts_at = Timestamp(system_clock().0).plus_minutes(7 * 24 * 60);
    NoticeForm {
        kind: sotay_model::meetings::MeetingKind::Regular,
        title: title.into(),
        starts_at,
        ends_at: starts_at.plus_minutes(120),
        place: "Nhà văn hóa thôn Mẫu".into(),
        mode: sotay_model::meetings::MeetingMode::InRoom,
        agenda: vec!["Nội dung thử".into()],
        documents: Vec::new(),
        guests: Vec::new(),
        answer_by: None,
        absence_by: None,
    }
}

/// Closes the handbook and makes its folder what it was before there was the file `keys`: the root itself is the data key.
pub fn make_older(phone: &Phone) {
    use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

    struct Length;
    impl ring::hkdf::KeyType for Length {
        fn len(&self) -> usize {
            32
        }
    }
    phone.handbook.shutdown().unwrap();
    let VaultAnswer::Key { root } = phone.vault.root_key().unwrap() else {
        unreachable!("the vault has the root");
    };
    let mut wrapping = [0; 32];
    ring::hkdf::Salt::new(ring::hkdf::HKDF_SHA256, &[])
        .extract(&root)
        .expand(&[b"wrap"], Length)
        .and_then(|expanded| expanded.fill(&mut wrapping))
        .unwrap();
    let file = phone.folder.join("keys");
    let sealed = std::fs::read(&file).unwrap()[7 + 1 + 16 + 29..][..60].to_vec();
    let mut key = sealed[12..].to_vec();
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &wrapping).unwrap())
        .open_in_place(
            Nonce::try_assume_unique_for_key(&sealed[..12]).unwrap(),
            Aad::from(b"data key"),
            &mut key,
        )
        .unwrap();
    key.truncate(32);
    phone.vault.store(key).unwrap();
    std::fs::remove_file(file).unwrap();
}
