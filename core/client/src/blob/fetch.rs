//! Fetching a blob: piece after piece, those that are here already read and checked, those that are missing or damaged asked
//! of the server, each alone.
//!
//! So a fetch that was killed goes on with the first piece that is not whole, a flipped bit costs one piece, and every byte
//! passes both digests before anybody may read it. A piece is one request: a kill never costs more than the piece on its way.

use ring::digest::{Context, SHA256};
use rusqlite::TransactionBehavior;
use sotay_model::documents::Attachment;
use sotay_model::{NamedBlob, RecordKey};

use super::file::SealedFile;
use super::{FOLDER, file_of, rows};
use crate::error::{HandbookError, ServerFault};
use crate::lifecycle::Inner;
use crate::store::locked;
use crate::transport::blobs::{Fetched, Range};
use crate::watch::Touched;

/// How often a piece is asked for that arrives with other bytes than the record says.
const TRIES: u32 = 2;
/// After how many pieces screens hear how far it is.
const TELLS_EVERY: u32 = 16;

/// What an attachment says about its blob.
pub(crate) const fn named(attachment: &Attachment) -> NamedBlob {
    NamedBlob {
        digest: attachment.blob,
        size: attachment.size,
    }
}

impl Inner {
    /// Fetches what is missing of a blob that `record` names, and checks the whole. Does nothing where it is here.
    pub(crate) fn fetch_blob(
        &self,
        record: RecordKey,
        attachment: &Attachment,
    ) -> Result<(), HandbookError> {
        let _one_at_a_time = locked(&self.blobs.fetching);
        let result = self.fetch_pieces(record, attachment);
        // What it made room for, or gave up, has no row any more.
        self.remove_forgotten_files();
        self.watches.committed(&local());
        match result {
            // Somebody paused the handbook, which ends what is under way.
            Err(HandbookError::Cancelled) if self.is_paused() => Err(HandbookError::Paused),
            result => result,
        }
    }

    fn fetch_pieces(
        &self,
        record: RecordKey,
        attachment: &Attachment,
    ) -> Result<(), HandbookError> {
        let named = named(attachment);
        let Some(file) = self.begin(named)? else {
            return Ok(());
        };
        let transport = self.transport()?;
        let protocol = || transport.unexpected(ServerFault::Protocol);
        if file.size != named.size || !attachment.pieces.fit(named.size) {
            return Err(protocol());
        }
        let mut whole = Context::new(&SHA256);
        for index in 0..attachment.pieces.count() {
            let here = self
                .enter()
                .and_then(|_open| file.read_piece(index.into()))?;
            let fits = |piece: &Vec<u8>| attachment.pieces.matches(index, piece);
            let piece = match here.filter(fits) {
                Some(piece) => piece,
                None => {
                    let mut tries = 0..TRIES;
                    let piece = loop {
                        if tries.next().is_none() {
                            return Err(protocol());
                        }
                        let piece = self.fetch_piece(record, named, index, &file)?;
                        if fits(&piece) {
                            break piece;
                        }
                    };
                    self.enter()
                        .and_then(|_open| file.write_piece(index.into(), &piece))?;
                    piece
                }
            };
            whole.update(&piece);
            if index % TELLS_EVERY == TELLS_EVERY - 1 {
                self.watches.committed(&local());
            }
        }
        if whole.finish().as_ref() != named.digest.as_bytes() {
            // The record's own digests contradict each other: no byte of it will ever fit.
            let pass = self.enter()?;
            rows::forget(&pass.writer().db, named.digest)?;
            return Err(protocol());
        }
        let pass = self.enter()?;
        file.sync()?;
        // Without its row the record went meanwhile, and what was fetched is nobody's.
        if !rows::set_ready(&pass.writer().db, named.digest, true)? {
            return Err(HandbookError::NotHere);
        }
        Ok(())
    }

    /// Makes a place for the blob; none where it is whole already.
    fn begin(&self, named: NamedBlob) -> Result<Option<SealedFile>, HandbookError> {
        let pass = self.enter()?;
        let mut writer = pass.writer();
        let change = writer
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        // A record that named another size for these bytes must not keep this one's from being fetched.
        if rows::find(&change, named.digest)?
            .is_some_and(|row| !row.ready && row.size != named.size)
        {
            rows::forget(&change, named.digest)?;
        }
        let row = rows::find_or_add(&change, named)?;
        rows::used(&change, named.digest)?;
        if !row.ready {
            rows::make_room(&change, Some(named.digest))?;
        }
        change.commit()?;
        if row.ready {
            return Ok(None);
        }
        std::fs::create_dir_all(self.folder.join(FOLDER))?;
        Ok(Some(file_of(&self.folder, &row)))
    }

    fn fetch_piece(
        &self,
        record: RecordKey,
        named: NamedBlob,
        index: u32,
        file: &SealedFile,
    ) -> Result<Vec<u8>, HandbookError> {
        let member = self.member()?;
        let (network, transport) = (self.network()?, self.transport()?);
        let from = u64::from(index) * u64::from(sotay_model::blob::PIECE_BYTES);
        let range = Range {
            record,
            digest: named.digest,
            from,
            length: file.piece_length(index.into()),
        };
        let (sending, signer) = (transport.clone(), member.signer.clone());
        let fetched = network.wait_for(&self.blobs.under_way, async move {
            sending.fetch_range(&signer, &range).await
        })?;
        match fetched {
            Fetched::Bytes(bytes) => Ok(bytes),
            Fetched::Problem(code, status) => Err(transport.refused_blob(code, status)),
        }
    }
}

/// What a change of the blobs touches: screens that show what this phone has.
pub(crate) fn local() -> Touched {
    Touched {
        local: true,
        ..Touched::default()
    }
}
