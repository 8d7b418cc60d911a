//! A blob's file: the payload of [`super::stream`], written and read piece by piece.
//!
//! A piece is four chunks, so every piece has its place in the file and can be written again alone. The file is open only while
//! a piece is written or read, never while the network is waited for. Whether a piece is there is asked of the piece itself: it
//! opens, or it is missing. So a kill, a torn write and a flipped bit are all the same case.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use sotay_model::blob::{PIECE_BYTES, pieces};

use super::stream::{CHUNK_BYTES, FILE_KEY_BYTES, NONCE_BYTES, Stream, TAG_BYTES};
use crate::error::HandbookError;
use crate::keys;

const CHUNKS_A_PIECE: u64 = PIECE_BYTES as u64 / CHUNK_BYTES as u64;
const SEALED_CHUNK: u64 = (CHUNK_BYTES + TAG_BYTES) as u64;
const SEALED_PIECE: u64 = CHUNKS_A_PIECE * SEALED_CHUNK;

/// Where a blob lies and how it opens.
#[derive(Clone)]
pub(crate) struct SealedFile {
    /// The file.
    pub(crate) path: PathBuf,
    /// Its key.
    pub(crate) key: [u8; FILE_KEY_BYTES],
    /// How many bytes the blob has: never 0.
    pub(crate) size: u64,
}

impl SealedFile {
    /// How many pieces it has.
    pub(crate) const fn pieces(&self) -> u64 {
        pieces(self.size)
    }

    /// How many bytes a piece has.
    pub(crate) fn piece_length(&self, index: u64) -> usize {
        let start = index.saturating_mul(PIECE_BYTES.into());
        let rest = self.size.saturating_sub(start).min(PIECE_BYTES.into());
        usize::try_from(rest).unwrap_or(0)
    }

    /// About how many bytes of it are here: exact as long as nothing is damaged.
    pub(crate) fn present(&self) -> u64 {
        let length = std::fs::metadata(&self.path).map_or(0, |found| found.len());
        let sealed = length.saturating_sub(NONCE_BYTES as u64);
        let whole = sealed / SEALED_PIECE * u64::from(PIECE_BYTES);
        if sealed >= self.sealed_length() {
            self.size
        } else {
            whole.min(self.size)
        }
    }

    const fn sealed_length(&self) -> u64 {
        self.size + self.size.div_ceil(CHUNK_BYTES as u64) * TAG_BYTES as u64
    }

    /// Chunk numbers from that of the piece, and whether each is the blob's last.
    fn chunks(&self, index: u64) -> impl Iterator<Item = (u64, bool)> {
        let last = self.size.div_ceil(CHUNK_BYTES as u64).saturating_sub(1);
        (index.saturating_mul(CHUNKS_A_PIECE)..).map(move |number| (number, number == last))
    }

    /// Writes a piece that was checked, into its place.
    pub(crate) fn write_piece(&self, index: u64, piece: &[u8]) -> Result<(), HandbookError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&self.path)?;
        let nonce = match nonce_of(&mut file)? {
            Some(nonce) => nonce,
            None => {
                let nonce = keys::random()?;
                file.seek(SeekFrom::Start(0))?;
                file.write_all(&nonce)?;
                nonce
            }
        };
        let stream = Stream::new(&self.key, &nonce)?;
        let mut sealed = Vec::with_capacity(piece.len() + 8 * TAG_BYTES);
        for (text, (number, last)) in piece.chunks(CHUNK_BYTES).zip(self.chunks(index)) {
            stream.seal(number, last, text, &mut sealed)?;
        }
        file.seek(SeekFrom::Start(NONCE_BYTES as u64 + index * SEALED_PIECE))?;
        Ok(file.write_all(&sealed)?)
    }

    /// Reads a piece; none where it is missing or damaged.
    pub(crate) fn read_piece(&self, index: u64) -> Result<Option<Vec<u8>>, HandbookError> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let Some(nonce) = nonce_of(&mut file)? else {
            return Ok(None);
        };
        let stream = Stream::new(&self.key, &nonce)?;
        let length = self.piece_length(index);
        let sealed_length = length + length.div_ceil(CHUNK_BYTES) * TAG_BYTES;
        file.seek(SeekFrom::Start(NONCE_BYTES as u64 + index * SEALED_PIECE))?;
        let mut sealed = Vec::with_capacity(sealed_length);
        file.take(sealed_length as u64).read_to_end(&mut sealed)?;
        if sealed.len() != sealed_length {
            return Ok(None);
        }
        let mut piece = Vec::with_capacity(length);
        let chunks = sealed.chunks_mut(CHUNK_BYTES + TAG_BYTES);
        for (chunk, (number, last)) in chunks.zip(self.chunks(index)) {
            match stream.open(number, last, chunk) {
                Some(text) => piece.extend_from_slice(text),
                None => return Ok(None),
            }
        }
        Ok(Some(piece))
    }

    /// Puts everything written on the disk.
    pub(crate) fn sync(&self) -> Result<(), HandbookError> {
        Ok(File::open(&self.path)?.sync_all()?)
    }
}

/// The nonce at the beginning; none where the file is too short for one.
fn nonce_of(file: &mut File) -> Result<Option<[u8; NONCE_BYTES]>, HandbookError> {
    let mut nonce = [0; NONCE_BYTES];
    match file.read_exact(&mut nonce) {
        Ok(()) => Ok(Some(nonce)),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECE: usize = PIECE_BYTES as usize;

    fn text(size: usize) -> Vec<u8> {
        (0..size).map(|at| (at * 31 / 7) as u8).collect()
    }

    fn filled(folder: &std::path::Path, text: &[u8]) -> SealedFile {
        let file = SealedFile {
            path: folder.join("blob"),
            key: [4; FILE_KEY_BYTES],
            size: text.len() as u64,
        };
        for (index, piece) in (0..).zip(text.chunks(PIECE)) {
            file.write_piece(index, piece).unwrap();
        }
        file
    }

    #[test]
    fn pieces_read_back_whatever_the_size() {
        for size in [1, CHUNK_BYTES, CHUNK_BYTES + 1, PIECE, PIECE + 1, 3 * PIECE] {
            let folder = tempfile::tempdir().unwrap();
            let text = text(size);
            let file = filled(folder.path(), &text);
            for (index, piece) in (0..).zip(text.chunks(PIECE)) {
                assert_eq!(file.read_piece(index).unwrap().as_deref(), Some(piece));
            }
            assert_eq!(file.present(), size as u64);
        }
    }

    #[test]
    fn a_flipped_byte_or_a_torn_end_costs_its_piece_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let text = text(2 * PIECE + 100);
        let file = filled(folder.path(), &text);
        let whole = std::fs::read(&file.path).unwrap();
        for (at, hit) in [(NONCE_BYTES, 0), (300_000, 1), (whole.len() - 1, 2)] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            std::fs::write(&file.path, &damaged).unwrap();
            for index in 0..3 {
                assert_eq!(file.read_piece(index).unwrap().is_none(), index == hit);
            }
        }
        std::fs::write(&file.path, &whole[..300_000]).unwrap();
        assert!(file.read_piece(0).unwrap().is_some());
        assert!(file.read_piece(1).unwrap().is_none());
        assert_eq!(file.present(), PIECE as u64);
        file.write_piece(1, &text[PIECE..2 * PIECE]).unwrap();
        file.write_piece(2, &text[2 * PIECE..]).unwrap();
        assert_eq!(std::fs::read(&file.path).unwrap(), whole);
    }
}
