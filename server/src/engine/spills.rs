//! Removing what should never have been entered, and keeping it out.
//!
//! A record stays, with its dates, persons and marks, so that no rule and no figure loses what it stands on; its words go, and its
//! files. That is a new version like any other, so every phone replaces its copy with the next sync. What was removed is put on
//! a list of digests and keys, which is asked before a mutation's records are written and before a file is taken, and which a
//! restored backup goes through.

use std::collections::BTreeSet;

use sotay_model::blob::{PieceDigests, named_by};
use sotay_model::cbor::UnknownKeys;
use sotay_model::documents::{Attachment, Document};
use sotay_model::record::Effect;
use sotay_model::rejection::{Field, Rejection};
use sotay_model::removed::REMOVED;
use sotay_model::world::Children;
use sotay_model::{BlobDigest, Kind, Put, RecordKey, Scope, Timestamp, cbor};

use super::words::{self, Wordless};
use super::{Batch, Engine, EngineError};
use crate::audit::{Event, MAX_NAMED};
use crate::storage::{Spill, StorageError, StoredRecord};

/// What a removal came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Purged {
    /// The records that lost words or files now.
    pub records: Vec<RecordKey>,
    /// The files that are to be deleted, wherever they lie.
    pub files: BTreeSet<BlobDigest>,
    /// The scopes in which something new stands.
    pub changed: BTreeSet<Scope>,
}

impl Engine {
    /// Removes a file, or the words and files of a record and of a document's sections, and lists what was removed. What is not
    /// here is listed all the same. The caller deletes the files and has the database leave no trace.
    pub fn purge(&mut self, spill: Spill, now: Timestamp) -> Result<Purged, EngineError> {
        let transaction = self.storage.write()?;
        let mut batch = Batch::begin(&transaction, now)?;
        let mut purged = Purged::default();
        batch.purge(spill, &mut purged)?;
        let purged = batch.conclude(purged, true)?;
        transaction.commit()?;
        Ok(purged)
    }

    /// Removes everything on the list from a database that comes from a backup.
    pub fn purge_again(&mut self, now: Timestamp) -> Result<Purged, EngineError> {
        let transaction = self.storage.write()?;
        let mut batch = Batch::begin(&transaction, now)?;
        let mut purged = Purged::default();
        for spill in transaction.spills()? {
            batch.purge(spill, &mut purged)?;
        }
        let something = !purged.records.is_empty();
        let purged = batch.conclude(purged, something)?;
        transaction.commit()?;
        Ok(purged)
    }

    /// Whether a file was removed and is not taken again.
    pub fn is_spill(&mut self, file: BlobDigest) -> Result<bool, EngineError> {
        Ok(self.storage.read()?.is_spill(Spill::File(file))?)
    }
}

impl Batch<'_> {
    fn purge(&mut self, spill: Spill, purged: &mut Purged) -> Result<(), EngineError> {
        self.transaction.list_spill(spill, self.now)?;
        match spill {
            Spill::Record(key) => self.purge_record(key, purged),
            Spill::File(digest) => self.purge_file(digest, purged),
            // Where a text stood, the record is on the list too.
            Spill::Text(_) => Ok(()),
        }
    }

    fn purge_record(&mut self, key: RecordKey, purged: &mut Purged) -> Result<(), EngineError> {
        let Some(stored) = self.transaction.record(key)? else {
            return Ok(());
        };
        let mut all = vec![];
        if stored.record.kind == Kind::Document {
            for named in named_by(Kind::Document, &stored.record.body) {
                self.transaction
                    .list_spill(Spill::File(named.digest), self.now)?;
                purged.files.insert(named.digest);
            }
            let sections = Children {
                scope: key.home,
                kind: Kind::Section,
                parent: Some(key.id),
            };
            for section in self.transaction.children(&sections)? {
                all.extend(self.transaction.record(section.key)?);
            }
        }
        all.insert(0, stored);
        for stored in all {
            let Wordless { body, texts } =
                words::without_words(stored.record.kind, &stored.record.body)
                    .map_err(|_| StorageError::Damaged { what: "record" })?;
            for text in texts {
                self.transaction.list_spill(Spill::Text(text), self.now)?;
            }
            let body = match stored.record.kind {
                Kind::Document => without_files(&body, |_| true)?,
                _ => body,
            };
            self.write_removed(stored, body, purged)?;
        }
        Ok(())
    }

    fn purge_file(&mut self, digest: BlobDigest, purged: &mut Purged) -> Result<(), EngineError> {
        purged.files.insert(digest);
        for key in self.transaction.keys_of(Kind::Document)? {
            if let Some(stored) = self.transaction.record(key)? {
                let body = without_files(&stored.record.body, |file| file.blob == digest)?;
                self.write_removed(stored, body, purged)?;
            }
        }
        Ok(())
    }

    /// Writes a record's next version, for the same audience; nothing where it is the one that stands.
    fn write_removed(
        &mut self,
        stored: StoredRecord,
        body: Vec<u8>,
        purged: &mut Purged,
    ) -> Result<(), EngineError> {
        let StoredRecord { record, audience } = stored;
        if body == record.body {
            return Ok(());
        }
        purged.records.push(record.key);
        self.write(&Effect {
            puts: vec![Put {
                key: record.key,
                kind: record.kind,
                parent: record.parent,
                audience,
                body,
            }],
        })?;
        Ok(())
    }

    /// Stores where the feeds stand, and writes down what was removed: never its contents.
    fn conclude(&mut self, mut purged: Purged, audited: bool) -> Result<Purged, EngineError> {
        self.store_heads()?;
        if audited {
            let scope = purged.records.first().map(|record| record.home);
            let event = Event::Purged {
                records: purged.records.iter().take(MAX_NAMED).copied().collect(),
                more: purged.records.len().saturating_sub(MAX_NAMED) as u64,
                files: purged.files.len() as u64,
            };
            self.transaction.audit(self.now, scope, &event)?;
        }
        purged.changed = std::mem::take(&mut self.changed);
        Ok(purged)
    }

    /// Refuses an effect that brings back what was removed: a record that is gone, a text, a file.
    pub(super) fn refuses(&self, effect: &Effect) -> Result<Option<Rejection>, EngineError> {
        if !self.transaction.has_spills()? {
            return Ok(None);
        }
        let removed = |field| Ok(Some(Rejection::Removed { field }));
        for put in &effect.puts {
            let is_new = || Ok::<_, EngineError>(self.transaction.record(put.key)?.is_none());
            if self.transaction.is_spill(Spill::Record(put.key))? && is_new()? {
                return removed(Field::Mutation);
            }
            for named in named_by(put.kind, &put.body) {
                if self.transaction.is_spill(Spill::File(named.digest))? {
                    return removed(Field::Attachments);
                }
            }
            // A body that cannot be read by its declaration has no words that were ever on the list.
            let texts = words::without_words(put.kind, &put.body).map(|found| found.texts);
            for text in texts.unwrap_or_default() {
                if self.transaction.is_spill(Spill::Text(text))? {
                    return removed(Field::Text);
                }
            }
        }
        Ok(None)
    }
}

/// A document's body in which some files are only named as removed.
fn without_files(body: &[u8], gone: impl Fn(&Attachment) -> bool) -> Result<Vec<u8>, StorageError> {
    let mut document: Document =
        cbor::from_bytes(body).map_err(|_| StorageError::Damaged { what: "record" })?;
    let mut found = false;
    for file in document.attachments.iter_mut().flatten() {
        if file.size > 0 && gone(file) {
            found = true;
            *file = Attachment {
                name: REMOVED.to_owned(),
                media_type: file.media_type.clone(),
                size: 0,
                blob: BlobDigest::from_bytes([0; 32]),
                pieces: PieceDigests::default(),
                unknown: UnknownKeys::none(),
            };
        }
    }
    Ok(if found {
        cbor::to_bytes(&document)
    } else {
        body.to_vec()
    })
}
