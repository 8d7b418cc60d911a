//! Blobs beside the records: who is shown one, who may hand one over, and whether those that an effect names are here.
//!
//! No table says which record names which blob: the phone says through which record it saw the blob, and the record's own
//! body, read under the access check, is believed.

use sotay_model::blob::{may_hand_over, named_by};
use sotay_model::{
    Actor, BlobDigest, Effect, MemberId, NamedBlob, Now, RecordKey, Scope, Timestamp,
};

use super::{Batch, Engine, EngineError, MAX_ROUNDS};

impl Engine {
    /// A blob that a record names, if a scope of the member's shows that record.
    pub fn blob_shown(
        &mut self,
        member: MemberId,
        record: RecordKey,
        digest: BlobDigest,
        now: Timestamp,
    ) -> Result<Option<NamedBlob>, EngineError> {
        let transaction = self.storage.read()?;
        let held = Batch::begin(&transaction, now)?.scopes(member)?;
        let Some(stored) = transaction.record(record)? else {
            return Ok(None);
        };
        if !stored.audience.iter().any(|scope| held.contains(scope)) {
            return Ok(None);
        }
        let named = named_by(stored.record.kind, &stored.record.body);
        Ok(named.into_iter().find(|named| named.digest == digest))
    }

    /// Whether a member may hand over blobs for records at `home`.
    pub fn may_hand_over(
        &mut self,
        member: MemberId,
        home: Scope,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        let transaction = self.storage.read()?;
        let mut batch = Batch::begin(&transaction, now)?;
        for _ in 0..MAX_ROUNDS {
            let actor = Actor::Member(member);
            match may_hand_over(&batch.world, actor, Now::server(now), home) {
                Ok(allowed) => return Ok(allowed),
                Err(needs) => batch.load(needs)?,
            }
        }
        Err(EngineError::Endless)
    }
}

impl Batch<'_> {
    /// Whether every blob that the effect names was handed over.
    pub(super) fn has_blobs(&self, effect: &Effect) -> Result<bool, EngineError> {
        for put in &effect.puts {
            for named in named_by(put.kind, &put.body) {
                let found = match &self.blobs {
                    Some(blobs) => blobs.size(put.key.home, named.digest)?,
                    None => None,
                };
                if found != Some(named.size) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}
