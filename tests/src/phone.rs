//! A phone: a handbook in a folder of its own, and a key store that outlives it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sotay_client::{Handbook, HandbookError, KeyVault, VaultAnswer, VaultError};

use crate::failure::Failure;

/// A key store in memory.
#[derive(Debug, Default)]
pub struct MemoryVault(Mutex<Option<Vec<u8>>>);

impl KeyVault for MemoryVault {
    fn root_key(&self) -> Result<VaultAnswer, VaultError> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(kept
            .as_ref()
            .map_or(VaultAnswer::Empty, |root| VaultAnswer::Key {
                root: root.clone(),
            }))
    }

    fn store(&self, root: Vec<u8>) -> Result<(), VaultError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(root);
        Ok(())
    }

    fn destroy(&self) -> Result<(), VaultError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }
}

/// A key store in a file, for tests whose process is killed. A real phone keeps the key in hardware.
#[derive(Debug)]
pub struct FileVault(pub PathBuf);

impl KeyVault for FileVault {
    fn root_key(&self) -> Result<VaultAnswer, VaultError> {
        match std::fs::read(&self.0) {
            Ok(root) => Ok(VaultAnswer::Key { root }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(VaultAnswer::Empty),
            Err(_) => Err(VaultError::Failed),
        }
    }

    fn store(&self, root: Vec<u8>) -> Result<(), VaultError> {
        // In place of the one before: never half of it.
        let beside = self.0.with_extension("key-new");
        std::fs::write(&beside, root)
            .and_then(|()| std::fs::File::open(&beside)?.sync_all())
            .and_then(|()| std::fs::rename(&beside, &self.0))
            .map_err(|_| VaultError::Failed)
    }

    fn destroy(&self) -> Result<(), VaultError> {
        match std::fs::remove_file(&self.0) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(VaultError::Failed),
            _ => Ok(()),
        }
    }
}

/// A phone in somebody's hand.
pub struct Phone {
    /// What the story calls it.
    pub name: String,
    folder: PathBuf,
    vault: Arc<dyn KeyVault>,
    handbook: Arc<Handbook>,
}

impl Phone {
    /// A new phone whose files lie in `folder/name`.
    pub fn new(folder: &Path, name: &str) -> Result<Self, Failure> {
        Self::with_vault(folder, name, Arc::new(MemoryVault::default()))
    }

    /// The same, with the key in a file beside the folder, for another process to open.
    pub fn with_key_file(folder: &Path, name: &str) -> Result<Self, Failure> {
        let key = folder.join(name).with_extension("key");
        Self::with_vault(folder, name, Arc::new(FileVault(key)))
    }

    fn with_vault(folder: &Path, name: &str, vault: Arc<dyn KeyVault>) -> Result<Self, Failure> {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder)?;
        let handbook = open(&folder, &vault)?;
        Ok(Self {
            name: name.to_owned(),
            folder,
            vault,
            handbook,
        })
    }

    /// The handbook on it.
    pub fn handbook(&self) -> &Handbook {
        &self.handbook
    }

    /// The handbook, to be shared with another thread.
    pub fn shared(&self) -> Arc<Handbook> {
        self.handbook.clone()
    }

    /// Its key store.
    pub fn vault(&self) -> &dyn KeyVault {
        self.vault.as_ref()
    }

    /// Where its files lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Ends the app and starts it again.
    pub fn restart(&mut self) -> Result<(), HandbookError> {
        self.handbook.shutdown()?;
        self.handbook = open(&self.folder, &self.vault)?;
        Ok(())
    }
}

fn open(folder: &Path, vault: &Arc<dyn KeyVault>) -> Result<Arc<Handbook>, HandbookError> {
    Handbook::open(folder.to_string_lossy().into_owned(), vault.clone())
}
