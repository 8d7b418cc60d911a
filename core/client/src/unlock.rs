//! From the vault's root, and the PIN where one is set, to the data key; and how root and PIN are changed.
//!
//! Nothing is unlocked by a flag: the data key comes out of a wrap that root and PIN open, or it does not come. A try of a
//! PIN is counted on the disk before it is looked at.
//!
//! Changing root or PIN writes nothing anew but the wrap. The order is: both wraps in the file, the new root in the vault, the
//! new wrap alone in the file. Wherever the phone dies, the vault's root opens one of the wraps; the next opening drops the
//! other. A PIN comes and goes with a new root, so that an old copy of the file opens with nothing that is left.
//!
//! A handbook from before there was the file has the root itself for its data key. It is opened by that, and gets the file then.

use std::path::Path;
use std::sync::Arc;

use crate::disk::Disk;
use crate::error::HandbookError;
use crate::keys::{self, Keys, Secret};
use crate::keys_file::{self, Found, Stretched, Wrap};
use crate::pin::{self, MAX_TRIES, Pin};
use crate::store;
use crate::vault::{KeyVault, VaultAnswer};

/// An opened lock.
pub(crate) struct Unlocked {
    /// The keys.
    pub(crate) keys: Arc<Keys>,
    /// The PIN that is set, stretched: kept so that the root can be changed without asking for it.
    pub(crate) pin: Option<Stretched>,
    /// The file was missing or damaged: it is written once the keys are seen to fit.
    unwritten: Option<(Wrap, bool)>,
}

/// Opens the lock of a folder whose key lies in the vault; makes a key where there never was any.
pub(crate) fn unlock(
    disk: &dyn Disk,
    folder: &Path,
    vault: &dyn KeyVault,
    pin: Option<&Pin>,
) -> Result<Unlocked, HandbookError> {
    let lost = || HandbookError::KeyLost {
        unsent: store::unsent_in(folder),
    };
    let root = match vault.root_key().map_err(|_| HandbookError::KeyFailed)? {
        VaultAnswer::Key { root } => keys::root(root)?,
        VaultAnswer::LockedNow => return Err(HandbookError::KeyLocked),
        VaultAnswer::Lost => return Err(lost()),
        // Something is encrypted here, so there was a key.
        VaultAnswer::Empty if encrypted_before(disk, folder)? => return Err(lost()),
        VaultAnswer::Empty => {
            let root = keys::secret()?;
            vault
                .store(root.to_vec())
                .map_err(|_| HandbookError::KeyFailed)?;
            root
        }
    };
    with_root(disk, folder, &root, pin)
}

/// The same with the root at hand. `WipedAfterTries` says that the last try failed: the caller wipes.
pub(crate) fn with_root(
    disk: &dyn Disk,
    folder: &Path,
    root: &Secret,
    pin: Option<&Pin>,
) -> Result<Unlocked, HandbookError> {
    let (wraps, spoilt) = match keys_file::read(disk, folder)? {
        Found::Wraps { wraps, spoilt } => (wraps, spoilt),
        Found::Nothing if !has_files(disk, folder)? => {
            let data_key = keys::secret()?;
            keys_file::write(disk, folder, &[&Wrap::new(root, None, &data_key)?])?;
            return Ok(Unlocked {
                keys: Arc::new(Keys::from_data_key(&data_key)),
                pin: None,
                unwritten: None,
            });
        }
        found => {
            let damaged = matches!(found, Found::Damaged);
            return Ok(Unlocked {
                keys: Arc::new(Keys::from_data_key(root)),
                pin: None,
                unwritten: Some((Wrap::new(root, None, root)?, damaged)),
            });
        }
    };
    for wrap in &wraps {
        if let Some(used) = wrap.tries(root)? {
            return with_pin(disk, folder, root, wrap, used, pin);
        }
        if wrap.salt().is_none()
            && let Some(data_key) = wrap.open(root, None)?
        {
            if spoilt || wraps.len() > 1 {
                // Best effort: where there is no room for it now, the next opening tries again.
                let _ = keys_file::write(disk, folder, &[wrap]);
            }
            return Ok(Unlocked {
                keys: Arc::new(Keys::from_data_key(&data_key)),
                pin: None,
                unwritten: None,
            });
        }
    }
    Err(HandbookError::WrongKey)
}

fn with_pin(
    disk: &dyn Disk,
    folder: &Path,
    root: &Secret,
    wrap: &Wrap,
    used: u8,
    pin: Option<&Pin>,
) -> Result<Unlocked, HandbookError> {
    // Whoever ended the app in the middle of the last try does not get another one.
    if used >= MAX_TRIES {
        return Err(HandbookError::WipedAfterTries { unsent: 0 });
    }
    let (Some(pin), Some(salt)) = (pin, wrap.salt()) else {
        return Err(HandbookError::PinNeeded {
            tries_left: pin::left(used),
        });
    };
    let used = used + 1;
    keys_file::write(disk, folder, &[&wrap.with_tries(root, used)?])?;
    let stretched = Stretched {
        salt: *salt,
        secret: pin.stretched(salt)?,
    };
    match wrap.open(root, Some(&stretched.secret))? {
        Some(data_key) => {
            // Best effort: where there is no room for it now, it counts as a failure until the next one fits.
            let _ = keys_file::write(disk, folder, &[&wrap.with_tries(root, 0)?]);
            Ok(Unlocked {
                keys: Arc::new(Keys::from_data_key(&data_key)),
                pin: Some(stretched),
                unwritten: None,
            })
        }
        None if used >= MAX_TRIES => Err(HandbookError::WipedAfterTries { unsent: 0 }),
        None => Err(HandbookError::PinWrong {
            tries_left: pin::left(used),
        }),
    }
}

impl Unlocked {
    /// The files were opened with the keys, or not: `WrongKey` with a damaged file means that the data key is lost.
    pub(crate) fn seen<T>(
        &self,
        disk: &dyn Disk,
        folder: &Path,
        opened: Result<T, HandbookError>,
    ) -> Result<T, HandbookError> {
        match (&self.unwritten, &opened) {
            (Some((_, true)), Err(HandbookError::WrongKey)) => Err(HandbookError::KeyLost {
                unsent: store::unsent_in(folder),
            }),
            (Some((wrap, _)), Ok(_)) => {
                // Best effort: until there is room for it, the root goes on as the data key.
                let _ = keys_file::write(disk, folder, &[wrap]);
                opened
            }
            _ => opened,
        }
    }
}

/// Whether anything was ever encrypted in this folder.
fn encrypted_before(disk: &dyn Disk, folder: &Path) -> Result<bool, HandbookError> {
    Ok(!matches!(keys_file::read(disk, folder)?, Found::Nothing) || has_files(disk, folder)?)
}

/// Whether there are files that were encrypted under a key.
fn has_files(disk: &dyn Disk, folder: &Path) -> Result<bool, HandbookError> {
    for name in store::ENCRYPTED {
        match disk.read(&folder.join(name)) {
            Ok(bytes) if bytes.is_empty() => {}
            Ok(_) => return Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// Gives the vault a new root and wraps the data key under it and this PIN; `now` is the PIN that is set.
pub(crate) fn change(
    disk: &dyn Disk,
    folder: &Path,
    vault: &dyn KeyVault,
    now: Option<&Stretched>,
    then: Option<&Stretched>,
) -> Result<(), HandbookError> {
    let root = asked(vault)?;
    let (data_key, old) = match keys_file::read(disk, folder)? {
        Found::Wraps { wraps, .. } => {
            let mut opened = None;
            for wrap in wraps {
                if let Some(key) = wrap.open(&root, now.map(|pin| &pin.secret))? {
                    opened = Some((key, wrap));
                    break;
                }
            }
            opened.ok_or(HandbookError::WrongKey)?
        }
        // There was no room for the file when this handbook from before it was opened.
        Found::Nothing => (root.clone(), Wrap::new(&root, None, &root)?),
        Found::Damaged => return Err(HandbookError::KeyFailed),
    };
    let new_root = keys::secret()?;
    let new = Wrap::new(&new_root, then, &data_key)?;
    keys_file::write(disk, folder, &[&old, &new])?;
    if vault.store(new_root.to_vec()).is_err() && asked(vault)? != new_root {
        // Best effort: the next opening drops it as well.
        let _ = keys_file::write(disk, folder, &[&old]);
        return Err(HandbookError::KeyFailed);
    }
    // Best effort: from here on the old wrap opens with nothing that is left.
    let _ = keys_file::write(disk, folder, &[&new]);
    Ok(())
}

/// The vault's root, where there must be one.
fn asked(vault: &dyn KeyVault) -> Result<Secret, HandbookError> {
    match vault.root_key() {
        Ok(VaultAnswer::Key { root }) => keys::root(root),
        Ok(VaultAnswer::LockedNow) => Err(HandbookError::KeyLocked),
        _ => Err(HandbookError::KeyFailed),
    }
}

#[cfg(test)]
mod tests;
