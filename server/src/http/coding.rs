//! Bodies: CBOR, compressed with zstd where it pays, and never larger than declared.

use std::io::{Read, Write};

use sotay_model::wire::{COMPRESS_ABOVE, MAX_REQUEST_BYTES, ProblemCode};

/// 1 MiB of window: what a small phone can afford.
const WINDOW_LOG: u32 = 20;
/// What the server can afford: the window of the largest request, 4 MiB, so that any level of compression is read.
const ACCEPTED_WINDOW_LOG: u32 = 22;
const LEVEL: i32 = 3;
/// How many times its size a compressed body may become, above [`FREE_EXPANSION`]. Lists of marks come to thirty.
pub(super) const MAX_EXPANSION: usize = 200;
/// Up to this size the ratio does not matter.
pub(super) const FREE_EXPANSION: usize = 64 << 10;

/// Undoes the compression of a request's body, up to the limit.
pub(super) fn decompress(body: &[u8]) -> Result<Vec<u8>, ProblemCode> {
    let mut decoder = zstd::stream::read::Decoder::new(body).map_err(|_| ProblemCode::Malformed)?;
    decoder
        .window_log_max(ACCEPTED_WINDOW_LOG)
        .map_err(|_| ProblemCode::Internal)?;
    let mut plain = Vec::new();
    let limit = unpacked_at_most(body.len());
    decoder
        .take(limit as u64 + 1)
        .read_to_end(&mut plain)
        .map_err(|_| ProblemCode::Malformed)?;
    if plain.len() > limit {
        Err(ProblemCode::TooLarge)
    } else {
        Ok(plain)
    }
}

/// The most that a compressed body of so many bytes may become.
pub(super) fn unpacked_at_most(packed: usize) -> usize {
    MAX_REQUEST_BYTES.min(packed.saturating_mul(MAX_EXPANSION).max(FREE_EXPANSION))
}

/// Compresses a response's body if it is large and that helps.
pub(super) fn compress(body: &[u8]) -> Option<Vec<u8>> {
    if body.len() <= COMPRESS_ABOVE {
        return None;
    }
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), LEVEL).ok()?;
    encoder.window_log(WINDOW_LOG).ok()?;
    encoder.write_all(body).ok()?;
    encoder
        .finish()
        .ok()
        .filter(|smaller| smaller.len() < body.len())
}

/// Whether a list of codings, as in `Accept-Encoding`, names zstd and does not refuse it.
pub(super) fn accepts_zstd(list: &str) -> bool {
    list.split(',').any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("zstd"))
            && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_a_bomb_is_refused_by_its_size_and_by_its_ratio() {
        let bomb = compress(&vec![0; MAX_REQUEST_BYTES + 1]).unwrap();
        assert!(bomb.len() < 10_000);
        assert_eq!(decompress(&bomb), Err(ProblemCode::TooLarge));
        let small = compress(&vec![0; FREE_EXPANSION]).unwrap();
        assert_eq!(decompress(&small), Ok(vec![0; FREE_EXPANSION]));
        let bomb = compress(&vec![0; FREE_EXPANSION + 1]).unwrap();
        assert!(bomb.len() * MAX_EXPANSION < FREE_EXPANSION);
        assert_eq!(decompress(&bomb), Err(ProblemCode::TooLarge));
        let mut noise = vec![0; MAX_REQUEST_BYTES + 1];
        let mut state = 1_u32;
        for byte in &mut noise {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (state >> 24) as u8 & 0x7f;
        }
        let large = compress(&noise).unwrap();
        assert!(large.len() > MAX_REQUEST_BYTES / 2);
        assert_eq!(decompress(&large), Err(ProblemCode::TooLarge));
        assert_eq!(decompress(b"not zstd"), Err(ProblemCode::Malformed));
        let whole = compress(&vec![7; 60_000]).unwrap();
        assert_eq!(decompress(&whole), Ok(vec![7; 60_000]));
        assert_eq!(
            decompress(&whole[..whole.len() / 2]),
            Err(ProblemCode::Malformed)
        );
    }

    #[test]
    fn small_bodies_and_noise_stay_as_they_are() {
        assert_eq!(compress(&vec![0; COMPRESS_ABOVE]), None);
    }

    #[test]
    fn zstd_is_used_only_where_it_is_accepted() {
        for yes in ["zstd", "gzip, zstd", "ZSTD;q=0.5", "gzip;q=0, zstd"] {
            assert!(accepts_zstd(yes), "{yes}");
        }
        for no in ["", "gzip", "zstd;q=0", "zstdx"] {
            assert!(!accepts_zstd(no), "{no}");
        }
    }
}
