//! Publishing.

use super::records::{ConfidentialityLevel, DocumentKind};
use crate::apply::Context;
use crate::id::{DocumentKey, MeetingKey};
use crate::record::Effect;
use crate::time::CalendarDate;
use crate::world::Stop;
use minicbor::{Decode, Encode};

/// Publishes a document to the organisation and all below it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PublishDocument {
    /// The document; its home is the publishing organisation.
    #[n(0)]
    pub document: DocumentKey,
    /// Title.
    #[n(1)]
    pub title: String,
    /// số, ký hiệu
    #[n(2)]
    pub number: Option<String>,
    /// cơ quan ban hành
    #[n(3)]
    pub issuer: String,
    /// What kind.
    #[n(4)]
    pub kind: DocumentKind,
    /// độ mật
    #[n(5)]
    pub level: ConfidentialityLevel,
    /// Day of issue.
    #[n(6)]
    pub issued_on: CalendarDate,
    /// The meeting it is for.
    #[n(7)]
    pub for_meeting: Option<MeetingKey>,
    /// Its text.
    #[n(8)]
    pub sections: Vec<SectionDraft>,
}

/// A section to publish.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SectionDraft {
    /// 1, 1.1, 1.1.1
    #[n(0)]
    pub number: String,
    /// Heading.
    #[n(1)]
    pub heading: String,
    /// Text.
    #[n(2)]
    pub text: String,
}

pub(crate) fn publish_document(_c: &Context<'_>, _i: &PublishDocument) -> Result<Effect, Stop> {
    todo!()
}
