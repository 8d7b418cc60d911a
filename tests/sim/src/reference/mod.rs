//! What a server must hold and answer, written from the design and not from the server: records with their audiences, one
//! gapless feed a scope, one verdict a number. Rules are the model's; everything around them is told here a second time, in the
//! plainest way, without a database, pages or caches.

mod answers;
mod spills;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use sotay_model::organisation::scopes_of;
use sotay_model::rejection::{Fault, Field};
use sotay_model::wire::{MAX_MUTATIONS, ProblemCode, Receipt, SyncRequest, Verdict, Written};
use sotay_model::world::{Need, Reader, Stop};
use sotay_model::{
    Actor, Effect, Id, InstallationId, Intent, Kind, MemberId, Mutation, Now, Outcome, Put, Record,
    RecordHash, RecordKey, Rejection, Scope, ScopeSum, Stamp, Timestamp, World, apply, cbor,
};

/// A version of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// What it is about.
    pub kind: Kind,
    /// What it belongs to.
    pub parent: Id,
    /// Which version.
    pub stamp: Stamp,
    /// Its body.
    pub body: Rc<[u8]>,
    /// Who sees it, sorted.
    pub audience: Rc<[Scope]>,
}

/// One line ever written into a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which record.
    pub key: RecordKey,
    /// Which version.
    pub stamp: Stamp,
    /// The version; none where the record left.
    pub version: Option<Rc<Version>>,
    /// The last line of the same mutation in this feed.
    pub group_end: u64,
    /// When it was written.
    pub at: Timestamp,
}

/// A scope's feed: every line it ever had, the n-th at n-1.
#[derive(Debug, Clone, Default)]
pub struct Feed {
    /// Shared between copies: feeds only grow.
    pub lines: Vec<Rc<Line>>,
    /// Where each record stands last.
    pub newest: BTreeMap<RecordKey, u64>,
    /// What the live records add up to.
    pub sum: ScopeSum,
    /// Deletions up to here are forgotten.
    pub floor: u64,
    /// The lines of deletions that are forgotten.
    pub forgotten: BTreeSet<u64>,
}

impl Feed {
    /// The last line's number.
    pub fn head(&self) -> u64 {
        self.lines.len() as u64
    }

    /// A line by its number.
    pub fn line(&self, seq: u64) -> Option<&Rc<Line>> {
        self.lines.get(usize::try_from(seq.checked_sub(1)?).ok()?)
    }

    /// The records that the feed shows now.
    pub fn live(&self) -> impl Iterator<Item = (&RecordKey, u64, &Rc<Version>)> {
        self.newest.iter().filter_map(|(key, seq)| {
            let version = self.line(*seq)?.version.as_ref()?;
            Some((key, *seq, version))
        })
    }
}

/// What became of a number.
#[derive(Debug, Clone)]
struct Numbered {
    mutation: Rc<[u8]>,
    /// None: held, of a kind that the server does not know yet.
    verdict: Option<Verdict>,
}

/// What the server knows of a phone.
#[derive(Debug, Clone)]
pub struct Numbers {
    /// Whose it is.
    pub member: MemberId,
    /// The highest number seen.
    pub high_water: u64,
    /// Receipts up to here are forgotten.
    settled: u64,
    backed_up: u64,
    backed_up_twice: u64,
    numbered: BTreeMap<u64, Numbered>,
}

impl Numbers {
    /// The verdict on a number, were it never forgotten.
    pub fn verdict(&self, n: u64) -> Option<&Verdict> {
        self.numbered.get(&n)?.verdict.as_ref()
    }

    /// The numbers held without a verdict.
    pub fn held(&self) -> Vec<u64> {
        let held = self
            .numbered
            .iter()
            .filter(|(_, one)| one.verdict.is_none());
        held.map(|(n, _)| *n).collect()
    }

    fn remembered(&self, n: u64) -> Option<&Numbered> {
        self.numbered.get(&n).filter(|_| n > self.settled)
    }
}

/// A server.
#[derive(Debug, Clone)]
pub struct Reference {
    /// Changes when it is restored.
    pub incarnation: u64,
    /// The newest version of each record.
    pub records: BTreeMap<RecordKey, Rc<Version>>,
    /// The feeds.
    pub feeds: BTreeMap<Scope, Feed>,
    /// The phones.
    pub phones: BTreeMap<InstallationId, Numbers>,
    /// Texts that were removed and are refused.
    pub spilled: Rc<BTreeSet<String>>,
}

/// A record written: its version, and where it stands in each feed that shows it.
pub type WrittenRecord = (RecordKey, Stamp, Vec<(Scope, u64)>);

/// What the server must say to one request.
#[derive(Debug, Clone)]
pub struct Said {
    receipts: Result<Vec<Receipt>, ProblemCode>,
    high_water: u64,
    settled: u64,
}

impl Reference {
    /// An empty server.
    pub fn new(incarnation: u64) -> Self {
        Self {
            incarnation,
            records: BTreeMap::new(),
            feeds: BTreeMap::new(),
            phones: BTreeMap::new(),
            spilled: Rc::default(),
        }
    }

    /// How many lines all feeds have.
    pub fn lines(&self) -> u64 {
        self.feeds.values().map(Feed::head).sum()
    }

    /// A phone is known from now on.
    pub fn add_phone(&mut self, id: InstallationId, member: MemberId) {
        self.phones.insert(
            id,
            Numbers {
                member,
                high_water: 0,
                settled: 0,
                backed_up: 0,
                backed_up_twice: 0,
                numbered: BTreeMap::new(),
            },
        );
    }

    /// Loads everything a world asks for.
    fn load(&self, world: &mut World, need: Need) {
        match need {
            Need::Record(key) => {
                let found = self.records.get(&key).map(|version| record(key, version));
                world.load_record(key, found);
            }
            Need::Children(question) => {
                let found = self.records.iter().filter(|(_, version)| {
                    question.include(version.kind, version.parent, &version.audience)
                });
                world.load_children(
                    question,
                    found.map(|(key, version)| record(*key, version)).collect(),
                );
            }
        }
    }

    fn decide(&self, actor: Actor, now: Timestamp, mutation: &Mutation) -> Outcome {
        let mut world = World::new();
        loop {
            match apply(&world, actor, Now::server(now), mutation) {
                Outcome::Need(needs) => needs
                    .into_iter()
                    .for_each(|need| self.load(&mut world, need)),
                decided => return decided,
            }
        }
    }

    /// The scopes that a member holds.
    pub fn scopes(&self, member: MemberId, now: Timestamp) -> BTreeSet<Scope> {
        let mut world = World::new();
        loop {
            let reader = Reader::new(&world);
            match scopes_of(&reader, member, now.date()) {
                Ok(scopes) => return scopes.into_iter().collect(),
                Err(Stop::Rejected(_)) => return BTreeSet::new(),
                Err(Stop::Unloaded) => {
                    for need in reader.into_needs() {
                        self.load(&mut world, need);
                    }
                }
            }
        }
    }

    /// Writes an effect: a version each, a line in every feed that shows it or no longer does.
    pub fn write(&mut self, effect: &Effect, now: Timestamp) -> Vec<WrittenRecord> {
        let mut writes: Vec<(&Put, Stamp, Vec<Scope>)> = Vec::new();
        let mut ends: BTreeMap<Scope, u64> = BTreeMap::new();
        for put in &effect.puts {
            let before = self.records.get(&put.key);
            // One that was removed when its time was over goes on where it ended, as far as those know it who see it now.
            let ended = || {
                let line = |scope| {
                    let feed: &Feed = self.feeds.get(scope)?;
                    feed.line(*feed.newest.get(&put.key)?)
                };
                let lines = put.audience.iter().filter_map(line);
                let known = lines.filter(|line| !self.is_forgotten(line));
                known.map(|line| line.stamp.version).max().unwrap_or(0)
            };
            let stamp = Stamp {
                incarnation: self.incarnation,
                version: before.map_or_else(ended, |version| version.stamp.version) + 1,
            };
            let left: Vec<Scope> = before
                .map(|version| version.audience.to_vec())
                .unwrap_or_default()
                .into_iter()
                .filter(|scope| !put.audience.contains(scope))
                .collect();
            for scope in put.audience.iter().chain(&left) {
                let head = self.feeds.entry(*scope).or_default().head();
                *ends.entry(*scope).or_insert(head) += 1;
            }
            writes.push((put, stamp, left));
        }
        let mut written = Vec::new();
        for (put, stamp, left) in writes {
            let version = Rc::new(Version {
                kind: put.kind,
                parent: put.parent,
                stamp,
                body: put.body.as_slice().into(),
                audience: put.audience.as_slice().into(),
            });
            let mut places = Vec::new();
            for scope in &put.audience {
                let shown = Some(Rc::clone(&version));
                places.push((*scope, self.list(*scope, put.key, stamp, shown, &ends, now)));
            }
            for scope in left {
                self.list(scope, put.key, stamp, None, &ends, now);
            }
            self.records.insert(put.key, version);
            written.push((put.key, stamp, places));
        }
        written
    }

    /// Whether the server no longer knows a line of a deletion.
    fn is_forgotten(&self, line: &Line) -> bool {
        let feeds = self.feeds.values();
        feeds
            .filter_map(|feed| Some((feed, *feed.newest.get(&line.key)?)))
            .any(|(feed, seq)| {
                feed.forgotten.contains(&seq)
                    && feed
                        .line(seq)
                        .is_some_and(|found| std::ptr::eq(&**found, line))
            })
    }

    /// Records whose time is over go, from every feed that shows them.
    pub fn remove(&mut self, keys: &[RecordKey], now: Timestamp) {
        for key in keys {
            let Some(version) = self.records.remove(key) else {
                continue;
            };
            let stamp = Stamp {
                incarnation: self.incarnation,
                version: version.stamp.version + 1,
            };
            for scope in version.audience.iter() {
                let head = self.feeds.entry(*scope).or_default().head();
                let ends = BTreeMap::from([(*scope, head + 1)]);
                self.list(*scope, *key, stamp, None, &ends, now);
            }
        }
    }

    fn list(
        &mut self,
        scope: Scope,
        key: RecordKey,
        stamp: Stamp,
        version: Option<Rc<Version>>,
        ends: &BTreeMap<Scope, u64>,
        at: Timestamp,
    ) -> u64 {
        let feed = self.feeds.entry(scope).or_default();
        let before = feed
            .newest
            .get(&key)
            .and_then(|seq| feed.line(*seq))
            .cloned();
        if let Some(old) = before.as_ref().and_then(|line| line.version.as_ref()) {
            feed.sum.remove(hash(&key, old));
        }
        if let Some(new) = &version {
            feed.sum.add(hash(&key, new));
        }
        let group_end = ends.get(&scope).copied().unwrap_or_default();
        feed.lines.push(Rc::new(Line {
            key,
            stamp,
            version,
            group_end,
            at,
        }));
        let seq = feed.head();
        feed.newest.insert(key, seq);
        seq
    }

    /// What the operator enters; whether the rules allow it all.
    pub fn enter(&mut self, intents: &[Intent], now: Timestamp) -> bool {
        let mut after = self.clone();
        for intent in intents {
            let mutation = Mutation {
                made_at: now,
                needs: Vec::new(),
                intent: intent.clone(),
            };
            match after.decide(Actor::Operator, now, &mutation) {
                Outcome::Done(effect) => drop(after.write(&effect, now)),
                _ => return false,
            }
        }
        *self = after;
        true
    }

    /// Carries out the mutations of a batch.
    pub fn carry_out(
        &mut self,
        batch: &[(InstallationId, SyncRequest)],
        now: Timestamp,
    ) -> Vec<Said> {
        batch
            .iter()
            .map(|(phone, request)| {
                let receipts = self.carry_out_one(*phone, request, now);
                let known = self.phones.get(phone);
                Said {
                    receipts,
                    high_water: known.map_or(0, |phone| phone.high_water),
                    settled: known.map_or(0, |phone| phone.settled),
                }
            })
            .collect()
    }

    fn carry_out_one(
        &mut self,
        id: InstallationId,
        request: &SyncRequest,
        now: Timestamp,
    ) -> Result<Vec<Receipt>, ProblemCode> {
        let Some(phone) = self.phones.get(&id) else {
            return Err(ProblemCode::UnknownInstallation);
        };
        if request.mutations.len() > MAX_MUTATIONS {
            return Err(ProblemCode::TooLarge);
        }
        let mut next = phone.high_water + 1;
        let mut before = 0;
        for sent in &request.mutations {
            if sent.n <= before {
                return Err(ProblemCode::Malformed);
            }
            if sent.n > next {
                return Err(ProblemCode::NumberGap);
            }
            next = next.max(sent.n + 1);
            before = sent.n;
        }
        let mut receipts = Vec::new();
        for sent in &request.mutations {
            let verdict = self.verdict(id, sent.n, &sent.mutation, now);
            receipts.push(Receipt {
                n: sent.n,
                verdict: verdict.unwrap_or(Verdict::NotYet),
            });
        }
        if let Some(phone) = self.phones.get_mut(&id)
            && !request.mutations.is_empty()
        {
            let settled = request.settled_through.min(phone.high_water);
            phone.settled = phone.settled.max(settled);
        }
        Ok(receipts)
    }

    fn verdict(
        &mut self,
        id: InstallationId,
        n: u64,
        bytes: &[u8],
        now: Timestamp,
    ) -> Option<Verdict> {
        let phone = self.phones.get(&id)?;
        match phone.remembered(n) {
            Some(known) if *known.mutation != *bytes => {
                return Some(Verdict::Rejected(Rejection::NumberReused));
            }
            Some(Numbered {
                verdict: Some(verdict),
                ..
            }) => return Some(verdict.clone()),
            None if n <= phone.high_water => return Some(Verdict::Rejected(Rejection::Expired)),
            _ => {}
        }
        let verdict = self.judge(id, n, bytes, now);
        let phone = self.phones.get_mut(&id)?;
        phone.high_water = phone.high_water.max(n);
        phone.numbered.insert(
            n,
            Numbered {
                mutation: bytes.into(),
                verdict: verdict.clone(),
            },
        );
        verdict
    }

    fn judge(
        &mut self,
        id: InstallationId,
        n: u64,
        bytes: &[u8],
        now: Timestamp,
    ) -> Option<Verdict> {
        let refused = |why| Some(Verdict::Rejected(why));
        let Ok(mut mutation) = cbor::from_bytes::<Mutation>(bytes) else {
            return refused(Rejection::Invalid {
                field: Field::Mutation,
                why: Fault::Malformed,
            });
        };
        let phone = self.phones.get(&id)?;
        let member = phone.member;
        let base = mutation.base_after();
        for needed in mutation.needs.clone().into_iter().chain(base) {
            if needed <= 0 || needed >= n.cast_signed() {
                return refused(Rejection::Invalid {
                    field: Field::Mutation,
                    why: Fault::Malformed,
                });
            }
            let edits = base == Some(needed);
            match phone.remembered(needed.cast_unsigned()) {
                Some(Numbered { verdict: None, .. }) => return None,
                Some(Numbered {
                    verdict: Some(Verdict::Done(written)),
                    ..
                }) => match written.first() {
                    Some(first) if edits => mutation.resolve_base(first.stamp),
                    None if edits => return refused(Rejection::DependsOn { n: needed }),
                    _ => {}
                },
                Some(_) => return refused(Rejection::DependsOn { n: needed }),
                None if edits => return refused(Rejection::DependsOn { n: needed }),
                None => {}
            }
        }
        match self.decide(Actor::Member(member), now, &mutation) {
            Outcome::Done(effect) if self.brings_back(&effect) => {
                refused(Rejection::Removed { field: Field::Text })
            }
            Outcome::Done(effect) => {
                let written = self.write(&effect, now);
                let held = self.scopes(member, now);
                let seen = written.into_iter().filter_map(|(key, stamp, places)| {
                    let (scope, seq) = places.into_iter().find(|(s, _)| held.contains(s))?;
                    Some(Written {
                        key,
                        stamp,
                        scope,
                        seq,
                    })
                });
                Some(Verdict::Done(seen.collect()))
            }
            Outcome::Rejected(why) => refused(why),
            _ => None,
        }
    }

    /// Two backups later, phones may forget.
    pub fn backed_up(&mut self) {
        for phone in self.phones.values_mut() {
            phone.backed_up_twice = phone.backed_up;
            phone.backed_up = phone.backed_up.max(phone.high_water);
        }
    }

    /// Deletions before an instant are forgotten.
    pub fn forget_deletions(&mut self, before: Timestamp) {
        for feed in self.feeds.values_mut() {
            let gone: Vec<u64> = feed
                .newest
                .values()
                .copied()
                .filter(|seq| !feed.forgotten.contains(seq))
                .filter(|seq| {
                    feed.line(*seq)
                        .is_some_and(|line| line.version.is_none() && line.at < before)
                })
                .collect();
            if let Some(last) = gone.iter().max() {
                feed.floor = feed.floor.max(*last);
            }
            feed.forgotten.extend(gone);
        }
    }

    /// Up to which number phones may forget what they sent.
    pub fn backed_up_twice(&self, id: InstallationId) -> u64 {
        self.phones
            .get(&id)
            .map_or(0, |phone| phone.backed_up_twice)
    }
}

/// A version as the model reads it.
pub fn record(key: RecordKey, version: &Version) -> Record {
    Record {
        key,
        kind: version.kind,
        parent: version.parent,
        stamp: version.stamp,
        body: version.body.to_vec(),
    }
}

/// The hash under which a sum counts a version.
pub fn hash(key: &RecordKey, version: &Version) -> RecordHash {
    RecordHash::of(key, version.stamp, &version.body)
}
