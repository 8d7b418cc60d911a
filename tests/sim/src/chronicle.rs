//! Everything that ever stood on the server, through restores: what a phone may still hold, and what its mutations were told.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use sotay_model::wire::Verdict;
use sotay_model::{InstallationId, Intent, RecordKey, Scope, Stamp, cbor};

use crate::reference::{Feed, Reference, Version};

/// The server as it should be, and as it was.
#[derive(Debug)]
pub struct Chronicle {
    /// The server now.
    pub now: Reference,
    /// Whose words were ever removed, or may have been.
    pub removed: BTreeSet<RecordKey>,
    past: BTreeMap<u64, BTreeMap<Scope, Feed>>,
    versions: BTreeMap<(RecordKey, Stamp), Rc<Version>>,
    verdicts: BTreeMap<(InstallationId, i64), BTreeSet<Vec<u8>>>,
    forgettable: BTreeMap<InstallationId, i64>,
}

impl Chronicle {
    /// Begins with a server.
    pub fn new(now: Reference) -> Self {
        let mut chronicle = Self {
            now: Reference::new(0),
            removed: BTreeSet::new(),
            past: BTreeMap::new(),
            versions: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            forgettable: BTreeMap::new(),
        };
        chronicle.adopt(now);
        chronicle
    }

    /// The server went on.
    pub fn adopt(&mut self, next: Reference) {
        for (key, version) in &next.records {
            self.versions
                .entry((*key, version.stamp))
                .or_insert_with(|| Rc::clone(version));
        }
        // A feed has every version, also those that one batch wrote over.
        for (scope, feed) in &next.feeds {
            let known = self.now.feeds.get(scope).map_or(0, Feed::head);
            for seq in known + 1..=feed.head() {
                if let Some(line) = feed.line(seq)
                    && let Some(version) = &line.version
                {
                    self.versions
                        .entry((line.key, line.stamp))
                        .or_insert_with(|| Rc::clone(version));
                }
            }
        }
        for (id, phone) in &next.phones {
            let forgettable = self.forgettable.entry(*id).or_default();
            *forgettable = (*forgettable).max(next.backed_up_twice(*id).cast_signed());
            let known = self.now.phones.get(id).map_or(0, |phone| phone.high_water);
            let held_before = self
                .now
                .phones
                .get(id)
                .map(|phone| phone.held())
                .unwrap_or_default();
            for n in (known + 1..=phone.high_water).chain(held_before) {
                if let Some(verdict) = phone.verdict(n) {
                    self.verdicts
                        .entry((*id, n.cast_signed()))
                        .or_default()
                        .insert(cbor::to_bytes(verdict));
                }
            }
        }
        self.now = next;
    }

    /// Another server takes the place of this one.
    pub fn restored(&mut self, from: Reference) {
        let before = std::mem::replace(&mut self.now, Reference::new(0));
        self.past.insert(before.incarnation, before.feeds);
        self.adopt(from);
    }

    /// The feeds of an incarnation.
    pub fn feeds(&self, incarnation: u64) -> Option<&BTreeMap<Scope, Feed>> {
        if incarnation == self.now.incarnation {
            return Some(&self.now.feeds);
        }
        self.past.get(&incarnation)
    }

    /// A version that once stood.
    pub fn version(&self, key: RecordKey, stamp: Stamp) -> Option<&Rc<Version>> {
        self.versions.get(&(key, stamp))
    }

    /// Whether a body was ever one of a record's.
    pub fn had_body(&self, key: RecordKey, body: &[u8]) -> bool {
        let first = (key, Stamp::default());
        self.versions
            .range(first..)
            .take_while(|((other, _), _)| *other == key)
            .any(|(_, version)| *version.body == *body)
    }

    /// Whether a number was ever carried out.
    pub fn was_done(&self, phone: InstallationId, n: i64) -> bool {
        self.verdicts_on(phone, n)
            .any(|verdict| matches!(verdict, Verdict::Done(_)))
    }

    /// Whether a number was ever refused for this reason, which is encoded.
    pub fn was_refused(&self, phone: InstallationId, n: i64, why: &[u8]) -> bool {
        self.verdicts_on(phone, n).any(
            |verdict| matches!(verdict, Verdict::Rejected(found) if cbor::to_bytes(&found) == why),
        )
    }

    fn verdicts_on(
        &self,
        phone: InstallationId,
        n: i64,
    ) -> impl Iterator<Item = Verdict> + use<'_> {
        self.verdicts
            .get(&(phone, n))
            .into_iter()
            .flatten()
            .filter_map(|bytes| cbor::from_bytes(bytes).ok())
    }

    /// Whether an entry's words may have been removed since: then its author's phone keeps it no longer as it was.
    pub fn lost_words(&self, intent: &Intent) -> bool {
        wrote(intent).is_some_and(|key| self.removed.contains(&key))
    }

    /// Up to which number a phone may have been told to forget.
    pub fn forgettable(&self, phone: InstallationId) -> i64 {
        self.forgettable.get(&phone).copied().unwrap_or_default()
    }
}

/// The notice or document that an entry writes.
pub fn wrote(intent: &Intent) -> Option<RecordKey> {
    match intent {
        Intent::PublishNotice(i) => Some(i.meeting.0),
        Intent::ChangeNotice(i) => Some(i.meeting.0),
        Intent::CancelMeeting(i) => Some(i.meeting.0),
        Intent::PublishDocument(i) => Some(i.document.0),
        _ => None,
    }
}
