//! Deterministic CBOR (RFC 8949 §4.2) with integer keys, for everything that is stored or sent.
//!
//! Invariant: decoding and encoding again gives the same bytes, even when a newer version wrote keys or codes that this
//! one does not know. `cbor_map!` declares a struct that keeps unknown keys raw; `cbor_code!` declares a code list
//! whose last variant holds any unknown number. Types that are never read, changed and written back (wire messages,
//! mutations) use minicbor's own derive, which skips what it does not know.

use minicbor::data::Type;
use minicbor::{Decoder, Encoder, decode, encode};

/// How deep nested values inside an unknown key may be.
pub const MAX_DEPTH: usize = 16;

/// Keys of a map that this version does not know, with their raw values, sorted by key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UnknownKeys(Vec<(u32, Vec<u8>)>);

impl std::fmt::Debug for UnknownKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UnknownKeys({} keys)", self.0.len())
    }
}

impl UnknownKeys {
    /// Nothing unknown.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// How many unknown keys are kept.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing unknown was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps the next key; see [`in_order`].
    #[doc(hidden)]
    pub fn keep(&mut self, key: u32, decoder: &mut Decoder<'_>) -> Result<(), decode::Error> {
        let start = decoder.position();
        check_depth(decoder, MAX_DEPTH)?;
        let raw = decoder
            .input()
            .get(start..decoder.position())
            .unwrap_or_default();
        self.0.push((key, raw.to_vec()));
        Ok(())
    }

    #[doc(hidden)]
    pub fn write<W: encode::Write>(
        &self,
        range: impl std::ops::RangeBounds<u32>,
        encoder: &mut Encoder<W>,
    ) -> Result<(), encode::Error<W::Error>> {
        for (key, raw) in self.0.iter().filter(|(key, _)| range.contains(key)) {
            encoder.u32(*key)?;
            encoder
                .writer_mut()
                .write_all(raw)
                .map_err(encode::Error::write)?;
        }
        Ok(())
    }
}

/// Refuses a key that does not stand behind the one before. Sorting them here would let whoever sends them backwards make the
/// reader move each of them for each that follows.
pub(crate) fn in_order(before: &mut Option<u32>, key: u32) -> Result<(), decode::Error> {
    if before.is_some_and(|before| before >= key) {
        return Err(decode::Error::message("keys stand in ascending order"));
    }
    *before = Some(key);
    Ok(())
}

/// Moves past one value, refusing nesting deeper than `depth`.
fn check_depth(decoder: &mut Decoder<'_>, depth: usize) -> Result<(), decode::Error> {
    if depth == 0 {
        return Err(decode::Error::message("nested too deeply"));
    }
    match decoder.datatype()? {
        Type::Array => {
            for _ in 0..decoder.array()?.unwrap_or(0) {
                check_depth(decoder, depth - 1)?;
            }
            Ok(())
        }
        Type::Map => {
            for _ in 0..decoder.map()?.unwrap_or(0) {
                check_depth(decoder, depth - 1)?;
                check_depth(decoder, depth - 1)?;
            }
            Ok(())
        }
        Type::Tag => {
            decoder.tag()?;
            check_depth(decoder, depth - 1)
        }
        Type::ArrayIndef | Type::MapIndef | Type::BytesIndef | Type::StringIndef => Err(
            decode::Error::message("indefinite lengths are not deterministic"),
        ),
        _ => decoder.skip(),
    }
}

/// The deterministic encoding of a value.
pub fn to_bytes<T: minicbor::Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    // Writing into memory cannot fail, and no type here refuses its own value.
    let written = Encoder::new(&mut bytes).encode(value).is_ok();
    debug_assert!(written);
    bytes
}

/// Reads one value and refuses anything behind it.
pub fn from_bytes<'b, T: minicbor::Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, decode::Error> {
    let mut decoder = Decoder::new(bytes);
    let value = decoder.decode()?;
    if decoder.position() == bytes.len() {
        Ok(value)
    } else {
        Err(decode::Error::message("bytes behind the value"))
    }
}

/// Declares a struct stored as a CBOR map with integer keys; keys must be written in ascending order. Absent optional
/// values are left out; keys of newer versions are kept in `unknown` and written back in their place. In brackets behind each
/// field: what it says about people ([`crate::inventory::Personal`]).
macro_rules! cbor_map {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* $key:literal => $field:ident : $type:ty [$personal:ident], )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $type, )*
            /// Keys of newer versions, kept as they came.
            pub unknown: $crate::cbor::UnknownKeys,
        }

        $crate::redacted! { $name { $($field,)* unknown } }

        impl $crate::inventory::Described for $name {
            const SHAPE: $crate::inventory::Shape = $crate::inventory::Shape::Map(&[
                $( $crate::inventory::MapField {
                    number: $key,
                    name: stringify!($field),
                    type_name: stringify!($type),
                    personal: $crate::inventory::Personal::$personal,
                    shape: <$type as $crate::inventory::Described>::SHAPE,
                }, )*
            ]);
        }

        impl<Ctx> minicbor::Encode<Ctx> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                encoder: &mut minicbor::Encoder<W>,
                ctx: &mut Ctx,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                let mut count = self.unknown.len() as u64;
                $( if !<$type as minicbor::Encode<Ctx>>::is_nil(&self.$field) { count += 1; } )*
                encoder.map(count)?;
                let mut _from = 0;
                $(
                    self.unknown.write(_from..$key, encoder)?;
                    if !<$type as minicbor::Encode<Ctx>>::is_nil(&self.$field) {
                        encoder.u32($key)?;
                        self.$field.encode(encoder, ctx)?;
                    }
                    _from = $key + 1;
                )*
                self.unknown.write(_from.., encoder)
            }
        }

        impl<'b, Ctx> minicbor::Decode<'b, Ctx> for $name {
            fn decode(
                decoder: &mut minicbor::Decoder<'b>,
                ctx: &mut Ctx,
            ) -> Result<Self, minicbor::decode::Error> {
                let count = decoder.map()?.ok_or_else(|| {
                    minicbor::decode::Error::message("indefinite lengths are not deterministic")
                })?;
                let mut unknown = $crate::cbor::UnknownKeys::none();
                $( let mut $field: Option<$type> = None; )*
                let mut before = None;
                for _ in 0..count {
                    let key = decoder.u32()?;
                    $crate::cbor::in_order(&mut before, key)?;
                    match key {
                        $( $key => $field = Some(<$type as minicbor::Decode<'b, Ctx>>::decode(decoder, ctx)?), )*
                        other => unknown.keep(other, decoder)?,
                    }
                }
                Ok(Self {
                    $( $field: match $field.or_else(<$type as minicbor::Decode<'b, Ctx>>::nil) {
                        Some(value) => value,
                        None => return Err(minicbor::decode::Error::missing_value($key)),
                    }, )*
                    unknown,
                })
            }
        }
    };
}

/// Declares a list of codes written as one number; a number of a newer version becomes `Unknown { code }` and is
/// written back as it came. `name()` and `from_name()` give the identifier, for scenarios and configuration files.
macro_rules! cbor_code {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident = $code:literal, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
        pub enum $name {
            $( $(#[$variant_meta])* $variant, )*
            /// A code of a newer version.
            Unknown {
                /// The number as received.
                code: u32,
            },
        }

        impl $crate::inventory::Described for $name {
            const SHAPE: $crate::inventory::Shape =
                $crate::inventory::Shape::Code(&[$( ($code, stringify!($variant)), )*]);
        }

        impl $name {
            /// Every code this version knows.
            pub const ALL: &'static [Self] = &[$( Self::$variant, )*];

            /// The number on the wire.
            pub const fn code(self) -> u32 {
                match self {
                    $( Self::$variant => $code, )*
                    Self::Unknown { code } => code,
                }
            }

            /// The code for a number on the wire.
            pub const fn from_code(code: u32) -> Self {
                match code {
                    $( $code => Self::$variant, )*
                    other => Self::Unknown { code: other },
                }
            }

            /// The identifier, as written in scenarios and configuration files.
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$variant => stringify!($variant), )*
                    Self::Unknown { .. } => "Unknown",
                }
            }

            /// The code with this identifier.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $( stringify!($variant) => Some(Self::$variant), )*
                    _ => None,
                }
            }
        }

        impl<Ctx> minicbor::Encode<Ctx> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                encoder: &mut minicbor::Encoder<W>,
                _: &mut Ctx,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                encoder.u32(self.code())?.ok()
            }
        }

        impl<'b, Ctx> minicbor::Decode<'b, Ctx> for $name {
            fn decode(
                decoder: &mut minicbor::Decoder<'b>,
                _: &mut Ctx,
            ) -> Result<Self, minicbor::decode::Error> {
                decoder.u32().map(Self::from_code)
            }
        }
    };
}

pub(crate) use {cbor_code, cbor_map};
