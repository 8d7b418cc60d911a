//! What stands behind the exported object: the open files, who joined, the network, and the doors between them.
//!
//! Everything that touches a file passes a gate. `pause` closes the gate, waits for those inside, and closes the files; so after
//! it no file and no lock is held, and nothing can slip in.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use ring::signature::Ed25519KeyPair;
use sotay_model::Timestamp;

use crate::background::Background;
use crate::engine;
use crate::enrol::Unanswered;
use crate::error::HandbookError;
use crate::identity::Identity;
use crate::keys::{self, Keys};
use crate::network::{Network, UnderWay};
use crate::store::rows::{self, Setting};
use crate::store::{self, Store, locked};
use crate::transport::{Signer, Transport, Trust};
use crate::vault::{KeyVault, VaultAnswer};
use crate::watch::{Touched, Watches};

/// Once the deadline of a pause is over, interrupted statements get this long to end.
const INTERRUPTED: Duration = Duration::from_millis(500);

#[derive(Debug)]
enum Phase {
    Open(Arc<Store>),
    Paused,
    Shut,
}

#[derive(Debug)]
struct Gate {
    phase: Phase,
    inside: usize,
}

/// Who joined, with the opened signing key.
#[derive(Debug)]
pub(crate) struct Joined {
    /// Who.
    pub(crate) identity: Identity,
    /// How this phone signs.
    pub(crate) signer: Signer,
}

/// See the module.
pub(crate) struct Inner {
    /// The private folder.
    pub(crate) folder: PathBuf,
    pub(crate) vault: Arc<dyn KeyVault>,
    keys: Arc<Keys>,
    gate: Mutex<Gate>,
    left: Condvar,
    joined: Mutex<Option<Arc<Joined>>>,
    network: Mutex<Option<Arc<Network>>>,
    transport: Mutex<Option<Arc<Transport>>>,
    /// One sync at a time.
    pub(crate) syncing: Mutex<()>,
    /// A claim of an invitation that nobody answered.
    pub(crate) unanswered: Mutex<Option<Unanswered>>,
    /// What foreground calls wait for.
    pub(crate) under_way: UnderWay,
    /// The sync in the background, while one runs.
    pub(crate) background: Mutex<Option<Arc<Background>>>,
    /// The live queries.
    pub(crate) watches: Watches,
    offset: AtomicI64,
    offline: AtomicBool,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inner(…)")
    }
}

/// Leave to use the files; they stay open as long as somebody has one.
#[derive(Debug)]
pub(crate) struct Pass<'g> {
    inner: &'g Inner,
    store: Option<Arc<Store>>,
}

impl std::ops::Deref for Pass<'_> {
    type Target = Store;

    #[allow(clippy::expect_used, reason = "taken only in drop")]
    fn deref(&self) -> &Store {
        self.store
            .as_deref()
            .expect("a pass has its store until it is dropped")
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.store = None;
        locked(&self.inner.gate).inside -= 1;
        self.inner.left.notify_all();
    }
}

/// The phone's clock, in milliseconds since 1970; it may be years off.
pub(crate) fn wall() -> Timestamp {
    let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    Timestamp(
        match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => ms(since),
            Err(before) => -ms(before.duration()),
        },
    )
}

/// Asks the vault for the root key, or makes one where there never was any.
pub(crate) fn keys_from(folder: &Path, vault: &dyn KeyVault) -> Result<Keys, HandbookError> {
    let lost = || HandbookError::KeyLost {
        unsent: store::unsent_in(folder),
    };
    match vault.root_key().map_err(|_| HandbookError::KeyFailed)? {
        VaultAnswer::Key { root } => Keys::from_root(&zeroize::Zeroizing::new(root)),
        VaultAnswer::LockedNow => Err(HandbookError::KeyLocked),
        VaultAnswer::Lost => Err(lost()),
        // Something is encrypted here, so there was a key.
        VaultAnswer::Empty if store::has_key_check(folder) => Err(lost()),
        VaultAnswer::Empty => {
            let root = zeroize::Zeroizing::new(keys::random::<{ keys::ROOT_BYTES }>()?);
            vault
                .store(root.to_vec())
                .map_err(|_| HandbookError::KeyFailed)?;
            Keys::from_root(root.as_slice())
        }
    }
}

impl Inner {
    /// Opens the files in a folder.
    pub(crate) fn open(folder: PathBuf, vault: Arc<dyn KeyVault>) -> Result<Self, HandbookError> {
        let lock = store::lock(&folder)?;
        let keys = Arc::new(keys_from(&folder, vault.as_ref())?);
        let store = Store::open(&folder, Arc::clone(&keys), lock)?;
        let inner = Self {
            folder,
            vault,
            keys,
            gate: Mutex::new(Gate {
                phase: Phase::Open(Arc::new(store)),
                inside: 0,
            }),
            left: Condvar::new(),
            joined: Mutex::new(None),
            network: Mutex::new(None),
            transport: Mutex::new(None),
            syncing: Mutex::new(()),
            unanswered: Mutex::new(None),
            under_way: UnderWay::default(),
            background: Mutex::new(None),
            watches: Watches::default(),
            offset: AtomicI64::new(0),
            offline: AtomicBool::new(false),
        };
        inner.load()?;
        Ok(inner)
    }

    fn load(&self) -> Result<(), HandbookError> {
        let pass = self.enter()?;
        let writer = pass.writer();
        let offset = rows::setting_number(&writer.db, Setting::ClockOffset)?.unwrap_or(0);
        self.offset.store(offset, Ordering::Relaxed);
        if let Some(identity) = writer.identity()? {
            self.watches
                .concern(engine::concern(&writer.db, Some(&identity))?);
            self.remember(identity)?;
        }
        Ok(())
    }

    /// Runs what was called from outside: a defect of ours ends as `Internal`, a damaged file says what is safe.
    pub(crate) fn guarded<T>(
        &self,
        what: impl FnOnce() -> Result<T, HandbookError>,
    ) -> Result<T, HandbookError> {
        guarded(&self.folder, what)
    }

    /// Leave to use the files.
    pub(crate) fn enter(&self) -> Result<Pass<'_>, HandbookError> {
        let mut gate = locked(&self.gate);
        let store = match &gate.phase {
            Phase::Open(store) => Arc::clone(store),
            Phase::Paused => return Err(HandbookError::Paused),
            Phase::Shut => return Err(HandbookError::Cancelled),
        };
        gate.inside += 1;
        Ok(Pass {
            inner: self,
            store: Some(store),
        })
    }

    /// Closes the gate and the files behind it.
    pub(crate) fn close(&self, for_good: bool, deadline: Duration) {
        let until = Instant::now() + deadline;
        let mut gate = locked(&self.gate);
        let store = match std::mem::replace(
            &mut gate.phase,
            if for_good { Phase::Shut } else { Phase::Paused },
        ) {
            Phase::Open(store) => store,
            Phase::Shut => {
                gate.phase = Phase::Shut;
                return;
            }
            Phase::Paused => return,
        };
        let mut interrupted = false;
        while gate.inside > 0 {
            let rest = until.saturating_duration_since(Instant::now());
            let wait = if rest.is_zero() { INTERRUPTED } else { rest };
            if rest.is_zero() {
                if std::mem::replace(&mut interrupted, true) {
                    break;
                }
                store.interrupt();
            }
            gate = self
                .left
                .wait_timeout(gate, wait)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        // Somebody who does not end keeps the files to the end of the call; the log is then written back at the next opening.
        if gate.inside == 0 {
            store.checkpoint();
        }
        drop(store);
        drop(gate);
    }

    /// Opens the files again after a pause.
    pub(crate) fn reopen(&self) -> Result<(), HandbookError> {
        let mut gate = locked(&self.gate);
        match gate.phase {
            Phase::Open(_) => Ok(()),
            Phase::Shut => Err(HandbookError::Cancelled),
            Phase::Paused => {
                let lock = store::lock(&self.folder)?;
                gate.phase = Phase::Open(Arc::new(Store::open(
                    &self.folder,
                    Arc::clone(&self.keys),
                    lock,
                )?));
                Ok(())
            }
        }
    }

    /// Whether nothing can be done with it any more.
    pub(crate) fn is_shut(&self) -> bool {
        matches!(locked(&self.gate).phase, Phase::Shut)
    }

    /// Who joined.
    pub(crate) fn joined(&self) -> Option<Arc<Joined>> {
        locked(&self.joined).clone()
    }

    /// Who joined, for what only a member can do.
    pub(crate) fn member(&self) -> Result<Arc<Joined>, HandbookError> {
        self.joined().ok_or(HandbookError::NotEnrolled)
    }

    /// From now on this is who joined.
    pub(crate) fn remember(&self, identity: Identity) -> Result<(), HandbookError> {
        let key: Ed25519KeyPair = identity.signing_key(&self.keys)?;
        let signer = Signer {
            installation: identity.installation,
            key: Arc::new(key),
        };
        *locked(&self.joined) = Some(Arc::new(Joined { identity, signer }));
        Ok(())
    }

    /// The keys of the files.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The thread that talks to the network.
    pub(crate) fn network(&self) -> Result<Arc<Network>, HandbookError> {
        let mut network = locked(&self.network);
        if let Some(network) = network.as_ref() {
            return Ok(Arc::clone(network));
        }
        if self.is_shut() {
            return Err(HandbookError::Cancelled);
        }
        Ok(Arc::clone(network.insert(Arc::new(Network::start()?))))
    }

    /// The connection to the member's server.
    pub(crate) fn transport(&self) -> Result<Arc<Transport>, HandbookError> {
        let member = self.member()?;
        let mut transport = locked(&self.transport);
        if let Some(transport) = transport.as_ref() {
            return Ok(Arc::clone(transport));
        }
        let trust = Trust::Roots(member.identity.roots.clone());
        Ok(Arc::clone(transport.insert(Arc::new(Transport::new(
            &member.identity.address,
            &trust,
        )?))))
    }

    /// Ends everything that uses the network.
    pub(crate) fn disconnect(&self) {
        self.under_way.cancel();
        if let Some(network) = locked(&self.network).take() {
            network.stop();
        }
    }

    /// The phone's best guess at the server's time.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(wall().0.saturating_add(self.offset.load(Ordering::Relaxed)))
    }

    /// The server told its time.
    pub(crate) fn learn_time(&self, server: Timestamp) {
        self.offset
            .store(server.0.saturating_sub(wall().0), Ordering::Relaxed);
    }

    /// Whether the last try did not reach the server.
    pub(crate) fn offline(&self) -> bool {
        self.offline.load(Ordering::Relaxed)
    }

    /// The server was reached, or not.
    pub(crate) fn set_offline(&self, offline: bool) {
        if self.offline.swap(offline, Ordering::Relaxed) != offline {
            self.watches.committed(&Touched {
                delivery: true,
                ..Touched::default()
            });
        }
    }

    /// There is something to send.
    pub(crate) fn wake_background(&self) {
        if let Some(background) = locked(&self.background).as_ref() {
            background.wake();
        }
    }

    /// Ends the sync in the background.
    pub(crate) fn stop_background(&self) {
        if let Some(background) = locked(&self.background).take() {
            background.stop();
        }
    }
}

/// Runs what was called from outside on a folder.
pub(crate) fn guarded<T>(
    folder: &Path,
    what: impl FnOnce() -> Result<T, HandbookError>,
) -> Result<T, HandbookError> {
    let result = catch_unwind(AssertUnwindSafe(what)).unwrap_or_else(|_| {
        let number = keys::random::<4>().map_or(0, u32::from_be_bytes);
        Err(HandbookError::Internal {
            incident: format!("{number:08x}"),
        })
    });
    match result {
        Err(HandbookError::DatabaseUnreadable { .. }) => Err(HandbookError::DatabaseUnreadable {
            unsent: store::unsent_in(folder),
        }),
        other => other,
    }
}
