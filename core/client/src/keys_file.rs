//! The file `keys` beside the database: the data key, wrapped under what the platform's vault keeps.
//!
//! It holds one wrap, and two while the root is changed (see [`crate::unlock`]). It is replaced whole, by way of another file, and lies
//! in it twice, so that a damaged sector costs nothing. A block of it:
//!
//! `SKEY` ‖ version (1) ‖ length (2) ‖ wraps ‖ SHA-256 of all before
//!
//! The sum needs no key: it tells a damaged file from a root that does not fit. A wrap: with a PIN or not (1), the PIN's salt (16), the
//! used tries, sealed under the root (29, zeros without a PIN), and the data key, sealed (60).

use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};

use crate::disk::Disk;
use crate::error::HandbookError;
use crate::keys::{self, ROOT_BYTES, Seal, Secret};

/// The file's name.
pub(crate) const KEYS: &str = "keys";
const MAGIC: &[u8; 4] = b"SKEY";
const VERSION: u8 = 1;
const HEADER: usize = MAGIC.len() + 1 + 2;
const SUM: usize = 32;
/// Where the second copy begins: in another page of every storage there is.
const SECOND: usize = 4_096;
const MAX_WRAPS: usize = 2;
const SALT: usize = 16;
const SEALED_TRIES: usize = 1 + Seal::ADDS;
const SEALED_KEY: usize = ROOT_BYTES + Seal::ADDS;
const WRAP: usize = 1 + SALT + SEALED_TRIES + SEALED_KEY;

/// The salt of a PIN: a random one for each that is set.
pub(crate) type PinSalt = [u8; SALT];

/// A PIN made slow to guess, with the salt it was stretched under. Of no use without the root.
pub(crate) struct Stretched {
    /// The salt.
    pub(crate) salt: PinSalt,
    /// What Argon2id made of both.
    pub(crate) secret: Secret,
}

/// The data key under one root, and one PIN where there is one.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Wrap {
    /// The PIN's salt and the sealed number of used tries.
    pin: Option<(PinSalt, Vec<u8>)>,
    /// The data key, sealed.
    key: Vec<u8>,
}

/// What the file says.
pub(crate) enum Found {
    /// There is none.
    Nothing,
    /// No copy in it is whole.
    Damaged,
    /// These; `spoilt` where one of the copies is damaged.
    Wraps { wraps: Vec<Wrap>, spoilt: bool },
}

impl Wrap {
    /// Wraps the data key; no try is used.
    pub(crate) fn new(
        root: &Secret,
        pin: Option<&Stretched>,
        data_key: &Secret,
    ) -> Result<Self, HandbookError> {
        let wrapping = keys::wrapping(root, pin.map(|pin| &pin.secret))?;
        let key = wrapping.seal(&belongs(pin.map(|pin| &pin.salt)), data_key.as_slice())?;
        let pin = match pin {
            Some(pin) => Some((pin.salt, sealed_tries(root, &pin.salt, 0)?)),
            None => None,
        };
        Ok(Self { pin, key })
    }

    /// The PIN's salt, where one is needed.
    pub(crate) fn salt(&self) -> Option<&PinSalt> {
        self.pin.as_ref().map(|(salt, _)| salt)
    }

    /// How many tries of the PIN are used; none where this was not wrapped under this root, or needs no PIN.
    pub(crate) fn tries(&self, root: &Secret) -> Result<Option<u8>, HandbookError> {
        let Some((salt, sealed)) = &self.pin else {
            return Ok(None);
        };
        let opened = keys::tries(root)?.open(salt, sealed);
        Ok(opened.and_then(|tries| tries.first().copied()))
    }

    /// The same with so many tries used.
    pub(crate) fn with_tries(&self, root: &Secret, used: u8) -> Result<Self, HandbookError> {
        let pin = match &self.pin {
            Some((salt, _)) => Some((*salt, sealed_tries(root, salt, used)?)),
            None => None,
        };
        Ok(Self {
            pin,
            key: self.key.clone(),
        })
    }

    /// The data key; none where root or PIN is another one.
    pub(crate) fn open(
        &self,
        root: &Secret,
        pin: Option<&Secret>,
    ) -> Result<Option<Secret>, HandbookError> {
        let opened = keys::wrapping(root, pin)?
            .open(&belongs(self.salt()), &self.key)
            .map(keys::root);
        opened.transpose()
    }

    fn write(&self, to: &mut Vec<u8>) {
        let none = ([0; SALT], vec![0; SEALED_TRIES]);
        let (salt, tries) = self.pin.as_ref().unwrap_or(&none);
        to.push(self.pin.is_some().into());
        to.extend_from_slice(salt);
        to.extend_from_slice(tries);
        to.extend_from_slice(&self.key);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (with_pin, rest) = bytes.split_first()?;
        let (salt, rest) = rest.split_first_chunk::<SALT>()?;
        let (tries, key) = rest.split_at_checked(SEALED_TRIES)?;
        let pin = match with_pin {
            0 => None,
            1 => Some((*salt, tries.to_vec())),
            _ => return None,
        };
        (key.len() == SEALED_KEY).then(|| Self {
            pin,
            key: key.to_vec(),
        })
    }
}

/// What is sealed along with the data key: it opens in its own kind of wrap only.
fn belongs(salt: Option<&PinSalt>) -> Vec<u8> {
    let mut bytes = b"data key".to_vec();
    bytes.extend_from_slice(salt.map_or(&[], |salt| salt));
    bytes
}

fn sealed_tries(root: &Secret, salt: &PinSalt, used: u8) -> Result<Vec<u8>, HandbookError> {
    keys::tries(root)?.seal(salt, &[used])
}

/// Reads the file. `NewerDatabase` where a newer version of the app wrote it.
pub(crate) fn read(disk: &dyn Disk, folder: &Path) -> Result<Found, HandbookError> {
    let bytes = match disk.read(&folder.join(KEYS)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error.into()),
    };
    let copies = [0, SECOND].map(|at| block(bytes.get(at..).unwrap_or_default()));
    let spoilt = copies.iter().any(Option::is_none);
    match copies.into_iter().flatten().next() {
        Some((VERSION, wraps)) => Ok(match wraps_of(wraps) {
            Some(wraps) => Found::Wraps { wraps, spoilt },
            None => Found::Damaged,
        }),
        Some((found, _)) => Err(HandbookError::NewerDatabase {
            found: found.into(),
            known: VERSION.into(),
        }),
        None => Ok(Found::Damaged),
    }
}

/// Version and wraps of a whole block.
fn block(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let length = bytes.get(HEADER - 2..HEADER)?;
    let length = usize::from(u16::from_be_bytes(length.try_into().ok()?));
    let (whole, rest) = bytes.split_at_checked(HEADER + length)?;
    let sum = digest(&SHA256, whole);
    (whole.starts_with(MAGIC) && rest.get(..SUM)? == sum.as_ref())
        .then_some((whole[MAGIC.len()], &whole[HEADER..]))
}

fn wraps_of(bytes: &[u8]) -> Option<Vec<Wrap>> {
    let count = bytes.len() / WRAP;
    if !(1..=MAX_WRAPS).contains(&count) || !bytes.len().is_multiple_of(WRAP) {
        return None;
    }
    bytes.chunks(WRAP).map(Wrap::read).collect()
}

/// Replaces the file: it is the old one or the new one, whenever the phone dies.
pub(crate) fn write(disk: &dyn Disk, folder: &Path, wraps: &[&Wrap]) -> Result<(), HandbookError> {
    let mut block = MAGIC.to_vec();
    block.push(VERSION);
    // At most two of them.
    let length = u16::try_from(wraps.len() * WRAP).unwrap_or(u16::MAX);
    block.extend_from_slice(&length.to_be_bytes());
    for wrap in wraps {
        wrap.write(&mut block);
    }
    let sum = digest(&SHA256, &block);
    block.extend_from_slice(sum.as_ref());
    let mut bytes = block.clone();
    bytes.resize(SECOND, 0);
    bytes.extend_from_slice(&block);
    let (path, beside) = (folder.join(KEYS), beside(folder));
    let mut file = disk.open(&beside)?;
    file.set_len(0)?;
    file.write_at(0, &bytes)?;
    file.sync()?;
    disk.rename(&beside, &path)?;
    Ok(disk.sync_folder(folder)?)
}

/// What the file is called until it is whole.
pub(crate) fn beside(folder: &Path) -> PathBuf {
    folder.join(KEYS).with_extension("new")
}
