//! Checks of free text: every text of every mutation passes here before anything is stored.
//!
//! A text that passes is in Unicode normal form C, has no white space around it, no control characters (a text of several
//! lines may have tabs and line feeds), nothing that turns its direction, and no secrecy marking. Characters that carry
//! nothing and come along when people paste (soft hyphen, byte-order mark, zero-width space) are taken out silently.
//!
//! A marking is a word in capitals as a stamp has it: MẬT, TỐI MẬT, TUYỆT MẬT, HẠN CHẾ. It is never guessed from the
//! contents: lower case passes, and so do the compounds of ordinary headings (BẢO MẬT, BÍ MẬT, MẬT ONG).

use unicode_normalization::UnicodeNormalization;

use crate::rejection::{Fault, Field, Rejection, SecrecyMarking};

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

/// Words in capitals that make an ordinary compound of a following MẬT.
const BEFORE_ORDINARY: [&str; 2] = ["BẢO", "BÍ"];
/// Words in capitals that make an ordinary compound of a preceding MẬT.
const BEHIND_ORDINARY: [&str; 6] = ["ONG", "ĐỘ", "THIẾT", "MÃ", "KHẨU", "VỤ"];

/// A required line: not empty, within the limit, no control or direction-override characters, no secrecy marking.
/// Returns it in Unicode normal form C with surrounding white space removed.
pub fn required(field: Field, text: &str, limit: u32) -> Result<String, Rejection> {
    not_empty(field, clean(field, text, limit, Lines::One)?)
}

/// The same for a line that may be left out; an empty one counts as left out.
pub fn optional(field: Field, text: Option<&str>, limit: u32) -> Result<Option<String>, Rejection> {
    may_be_empty(field, text, limit, Lines::One)
}

/// A required text that may have several lines, separated by line feeds.
pub fn required_lines(field: Field, text: &str, limit: u32) -> Result<String, Rejection> {
    not_empty(field, clean(field, text, limit, Lines::Many)?)
}

/// The same for a text that may be left out; an empty one counts as left out.
pub fn optional_lines(
    field: Field,
    text: Option<&str>,
    limit: u32,
) -> Result<Option<String>, Rejection> {
    may_be_empty(field, text, limit, Lines::Many)
}

/// The secrecy marking that a text carries, if any; of several the highest.
pub fn secrecy_marking(text: &str) -> Option<SecrecyMarking> {
    // Compatibility forms, so that full-width capitals are the same words; joiners out, so that they part none.
    let plain: String = text.nfkc().filter(|c| !is_joiner(*c)).collect();
    let words: Vec<&str> = plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let word = |place: Option<usize>| place.and_then(|at| words.get(at)).copied().unwrap_or("");
    let found = words
        .iter()
        .enumerate()
        .filter_map(|(at, current)| match *current {
            "MẬT" => match word(at.checked_sub(1)) {
                "TUYỆT" => Some(SecrecyMarking::UtmostSecret),
                "TỐI" => Some(SecrecyMarking::TopSecret),
                before if BEFORE_ORDINARY.contains(&before) => None,
                _ if BEHIND_ORDINARY.contains(&word(at.checked_add(1))) => None,
                _ => Some(SecrecyMarking::Secret),
            },
            "CHẾ" if word(at.checked_sub(1)) == "HẠN" => Some(SecrecyMarking::Restricted),
            _ => None,
        });
    found.max()
}

/// Whether a text is one line or may have several.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    One,
    Many,
}

fn not_empty(field: Field, text: String) -> Result<String, Rejection> {
    if text.is_empty() {
        Err(Rejection::Invalid {
            field,
            why: Fault::Empty,
        })
    } else {
        Ok(text)
    }
}

fn may_be_empty(
    field: Field,
    text: Option<&str>,
    limit: u32,
    lines: Lines,
) -> Result<Option<String>, Rejection> {
    let cleaned = text
        .map(|text| clean(field, text, limit, lines))
        .transpose()?;
    Ok(cleaned.filter(|text| !text.is_empty()))
}

fn clean(field: Field, text: &str, limit: u32, lines: Lines) -> Result<String, Rejection> {
    let unified = match lines {
        Lines::One => text.to_owned(),
        Lines::Many => text
            .replace("\r\n", "\n")
            .replace(['\r', '\u{85}', '\u{2028}', '\u{2029}'], "\n"),
    };
    // What carries nothing goes first: it may stand between characters that belong together.
    let composed: String = unified
        .chars()
        .filter(|c| !carries_nothing(*c))
        .nfc()
        .collect();
    let trimmed = composed.trim();
    for c in trimmed.chars() {
        if turns_direction(c) {
            return Err(Rejection::Invalid {
                field,
                why: Fault::DirectionOverride,
            });
        }
        let line_break = lines == Lines::Many && matches!(c, '\n' | '\t');
        if is_control(c) && !line_break {
            return Err(Rejection::Invalid {
                field,
                why: Fault::ControlCharacter,
            });
        }
    }
    if trimmed.chars().all(shows_nothing) {
        return Ok(String::new());
    }
    if let Some(level) = secrecy_marking(trimmed) {
        return Err(Rejection::Secret { field, level });
    }
    if trimmed.chars().count() > limit as usize {
        return Err(Rejection::TooLarge { field, limit });
    }
    Ok(trimmed.to_owned())
}

/// Embeddings, overrides, isolates and marks of direction.
const fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{61C}')
}

/// Control characters, separators that act like them, and annotation characters, which no keyboard types.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{206A}'..='\u{206F}' | '\u{FFF9}'..='\u{FFFB}')
}

/// Invisible characters without a meaning in a text of ours; they come along with pasted text, and could part a marking.
const fn carries_nothing(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{34F}' | '\u{180E}' | '\u{200B}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}'
    )
}

/// Joiners and variation selectors, which emoji need.
const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// A text of nothing but these is empty to a reader.
fn shows_nothing(c: char) -> bool {
    c.is_whitespace()
        || is_joiner(c)
        || matches!(
            c,
            '\u{115F}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Result<String, Rejection> {
        required(Field::Title, text, MAX_LINE)
    }

    fn secret(level: SecrecyMarking) -> Result<String, Rejection> {
        Err(Rejection::Secret {
            field: Field::Title,
            level,
        })
    }

    fn invalid(why: Fault) -> Result<String, Rejection> {
        Err(Rejection::Invalid {
            field: Field::Title,
            why,
        })
    }

    #[test]
    fn a_line_is_composed_and_trimmed() {
        let decomposed: String = "  Sinh hoạt thường kỳ ".nfd().collect();
        assert_eq!(line(&decomposed), Ok("Sinh hoạt thường kỳ".to_owned()));
    }

    #[test]
    fn nothing_but_invisible_characters_is_empty() {
        for text in [
            "",
            " \t ",
            "\u{3000}",
            "\u{200B}\u{FEFF}",
            "\u{200D}",
            "\u{3164}",
        ] {
            assert_eq!(line(text), invalid(Fault::Empty), "{text:?}");
        }
        assert_eq!(optional(Field::Note, Some("  "), MAX_NOTE), Ok(None));
        assert_eq!(optional(Field::Note, None, MAX_NOTE), Ok(None));
    }

    #[test]
    fn control_characters_are_refused_in_a_line() {
        for text in [
            "a\0b",
            "a\u{1B}[2Jb",
            "a\nb",
            "a\tb",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{FFF9}b",
        ] {
            assert_eq!(line(text), invalid(Fault::ControlCharacter), "{text:?}");
        }
    }

    #[test]
    fn a_text_of_several_lines_has_line_feeds_only() {
        let text = required_lines(Field::Text, "một\r\nhai\rba\u{2028}bốn\tnăm", MAX_TEXT);
        assert_eq!(text, Ok("một\nhai\nba\nbốn\tnăm".to_owned()));
        assert!(required_lines(Field::Text, "a\u{7}b", MAX_TEXT).is_err());
    }

    #[test]
    fn characters_that_turn_the_direction_are_refused() {
        for c in [
            '\u{202A}', '\u{202E}', '\u{2066}', '\u{2069}', '\u{200E}', '\u{200F}', '\u{61C}',
        ] {
            let text = format!("Họp {c}chi bộ");
            assert_eq!(line(&text), invalid(Fault::DirectionOverride), "{c:?}");
            assert!(
                required_lines(Field::Title, &text, MAX_TEXT).is_err(),
                "{c:?}"
            );
        }
    }

    #[test]
    fn what_is_taken_out_from_between_two_marks_leaves_them_in_order() {
        let text = line("Tb\u{200B}\u{36E}\u{200B}\u{301}\u{319}").unwrap();
        assert_eq!(text, "Tb\u{319}\u{36E}\u{301}");
        assert_eq!(line(&text), Ok(text));
    }

    #[test]
    fn pasted_invisible_characters_are_taken_out_and_emoji_stay_whole() {
        assert_eq!(
            line("\u{FEFF}Họp chi\u{AD} bộ\u{200B}"),
            Ok("Họp chi bộ".to_owned())
        );
        let family = "Gia đình 👨‍👩‍👧 ❤️";
        assert_eq!(line(family), Ok(family.to_owned()));
    }

    #[test]
    fn the_limit_counts_characters_not_bytes() {
        assert!(line(&"ậ".repeat(200)).is_ok());
        let long = Err(Rejection::TooLarge {
            field: Field::Title,
            limit: 200,
        });
        assert_eq!(line(&"ậ".repeat(201)), long);
        assert_eq!(line(&"a".repeat(100_000)), long);
    }

    #[test]
    fn markings_are_found_as_whole_words_in_capitals() {
        for (text, level) in [
            ("TUYỆT MẬT", SecrecyMarking::UtmostSecret),
            ("Kế hoạch (TỐI MẬT) số 5", SecrecyMarking::TopSecret),
            ("MẬT", SecrecyMarking::Secret),
            ("Độ mật: MẬT.", SecrecyMarking::Secret),
            ("TÀI LIỆU MẬT", SecrecyMarking::Secret),
            ("Văn bản HẠN CHẾ", SecrecyMarking::Restricted),
            ("TUYỆT  \u{a0} MẬT", SecrecyMarking::UtmostSecret),
            ("ＴỐＩ ＭẬＴ", SecrecyMarking::TopSecret),
            ("M\u{200B}ẬT", SecrecyMarking::Secret),
            ("MẬ\u{200D}T", SecrecyMarking::Secret),
            ("HẠN CHẾ, MẬT", SecrecyMarking::Secret),
        ] {
            assert_eq!(line(text), secret(level), "{text}");
            let decomposed: String = text.nfd().collect();
            assert_eq!(line(&decomposed), secret(level), "{text} decomposed");
        }
        assert!(required_lines(Field::Title, "TUYỆT\nMẬT", MAX_TEXT).is_err());
    }

    #[test]
    fn ordinary_words_pass() {
        for text in [
            "mật ong rừng",
            "giữ bí mật công tác",
            "Những hạn chế, khuyết điểm",
            "Luật Bảo vệ bí mật nhà nước",
            "TẬP HUẤN BẢO MẬT",
            "LUẬT BẢO VỆ BÍ MẬT NHÀ NƯỚC",
            "NUÔI ONG LẤY MẬT ONG",
            "MẬT ĐỘ DÂN CƯ",
            "MẬTX",
            "CHẾ ĐỘ",
            "Mật thư",
        ] {
            assert_eq!(line(text), Ok(text.to_owned()), "{text}");
        }
    }
}
