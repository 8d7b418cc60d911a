//! The request that will follow a response, made before the response is stored.
//!
//! A first download is many round trips. What the phone asks after storing a response follows from the response's head and
//! the ends of its pages, so the server can be asked while the phone stores. Nothing is decided by it: once the response is stored
//! the request is made as always, and only if it has become the same, byte by byte, is the answer taken in. So a page that did not
//! apply, a mutation made meanwhile or a scope fetched again costs one answer thrown away, and nothing else.

use minicbor::Decode;
use sotay_model::wire::{Cursor, SyncRequest};
use sotay_model::{Scope, cbor};

/// What of a response says where its pages end; rows are passed over.
#[derive(Debug, Decode)]
#[cbor(map)]
struct Ends {
    #[n(0)]
    incarnation: u64,
    #[n(4)]
    pages: Vec<PageEnd>,
    #[n(5)]
    gained: Vec<Scope>,
    #[n(6)]
    revoked: Vec<Scope>,
    #[n(7)]
    more: bool,
}

#[derive(Debug, Decode)]
#[cbor(map)]
struct PageEnd {
    #[n(0)]
    scope: Scope,
    #[n(1)]
    epoch: u64,
    #[n(2)]
    from: u64,
    #[n(3)]
    to: u64,
    #[n(8)]
    #[cbor(default)]
    began: u64,
}

/// The request after `last`, which was answered with `response` and asks for as much as is said here; none where nothing more
/// waits, or where what the phone will ask is not plain to see.
pub(super) fn request(
    last: &SyncRequest,
    response: &[u8],
    max_rows: u32,
    max_bytes: u32,
) -> Option<Vec<u8>> {
    let ends: Ends = cbor::from_bytes(response).ok()?;
    let same_server = last.incarnation == 0 || last.incarnation == ends.incarnation;
    if !ends.more || !same_server || !ends.revoked.is_empty() || !last.mutations.is_empty() {
        return None;
    }
    let mut cursors = last.cursors.clone();
    cursors.extend(ends.gained.iter().map(|scope| Cursor {
        scope: *scope,
        epoch: 0,
        seq: 0,
        began: 0,
    }));
    cursors.sort_unstable_by_key(|cursor| cursor.scope.to_bytes());
    for page in &ends.pages {
        let cursor = cursors
            .iter_mut()
            .find(|cursor| cursor.scope == page.scope)?;
        if page.from == 0 {
            cursor.began = page.began;
        }
        (cursor.epoch, cursor.seq) = (page.epoch, page.to);
    }
    Some(cbor::to_bytes(&SyncRequest {
        incarnation: ends.incarnation,
        cursors,
        max_rows,
        max_bytes,
        ..last.clone()
    }))
}
