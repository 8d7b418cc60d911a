//! Attachments: published with a document, fetched and kept on this phone, read a part at a time.

use std::path::PathBuf;

use rusqlite::TransactionBehavior;
use sotay_model::DocumentKey;
use sotay_model::blob::PIECE_BYTES;
use sotay_model::documents::{Attachment, Document};

use super::views::{AttachmentForm, AttachmentStorageView, AttachmentView, DocumentForm};
use crate::blob::fetch::{local, named};
use crate::blob::file::SealedFile;
use crate::blob::outgoing;
use crate::blob::{file_of, rows};
use crate::current::Current;
use crate::error::HandbookError;
use crate::handbook::Handbook;

/// The most bytes that one call reads.
pub const MAX_READ_BYTES: u32 = 1 << 20;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// Publishes a document with files attached. The files are read and sealed before this returns; they go up with the next
    /// sync, and the document is published once the server has them all.
    pub fn publish_document_with_attachments(
        &self,
        form: DocumentForm,
        attachments: Vec<AttachmentForm>,
    ) -> Result<DocumentKey, HandbookError> {
        self.may_enter()?;
        let files: Vec<(String, String, PathBuf)> = attachments
            .into_iter()
            .map(|file| (file.name, file.media_type, file.path.into()))
            .collect();
        self.inner().guarded(|| {
            self.inner()
                .with_outgoing(&files, |attachments| self.publish(form, attachments))
        })
    }

    /// Fetches an attachment, or what is missing of it, and checks it. Blocks until it can be read; needs the network unless
    /// it is here. Where it is ended early, the next call goes on from there.
    pub fn fetch_attachment(&self, document: DocumentKey, index: u32) -> Result<(), HandbookError> {
        self.inner().guarded(|| {
            let (attachment, outgoing) = self.found(document, index)?;
            if outgoing {
                return Ok(());
            }
            self.inner().fetch_blob(document.0, &attachment)
        })
    }

    /// Fetches every pinned attachment that is not here yet; how many were fetched. For the background: on a network that
    /// costs money by the byte (`set_metered`) it fetches none.
    pub fn fetch_pinned_attachments(&self) -> Result<u32, HandbookError> {
        if self.inner().tries.is_metered() {
            return Ok(0);
        }
        let wanted = self.read(|current| {
            let mut wanted = Vec::new();
            for found in current.all::<Document>()? {
                for attachment in found.body.attachments.unwrap_or_default() {
                    let row = rows::find(current.db, attachment.blob)?;
                    if row.is_some_and(|row| row.pinned && !row.ready)
                        && self.outgoing_file(&attachment)?.is_none()
                    {
                        wanted.push((found.record.key, attachment));
                    }
                }
            }
            Ok(wanted)
        })?;
        self.inner().guarded(|| {
            let mut fetched = 0;
            for (record, attachment) in wanted {
                self.inner().fetch_blob(record, &attachment)?;
                fetched += 1;
            }
            Ok(fetched)
        })
    }

    /// Bytes of an attachment from `offset`, at most [`MAX_READ_BYTES`] and fewer at its end. `NotHere` until all of it is
    /// here and checked, and again when the phone's storage damaged it: then `fetch_attachment` fetches what is damaged.
    pub fn read_attachment(
        &self,
        document: DocumentKey,
        index: u32,
        offset: u32,
        length: u32,
    ) -> Result<Vec<u8>, HandbookError> {
        self.inner().guarded(|| {
            let (file, digest) = self.read(|current| {
                let attachment = attachment(current, document, index)?;
                let file = match self.outgoing_file(&attachment)? {
                    Some(file) => file,
                    None => rows::find(current.db, attachment.blob)?
                        .filter(|row| row.ready && row.size == attachment.size)
                        .map(|row| file_of(&self.inner().folder, &row))
                        .ok_or(HandbookError::NotHere)?,
                };
                Ok((file, attachment.blob))
            })?;
            let bytes = {
                let _open = self.inner().enter()?;
                read_part(&file, offset, length.min(MAX_READ_BYTES))?
            };
            match bytes {
                Some(bytes) => Ok(bytes),
                None => {
                    let pass = self.inner().enter()?;
                    rows::set_ready(&pass.writer().db, digest, false)?;
                    self.inner().watches.committed(&local());
                    Err(HandbookError::NotHere)
                }
            }
        })
    }

    /// Keeps an attachment whatever else needs room, and has `fetch_pinned_attachments` fetch it; or no longer.
    pub fn pin_attachment(
        &self,
        document: DocumentKey,
        index: u32,
        pinned: bool,
    ) -> Result<(), HandbookError> {
        let attachment = self.read(|current| attachment(current, document, index))?;
        self.change_blobs(|db| {
            rows::find_or_add(db, named(&attachment))?;
            rows::used(db, attachment.blob)?;
            rows::set_pinned(db, attachment.blob, pinned)?;
            rows::make_room(db, Some(attachment.blob))
        })
    }

    /// Says how many bytes attachments may take on this phone. What was not used for the longest time is thrown out at once;
    /// `StorageFull` where pinned ones alone take more, and then nothing changes.
    pub fn set_attachment_quota(&self, bytes: i64) -> Result<(), HandbookError> {
        self.change_blobs(|db| {
            rows::set_quota(db, u64::try_from(bytes).unwrap_or(0))?;
            rows::make_room(db, None)
        })
    }

    /// What attachments take on this phone.
    pub fn attachment_storage(&self) -> Result<AttachmentStorageView, HandbookError> {
        self.read(|current| {
            Ok(AttachmentStorageView {
                used: rows::total(current.db)?.cast_signed(),
                quota: rows::quota(current.db)?.cast_signed(),
            })
        })
    }
}

impl Handbook {
    /// What the document screen says about its attachments.
    pub(super) fn attachment_views(
        &self,
        current: &Current<'_>,
        document: &Document,
    ) -> Result<Vec<AttachmentView>, HandbookError> {
        let mut views = Vec::new();
        for attachment in document.attachments.iter().flatten() {
            let row = rows::find(current.db, attachment.blob)?;
            let ready = self.outgoing_file(attachment)?.is_some()
                || row
                    .as_ref()
                    .is_some_and(|row| row.ready && row.size == attachment.size);
            let present = match &row {
                _ if ready => attachment.size,
                Some(row) => file_of(&self.inner().folder, row).present(),
                None => 0,
            };
            let bytes = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
            views.push(AttachmentView {
                name: attachment.name.clone(),
                media_type: attachment.media_type.clone(),
                size: bytes(attachment.size),
                present: bytes(present),
                ready,
                pinned: row.is_some_and(|row| row.pinned),
            });
        }
        Ok(views)
    }

    /// An attachment, and whether it is still on its way from this phone to the server.
    fn found(
        &self,
        document: DocumentKey,
        index: u32,
    ) -> Result<(Attachment, bool), HandbookError> {
        self.read(|current| {
            let attachment = attachment(current, document, index)?;
            let outgoing = self.outgoing_file(&attachment)?.is_some();
            Ok((attachment, outgoing))
        })
    }

    /// The file of an attachment that this phone publishes and the server has not yet accepted.
    fn outgoing_file(&self, attachment: &Attachment) -> Result<Option<SealedFile>, HandbookError> {
        let inner = self.inner();
        let file = outgoing::file(&inner.folder, inner.keys(), named(attachment))?;
        Ok(Some(file).filter(|file| file.path.exists()))
    }

    /// Changes the table of blobs, all or nothing, and removes the files that it no longer names.
    fn change_blobs(
        &self,
        change: impl FnOnce(&rusqlite::Connection) -> Result<(), HandbookError>,
    ) -> Result<(), HandbookError> {
        let inner = self.inner();
        inner.guarded(|| {
            let pass = inner.enter()?;
            {
                let mut writer = pass.writer();
                let transaction = writer
                    .db
                    .transaction_with_behavior(TransactionBehavior::Immediate)?;
                change(&transaction)?;
                transaction.commit()?;
            }
            inner.remove_forgotten_files();
            inner.watches.committed(&local());
            Ok(())
        })
    }
}

fn attachment(
    current: &Current<'_>,
    document: DocumentKey,
    index: u32,
) -> Result<Attachment, HandbookError> {
    current
        .get::<Document>(document.0)?
        .and_then(|found| found.body.attachments)
        .and_then(|attachments| attachments.into_iter().nth(index as usize))
        // One that was removed is named, and has no bytes anywhere.
        .filter(|attachment| attachment.size > 0)
        .ok_or(HandbookError::NotHere)
}

/// Bytes of a whole blob; none where its file is damaged.
fn read_part(
    file: &SealedFile,
    offset: u32,
    length: u32,
) -> Result<Option<Vec<u8>>, HandbookError> {
    let end = u64::from(offset)
        .saturating_add(length.into())
        .min(file.size);
    let mut at = u64::from(offset);
    let mut bytes = Vec::with_capacity(length as usize);
    while at < end {
        let (index, within) = (at / u64::from(PIECE_BYTES), at % u64::from(PIECE_BYTES));
        let Some(piece) = file.read_piece(index)? else {
            return Ok(None);
        };
        let start = usize::try_from(within).unwrap_or(usize::MAX);
        let wanted = usize::try_from(end - at).unwrap_or(usize::MAX);
        let part = piece.get(start..).unwrap_or_default();
        let part = part.get(..wanted.min(part.len())).unwrap_or_default();
        if part.is_empty() {
            return Ok(None);
        }
        bytes.extend_from_slice(part);
        at += part.len() as u64;
    }
    Ok(Some(bytes))
}
