//! The words of a record's body: what its declaration calls free text, found and removed without knowing its type.

use minicbor::data::Type;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decoder, Encoder, decode};
use ring::digest::{SHA256, digest};
use sotay_model::Kind;
use sotay_model::inventory::{MapField, Personal, Shape, of};
use sotay_model::removed::REMOVED;

/// Shorter texts are what everybody writes: they are removed, but neither remembered nor refused again. Their digests could be guessed, too.
pub(super) const REMEMBERED_CHARACTERS: usize = 40;

/// A body that is not what its kind's declaration says.
#[derive(Debug)]
pub(super) struct Unreadable;

impl From<decode::Error> for Unreadable {
    fn from(_: decode::Error) -> Self {
        Self
    }
}

impl<E> From<EncodeError<E>> for Unreadable {
    fn from(_: EncodeError<E>) -> Self {
        Self
    }
}

/// A body without its words.
pub(super) struct Wordless {
    /// The body; the same bytes where it had none.
    pub(super) body: Vec<u8>,
    /// The SHA-256 of each of the words that are long enough to be remembered.
    pub(super) texts: Vec<[u8; 32]>,
}

/// Takes the words out. What the declaration does not know goes as well: it may be words of a newer version.
pub(super) fn without_words(kind: Kind, body: &[u8]) -> Result<Wordless, Unreadable> {
    let fields = of(kind).ok_or(Unreadable)?.fields;
    let mut found = Wordless {
        body: Vec::with_capacity(body.len()),
        texts: Vec::new(),
    };
    let mut decoder = Decoder::new(body);
    found.body = map(&mut decoder, fields, &mut found.texts)?;
    if decoder.position() == body.len() {
        Ok(found)
    } else {
        Err(Unreadable)
    }
}

fn map(
    d: &mut Decoder<'_>,
    fields: &[MapField],
    texts: &mut Vec<[u8; 32]>,
) -> Result<Vec<u8>, Unreadable> {
    let count = d.map()?.ok_or(Unreadable)?;
    let mut kept = 0;
    let mut entries = Encoder::new(Vec::new());
    for _ in 0..count {
        let number = d.u32()?;
        match fields.iter().find(|field| field.number == number) {
            Some(field) => {
                kept += 1;
                entries.u32(number)?;
                value(d, &mut entries, field, texts)?;
            }
            None => d.skip()?,
        }
    }
    let mut whole = Encoder::new(Vec::new());
    whole.map(kept)?;
    whole.writer_mut().extend(entries.into_writer());
    Ok(whole.into_writer())
}

fn value(
    d: &mut Decoder<'_>,
    e: &mut Encoder<Vec<u8>>,
    field: &MapField,
    texts: &mut Vec<[u8; 32]>,
) -> Result<(), Unreadable> {
    match (d.datatype()?, field.shape) {
        (Type::String, _) if field.personal == Personal::Words => {
            let text = d.str()?;
            if text.is_empty() || text == REMOVED {
                e.str(text)?;
                return Ok(());
            }
            if text.chars().count() >= REMEMBERED_CHARACTERS {
                let digest = digest(&SHA256, text.as_bytes());
                texts.extend(<[u8; 32]>::try_from(digest.as_ref()));
            }
            e.str(REMOVED)?;
        }
        (Type::Map, Shape::Map(fields)) => {
            let inner = map(d, fields, texts)?;
            e.writer_mut().extend(inner);
        }
        (Type::Array, _) => {
            let count = d.array()?.ok_or(Unreadable)?;
            e.array(count)?;
            for _ in 0..count {
                value(d, e, field, texts)?;
            }
        }
        _ => {
            let from = d.position();
            d.skip()?;
            let raw = d.input().get(from..d.position()).ok_or(Unreadable)?;
            e.writer_mut().write_all(raw).map_err(|_| Unreadable)?;
        }
    }
    Ok(())
}
