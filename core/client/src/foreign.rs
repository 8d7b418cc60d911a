//! The readers of foreign bytes, each alone, for the fuzzer's targets: never in an app.
//!
//! Nothing here reads by itself: each function is the one that the phone runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sotay_model::cbor;
use sotay_model::enrolment::Invitation;
use sotay_model::wire::TrustAnchors;

use crate::blob::file::SealedFile;
use crate::clock::{SystemClock, Time};
use crate::disk::Disk;
use crate::engine::incoming::Incoming;
use crate::error::{HandbookError, ServerFault};
use crate::journal::{self, Journal};
pub use crate::journal::{Entry, Fate};
use crate::keys::{self, Keys};
use crate::keys_file::{self, Found, Wrap};
use crate::server_certificate::ServerCertificate;
use crate::transport::{self, WakeUps};

/// Reads a response and says whether it holds only what a server may say; nothing where it cannot be read.
pub fn response_is_sound(bytes: &[u8]) -> Option<bool> {
    let incoming: Incoming<'_> = cbor::from_bytes(bytes).ok()?;
    Some(incoming.is_sound())
}

/// Reads a scanned or typed invitation, or the link that opened the app.
pub fn invitation(text: &str) -> Result<Invitation, HandbookError> {
    crate::enrol::read(text)
}

/// Unpacks the body of a response.
pub fn unpacked(packed: &[u8]) -> Result<Vec<u8>, ServerFault> {
    transport::unpacked(packed)
}

/// Whether connections can be checked against these trust anchors.
pub fn are_anchors(anchors: &TrustAnchors) -> bool {
    let time = Arc::new(Time::by(Arc::new(SystemClock)));
    ServerCertificate::under(anchors, &time).is_some()
}

/// How long `Retry-After` asks for.
pub fn asked_to_wait(retry_after: &str) -> Option<Duration> {
    crate::schedule::asked_to_wait(retry_after)
}

/// How many of the chunks of a wake-up stream wake the phone.
pub fn wake_ups<'c>(chunks: impl IntoIterator<Item = &'c [u8]>) -> usize {
    let mut stream = WakeUps::default();
    let woken = chunks.into_iter().filter(|chunk| stream.is_in(chunk));
    woken.count()
}

/// What a journal held when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalFound {
    /// Who joined.
    pub identity: Option<Vec<u8>>,
    /// Mutations that are not settled, the oldest first.
    pub kept: Vec<Entry>,
    /// The highest number given out.
    pub high_water: i64,
    /// How many unsent mutations are counted without a key.
    pub unsent: u32,
}

/// Opens a journal as it lies on the disk, which cuts a torn end off.
pub fn open_journal(
    disk: &Arc<dyn Disk>,
    path: &Path,
    root: &[u8],
) -> Result<JournalFound, HandbookError> {
    let unsent = journal::count(&**disk, path);
    let keys = Keys::from_data_key(&keys::root(root.to_vec())?);
    let (_, found) = Journal::open(Arc::clone(disk), path.to_owned(), keys.journal()?)?;
    Ok(JournalFound {
        identity: found.identity,
        kept: found.kept,
        high_water: found.high_water,
        unsent,
    })
}

/// What is entered in a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalStep {
    /// Who joined.
    Identity(Vec<u8>),
    /// A mutation, decided at an instant.
    Keep(i64, i64, Vec<u8>),
    /// The server carried it out, or refused it for a reason.
    Decide(i64, Option<Vec<u8>>),
    /// It is needed no more.
    Settle(i64),
    /// The one kept last is taken back.
    TakeBack(i64),
}

/// Opens a journal and enters these.
pub fn enter_in_journal(
    disk: &Arc<dyn Disk>,
    path: &Path,
    root: &[u8],
    steps: &[JournalStep],
) -> Result<(), HandbookError> {
    let keys = Keys::from_data_key(&keys::root(root.to_vec())?);
    let (mut journal, _) = Journal::open(Arc::clone(disk), path.to_owned(), keys.journal()?)?;
    for step in steps {
        match step {
            JournalStep::Identity(identity) => journal.keep_identity(identity)?,
            JournalStep::Keep(n, at, mutation) => journal.keep(*n, *at, mutation)?,
            JournalStep::Decide(n, None) => journal.decide(&[*n], &[])?,
            JournalStep::Decide(n, Some(why)) => journal.decide(&[], &[(*n, why.clone())])?,
            JournalStep::Settle(n) => journal.settle(&[*n])?,
            JournalStep::TakeBack(n) => journal.take_back(*n),
        }
    }
    Ok(())
}

/// What a file of wrapped keys says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeysFound {
    /// There is none.
    Nothing,
    /// No copy in it is whole.
    Damaged,
    /// So many wraps.
    Wraps {
        /// How many.
        count: usize,
        /// Whether one of the copies is damaged.
        spoilt: bool,
        /// Whether any of them opens under this root without a PIN.
        opens: bool,
    },
}

/// Reads the file of wrapped keys, and writes what it read in its place where that is asked for.
pub fn keys_file(
    disk: &dyn Disk,
    folder: &Path,
    root: &[u8],
    rewrite: bool,
) -> Result<KeysFound, HandbookError> {
    let root = keys::root(root.to_vec())?;
    match keys_file::read(disk, folder)? {
        Found::Nothing => Ok(KeysFound::Nothing),
        Found::Damaged => Ok(KeysFound::Damaged),
        Found::Wraps { wraps, spoilt } => {
            let mut opens = false;
            for wrap in &wraps {
                opens |= wrap.open(&root, None)?.is_some();
                wrap.tries(&root)?;
            }
            if rewrite {
                let all: Vec<_> = wraps.iter().collect();
                keys_file::write(disk, folder, &all)?;
            }
            Ok(KeysFound::Wraps {
                count: wraps.len(),
                spoilt,
                opens,
            })
        }
    }
}

/// Writes a file with one wrap of a data key under this root, without a PIN.
pub fn make_keys_file(disk: &dyn Disk, folder: &Path, root: &[u8]) -> Result<(), HandbookError> {
    let data_key = keys::root(vec![1; keys::ROOT_BYTES])?;
    let wrap = Wrap::new(&keys::root(root.to_vec())?, None, &data_key)?;
    keys_file::write(disk, folder, &[&wrap])
}

/// A blob's file.
#[derive(Debug, Clone)]
pub struct BlobFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its key.
    pub key: [u8; 16],
    /// How many bytes the blob has.
    pub size: u64,
}

impl BlobFile {
    fn sealed(&self) -> SealedFile {
        SealedFile {
            path: self.path.clone(),
            key: self.key,
            size: self.size,
        }
    }

    /// Reads a piece; none where it is missing or damaged.
    pub fn read_piece(&self, index: u64) -> Result<Option<Vec<u8>>, HandbookError> {
        self.sealed().read_piece(index)
    }

    /// Writes a piece into its place.
    pub fn write_piece(&self, index: u64, piece: &[u8]) -> Result<(), HandbookError> {
        self.sealed().write_piece(index, piece)
    }

    /// About how many bytes are here.
    pub fn present(&self) -> u64 {
        self.sealed().present()
    }
}
