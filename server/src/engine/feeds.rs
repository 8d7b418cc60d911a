//! Writing an effect: a new version of each record, a line in the feed of each scope that shows it, a tombstone in each
//! that no longer does.
//!
//! Within one scope the lines of one mutation carry the same `group_end`, because a page may end only between mutations.

use std::collections::BTreeMap;

use sotay_model::record::{Effect, RecordHash, Stamp};
use sotay_model::{InstallationId, Intent, MemberId, Record, RecordKey, Scope};

use super::{Batch, EngineError};
use crate::audit::{Event, MAX_NAMED};
use crate::storage::{ListingRow, ScopeHead, StoredRecord};

/// One record written: its stamp, and its position in each scope that shows it.
pub(super) struct WrittenRecord {
    pub(super) key: RecordKey,
    pub(super) stamp: Stamp,
    pub(super) places: Vec<(Scope, u64)>,
}

impl Batch<'_> {
    /// Writes an effect and says where it stands.
    pub(super) fn write(&mut self, effect: &Effect) -> Result<Vec<WrittenRecord>, EngineError> {
        let mut lines_in: BTreeMap<Scope, u64> = BTreeMap::new();
        let mut planned = Vec::with_capacity(effect.puts.len());
        for put in &effect.puts {
            let before = self.transaction.record(put.key)?;
            let version = 1 + match &before {
                Some(stored) => stored.record.stamp.version,
                // One that was removed when its time was over may come again; phones that still hold it go by the version.
                None => self.transaction.listed_version(&put.audience, put.key)?,
            };
            let left: Vec<Scope> = before
                .map(|stored| stored.audience)
                .unwrap_or_default()
                .into_iter()
                .filter(|scope| !put.audience.contains(scope))
                .collect();
            for scope in put.audience.iter().chain(&left) {
                *lines_in.entry(*scope).or_default() += 1;
            }
            planned.push((
                put,
                Stamp {
                    incarnation: self.incarnation,
                    version,
                },
                left,
            ));
        }

        let mut group_end: BTreeMap<Scope, u64> = BTreeMap::new();
        for (scope, lines) in lines_in {
            group_end.insert(scope, self.head(scope)?.head + lines);
        }

        let mut written = Vec::with_capacity(planned.len());
        for (put, stamp, left) in planned {
            let mut places = Vec::with_capacity(put.audience.len());
            for scope in &put.audience {
                let content = Some((put.kind, put.parent, put.body.clone()));
                let seq = self.list(*scope, put.key, stamp, content, &group_end)?;
                places.push((*scope, seq));
            }
            for scope in left {
                self.list(scope, put.key, stamp, None, &group_end)?;
            }
            self.transaction.set_record(&StoredRecord {
                record: Record {
                    key: put.key,
                    kind: put.kind,
                    parent: put.parent,
                    stamp,
                    body: put.body.clone(),
                },
                audience: put.audience.clone(),
            })?;
            self.world.write(put, stamp);
            written.push(WrittenRecord {
                key: put.key,
                stamp,
                places,
            });
        }
        Ok(written)
    }

    /// Writes down who did this, in the chain of the first record's home.
    pub(super) fn audit(
        &self,
        by: Option<(MemberId, InstallationId)>,
        intent: &Intent,
        written: &[WrittenRecord],
    ) -> Result<(), EngineError> {
        let scope = written.first().map(|record| record.key.home);
        let event = Event::Mutation {
            by: by.map(|(member, _)| member),
            phone: by.map(|(_, phone)| phone),
            kind: intent.name().to_owned(),
            records: written
                .iter()
                .take(MAX_NAMED)
                .map(|record| record.key)
                .collect(),
            more: written.len().saturating_sub(MAX_NAMED) as u64,
        };
        Ok(self.transaction.audit(self.now, scope, &event)?)
    }

    /// Adds a line to a scope's feed and keeps its sum.
    pub(super) fn list(
        &mut self,
        scope: Scope,
        key: RecordKey,
        stamp: Stamp,
        content: Option<(sotay_model::Kind, sotay_model::Id, Vec<u8>)>,
        group_end: &BTreeMap<Scope, u64>,
    ) -> Result<u64, EngineError> {
        let mut head = self.head(scope)?;
        head.head += 1;
        if let Some(hash) = self.transaction.listed_hash(scope, key)? {
            head.sum.remove(hash);
        }
        if let Some((.., body)) = &content {
            head.sum.add(RecordHash::of(&key, stamp, body));
        }
        let group_end = group_end.get(&scope).copied().unwrap_or(head.head);
        self.transaction.set_listing(
            scope,
            &ListingRow {
                seq: head.head,
                key,
                stamp,
                content,
                group_end,
                at: self.now,
            },
        )?;
        self.heads.insert(scope, head);
        self.changed.insert(scope);
        self.lines += 1;
        Ok(head.head)
    }

    /// Where a scope's feed stands now.
    pub(super) fn head(&mut self, scope: Scope) -> Result<ScopeHead, EngineError> {
        if let Some(head) = self.heads.get(&scope) {
            return Ok(*head);
        }
        let head = self.transaction.head(scope)?;
        self.heads.insert(scope, head);
        Ok(head)
    }

    /// Stores where the changed feeds stand.
    pub(super) fn store_heads(&self) -> Result<(), EngineError> {
        for scope in &self.changed {
            if let Some(head) = self.heads.get(scope) {
                self.transaction.set_head(*scope, head)?;
            }
        }
        Ok(())
    }
}
