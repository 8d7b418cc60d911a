//! Connections that read, taken from a pool and given back. The pool grows to what is used at the same time.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::engine::{Engine, EngineError};
use crate::storage::Storage;

/// The most idle connections kept.
const MAX_IDLE: usize = 16;

pub(super) struct Readers {
    database: PathBuf,
    idle: Mutex<Vec<Engine>>,
}

impl Readers {
    pub(super) const fn new(database: PathBuf) -> Self {
        Self {
            database,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Reads. Blocks: not to be called on a thread of the network.
    pub(super) fn with<T>(
        &self,
        read: impl FnOnce(&mut Engine) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut engine = match idle {
            Some(engine) => engine,
            None => Engine::new(Storage::open(&self.database)?),
        };
        let result = read(&mut engine);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            idle.push(engine);
        }
        result
    }
}
