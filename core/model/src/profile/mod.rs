//! A member's own particulars, as the party's register has them: read only, with a way to ask for a correction.

mod records;
mod rules;

pub use records::{CorrectionRequest, Profile, ProfileField};
pub use rules::RequestCorrection;
pub(crate) use rules::request_correction;
