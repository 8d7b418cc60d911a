//! Reading the profile, and asking for a correction.

use sotay_model::profile::ProfileField;

use super::views::ProfileView;
use crate::error::HandbookError;
use crate::handbook::Handbook;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// The profile and the card.
    pub fn profile(&self) -> Result<ProfileView, HandbookError> {
        todo!()
    }

    /// Says that a line of the own profile is wrong; the office passes it to the register.
    pub fn request_correction(&self, field: ProfileField, text: String) -> Result<(), HandbookError> {
        todo!()
    }
}
