//! The records a rule may look at.
//!
//! A world lies in memory. A rule that needs something not loaded yet asks for it; the driver loads it and runs the rule
//! again. So storage, and its errors, never enter the model: a full disk can never look like "not found".

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::id::{Id, RecordKey, Scope};
use crate::record::{Body, Kind, Put, Record};
use crate::rejection::{Rejection, Subject};

/// Something a rule must see before it can decide.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// One record, or the knowledge that there is none.
    Record(RecordKey),
    /// All records of a kind with this parent that the scope shows.
    Children(Children),
}

/// The question for all records of a kind that one scope shows, under one parent or under any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Children {
    /// The scope whose feed is asked.
    pub scope: Scope,
    /// The kind of record.
    pub kind: Kind,
    /// The parent; none asks for those of every parent (a member's own appointments, wherever they are).
    pub parent: Option<Id>,
}

impl Children {
    /// Whether a record of this kind, parent and audience is among the answers.
    pub fn include(&self, kind: Kind, parent: Id, audience: &[Scope]) -> bool {
        self.kind == kind
            && self.parent.is_none_or(|wanted| wanted == parent)
            && audience.contains(&self.scope)
    }
}

/// The loaded part of the records.
#[derive(Debug, Clone, Default)]
pub struct World {
    records: BTreeMap<RecordKey, Option<Record>>,
    children: BTreeMap<Children, BTreeSet<RecordKey>>,
}

impl World {
    /// An empty world: everything must be loaded.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the answer to `need` is loaded.
    pub fn knows(&self, need: &Need) -> bool {
        match need {
            Need::Record(key) => self.records.contains_key(key),
            Need::Children(children) => self.children.contains_key(children),
        }
    }

    /// Loads a record, or that there is none under this key.
    pub fn load_record(&mut self, key: RecordKey, record: Option<Record>) {
        self.records.insert(key, record);
    }

    /// Loads the whole answer to a question for children.
    pub fn load_children(&mut self, question: Children, found: Vec<Record>) {
        self.children
            .insert(question, found.iter().map(|record| record.key).collect());
        for record in found {
            self.records.insert(record.key, Some(record));
        }
    }

    /// What is known of a record: `None` when it is not loaded.
    pub fn record(&self, key: &RecordKey) -> Option<Option<&Record>> {
        self.records.get(key).map(Option::as_ref)
    }

    /// Writes an effect into the loaded part, so that the next mutation of a batch sees it. `stamp` gives the new version.
    pub fn write(&mut self, put: &Put, stamp: crate::record::Stamp) {
        for (question, keys) in &mut self.children {
            if question.include(put.kind, put.parent, &put.audience) {
                keys.insert(put.key);
            } else {
                keys.remove(&put.key);
            }
        }
        self.records.insert(
            put.key,
            Some(Record {
                key: put.key,
                kind: put.kind,
                parent: put.parent,
                stamp,
                body: put.body.clone(),
            }),
        );
    }
}

/// Why a rule stops before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Something is not loaded; what, the reader has noted.
    Unloaded,
    /// The answer is no.
    Rejected(Rejection),
}

impl From<Rejection> for Stop {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// A record together with its body read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// The record as stored.
    pub record: Record,
    /// Its body.
    pub body: T,
}

/// How rules read the world: notes what is missing, so that one more round loads it.
#[derive(Debug)]
pub struct Reader<'w> {
    world: &'w World,
    needs: RefCell<BTreeSet<Need>>,
}

impl<'w> Reader<'w> {
    /// Reads from `world`.
    pub const fn new(world: &'w World) -> Self {
        Self {
            world,
            needs: RefCell::new(BTreeSet::new()),
        }
    }

    /// What was asked for and is not loaded.
    pub fn into_needs(self) -> Vec<Need> {
        self.needs.into_inner().into_iter().collect()
    }

    /// The record under a key, with its body; `None` where there is none.
    pub fn get<T: Body>(&self, key: RecordKey) -> Result<Option<Found<T>>, Stop> {
        match self.world.records.get(&key) {
            None => Err(self.unloaded(Need::Record(key))),
            Some(None) => Ok(None),
            Some(Some(record)) => Ok(record.read().ok().map(|body| Found {
                record: record.clone(),
                body,
            })),
        }
    }

    /// The record under a key, or a refusal that names what is missing.
    pub fn require<T: Body>(&self, key: RecordKey, what: Subject) -> Result<Found<T>, Stop> {
        self.get(key)?
            .ok_or(Stop::Rejected(Rejection::NotFound { what }))
    }

    /// The record, of whatever kind, that has this key.
    pub fn any(&self, key: RecordKey) -> Result<Option<&Record>, Stop> {
        match self.world.records.get(&key) {
            None => Err(self.unloaded(Need::Record(key))),
            Some(record) => Ok(record.as_ref()),
        }
    }

    /// All records of a kind with this parent that the scope shows, sorted by key. Unreadable bodies are left out.
    pub fn children<T: Body>(&self, scope: Scope, parent: Id) -> Result<Vec<Found<T>>, Stop> {
        self.answers(Children {
            scope,
            kind: T::KIND,
            parent: Some(parent),
        })
    }

    /// All records of a kind that the scope shows, whatever their parent, sorted by key. Unreadable bodies are left out.
    pub fn all<T: Body>(&self, scope: Scope) -> Result<Vec<Found<T>>, Stop> {
        self.answers(Children {
            scope,
            kind: T::KIND,
            parent: None,
        })
    }

    fn answers<T: Body>(&self, question: Children) -> Result<Vec<Found<T>>, Stop> {
        let Some(keys) = self.world.children.get(&question) else {
            return Err(self.unloaded(Need::Children(question)));
        };
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            if let Some(Some(record)) = self.world.records.get(key)
                && let Ok(body) = record.read()
            {
                found.push(Found {
                    record: record.clone(),
                    body,
                });
            }
        }
        Ok(found)
    }

    fn unloaded(&self, need: Need) -> Stop {
        self.needs.borrow_mut().insert(need);
        Stop::Unloaded
    }
}
