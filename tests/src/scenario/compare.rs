//! Paths into a screen, and whether what stands there is what a scenario expects.

use serde_json::{Map, Value};

use crate::failure::Failure;

/// What stands at a path; nothing where it leads nowhere.
pub(super) fn at<'v>(value: &'v Value, path: &str) -> std::borrow::Cow<'v, Value> {
    use std::borrow::Cow;
    let mut here = value;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        let next = match here {
            Value::Array(list) if step == "#" => return Cow::Owned(Value::from(list.len())),
            Value::Array(list) => match step.split_once('=') {
                Some((field, wanted)) => list.iter().find(|element| has(element, field, wanted)),
                None => step.parse().ok().and_then(|place: usize| list.get(place)),
            },
            Value::Object(fields) => fields.get(step),
            _ => None,
        };
        match next {
            Some(next) => here = next,
            None => return Cow::Owned(Value::Null),
        }
    }
    Cow::Borrowed(here)
}

fn has(element: &Value, field: &str, wanted: &str) -> bool {
    match element {
        Value::String(text) => field == "is" && text == wanted,
        Value::Object(fields) => fields
            .get(field)
            .is_some_and(|value| equal(value, &Value::from(wanted))),
        _ => false,
    }
}

/// Exactly equal; or a choice with fields, and its name.
fn equal(found: &Value, expected: &Value) -> bool {
    found == expected
        || matches!((found, expected), (Value::Object(fields), Value::String(_)) if fields.get("is") == Some(expected))
}

/// Compares a value with expectations by path, and says which are not met.
pub(super) fn check(value: &Value, expected: &Map<String, Value>) -> Result<(), Failure> {
    let mut differences = Vec::new();
    for (path, wanted) in expected {
        let found = at(value, path);
        if !equal(&found, wanted) {
            differences.push(format!("{path:?} is {found}, not {wanted}"));
        }
    }
    if differences.is_empty() {
        Ok(())
    } else {
        Err(Failure(format!(
            "{}; all of it: {value}",
            differences.join("; ")
        )))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{at, check};

    #[test]
    fn paths_lead_through_records_and_lists() {
        let screen = json!({"lines": [{"name": "Mẫu Một", "mark": "Late"}, {"name": "Mẫu Hai", "mark": {"is": "Other", "code": 7}}],
            "waits_for": ["Chair", {"is": "Marks", "count": 2}]});
        assert_eq!(*at(&screen, "lines.#"), json!(2));
        assert_eq!(*at(&screen, "lines.0.mark"), json!("Late"));
        assert_eq!(*at(&screen, "lines.name=Mẫu Hai.mark.code"), json!(7));
        assert_eq!(*at(&screen, "waits_for.is=Chair"), json!("Chair"));
        assert_eq!(*at(&screen, "waits_for.is=Marks.count"), json!(2));
        assert_eq!(*at(&screen, "waits_for.is=Conflicts.count"), Value::Null);
        assert_eq!(*at(&screen, "lines.7.mark"), Value::Null);
        assert_eq!(*at(&screen, ""), screen);
    }

    #[test]
    fn a_choice_with_fields_equals_its_name_and_nothing_else_does() {
        let expected = |value: Value| value.as_object().cloned().unwrap();
        let error = json!({"is": "Refused", "why": {"is": "Closed", "what": "MeetingCancelled"}});
        assert!(
            check(
                &error,
                &expected(json!({"": "Refused", "why": "Closed", "why.what": "MeetingCancelled"}))
            )
            .is_ok()
        );
        assert!(check(&error, &expected(json!({"why": "Stale"}))).is_err());
        assert!(check(&error, &expected(json!({"why.since": "x"}))).is_err());
    }
}
