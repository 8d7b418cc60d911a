//! Documents on the phone: publishing, and reading without a network.

mod commands;
mod reads;
mod views;

pub(crate) use reads::{document_card, document_cards, newest_first};
pub use views::{
    DocumentCard, DocumentForm, DocumentView, LibraryView, ReadingPlace, SectionForm,
    SectionHeading, SectionPage, SectionView,
};
