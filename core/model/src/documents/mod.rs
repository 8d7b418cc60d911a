//! Documents: published by an office, split into numbered sections, kept on every phone of the audience. Attachments (PDF,
//! image, audio, video) are blobs that the document names; they are fetched when somebody wants them.

mod records;
mod rules;

pub use records::{Attachment, ConfidentialityLevel, Document, DocumentKind, Section};
pub use rules::{MAX_ATTACHMENTS, PublishDocument, SectionDraft};
pub(crate) use rules::{may_publish_at, publish_document};
