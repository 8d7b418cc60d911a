//! A sealed copy of every mutation that a person may still need, in an append-only file beside the database.
//!
//! A mutation is in here, and synced, before `submit` returns. So the database may commit without a sync of its own, and
//! a broken database costs a download, never an answer. One that the server carried out stays, marked as accepted, until the
//! server's backups have it too. It also keeps who joined, so that a new database can go on where
//! the broken one ended.
//!
//! Frame: `SJ` ‖ kind (1) ‖ n (8) ‖ length (4) ‖ check (4) ‖ sealed bytes. The first 15 bytes are sealed along, the check
//! lets a reader find the next whole frame behind a damaged one, and how many unsent mutations there are can be counted
//! without any key. A torn tail is cut off. The file is rewritten, by way of another one, when little of it is still needed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::digest::{SHA256, digest};

use sotay_model::defect::{self, Defect};

use crate::disk::{Disk, DiskFile};
use crate::error::HandbookError;
use crate::keys::Seal;

const MAGIC: [u8; 2] = *b"SJ";
const SEALED_ALONG: usize = 15;
const HEADER: usize = SEALED_ALONG + 4;
/// Longer than any mutation may be; a larger length is a damaged one.
const MAX_FRAME: usize = 2 << 20;
/// Below this, rewriting the file is not worth its syncs.
const REWRITE_ABOVE: u64 = 256 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FrameKind {
    /// Who joined.
    Identity = 1,
    /// A mutation.
    Mutation = 2,
    /// A mutation that need not be sent any more.
    Settled = 3,
    /// The highest number given out before the file was rewritten.
    HighWater = 4,
    /// A mutation that the server carried out, and that its backups may lack.
    Accepted = 5,
    /// A mutation that the server refused, and why.
    Refused = 6,
}

impl FrameKind {
    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Identity),
            2 => Some(Self::Mutation),
            3 => Some(Self::Settled),
            4 => Some(Self::HighWater),
            5 => Some(Self::Accepted),
            6 => Some(Self::Refused),
            _ => None,
        }
    }
}

/// A mutation as the journal keeps it.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "simulation"), allow(unreachable_pub))]
pub struct Entry {
    /// Its number.
    pub n: i64,
    /// The instant it was decided at, in milliseconds.
    pub at: i64,
    /// Its encoding.
    pub mutation: Vec<u8>,
    /// What became of it.
    pub fate: Fate,
}

/// What the server made of a mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "simulation"), allow(unreachable_pub))]
pub enum Fate {
    /// Nothing yet.
    Unsent,
    /// Carried out.
    Accepted,
    /// Refused for this reason, which is encoded.
    Refused(Vec<u8>),
}

/// What was read when the journal was opened.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Recovered {
    /// Who joined, encoded.
    pub(crate) identity: Option<Vec<u8>>,
    /// Mutations that are not settled, the oldest first.
    pub(crate) kept: Vec<Entry>,
    /// The highest number ever given out, as far as this file knows.
    pub(crate) high_water: i64,
}

struct Frame<'f> {
    kind: FrameKind,
    n: i64,
    along: &'f [u8],
    sealed: &'f [u8],
    start: usize,
    end: usize,
}

fn check_of(along: &[u8]) -> [u8; 4] {
    let mut check = [0; 4];
    check.copy_from_slice(&digest(&SHA256, along).as_ref()[..4]);
    check
}

/// The frame that begins at `start`, if a whole one does.
fn frame_at(bytes: &[u8], start: usize) -> Option<Frame<'_>> {
    let header = bytes.get(start..start + HEADER)?;
    let (along, check) = header.split_at(SEALED_ALONG);
    if along[..2] != MAGIC || check != check_of(along) {
        return None;
    }
    let n = i64::from_be_bytes(along[3..11].try_into().ok()?);
    let length = u32::from_be_bytes(along[11..15].try_into().ok()?) as usize;
    let end = start + HEADER + length;
    let sealed = bytes
        .get(start + HEADER..end)
        .filter(|_| length <= MAX_FRAME)?;
    Some(Frame {
        kind: FrameKind::from_byte(along[2])?,
        n,
        along,
        sealed,
        start,
        end,
    })
}

/// All whole frames; what lies between them is damaged and passed over.
fn frames(bytes: &[u8]) -> Vec<Frame<'_>> {
    let mut found = Vec::new();
    let mut position = 0;
    while position + HEADER <= bytes.len() {
        match frame_at(bytes, position) {
            Some(frame) => {
                position = frame.end;
                found.push(frame);
            }
            None => position += 1,
        }
    }
    found
}

fn read(disk: &dyn Disk, path: &Path) -> Result<Vec<u8>, HandbookError> {
    match disk.read(path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// How many unsent mutations the file holds; needs no key.
pub(crate) fn count(disk: &dyn Disk, path: &Path) -> u32 {
    let mut unsent = std::collections::BTreeSet::new();
    for frame in frames(&read(disk, path).unwrap_or_default()) {
        match frame.kind {
            FrameKind::Mutation => {
                unsent.insert(frame.n);
            }
            FrameKind::Settled | FrameKind::Accepted | FrameKind::Refused => {
                unsent.remove(&frame.n);
            }
            FrameKind::Identity | FrameKind::HighWater => {}
        }
    }
    u32::try_from(unsent.len()).unwrap_or(u32::MAX)
}

/// Whether the key opens a frame of the file; nothing where there is none.
pub(crate) fn opens(
    disk: &dyn Disk,
    path: &Path,
    seal: &Seal,
) -> Result<Option<bool>, HandbookError> {
    let bytes = read(disk, path)?;
    let frames = frames(&bytes);
    let opened = frames
        .iter()
        .any(|frame| seal.open(frame.along, frame.sealed).is_some());
    Ok((!frames.is_empty()).then_some(opened))
}

/// The open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Box<dyn DiskFile>,
    seal: Seal,
    length: u64,
    high_water: i64,
    identity: Option<(u64, u64)>,
    kept: BTreeMap<i64, (u64, u64)>,
    /// Those of them that the server decided on, with the frame that says so.
    decided: BTreeMap<i64, (u64, u64)>,
}

impl Journal {
    /// Opens the journal, or makes an empty one, and cuts a torn tail off.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        path: PathBuf,
        seal: Seal,
    ) -> Result<(Self, Recovered), HandbookError> {
        let bytes = read(&*disk, &path)?;
        let mut recovered = Recovered::default();
        let (mut identity, mut kept, mut whole) = (None, BTreeMap::new(), 0);
        let mut entries: BTreeMap<i64, Entry> = BTreeMap::new();
        let mut decided = BTreeMap::new();
        for frame in frames(&bytes) {
            whole = frame.end as u64;
            let place = (frame.start as u64, frame.end as u64);
            recovered.high_water = recovered.high_water.max(frame.n);
            match frame.kind {
                FrameKind::Identity => {
                    if let Some(plain) = seal.open(frame.along, frame.sealed) {
                        recovered.identity = Some(plain);
                        identity = Some(place);
                    }
                }
                FrameKind::Mutation => {
                    // A damaged one stays where it is and is counted; the database may still have it.
                    kept.insert(frame.n, place);
                    decided.remove(&frame.n);
                    if let Some(entry) = seal
                        .open(frame.along, frame.sealed)
                        .and_then(|p| entry_of(frame.n, &p))
                    {
                        entries.insert(frame.n, entry);
                    }
                }
                FrameKind::Accepted | FrameKind::Refused => {
                    if let Some(entry) = entries.get_mut(&frame.n)
                        && let Some(why) = seal.open(frame.along, frame.sealed)
                    {
                        decided.insert(frame.n, place);
                        entry.fate = match frame.kind {
                            FrameKind::Refused => Fate::Refused(why),
                            _ => Fate::Accepted,
                        };
                    }
                }
                FrameKind::Settled => {
                    kept.remove(&frame.n);
                    decided.remove(&frame.n);
                    entries.remove(&frame.n);
                }
                FrameKind::HighWater => {}
            }
        }
        recovered.kept = entries.into_values().collect();
        let mut file = disk.open(&path)?;
        if whole < bytes.len() as u64 {
            file.set_len(whole)?;
            file.sync()?;
        }
        if whole == 0 {
            // What is kept in it is of no use where the file's name is lost.
            sync_name(&*disk, &path)?;
        }
        let high_water = recovered.high_water;
        Ok((
            Self {
                disk,
                path,
                file,
                seal,
                length: whole,
                high_water,
                identity,
                kept,
                decided,
            },
            recovered,
        ))
    }

    fn frame(&self, kind: FrameKind, n: i64, plain: &[u8]) -> Result<Vec<u8>, HandbookError> {
        let mut frame = Vec::with_capacity(HEADER + plain.len() + Seal::ADDS);
        frame.extend_from_slice(&MAGIC);
        frame.push(kind as u8);
        frame.extend_from_slice(&n.to_be_bytes());
        let length = u32::try_from(plain.len() + Seal::ADDS).unwrap_or(u32::MAX);
        frame.extend_from_slice(&length.to_be_bytes());
        let sealed = self.seal.seal(&frame, plain)?;
        let check = check_of(&frame);
        frame.extend_from_slice(&check);
        frame.extend_from_slice(&sealed);
        Ok(frame)
    }

    /// Appends whole frames or nothing.
    fn append(&mut self, frames: &[u8], sync: bool) -> Result<(u64, u64), HandbookError> {
        let start = self.length;
        let mut written = self.file.write_at(start, frames);
        if sync && written.is_ok() && !defect::is_on(Defect::JournalNotSynced) {
            written = self.file.sync();
        }
        if let Err(error) = written {
            // Best effort: a tail that stays is cut off at the next opening, or was whole and is harmless.
            let _ = self.file.set_len(start);
            return Err(error.into());
        }
        self.length += frames.len() as u64;
        Ok((start, self.length))
    }

    /// Keeps a mutation; it is on the disk when this returns.
    pub(crate) fn keep(&mut self, n: i64, at: i64, mutation: &[u8]) -> Result<(), HandbookError> {
        let mut plain = Vec::with_capacity(8 + mutation.len());
        plain.extend_from_slice(&at.to_be_bytes());
        plain.extend_from_slice(mutation);
        let frame = self.frame(FrameKind::Mutation, n, &plain)?;
        let place = self.append(&frame, true)?;
        self.kept.insert(n, place);
        self.high_water = self.high_water.max(n);
        Ok(())
    }

    /// Takes the mutation kept last back out, because the database could not keep it. If even that fails, it comes back at the
    /// next opening and is sent.
    pub(crate) fn take_back(&mut self, n: i64) {
        if let Some((start, end)) = self.kept.get(&n).copied()
            && end == self.length
            && self.file.set_len(start).is_ok()
        {
            self.kept.remove(&n);
            self.length = start;
            self.high_water = n - 1;
        }
    }

    /// Keeps who joined.
    pub(crate) fn keep_identity(&mut self, identity: &[u8]) -> Result<(), HandbookError> {
        let frame = self.frame(FrameKind::Identity, 0, identity)?;
        self.identity = Some(self.append(&frame, true)?);
        Ok(())
    }

    /// The server decided on these: carried out, or refused for a reason, which is encoded. Not synced: sending one again is
    /// harmless, the server knows its number.
    pub(crate) fn decide(
        &mut self,
        accepted: &[i64],
        refused: &[(i64, Vec<u8>)],
    ) -> Result<(), HandbookError> {
        let accepted = accepted.iter().map(|n| (*n, FrameKind::Accepted, &[][..]));
        let refused = refused
            .iter()
            .map(|(n, why)| (*n, FrameKind::Refused, why.as_slice()));
        let (mut frames, mut places) = (Vec::new(), Vec::new());
        for (n, kind, why) in accepted.chain(refused) {
            if self.kept.contains_key(&n) {
                let start = self.length + frames.len() as u64;
                frames.extend(self.frame(kind, n, why)?);
                places.push((n, (start, self.length + frames.len() as u64)));
            }
        }
        if frames.is_empty() {
            return Ok(());
        }
        self.append(&frames, false)?;
        self.decided.extend(places);
        Ok(())
    }

    /// These are needed no more: put away, or in the server's backups. Not synced either.
    pub(crate) fn settle(&mut self, settled: &[i64]) -> Result<(), HandbookError> {
        let mut frames = Vec::new();
        for n in settled.iter().filter(|n| self.kept.contains_key(n)) {
            frames.extend(self.frame(FrameKind::Settled, *n, &[])?);
        }
        if frames.is_empty() {
            return Ok(());
        }
        self.append(&frames, false)?;
        for n in settled {
            self.kept.remove(n);
            self.decided.remove(n);
        }
        let needed: u64 = self
            .kept
            .values()
            .chain(self.decided.values())
            .map(|(start, end)| end - start)
            .sum();
        if self.length > REWRITE_ABOVE && needed < self.length / 4 {
            self.rewrite()?;
        }
        Ok(())
    }

    /// What was said so far is on the disk when this returns.
    pub(crate) fn sync(&self) -> Result<(), HandbookError> {
        Ok(self.file.sync()?)
    }

    /// The highest number ever given out, as far as this file knows.
    pub(crate) const fn high_water(&self) -> i64 {
        self.high_water
    }

    /// Writes what is still needed into a new file, which then takes this one's place.
    pub(crate) fn rewrite(&mut self) -> Result<(), HandbookError> {
        let old = self.disk.read(&self.path)?;
        let mut new = self.frame(FrameKind::HighWater, self.high_water, &[])?;
        let mut copy = |(start, end): (u64, u64)| {
            let place = new.len() as u64;
            new.extend_from_slice(old.get(start as usize..end as usize).unwrap_or_default());
            (place, new.len() as u64)
        };
        let identity = self.identity.map(&mut copy);
        let kept: BTreeMap<_, _> = self
            .kept
            .iter()
            .map(|(n, place)| (*n, copy(*place)))
            .collect();
        let decided: BTreeMap<_, _> = self
            .decided
            .iter()
            .map(|(n, place)| (*n, copy(*place)))
            .collect();
        let beside = self.path.with_extension("new");
        let mut file = self.disk.open(&beside)?;
        file.set_len(0)?;
        file.write_at(0, &new)?;
        file.sync()?;
        self.disk.rename(&beside, &self.path)?;
        sync_name(&*self.disk, &self.path)?;
        (self.file, self.length) = (file, new.len() as u64);
        (self.identity, self.kept, self.decided) = (identity, kept, decided);
        Ok(())
    }
}

fn sync_name(disk: &dyn Disk, path: &Path) -> Result<(), HandbookError> {
    match path.parent() {
        Some(folder) => Ok(disk.sync_folder(folder)?),
        None => Ok(()),
    }
}

fn entry_of(n: i64, plain: &[u8]) -> Option<Entry> {
    let (at, mutation) = plain.split_at_checked(8)?;
    Some(Entry {
        n,
        at: i64::from_be_bytes(at.try_into().ok()?),
        mutation: mutation.to_vec(),
        fate: Fate::Unsent,
    })
}

sotay_model::redacted! {
    Entry { n, at, mutation, fate },
    Recovered { identity, kept, high_water },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::PhoneDisk;
    use crate::keys::Keys;

    fn seal() -> Seal {
        Keys::from_data_key(&[5; 32].into()).journal().unwrap()
    }

    fn entry(n: i64) -> Entry {
        Entry {
            n,
            at: 1000 + n,
            mutation: format!("mutation {n}").into_bytes(),
            fate: Fate::Unsent,
        }
    }

    fn filled(path: &Path) -> Journal {
        let (mut journal, _) = Journal::open(Arc::new(PhoneDisk), path.to_owned(), seal()).unwrap();
        journal.keep_identity(b"who").unwrap();
        for n in 1..=4 {
            let entry = entry(n);
            journal.keep(n, entry.at, &entry.mutation).unwrap();
        }
        journal
    }

    fn reopened(path: &Path) -> Recovered {
        Journal::open(Arc::new(PhoneDisk), path.to_owned(), seal())
            .unwrap()
            .1
    }

    #[test]
    fn what_was_kept_and_not_settled_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        filled(&path).settle(&[1, 3]).unwrap();
        let recovered = reopened(&path);
        assert_eq!(recovered.identity.as_deref(), Some(&b"who"[..]));
        assert_eq!(recovered.kept, [entry(2), entry(4)]);
        assert_eq!(recovered.high_water, 4);
        assert_eq!(count(&PhoneDisk, &path), 2);
    }

    #[test]
    fn a_torn_tail_is_cut_off_wherever_it_tears() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        drop(filled(&path));
        let whole = std::fs::read(&path).unwrap();
        let last = frames(&whole).last().unwrap().start;
        for cut in last + 1..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (mut journal, recovered) =
                Journal::open(Arc::new(PhoneDisk), path.clone(), seal()).unwrap();
            assert_eq!(
                recovered.kept,
                [entry(1), entry(2), entry(3)],
                "cut at {cut}"
            );
            journal.keep(5, 1005, b"mutation 5").unwrap();
            assert_eq!(reopened(&path).kept.last(), Some(&entry(5)), "cut at {cut}");
        }
    }

    #[test]
    fn a_flipped_byte_costs_at_most_the_frame_it_lies_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        drop(filled(&path));
        let whole = std::fs::read(&path).unwrap();
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x40;
            std::fs::write(&path, &damaged).unwrap();
            let recovered = reopened(&path);
            let expected: Vec<Entry> = (1..=4)
                .map(entry)
                .filter(|e| recovered.kept.contains(e))
                .collect();
            assert_eq!(
                recovered.kept, expected,
                "flipped at {place}: only true entries, in order"
            );
            assert!(recovered.kept.len() >= 3, "flipped at {place}");
        }
    }

    #[test]
    fn another_key_reads_nothing_but_the_count_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        drop(filled(&path));
        let other = Keys::from_data_key(&[6; 32].into()).journal().unwrap();
        let (_, recovered) = Journal::open(Arc::new(PhoneDisk), path.clone(), other).unwrap();
        assert!(recovered.kept.is_empty() && recovered.identity.is_none());
        assert_eq!(count(&PhoneDisk, &path), 4);
    }

    #[test]
    fn rewriting_keeps_what_is_needed_and_the_highest_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = filled(&path);
        let large = vec![7; 100_000];
        for n in 5..=9 {
            journal.keep(n, 0, &large).unwrap();
        }
        journal.settle(&[1, 3, 4, 5, 6, 7, 8, 9]).unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() < 1000);
        journal.keep(10, 1010, b"mutation 10").unwrap();
        let recovered = reopened(&path);
        assert_eq!(recovered.kept, [entry(2), entry(10)]);
        assert_eq!(recovered.identity.as_deref(), Some(&b"who"[..]));
        journal.settle(&[2, 10]).unwrap();
        assert_eq!(reopened(&path).high_water, 10);
    }
}
