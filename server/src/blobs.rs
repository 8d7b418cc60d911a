//! Blobs in a folder: `<home>/<sha256>`, and `<home>/partial/<installation>-<sha256>` while one is being handed over.
//!
//! What stands under a digest has that digest: a blob is written beside, hashed, put on the disk and renamed, and never changed
//! afterwards. Each phone has a part of its own, so nobody can spoil what somebody else hands over. A blob belongs to a home
//! scope: who may write there may see everything there, so finding a blob already present tells nobody anything new.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use ring::digest::{Context, SHA256};
use sotay_model::{BlobDigest, InstallationId, Scope};

/// The folder beside the database.
pub const FOLDER: &str = "blobs";
/// The most blobs that are being handed over at one home; the one that rested longest makes room.
pub const MAX_PARTIAL: usize = 32;
const PARTIAL: &str = "partial";
const BUFFER: usize = 64 << 10;

/// The folder.
#[derive(Debug)]
pub struct Blobs {
    folder: PathBuf,
    /// One at a time appends; reading waits for nobody.
    appending: Mutex<()>,
}

/// What is being handed over.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// By which phone.
    pub phone: InstallationId,
    /// Where the blob belongs.
    pub home: Scope,
    /// Its name.
    pub digest: BlobDigest,
    /// How many bytes it will have.
    pub size: u64,
}

/// What became of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// So many bytes are here; all of them: the blob is complete.
    Received(u64),
    /// All bytes came and are not those of this digest; they were thrown away.
    Wrong,
}

impl Blobs {
    /// The blobs of the server whose data lies in `data`.
    pub fn of(data: &Path) -> Self {
        Self {
            folder: data.join(FOLDER),
            appending: Mutex::new(()),
        }
    }

    fn at(&self, home: Scope) -> PathBuf {
        // A colon is no character of a file's name everywhere.
        self.folder.join(home.to_string().replace(':', "-"))
    }

    fn path(&self, home: Scope, digest: BlobDigest) -> PathBuf {
        self.at(home).join(digest.to_string())
    }

    /// The size of a complete blob.
    pub fn size(&self, home: Scope, digest: BlobDigest) -> Result<Option<u64>> {
        match std::fs::metadata(self.path(home, digest)) {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Bytes `from` to `to`, both included, of a complete blob; none where it is not here.
    pub fn read(
        &self,
        home: Scope,
        digest: BlobDigest,
        from: u64,
        to: u64,
    ) -> Result<Option<Vec<u8>>> {
        let mut file = match File::open(self.path(home, digest)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = (to - from).saturating_add(1);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        file.take(length).read_to_end(&mut bytes)?;
        if bytes.len() as u64 == length {
            Ok(Some(bytes))
        } else {
            Err(Error::from(ErrorKind::UnexpectedEof))
        }
    }

    /// Removes a blob and every part of it, from all homes; how many files went.
    pub fn remove(&self, digest: BlobDigest) -> Result<usize> {
        let _alone = self
            .appending
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (whole, part) = (digest.to_string(), format!("-{digest}"));
        let mut removed = 0;
        for home in entries(&self.folder)? {
            for path in entries(&home)?
                .into_iter()
                .chain(entries(&home.join(PARTIAL))?)
            {
                let name = path.file_name().and_then(|name| name.to_str());
                if name.is_some_and(|name| name == whole || name.ends_with(&part)) {
                    std::fs::remove_file(&path)?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// Adds bytes that begin at `from`. Where they do not follow on what is here, nothing is added; the answer says how far
    /// it is, so that the phone goes on from there. With the last byte the blob is checked and becomes visible.
    pub fn append(&self, part: &Part, from: u64, bytes: &[u8]) -> Result<Appended> {
        let _alone = self
            .appending
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(size) = self.size(part.home, part.digest)? {
            return Ok(Appended::Received(size));
        }
        let folder = self.at(part.home).join(PARTIAL);
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{}-{}", part.phone, part.digest));
        if !path.exists() {
            make_room(&folder)?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        let mut here = file.metadata()?.len();
        if here > part.size {
            file.set_len(0)?;
            here = 0;
        }
        if from == here && here.saturating_add(bytes.len() as u64) <= part.size {
            file.seek(SeekFrom::Start(here))?;
            if let Err(error) = file.write_all(bytes) {
                // Best effort: what stays of it is counted as received and found out at the end.
                let _ = file.set_len(here);
                return Err(error);
            }
            here += bytes.len() as u64;
        }
        if here < part.size {
            return Ok(Appended::Received(here));
        }
        if digest_of(&mut file)? != part.digest {
            std::fs::remove_file(&path)?;
            return Ok(Appended::Wrong);
        }
        file.sync_all()?;
        std::fs::rename(&path, self.path(part.home, part.digest))?;
        for folder in [self.at(part.home), self.folder.clone()] {
            File::open(folder)?.sync_all()?;
        }
        Ok(Appended::Received(here))
    }
}

/// What lies in a folder; nothing where there is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    match std::fs::read_dir(folder) {
        Ok(found) => found.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

fn digest_of(file: &mut File) -> Result<BlobDigest> {
    file.seek(SeekFrom::Start(0))?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        context.update(buffer.get(..read).unwrap_or_default());
    }
    let found = context.finish();
    found
        .as_ref()
        .try_into()
        .map(BlobDigest::from_bytes)
        .map_err(|_| Error::from(ErrorKind::InvalidData))
}

/// Removes the parts that rested longest, so that there is a place for one more.
fn make_room(folder: &Path) -> Result<()> {
    let mut parts = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let touched = entry
            .metadata()?
            .modified()
            .unwrap_or(SystemTime::UNIX_EPOCH);
        parts.push((touched, entry.path()));
    }
    parts.sort();
    for (_, path) in parts
        .iter()
        .take((parts.len() + 1).saturating_sub(MAX_PARTIAL))
    {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sotay_model::Id;

    fn part(bytes: &[u8]) -> Part {
        Part {
            phone: InstallationId(Id::from_bytes([1; 16])),
            home: Scope::organisation(sotay_model::OrganisationId(Id::from_bytes([2; 16]))),
            digest: BlobDigest::of(bytes),
            size: bytes.len() as u64,
        }
    }

    #[test]
    fn a_blob_is_visible_once_its_last_byte_came_and_its_digest_fits() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::of(folder.path());
        let bytes = vec![5; 1_000];
        let part = part(&bytes);
        let append = |from, bytes: &[u8]| blobs.append(&part, from, bytes).unwrap();
        assert_eq!(append(0, &[]), Appended::Received(0));
        assert_eq!(append(0, &bytes[..600]), Appended::Received(600));
        assert_eq!(blobs.size(part.home, part.digest).unwrap(), None);
        // Repeated, too far on, too long: nothing is added.
        assert_eq!(append(0, &bytes[..600]), Appended::Received(600));
        assert_eq!(append(700, &bytes[700..]), Appended::Received(600));
        assert_eq!(append(600, &bytes[..600]), Appended::Received(600));
        // As after a restart of the server.
        let blobs = Blobs::of(folder.path());
        let append = |from, bytes: &[u8]| blobs.append(&part, from, bytes).unwrap();
        assert_eq!(append(600, &bytes[600..]), Appended::Received(1_000));
        assert_eq!(append(0, &[]), Appended::Received(1_000));
        let read = |from, to| blobs.read(part.home, part.digest, from, to).unwrap();
        assert_eq!(read(0, 999), Some(bytes.clone()));
        assert_eq!(read(998, 999), Some(vec![5; 2]));
    }

    #[test]
    fn wrong_bytes_are_thrown_away_and_another_phone_is_not_disturbed() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::of(folder.path());
        let bytes = vec![5; 1_000];
        let mine = part(&bytes);
        let other = Part {
            phone: InstallationId(Id::from_bytes([9; 16])),
            ..mine
        };
        blobs.append(&mine, 0, &bytes[..500]).unwrap();
        assert_eq!(
            blobs.append(&other, 0, &[6; 1_000]).unwrap(),
            Appended::Wrong
        );
        assert_eq!(blobs.append(&other, 0, &[]).unwrap(), Appended::Received(0));
        let done = blobs.append(&mine, 500, &bytes[500..]).unwrap();
        assert_eq!(done, Appended::Received(1_000));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_and_costs_nothing_that_was_received() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::of(folder.path());
        let bytes = vec![5; 1_000];
        let part = part(&bytes);
        blobs.append(&part, 0, &bytes[..300]).unwrap();
        let path = blobs
            .at(part.home)
            .join(PARTIAL)
            .join(format!("{}-{}", part.phone, part.digest));
        let aside = folder.path().join("aside");
        std::fs::rename(&path, &aside).unwrap();
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let full = blobs.append(&part, 0, &bytes).unwrap_err();
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        assert_eq!(blobs.size(part.home, part.digest).unwrap(), None);
        std::fs::remove_file(&path).unwrap();
        std::fs::rename(&aside, &path).unwrap();
        let done = blobs.append(&part, 300, &bytes[300..]).unwrap();
        assert_eq!(done, Appended::Received(1_000));
    }

    #[test]
    fn no_more_than_so_many_parts_lie_about() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::of(folder.path());
        for n in 0..u32::try_from(MAX_PARTIAL).unwrap() + 5 {
            let part = part(&[n.to_be_bytes().as_slice(), &[0; 10]].concat());
            blobs.append(&part, 0, &[0]).unwrap();
        }
        let partial = blobs.at(part(b"").home).join(PARTIAL);
        assert_eq!(std::fs::read_dir(partial).unwrap().count(), MAX_PARTIAL);
    }
}
