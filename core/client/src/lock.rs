//! The lock of a handbook: its PIN, and the root key that the platform's vault keeps.
//!
//! The order of what is written is in [`crate::unlock`]; here are the calls. A wrong PIN costs a try wherever it is given.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::clock::SystemClock;
use crate::disk::PhoneDisk;
use crate::error::HandbookError;
use crate::handbook::Handbook;
use crate::lifecycle::Inner;
use crate::pin::Pin;
use crate::signer::DeviceSigner;
use crate::store::locked;
use crate::unlock;
use crate::vault::KeyVault;

/// What the PIN is to be.
enum Then {
    AsNow,
    None,
    This(Pin),
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// Opens a handbook that `open` answered `PinNeeded` for. `PinWrong` says how many tries are left; the tenth wrong one in a
    /// row deletes the handbook, `WipedAfterTries`. A handbook that is open already is given once the PIN fits; one
    /// without a PIN is opened by any.
    #[cfg_attr(feature = "uniffi", uniffi::constructor)]
    pub fn open_with_pin(
        folder: String,
        vault: Arc<dyn KeyVault>,
        pin: String,
    ) -> Result<Arc<Self>, HandbookError> {
        let pin = Pin::read(pin)?;
        Self::open_by(folder, vault, Arc::new(SystemClock), Some(&pin), None)
    }

    /// `rebuild` for a handbook with a PIN.
    #[cfg_attr(feature = "uniffi", uniffi::constructor)]
    pub fn rebuild_with_pin(
        folder: String,
        vault: Arc<dyn KeyVault>,
        pin: String,
    ) -> Result<Arc<Self>, HandbookError> {
        let pin = Pin::read(pin)?;
        Self::rebuild_by(folder, vault, Some(&pin), None)
    }

    /// Opens a handbook on a phone whose secure hardware holds its keys, with the PIN where one is set. A handbook that was joined
    /// with hardware is opened with it again: opened without, it shows what it has and begins no session.
    #[cfg_attr(feature = "uniffi", uniffi::constructor)]
    pub fn open_with_signer(
        folder: String,
        vault: Arc<dyn KeyVault>,
        signer: Arc<dyn DeviceSigner>,
        pin: Option<String>,
    ) -> Result<Arc<Self>, HandbookError> {
        let pin = pin.map(Pin::read).transpose()?;
        let clock = Arc::new(SystemClock);
        Self::open_by(folder, vault, clock, pin.as_ref(), Some(signer))
    }

    /// `rebuild` on such a phone.
    #[cfg_attr(feature = "uniffi", uniffi::constructor)]
    pub fn rebuild_with_signer(
        folder: String,
        vault: Arc<dyn KeyVault>,
        signer: Arc<dyn DeviceSigner>,
        pin: Option<String>,
    ) -> Result<Arc<Self>, HandbookError> {
        let pin = pin.map(Pin::read).transpose()?;
        Self::rebuild_by(folder, vault, pin.as_ref(), Some(signer))
    }

    /// Whether a PIN is set.
    pub fn has_pin(&self) -> Result<bool, HandbookError> {
        let inner = self.inner();
        inner.guarded(|| {
            drop(inner.enter()?);
            Ok(locked(&inner.pin).is_some())
        })
    }

    /// Sets a PIN, six digits, that every later opening asks for. `PinNeeded` where one is set: change it.
    pub fn set_pin(&self, pin: String) -> Result<(), HandbookError> {
        let pin = Pin::read(pin)?;
        self.relock(None, Then::This(pin))
    }

    /// Sets another PIN. `PinWrong` costs a try, as when opening.
    pub fn change_pin(&self, pin: String, new: String) -> Result<(), HandbookError> {
        let (pin, new) = (Zeroizing::new(pin), Pin::read(new)?);
        self.relock(Some(Pin::read(pin.to_string())?), Then::This(new))
    }

    /// Takes the PIN away. `PinWrong` costs a try, as when opening.
    pub fn remove_pin(&self, pin: String) -> Result<(), HandbookError> {
        let pin = Pin::read(pin)?;
        self.relock(Some(pin), Then::None)
    }

    /// Gives the vault a new root key. Nothing is encrypted anew, and the PIN stays; a copy of the files that somebody took opens no
    /// longer with what the vault has.
    pub fn rotate_keys(&self) -> Result<(), HandbookError> {
        self.relock(None, Then::AsNow)
    }
}

impl Handbook {
    fn relock(&self, pin: Option<Pin>, then: Then) -> Result<(), HandbookError> {
        let inner = self.inner();
        inner.guarded(|| match &pin {
            Some(pin) => {
                inner.check_pin(pin)?;
                inner.relock(true, &then)
            }
            None => inner.relock(false, &then),
        })
    }
}

impl Inner {
    /// Tries a PIN against the one that is set, if one is.
    pub(crate) fn check_pin(&self, pin: &Pin) -> Result<(), HandbookError> {
        let unlocked = {
            let _open = self.enter()?;
            let set = locked(&self.pin);
            if set.is_none() {
                return Ok(());
            }
            unlock::unlock(&PhoneDisk, &self.folder, &*self.vault, Some(pin))
        };
        match unlocked {
            Err(HandbookError::WipedAfterTries { .. }) => {
                let unsent = self.wipe()?;
                Err(HandbookError::WipedAfterTries { unsent })
            }
            unlocked => unlocked.map(drop),
        }
    }

    fn relock(&self, checked: bool, then: &Then) -> Result<(), HandbookError> {
        let _open = self.enter()?;
        let mut set = locked(&self.pin);
        if set.is_some() && !checked && !matches!(then, Then::AsNow) {
            // Says how many tries are left.
            unlock::unlock(&PhoneDisk, &self.folder, &*self.vault, None)?;
        }
        let new = match then {
            Then::AsNow | Then::None => None,
            Then::This(pin) => Some(pin.newly_stretched()?),
        };
        let wanted = match then {
            Then::AsNow => set.as_ref(),
            _ => new.as_ref(),
        };
        unlock::change(&PhoneDisk, &self.folder, &*self.vault, set.as_ref(), wanted)?;
        if !matches!(then, Then::AsNow) {
            *set = new;
        }
        Ok(())
    }
}
