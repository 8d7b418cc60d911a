//! A server's response as it is read: the same message as [`sotay_model::wire::SyncResponse`], with bodies that stay
//! where they are in the received bytes until they are stored.

use minicbor::Decode;
use sotay_model::wire::Receipt;
use sotay_model::{Id, Kind, RecordKey, Scope, Stamp, Timestamp};

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
