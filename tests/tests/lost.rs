//! A lost phone: revoked at the server, wiped at its next contact. Through a real server process, over real TLS.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use common::{Village, publish};
use sotay_client::{Handbook, HandbookError, KeyVault, VaultAnswer, VaultError};
use sotay_model::meetings::Choice;
use sotay_server::{commune, system_clock};
use sotay_tests::commune::join;
use sotay_tests::examiner::agree;

/// A key store that remembers which files were there when its key was destroyed.
#[derive(Default)]
struct Witness {
    folder: PathBuf,
    root: Mutex<Option<Vec<u8>>>,
    then: Mutex<Option<Vec<PathBuf>>>,
}

impl KeyVault for Witness {
    fn root_key(&self) -> Result<VaultAnswer, VaultError> {
        let root = self.root.lock().unwrap().clone();
        Ok(root.map_or(VaultAnswer::Empty, |root| VaultAnswer::Key { root }))
    }

    fn store(&self, root: Vec<u8>) -> Result<(), VaultError> {
        *self.root.lock().unwrap() = Some(root);
        Ok(())
    }

    fn destroy(&self) -> Result<(), VaultError> {
        let there = files(&self.folder);
        self.then.lock().unwrap().get_or_insert(there);
        *self.root.lock().unwrap() = None;
        Ok(())
    }
}

/// Every file below a folder that holds something, but its lock.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !path.ends_with("lock") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn loss_a_phone_revoked_on_the_server_destroys_its_key_then_its_files_and_no_other_does() {
    let village = Village::new();
    let (secretary, other) = (village.phone("c1-01"), village.phone("c1-04"));
    let meeting = publish(&secretary, "Sinh hoạt");
    // The member has two phones; one of them is lost.
    let kept = village.phone("c1-03");
    let folder = village.path().join("lost");
    let vault = Arc::new(Witness {
        folder: folder.clone(),
        ..Witness::default()
    });
    let open = || {
        let vault = Arc::clone(&vault) as Arc<dyn KeyVault>;
        Handbook::open(folder.to_string_lossy().into_owned(), vault)
    };
    let lost = open().unwrap();
    let invitation = village.invitation("c1-03", village.server.address());
    join(&lost, &village.data(), invitation, "Máy bị mất").unwrap();
    lost.sync().unwrap();
    lost.respond(meeting, Choice::WillAttend, 1).unwrap();

    // As `sotay-server phones` and `sotay-server revoke --phone` do it, beside the running server.
    let phones = commune::phones(&village.data(), "c1-03").unwrap();
    let named = phones
        .iter()
        .find(|phone| phone.device_name == "Máy bị mất");
    let id = Some(named.unwrap().id);
    let revoked = commune::revoke(&village.data(), "c1-03", id, system_clock());
    assert_eq!(revoked.unwrap(), 1);
    assert!(lost.home().is_ok(), "until its next contact");

    let before = files(&folder);
    assert!(before.iter().any(|file| file.ends_with("handbook.db")));
    assert_eq!(lost.sync(), Err(HandbookError::Revoked));
    assert_eq!(lost.home(), Err(HandbookError::Revoked));
    let then = vault.then.lock().unwrap().take();
    let then = then.unwrap_or_else(|| panic!("the key was not destroyed"));
    for file in ["handbook.db", "journal", "keys"] {
        let still = then.iter().any(|there| there.ends_with(file));
        assert!(still, "{file} went before the key: {then:?}");
    }
    assert!(vault.root.lock().unwrap().is_none());
    assert_eq!(files(&folder), Vec::<PathBuf>::new());
    drop(lost);
    assert_eq!(open().unwrap().joined().unwrap(), None, "an empty handbook");

    for phone in [&secretary, &other, &kept] {
        phone.handbook().sync().unwrap();
        agree(phone, &village.data()).unwrap();
    }
    assert_eq!(kept.handbook().meetings(None, 10).unwrap().count, 1);
    let view = kept.handbook().home().unwrap();
    assert!(
        view.next_meeting.unwrap().my_answer.is_none(),
        "nothing was sent"
    );
}
