//! Reading a screen by its name.

use serde_json::Value;
use sotay_client::Handbook;

use super::Trouble;
use super::arguments::key;
use crate::failure::Failure;
use crate::view::to_json;

/// The most lines a screen's page may have.
const PAGE: u32 = 200;

/// What a screen shows.
pub(super) fn read(handbook: &Handbook, screen: &str, of: Option<&str>) -> Result<Value, Trouble> {
    let meeting = || key(of);
    let document = || key(of);
    let shown = match screen {
        "home" => to_json(&handbook.home()?),
        "outbox" => to_json(&handbook.outbox()?),
        "meetings" => to_json(&handbook.meetings(None, PAGE)?),
        "meeting" => to_json(&handbook.meeting(meeting()?)?),
        "notice_form" => to_json(&handbook.notice_form(meeting()?)?),
        "answers" => to_json(&handbook.answers(meeting()?)?),
        "roll_call" => to_json(&handbook.roll_call(meeting()?)?),
        "library" => to_json(&handbook.library(None, PAGE)?),
        "document" => to_json(&handbook.document(document()?)?),
        "sections" => to_json(&handbook.sections(document()?, 0, PAGE)?),
        "profile" => to_json(&handbook.profile()?),
        other => return Err(Failure(format!("there is no screen {other:?}")).into()),
    };
    Ok(shown?)
}
