//! What a screen shows, as JSON, so that a scenario can name any of it.
//!
//! Views are plain records with a `Debug`, whose whole text is read here: one reader for all screens and errors, which
//! a new field needs no line in. A record and a choice with fields become objects with the name as `is`; a choice
//! without fields becomes its name; a wrapper such as `Timestamp(5)` becomes what it wraps; ids and keys are their text.

use std::fmt::Debug;

use serde_json::{Map, Value};

use crate::failure::Failure;

/// A view or an error as JSON.
pub fn to_json(view: &impl Debug) -> Result<Value, Failure> {
    let text = format!("{view:-?}");
    let mut reader = Reader { text: &text, at: 0 };
    let value = reader
        .value()
        .ok_or_else(|| Failure(format!("cannot read at {}: {text}", reader.at)))?;
    if reader.at == text.len() {
        Ok(value)
    } else {
        Err(Failure(format!(
            "more than a value at {}: {text}",
            reader.at
        )))
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    fn value(&mut self) -> Option<Value> {
        if self.take("[") {
            return self.list("]").map(Value::Array);
        }
        if self.rest().starts_with('"') {
            return self.string().map(Value::String);
        }
        let word = self.word()?;
        if self.take(" { ") {
            return self.fields(&word).map(Value::Object);
        }
        if self.take("(") {
            let mut wrapped = self.list(")")?;
            return match wrapped.len() {
                1 => wrapped.pop(),
                _ => Some(Value::Array(wrapped)),
            };
        }
        Some(match word.as_str() {
            "None" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            // An id is 32 digits long and may look like a number.
            _ if word.len() < 20 => word.parse::<i64>().map_or(Value::String(word), Value::from),
            _ => Value::String(word),
        })
    }

    /// A name, a number, an id or a date: everything up to the next mark.
    fn word(&mut self) -> Option<String> {
        let rest = self.rest();
        let end = rest
            .find([' ', ',', '(', ')', ']', '}', '"'])
            .unwrap_or(rest.len());
        let word = rest[..end].to_owned();
        self.at += end;
        (!word.is_empty()).then_some(word)
    }

    fn list(&mut self, end: &str) -> Option<Vec<Value>> {
        let mut values = Vec::new();
        while !self.take(end) {
            values.push(self.value()?);
            self.take(", ");
        }
        Some(values)
    }

    fn fields(&mut self, name: &str) -> Option<Map<String, Value>> {
        let mut fields = Map::new();
        fields.insert("is".into(), name.into());
        loop {
            if self.take("}") || self.take(" }") {
                return Some(fields);
            }
            let rest = self.rest();
            let field = rest[..rest.find(": ")?].to_owned();
            self.at += field.len() + 2;
            let value = self.value()?;
            fields.insert(field, value);
            self.take(", ");
        }
    }

    fn string(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut chars = self.text[self.at..].char_indices().skip(1);
        while let Some((place, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += place + 1;
                    return Some(text);
                }
                '\\' => text.push(match chars.next()?.1 {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    '0' => '\0',
                    'u' => {
                        let digits: String = chars
                            .by_ref()
                            .map(|(_, c)| c)
                            .skip(1)
                            .take_while(|c| *c != '}')
                            .collect();
                        char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                    }
                    other => other,
                }),
                other => text.push(other),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sotay_client::HandbookError;
    use sotay_model::rejection::{Fault, Field, Rejection};
    use sotay_model::{CalendarDate, Id, MemberId, Timestamp};

    use super::to_json;

    #[test]
    fn an_error_is_an_object_with_its_facts() {
        let error = HandbookError::Refused {
            why: Rejection::Invalid {
                field: Field::EndsAt,
                why: Fault::EndBeforeStart,
            },
        };
        let expected = json!({"is": "Refused", "why": {"is": "Invalid", "field": "EndsAt", "why": "EndBeforeStart"}});
        assert_eq!(to_json(&error).unwrap(), expected);
        assert_eq!(to_json(&HandbookError::NotHere).unwrap(), json!("NotHere"));
    }

    #[test]
    fn wrappers_lists_and_texts_are_what_they_hold() {
        #[derive(Debug)]
        #[allow(dead_code)]
        struct Screen {
            at: Timestamp,
            day: CalendarDate,
            who: MemberId,
            note: Option<String>,
            none: Option<u8>,
            numbers: Vec<i32>,
            nothing: Vec<i32>,
            yes: bool,
        }
        let screen = Screen {
            at: Timestamp(-5),
            day: CalendarDate::new(2026, 11, 1).unwrap(),
            who: MemberId(Id::from_bytes([0x11; 16])),
            note: Some("a \"b\" {c: [d], \n\u{202e}\u{7}} ế".into()),
            none: None,
            numbers: vec![1, -2],
            nothing: vec![],
            yes: true,
        };
        let expected = json!({"is": "Screen", "at": -5, "day": "2026-11-01", "who": "11".repeat(16),
            "note": "a \"b\" {c: [d], \n\u{202e}\u{7}} ế", "none": null, "numbers": [1, -2], "nothing": [], "yes": true});
        assert_eq!(to_json(&screen).unwrap(), expected);
    }
}
