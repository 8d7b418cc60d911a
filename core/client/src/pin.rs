//! The six digits that a member may set beside the phone's own lock.
//!
//! A million PINs are few: a PIN alone protects nothing. It counts together with the root in the platform's vault, which does not leave
//! the phone, and a handbook gives ten tries before it deletes itself.

use zeroize::Zeroizing;

use crate::error::HandbookError;
use crate::keys::{self, Secret};
use crate::keys_file::{PinSalt, Stretched};

/// How many digits a PIN has.
const DIGITS: usize = 6;
/// So many wrong ones in a row delete the handbook.
pub(crate) const MAX_TRIES: u8 = 10;
/// Argon2id's memory, in KiB: as for the invitation's code, so that every phone that joined has it.
const MEMORY_KIB: u32 = sotay_model::enrolment::MEMORY_KIB;
/// Argon2id's passes. What that costs on the machine of the measurements stands in docs/benchmarks.md.
const PASSES: u32 = 2;

/// A PIN as it was typed: exactly six digits.
pub(crate) struct Pin(Zeroizing<String>);

impl Pin {
    /// `PinMalformed` for anything but six digits from 0 to 9.
    pub(crate) fn read(typed: String) -> Result<Self, HandbookError> {
        let typed = Zeroizing::new(typed);
        if typed.len() != DIGITS || !typed.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(HandbookError::PinMalformed);
        }
        Ok(Self(typed))
    }

    /// Made slow to guess.
    pub(crate) fn stretched(&self, salt: &PinSalt) -> Result<Secret, HandbookError> {
        keys::stretched(self.0.as_bytes(), salt, MEMORY_KIB, PASSES)
    }

    /// The same under a salt of its own.
    pub(crate) fn newly_stretched(&self) -> Result<Stretched, HandbookError> {
        let salt = keys::random()?;
        Ok(Stretched {
            salt,
            secret: self.stretched(&salt)?,
        })
    }
}

/// How many tries are left when so many are used.
pub(crate) const fn left(used: u8) -> u32 {
    MAX_TRIES.saturating_sub(used) as u32
}
