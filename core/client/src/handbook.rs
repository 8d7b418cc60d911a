//! The one object an app holds.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use sotay_model::{Id, Intent, MemberId, OrganisationId};

use crate::background::Background;
use crate::clock::{Clock, SystemClock};
use crate::current::Current;
use crate::engine::submit;
use crate::error::HandbookError;
use crate::identity::Identity;
use crate::keys;
use crate::lifecycle::{Inner, guarded};
use crate::pin::Pin;
use crate::signer::DeviceSigner;
use crate::store::rows;
use crate::store::{self, Store, Writer, locked};
use crate::vault::KeyVault;
use crate::watch::{Change, Query, Touched};

/// One person's handbook in one folder of one phone. Every method blocks until it is done and may be called from any
/// thread; the Kotlin and Swift wrappers add `suspend` and `async`.
#[derive(Debug)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct Handbook {
    inner: Arc<Inner>,
}

/// The handbooks open in this process, by folder.
static OPEN: Mutex<BTreeMap<PathBuf, Weak<Handbook>>> = Mutex::new(BTreeMap::new());

/// Whose handbook was joined.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct JoinedView {
    /// The member.
    pub member: MemberId,
    /// Name, to greet before the first sync.
    pub member_name: String,
    /// The home cell.
    pub cell: OrganisationId,
}

impl From<&Identity> for JoinedView {
    fn from(identity: &Identity) -> Self {
        Self {
            member: identity.member,
            member_name: identity.member_name.clone(),
            cell: identity.cell,
        }
    }
}

/// What one sync did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SyncReport {
    /// Own entries that the server carried out.
    pub accepted: u32,
    /// Own entries that the server refused; they are in `outbox`.
    pub refused: u32,
    /// Records received.
    pub received: u32,
    /// Round trips it took.
    pub round_trips: u32,
    /// Nothing is left to send or to fetch; without a limit of time always so.
    pub finished: bool,
}

/// A sync that runs in the background until it is cancelled: at once after each entry, when the server wakes it, and again
/// with growing pauses when there is no network.
#[derive(Debug)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct SyncHandle {
    run: Arc<Background>,
    inner: Weak<Inner>,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl SyncHandle {
    /// Stops it. What is under way is finished or given up without loss.
    pub fn cancel(&self) -> Result<(), HandbookError> {
        self.run.stop();
        if let Some(inner) = self.inner.upgrade() {
            let ended = locked(&inner.background).take_if(|run| Arc::ptr_eq(run, &self.run));
            inner.turns.look();
            if ended.is_some() {
                inner.plan(None);
            }
        }
        Ok(())
    }
}

/// The folder's one name, made if it is missing.
pub(crate) fn canonical(folder: &str) -> Result<PathBuf, HandbookError> {
    std::fs::create_dir_all(folder)?;
    Ok(std::fs::canonicalize(folder)?)
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// Opens the handbook in a private folder of the app, or makes an empty one. Opening the same folder again in the same
    /// process gives the same handbook; another process gets `InUse`.
    #[cfg_attr(feature = "uniffi", uniffi::constructor)]
    pub fn open(folder: String, vault: Arc<dyn KeyVault>) -> Result<Arc<Self>, HandbookError> {
        Self::open_with_clock(folder, vault, Arc::new(SystemClock))
    }

    /// Opens a handbook whose database cannot be read: sets the file aside and makes a new one, in which everything not sent
    /// yet waits again. The next sync fetches the rest. Does nothing but open where the database is whole.
    #[cfg_attr(feature = "uniffi", uniffi::constructor)]
    pub fn rebuild(folder: String, vault: Arc<dyn KeyVault>) -> Result<Arc<Self>, HandbookError> {
        Self::rebuild_by(folder, vault, None, None)
    }

    /// Whose handbook it is; none before `join`.
    pub fn joined(&self) -> Result<Option<JoinedView>, HandbookError> {
        if self.inner.is_revoked() {
            return Err(HandbookError::Revoked);
        }
        Ok(self
            .inner
            .joined()
            .map(|joined| JoinedView::from(&joined.identity)))
    }

    /// Starts syncing in the background. Starting again while it runs gives another handle on the same run.
    pub fn start_sync(&self) -> Result<Arc<SyncHandle>, HandbookError> {
        self.inner.guarded(|| {
            if self.inner.is_shut() {
                return Err(HandbookError::Cancelled);
            }
            let mut background = locked(&self.inner.background);
            let run = match background.as_ref() {
                Some(run) => Arc::clone(run),
                None => Arc::clone(background.insert(Background::start(&self.inner)?)),
            };
            Ok(Arc::new(SyncHandle {
                run,
                inner: Arc::downgrade(&self.inner),
            }))
        })
    }

    /// Registers a query; its first change is reported at once.
    pub fn watch(&self, query: Query) -> Result<i64, HandbookError> {
        self.inner.watches.watch(query)
    }

    /// Ends a query.
    pub fn unwatch(&self, watch: i64) -> Result<(), HandbookError> {
        self.inner.watches.unwatch(watch);
        Ok(())
    }

    /// Blocks until a watched query may have changed. `Cancelled` after `shutdown`.
    pub fn next_changes(&self) -> Result<Vec<Change>, HandbookError> {
        match self.inner.watches.next() {
            Err(_) if self.inner.is_revoked() => Err(HandbookError::Revoked),
            changes => changes,
        }
    }

    /// Refuses new work, waits for commits under way, writes the log back, closes every file and hangs up; a sync under way
    /// ends with `Paused`. At most `deadline_ms` milliseconds; what is not finished by then is given up without loss.
    pub fn pause(&self, deadline_ms: u32) -> Result<(), HandbookError> {
        self.inner.guarded(|| {
            if self.inner.is_shut() {
                return Err(HandbookError::Cancelled);
            }
            // The gate first: what is given up behind it finds it closed, and begins nothing anew.
            self.inner
                .close(false, Duration::from_millis(deadline_ms.into()));
            if let Some(background) = locked(&self.inner.background).as_ref() {
                background.deafen();
            }
            self.inner.hang_up();
            Ok(())
        })
    }

    /// Opens the files again. Every watched query is reported anew.
    pub fn resume(&self) -> Result<(), HandbookError> {
        self.inner.guarded(|| {
            self.inner.reopen()?;
            self.inner.watches.reopened();
            self.inner.wake_background();
            Ok(())
        })
    }

    /// Ends syncing, waiting calls and live queries, and closes the files. The object is of no use afterwards.
    pub fn shutdown(&self) -> Result<(), HandbookError> {
        guarded(&self.inner.folder, || {
            self.inner.end();
            Ok(())
        })
    }
}

impl Drop for Handbook {
    fn drop(&mut self) {
        self.inner.end();
    }
}

impl Handbook {
    /// Opens a handbook that goes by other clocks than the phone's; for tests.
    pub fn open_with_clock(
        folder: String,
        vault: Arc<dyn KeyVault>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, HandbookError> {
        Self::open_by(folder, vault, clock, None, None)
    }

    /// Opens it with whatever opens its lock, and the phone's hardware where there is any.
    pub(crate) fn open_by(
        folder: String,
        vault: Arc<dyn KeyVault>,
        clock: Arc<dyn Clock>,
        pin: Option<&Pin>,
        hardware: Option<Arc<dyn DeviceSigner>>,
    ) -> Result<Arc<Self>, HandbookError> {
        let folder = canonical(&folder)?;
        guarded(&folder.clone(), || {
            let mut open = locked(&OPEN);
            if let Some(handbook) = open.get(&folder).and_then(Weak::upgrade)
                && !handbook.inner.is_shut()
                // One that is being deleted is nobody's to open: until that is done the folder is `InUse`.
                && !handbook.inner.is_revoked()
            {
                if let Some(pin) = pin {
                    handbook.inner.check_pin(pin)?;
                }
                return Ok(handbook);
            }
            let inner = Arc::new(Inner::open(folder.clone(), vault, pin, hardware, clock)?);
            let handbook = Arc::new(Self { inner });
            open.retain(|_, other| other.strong_count() > 0);
            open.insert(folder, Arc::downgrade(&handbook));
            Ok(handbook)
        })
    }

    /// Rebuilds it with whatever opens its lock.
    pub(crate) fn rebuild_by(
        folder: String,
        vault: Arc<dyn KeyVault>,
        pin: Option<&Pin>,
        hardware: Option<Arc<dyn DeviceSigner>>,
    ) -> Result<Arc<Self>, HandbookError> {
        let open = || {
            let (folder, vault, clock) = (folder.clone(), Arc::clone(&vault), SystemClock);
            Self::open_by(folder, vault, Arc::new(clock), pin, hardware.clone())
        };
        match open() {
            Ok(handbook) if handbook.is_whole() => return Ok(handbook),
            Ok(handbook) => handbook.shutdown()?,
            Err(HandbookError::DatabaseUnreadable { .. }) => {}
            Err(error) => return Err(error),
        }
        let path = canonical(&folder)?;
        guarded(&path, || {
            let _lock = store::lock(&path)?;
            Store::set_aside(&path)
        })?;
        open()
    }
}

/// What the domains' commands and views are built on.
impl Handbook {
    /// What stands behind it.
    pub(crate) const fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    /// Decides on an intent by the rules, stores it with its effect, and returns its number once durable.
    pub(crate) fn submit(&self, intent: Intent) -> Result<i64, HandbookError> {
        self.may_enter()?;
        let now = self.inner.now();
        self.write(|writer, me| submit::submit(writer, me.member, now, now, intent))
    }

    /// `UpdateNeeded` where the organisation wants a newer library before anything more is entered.
    pub(crate) fn may_enter(&self) -> Result<(), HandbookError> {
        let joined = self.inner.joined();
        match joined.and_then(|joined| joined.identity.wanted()) {
            None => Ok(()),
            Some(minimum) => Err(HandbookError::UpdateNeeded {
                minimum: minimum.to_string(),
            }),
        }
    }

    /// Runs a view on one consistent state of the local database.
    pub(crate) fn read<T>(
        &self,
        view: impl FnOnce(&Current<'_>) -> Result<T, HandbookError>,
    ) -> Result<T, HandbookError> {
        let inner = &self.inner;
        inner.guarded(|| {
            let member = inner.member()?;
            let (me, cell) = (member.identity.member, member.identity.cell);
            let (now, offline) = (inner.now(), inner.offline());
            let wanted = member.identity.wanted();
            inner.enter()?.read(|db| {
                view(&Current {
                    db,
                    me,
                    cell,
                    now,
                    offline,
                    wanted,
                })
            })
        })
    }

    /// A fresh id for something created here.
    pub(crate) fn new_id(&self) -> Result<Id, HandbookError> {
        Ok(Id::v7(self.inner.now().0, keys::random()?))
    }

    /// Puts a refused mutation away for good.
    pub(crate) fn discard(&self, n: i64) -> Result<(), HandbookError> {
        self.write(|writer, _| Ok(((), submit::discard(writer, n)?)))
    }

    /// Submits a refused mutation's intent anew, decided by the rules as they stand now.
    pub(crate) fn resend(&self, n: i64) -> Result<i64, HandbookError> {
        self.may_enter()?;
        let now = self.inner.now();
        self.write(|writer, me| {
            let intent = submit::parked(writer, n)?;
            let (again, mut touched) = submit::submit(writer, me.member, now, now, intent)?;
            touched.extend(submit::discard(writer, n)?);
            Ok((again, touched))
        })
    }

    /// Remembers something for this phone only.
    pub(crate) fn set_local(&self, name: &str, value: &[u8]) -> Result<(), HandbookError> {
        self.write(|writer, _| {
            rows::set_local(&writer.db, name, value)?;
            Ok((
                (),
                Touched {
                    local: true,
                    ..Touched::default()
                },
            ))
        })
    }

    /// The member whose handbook it is.
    pub(crate) fn me(&self) -> Result<MemberId, HandbookError> {
        Ok(self.inner.member()?.identity.member)
    }

    /// The member's home cell.
    pub(crate) fn cell(&self) -> Result<OrganisationId, HandbookError> {
        Ok(self.inner.member()?.identity.cell)
    }

    /// Changes the store on the member's behalf; live queries and the background sync learn of it.
    fn write<T>(
        &self,
        change: impl FnOnce(&mut Writer, &Identity) -> Result<(T, Touched), HandbookError>,
    ) -> Result<T, HandbookError> {
        let inner = &self.inner;
        inner.guarded(|| {
            let member = inner.member()?;
            let pass = inner.enter()?;
            let changed = change(&mut pass.writer(), &member.identity);
            let (value, touched) = pass.ended(changed)?;
            tracing::debug!(
                records = touched.records.len(),
                outbox = touched.outbox,
                "entered"
            );
            inner.watches.committed(&touched);
            if touched.outbox {
                inner.wake_background();
            }
            Ok(value)
        })
    }

    fn is_whole(&self) -> bool {
        self.inner.enter().is_ok_and(|pass| {
            let check = |db: &rusqlite::Connection| {
                Ok(db.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))?)
            };
            pass.read(check).is_ok_and(|said| said == "ok")
        })
    }
}

sotay_model::redacted! {
    JoinedView { member, member_name, cell },
}

#[cfg(test)]
mod tests {
    use rusqlite::TransactionBehavior;
    use sotay_model::statement::Version;
    use sotay_model::wire::TrustAnchors;

    use super::*;
    use crate::vault::{VaultAnswer, VaultError};

    /// A key store with one key.
    struct Vault;

    impl KeyVault for Vault {
        fn root_key(&self) -> Result<VaultAnswer, VaultError> {
            Ok(VaultAnswer::Key {
                root: vec![7; keys::ROOT_BYTES],
            })
        }

        fn store(&self, _: Vec<u8>) -> Result<(), VaultError> {
            Ok(())
        }

        fn destroy(&self) -> Result<(), VaultError> {
            Ok(())
        }
    }

    /// A handbook whose member was never on any server.
    fn joined(folder: &std::path::Path) -> Arc<Handbook> {
        let handbook = Handbook::open(
            folder.to_string_lossy().into_owned(),
            Arc::new(Vault) as Arc<dyn KeyVault>,
        )
        .unwrap();
        let identity = Identity {
            installation: sotay_model::InstallationId::default(),
            member: MemberId(Id::from_bytes([1; 16])),
            member_name: "Đồng chí Mẫu 01".into(),
            cell: OrganisationId(Id::from_bytes([2; 16])),
            address: "127.0.0.1:1".into(),
            anchors: TrustAnchors {
                tls: Vec::new(),
                organisation: Vec::new(),
            },
            device_key: Vec::new(),
            serial: 0,
            minimum: Version::default(),
        };
        let inner = &handbook.inner;
        let signer = inner
            .signer(identity.installation, &[], &identity.anchors, 0, None)
            .unwrap();
        inner.remember(identity, Arc::new(signer));
        handbook
    }

    #[test]
    fn promise_23_every_read_ends_while_a_page_is_being_written() {
        let folder = tempfile::tempdir().unwrap();
        let handbook = joined(folder.path());
        let pass = handbook.inner.enter().unwrap();
        let mut writer = pass.writer();
        let page = writer
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .unwrap();
        rows::set_local(&page, "half", b"a page").unwrap();
        // On this very thread: whoever waited for the writer would wait forever.
        assert_eq!(handbook.home().unwrap().next_meeting, None);
        assert_eq!(handbook.meetings(None, 10).unwrap().count, 0);
        assert!(handbook.outbox().unwrap().unsent.is_empty());
        assert_eq!(handbook.sync_state().unwrap().pending, 0);
        let unseen = handbook.read(|current| current.local("half"));
        assert_eq!(unseen, Ok(None), "and sees what was committed only");
        page.commit().unwrap();
        let seen = handbook.read(|current| current.local("half"));
        assert_eq!(seen, Ok(Some(b"a page".to_vec())));
    }

    #[test]
    fn loss_a_statement_that_reached_the_journal_alone_is_asked_for_again_and_outlives_the_database()
     {
        let folder = tempfile::tempdir().unwrap();
        let handbook = joined(folder.path());
        let before = handbook.inner.member().unwrap().identity.clone();
        let stated = Identity {
            serial: 7,
            minimum: Version::parse("99.0.0").unwrap(),
            ..before.clone()
        };
        {
            let pass = handbook.inner.enter().unwrap();
            let mut writer = pass.writer();
            let old = sotay_model::cbor::to_bytes(&before);
            writer.journal.keep_identity(&old).unwrap();
            rows::set(&writer.db, rows::Setting::Identity, &old).unwrap();
            // The phone dies here, before the database has it.
            let new = sotay_model::cbor::to_bytes(&stated);
            writer.journal.keep_identity(&new).unwrap();
        }
        let again = |handbook: Arc<Handbook>| {
            handbook.shutdown().unwrap();
            let name = folder.path().to_string_lossy().into_owned();
            Handbook::open(name, Arc::new(Vault) as Arc<dyn KeyVault>).unwrap()
        };
        let handbook = again(handbook);
        let member = handbook.inner.member().unwrap();
        assert_eq!((member.signer.serial(), handbook.may_enter()), (0, Ok(())));
        handbook.shutdown().unwrap();
        for ending in ["", "-wal", "-shm"] {
            let file = folder.path().join(format!("handbook.db{ending}"));
            assert!(std::fs::remove_file(&file).is_ok() || !file.exists());
        }
        let handbook = again(handbook);
        let member = handbook.inner.member().unwrap();
        assert_eq!(member.signer.serial(), 7);
        assert!(handbook.may_enter().is_err());
    }
}
