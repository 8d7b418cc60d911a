//! Publishing.

use minicbor::{Decode, Encode};

use super::records::{Attachment, ConfidentialityLevel, Document, DocumentKind, Section};
use crate::apply::Context;
use crate::blob::MAX_BLOB_BYTES;
use crate::cbor::UnknownKeys;
use crate::id::{DocumentKey, Id, MeetingKey, OrganisationId, Scope, ScopeKind};
use crate::meetings::Meeting;
use crate::organisation::Act;
use crate::record::{Effect, Put};
use crate::rejection::{Fault, Field, Rejection, Subject};
use crate::text::{self, MAX_LINE, MAX_SECTIONS, MAX_TEXT};
use crate::time::CalendarDate;
use crate::world::Stop;

/// The most levels of section numbers: 1, 1.1, 1.1.1.
const MAX_SECTION_DEPTH: usize = 3;

/// The most attachments of a document.
pub const MAX_ATTACHMENTS: u32 = 10;

/// The most characters of a media type.
const MAX_MEDIA_TYPE: usize = 100;

/// Publishes a document to the organisation and all below it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
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
    /// What is attached. The server carries the mutation out once it has the blobs.
    #[n(9)]
    #[cbor(default)]
    pub attachments: Vec<Attachment>,
}

/// A section to publish.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
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

pub(crate) fn publish_document(c: &Context<'_>, i: &PublishDocument) -> Result<Effect, Stop> {
    let title = text::required(Field::Title, &i.title, MAX_LINE)?;
    let number = text::optional(Field::DocumentNumber, i.number.as_deref(), MAX_LINE)?;
    let issuer = text::required(Field::Issuer, &i.issuer, MAX_LINE)?;
    let sections = checked_sections(&i.sections)?;
    let attachments = checked_attachments(&i.attachments)?;
    match i.level {
        ConfidentialityLevel::Public | ConfidentialityLevel::Internal => {}
        ConfidentialityLevel::Restricted | ConfidentialityLevel::StateSecret => {
            return Err(invalid(Field::ConfidentialityLevel, Fault::NotKeptHere).into());
        }
        ConfidentialityLevel::Unknown { .. } => {
            return Err(invalid(Field::ConfidentialityLevel, Fault::UnknownValue).into());
        }
    }
    if matches!(i.kind, DocumentKind::Unknown { .. }) {
        return Err(invalid(Field::Choice, Fault::UnknownValue).into());
    }
    let organisation = publisher(c, i.document.0.home)?;
    if let Some(meeting) = i.for_meeting {
        let found = c.require::<Meeting>(meeting.0, Subject::Meeting)?.body;
        if found.organisation != organisation && !found.participating.contains(&organisation) {
            return Err(Rejection::NotFound {
                what: Subject::Meeting,
            }
            .into());
        }
    }
    // Ask for all keys before looking at the answers: one round of loading.
    let mut taken = vec![c.fresh(i.document.0)];
    taken.extend(
        sections
            .iter()
            .map(|section| c.fresh(Section::key(i.document, section.order))),
    );
    taken.into_iter().collect::<Result<(), Stop>>()?;
    let document = Document {
        organisation,
        title,
        number,
        issuer,
        kind: i.kind,
        level: i.level,
        issued_on: i.issued_on,
        published_at: c.now.at,
        for_meeting: i.for_meeting,
        section_count: u32::try_from(sections.len()).unwrap_or(MAX_SECTIONS),
        attachments: Some(attachments).filter(|some| !some.is_empty()),
        unknown: UnknownKeys::none(),
    };
    let parent: Id = i.for_meeting.map_or(organisation.0, |meeting| meeting.0.id);
    let mut puts = vec![Put::of(i.document.0, parent, &document)];
    for section in &sections {
        puts.push(Put::of(
            Section::key(i.document, section.order),
            i.document.0.id,
            section,
        ));
    }
    Ok(Effect { puts })
}

/// The organisation at whose home a document lies, if the actor may publish for it.
fn publisher(c: &Context<'_>, home: Scope) -> Result<OrganisationId, Stop> {
    if home.kind != ScopeKind::Organisation {
        return Err(Rejection::NotFound {
            what: Subject::Organisation,
        }
        .into());
    }
    let organisation = OrganisationId(home.id);
    c.permit(&Act::PublishDocument { organisation })?;
    Ok(organisation)
}

/// The sections, numbered 1, 1.1, 1.1.1 without gaps, each behind the one above it.
fn checked_sections(drafts: &[SectionDraft]) -> Result<Vec<Section>, Rejection> {
    if drafts.is_empty() {
        return Err(invalid(Field::Sections, Fault::Empty));
    }
    if drafts.len() > MAX_SECTIONS as usize {
        return Err(Rejection::TooLarge {
            field: Field::Sections,
            limit: MAX_SECTIONS,
        });
    }
    let mut sections = Vec::with_capacity(drafts.len());
    let mut last: Vec<u32> = Vec::new();
    for (order, draft) in (0..).zip(drafts) {
        let number = text::required(Field::SectionNumber, &draft.number, MAX_LINE)?;
        let heading = text::required(Field::Heading, &draft.heading, MAX_LINE)?;
        let text = text::optional_lines(Field::Text, Some(&draft.text), MAX_TEXT)?;
        let parts = section_parts(&number)?;
        if !follows(&last, &parts) {
            return Err(invalid(Field::SectionNumber, Fault::OutOfOrder));
        }
        last = parts;
        sections.push(Section {
            order,
            number,
            heading,
            text: text.unwrap_or_default(),
            unknown: UnknownKeys::none(),
        });
    }
    Ok(sections)
}

/// The attachments, each of a kind that a phone can show, no larger than it can keep, and checkable piece by piece.
fn checked_attachments(attachments: &[Attachment]) -> Result<Vec<Attachment>, Rejection> {
    if attachments.len() > MAX_ATTACHMENTS as usize {
        return Err(Rejection::TooLarge {
            field: Field::Attachments,
            limit: MAX_ATTACHMENTS,
        });
    }
    let mut checked: Vec<Attachment> = Vec::with_capacity(attachments.len());
    for attachment in attachments {
        let name = text::required(Field::Name, &attachment.name, MAX_LINE)?;
        if name.contains(['/', '\\']) || matches!(name.as_str(), "." | "..") {
            return Err(invalid(Field::Name, Fault::Malformed));
        }
        if !is_shown(&attachment.media_type) {
            return Err(invalid(Field::Attachments, Fault::UnknownValue));
        }
        if attachment.size == 0 {
            return Err(invalid(Field::Attachments, Fault::Empty));
        }
        if attachment.size > u64::from(MAX_BLOB_BYTES) {
            return Err(Rejection::TooLarge {
                field: Field::Attachments,
                limit: MAX_BLOB_BYTES,
            });
        }
        if !attachment.pieces.fit(attachment.size) {
            return Err(invalid(Field::Attachments, Fault::Malformed));
        }
        if checked.iter().any(|other| other.blob == attachment.blob) {
            return Err(invalid(Field::Attachments, Fault::Repeated));
        }
        checked.push(Attachment {
            name,
            ..attachment.clone()
        });
    }
    Ok(checked)
}

/// Whether a media type is one of an attachment, in its one spelling: lower case, without parameters.
fn is_shown(media_type: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-._".contains(&b);
    media_type.len() <= MAX_MEDIA_TYPE
        && media_type
            .split_once('/')
            .is_some_and(|(kind, sort)| match kind {
                "application" => sort == "pdf",
                "image" | "audio" | "video" => !sort.is_empty() && sort.bytes().all(plain),
                _ => false,
            })
}

/// `1.2.3` as numbers. Refuses anything else, leading zeros too: two spellings of one number would be two sections.
fn section_parts(number: &str) -> Result<Vec<u32>, Rejection> {
    let parts: Option<Vec<u32>> = number
        .split('.')
        .map(|part| {
            part.parse::<u32>()
                .ok()
                .filter(|n| *n > 0 && n.to_string() == part)
        })
        .collect();
    parts
        .filter(|parts| parts.len() <= MAX_SECTION_DEPTH)
        .ok_or_else(|| invalid(Field::SectionNumber, Fault::Malformed))
}

/// Whether `next` is the first child of `last`, or the next sibling of it or of one of those above it.
fn follows(last: &[u32], next: &[u32]) -> bool {
    let Some((end, above)) = next.split_last() else {
        return false;
    };
    if next.len() == last.len() + 1 {
        return *end == 1 && above == last;
    }
    last.get(..next.len())
        .and_then(<[u32]>::split_last)
        .is_some_and(|(old_end, old_above)| {
            above == old_above && old_end.checked_add(1) == Some(*end)
        })
}

const fn invalid(field: Field, why: Fault) -> Rejection {
    Rejection::Invalid { field, why }
}

crate::redacted! {
    PublishDocument { document, title, number, issuer, kind, level, issued_on, for_meeting,
        sections, attachments },
    SectionDraft { number, heading, text },
}
