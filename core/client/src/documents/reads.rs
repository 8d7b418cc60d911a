//! Reading the handbook screens.

use std::cmp::Reverse;

use sotay_model::documents::{Document, DocumentKind, Section};
use sotay_model::world::Found;
use sotay_model::{DocumentKey, RecordKey};

use super::views::{
    DocumentCard, DocumentView, LibraryView, ReadingPlace, SectionHeading, SectionPage, SectionView,
};
use crate::current::Current;
use crate::error::HandbookError;
use crate::handbook::Handbook;
use crate::meetings::{MAX_PAGE, in_screen_order, is_to_come};

/// Local setting: the document that was read last.
pub(super) const LAST_READ: &str = "last read document";
/// How many issues of the bulletin the first page shows.
const BULLETIN_LINES: usize = 3;

/// Local setting: where reading a document stopped.
pub(super) fn place_name(document: DocumentKey) -> String {
    format!("reading place {document}")
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// The handbook screen; the page of all documents begins behind `after` and has at most 200 lines.
    pub fn library(
        &self,
        after: Option<DocumentKey>,
        limit: u32,
    ) -> Result<LibraryView, HandbookError> {
        self.read(|current| {
            let all = newest_first(current)?;
            let start = after.map_or(0, |after| {
                all.iter()
                    .position(|found| found.record.key == after.0)
                    .map_or(all.len(), |position| position + 1)
            });
            let page = all
                .iter()
                .skip(start)
                .take(limit.clamp(1, MAX_PAGE) as usize);
            let bulletin = all
                .iter()
                .filter(|found| found.body.kind == DocumentKind::Bulletin)
                .take(BULLETIN_LINES);
            Ok(LibraryView {
                for_next_meeting: for_next_meeting(current)?,
                continue_reading: continue_reading(current)?,
                bulletin: cards(current, bulletin)?,
                documents: cards(current, page)?,
                count: u32::try_from(all.len()).unwrap_or(u32::MAX),
            })
        })
    }

    /// A document and its table of contents.
    pub fn document(&self, document: DocumentKey) -> Result<DocumentView, HandbookError> {
        self.read(|current| {
            let found = current
                .get::<Document>(document.0)?
                .ok_or(HandbookError::NotHere)?;
            let contents = sections_in_order(current, document)?
                .into_iter()
                .map(|section| SectionHeading {
                    order: section.order,
                    depth: u32::try_from(section.number.split('.').count()).unwrap_or(u32::MAX),
                    number: section.number,
                    heading: section.heading,
                })
                .collect();
            Ok(DocumentView {
                card: document_card(current, &found)?,
                contents,
                reading_place: reading_place(current, document)?,
                attachments: self.attachment_views(current, &found.body)?,
            })
        })
    }

    /// Sections in order from position `from`, at most 200.
    pub fn sections(
        &self,
        document: DocumentKey,
        from: u32,
        limit: u32,
    ) -> Result<SectionPage, HandbookError> {
        self.read(|current| {
            let found = current
                .get::<Document>(document.0)?
                .ok_or(HandbookError::NotHere)?;
            let count = found.body.section_count;
            let mut sections = Vec::new();
            for order in from..count.min(from.saturating_add(limit.clamp(1, MAX_PAGE))) {
                if let Some(section) = current.get::<Section>(Section::key(document, order))? {
                    let Section {
                        order,
                        number,
                        heading,
                        text,
                        ..
                    } = section.body;
                    sections.push(SectionView {
                        order,
                        number,
                        heading,
                        text,
                    });
                }
            }
            Ok(SectionPage { sections, count })
        })
    }
}

/// All documents on this phone, the newest first.
pub(crate) fn newest_first(current: &Current<'_>) -> Result<Vec<Found<Document>>, HandbookError> {
    let mut all = current.all::<Document>()?;
    all.sort_by_key(|found| (Reverse(found.body.published_at), found.record.key));
    Ok(all)
}

/// A document as a line of a list.
pub(crate) fn document_card(
    current: &Current<'_>,
    found: &Found<Document>,
) -> Result<DocumentCard, HandbookError> {
    let key = DocumentKey(found.record.key);
    let body = &found.body;
    Ok(DocumentCard {
        document: key,
        title: body.title.clone(),
        number: body.number.clone(),
        issuer: body.issuer.clone(),
        kind: body.kind,
        level: body.level,
        issued_on: body.issued_on,
        published_at: body.published_at,
        for_meeting: body.for_meeting,
        section_count: body.section_count,
        complete: current.count::<Section>(key.0.id)? >= body.section_count,
        opened: reading_place(current, key)?.is_some(),
    })
}

/// The cards of the documents that are on this phone, in the order given.
pub(crate) fn document_cards(
    current: &Current<'_>,
    keys: &[DocumentKey],
) -> Result<Vec<DocumentCard>, HandbookError> {
    let mut cards = Vec::with_capacity(keys.len());
    for key in keys {
        if let Some(found) = current.get::<Document>(key.0)? {
            cards.push(document_card(current, &found)?);
        }
    }
    Ok(cards)
}

fn cards<'f>(
    current: &Current<'_>,
    found: impl Iterator<Item = &'f Found<Document>>,
) -> Result<Vec<DocumentCard>, HandbookError> {
    found.map(|found| document_card(current, found)).collect()
}

/// Documents that the next meeting's notice names, and those published for it.
fn for_next_meeting(current: &Current<'_>) -> Result<Vec<DocumentCard>, HandbookError> {
    let Some(next) = in_screen_order(current)?.into_iter().next() else {
        return Ok(Vec::new());
    };
    if !is_to_come(current, &next)? {
        return Ok(Vec::new());
    }
    let mut keys: Vec<DocumentKey> = next
        .body
        .notice()
        .map(|notice| notice.documents.clone())
        .unwrap_or_default();
    for found in current.children::<Document>(next.record.key.id)? {
        let key = DocumentKey(found.record.key);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    document_cards(current, &keys)
}

fn continue_reading(current: &Current<'_>) -> Result<Option<ReadingPlace>, HandbookError> {
    let Some(bytes) = current.local(LAST_READ)? else {
        return Ok(None);
    };
    let Ok(key) = RecordKey::from_bytes(&bytes) else {
        return Ok(None);
    };
    let document = DocumentKey(key);
    let (Some(found), Some(order)) = (
        current.get::<Document>(key)?,
        reading_place(current, document)?,
    ) else {
        return Ok(None);
    };
    let Some(section) = current.get::<Section>(Section::key(document, order))? else {
        return Ok(None);
    };
    Ok(Some(ReadingPlace {
        document,
        title: found.body.title,
        order,
        number: section.body.number,
        heading: section.body.heading,
    }))
}

fn reading_place(
    current: &Current<'_>,
    document: DocumentKey,
) -> Result<Option<u32>, HandbookError> {
    let bytes = current.local(&place_name(document))?;
    Ok(bytes
        .and_then(|bytes| <[u8; 4]>::try_from(bytes).ok())
        .map(u32::from_be_bytes))
}

fn sections_in_order(
    current: &Current<'_>,
    document: DocumentKey,
) -> Result<Vec<Section>, HandbookError> {
    let mut sections: Vec<Section> = current
        .children::<Section>(document.0.id)?
        .into_iter()
        .map(|found| found.body)
        .collect();
    sections.sort_by_key(|section| section.order);
    Ok(sections)
}
