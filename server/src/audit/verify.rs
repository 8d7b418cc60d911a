//! Reading the whole log again and saying what was done to it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Chain, Checkpoint, Entry, Event, Hash, Kept, chain_bytes, commitment, entry_hash};
use crate::storage::{StorageError, Transaction};

/// What a whole log came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verified {
    /// How many entries there are.
    pub entries: u64,
    /// In how many chains.
    pub chains: u64,
    /// How many of them are erased, each with an entry that says so.
    pub erased: u64,
    /// How many checkpoints hold.
    pub checkpoints: u64,
    /// How many entries stand behind the last checkpoint: those are only as safe as the machine.
    pub unanchored: u64,
}

/// The first thing found that the server itself never writes. A chain is named by its scope, none is the server's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Tampering {
    /// An entry's number is not the one after the entry before: some were removed, added or moved.
    #[error("{}: entry {expected} is missing or out of place", name(.chain))]
    Missing {
        /// Whose chain.
        chain: Chain,
        /// The number that should stand there.
        expected: u64,
    },
    /// An entry's hash does not cover what stands there.
    #[error("{}: entry {n} was changed", name(.chain))]
    Changed {
        /// Whose chain.
        chain: Chain,
        /// Which one.
        n: u64,
    },
    /// An event was removed without an entry that says so.
    #[error("{}: the event of entry {n} was removed", name(.chain))]
    Removed {
        /// Whose chain.
        chain: Chain,
        /// Which one.
        n: u64,
    },
    /// A checkpoint is missing, changed, or signed by somebody else.
    #[error("checkpoint {n} is missing, changed or not signed by this organisation")]
    Checkpoint {
        /// Which one.
        n: u64,
    },
    /// A chain does not hold what a checkpoint states of it.
    #[error("{}: checkpoint {checkpoint} states another entry {n}", name(.chain))]
    Anchor {
        /// Whose chain.
        chain: Chain,
        /// The entry.
        n: u64,
        /// Which checkpoint.
        checkpoint: u64,
    },
    /// A checkpoint that was kept elsewhere is not among those of this log.
    #[error(
        "checkpoint {n}, which was kept, is not in this log: the log was rewritten, or comes from a backup made before it"
    )]
    Kept {
        /// Its number.
        n: u64,
    },
}

fn name(chain: &Chain) -> String {
    chain.map_or_else(|| "the server".to_owned(), |scope| scope.to_string())
}

/// Reads every entry and every checkpoint. `keys` are those of the organisation; `kept` a checkpoint from elsewhere.
pub fn verify(
    transaction: &Transaction<'_>,
    keys: &[[u8; 32]],
    kept: Option<&Kept>,
) -> Result<Result<Verified, Tampering>, StorageError> {
    let (anchors, checkpoints) = match anchors(transaction, keys, kept)? {
        Ok(anchors) => anchors,
        Err(found) => return Ok(Err(found)),
    };
    let mut reading = Reading {
        anchors,
        found: Verified {
            checkpoints,
            ..Verified::default()
        },
        ..Reading::default()
    };
    let mut tampering = None;
    transaction.audit_entries(None, |entry| {
        tampering = reading.take(&entry).err();
        tampering.is_none()
    })?;
    Ok(match tampering {
        Some(found) => Err(found),
        None => reading.end(),
    })
}

/// What checkpoints state of a chain: the hash of an entry, and which checkpoint says so. The last one of a chain is its anchor.
type Anchors = BTreeMap<Vec<u8>, BTreeMap<u64, (Vec<u8>, u64)>>;

fn anchors(
    transaction: &Transaction<'_>,
    keys: &[[u8; 32]],
    kept: Option<&Kept>,
) -> Result<Result<(Anchors, u64), Tampering>, StorageError> {
    let mut anchors = Anchors::new();
    let mut before = Hash::default();
    let mut count = 0;
    let mut kept_is_here = false;
    for stored in transaction.checkpoints()? {
        count += 1;
        let opened = stored
            .open(keys)
            .filter(|checkpoint| checkpoint.n == count && checkpoint.before == before);
        let Some(Checkpoint { heads, .. }) = opened else {
            return Ok(Err(Tampering::Checkpoint { n: count }));
        };
        for head in heads {
            anchors
                .entry(head.chain)
                .or_default()
                .insert(head.n, (head.hash, count));
        }
        before = stored.hash();
        kept_is_here |= kept.is_some_and(|kept| kept.body == stored.body);
    }
    match kept {
        Some(kept) if kept.open(keys).is_none() => Ok(Err(Tampering::Checkpoint { n: kept.n })),
        Some(kept) if !kept_is_here => Ok(Err(Tampering::Kept { n: kept.n })),
        _ => Ok(Ok((anchors, count))),
    }
}

/// How far the reading is.
#[derive(Default)]
struct Reading {
    anchors: Anchors,
    found: Verified,
    chain: Option<Vec<u8>>,
    n: u64,
    hash: Hash,
    /// What entries say was erased. They stand in the server's own chain, which is read first.
    erasures: BTreeSet<(Vec<u8>, u64)>,
}

impl Reading {
    fn take(&mut self, entry: &Entry) -> Result<(), Tampering> {
        if self.chain.as_ref() != Some(&entry.chain) {
            self.chain = Some(entry.chain.clone());
            self.found.chains += 1;
            (self.n, self.hash) = (0, Hash::default());
        }
        let chain = entry.scope();
        let n = self.n + 1;
        if entry.n != n {
            return Err(Tampering::Missing { chain, expected: n });
        }
        let hash = entry_hash(&entry.chain, n, entry.at, &self.hash, &entry.commitment);
        let changed = Err(Tampering::Changed { chain, n });
        if entry.hash != hash || (!entry.chain.is_empty() && chain.is_none()) {
            return changed;
        }
        match (&entry.salt, &entry.payload) {
            (Some(salt), Some(payload)) => {
                if entry.commitment != commitment(salt, payload) {
                    return changed;
                }
            }
            (None, None) if self.erasures.contains(&(entry.chain.clone(), n)) => {
                self.found.erased += 1;
            }
            _ => return Err(Tampering::Removed { chain, n }),
        }
        if let (None, Some(Event::Erased { scope, n })) = (chain, entry.event()) {
            self.erasures.insert((chain_bytes(scope), n));
        }
        // What a checkpoint states of this entry or of a later one of its chain anchors it.
        let anchors = self.anchors.get_mut(&entry.chain);
        match anchors.filter(|anchors| !anchors.is_empty()) {
            None => self.found.unanchored += 1,
            Some(anchors) => match anchors.remove(&n) {
                Some((stated, checkpoint)) if stated != hash => {
                    return Err(Tampering::Anchor {
                        chain,
                        n,
                        checkpoint,
                    });
                }
                _ => {}
            },
        }
        self.found.entries += 1;
        (self.n, self.hash) = (n, hash);
        Ok(())
    }

    /// Whatever a checkpoint states must have been met on the way.
    fn end(self) -> Result<Verified, Tampering> {
        for (chain, anchors) in &self.anchors {
            if let Some((n, (_, checkpoint))) = anchors.iter().next() {
                return Err(Tampering::Anchor {
                    chain: sotay_model::Scope::from_bytes(chain).ok(),
                    n: *n,
                    checkpoint: *checkpoint,
                });
            }
        }
        Ok(self.found)
    }
}
