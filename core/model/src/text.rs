//! Checks of free text: every text passes here before anything is stored.

use crate::rejection::{Field, Rejection};

/// The most characters of a title, a name, a place, a heading.
pub const MAX_LINE: u32 = 200;
/// The most characters of a note, a reason, an entry of the agenda.
pub const MAX_NOTE: u32 = 2_000;
/// The most characters of a section's text.
pub const MAX_TEXT: u32 = 20_000;
/// The most entries of a list.
pub const MAX_LIST: u32 = 100;
/// The most sections of a document.
pub const MAX_SECTIONS: u32 = 500;

/// A required line: not empty, within the limit, no control or direction-override characters, no secrecy marking.
/// Returns it in Unicode normal form C with surrounding white space removed.
pub fn required(_field: Field, _text: &str, _limit: u32) -> Result<String, Rejection> {
    todo!()
}

/// The same for a text that may be left out; an empty one counts as left out.
pub fn optional(
    _field: Field,
    _text: Option<&str>,
    _limit: u32,
) -> Result<Option<String>, Rejection> {
    todo!()
}
