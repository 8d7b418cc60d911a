//! Running a story step by step.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::arguments::Arguments;
use super::{Place, Scenario, Trouble, commands, compare, screens};
use crate::fail;
use crate::failure::Failure;
use crate::phone::Phone;
use crate::view::to_json;

/// Runs a scenario from its beginning to its end.
pub fn run(scenario: &Scenario) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let mut stage = Stage {
        phones: BTreeMap::new(),
        beginning: sotay_server::system_clock().0,
        names: BTreeMap::new(),
        place: Place::make(scenario)?,
    };
    stage.names.clone_from(stage.place.names());
    for name in scenario.phones.keys() {
        let phone = Phone::new(folder.path(), name)?;
        stage.phones.insert(name.clone(), phone);
    }
    for (place, step) in scenario.steps.iter().enumerate() {
        stage
            .step(step)
            .map_err(|failure| failure.during(format!("step {} {step}\n", place + 1)))?;
    }
    Ok(())
}

struct Stage {
    phones: BTreeMap<String, Phone>,
    /// Milliseconds since 1970.
    beginning: i64,
    names: BTreeMap<String, String>,
    place: Place,
}

impl Stage {
    fn step(&mut self, step: &Value) -> Result<(), Failure> {
        let Value::Object(mut step) = self.resolved(step)? else {
            fail!("a step is an object");
        };
        step.remove("note");
        if let Some(word) = text(&mut step, "server")? {
            nothing_more(&step)?;
            return self.place.turn(&word);
        }
        if let Some(phones) = step.remove("agree") {
            return self.agree(&phones, step);
        }
        let phones = match step.remove("phones") {
            Some(list) => names(&list)?,
            None => match text(&mut step, "phone")? {
                Some(phone) => vec![phone],
                None => fail!("whose phone?"),
            },
        };
        for phone in phones {
            self.on_phone(&phone, step.clone())
                .map_err(|failure| failure.during(&phone))?;
        }
        Ok(())
    }

    fn on_phone(&mut self, name: &str, mut step: Map<String, Value>) -> Result<(), Failure> {
        let fails = match step.remove("fails") {
            Some(Value::Object(expected)) => Some(expected),
            Some(whole) => Some(Map::from_iter([(String::new(), whole)])),
            None => None,
        };
        let of = text(&mut step, "of")?;
        let Some(phone) = self.phones.get_mut(name) else {
            fail!("there is no phone {name:?}");
        };
        if let Some(screen) = text(&mut step, "expect")? {
            let shown = screens::read(phone.handbook(), &screen, of.as_deref());
            let is = step.remove("is").unwrap_or_else(|| json!({}));
            nothing_more(&step)?;
            return match outcome(shown, fails.as_ref())? {
                Some(shown) => compare::check(&shown, object(&is)?),
                None => Ok(()),
            };
        }
        let Some(command) = text(&mut step, "do")? else {
            fail!("do what?");
        };
        let save_as = text(&mut step, "as")?;
        let with = step.remove("with").unwrap_or_else(|| json!({}));
        nothing_more(&step)?;
        let mut arguments = Arguments::new(of, object(&with)?.clone());
        let done = match command.as_str() {
            "join" => {
                let invitation = match arguments.optional("invitation", super::arguments::text)? {
                    Some(text) => text,
                    None => self
                        .names
                        .get(&format!("invitation.{name}"))
                        .cloned()
                        .unwrap_or_default(),
                };
                match phone.handbook().join(invitation, format!("phone {name}")) {
                    Ok(joining) => {
                        self.place.turn(&format!("confirm {}", joining.digits))?;
                        let joined = phone.handbook().finish_joining();
                        joined.map(|_| None).map_err(Trouble::from)
                    }
                    Err(error) => Err(error.into()),
                }
            }
            "restart" => phone.restart().map(|()| None).map_err(Trouble::from),
            _ => commands::call(phone.handbook(), &command, arguments),
        };
        if let Some(made) = outcome(done, fails.as_ref())?
            && let Some(save_as) = save_as
        {
            let Some(made) = made else {
                fail!("{command} returns no key");
            };
            self.names.insert(save_as, made);
        }
        Ok(())
    }

    fn agree(&self, phones: &Value, mut step: Map<String, Value>) -> Result<(), Failure> {
        let (of, screen) = (
            text(&mut step, "of")?,
            text(&mut step, "on")?.unwrap_or_default(),
        );
        let fields = names(&step.remove("fields").unwrap_or_default())?;
        nothing_more(&step)?;
        let mut shown = Vec::new();
        for name in names(phones)? {
            let Some(phone) = self.phones.get(&name) else {
                fail!("there is no phone {name:?}");
            };
            let screen = screens::read(phone.handbook(), &screen, of.as_deref());
            shown.push((name, outcome(screen, None)?.unwrap_or_default()));
        }
        for pair in shown.windows(2) {
            let [(one, here), (other, there)] = pair else {
                continue;
            };
            for field in &fields {
                let (here, there) = (compare::at(here, field), compare::at(there, field));
                if here != there {
                    fail!("{field} differs:\n{one}: {here}\n{other}: {there}");
                }
                if here.is_null() && !field.contains("correction") {
                    fail!("{field} is nowhere");
                }
            }
        }
        Ok(())
    }

    /// The step with names, instants and long texts put in.
    fn resolved(&self, value: &Value) -> Result<Value, Failure> {
        Ok(match value {
            Value::String(text) => Value::String(self.named(text)?),
            Value::Array(list) => list
                .iter()
                .map(|one| self.resolved(one))
                .collect::<Result<_, _>>()?,
            Value::Object(fields) => match (fields.len(), fields.iter().next()) {
                (1, Some((name, Value::Number(minutes)))) if name == "in_minutes" => {
                    json!(self.beginning + minutes.as_i64().unwrap_or_default() * 60_000)
                }
                (1, Some((name, Value::Array(list)))) if name == "repeat" => {
                    let [Value::String(text), Value::Number(times)] = list.as_slice() else {
                        fail!("repeat what, how often?");
                    };
                    let times = usize::try_from(times.as_u64().unwrap_or_default())?;
                    Value::String(text.repeat(times))
                }
                _ => {
                    let mut resolved = Map::new();
                    for (name, value) in fields {
                        resolved.insert(self.named(name)?, self.resolved(value)?);
                    }
                    Value::Object(resolved)
                }
            },
            other => other.clone(),
        })
    }

    fn named(&self, text: &str) -> Result<String, Failure> {
        let mut resolved = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, behind)) = after.split_once('}') else {
                fail!("{text:?} has no closing brace");
            };
            let Some(value) = self.names.get(name) else {
                fail!("nothing is called {name:?}");
            };
            resolved.push_str(before);
            resolved.push_str(value);
            rest = behind;
        }
        resolved.push_str(rest);
        Ok(resolved)
    }
}

/// What was shown or done; nothing if it failed as it should.
fn outcome<T>(
    result: Result<T, Trouble>,
    fails: Option<&Map<String, Value>>,
) -> Result<Option<T>, Failure> {
    match (result, fails) {
        (Ok(done), None) => Ok(Some(done)),
        (Ok(_), Some(_)) => fail!("it did not fail"),
        (Err(Trouble::Told(error)), Some(expected)) => {
            compare::check(&to_json(&error)?, expected)?;
            Ok(None)
        }
        (Err(Trouble::Told(error)), None) => fail!("it failed: {error} ({error:?})"),
        (Err(Trouble::Scenario(failure)), _) => Err(failure),
    }
}

fn text(step: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Failure> {
    match step.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => fail!("{name} is a text, not {other}"),
    }
}

fn names(list: &Value) -> Result<Vec<String>, Failure> {
    let names = list.as_array().and_then(|list| {
        list.iter()
            .map(|name| name.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
    });
    names.ok_or_else(|| Failure(format!("{list} is no list of names")))
}

fn object(value: &Value) -> Result<&Map<String, Value>, Failure> {
    value
        .as_object()
        .ok_or_else(|| Failure(format!("{value} is no object")))
}

fn nothing_more(step: &Map<String, Value>) -> Result<(), Failure> {
    match step.keys().next() {
        Some(word) => fail!("the word {word:?} is not known"),
        None => Ok(()),
    }
}
