//! Publishing a document, and remembering where reading stopped.

use sotay_model::documents::{Attachment, Document, PublishDocument, Section, SectionDraft};
use sotay_model::{DocumentKey, RecordKey, Scope};

use super::reads::{LAST_READ, place_name};
use super::views::DocumentForm;
use crate::error::HandbookError;
use crate::handbook::Handbook;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// Publishes a document to the own cell.
    pub fn publish_document(&self, form: DocumentForm) -> Result<DocumentKey, HandbookError> {
        self.publish(form, Vec::new())
    }

    /// Remembers, on this phone only, that the document was opened and where reading stopped.
    pub fn set_reading_place(
        &self,
        document: DocumentKey,
        order: u32,
    ) -> Result<(), HandbookError> {
        self.read(|current| {
            current
                .get::<Document>(document.0)?
                .ok_or(HandbookError::NotHere)?;
            current
                .get::<Section>(Section::key(document, order))?
                .ok_or(HandbookError::NotHere)
        })?;
        self.set_local(&place_name(document), &order.to_be_bytes())?;
        self.set_local(LAST_READ, &document.0.to_bytes())
    }
}

impl Handbook {
    /// Publishes a document whose attachments are laid out.
    pub(super) fn publish(
        &self,
        form: DocumentForm,
        attachments: Vec<Attachment>,
    ) -> Result<DocumentKey, HandbookError> {
        let document = DocumentKey(RecordKey::new(
            Scope::organisation(self.cell()?),
            self.new_id()?,
        ));
        let sections = form
            .sections
            .into_iter()
            .map(|s| SectionDraft {
                number: s.number,
                heading: s.heading,
                text: s.text,
            })
            .collect();
        self.submit(
            PublishDocument {
                document,
                title: form.title,
                number: form.number,
                issuer: form.issuer,
                kind: form.kind,
                level: form.level,
                issued_on: form.issued_on,
                for_meeting: form.for_meeting,
                sections,
                attachments,
            }
            .into(),
        )?;
        Ok(document)
    }
}
