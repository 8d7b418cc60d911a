//! What stands behind the exported object: the open files, who joined, the network, and the doors between them.
//!
//! Everything that touches a file passes the gate ([`crate::gate`]). `pause` closes it, waits for those inside, and closes the
//! files; so after it no file and no lock is held, and nothing can slip in.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::Connection;
use sotay_model::wire::TrustAnchors;
use sotay_model::{InstallationId, Timestamp, cbor};
use zeroize::Zeroizing;

use crate::background::Background;
use crate::blob::Blobs;
use crate::clock::{Anchor, Clock, Known, Time};
use crate::disk::PhoneDisk;
use crate::engine;
use crate::enrol::Unanswered;
use crate::error::HandbookError;
use crate::gate::{self, Gate, Patience};
use crate::identity::Identity;
use crate::joining::Waiting;
use crate::keys::{self, Keys};
use crate::keys_file::Stretched;
use crate::network::{Network, UnderWay};
use crate::pin::Pin;
use crate::session::Signer;
use crate::signer::{Device, DeviceSigner};
use crate::state::Tries;
use crate::store::rows::{self, Setting};
use crate::store::{self, Store, Writer, locked};
use crate::sync::Turns;
use crate::transport::{Link, Transport, Trust};
use crate::unlock;
use crate::vault::KeyVault;
use crate::watch::{Touched, Watches};
use crate::wipe;

/// Once the deadline of a pause is over, interrupted statements get this long to end.
const INTERRUPTED: Duration = Duration::from_millis(500);

/// Who joined, with the opened device key.
#[derive(Debug)]
pub(crate) struct Joined {
    /// Who.
    pub(crate) identity: Identity,
    /// How this phone signs.
    pub(crate) signer: Arc<Signer>,
}

/// See the module.
pub(crate) struct Inner {
    /// The private folder.
    pub(crate) folder: PathBuf,
    pub(crate) vault: Arc<dyn KeyVault>,
    /// The phone's secure hardware, where the app has opened the handbook with it.
    pub(crate) hardware: Option<Arc<dyn DeviceSigner>>,
    keys: Arc<Keys>,
    /// The PIN that is set, stretched. Whoever changes the file `keys` holds it.
    pub(crate) pin: Mutex<Option<Stretched>>,
    revoked: AtomicBool,
    gate: Gate<Store>,
    joined: Mutex<Option<Arc<Joined>>>,
    /// A claim that waits for an officer.
    pub(crate) waiting: Mutex<Option<Arc<Waiting>>>,
    network: Mutex<Option<Arc<Network>>>,
    pub(crate) transport: Mutex<Option<Arc<Transport>>>,
    /// One sync at a time.
    pub(crate) turns: Turns,
    /// What became of the tries to sync.
    pub(crate) tries: Tries,
    /// What connections share.
    pub(crate) link: Link,
    /// A claim of an invitation that nobody answered.
    pub(crate) unanswered: Mutex<Option<Unanswered>>,
    /// What foreground calls wait for.
    pub(crate) under_way: UnderWay,
    /// The same for questions about phones.
    pub(crate) asking: UnderWay,
    /// The sync in the background, while one runs.
    pub(crate) background: Mutex<Option<Arc<Background>>>,
    /// The live queries.
    pub(crate) watches: Watches,
    /// What calls about attachments share.
    pub(crate) blobs: Blobs,
    offline: AtomicBool,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inner(…)")
    }
}

/// Leave to use the files; they stay open as long as somebody has one.
pub(crate) type Pass<'g> = gate::Pass<'g, Store>;

impl Inner {
    /// Opens the files in a folder.
    pub(crate) fn open(
        folder: PathBuf,
        vault: Arc<dyn KeyVault>,
        pin: Option<&Pin>,
        hardware: Option<Arc<dyn DeviceSigner>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, HandbookError> {
        let lock = store::lock(&folder)?;
        wipe::finish(&PhoneDisk, &folder, &*vault)?;
        let unlocked = match unlock::unlock(&PhoneDisk, &folder, &*vault, pin) {
            Err(HandbookError::WipedAfterTries { .. }) => {
                let unsent = wipe::wipe(&PhoneDisk, &folder, &*vault)?;
                return Err(HandbookError::WipedAfterTries { unsent });
            }
            unlocked => unlocked?,
        };
        let store = Store::open(&folder, Arc::clone(&unlocked.keys), lock);
        let store = unlocked.seen(&PhoneDisk, &folder, store)?;
        let inner = Self {
            folder,
            vault,
            keys: unlocked.keys,
            pin: Mutex::new(unlocked.pin),
            revoked: AtomicBool::new(false),
            gate: Gate::open(store),
            hardware,
            joined: Mutex::new(None),
            waiting: Mutex::new(None),
            network: Mutex::new(None),
            transport: Mutex::new(None),
            turns: Turns::default(),
            tries: Tries::default(),
            link: Link {
                time: Arc::new(Time::by(clock)),
                traffic: Arc::default(),
            },
            unanswered: Mutex::new(None),
            under_way: UnderWay::default(),
            asking: UnderWay::default(),
            background: Mutex::new(None),
            watches: Watches::default(),
            blobs: Blobs::default(),
            offline: AtomicBool::new(false),
        };
        inner.load()?;
        Ok(inner)
    }

    fn load(&self) -> Result<(), HandbookError> {
        let pass = self.enter()?;
        let writer = pass.writer();
        let known = Known {
            anchor: rows::setting(&writer.db, Setting::ClockAnchor)?
                .and_then(|bytes| Anchor::from_bytes(&bytes)),
            offset: rows::setting_number(&writer.db, Setting::ClockOffset)?.unwrap_or(0),
        };
        let last = rows::setting_number(&writer.db, Setting::LastSynced)?.unwrap_or(0);
        self.link.time.recall(known, Timestamp(last));
        if let Some(identity) = writer.identity()? {
            self.watches
                .concern(engine::concern(&writer.db, Some(&identity))?);
            let session = rows::setting(&writer.db, Setting::Session)?.map(Zeroizing::new);
            let session = session.as_deref().map(Vec::as_slice);
            let signer = self.signer(
                identity.installation,
                &identity.device_key,
                &identity.anchors,
                identity.serial,
                session,
            )?;
            self.remember(identity, Arc::new(signer));
        } else if let Some(joining) = rows::setting(&writer.db, Setting::Joining)? {
            let joining = cbor::from_bytes(&joining).map_err(|_| rows::DAMAGED)?;
            self.wait_for_officer(joining)?;
        }
        Ok(())
    }

    /// How a phone signs.
    pub(crate) fn signer(
        &self,
        installation: InstallationId,
        device_key: &[u8],
        anchors: &TrustAnchors,
        serial: u64,
        session: Option<&[u8]>,
    ) -> Result<Signer, HandbookError> {
        let device = Device::open(device_key, &self.keys, self.hardware.as_ref())?;
        Ok(Signer::new(installation, device, anchors, serial, session))
    }

    /// Runs what was called from outside: a defect of ours ends as `Internal`, a damaged file says what is safe.
    pub(crate) fn guarded<T>(
        &self,
        what: impl FnOnce() -> Result<T, HandbookError>,
    ) -> Result<T, HandbookError> {
        let result = guarded(&self.folder, what);
        if result.is_err() && self.hears_of_revocation() {
            return Err(self.wipe_revoked());
        }
        // Whatever it was that no longer worked: this is why.
        if self.is_revoked() && result.is_err() {
            return Err(HandbookError::Revoked);
        }
        result
    }

    /// Whether the organisation's own word came that this phone is nobody's any more, and nothing was wiped yet.
    fn hears_of_revocation(&self) -> bool {
        let joined = locked(&self.joined).clone();
        joined.is_some_and(|joined| joined.signer.is_revoked()) && !self.is_revoked()
    }

    /// Leave to use the files.
    pub(crate) fn enter(&self) -> Result<Pass<'_>, HandbookError> {
        self.gate.enter()
    }

    /// Closes the gate and the files behind it. Whoever does not end keeps them to the end of the call; the log is then
    /// written back at the next opening.
    pub(crate) fn close(&self, for_good: bool, deadline: Duration) {
        let patience = Patience {
            until_interrupted: deadline,
            then: INTERRUPTED,
        };
        self.gate
            .close(for_good, patience, Store::interrupt, Store::checkpoint);
        tracing::debug!(for_good, "closed");
    }

    /// Opens the files again after a pause.
    pub(crate) fn reopen(&self) -> Result<(), HandbookError> {
        self.gate.reopen(|| {
            let lock = store::lock(&self.folder)?;
            Store::open(&self.folder, Arc::clone(&self.keys), lock)
        })
    }

    /// Whether nothing can be done with it any more.
    pub(crate) fn is_shut(&self) -> bool {
        self.gate.is_shut()
    }

    /// Whether it is paused.
    pub(crate) fn is_paused(&self) -> bool {
        self.gate.is_paused()
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
    pub(crate) fn remember(&self, identity: Identity, signer: Arc<Signer>) {
        *locked(&self.joined) = Some(Arc::new(Joined { identity, signer }));
    }

    /// Keeps a session that the server has accepted, so that the next start goes on with it.
    pub(crate) fn keep_session(&self, db: &Connection) -> Result<(), HandbookError> {
        let Some(member) = self.joined() else {
            return Ok(());
        };
        let Some(session) = member.signer.to_keep() else {
            return Ok(());
        };
        rows::set(db, Setting::Session, &session).inspect_err(|_| member.signer.not_kept())
    }

    /// Keeps what the organisation stated anew, and goes by it: connections from now on are made under its roots, and its keys
    /// are obeyed. In the journal first, so that a database that is lost takes nothing of it along. Whether there was anything.
    pub(crate) fn keep_statement(&self, writer: &mut Writer) -> Result<bool, HandbookError> {
        let Some(member) = self.joined() else {
            return Ok(false);
        };
        let Some(statement) = member.signer.heard_statement() else {
            return Ok(false);
        };
        let identity = Identity {
            anchors: statement.anchors,
            serial: statement.serial,
            minimum: statement.minimum,
            ..member.identity.clone()
        };
        let bytes = cbor::to_bytes(&identity);
        writer.journal.keep_identity(&bytes)?;
        rows::set(&writer.db, Setting::Identity, &bytes)?;
        member.signer.obey(&identity.anchors, identity.serial);
        self.remember(identity, Arc::clone(&member.signer));
        locked(&self.transport).take();
        if let Some(background) = locked(&self.background).as_ref() {
            // It listens under the roots before; with the next sync it begins again.
            background.deafen();
        }
        Ok(true)
    }

    /// Nobody joined any more.
    pub(crate) fn forget(&self) {
        locked(&self.joined).take();
        locked(&self.pin).take();
    }

    /// The organisation revoked this phone.
    pub(crate) fn revoke(&self) {
        self.revoked.store(true, Ordering::Relaxed);
    }

    /// Whether it was deleted because the organisation revoked the phone.
    pub(crate) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Relaxed)
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
        let trust = Trust::Anchors(&member.identity.anchors);
        Ok(Arc::clone(transport.insert(Arc::new(Transport::new(
            &member.identity.address,
            &trust,
            &self.link,
        )?))))
    }

    /// Ends what uses the network now.
    pub(crate) fn hang_up(&self) {
        if let Some(network) = locked(&self.network).take() {
            network.stop();
        }
        // Its connections ended with the thread.
        locked(&self.transport).take();
    }

    /// Ends everything that uses the network, for good.
    pub(crate) fn disconnect(&self) {
        self.under_way.cancel();
        self.asking.cancel();
        self.hang_up();
        self.turns.look();
    }

    /// The phone's best guess at the server's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.link.time.now()
    }

    /// The server told its time; it is kept beside what else is stored.
    pub(crate) fn learn_time(
        &self,
        db: &Connection,
        server: Timestamp,
    ) -> Result<(), HandbookError> {
        if let Some(Known {
            anchor: Some(anchor),
            offset,
        }) = self.link.time.learn(server)
        {
            rows::set(db, Setting::ClockAnchor, &anchor.to_bytes())?;
            rows::set_number(db, Setting::ClockOffset, offset)?;
        }
        Ok(())
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
        // What it said may quote what was entered: the number is all that is written down.
        tracing::error!(incident = format!("{number:08x}"), "a defect of ours");
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
