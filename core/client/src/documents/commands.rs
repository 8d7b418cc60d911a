//! Publishing and reading.

use sotay_model::DocumentKey;

use super::views::{DocumentForm, DocumentView, LibraryView, SectionPage};
use crate::error::HandbookError;
use crate::handbook::Handbook;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// Publishes a document to the own cell.
    pub fn publish_document(&self, form: DocumentForm) -> Result<DocumentKey, HandbookError> {
        todo!()
    }

    /// The handbook screen; the page of all documents begins behind `after` and has at most 200 lines.
    pub fn library(&self, after: Option<DocumentKey>, limit: u32) -> Result<LibraryView, HandbookError> {
        todo!()
    }

    /// A document and its table of contents.
    pub fn document(&self, document: DocumentKey) -> Result<DocumentView, HandbookError> {
        todo!()
    }

    /// Sections in order from position `from`, at most 200.
    pub fn sections(&self, document: DocumentKey, from: u32, limit: u32) -> Result<SectionPage, HandbookError> {
        todo!()
    }

    /// Remembers, on this phone only, that the document was opened and where reading stopped.
    pub fn set_reading_place(&self, document: DocumentKey, order: u32) -> Result<(), HandbookError> {
        todo!()
    }
}
