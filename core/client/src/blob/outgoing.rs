//! Blobs on their way to the server, for documents that this phone publishes.
//!
//! They lie in a folder of their own, sealed under a key that follows from the data key and not from the database, so that they
//! outlive a broken database as the journal's mutations do. A sync first does what it always does; a mutation whose blobs the
//! server lacks is answered "not yet". Then the blobs go up, from the byte at which the server is, and the mutations once more.
//! What is entered meanwhile goes between two pieces. So an answer never waits for somebody's video, and a document is never
//! published without its attachments.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ring::digest::{Context, SHA256};
use ring::hmac;
use sotay_model::blob::{MAX_BLOB_BYTES, PIECE_BYTES, PieceDigests};
use sotay_model::cbor::UnknownKeys;
use sotay_model::documents::Attachment;
use sotay_model::rejection::{Fault, Field, Rejection};
use sotay_model::wire::ProblemCode;
use sotay_model::{BlobDigest, Id, Intent, NamedBlob, Scope};

use super::file::SealedFile;
use super::{FOLDER, file_of, rows};
use crate::error::{HandbookError, ServerFault};
use crate::handbook::SyncReport;
use crate::keys::{self, Keys};
use crate::lifecycle::Inner;
use crate::network::UnderWay;
use crate::store::locked;
use crate::store::rows as stored;
use crate::transport::blobs::HandedOver;

const OUTGOING: &str = "outgoing";
/// What is not laid out completely yet.
const BESIDE: &str = "new";

/// The folder of outgoing blobs.
pub(super) fn folder(handbook: &Path) -> PathBuf {
    handbook.join(FOLDER).join(OUTGOING)
}

/// The names that an outgoing blob's file may have, which say nothing about what is in it: the one it gets, and the one it got
/// when names had no key of their own.
pub(super) fn names(keys: &Keys, digest: BlobDigest) -> Result<[String; 2], HandbookError> {
    let name = |key: &[u8]| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let mut first = [0; 16];
        first.copy_from_slice(&hmac::sign(&key, digest.as_bytes()).as_ref()[..16]);
        Id::from_bytes(first).to_string()
    };
    Ok([
        name(&*keys.outgoing_names()?),
        name(&*keys.outgoing_blobs()?),
    ])
}

/// An outgoing blob's file.
pub(crate) fn file(
    handbook: &Path,
    keys: &Keys,
    named: NamedBlob,
) -> Result<SealedFile, HandbookError> {
    let [path, before] = names(keys, named.digest)?.map(|name| folder(handbook).join(name));
    Ok(SealedFile {
        path: if before.exists() && !path.exists() {
            before
        } else {
            path
        },
        key: *keys.outgoing_blobs()?,
        size: named.size,
    })
}

/// The blobs that an intent wants to have named, and the home where they belong.
pub(super) fn named_by_intent(intent: &Intent) -> Vec<(Scope, NamedBlob)> {
    match intent {
        Intent::PublishDocument(i) => i
            .attachments
            .iter()
            .map(|attachment| (i.document.0.home, super::fetch::named(attachment)))
            .collect(),
        _ => Vec::new(),
    }
}

impl Inner {
    /// Lays files out for the server and runs `submit` with what they are. Nothing is tidied meanwhile.
    pub(crate) fn with_outgoing<T>(
        &self,
        files: &[(String, String, PathBuf)],
        submit: impl FnOnce(Vec<Attachment>) -> Result<T, HandbookError>,
    ) -> Result<T, HandbookError> {
        let _nothing_is_tidied = locked(&self.blobs.staging);
        let mut attachments = Vec::with_capacity(files.len());
        for (name, media_type, path) in files {
            let _open = self.enter()?;
            attachments.push(self.lay_out(name, media_type, path)?);
        }
        submit(attachments)
    }

    /// Reads a file once: hashed, cut into pieces, sealed, on the disk.
    fn lay_out(
        &self,
        name: &str,
        media_type: &str,
        source: &Path,
    ) -> Result<Attachment, HandbookError> {
        let refused = |why| HandbookError::Refused { why };
        let mut source = File::open(source)?;
        let size = source.metadata()?.len();
        if size == 0 {
            return Err(refused(Rejection::Invalid {
                field: Field::Attachments,
                why: Fault::Empty,
            }));
        }
        if size > u64::from(MAX_BLOB_BYTES) {
            return Err(refused(Rejection::TooLarge {
                field: Field::Attachments,
                limit: MAX_BLOB_BYTES,
            }));
        }
        let folder = folder(&self.folder);
        std::fs::create_dir_all(&folder)?;
        let beside = SealedFile {
            path: folder.join(Id::from_bytes(keys::random()?).to_string() + "." + BESIDE),
            key: *self.keys().outgoing_blobs()?,
            size,
        };
        let (mut whole, mut pieces) = (Context::new(&SHA256), PieceDigests::default());
        let mut piece = Vec::with_capacity(PIECE_BYTES as usize);
        for index in 0..beside.pieces() {
            piece.clear();
            let length = beside.piece_length(index);
            (&mut source).take(length as u64).read_to_end(&mut piece)?;
            if piece.len() != length {
                // Somebody made it shorter while it was read.
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
            }
            whole.update(&piece);
            pieces.push(&piece);
            beside.write_piece(index, &piece)?;
        }
        beside.sync()?;
        let digest = whole.finish();
        let blob = BlobDigest::from_bytes(
            digest
                .as_ref()
                .try_into()
                .map_err(|_| HandbookError::KeyFailed)?,
        );
        let named = NamedBlob { digest: blob, size };
        let place = file(&self.folder, self.keys(), named)?;
        std::fs::rename(&beside.path, &place.path)?;
        File::open(&folder)?.sync_all()?;
        Ok(Attachment {
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            size,
            blob,
            pieces,
            unknown: UnknownKeys::none(),
        })
    }

    /// A sync's round trips; then the blobs that pending mutations name, and the mutations once more.
    pub(crate) fn round_trips_and_blobs(
        &self,
        under_way: &UnderWay,
        until: Option<Instant>,
    ) -> Result<SyncReport, HandbookError> {
        let mut report = self.round_trips(under_way, until)?;
        while report.finished {
            match self.hand_over_blobs(under_way, until)? {
                HandOver::Nothing => break,
                HandOver::OutOfTime => report.finished = false,
                done => {
                    let again = self.round_trips(under_way, until)?;
                    report.accepted = report.accepted.saturating_add(again.accepted);
                    report.refused = report.refused.saturating_add(again.refused);
                    report.received = report.received.saturating_add(again.received);
                    report.round_trips = report.round_trips.saturating_add(again.round_trips);
                    report.finished = again.finished;
                    if matches!(done, HandOver::Done) {
                        break;
                    }
                }
            }
        }
        // What cannot be tidied now, is after the next sync.
        let _ = self.tidy_blobs();
        Ok(report)
    }

    fn hand_over_blobs(
        &self,
        under_way: &UnderWay,
        until: Option<Instant>,
    ) -> Result<HandOver, HandbookError> {
        let mut done = HandOver::Nothing;
        let newest = self.newest_entry()?;
        let wanted = {
            let pass = self.enter()?;
            let pending = |entry: &stored::OutboxEntry| entry.refusal.is_none();
            pass.read(|db| {
                Ok(stored::outbox(db)?
                    .into_iter()
                    .filter(pending)
                    .flat_map(|entry| named_by_intent(&entry.mutation.intent))
                    .collect::<Vec<_>>())
            })?
        };
        for (home, named) in wanted {
            match self.hand_over_blob(home, named, newest, under_way, until)? {
                HandOver::Nothing => {}
                HandOver::Done => done = HandOver::Done,
                ended => return Ok(ended),
            }
        }
        Ok(done)
    }

    /// The number of the last entry that was made.
    fn newest_entry(&self) -> Result<i64, HandbookError> {
        let pass = self.enter()?;
        pass.read(|db| {
            Ok(
                db.query_row("SELECT coalesce(max(n), 0) FROM outbox", [], |row| {
                    row.get(0)
                })?,
            )
        })
    }

    /// Hands one blob over, from where the server is.
    fn hand_over_blob(
        &self,
        home: Scope,
        named: NamedBlob,
        newest: i64,
        under_way: &UnderWay,
        until: Option<Instant>,
    ) -> Result<HandOver, HandbookError> {
        let member = self.member()?;
        let (network, transport) = (self.network()?, self.transport()?);
        let Some(source) = self.source_of(named)? else {
            return Ok(HandOver::Nothing);
        };
        let (mut from, mut bytes, mut begun_again) = (0, Vec::new(), false);
        loop {
            let (sending, signer, sent) = (transport.clone(), member.signer.clone(), from);
            let empty = bytes.is_empty();
            let body = std::mem::take(&mut bytes);
            let answer = network.wait_until(under_way, until, async move {
                sending.hand_over(&signer, home, named, sent, body).await
            })?;
            let received = match answer {
                None => return Ok(HandOver::OutOfTime),
                Some(HandedOver::Received(received)) => received,
                Some(HandedOver::Problem(ProblemCode::WrongBlob, _)) if !begun_again => {
                    begun_again = true;
                    0
                }
                // The mutation itself will be refused, for a reason that a person can read.
                Some(HandedOver::Problem(ProblemCode::MayNotHandOver, _)) => {
                    return Ok(HandOver::Nothing);
                }
                Some(HandedOver::Problem(code, status)) => {
                    return Err(transport.refused_blob(code, status));
                }
            };
            if received >= named.size {
                return Ok(HandOver::Done);
            }
            if !empty && received == from && !begun_again {
                return Err(transport.unexpected(ServerFault::Protocol));
            }
            from = received;
            if self.newest_entry()? != newest {
                return Ok(HandOver::Overtaken);
            }
            let (index, within) = (from / u64::from(PIECE_BYTES), from % u64::from(PIECE_BYTES));
            let piece = self.enter().and_then(|_open| source.read_piece(index))?;
            let Some(piece) = piece else {
                // Damaged; the entry stays in the outbox, where its author sees that it is not sent.
                return Ok(HandOver::Nothing);
            };
            bytes = piece
                .get(usize::try_from(within).unwrap_or(0)..)
                .unwrap_or_default()
                .to_vec();
        }
    }

    /// Where the bytes of a blob lie that the server wants: laid out for it, or kept since it was accepted.
    fn source_of(&self, named: NamedBlob) -> Result<Option<SealedFile>, HandbookError> {
        let pass = self.enter()?;
        let outgoing = file(&self.folder, self.keys(), named)?;
        if outgoing.path.exists() {
            return Ok(Some(outgoing));
        }
        let row = pass.read(|db| rows::find(db, named.digest))?;
        Ok(row
            .filter(|row| row.ready && row.size == named.size)
            .map(|row| file_of(&self.folder, &row)))
    }
}

/// What became of handing blobs over.
enum HandOver {
    /// There was none that could go up.
    Nothing,
    /// They are there: the mutations may be sent once more.
    Done,
    /// Somebody entered something meanwhile: that goes first.
    Overtaken,
    /// The time was up.
    OutOfTime,
}
