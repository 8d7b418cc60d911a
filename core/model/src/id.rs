//! Identifiers, scopes and record keys.
//!
//! An [`Id`] is 16 bytes. Whoever creates a thing makes its id (UUIDv7), so two phones never wait for a number. What
//! exists once for a pair (one response per member and meeting) has an id derived from the pair, so that two phones
//! that make it apart make the same one. A record's home scope is fixed at creation and is part of its key.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use ring::digest::{Context, SHA256};

/// 16 bytes: a UUID, version 7 (made) or 8 (derived).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Id([u8; 16]);

impl Id {
    /// A UUIDv7 from milliseconds since 1970 and ten random bytes (RFC 9562 §5.7).
    pub fn v7(unix_ms: i64, random: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&unix_ms.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&random);
        bytes[6] = 0x70 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        Self(bytes)
    }

    /// A UUIDv8 that everybody derives alike from a label and parts (RFC 9562 §5.8).
    pub fn derived(label: &str, parts: &[Id]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(label.as_bytes());
        context.update(&[0]);
        for part in parts {
            context.update(&part.0);
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&context.finish().as_ref()[..16]);
        bytes[6] = 0x80 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        Self(bytes)
    }

    /// From its 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no identifier of the expected form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier")]
pub struct NotAnId;

impl FromStr for Id {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        if text.len() != 32
            || !text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        {
            return Err(NotAnId);
        }
        u128::from_str_radix(text, 16)
            .map(|number| Self(number.to_be_bytes()))
            .map_err(|_| NotAnId)
    }
}

impl<Ctx> Encode<Ctx> for Id {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut Ctx,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, Ctx> Decode<'b, Ctx> for Id {
    fn decode(d: &mut Decoder<'b>, _: &mut Ctx) -> Result<Self, decode::Error> {
        d.bytes()?
            .try_into()
            .map(Self)
            .map_err(|_| decode::Error::message("an id has 16 bytes"))
    }
}

/// Wraps [`Id`] so that a member is never taken for an organisation. The wrapper crosses the language border as text.
macro_rules! typed_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] pub Id);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                text.parse().map(Self)
            }
        }

        text_at_the_border!($name);
    };
}

/// Lets a type cross the language border as its text form.
macro_rules! text_at_the_border {
    ($name:ident) => {
        #[cfg(feature = "uniffi")]
        uniffi::custom_type!($name, String, {
            lower: |value| value.to_string(),
            try_lift: |text| Ok(text.parse::<$name>()?),
        });
    };
}

typed_id!(
    /// A member of the party, or a candidate.
    MemberId
);
typed_id!(
    /// An organisation at any level of the tree.
    OrganisationId
);
typed_id!(
    /// One handbook on one phone.
    InstallationId
);

/// What kind of audience a scope is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum ScopeKind {
    /// Members of the organisation and of those below it.
    Organisation = 1,
    /// Those who hold office there.
    Office = 2,
    /// One person.
    Person = 3,
}

/// An audience with a feed of its own: `org:<id>`, `office:<id>` or `person:<id>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    /// Which kind.
    pub kind: ScopeKind,
    /// The organisation's or the member's id.
    pub id: Id,
}

impl Scope {
    /// Members of the organisation and below.
    pub const fn organisation(id: OrganisationId) -> Self {
        Self {
            kind: ScopeKind::Organisation,
            id: id.0,
        }
    }

    /// Those who hold office in the organisation.
    pub const fn office(id: OrganisationId) -> Self {
        Self {
            kind: ScopeKind::Office,
            id: id.0,
        }
    }

    /// One person.
    pub const fn person(id: MemberId) -> Self {
        Self {
            kind: ScopeKind::Person,
            id: id.0,
        }
    }

    /// 17 bytes: kind, then id. Sorts like the scope.
    pub fn to_bytes(self) -> [u8; 17] {
        let mut bytes = [self.kind as u8; 17];
        bytes[1..].copy_from_slice(self.id.as_bytes());
        bytes
    }

    /// From its 17 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotAnId> {
        let (kind, id) = bytes.split_first().ok_or(NotAnId)?;
        let kind = match kind {
            1 => ScopeKind::Organisation,
            2 => ScopeKind::Office,
            3 => ScopeKind::Person,
            _ => return Err(NotAnId),
        };
        Ok(Self {
            kind,
            id: Id(id.try_into().map_err(|_| NotAnId)?),
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ScopeKind::Organisation => "org",
            ScopeKind::Office => "office",
            ScopeKind::Person => "person",
        };
        write!(f, "{kind}:{}", self.id)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Scope {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (kind, id) = text.split_once(':').ok_or(NotAnId)?;
        let kind = match kind {
            "org" => ScopeKind::Organisation,
            "office" => ScopeKind::Office,
            "person" => ScopeKind::Person,
            _ => return Err(NotAnId),
        };
        Ok(Self {
            kind,
            id: id.parse()?,
        })
    }
}

impl<Ctx> Encode<Ctx> for Scope {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut Ctx,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.to_bytes())?.ok()
    }
}

impl<'b, Ctx> Decode<'b, Ctx> for Scope {
    fn decode(d: &mut Decoder<'b>, _: &mut Ctx) -> Result<Self, decode::Error> {
        Self::from_bytes(d.bytes()?).map_err(|_| decode::Error::message("not a scope"))
    }
}

/// Where a record lives (its home scope) and which one it is there. Text form: `org:<hex>/<hex>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordKey {
    /// Fixed at creation; uniqueness is checked inside one home.
    pub home: Scope,
    /// Unique inside the home.
    pub id: Id,
}

impl RecordKey {
    /// The key of a record.
    pub const fn new(home: Scope, id: Id) -> Self {
        Self { home, id }
    }

    /// 33 bytes: home, then id.
    pub fn to_bytes(self) -> [u8; 33] {
        let mut bytes = [0; 33];
        bytes[..17].copy_from_slice(&self.home.to_bytes());
        bytes[17..].copy_from_slice(self.id.as_bytes());
        bytes
    }

    /// From its 33 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotAnId> {
        let (home, id) = bytes.split_at_checked(17).ok_or(NotAnId)?;
        Ok(Self {
            home: Scope::from_bytes(home)?,
            id: Id(id.try_into().map_err(|_| NotAnId)?),
        })
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.home, self.id)
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RecordKey {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (home, id) = text.split_once('/').ok_or(NotAnId)?;
        Ok(Self {
            home: home.parse()?,
            id: id.parse()?,
        })
    }
}

impl<Ctx> Encode<Ctx> for RecordKey {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut Ctx,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.to_bytes())?.ok()
    }
}

impl<'b, Ctx> Decode<'b, Ctx> for RecordKey {
    fn decode(d: &mut Decoder<'b>, _: &mut Ctx) -> Result<Self, decode::Error> {
        Self::from_bytes(d.bytes()?).map_err(|_| decode::Error::message("not a record key"))
    }
}

text_at_the_border!(RecordKey);

/// Wraps [`RecordKey`] so that a meeting is never taken for a document.
macro_rules! typed_key {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] pub RecordKey);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                text.parse().map(Self)
            }
        }

        text_at_the_border!($name);
    };
}

typed_key!(
    /// A meeting; its home is the organisation that called it.
    MeetingKey
);
typed_key!(
    /// A document; its home is the organisation that issued it.
    DocumentKey
);

impl MeetingKey {
    /// The organisation that called the meeting.
    pub const fn organisation(self) -> OrganisationId {
        OrganisationId(self.0.home.id)
    }
}
