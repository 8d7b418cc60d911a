//! The arguments of a step, by name, as the types of the handbook.

use std::str::FromStr;

use serde_json::{Map, Value};
use sotay_model::{CalendarDate, MemberId, Timestamp};

use crate::failure::Failure;

/// The `with` of a step. Each argument that is read is taken off; one that nobody reads is a mistake in the scenario.
#[derive(Debug)]
pub(super) struct Arguments {
    of: Option<String>,
    with: Map<String, Value>,
}

impl Arguments {
    pub(super) const fn new(of: Option<String>, with: Map<String, Value>) -> Self {
        Self { of, with }
    }

    /// The meeting or document of the step.
    pub(super) fn of<K: FromStr>(&self) -> Result<K, Failure> {
        key(self.of.as_deref())
    }

    /// An argument; none if it is left out or null.
    pub(super) fn value(&mut self, name: &str) -> Option<Value> {
        self.with.remove(name).filter(|value| !value.is_null())
    }

    /// An argument read by `read`.
    pub(super) fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        self.value(name)
            .map(|value| read(&value).ok_or_else(|| Failure(format!("{name} cannot be {value}"))))
            .transpose()
    }

    /// The same, where it must be given.
    pub(super) fn required<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, Failure> {
        self.optional(name, read)?
            .ok_or_else(|| Failure(format!("{name} is missing")))
    }

    /// A text that must be given.
    pub(super) fn text(&mut self, name: &str) -> Result<String, Failure> {
        self.required(name, text)
    }

    /// A member that must be given.
    pub(super) fn member(&mut self, name: &str) -> Result<MemberId, Failure> {
        self.required(name, parsed)
    }

    /// A list; none if it is left out.
    pub(super) fn list<T>(
        &mut self,
        name: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<Vec<T>>, Failure> {
        self.optional(name, |value| value.as_array()?.iter().map(read).collect())
    }

    /// Complains about an argument that nobody read.
    pub(super) fn end(self) -> Result<(), Failure> {
        match self.with.keys().next() {
            Some(name) => Err(Failure(format!("there is no argument {name:?}"))),
            None => Ok(()),
        }
    }
}

/// A key from a step's `of`.
pub(super) fn key<K: FromStr>(of: Option<&str>) -> Result<K, Failure> {
    let text = of.ok_or_else(|| Failure("`of` is missing".into()))?;
    text.parse()
        .map_err(|_| Failure(format!("{text:?} is no key")))
}

pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Something that has a text form.
pub(super) fn parsed<T: FromStr>(value: &Value) -> Option<T> {
    value.as_str()?.parse().ok()
}

pub(super) fn instant(value: &Value) -> Option<Timestamp> {
    value.as_i64().map(Timestamp)
}

pub(super) fn date(value: &Value) -> Option<CalendarDate> {
    parsed(value)
}

pub(super) fn number(value: &Value) -> Option<u32> {
    value.as_u64()?.try_into().ok()
}

/// A choice by its name: `named(Choice::from_name)`.
pub(super) fn named<T>(from_name: fn(&str) -> Option<T>) -> impl Fn(&Value) -> Option<T> {
    move |value| from_name(value.as_str()?)
}
