//! Documents on the phone: publishing, and reading without a network.

mod commands;
mod views;

pub use views::{
    DocumentCard, DocumentForm, DocumentView, LibraryView, ReadingPlace, SectionForm, SectionHeading, SectionPage,
    SectionView,
};
