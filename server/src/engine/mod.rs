//! The engine: what a server does with requests, as plain synchronous code over a database and a given instant.
//!
//! One batch is one transaction: the mutations of all its requests are carried out first, in order, then each request is
//! answered from what stands then, so a phone reads its own writes and many phones share one sync of the disk. Nothing here
//! knows what a meeting is: [`apply`](fn@sotay_model::apply) decides, the engine loads what it asks for and stores what it says.

mod blobs;
mod enrolment;
mod export;
mod feeds;
mod invitations;
mod mutations;
mod nonces;
pub(crate) mod operator;
mod pages;
mod phones;
mod retention;
mod spent;
mod spills;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sotay_model::organisation::{Act, Member, permit, scopes_of};
use sotay_model::wire::{ProblemCode, SyncRequest, SyncResponse};
use sotay_model::world::{Need, Reader, Stop};
use sotay_model::{
    Actor, InstallationId, Intent, MemberId, Mutation, Now, OrganisationId, Outcome, Rejection,
    Scope, Timestamp, World, apply,
};

use crate::audit::{Kept, Signed};
use crate::blobs::Blobs;
use crate::storage::{Installation, ScopeHead, Storage, StorageError, Transaction};

pub(crate) use enrolment::{Compared, compare, random, refuse};
pub use enrolment::{MAX_PHONES, MAX_TRIES, stretch};
pub(crate) use invitations::{Drawn, close, draw, give_out, may_join};
pub use nonces::{NONCE_LIFETIME_MS, Nonces};
pub use operator::Refused;
pub use pages::{MAX_RESPONSE_ROWS, PAGE_BYTES};
pub use phones::PhonesAnswered;
pub(crate) use phones::writes;
pub use retention::REMOVED_AT_ONCE;
pub use spills::Purged;

/// How often a rule may ask for more before it counts as broken.
const MAX_ROUNDS: usize = 256;

/// Names of the values that belong to the whole database.
pub(crate) mod meta {
    pub(crate) const INCARNATION: &str = "incarnation";
    pub(crate) const NONCE_SECRET: &str = "nonce secret";
}

/// What keeps the engine from answering at all.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The folder of blobs.
    #[error("blobs: {0}")]
    Blobs(#[from] std::io::Error),
    /// A rule asked again for what it was given.
    #[error("a rule did not come to an end")]
    Endless,
}

/// A request whose sender is known: the signature was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which phone.
    pub installation: InstallationId,
    /// What it sent.
    pub request: SyncRequest,
}

/// What a batch came to.
#[derive(Debug)]
pub struct Answered {
    /// One for each request, in the same order.
    pub responses: Vec<Result<SyncResponse, ProblemCode>>,
    /// The scopes in which something new stands.
    pub changed: BTreeSet<Scope>,
    /// How many lines were added to all feeds together.
    pub lines: u64,
}

/// One connection's engine.
#[derive(Debug)]
pub struct Engine {
    storage: Storage,
    blobs: Option<Arc<Blobs>>,
}

impl Engine {
    /// Works on this database.
    pub const fn new(storage: Storage) -> Self {
        Self {
            storage,
            blobs: None,
        }
    }

    /// Carries out what names blobs once they are here; without them such mutations are held.
    #[must_use]
    pub fn with_blobs(mut self, blobs: Arc<Blobs>) -> Self {
        self.blobs = Some(blobs);
        self
    }

    /// Carries out and answers a batch in one transaction. A batch without mutations only reads.
    pub fn handle_batch(
        &mut self,
        asked: &[Asked],
        now: Timestamp,
    ) -> Result<Answered, EngineError> {
        let writes = asked.iter().any(|one| !one.request.mutations.is_empty());
        let transaction = if writes {
            self.storage.write()?
        } else {
            self.storage.read()?
        };
        let mut batch = Batch::begin(&transaction, now)?;
        batch.blobs = self.blobs.clone();
        let mut carried_out = Vec::with_capacity(asked.len());
        for one in asked {
            carried_out.push(batch.carry_out(one)?);
        }
        batch.store_heads()?;
        let mut responses = Vec::with_capacity(asked.len());
        for (one, receipts) in asked.iter().zip(carried_out) {
            responses.push(match receipts {
                Ok((phone, receipts)) => Ok(batch.answer(&phone, &one.request, receipts)?),
                Err(problem) => Err(problem),
            });
        }
        let (changed, lines) = (batch.changed, batch.lines);
        let late = batch.late;
        if writes {
            transaction.commit()?;
        } else {
            drop(transaction);
        }
        if !late.is_empty() {
            let transaction = self.storage.write()?;
            late.write(&transaction)?;
            transaction.commit()?;
        }
        Ok(Answered {
            responses,
            changed,
            lines,
        })
    }

    /// A phone, whether it waits, is active or was revoked.
    pub fn installation(
        &mut self,
        id: InstallationId,
    ) -> Result<Option<Installation>, EngineError> {
        Ok(self.storage.read()?.installation(id)?)
    }

    /// Whether a phone is a member's and was not revoked.
    pub fn accepts(&mut self, id: InstallationId) -> Result<bool, EngineError> {
        Ok(self
            .installation(id)?
            .is_some_and(|phone| phone.is_accepted()))
    }

    /// No longer accepts a phone; whether it was accepted before.
    pub fn revoke(&mut self, id: InstallationId, now: Timestamp) -> Result<bool, EngineError> {
        let transaction = self.storage.write()?;
        let phone = transaction.installation(id)?;
        let accepted = phone.filter(|phone| phone.revoked_at.is_none());
        if let Some(phone) = &accepted {
            refuse(&transaction, phone, None, now)?;
        }
        transaction.commit()?;
        Ok(accepted.is_some())
    }

    /// Enters what the operator wants in one transaction: all of it, or nothing where the rules refuse one.
    pub fn enter(
        &mut self,
        intents: impl IntoIterator<Item = Intent>,
        now: Timestamp,
    ) -> Result<Result<BTreeSet<Scope>, Refused>, EngineError> {
        let transaction = self.storage.write()?;
        let entered = operator::enter(&transaction, intents, now)?;
        if entered.is_ok() {
            transaction.commit()?;
        }
        Ok(entered)
    }

    /// Forgets deletions older than phones are expected to stay away; how many. See [`crate::storage::Transaction::forget_deletions`].
    pub fn forget_deletions(&mut self, before: Timestamp) -> Result<usize, EngineError> {
        let transaction = self.storage.write()?;
        let forgotten = transaction.forget_deletions(before)?;
        transaction.commit()?;
        Ok(forgotten)
    }

    /// States and signs how far the audit log is; nothing where nothing happened since the last time.
    pub fn checkpoint<E: From<StorageError>>(
        &mut self,
        now: Timestamp,
        sign: impl FnOnce(&[u8]) -> Result<Signed, E>,
    ) -> Result<Option<Kept>, E> {
        let transaction = self.storage.write()?;
        let made = transaction.checkpoint(now, sign)?;
        transaction.commit()?;
        Ok(made)
    }

    /// The cell of the member whose invitation a lookup value finds.
    pub fn cell_invited(&mut self, lookup: &[u8]) -> Result<Option<OrganisationId>, EngineError> {
        let invitation = self.storage.read()?.invitation(lookup)?;
        invitation.map_or(Ok(None), |invitation| self.cell_of(invitation.member))
    }

    /// The cell that a member belongs to.
    pub fn cell_of(&mut self, member: MemberId) -> Result<Option<OrganisationId>, EngineError> {
        let found = self.storage.read()?.record(Member::key(member))?;
        let member = found.and_then(|stored| stored.record.read::<Member>().ok());
        Ok(member.map(|member| member.cell))
    }

    /// The scopes that a member holds.
    pub fn scopes(&mut self, member: MemberId, now: Timestamp) -> Result<Vec<Scope>, EngineError> {
        let transaction = self.storage.read()?;
        Batch::begin(&transaction, now)?.scopes(member)
    }

    /// The database below.
    pub const fn storage(&mut self) -> &mut Storage {
        &mut self.storage
    }
}

/// What is loaded and changed within one transaction.
struct Batch<'t> {
    transaction: &'t Transaction<'t>,
    world: World,
    heads: BTreeMap<Scope, ScopeHead>,
    changed: BTreeSet<Scope>,
    lines: u64,
    incarnation: u64,
    now: Timestamp,
    blobs: Option<Arc<Blobs>>,
    late: mutations::Late,
}

impl<'t> Batch<'t> {
    fn begin(transaction: &'t Transaction<'t>, now: Timestamp) -> Result<Self, EngineError> {
        let incarnation = transaction.incarnation()?;
        Ok(Self {
            transaction,
            world: World::new(),
            heads: BTreeMap::new(),
            changed: BTreeSet::new(),
            lines: 0,
            incarnation,
            now,
            blobs: None,
            late: mutations::Late::default(),
        })
    }

    /// Loads what a rule asked for.
    fn load(&mut self, needs: Vec<Need>) -> Result<(), EngineError> {
        for need in needs {
            match need {
                Need::Record(key) => {
                    let record = self.transaction.record(key)?.map(|stored| stored.record);
                    self.world.load_record(key, record);
                }
                Need::Children(question) => {
                    let found = self.transaction.children(&question)?;
                    self.world.load_children(question, found);
                }
            }
        }
        Ok(())
    }

    /// Runs the rules until they decide.
    fn decide(&mut self, actor: Actor, mutation: &Mutation) -> Result<Outcome, EngineError> {
        for _ in 0..MAX_ROUNDS {
            match apply(&self.world, actor, Now::server(self.now), mutation) {
                Outcome::Need(needs) => self.load(needs)?,
                decided => return Ok(decided),
            }
        }
        Err(EngineError::Endless)
    }

    /// Asks the one authorisation function.
    fn permit(&mut self, actor: Actor, act: &Act) -> Result<Result<(), Rejection>, EngineError> {
        for _ in 0..MAX_ROUNDS {
            let reader = Reader::new(&self.world);
            match permit(&reader, actor, Now::server(self.now), act) {
                Ok(()) => return Ok(Ok(())),
                Err(Stop::Rejected(why)) => return Ok(Err(why)),
                Err(Stop::Unloaded) => {
                    let needs = reader.into_needs();
                    self.load(needs)?;
                }
            }
        }
        Err(EngineError::Endless)
    }

    /// The scopes that a member holds; none for somebody unknown.
    fn scopes(&mut self, member: MemberId) -> Result<Vec<Scope>, EngineError> {
        for _ in 0..MAX_ROUNDS {
            let reader = Reader::new(&self.world);
            match scopes_of(&reader, member, self.now.date()) {
                Ok(scopes) => return Ok(scopes),
                Err(Stop::Rejected(_)) => return Ok(Vec::new()),
                Err(Stop::Unloaded) => {
                    let needs = reader.into_needs();
                    self.load(needs)?;
                }
            }
        }
        Err(EngineError::Endless)
    }
}
