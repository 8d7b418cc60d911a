//! Documents on the phone: publishing, and reading without a network.

mod attachments;
mod commands;
mod reads;
mod views;

pub use attachments::MAX_READ_BYTES;
pub(crate) use reads::{document_card, document_cards, newest_first};
pub use views::{
    AttachmentForm, AttachmentStorageView, AttachmentView, DocumentCard, DocumentForm,
    DocumentView, LibraryView, ReadingPlace, SectionForm, SectionHeading, SectionPage, SectionView,
};
