//! A server's response as it is read: the same message as [`sotay_model::wire::SyncResponse`], with bodies that stay
//! where they are in the received bytes until they are stored.

use std::collections::HashSet;

use minicbor::Decode;
use sotay_model::record::MAX_BODY_BYTES;
use sotay_model::wire::{MAX_MUTATIONS, MAX_SCOPES, Receipt};
use sotay_model::{Id, Kind, RecordKey, Scope, Stamp, Timestamp};

/// No server counts further: what is stored has a sign, and one more must always fit.
const MAX_COUNT: u64 = 1 << 62;
/// No phone made as many mutations: the phone's own next number follows on what the server says it has seen.
const MAX_NUMBER: u64 = 1 << 53;

/// See [`sotay_model::wire::SyncResponse`].
#[derive(Debug, Decode)]
#[cbor(map)]
pub(crate) struct Incoming<'b> {
    #[n(0)]
    pub(crate) incarnation: u64,
    #[n(1)]
    pub(crate) now: Timestamp,
    #[n(2)]
    pub(crate) receipts: Vec<Receipt>,
    #[b(3)]
    pub(crate) bodies: Vec<IncomingBody<'b>>,
    #[b(4)]
    pub(crate) pages: Vec<IncomingPage<'b>>,
    #[n(5)]
    pub(crate) gained: Vec<Scope>,
    #[n(6)]
    pub(crate) revoked: Vec<Scope>,
    #[n(7)]
    pub(crate) more: bool,
    #[n(8)]
    pub(crate) backed_up_through: u64,
    #[n(9)]
    pub(crate) high_water: u64,
    #[n(10)]
    #[cbor(default)]
    pub(crate) settled_through: u64,
}

impl Incoming<'_> {
    /// Whether it says only what a server may say, whatever the phone holds. Whether its pages follow on what the phone has is
    /// seen when they are applied.
    pub(crate) fn is_sound(&self) -> bool {
        let content = |content: &IncomingContent<'_>| content.body.len() <= MAX_BODY_BYTES as usize;
        let bodies = self
            .bodies
            .iter()
            .all(|body| self.made(body.stamp) && content(&body.content));
        let counted = [
            self.incarnation,
            self.backed_up_through,
            self.settled_through,
        ];
        bodies
            && counted.iter().all(|count| *count <= MAX_COUNT)
            && self.high_water <= MAX_NUMBER
            && self.receipts.len() <= MAX_MUTATIONS
            && self.receipts.is_sorted_by(|one, next| one.n < next.n)
            && all_different(self.bodies.iter().map(|body| body.key))
            && self.gained.len() <= MAX_SCOPES
            && all_different(self.gained.iter().chain(&self.revoked))
            && all_different(self.pages.iter().map(|page| page.scope))
            && self.pages.iter().all(|page| {
                page.is_sound()
                    && page
                        .rows
                        .iter()
                        .all(|row| self.made(row.stamp) && row.content.as_ref().is_none_or(content))
            })
    }

    /// Whether this server, or one before it, can have given a stamp.
    const fn made(&self, stamp: Stamp) -> bool {
        stamp.incarnation <= self.incarnation && stamp.version <= MAX_COUNT
    }
}

impl IncomingPage<'_> {
    fn is_sound(&self) -> bool {
        let within = |row: &IncomingRow<'_>| row.seq > self.from && row.seq <= self.to;
        let checked = match (self.sum, self.count) {
            (Some(sum), Some(_)) => !self.more && sum.len() == 16,
            (None, None) => self.more,
            _ => false,
        };
        let counted = [
            self.to,
            self.epoch,
            self.began,
            self.count.unwrap_or(0),
            self.total.unwrap_or(0),
        ];
        self.from <= self.to
            && counted.iter().all(|count| *count <= MAX_COUNT)
            && checked
            && self.rows.iter().all(within)
            && self.rows.is_sorted_by(|one, next| one.seq < next.seq)
            && all_different(self.rows.iter().map(|row| row.key))
    }
}

fn all_different<T: Eq + std::hash::Hash>(things: impl IntoIterator<Item = T>) -> bool {
    let mut seen = HashSet::new();
    things.into_iter().all(|thing| seen.insert(thing))
}

/// See [`sotay_model::wire::CurrentBody`].
#[derive(Debug, Decode)]
#[cbor(map)]
pub(crate) struct IncomingBody<'b> {
    #[n(0)]
    pub(crate) key: RecordKey,
    #[n(1)]
    pub(crate) stamp: Stamp,
    #[b(2)]
    pub(crate) content: IncomingContent<'b>,
}

/// See [`sotay_model::wire::Page`].
#[derive(Debug, Decode)]
#[cbor(map)]
pub(crate) struct IncomingPage<'b> {
    #[n(0)]
    pub(crate) scope: Scope,
    #[n(1)]
    pub(crate) epoch: u64,
    #[n(2)]
    pub(crate) from: u64,
    #[n(3)]
    pub(crate) to: u64,
    #[b(4)]
    pub(crate) rows: Vec<IncomingRow<'b>>,
    #[n(5)]
    pub(crate) more: bool,
    #[cbor(b(6), with = "minicbor::bytes")]
    pub(crate) sum: Option<&'b [u8]>,
    #[n(7)]
    pub(crate) count: Option<u64>,
    #[n(8)]
    #[cbor(default)]
    pub(crate) began: u64,
    #[n(9)]
    pub(crate) total: Option<u64>,
}

/// See [`sotay_model::wire::Row`].
#[derive(Debug, Decode)]
#[cbor(map)]
pub(crate) struct IncomingRow<'b> {
    #[n(0)]
    pub(crate) seq: u64,
    #[n(1)]
    pub(crate) key: RecordKey,
    #[n(2)]
    pub(crate) stamp: Stamp,
    #[b(3)]
    pub(crate) content: Option<IncomingContent<'b>>,
}

/// See [`sotay_model::wire::Content`].
#[derive(Debug, Clone, Copy, Decode)]
#[cbor(map)]
pub(crate) struct IncomingContent<'b> {
    #[n(0)]
    pub(crate) kind: Kind,
    #[n(1)]
    pub(crate) parent: Id,
    #[cbor(b(2), with = "minicbor::bytes")]
    pub(crate) body: &'b [u8],
}
