//! Blobs on the phone: attachments, fetched when somebody wants them, sealed, and gone with the record that names them.
//!
//! ```text
//! stream    the sealing: the payload format of age
//! file      one blob's file, piece by piece
//! rows      the table `blob`: where a blob lies, its key, whether it is whole; quota
//! fetch     from the server, going on where it stopped
//! outgoing  from this phone to the server, before the mutation that names it is carried out
//! tidy      what no record names any more goes: the row and so the key with the record, then the file
//! ```
//! What can be read was checked: each piece against its digest in the record before it is sealed, the whole against the blob's
//! digest before the row says that it is whole.

pub(crate) mod fetch;
pub(crate) mod file;
pub(crate) mod outgoing;
pub(crate) mod rows;
pub(crate) mod stream;
pub(crate) mod tidy;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use sotay_model::Id;

use self::file::SealedFile;
use self::rows::BlobRow;
use crate::network::UnderWay;

/// The folder of blobs beside the database.
pub(crate) const FOLDER: &str = "blobs";

/// What calls about blobs share.
#[derive(Debug, Default)]
pub(crate) struct Blobs {
    /// One fetch at a time.
    fetching: Mutex<()>,
    /// Held while files are being laid out that no entry of the outbox names yet.
    staging: Mutex<()>,
    /// What a fetch waits for.
    under_way: UnderWay,
}

fn path_of(folder: &Path, file: Id) -> PathBuf {
    folder.join(FOLDER).join(file.to_string())
}

/// The file of a stored blob.
pub(crate) fn file_of(folder: &Path, row: &BlobRow) -> SealedFile {
    SealedFile {
        path: path_of(folder, row.file),
        key: row.key,
        size: row.size,
    }
}
