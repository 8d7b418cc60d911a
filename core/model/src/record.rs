//! Records: what is stored, sent and summed.
//!
//! A record's body is encoded once, by the server, and from then on stored, hashed and forwarded as those bytes.

use minicbor::{Decode, Encode};
use ring::digest::{Context, SHA256};

use crate::cbor::{self, cbor_code};
use crate::id::{Id, RecordKey, Scope};
use crate::inventory::Kept;

cbor_code! {
    /// What a record is about. The number is part of the wire format and never reused.
    pub enum Kind {
        /// [`crate::organisation::Organisation`]
        Organisation = 1,
        /// [`crate::organisation::Member`]
        Member = 2,
        /// [`crate::organisation::TemporaryActivity`]
        TemporaryActivity = 3,
        /// [`crate::organisation::Appointment`]
        Appointment = 4,
        /// [`crate::profile::Profile`]
        Profile = 10,
        /// [`crate::profile::CorrectionRequest`]
        CorrectionRequest = 11,
        /// [`crate::meetings::Meeting`]
        Meeting = 20,
        /// [`crate::meetings::Response`]
        Response = 21,
        /// [`crate::meetings::Acknowledgement`]
        Acknowledgement = 22,
        /// [`crate::meetings::AbsenceRequest`]
        AbsenceRequest = 23,
        /// [`crate::meetings::RollCall`]
        RollCall = 24,
        /// [`crate::meetings::Attendance`]
        Attendance = 25,
        /// [`crate::meetings::ChairDelegation`]
        ChairDelegation = 26,
        /// [`crate::documents::Document`]
        Document = 40,
        /// [`crate::documents::Section`]
        Section = 41,
    }
}

/// Which version of a record: a restored server mints a higher incarnation, each change a higher version. The higher
/// stamp always wins, through whatever scope it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Encode, Decode)]
pub struct Stamp {
    /// The server's incarnation.
    #[n(0)]
    pub incarnation: u64,
    /// Counts the record's changes from 1.
    #[n(1)]
    pub version: u64,
}

/// A stored record.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Home scope and id.
    pub key: RecordKey,
    /// What it is about.
    pub kind: Kind,
    /// What it belongs to: the meeting of a response, the cell of a member.
    pub parent: Id,
    /// Which version; `Stamp::default()` where the server has not confirmed one yet.
    pub stamp: Stamp,
    /// Deterministic CBOR.
    pub body: Vec<u8>,
}

impl Record {
    /// The hash that a scope's sum adds up.
    pub fn hash(&self) -> RecordHash {
        RecordHash::of(&self.key, self.stamp, &self.body)
    }

    /// Reads the body as `T`.
    pub fn read<T: Body>(&self) -> Result<T, NotThisBody> {
        if self.kind != T::KIND {
            return Err(NotThisBody { kind: self.kind });
        }
        cbor::from_bytes(&self.body).map_err(|_| NotThisBody { kind: self.kind })
    }
}

/// A record whose kind or bytes are not the expected ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body of a {kind:?} record could not be read")]
pub struct NotThisBody {
    /// The record's kind.
    pub kind: Kind,
}

/// A type that is the body of one kind of record.
pub trait Body: Sized + minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()> {
    /// Its kind.
    const KIND: Kind;
    /// Why it exists, and for whom.
    const KEPT: Kept;

    /// Everyone who sees the record, from its body and its home alone: so whoever reads it can also check whether the
    /// actor's scopes show it.
    fn audience(&self, home: Scope) -> Vec<Scope>;
}

/// The first 16 bytes of SHA-256 over key, stamp and body, as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordHash(pub u128);

impl RecordHash {
    /// The hash of one version of a record.
    pub fn of(key: &RecordKey, stamp: Stamp, body: &[u8]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(&key.to_bytes());
        context.update(&stamp.incarnation.to_be_bytes());
        context.update(&stamp.version.to_be_bytes());
        context.update(body);
        let mut first = [0; 16];
        first.copy_from_slice(&context.finish().as_ref()[..16]);
        Self(u128::from_be_bytes(first))
    }
}

/// What a scope's live records add up to, in any order: equal sums and counts mean equal contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScopeSum {
    /// The sum of the record hashes modulo 2¹²⁸.
    pub sum: u128,
    /// How many live records.
    pub count: u64,
}

impl ScopeSum {
    /// Counts a record in.
    pub const fn add(&mut self, hash: RecordHash) {
        self.sum = self.sum.wrapping_add(hash.0);
        self.count = self.count.wrapping_add(1);
    }

    /// Counts a record out.
    pub const fn remove(&mut self, hash: RecordHash) {
        self.sum = self.sum.wrapping_sub(hash.0);
        self.count = self.count.wrapping_sub(1);
    }
}

/// The most bytes of a record's body: a mutation that would make a larger one is refused.
pub const MAX_BODY_BYTES: u32 = 1 << 20;

/// What a mutation does to the records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effect {
    /// Records written, each at most once.
    pub puts: Vec<Put>,
}

/// One record written.
#[derive(Clone, PartialEq, Eq)]
pub struct Put {
    /// Home scope and id.
    pub key: RecordKey,
    /// What it is about.
    pub kind: Kind,
    /// What it belongs to.
    pub parent: Id,
    /// Everyone who sees it from now on: sorted, without repetition, never empty.
    pub audience: Vec<Scope>,
    /// Deterministic CBOR.
    pub body: Vec<u8>,
}

impl Put {
    /// Writes `body` as the record `key`, shown to the audience that follows from it.
    pub fn of<T: Body>(key: RecordKey, parent: Id, body: &T) -> Self {
        Self::new(key, parent, body.audience(key.home), body)
    }

    /// Writes `body` as the record `key`.
    pub fn new<T: Body>(
        key: RecordKey,
        parent: Id,
        audience: impl IntoIterator<Item = Scope>,
        body: &T,
    ) -> Self {
        let mut audience: Vec<Scope> = audience.into_iter().collect();
        audience.sort_unstable();
        audience.dedup();
        Self {
            key,
            kind: T::KIND,
            parent,
            audience,
            body: cbor::to_bytes(body),
        }
    }
}

crate::redacted! {
    Record { key, kind, parent, stamp, body },
    Put { key, kind, parent, audience, body },
}
