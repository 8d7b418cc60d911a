//! A phone's files as a kill left them, to be damaged in copies again and again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sotay_client::{Handbook, HandbookError};
use sotay_model::MeetingKey;

use crate::fail;
use crate::failure::Failure;
use crate::phone::FileVault;

use super::author::{Extent, Life};
use super::ledger::Ledger;
use super::place::Place;

/// The files of a handbook that hold something. The shared memory beside them is made anew by whoever comes first.
pub(super) const FILES: [&str; 5] = [
    "handbook.db",
    "handbook.db-wal",
    "journal",
    "key-check",
    "keys",
];
/// The write-ahead log.
pub(super) const LOG: &str = FILES[1];
/// The sealed copies of the unsent entries.
pub(super) const JOURNAL: &str = FILES[2];
/// What tells a wrong key.
pub(super) const KEY_CHECK: &str = FILES[3];
/// The wrapped data key, twice.
pub(super) const KEYS: &str = FILES[4];

/// See the module.
#[derive(Debug)]
pub(super) struct Scene {
    /// The files.
    pub(super) folder: PathBuf,
    /// The root key.
    pub(super) key: PathBuf,
}

/// Lets a phone's author enter so much and kills it; its files are copied to `folder`.
pub(super) fn leave(
    place: &Place,
    meeting: MeetingKey,
    name: &str,
    extent: Extent,
    folder: &Path,
) -> Result<(Scene, Ledger), Failure> {
    let phone = place.phone_folder(name);
    let life = Life {
        folder: phone.parent().unwrap_or(&phone).to_owned(),
        name: name.to_owned(),
        // Texts of other scenes must be other ones.
        number: 900_000 + u64::from(std::process::id() % 1_000) * 100 + count(folder),
        seed: 11,
        meeting,
        extent,
    };
    let author = life.begin()?;
    let done = author.wait_for(Duration::from_secs(60), |said| {
        said.last().is_some_and(|line| line == "done")
    });
    let said = author.kill()?;
    if !done {
        fail!("the author of a scene said {:?}", said.last());
    }
    let mut ledger = Ledger::default();
    ledger.hear(&said);
    std::fs::create_dir_all(folder)?;
    copy(&phone, folder)?;
    let key = folder.with_extension("key");
    std::fs::copy(phone.with_extension("key"), &key)?;
    let scene = Scene {
        folder: folder.to_owned(),
        key,
    };
    Ok((scene, ledger))
}

fn count(folder: &Path) -> u64 {
    folder
        .parent()
        .and_then(|above| std::fs::read_dir(above).ok())
        .map_or(0, |entries| entries.count() as u64)
}

/// Copies the files of a handbook, and takes away those that are not in the original.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    for entry in std::fs::read_dir(to)? {
        let path = entry?.path();
        if path.is_file() {
            std::fs::remove_file(path)?;
        }
    }
    for name in FILES {
        let file = from.join(name);
        if file.exists() {
            std::fs::copy(file, to.join(name))?;
        }
    }
    Ok(())
}

impl Scene {
    /// The one whose folder this is.
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            key: folder.with_extension("key"),
        }
    }

    /// The same after an orderly end: everything is in the database, and there is no log.
    pub(super) fn closed(&self, folder: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder)?;
        copy(&self.folder, folder)?;
        std::fs::copy(&self.key, folder.with_extension("key"))?;
        let closed = Self::in_folder(folder);
        closed.open(folder)?.shutdown()?;
        Ok(closed)
    }

    /// One of its files.
    pub(super) fn file(&self, name: &str) -> Result<Vec<u8>, Failure> {
        let path = self.folder.join(name);
        Ok(if path.exists() {
            std::fs::read(path)?
        } else {
            Vec::new()
        })
    }

    /// Opens a copy.
    pub(super) fn open(&self, copy: &Path) -> Result<Arc<Handbook>, HandbookError> {
        Handbook::open(copy.to_string_lossy().into_owned(), self.vault())
    }

    /// Opens a copy whose database is damaged.
    pub(super) fn rebuild(&self, copy: &Path) -> Result<Arc<Handbook>, HandbookError> {
        Handbook::rebuild(copy.to_string_lossy().into_owned(), self.vault())
    }

    fn vault(&self) -> Arc<FileVault> {
        Arc::new(FileVault(self.key.clone()))
    }
}

/// What all screens show, to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Screens {
    /// Everything but when it was last synced.
    pub(super) text: String,
    /// Unsent entries: number, intent, words.
    pub(super) unsent: BTreeSet<(i64, String, Option<String>)>,
}

/// Reads every screen a member has.
pub(super) fn screens(handbook: &Handbook) -> Result<Screens, HandbookError> {
    let unsent = unsent(handbook)?;
    let outbox = handbook.outbox()?;
    let mut home = handbook.home()?;
    home.delivery.last_synced_at = None;
    home.delivery.offline = false;
    let profile = handbook.profile()?;
    let meetings = handbook.meetings(None, 200)?;
    let mut text = format!("{outbox:-?}\n{home:-?}\n{profile:-?}\n{meetings:-?}\n");
    for card in &meetings.meetings {
        text.push_str(&format!("{:-?}\n", handbook.meeting(card.meeting)?));
    }
    Ok(Screens { text, unsent })
}

/// Unsent entries: number, intent, words.
pub(super) fn unsent(
    handbook: &Handbook,
) -> Result<BTreeSet<(i64, String, Option<String>)>, HandbookError> {
    let lines = handbook.outbox()?.unsent.into_iter();
    Ok(lines
        .map(|line| (line.n, line.intent, line.words))
        .collect())
}

/// Where the frames of a write-ahead log end, and whether a transaction ends with them.
pub(super) fn log_frames(log: &[u8]) -> Vec<(usize, bool)> {
    let number = |at: usize| {
        log.get(at..at + 4)
            .and_then(|four| four.try_into().ok())
            .map(u32::from_be_bytes)
    };
    let mut frames = Vec::new();
    let (Some(page), salts) = (number(8), log.get(16..24)) else {
        return frames;
    };
    let length = 24 + page as usize;
    let mut at = 32;
    // A frame of an earlier round of the log has other salts.
    while at + length <= log.len() && log.get(at + 8..at + 16) == salts {
        frames.push((at + length, number(at + 4) != Some(0)));
        at += length;
    }
    frames
}
