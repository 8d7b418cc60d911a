//! How a blob rests on the phone: the payload format of age, so that its public vectors test it.
//!
//! A random file key of 16 bytes and a random nonce of 16 bytes, which stands at the beginning, give the payload's key
//! (HKDF-SHA256). The text is cut into chunks of 64 KiB, each sealed with ChaCha20-Poly1305 under its number and whether it is
//! the last one: none can be changed, moved, left out or added. A chunk can be opened without those before it.
//!
//! Under one key and number only one text may ever be sealed. What is sealed here was compared with its digest before, so
//! sealing a chunk again after a loss seals the same text.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf;

use crate::error::HandbookError;

/// How many bytes a file key has.
pub(crate) const FILE_KEY_BYTES: usize = 16;
/// How many bytes the nonce at the beginning has.
pub(crate) const NONCE_BYTES: usize = 16;
/// The text of a chunk; the last may be shorter, and is empty only where there is no text at all.
pub(crate) const CHUNK_BYTES: usize = 64 << 10;
/// What sealing adds to a chunk.
pub(crate) const TAG_BYTES: usize = 16;

/// Seals and opens the chunks of one payload.
pub(crate) struct Stream(LessSafeKey);

impl Stream {
    /// The payload under this file key and nonce.
    pub(crate) fn new(
        file_key: &[u8; FILE_KEY_BYTES],
        nonce: &[u8; NONCE_BYTES],
    ) -> Result<Self, HandbookError> {
        let failed = |_| HandbookError::KeyFailed;
        let key: UnboundKey = hkdf::Salt::new(hkdf::HKDF_SHA256, nonce)
            .extract(file_key)
            .expand(&[b"payload"], &CHACHA20_POLY1305)
            .map_err(failed)?
            .into();
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Seals the text of chunk `number` behind what `out` holds.
    pub(crate) fn seal(
        &self,
        number: u64,
        last: bool,
        text: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), HandbookError> {
        let start = out.len();
        out.extend_from_slice(text);
        let sealed = out.get_mut(start..).unwrap_or_default();
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce(number, last), Aad::empty(), sealed)
            .map_err(|_| HandbookError::KeyFailed)?;
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens chunk `number` in place; nothing where a byte, its number or its standing as the last differs.
    pub(crate) fn open<'c>(
        &self,
        number: u64,
        last: bool,
        sealed: &'c mut [u8],
    ) -> Option<&'c mut [u8]> {
        self.0
            .open_in_place(nonce(number, last), Aad::empty(), sealed)
            .ok()
    }
}

/// Eleven bytes of number, one that says whether it is the last.
fn nonce(number: u64, last: bool) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[3..11].copy_from_slice(&number.to_be_bytes());
    bytes[11] = u8::from(last);
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::digest::{SHA256, digest};

    /// A whole payload, as age reads it: nonce, chunks, the last one marked, nothing behind it.
    fn opened(file_key: &[u8; FILE_KEY_BYTES], payload: &[u8]) -> Option<Vec<u8>> {
        let (first, rest) = payload.split_at_checked(NONCE_BYTES)?;
        let stream = Stream::new(file_key, first.try_into().unwrap()).unwrap();
        let mut chunks = rest.chunks(CHUNK_BYTES + TAG_BYTES).peekable();
        let mut text = Vec::new();
        let mut number = 0;
        chunks.peek()?;
        while let Some(chunk) = chunks.next() {
            let last = chunks.peek().is_none();
            let mut chunk = chunk.to_vec();
            let plain = stream.open(number, last, &mut chunk)?;
            if plain.is_empty() && number > 0 {
                return None;
            }
            text.extend_from_slice(plain);
            number += 1;
        }
        Some(text)
    }

    fn sealed(file_key: &[u8; FILE_KEY_BYTES], nonce: [u8; NONCE_BYTES], text: &[u8]) -> Vec<u8> {
        let stream = Stream::new(file_key, &nonce).unwrap();
        let mut out = nonce.to_vec();
        let chunks: Vec<&[u8]> = if text.is_empty() {
            vec![text]
        } else {
            text.chunks(CHUNK_BYTES).collect()
        };
        for (number, chunk) in (0..).zip(&chunks) {
            let last = number + 1 == chunks.len() as u64;
            stream.seal(number, last, chunk, &mut out).unwrap();
        }
        out
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn promise_27_blobs_rest_in_the_payload_format_of_age_as_its_public_vectors_say() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/blob/vectors");
        let (mut succeeded, mut failed) = (0, 0);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "zst") {
                continue;
            }
            let packed = std::fs::read(&path).unwrap();
            let vector = zstd::stream::decode_all(packed.as_slice()).unwrap();
            let end = vector.windows(2).position(|two| two == b"\n\n").unwrap();
            let head = std::str::from_utf8(&vector[..end]).unwrap();
            let word = |name: &str| {
                head.lines()
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            };
            let key = u128::from_str_radix(word("file key").unwrap(), 16).unwrap();
            let payload = &vector[end + 2..];
            let text = opened(&key.to_be_bytes(), payload);
            match word("expect").unwrap() {
                "success" => {
                    let text = text.unwrap_or_else(|| panic!("{path:?} does not open"));
                    let found = hex(digest(&SHA256, &text).as_ref());
                    assert_eq!(Some(found.as_str()), word("payload"), "{path:?}");
                    let nonce = payload[..NONCE_BYTES].try_into().unwrap();
                    assert_eq!(
                        sealed(&key.to_be_bytes(), nonce, &text),
                        payload,
                        "{path:?} seals to other bytes"
                    );
                    succeeded += 1;
                }
                _ => {
                    assert_eq!(text, None, "{path:?} opens");
                    failed += 1;
                }
            }
        }
        assert_eq!((succeeded, failed), (6, 20));
    }
}
