//! Documents: published by an office, split into numbered sections, kept on every phone of the audience. Attachments (PDF,
//! image, audio, video) are blobs that the document names; they are fetched when somebody wants them.

mod records;
mod rules;

pub use records::{Attachment, ConfidentialityLevel, Document, DocumentKind, Section};
pub(crate) use rules::publish_document;
pub use rules::{MAX_ATTACHMENTS, PublishDocument, SectionDraft};
