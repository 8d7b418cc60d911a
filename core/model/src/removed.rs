//! What stands where a text was that should never have been entered.
//!
//! A secret that slipped through the gate is removed everywhere, but the record stays: meetings, sheets and figures go on without
//! its words. In place of each text stands [`REMOVED`], which every screen shows as it shows any text. It begins with a
//! character that [`crate::text`] takes out of whatever people enter, so nobody can write it, and finding it in a body means
//! that words were removed from it.

/// What is shown instead: "content removed".
pub const REMOVED: &str = "\u{2060}Nội dung đã gỡ bỏ";

/// Whether words were removed from a record, by its body.
pub fn is_removed(body: &[u8]) -> bool {
    let mark = REMOVED.as_bytes();
    // The first byte is rare in Vietnamese, so this is about as fast as looking for one byte.
    body.iter().enumerate().any(|(at, byte)| {
        Some(byte) == mark.first() && body.get(at..).is_some_and(|rest| rest.starts_with(mark))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Field;
    use crate::text::{MAX_LINE, required};
    use unicode_normalization::is_nfc;

    #[test]
    fn spill_nobody_can_enter_the_words_that_stand_for_removed_ones() {
        let entered = required(Field::Title, REMOVED, MAX_LINE).unwrap();
        assert!(!is_removed(entered.as_bytes()));
        assert!(!entered.is_empty() && is_nfc(REMOVED));
    }

    #[test]
    fn the_mark_is_found_wherever_it_stands_and_no_part_of_it_is() {
        let mark = REMOVED.as_bytes();
        for (before, behind) in [(0, 0), (0, 5), (5, 0), (5, 5)] {
            let body = [&vec![0xe2; before], mark, &vec![0xe2; behind]].concat();
            assert!(is_removed(&body));
        }
        assert!(
            !is_removed(&mark[..mark.len() - 1]) && !is_removed(&mark[1..]) && !is_removed(b"")
        );
    }
}
