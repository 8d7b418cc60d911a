//! Documents: published by an office, split into numbered sections, kept on every phone of the audience.

mod records;
mod rules;

pub use records::{ConfidentialityLevel, Document, DocumentKind, Section};
pub(crate) use rules::publish_document;
pub use rules::{PublishDocument, SectionDraft};
