//! The one thing a member may do to the profile: say that it is wrong.

use minicbor::{Decode, Encode};

use super::records::{CorrectionRequest, ProfileField};
use crate::apply::Context;
use crate::cbor::UnknownKeys;
use crate::id::{Id, RecordKey, Scope};
use crate::organisation::{Act, Member};
use crate::record::{Effect, Put};
use crate::rejection::{Denial, Fault, Field, Rejection};
use crate::text::{self, MAX_NOTE};
use crate::world::Stop;

/// Says that a line of the own profile is wrong.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
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

pub(crate) fn request_correction(c: &Context<'_>, i: &RequestCorrection) -> Result<Effect, Stop> {
    let text = text::required_lines(Field::Text, &i.text, MAX_NOTE)?;
    if matches!(i.field, ProfileField::Unknown { .. }) {
        return Err(Rejection::Invalid {
            field: Field::Choice,
            why: Fault::UnknownValue,
        }
        .into());
    }
    // Also for those whose membership ended: the register may still be wrong about them.
    c.permit(&Act::RequestCorrection)?;
    let member = c.my_id()?;
    let entry = c.world.get::<Member>(Member::key(member))?;
    let entry = entry.ok_or(Rejection::NotAllowed {
        why: Denial::NotAMember,
    })?;
    let key = RecordKey::new(Scope::person(member), i.id);
    c.fresh(key)?;
    let request = CorrectionRequest {
        member,
        field: i.field,
        text,
        made_at: c.made_at,
        cell: entry.body.cell,
        unknown: UnknownKeys::none(),
    };
    Ok(Effect {
        puts: vec![Put::of(key, member.0, &request)],
    })
}

crate::redacted! {
    RequestCorrection { id, field, text },
}
