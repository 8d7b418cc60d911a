//! The one thing a member may do to the profile: say that it is wrong.

use super::records::ProfileField;
use crate::apply::Context;
use crate::id::Id;
use crate::record::Effect;
use crate::world::Stop;
use minicbor::{Decode, Encode};

/// Says that a line of the own profile is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RequestCorrection {
    /// The request.
    #[n(0)]
    pub id: Id,
    /// Which line.
    #[n(1)]
    pub field: ProfileField,
    /// What it should say.
    #[n(2)]
    pub text: String,
}

pub(crate) fn request_correction(_c: &Context<'_>, _i: &RequestCorrection) -> Result<Effect, Stop> {
    todo!()
}
