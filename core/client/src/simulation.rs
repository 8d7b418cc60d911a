//! The engine without its drivers: no threads, no network, no clock, and the files on a disk that the caller brings. The
//! simulator is one more driver beside [`crate::Handbook`]; this module shows it the engine and what the database holds.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::Connection;
use sotay_model::statement::Version;
use sotay_model::wire::{ProblemCode, TrustAnchors};
use sotay_model::{
    Id, InstallationId, Intent, Kind, MemberId, OrganisationId, RecordHash, RecordKey, Scope,
    ScopeSum, Stamp, Timestamp, cbor,
};

use crate::HandbookError;
pub use crate::disk::{Disk, DiskFile};
use crate::engine::{self, submit};
use crate::identity::Identity;
use crate::keys::{self, Keys};
pub use crate::simulated_disk::SimulatedDisk;
use crate::store::rows::{self, Setting, id_of, scope_of, unsigned_of};
use crate::store::schema::RECORD_BITS;
use crate::store::{Place, Store, schema};
use crate::unlock;
use crate::watch::Touched;

pub use engine::Fault;

/// One phone's open files.
#[derive(Debug)]
pub struct Phone {
    store: Store,
}

/// One call of `sync`: requests and responses until nothing is left.
#[derive(Debug)]
pub struct Round(engine::Round);

/// Where a phone's files are and which key opens them.
#[derive(Debug, Clone)]
pub struct Files {
    /// The folder.
    pub folder: PathBuf,
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// Whether the database is encrypted.
    pub cipher: bool,
}

/// Which records a change touched, as live queries are told.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Everything.
    pub everything: bool,
    /// These.
    pub records: Vec<RecordKey>,
    /// The outbox.
    pub outbox: bool,
}

impl From<Touched> for Told {
    fn from(touched: Touched) -> Self {
        Self {
            everything: touched.everything,
            records: touched.records.into_iter().map(|(_, _, key)| key).collect(),
            outbox: touched.outbox,
        }
    }
}

/// Where the phone stands in a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldScope {
    /// The feed's epoch.
    pub epoch: u64,
    /// The last seq received.
    pub cursor: u64,
    /// Where the feed stood when it was first fetched.
    pub began: u64,
    /// What its records add up to.
    pub sum: ScopeSum,
    /// What the scope lists: position, version and hash.
    pub listed: BTreeMap<RecordKey, (u64, Stamp, RecordHash)>,
}

/// A confirmed record.
#[derive(Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// What it is about.
    pub kind: Kind,
    /// What it belongs to.
    pub parent: Id,
    /// Its version.
    pub stamp: Stamp,
    /// Its body.
    pub body: Vec<u8>,
    /// It came with a receipt, before the page of this scope that lists it; and who sees it.
    pub provisional: Option<(Scope, u64, Vec<Scope>)>,
    /// It lost a listing, and goes at the end of the download unless another lists it.
    pub unlisted: bool,
}

/// A record as the pending mutations leave it.
#[derive(Clone, PartialEq, Eq)]
pub struct Laid {
    /// What it is about.
    pub kind: Kind,
    /// What it belongs to.
    pub parent: Id,
    /// Who will see it.
    pub audience: Vec<Scope>,
    /// Its body.
    pub body: Vec<u8>,
    /// The mutation that wrote it last.
    pub n: i64,
}

/// An own mutation.
#[derive(Clone, PartialEq, Eq)]
pub struct Own {
    /// 0 pending, 1 parked, 2 accepted.
    pub state: u8,
    /// The instant it was decided at.
    pub at: Timestamp,
    /// Its encoding.
    pub mutation: Vec<u8>,
    /// Why it was refused, encoded.
    pub rejection: Option<Vec<u8>>,
}

/// Everything that the database holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// The server's incarnation; 0 before the first response.
    pub incarnation: u64,
    /// Held scopes.
    pub scopes: BTreeMap<Scope, HeldScope>,
    /// What the server confirmed.
    pub base: BTreeMap<RecordKey, Confirmed>,
    /// What is laid over it.
    pub overlay: BTreeMap<RecordKey, Laid>,
    /// Own mutations.
    pub outbox: BTreeMap<i64, Own>,
}

impl Files {
    fn place(&self) -> Place {
        Place {
            folder: self.folder.clone(),
            disk: Arc::clone(&self.disk),
            cipher: self.cipher,
        }
    }

    /// Makes a database of the first schema, as an app long ago did.
    pub fn make_first_schema(&self, root: &[u8]) -> Result<(), HandbookError> {
        let keys = Keys::from_data_key(&keys::root(root.to_vec())?);
        schema::make_first(&crate::store::connect(&self.place(), &keys, 2 << 10)?)
    }

    /// The files of a database that cannot be read, to be moved away before the handbook is opened anew.
    pub fn damaged(&self) -> Vec<(PathBuf, PathBuf)> {
        crate::store::damaged_names(&self.folder)
    }

    /// The database's file.
    pub fn database(&self) -> PathBuf {
        self.folder.join(crate::store::DATABASE)
    }
}

/// What the simulator's phones trust: its network is a function call.
fn no_anchors() -> TrustAnchors {
    TrustAnchors {
        tls: Vec::new(),
        organisation: Vec::new(),
    }
}

impl Phone {
    /// Opens the files, or makes new ones.
    pub fn open(files: &Files, root: &[u8]) -> Result<Self, HandbookError> {
        let unlocked = unlock::with_root(
            &*files.disk,
            &files.folder,
            &keys::root(root.to_vec())?,
            None,
        )?;
        let store = Store::open_at(files.place(), Arc::clone(&unlocked.keys), None);
        let store = unlocked.seen(&*files.disk, &files.folder, store)?;
        Ok(Self { store })
    }

    /// Keeps who joined.
    pub fn join(
        &self,
        installation: InstallationId,
        member: MemberId,
        cell: OrganisationId,
    ) -> Result<(), HandbookError> {
        let identity = cbor::to_bytes(&Identity {
            installation,
            member,
            member_name: "Đồng chí Mẫu".into(),
            cell,
            address: "127.0.0.1".into(),
            anchors: no_anchors(),
            device_key: Vec::new(),
            serial: 0,
            minimum: Version::default(),
        });
        let mut writer = self.store.writer();
        writer.journal.keep_identity(&identity)?;
        rows::set(&writer.db, Setting::Identity, &identity)
    }

    /// Decides on an intent and keeps it.
    pub fn submit(
        &self,
        me: MemberId,
        now: Timestamp,
        made_at: Timestamp,
        intent: Intent,
    ) -> Result<(i64, Told), HandbookError> {
        let submitted = submit::submit(&mut self.store.writer(), me, now, made_at, intent);
        let (n, touched) = self.store.ended(submitted)?;
        Ok((n, touched.into()))
    }

    /// Puts a refused mutation away.
    pub fn discard(&self, n: i64) -> Result<(), HandbookError> {
        let discarded = submit::discard(&mut self.store.writer(), n);
        self.store.ended(discarded).map(|_| ())
    }

    /// The next request of a round; none when it is over.
    pub fn next_request(&self, round: &mut Round) -> Result<Option<Vec<u8>>, HandbookError> {
        let request = round.0.next_request(&self.store.writer());
        self.store.ended(request)
    }

    /// Applies a response.
    pub fn on_response(
        &self,
        round: &mut Round,
        me: MemberId,
        bytes: &[u8],
        wall: Timestamp,
    ) -> Result<Told, Fault> {
        let mut writer = self.store.writer();
        let identity = Identity {
            installation: InstallationId::default(),
            member: me,
            member_name: String::new(),
            cell: OrganisationId(me.0),
            address: String::new(),
            anchors: no_anchors(),
            device_key: Vec::new(),
            serial: 0,
            minimum: Version::default(),
        };
        match round.0.on_response(&mut writer, &identity, bytes, wall) {
            Ok(touched) => Ok(touched.into()),
            Err(Fault::Store(error)) => {
                drop(writer);
                Err(Fault::Store(self.store.failed(error)))
            }
            Err(fault) => Err(fault),
        }
    }

    /// Writes the log back, as a pause does.
    pub fn checkpoint(&self) {
        self.store.checkpoint();
    }

    /// What the database holds, read by a connection of its own.
    pub fn held(&self) -> Result<Held, HandbookError> {
        self.store.read(held)
    }
}

impl Round {
    /// A new one, that asks for pages of at most so many rows and about so many bytes, and tells the server of every
    /// so many settled numbers.
    pub fn new(rows: u32, bytes: u32, settled_lag: u64) -> Self {
        let mut round = engine::Round::new(rows);
        round.ask_for(rows, bytes);
        round.tell_settled_after(settled_lag);
        Self(round)
    }

    /// The server refused the request as a whole; whether the round goes on.
    pub fn on_problem(&mut self, problem: ProblemCode) -> bool {
        self.0.on_problem(problem)
    }

    /// The request that will follow once this response is applied, as far as that is plain to see before.
    pub fn request_ahead(&self, response: &[u8]) -> Option<Vec<u8>> {
        self.0.request_ahead(response)
    }

    /// A sum or pages that do not fit, even after trying again.
    pub const fn is_broken(&self) -> bool {
        self.0.broken
    }

    /// How many scopes' sums did not fit.
    pub const fn healed(&self) -> u32 {
        self.0.healed
    }
}

fn held(db: &Connection) -> Result<Held, HandbookError> {
    let mut held = Held {
        incarnation: rows::setting_number(db, Setting::Incarnation)?
            .unwrap_or(0)
            .cast_unsigned(),
        ..Held::default()
    };
    let mut names = BTreeMap::new();
    let mut select =
        db.prepare_cached("SELECT sid, scope, held, epoch, cursor, began, sum, count FROM scope")?;
    let mut found = select.query([])?;
    while let Some(row) = found.next()? {
        let scope = scope_of(row, 1)?;
        names.insert(row.get::<_, i64>(0)?, scope);
        if row.get(2)? {
            held.scopes.insert(
                scope,
                HeldScope {
                    epoch: unsigned_of(row, 3)?,
                    cursor: unsigned_of(row, 4)?,
                    began: unsigned_of(row, 5)?,
                    sum: ScopeSum {
                        sum: u128::from_be_bytes(*id_of(row, 6)?.as_bytes()),
                        count: unsigned_of(row, 7)?,
                    },
                    listed: BTreeMap::new(),
                },
            );
        }
    }
    let mut keys = BTreeMap::new();
    let mut select = db.prepare_cached(
        "SELECT b.rid, b.home, b.id, b.kind, b.parent, b.incarnation, b.version, b.body, p.sid, p.seq, p.audience, u.rid
         FROM base b LEFT JOIN provisional p ON p.rid = b.rid LEFT JOIN unlisted u ON u.rid = b.rid",
    )?;
    let mut found = select.query([])?;
    while let Some(row) = found.next()? {
        let home = names.get(&row.get(1)?).copied().ok_or(rows::DAMAGED)?;
        let key = RecordKey::new(home, id_of(row, 2)?);
        keys.insert(row.get::<_, i64>(0)?, key);
        let provisional = match row.get::<_, Option<i64>>(8)? {
            Some(sid) => Some((
                names.get(&sid).copied().ok_or(rows::DAMAGED)?,
                unsigned_of(row, 9)?,
                rows::audience_of(&row.get::<_, Vec<u8>>(10)?)?,
            )),
            None => None,
        };
        let record = Confirmed {
            kind: Kind::from_code(row.get(3)?),
            parent: id_of(row, 4)?,
            stamp: Stamp {
                incarnation: unsigned_of(row, 5)?,
                version: unsigned_of(row, 6)?,
            },
            body: row.get(7)?,
            provisional,
            unlisted: row.get::<_, Option<i64>>(11)?.is_some(),
        };
        held.base.insert(key, record);
    }
    let mut select =
        db.prepare_cached("SELECT lid, seq, incarnation, version, hash FROM listing")?;
    let mut found = select.query([])?;
    while let Some(row) = found.next()? {
        let lid: i64 = row.get(0)?;
        let scope = names.get(&(lid >> RECORD_BITS)).ok_or(rows::DAMAGED)?;
        let key = keys
            .get(&(lid & ((1 << RECORD_BITS) - 1)))
            .ok_or(rows::DAMAGED)?;
        let stamp = Stamp {
            incarnation: unsigned_of(row, 2)?,
            version: unsigned_of(row, 3)?,
        };
        let hash = RecordHash(u128::from_be_bytes(*id_of(row, 4)?.as_bytes()));
        let scope = held.scopes.get_mut(scope).ok_or(rows::DAMAGED)?;
        scope
            .listed
            .insert(*key, (unsigned_of(row, 1)?, stamp, hash));
    }
    for (key, laid) in rows::all_laid(db)? {
        held.overlay.insert(
            key,
            Laid {
                kind: laid.kind,
                parent: laid.parent,
                audience: laid.audience,
                body: laid.body,
                n: laid.n,
            },
        );
    }
    let mut select = db.prepare_cached("SELECT n, state, at, mutation, rejection FROM outbox")?;
    let mut found = select.query([])?;
    while let Some(row) = found.next()? {
        held.outbox.insert(
            row.get(0)?,
            Own {
                state: row.get(1)?,
                at: Timestamp(row.get(2)?),
                mutation: row.get(3)?,
                rejection: row.get(4)?,
            },
        );
    }
    Ok(held)
}

sotay_model::redacted! {
    Confirmed { kind, parent, stamp, body, provisional, unlisted },
    Laid { kind, parent, audience, body, n },
    Own { state, at, mutation, rejection },
}
