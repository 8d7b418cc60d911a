//! What the tests of lock and wipe stand on: a disk that loses power at any operation, and a vault that dies with it.

use std::path::PathBuf;
use std::sync::Mutex;

use sotay_disk::{Fault, Options, Snapshot};

use crate::simulated_disk::SimulatedDisk;
use crate::store::locked;
use crate::vault::{KeyVault, VaultAnswer, VaultError};

impl SimulatedDisk {
    /// An empty one, or a copy, on which names last only once their folder is synced.
    pub(crate) fn strict(seed: u64, from: Option<&Snapshot>) -> Self {
        let disk = match from {
            Some(snapshot) => sotay_disk::Disk::from_snapshot(seed, snapshot),
            None => sotay_disk::Disk::new(seed),
        };
        disk.set_options(Options {
            strict_folders: true,
            tear_anywhere: true,
            ..Options::default()
        });
        Self(disk)
    }

    /// The handbook's folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.0.path("handbook")
    }
}

/// When a call of the vault ends the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Before anything has happened.
    Before(u32),
    /// When it has happened and before anybody hears of it.
    After(u32),
}

/// A vault whose root lasts, on a phone that dies where it is told to.
#[derive(Debug, Default)]
pub(crate) struct GroundVault {
    /// What it keeps.
    pub(crate) kept: Mutex<Option<Vec<u8>>>,
    /// Where the phone dies: which of the calls that change something, counted from 0.
    pub(crate) cut: Mutex<Option<Cut>>,
    calls: Mutex<u32>,
    disk: Option<sotay_disk::Disk>,
}

impl GroundVault {
    /// With this root, on a phone with this disk.
    pub(crate) fn on(disk: &SimulatedDisk, root: Option<Vec<u8>>, cut: Option<Cut>) -> Self {
        Self {
            kept: Mutex::new(root),
            cut: Mutex::new(cut),
            calls: Mutex::new(0),
            disk: Some(disk.0.clone()),
        }
    }

    /// What it keeps.
    pub(crate) fn root(&self) -> Option<Vec<u8>> {
        locked(&self.kept).clone()
    }

    fn is_dead(&self) -> bool {
        self.disk.as_ref().is_some_and(sotay_disk::Disk::is_down)
    }

    fn die(&self) {
        if let Some(disk) = &self.disk {
            disk.fail_at(0, Fault::Crash);
            let _ = disk.sync_folder(disk.root());
        }
    }

    fn change(&self, to: Option<Vec<u8>>) -> Result<(), VaultError> {
        let call = {
            let mut calls = locked(&self.calls);
            *calls += 1;
            *calls - 1
        };
        let cut = *locked(&self.cut);
        if cut == Some(Cut::Before(call)) {
            self.die();
        }
        if self.is_dead() {
            return Err(VaultError::Failed);
        }
        *locked(&self.kept) = to;
        if cut == Some(Cut::After(call)) {
            self.die();
            return Err(VaultError::Failed);
        }
        Ok(())
    }
}

impl KeyVault for GroundVault {
    fn root_key(&self) -> Result<VaultAnswer, VaultError> {
        if self.is_dead() {
            return Err(VaultError::Failed);
        }
        Ok(match self.root() {
            Some(root) => VaultAnswer::Key { root },
            None => VaultAnswer::Empty,
        })
    }

    fn store(&self, root: Vec<u8>) -> Result<(), VaultError> {
        self.change(Some(root))
    }

    fn destroy(&self) -> Result<(), VaultError> {
        self.change(None)
    }
}

/// Runs `what` on copies of the phone that die at each operation of the disk and before and after each call of the vault, and
/// `then` on each phone switched on again. Says how many there were.
pub(crate) fn cut_everywhere(
    snapshot: &Snapshot,
    root: &[u8],
    what: impl Fn(&SimulatedDisk, &GroundVault),
    then: impl Fn(&SimulatedDisk, &GroundVault),
) -> u32 {
    let mut cuts = 0;
    let mut run = |seed: u64, operation: Option<u64>, cut: Option<Cut>| {
        let disk = SimulatedDisk::strict(seed, Some(snapshot));
        let vault = GroundVault::on(&disk, Some(root.to_vec()), cut);
        if let Some(operation) = operation {
            disk.0.fail_at(operation, Fault::Crash);
        }
        what(&disk, &vault);
        let died = disk.0.is_down();
        disk.0.clear_faults();
        disk.0.crash();
        then(&disk, &GroundVault::on(&disk, vault.root(), None));
        cuts += u32::from(died);
        died
    };
    for operation in 0.. {
        // What was not synced survives or not: more than one outcome of each cut.
        let died = [1, 2, 3].map(|seed| run(seed + 10 * operation, Some(operation), None));
        if died == [false; 3] {
            break;
        }
    }
    for call in 0.. {
        if ![Cut::Before(call), Cut::After(call)].map(|cut| run(7, None, Some(cut)))[0] {
            break;
        }
    }
    cuts
}
