//! Blobs: the bytes of attachments, named by their SHA-256 and never changed.
//!
//! A record says everything that is needed to check a blob: its size, its digest, and the digest of each piece of
//! [`PIECE_BYTES`]. So a piece that arrives damaged is found at once and fetched again alone, and nothing of a blob that does
//! not fit its record is ever shown. A blob lies at the home of the records that name it: who may write there hands it over,
//! who is shown the record may fetch it.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use ring::digest::{SHA256, digest};

use crate::apply::Actor;
use crate::cbor;
use crate::documents::Document;
use crate::id::{NotAnId, Scope};
use crate::organisation::{Act, permit};
use crate::record::Kind;
use crate::time::Now;
use crate::world::{Need, Reader, Stop, World};

/// The bytes of a piece: what is checked, and fetched again, alone. The last piece may be shorter.
pub const PIECE_BYTES: u32 = 256 << 10;
/// The most bytes of a blob.
pub const MAX_BLOB_BYTES: u32 = 128 << 20;
/// How many bytes a digest has.
pub const DIGEST_BYTES: usize = 32;

/// The SHA-256 of a blob; its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobDigest([u8; DIGEST_BYTES]);

impl BlobDigest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut out = [0; DIGEST_BYTES];
        out.copy_from_slice(digest(&SHA256, bytes).as_ref());
        Self(out)
    }

    /// From the 32 bytes.
    pub const fn from_bytes(bytes: [u8; DIGEST_BYTES]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; DIGEST_BYTES] {
        &self.0
    }
}

impl fmt::Display for BlobDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlobDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for BlobDigest {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let digits = text.as_bytes();
        if digits.len() != 2 * DIGEST_BYTES {
            return Err(NotAnId);
        }
        let mut bytes = [0; DIGEST_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            for digit in pair {
                let value = match digit {
                    b'0'..=b'9' => digit - b'0',
                    b'a'..=b'f' => digit - b'a' + 10,
                    _ => return Err(NotAnId),
                };
                *byte = (*byte << 4) | value;
            }
        }
        Ok(Self(bytes))
    }
}

impl<Ctx> Encode<Ctx> for BlobDigest {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut Ctx,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, Ctx> Decode<'b, Ctx> for BlobDigest {
    fn decode(d: &mut Decoder<'b>, _: &mut Ctx) -> Result<Self, decode::Error> {
        let bytes = d.bytes()?;
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| decode::Error::message("a digest has 32 bytes"))
    }
}

/// The digests of a blob's pieces, one behind the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PieceDigests(Vec<u8>);

impl PieceDigests {
    /// Adds the digest of the next piece.
    pub fn push(&mut self, piece: &[u8]) {
        self.0.extend_from_slice(digest(&SHA256, piece).as_ref());
    }

    /// How many pieces.
    pub fn count(&self) -> u32 {
        u32::try_from(self.0.len() / DIGEST_BYTES).unwrap_or(u32::MAX)
    }

    /// Whether there is exactly one for each piece of a blob of this size.
    pub fn fit(&self, size: u64) -> bool {
        self.0.len().is_multiple_of(DIGEST_BYTES) && u64::from(self.count()) == pieces(size)
    }

    /// Whether these are the bytes of a piece.
    pub fn matches(&self, index: u32, piece: &[u8]) -> bool {
        let start = index as usize * DIGEST_BYTES;
        self.0.get(start..start + DIGEST_BYTES) == Some(digest(&SHA256, piece).as_ref())
    }
}

impl<Ctx> Encode<Ctx> for PieceDigests {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut Ctx,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, Ctx> Decode<'b, Ctx> for PieceDigests {
    fn decode(d: &mut Decoder<'b>, _: &mut Ctx) -> Result<Self, decode::Error> {
        Ok(Self(d.bytes()?.to_vec()))
    }
}

/// How many pieces a blob of this size has.
pub const fn pieces(size: u64) -> u64 {
    size.div_ceil(PIECE_BYTES as u64)
}

/// A blob that a record names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedBlob {
    /// Which.
    pub digest: BlobDigest,
    /// Its size in bytes.
    pub size: u64,
}

/// The kinds of records that may name blobs.
pub const KINDS_THAT_NAME_BLOBS: &[Kind] = &[Kind::Document];

/// The blobs that a record's body names. A body that this version cannot read names none.
pub fn named_by(kind: Kind, body: &[u8]) -> Vec<NamedBlob> {
    match kind {
        Kind::Document => cbor::from_bytes::<Document>(body)
            .ok()
            .and_then(|document| document.attachments)
            .unwrap_or_default()
            .into_iter()
            // One that was removed has no bytes.
            .filter(|attachment| attachment.size > 0)
            .map(|attachment| NamedBlob {
                digest: attachment.blob,
                size: attachment.size,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether the actor may hand over blobs for records at `home`: whoever may publish documents there. `Err` names what must be
/// loaded first.
pub fn may_hand_over(
    world: &World,
    actor: Actor,
    now: Now,
    home: Scope,
) -> Result<bool, Vec<Need>> {
    let reader = Reader::new(world);
    match permit(&reader, actor, now, &Act::HandOverBlob { home }) {
        Ok(()) => Ok(true),
        Err(Stop::Rejected(_)) => Ok(false),
        Err(Stop::Unloaded) => Err(reader.into_needs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_back_what_it_writes_and_nothing_else() {
        let digest = BlobDigest::of(b"abc");
        let text = digest.to_string();
        assert_eq!(
            text,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(text.parse(), Ok(digest));
        for wrong in ["", &text[1..], &text.to_uppercase(), &format!("{text}0")] {
            assert_eq!(wrong.parse::<BlobDigest>(), Err(NotAnId), "{wrong}");
        }
        let bytes = cbor::to_bytes(&digest);
        assert_eq!(cbor::from_bytes::<BlobDigest>(&bytes).ok(), Some(digest));
        assert!(cbor::from_bytes::<BlobDigest>(&[0x42, 1, 2]).is_err());
    }

    #[test]
    fn there_is_one_digest_for_each_piece() {
        let piece = u64::from(PIECE_BYTES);
        for (size, count) in [(0, 0), (1, 1), (piece, 1), (piece + 1, 2), (3 * piece, 3)] {
            assert_eq!(pieces(size), count);
        }
        let mut digests = PieceDigests::default();
        digests.push(b"first");
        digests.push(b"second");
        assert!(digests.fit(piece + 1) && !digests.fit(piece) && !digests.fit(3 * piece));
        assert!(digests.matches(0, b"first") && digests.matches(1, b"second"));
        assert!(!digests.matches(0, b"second") && !digests.matches(2, b"first"));
    }
}
