//! What a server must answer to one request, given what stands.

use std::collections::BTreeSet;
use std::rc::Rc;

use sotay_model::wire::{Cursor, Page, ProblemCode, SyncRequest, SyncResponse, Verdict};
use sotay_model::{InstallationId, RecordKey, Scope, Stamp, Timestamp};

use super::{Feed, Reference, Said, Version};
use crate::ensure;
use crate::violation::Checked;

impl Reference {
    /// Checks an answer against what stands.
    pub fn check_answer(
        &self,
        id: InstallationId,
        request: &SyncRequest,
        said: &Said,
        answer: &Result<SyncResponse, ProblemCode>,
        now: Timestamp,
    ) -> Checked {
        let (receipts, response) = match (&said.receipts, answer) {
            (Ok(receipts), Ok(response)) => (receipts, response),
            (Err(expected), Err(found)) if expected == found => return Ok(()),
            (expected, found) => {
                return Err(format!(
                    "the server should answer {:?}, and answers {:?}",
                    expected.as_ref().map(Vec::len),
                    found.as_ref().map(|response| response.receipts.len())
                ));
            }
        };
        ensure!(
            *receipts == response.receipts,
            "receipts: expected {receipts:?}, found {:?}",
            response.receipts
        );
        let Some(phone) = self.phones.get(&id) else {
            return Err("an unknown phone is answered".into());
        };
        ensure!(
            response.incarnation == self.incarnation,
            "the answer names another incarnation"
        );
        ensure!(
            response.high_water == said.high_water,
            "the highest number is {} and not {}",
            said.high_water,
            response.high_water
        );
        ensure!(
            response.settled_through == said.settled,
            "receipts are forgotten through {} and not {}",
            said.settled,
            response.settled_through
        );
        ensure!(
            response.backed_up_through == phone.backed_up_twice,
            "backed up through {} and not {}",
            phone.backed_up_twice,
            response.backed_up_through
        );
        let held = self.scopes(phone.member, now);
        let named: BTreeSet<Scope> = request.cursors.iter().map(|cursor| cursor.scope).collect();
        let gained: BTreeSet<Scope> = response.gained.iter().copied().collect();
        let revoked: BTreeSet<Scope> = response.revoked.iter().copied().collect();
        ensure!(
            gained.iter().eq(held.difference(&named)),
            "gained {gained:?}"
        );
        ensure!(
            revoked.iter().eq(named.difference(&held)),
            "revoked {revoked:?}"
        );
        let mut behind = held.clone();
        for page in &response.pages {
            ensure!(
                held.contains(&page.scope),
                "a page of {:?}, which the member does not hold",
                page.scope
            );
            let cursor = request
                .cursors
                .iter()
                .find(|cursor| cursor.scope == page.scope)
                .filter(|_| request.incarnation == self.incarnation);
            self.check_page(page, cursor)?;
            if !page.more {
                behind.remove(&page.scope);
            }
        }
        for cursor in &request.cursors {
            let head = self.feeds.get(&cursor.scope).map_or(0, Feed::head);
            if request.incarnation == self.incarnation && cursor.epoch == 1 && cursor.seq >= head {
                behind.remove(&cursor.scope);
            }
        }
        behind.retain(|scope| self.feeds.get(scope).map_or(0, Feed::head) > 0);
        ensure!(
            response.more || behind.is_empty(),
            "more waits in {behind:?}, and the server says that nothing does"
        );
        self.check_bodies(response, &held)
    }

    fn check_page(&self, page: &Page, cursor: Option<&Cursor>) -> Checked {
        let empty = Feed::default();
        let feed = self.feeds.get(&page.scope).unwrap_or(&empty);
        let known =
            cursor.filter(|cursor| cursor.epoch == 1 && cursor.seq.max(cursor.began) >= feed.floor);
        let (from, began) = known.map_or((0, 0), |cursor| (cursor.seq, cursor.began));
        ensure!(
            page.from == from,
            "a page of {:?} begins at {} and not at {from}",
            page.scope,
            page.from
        );
        let began = if from == 0 { feed.head() } else { began };
        ensure!(
            page.began == if from == 0 { began } else { 0 },
            "a page began at {}",
            page.began
        );
        ensure!(
            page.to >= page.from && page.to <= feed.head(),
            "a page ends at {}",
            page.to
        );
        ensure!(
            page.more == (page.to < feed.head()),
            "a page to {} of {} says more: {}",
            page.to,
            feed.head(),
            page.more
        );
        if let Some(last) = feed.line(page.to) {
            ensure!(last.group_end == page.to, "a page splits a mutation");
        }
        let mut expected: Vec<(u64, RecordKey, Stamp, Option<&Rc<Version>>)> = feed
            .newest
            .iter()
            .filter(|(_, seq)| **seq > page.from && **seq <= page.to)
            .filter(|(_, seq)| !feed.forgotten.contains(seq))
            .filter_map(|(key, seq)| {
                let line = feed.line(*seq)?;
                (line.version.is_some() || *seq > began).then_some((
                    *seq,
                    *key,
                    line.stamp,
                    line.version.as_ref(),
                ))
            })
            .collect();
        expected.sort_unstable_by_key(|(seq, ..)| *seq);
        ensure!(
            expected.len() == page.rows.len(),
            "a page of {:?} ({}, {}] has {} rows and should have {}",
            page.scope,
            page.from,
            page.to,
            page.rows.len(),
            expected.len()
        );
        for ((seq, key, stamp, version), row) in expected.into_iter().zip(&page.rows) {
            let same = match (version, &row.content) {
                (None, None) => true,
                (Some(version), Some(content)) => {
                    version.kind == content.kind
                        && version.parent == content.parent
                        && *version.body == *content.body
                }
                _ => false,
            };
            ensure!(
                same && (seq, key, stamp) == (row.seq, row.key, row.stamp),
                "a row at {seq} is not what was written"
            );
        }
        if !page.more {
            ensure!(
                page.sum.as_deref() == Some(&feed.sum.sum.to_be_bytes())
                    && page.count == Some(feed.sum.count),
                "the sum of {:?} is wrong",
                page.scope
            );
        }
        Ok(())
    }

    fn check_bodies(&self, response: &SyncResponse, held: &BTreeSet<Scope>) -> Checked {
        let mut expected: BTreeSet<RecordKey> = BTreeSet::new();
        for receipt in &response.receipts {
            if let Verdict::Done(written) = &receipt.verdict {
                expected.extend(written.iter().map(|written| written.key));
            }
        }
        expected.retain(|key| {
            self.records
                .get(key)
                .is_some_and(|version| version.audience.iter().any(|scope| held.contains(scope)))
        });
        let found: BTreeSet<RecordKey> = response.bodies.iter().map(|body| body.key).collect();
        ensure!(
            expected == found,
            "bodies of {} records, and {} are due",
            found.len(),
            expected.len()
        );
        for body in &response.bodies {
            let version = self.records.get(&body.key);
            ensure!(
                version.is_some_and(|version| version.stamp == body.stamp
                    && *version.body == *body.content.body
                    && version.kind == body.content.kind),
                "a receipt's body is not what stands"
            );
        }
        Ok(())
    }
}
