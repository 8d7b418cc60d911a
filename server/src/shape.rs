//! The shape of a message before anybody reads what it says: how deep it is nested, how long its lists and texts are.
//!
//! One pass over the bytes, without recursion and without memory for what is announced but not there, so that the decoders
//! behind it only ever see messages whose cost is in proportion to their size.

use minicbor::Decoder;
use minicbor::data::Type;

/// How deep values may lie within values.
pub const MAX_NESTING: usize = 24;
/// The most values of one list, or keys and values of one map.
pub const MAX_ENTRIES: u64 = 4_096;
/// The most bytes of one text: the longest that a rule allows has 20 000 characters of up to four bytes.
pub const MAX_TEXT_BYTES: usize = 80_000;

/// Why a message is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misshapen {
    /// It ends too early, goes on behind its end, or is not CBOR with definite lengths.
    #[error("not one message")]
    Broken,
    /// Deeper than [`MAX_NESTING`].
    #[error("nested too deeply")]
    TooDeep,
    /// A list or map longer than [`MAX_ENTRIES`].
    #[error("a list is too long")]
    ListTooLong,
    /// A text longer than [`MAX_TEXT_BYTES`].
    #[error("a text is too long")]
    TextTooLong,
}

/// Checks one message and that nothing stands behind it.
pub fn check(bytes: &[u8]) -> Result<(), Misshapen> {
    let broken = |_| Misshapen::Broken;
    let mut decoder = Decoder::new(bytes);
    // How many values still belong to each open list, from the outermost in.
    let mut open: Vec<u64> = Vec::with_capacity(MAX_NESTING);
    loop {
        let inside = match decoder.datatype().map_err(broken)? {
            Type::Array => Some(decoder.array().map_err(broken)?),
            // An entry of a map is two values.
            Type::Map => Some(decoder.map().map_err(broken)?.map(|n| n.saturating_mul(2))),
            Type::Tag => {
                decoder.tag().map_err(broken)?;
                Some(Some(1))
            }
            Type::String => {
                if decoder.str().map_err(broken)?.len() > MAX_TEXT_BYTES {
                    return Err(Misshapen::TextTooLong);
                }
                None
            }
            Type::ArrayIndef
            | Type::MapIndef
            | Type::BytesIndef
            | Type::StringIndef
            | Type::Break => {
                return Err(Misshapen::Broken);
            }
            _ => {
                decoder.skip().map_err(broken)?;
                None
            }
        };
        match inside {
            Some(entries) => {
                let entries = entries.ok_or(Misshapen::Broken)?;
                if entries > MAX_ENTRIES {
                    return Err(Misshapen::ListTooLong);
                }
                if open.len() >= MAX_NESTING {
                    return Err(Misshapen::TooDeep);
                }
                open.push(entries);
            }
            None => count_one(&mut open),
        }
        // Lists that are complete now, and with them perhaps the ones around.
        while open.last() == Some(&0) {
            open.pop();
            count_one(&mut open);
        }
        if open.is_empty() {
            return if decoder.position() == bytes.len() {
                Ok(())
            } else {
                Err(Misshapen::Broken)
            };
        }
    }
}

fn count_one(open: &mut [u64]) {
    if let Some(left) = open.last_mut() {
        *left = left.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> Vec<u8> {
        // Arrays of one, around a zero.
        [vec![0x81; depth], vec![0]].concat()
    }

    fn list(head: u8, entries: u64, value: u8) -> Vec<u8> {
        let length = u16::try_from(entries).unwrap().to_be_bytes();
        let values = vec![value; usize::try_from(entries).unwrap()];
        [vec![head, length[0], length[1]], values].concat()
    }

    #[test]
    fn server_depth_is_limited() {
        assert_eq!(check(&nested(MAX_NESTING)), Ok(()));
        assert_eq!(check(&nested(MAX_NESTING + 1)), Err(Misshapen::TooDeep));
        assert_eq!(check(&nested(1 << 20)), Err(Misshapen::TooDeep));
        let tags = [vec![0xc1; 1 << 20], vec![0]].concat();
        assert_eq!(check(&tags), Err(Misshapen::TooDeep));
        let maps = [[0xa1, 0].repeat(MAX_NESTING + 1), vec![0]].concat();
        assert_eq!(check(&maps), Err(Misshapen::TooDeep));
    }

    #[test]
    fn server_lists_and_maps_are_limited() {
        assert_eq!(check(&list(0x99, MAX_ENTRIES, 0)), Ok(()));
        assert_eq!(
            check(&list(0x99, MAX_ENTRIES + 1, 0)),
            Err(Misshapen::ListTooLong)
        );
        // Announced and not there: refused before anything is made room for.
        for head in [0x9b, 0xbb] {
            let endless = [vec![head], vec![0xff; 8]].concat();
            assert_eq!(check(&endless), Err(Misshapen::ListTooLong));
        }
    }

    #[test]
    fn server_texts_are_limited_and_bytes_only_by_the_message() {
        let text = |bytes: usize| {
            let length = u32::try_from(bytes).unwrap().to_be_bytes();
            [vec![0x7a], length.to_vec(), vec![b'a'; bytes]].concat()
        };
        assert_eq!(check(&text(MAX_TEXT_BYTES)), Ok(()));
        assert_eq!(
            check(&text(MAX_TEXT_BYTES + 1)),
            Err(Misshapen::TextTooLong)
        );
        let mut bytes = text(1 << 20);
        bytes[0] = 0x5a;
        assert_eq!(check(&bytes), Ok(()));
    }

    #[test]
    fn server_what_is_not_one_whole_message_is_refused() {
        for broken in [
            &[][..],
            &[0x82, 0],
            &[0, 0],
            &[0x9f, 0, 0xff],
            &[0xbf, 0xff],
            &[0x5f, 0x41, 0, 0xff],
            &[0x7f, 0x61, b'a', 0xff],
            &[0x62, b'a'],
            &[0x61, 0xff],
            &[0xff],
            &[0xc1],
        ] {
            assert_eq!(check(broken), Err(Misshapen::Broken), "{broken:02x?}");
        }
        for whole in [
            &[0x80][..],
            &[0xa0],
            &[0x82, 0x80, 0xa1, 0, 0x80],
            &[0xc1, 0],
        ] {
            assert_eq!(check(whole), Ok(()), "{whole:02x?}");
        }
    }
}
