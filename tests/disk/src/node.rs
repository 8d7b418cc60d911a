//! One file's bytes: what a reader sees, what the medium holds, and the changes in between.
//!
//! Invariant: `content` is `durable` with the whole of `log` applied in order. A sync makes them equal; a loss of
//! power keeps `durable` and any part of the log. Of two changes to the same bytes the later may be lost and the earlier
//! kept; the order of changes to different bytes cannot be told apart afterwards, so applying a subset in order covers
//! every order in which a real disk may have written them.

use std::sync::Arc;

use crate::lock::Lock;
use crate::random::Random;
use crate::shm::Shm;

/// The unit that a disk writes whole or not at all.
pub(crate) const SECTOR: usize = 512;
/// A log's buffer above this size is given back after a sync.
const KEPT_BUFFER: usize = 1 << 20;

/// A change that no sync has made durable yet; its bytes lie in `Node::bytes`.
#[derive(Debug)]
enum Change {
    Write {
        offset: usize,
        start: usize,
        len: usize,
    },
    Resize {
        len: usize,
    },
}

/// How one loss of power treats unsynced changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mood {
    /// How many of a hundred changes reach the medium.
    pub(crate) kept: u8,
    /// How many of a hundred of those are torn.
    pub(crate) torn: u8,
    /// A torn write may end inside a sector.
    pub(crate) anywhere: bool,
}

/// What became of the unsynced changes at losses of power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    pub(crate) kept: u64,
    pub(crate) lost: u64,
    pub(crate) torn: u64,
}

/// A file without its name.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) content: Arc<Vec<u8>>,
    durable: Arc<Vec<u8>>,
    log: Vec<Change>,
    bytes: Vec<u8>,
    /// Handles open on it since the last loss of power.
    pub(crate) open: u32,
    /// The locks that SQLite's connections hold on it.
    pub(crate) lock: Lock,
    /// The memory that connections of a database in WAL mode share.
    pub(crate) shm: Option<Arc<Shm>>,
}

impl Node {
    /// A file at rest, its bytes shared with whoever else holds them until one of them writes.
    pub(crate) fn at_rest(content: Arc<Vec<u8>>) -> Self {
        let durable = Arc::clone(&content);
        Self {
            content,
            durable,
            ..Self::default()
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.content.len()
    }

    /// Copies what lies at `offset`; returns how many bytes there were.
    pub(crate) fn read(&self, offset: usize, into: &mut [u8]) -> usize {
        let Some(rest) = self.content.get(offset..) else {
            return 0;
        };
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        count
    }

    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) {
        put(Arc::make_mut(&mut self.content), offset, bytes);
        self.log.push(Change::Write {
            offset,
            start: self.bytes.len(),
            len: bytes.len(),
        });
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn resize(&mut self, len: usize) {
        Arc::make_mut(&mut self.content).resize(len, 0);
        self.log.push(Change::Resize { len });
    }

    pub(crate) fn sync(&mut self) {
        if self.log.is_empty() {
            return;
        }
        let durable = Arc::make_mut(&mut self.durable);
        if self.bytes.len() >= self.content.len() {
            durable.clone_from(&self.content);
        } else {
            for change in &self.log {
                match *change {
                    Change::Write { offset, start, len } => {
                        put(durable, offset, &self.bytes[start..start + len]);
                    }
                    Change::Resize { len } => durable.resize(len, 0),
                }
            }
        }
        self.forget();
    }

    /// The changes count as written though the medium never got them: what a failed sync leaves on systems that then
    /// mark the pages clean. The next loss of power brings the old bytes back.
    pub(crate) fn forget(&mut self) {
        self.log.clear();
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BUFFER);
    }

    /// Loses power: what a reader sees afterwards is the durable bytes and what chance kept of the log.
    pub(crate) fn crash(&mut self, random: &mut Random, mood: Mood, losses: &mut Losses) {
        self.open = 0;
        self.lock = Lock::default();
        self.shm = None;
        if !self.log.is_empty() {
            let durable = Arc::make_mut(&mut self.durable);
            for change in &self.log {
                if !random.chance(mood.kept) {
                    losses.lost += 1;
                    continue;
                }
                losses.kept += 1;
                match *change {
                    Change::Write { offset, start, len } => {
                        let bytes = &self.bytes[start..start + len];
                        if len > 1 && random.chance(mood.torn) {
                            losses.torn += 1;
                            tear(durable, offset, bytes, random, mood.anywhere);
                        } else {
                            put(durable, offset, bytes);
                        }
                    }
                    Change::Resize { len } => durable.resize(len, 0),
                }
            }
            self.forget();
        }
        self.content = Arc::clone(&self.durable);
    }

    /// Other bytes, both to a reader and on the medium.
    pub(crate) fn replace(&mut self, content: Arc<Vec<u8>>) {
        self.forget();
        self.durable = Arc::clone(&content);
        self.content = content;
    }

    /// Turns one bit round on the medium and in what a reader sees; `false` if the file is shorter.
    pub(crate) fn flip(&mut self, bit: usize) -> bool {
        let (byte, mask) = (bit / 8, 1u8 << (bit % 8));
        let found = byte < self.content.len();
        for side in [&mut self.content, &mut self.durable] {
            if byte < side.len() {
                Arc::make_mut(side)[byte] ^= mask;
            }
        }
        found
    }
}

/// Where a write that power cuts off ends: at a sector's boundary unless `anywhere`.
pub(crate) fn cut(offset: usize, len: usize, random: &mut Random, anywhere: bool) -> usize {
    let at = random.below(len);
    if anywhere {
        return at;
    }
    let boundary = (offset + at) / SECTOR * SECTOR;
    boundary.saturating_sub(offset)
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if offset == content.len() {
        content.extend_from_slice(bytes);
        return;
    }
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

/// Writes a part: a beginning, or any of the sectors.
fn tear(content: &mut Vec<u8>, offset: usize, bytes: &[u8], random: &mut Random, anywhere: bool) {
    if anywhere || random.chance(50) {
        let end = cut(offset, bytes.len(), random, anywhere);
        if end > 0 {
            put(content, offset, &bytes[..end]);
        }
        return;
    }
    let mut from = 0;
    while from < bytes.len() {
        let sector_ends = SECTOR - (offset + from) % SECTOR;
        let until = (from + sector_ends).min(bytes.len());
        if random.chance(50) {
            put(content, offset + from, &bytes[from..until]);
        }
        from = until;
    }
}
