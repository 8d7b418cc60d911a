//! The audit log: who did what to which record, so that nobody changes it afterwards without being found out.
//!
//! Every home scope has a chain, and the server itself one more. An entry's hash covers its place, its time, the hash before
//! it and a commitment to its [`Event`]; the commitment is salted, so that an event can be erased, with its salt, and the
//! chain still holds. Once a day a [`Checkpoint`] states how far every chain is, signed by the organisation's key and itself
//! chained to the one before. Invariant: after a checkpoint no entry before it can be edited, removed or moved, and no
//! chain shortened, without [`verify`] finding it; who can also sign is found out by a checkpoint kept elsewhere.
//!
//! An entry is written in the transaction of what it tells of, so that neither is there without the other.

mod checkpoint;
mod event;
mod verify;

use ring::digest::{Context, SHA256};
use sotay_model::{Scope, Timestamp};

pub use checkpoint::{Checkpoint, Head, Kept, NotACheckpoint, Signed};
pub use event::{Event, MAX_NAMED};
pub use verify::{Tampering, Verified, verify};

/// SHA-256.
pub type Hash = [u8; 32];
/// How many bytes keep an event from being guessed from its commitment.
pub const SALT_BYTES: usize = 16;

const ENTRY: &[u8] = b"sotay audit entry v1\0";
const EVENT: &[u8] = b"sotay audit event v1\0";

/// A chain: of a home scope, or of the server itself.
pub type Chain = Option<Scope>;

/// A chain's name in the database and in hashes: 17 bytes, or none for the server's own.
pub(crate) fn chain_bytes(chain: Chain) -> Vec<u8> {
    chain.map_or_else(Vec::new, |scope| scope.to_bytes().to_vec())
}

/// One entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The chain's name: see [`Chain`].
    pub chain: Vec<u8>,
    /// Its place, from 1 without gaps.
    pub n: u64,
    /// When it was written, by the server's clock.
    pub at: Timestamp,
    /// What the event is bound to.
    pub commitment: Vec<u8>,
    /// Covers all of it and the entry before.
    pub hash: Vec<u8>,
    /// Goes with the event.
    pub salt: Option<Vec<u8>>,
    /// The encoded event; none once it is erased.
    pub payload: Option<Vec<u8>>,
}

impl Entry {
    /// What happened, if it was not erased and this version knows its kind.
    pub fn event(&self) -> Option<Event> {
        self.payload
            .as_deref()
            .and_then(|payload| sotay_model::cbor::from_bytes(payload).ok())
    }

    /// The scope of its chain.
    pub fn scope(&self) -> Chain {
        Scope::from_bytes(&self.chain).ok()
    }
}

/// Binds an event without showing it.
pub(crate) fn commitment(salt: &[u8], payload: &[u8]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(EVENT);
    context.update(&[u8::try_from(salt.len()).unwrap_or(u8::MAX)]);
    context.update(salt);
    context.update(payload);
    finish(context)
}

/// The hash of an entry behind the one with the hash `before`; 32 zeros before the first.
pub(crate) fn entry_hash(
    chain: &[u8],
    n: u64,
    at: Timestamp,
    before: &Hash,
    commitment: &[u8],
) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(ENTRY);
    context.update(&[u8::try_from(chain.len()).unwrap_or(u8::MAX)]);
    context.update(chain);
    context.update(&n.to_be_bytes());
    context.update(&at.0.to_be_bytes());
    context.update(before);
    context.update(commitment);
    finish(context)
}

fn finish(context: Context) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}
