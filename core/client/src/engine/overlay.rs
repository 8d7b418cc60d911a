//! What the pending mutations do: decided by the same rules as on the server, over what the server confirmed.
//!
//! The overlay is never sent and never trusted: after every page or receipt it is made anew by replaying the outbox, each
//! mutation with the instant it was submitted at. A mutation that a rule refuses in a replay has no effect for now and
//! stays pending; only a receipt of the server parks it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, params};
use sotay_model::defect::{self, Defect};
use sotay_model::world::Children;
use sotay_model::{
    Actor, Effect, Kind, MemberId, Mutation, Need, Now, Outcome, Record, RecordKey, Rejection,
    Scope, Stamp, Timestamp, World, apply, cbor,
};

use crate::error::HandbookError;
use crate::store::rows::{self, DAMAGED, Laid, Standing};
use crate::store::schema::RECORD_BITS;
use crate::watch::Touched;

/// More rounds of loading than any rule needs.
const MAX_ROUNDS: usize = 200;

/// Everything laid over the confirmed records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Overlay {
    laid: BTreeMap<RecordKey, Laid>,
    of_kind: BTreeMap<Kind, BTreeSet<RecordKey>>,
}

impl Overlay {
    /// The table as it stands.
    pub(crate) fn load(db: &Connection) -> Result<Self, HandbookError> {
        let mut overlay = Self::default();
        for (key, laid) in rows::all_laid(db)? {
            overlay.lay(key, laid);
        }
        Ok(overlay)
    }

    /// What is laid over a record.
    pub(crate) fn get(&self, key: &RecordKey) -> Option<&Laid> {
        self.laid.get(key)
    }

    fn lay(&mut self, key: RecordKey, laid: Laid) {
        if let Some(before) = self.laid.get(&key)
            && before.kind != laid.kind
            && let Some(keys) = self.of_kind.get_mut(&before.kind)
        {
            keys.remove(&key);
        }
        self.of_kind.entry(laid.kind).or_default().insert(key);
        self.laid.insert(key, laid);
    }

    /// Lays the effect of mutation `n` over what is there.
    pub(crate) fn lay_effect(
        &mut self,
        db: &Connection,
        n: i64,
        effect: Effect,
    ) -> Result<Touched, HandbookError> {
        let mut touched = Touched::default();
        for put in effect.puts {
            touched.record(put.kind, put.parent, put.key);
            let creator = match self.laid.get(&put.key) {
                Some(before) => before.creator,
                None if rows::base(db, put.key)?.is_none() => Some(n),
                None => None,
            };
            let laid = Laid {
                kind: put.kind,
                parent: put.parent,
                audience: put.audience,
                body: put.body,
                n,
                creator,
            };
            self.lay(put.key, laid);
        }
        Ok(touched)
    }

    /// Takes back what was laid, after a failure to store it.
    pub(crate) fn put_back(&mut self, before: Vec<(RecordKey, Option<Laid>)>) {
        for (key, laid) in before {
            match laid {
                Some(laid) => self.lay(key, laid),
                None => {
                    if let Some(laid) = self.laid.remove(&key)
                        && let Some(keys) = self.of_kind.get_mut(&laid.kind)
                    {
                        keys.remove(&key);
                    }
                }
            }
        }
    }

    /// Writes the rows that differ from `before` into the table, and says which they are.
    fn store(&self, db: &Connection, before: &Self) -> Result<Touched, HandbookError> {
        let mut touched = Touched::default();
        for (key, laid) in &before.laid {
            if !self.laid.contains_key(key) {
                db.prepare_cached("DELETE FROM overlay WHERE id = ?1 AND home = ?2")?
                    .execute(params![key.id.as_bytes(), key.home.to_bytes()])?;
                touched.record(laid.kind, laid.parent, *key);
            }
        }
        for (key, laid) in &self.laid {
            if before.laid.get(key) != Some(laid) {
                store_laid(db, key, laid)?;
                touched.record(laid.kind, laid.parent, *key);
            }
        }
        Ok(touched)
    }

    /// Writes the rows that an effect touched into the table.
    pub(crate) fn store_touched(
        &self,
        db: &Connection,
        touched: &Touched,
    ) -> Result<(), HandbookError> {
        for (_, _, key) in &touched.records {
            if let Some(laid) = self.laid.get(key) {
                store_laid(db, key, laid)?;
            }
        }
        Ok(())
    }
}

fn store_laid(db: &Connection, key: &RecordKey, laid: &Laid) -> Result<(), HandbookError> {
    db.prepare_cached(
        "INSERT INTO overlay (home, id, kind, parent, audience, body, n, creator) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (id, home) DO UPDATE SET kind = excluded.kind, parent = excluded.parent,
         audience = excluded.audience, body = excluded.body, n = excluded.n, creator = excluded.creator",
    )?
    .execute(params![
        key.home.to_bytes(),
        key.id.as_bytes(),
        laid.kind.code(),
        laid.parent.as_bytes(),
        rows::audience_bytes(&laid.audience),
        laid.body,
        laid.n,
        laid.creator,
    ])?;
    Ok(())
}

/// The answers to a rule's questions, from the confirmed records with the overlay over them.
struct Loader<'l> {
    db: &'l Connection,
    overlay: &'l Overlay,
}

impl Loader<'_> {
    fn load(&self, world: &mut World, need: Need) -> Result<(), HandbookError> {
        match need {
            Need::Record(key) => world.load_record(key, self.record(key)?),
            Need::Children(question) => world.load_children(question, self.children(question)?),
        }
        Ok(())
    }

    fn record(&self, key: RecordKey) -> Result<Option<Record>, HandbookError> {
        let base = rows::base(self.db, key)?;
        Ok(match self.overlay.get(&key) {
            Some(laid) => {
                Some(laid.record(key, base.map_or_else(Stamp::default, |record| record.stamp)))
            }
            None => base,
        })
    }

    fn children(&self, question: Children) -> Result<Vec<Record>, HandbookError> {
        let sid = scope_number(self.db, question.scope)?;
        let mut found = BTreeMap::new();
        let mut stamps = BTreeMap::new();
        rows::base_of_kind(self.db, question.kind, question.parent, |rid, record| {
            stamps.insert(record.key, record.stamp);
            if shows(self.db, sid, question.scope, rid)? {
                found.insert(record.key, record);
            }
            Ok(())
        })?;
        for key in self
            .overlay
            .of_kind
            .get(&question.kind)
            .into_iter()
            .flatten()
        {
            let Some(laid) = self.overlay.get(key) else {
                continue;
            };
            if question.include(laid.kind, laid.parent, &laid.audience) {
                let stamp = stamps.get(key).copied().unwrap_or_default();
                found.insert(*key, laid.record(*key, stamp));
            } else {
                found.remove(key);
            }
        }
        Ok(found.into_values().collect())
    }
}

/// The small number of a scope, if any key or feed ever named it.
pub(crate) fn scope_number(db: &Connection, scope: Scope) -> Result<Option<i64>, HandbookError> {
    let mut select = db.prepare_cached("SELECT sid FROM scope WHERE scope = ?1")?;
    Ok(select
        .query_row([scope.to_bytes()], |row| row.get(0))
        .optional()?)
}

/// Whether a scope shows a record: by its listing, or by a receipt that came before the listing.
fn shows(db: &Connection, sid: Option<i64>, scope: Scope, rid: i64) -> Result<bool, HandbookError> {
    if let Some(sid) = sid {
        let mut select = db.prepare_cached("SELECT 1 FROM listing WHERE lid = ?1")?;
        if select.exists([sid << RECORD_BITS | rid])? {
            return Ok(true);
        }
    }
    let mut select = db.prepare_cached("SELECT audience FROM provisional WHERE rid = ?1")?;
    let audience: Option<Vec<u8>> = select.query_row([rid], |row| row.get(0)).optional()?;
    Ok(audience.is_some_and(|audience| audience.chunks(17).any(|shown| shown == scope.to_bytes())))
}

/// What a mutation does, or why not.
pub(crate) enum Decision {
    /// This.
    Done(Effect),
    /// Refused.
    Refused(Rejection),
    /// Of a kind that this version does not know, as after going back to an older app.
    Unknown,
}

/// Runs the rules over a world that is loaded as far as they ask.
pub(crate) fn decide(
    db: &Connection,
    overlay: &Overlay,
    world: &mut World,
    me: MemberId,
    at: Timestamp,
    mutation: &Mutation,
) -> Result<Decision, HandbookError> {
    let loader = Loader { db, overlay };
    for _ in 0..MAX_ROUNDS {
        match apply(world, Actor::Member(me), Now::phone(at), mutation) {
            Outcome::Done(effect) => return Ok(Decision::Done(effect)),
            Outcome::Rejected(why) => return Ok(Decision::Refused(why)),
            Outcome::NotYet => return Ok(Decision::Unknown),
            Outcome::Need(needs) => {
                for need in needs {
                    loader.load(world, need)?;
                }
            }
        }
    }
    // A rule that never has enough: a defect of ours.
    Err(HandbookError::Internal {
        incident: "rules".into(),
    })
}

/// Makes the overlay anew from the pending mutations, and says what differs from `before`.
pub(crate) fn replay(
    db: &Connection,
    before: &Overlay,
    me: MemberId,
) -> Result<(Overlay, Touched), HandbookError> {
    let pending: Vec<(i64, i64, Vec<u8>)> = {
        let mut select =
            db.prepare_cached("SELECT n, at, mutation FROM outbox WHERE state = ?1 ORDER BY n")?;
        let rows = select.query_map([Standing::Pending as u8], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        rows.collect::<Result<_, _>>()?
    };
    let mut overlay = Overlay::default();
    let mut world = World::new();
    for (n, at, bytes) in pending {
        let mutation: Mutation = cbor::from_bytes(&bytes).map_err(|_| DAMAGED)?;
        let decision = decide(db, &overlay, &mut world, me, Timestamp(at), &mutation)?;
        if let Decision::Refused(why) = &decision
            && defect::is_on(Defect::ParksByItself)
        {
            super::receipts::park(db, n, why)?;
        }
        if let Decision::Done(effect) = decision {
            for put in &effect.puts {
                let stamp = match world.record(&put.key) {
                    Some(known) => known.map_or_else(Stamp::default, |record| record.stamp),
                    None => {
                        rows::base(db, put.key)?.map_or_else(Stamp::default, |record| record.stamp)
                    }
                };
                world.write(put, stamp);
            }
            overlay.lay_effect(db, n, effect)?;
        }
    }
    let touched = overlay.store(db, before)?;
    Ok((overlay, touched))
}

/// The mutations of this phone that created one of `keys` and are still pending.
pub(crate) fn creators(
    overlay: &Overlay,
    keys: impl IntoIterator<Item = RecordKey>,
) -> BTreeSet<i64> {
    keys.into_iter()
        .filter_map(|key| overlay.get(&key)?.creator)
        .collect()
}
