//! What is done to a copy: where a file is torn, and which bits are flipped.

use std::path::Path;

use crate::failure::Failure;

use super::chance::Chance;
use super::scene::{FILES, JOURNAL, KEY_CHECK, KEYS, LOG, Scene, log_frames};

/// SQLite's page.
const PAGE: usize = 4_096;
/// So many of the last transactions are torn.
const TRANSACTIONS: usize = 3;
/// So many of the last bytes are torn at each of them; before, at each byte of a frame's header and at every so many of its page.
const EACH_BYTE: usize = 8 << 10;
const STRIDE: usize = 61;
/// The journal is torn at each of its last bytes.
const JOURNAL_TAIL: usize = 1 << 10;
/// Garbage and zeros stand behind one tear in so many, unless all is asked for.
const GARBAGE: usize = 5;

/// One damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damage {
    /// Which file.
    pub(super) file: &'static str,
    /// What happens to it.
    pub(super) how: How,
}

/// What happens to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// It ends here.
    Ends(usize),
    /// From here on it is random bytes.
    Garbage(usize),
    /// From here on it is zeros.
    Zeros(usize),
    /// This bit differs.
    Flip {
        /// The byte.
        byte: usize,
        /// The bit of it.
        bit: u8,
    },
}

impl Damage {
    /// Does it to a copy.
    pub(super) fn strike(&self, copy: &Path, chance: &mut Chance) -> Result<(), Failure> {
        let path = copy.join(self.file);
        let mut bytes = std::fs::read(&path)?;
        match self.how {
            How::Ends(at) => bytes.truncate(at),
            How::Garbage(at) => bytes
                .iter_mut()
                .skip(at)
                .for_each(|byte| *byte = chance.number().to_le_bytes()[0]),
            How::Zeros(at) => bytes.iter_mut().skip(at).for_each(|byte| *byte = 0),
            How::Flip { byte, bit } => {
                if let Some(byte) = bytes.get_mut(byte) {
                    *byte ^= 1 << bit;
                }
            }
        }
        Ok(std::fs::write(path, bytes)?)
    }
}

/// The log torn at every byte of what was written last, and the journal. With `every` also before the last bytes, and always with
/// something behind.
pub(super) fn tears(scene: &Scene, every: bool) -> Result<Vec<Damage>, Failure> {
    let frames = log_frames(&scene.file(LOG)?);
    let end = frames.last().map_or(0, |(end, _)| *end);
    let commits: Vec<usize> = frames
        .iter()
        .filter(|(_, commits)| *commits)
        .map(|(end, _)| *end)
        .collect();
    let from = commits
        .len()
        .checked_sub(TRANSACTIONS + 1)
        .and_then(|place| commits.get(place))
        .map_or(0, |end| *end);
    let places = (from..end).filter(|at| {
        let header = at.saturating_sub(32) % (24 + PAGE) < 24;
        every || *at + EACH_BYTE >= end || header || at % STRIDE == 0
    });
    let mut damages = Vec::new();
    let mut tear = |file, at| {
        damages.push((file, How::Ends(at)));
        // What a file system leaves behind a torn write is the old content, zeros, or anything.
        if every || at % GARBAGE == 0 {
            let how = [How::Garbage, How::Zeros][at % 2](at);
            damages.push((file, how));
        }
    };
    places.for_each(|at| tear(LOG, at));
    let journal = scene.file(JOURNAL)?.len();
    (journal.saturating_sub(JOURNAL_TAIL)..journal).for_each(|at| tear(JOURNAL, at));
    Ok(damages
        .into_iter()
        .map(|(file, how)| Damage { file, how })
        .collect())
}

/// Bits spread over all files: every page, every header, all of the check value, and random ones.
pub(super) fn flips(scene: &Scene, seed: u64) -> Result<Vec<Damage>, Failure> {
    let mut chance = Chance::new(seed, 3);
    let mut places: Vec<(&'static str, usize)> = Vec::new();
    for file in FILES {
        let length = scene.file(file)?.len();
        match file {
            KEY_CHECK => places.extend((0..length).flat_map(|at| [(file, at); 4])),
            KEYS => places.extend((0..length).step_by(7).map(|at| (file, at))),
            JOURNAL => places.extend((0..length).step_by(5).map(|at| (file, at))),
            LOG => {
                places.extend((0..length.min(32)).map(|at| (file, at)));
                for start in (32..length).step_by(24 + PAGE) {
                    places.extend((start..start + 24).step_by(3).map(|at| (file, at)));
                    places.extend([(); 2].map(|()| (file, start + 24 + within(&mut chance))));
                }
            }
            _ => {
                // The salt and the header, then every page: its contents, and its nonce and seal at the end.
                places.extend((0..length.min(100)).map(|at| (file, at)));
                for start in (0..length).step_by(PAGE) {
                    places.extend([(); 6].map(|()| (file, start + within(&mut chance))));
                    places.push((file, start + PAGE - 1 - within(&mut chance) % 80));
                }
            }
        }
    }
    Ok(places
        .into_iter()
        .map(|(file, byte)| {
            let bit = u8::try_from(chance.below(8)).unwrap_or(0);
            let how = How::Flip { byte, bit };
            Damage { file, how }
        })
        .collect())
}

fn within(chance: &mut Chance) -> usize {
    usize::try_from(chance.below(PAGE as u64)).unwrap_or(0)
}
