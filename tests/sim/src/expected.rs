//! What a phone must hold and show, written from the design and not from the phone: what its scopes list at their cursors,
//! one body a record, its own mutations with what became of them, and over all that a plain replay of those that wait.

use std::collections::{BTreeMap, BTreeSet};

use sotay_client::simulation::{Confirmed, Held, HeldScope, Laid, Told};
use sotay_model::rejection::Field;
use sotay_model::removed::is_removed;
use sotay_model::wire::{SyncResponse, Verdict};
use sotay_model::{
    Actor, Id, InstallationId, Intent, Kind, MemberId, Mutation, Need, Now, Outcome, Record,
    RecordKey, Rejection, Scope, ScopeSum, Stamp, Timestamp, World, apply, cbor,
};

use crate::chronicle::{Chronicle, wrote};
use crate::ensure;
use crate::reference::{Feed, hash};
use crate::violation::Checked;

/// What a phone's owner entered.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Entered, and said to be kept.
    pub kept: BTreeMap<i64, (Timestamp, Intent)>,
    /// Not said to be kept; may have been all the same.
    pub attempted: Vec<(Timestamp, Intent)>,
    /// Put away by the owner.
    pub discarded: BTreeSet<i64>,
    /// The highest stamp that each record was seen with since it came, in the present incarnation and since power was lost.
    pub seen: BTreeMap<RecordKey, Stamp>,
    /// The incarnation that those are of.
    pub seen_in: u64,
}

/// Whose phone it is.
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    /// The phone's number.
    pub installation: InstallationId,
    /// The member.
    pub member: MemberId,
}

/// Checks what a phone holds at any moment.
pub fn check(owner: Owner, held: &Held, chronicle: &Chronicle, ledger: &mut Ledger) -> Checked {
    let nothing = BTreeMap::new();
    let feeds = match held.incarnation {
        0 => &nothing,
        incarnation => chronicle
            .feeds(incarnation)
            .ok_or("the phone is on an incarnation that never was")?,
    };
    for (scope, stands) in &held.scopes {
        let empty = Feed::default();
        let feed = feeds.get(scope).unwrap_or(&empty);
        check_scope(scope, stands, feed, held)?;
    }
    check_base(held, chronicle, ledger)?;
    check_overlay(owner.member, held)?;
    check_outbox(owner.installation, held, chronicle, ledger)
}

fn check_scope(scope: &Scope, stands: &HeldScope, feed: &Feed, held: &Held) -> Checked {
    ensure!(
        stands.cursor <= feed.head(),
        "{scope:?}: the cursor {} is beyond the feed's {}",
        stands.cursor,
        feed.head()
    );
    let mut sum = ScopeSum::default();
    for (key, (seq, stamp, listed_hash)) in &stands.listed {
        ensure!(
            *seq <= stands.cursor,
            "{scope:?} lists {key:?} at {seq}, beyond its cursor"
        );
        let version = feed
            .line(*seq)
            .filter(|line| line.key == *key && line.stamp == *stamp)
            .and_then(|line| line.version.as_ref())
            .ok_or_else(|| format!("{scope:?} lists {key:?} at {seq}, which never was"))?;
        ensure!(
            hash(key, version) == *listed_hash,
            "{scope:?} lists {key:?} with another hash"
        );
        sum.add(*listed_hash);
        let body = held
            .base
            .get(key)
            .ok_or_else(|| format!("{scope:?} lists {key:?}, which has no body"))?;
        ensure!(
            body.stamp >= *stamp,
            "{key:?} has the body of {:?}, older than {stamp:?} in {scope:?}",
            body.stamp
        );
    }
    ensure!(
        sum == stands.sum,
        "{scope:?}: its listings do not add up to its sum"
    );
    let mut at_cursor: BTreeMap<RecordKey, u64> = BTreeMap::new();
    for seq in 1..=stands.cursor {
        if let Some(line) = feed.line(seq) {
            at_cursor.insert(line.key, seq);
        }
    }
    for (key, seq) in at_cursor {
        if feed.newest.get(&key).is_some_and(|newest| *newest > seq) {
            // Overtaken since: the phone has an older version, or waits for this one.
            continue;
        }
        let listed = stands.listed.get(&key).map(|(seq, ..)| *seq);
        let live = feed.line(seq).is_some_and(|line| line.version.is_some());
        ensure!(
            listed == live.then_some(seq),
            "{scope:?} at {}: {key:?} should be listed at {:?} and is at {listed:?}",
            stands.cursor,
            live.then_some(seq)
        );
    }
    Ok(())
}

fn listed_anywhere(held: &Held, key: &RecordKey) -> bool {
    held.scopes
        .values()
        .any(|scope| scope.listed.contains_key(key))
}

fn check_base(held: &Held, chronicle: &Chronicle, ledger: &mut Ledger) -> Checked {
    if ledger.seen_in != held.incarnation {
        ledger.seen.clear();
        ledger.seen_in = held.incarnation;
    }
    // One that left may come back as an answer knew it that was given up for lost; the next page brings it up to date.
    ledger.seen.retain(|key, _| held.base.contains_key(key));
    for (key, record) in &held.base {
        if record.stamp == Stamp::default() {
            ensure!(
                chronicle.had_body(*key, &record.body),
                "{key:?} has a body that never was"
            );
        } else {
            let version = chronicle
                .version(*key, record.stamp)
                .ok_or_else(|| format!("{key:?} has a stamp that never was"))?;
            ensure!(
                *version.body == *record.body
                    && version.kind == record.kind
                    && version.parent == record.parent,
                "{key:?} is not what stood at {:?}",
                record.stamp
            );
        }
        if let Some((scope, seq, _)) = &record.provisional {
            let stands = held
                .scopes
                .get(scope)
                .ok_or_else(|| format!("{key:?} is kept for {scope:?}, which is not held"))?;
            ensure!(
                stands.cursor < *seq,
                "{key:?} is kept until {seq}, and the cursor is {}",
                stands.cursor
            );
        }
        ensure!(
            record.provisional.is_some() || record.unlisted || listed_anywhere(held, key),
            "{key:?} is kept, and nothing shows it"
        );
        let seen = ledger.seen.entry(*key).or_default();
        ensure!(
            record.stamp >= *seen || record.stamp == Stamp::default(),
            "{key:?} went back from {seen:?} to {:?}",
            record.stamp
        );
        *seen = record.stamp.max(*seen);
    }
    Ok(())
}

/// A record as a screen sees it.
struct Shown {
    kind: Kind,
    parent: Id,
    stamp: Stamp,
    body: Vec<u8>,
    audience: BTreeSet<Scope>,
}

fn shown(held: &Held) -> BTreeMap<RecordKey, Shown> {
    held.base
        .iter()
        .map(|(key, record)| {
            let listing = held
                .scopes
                .iter()
                .filter(|(_, scope)| scope.listed.contains_key(key))
                .map(|(scope, _)| *scope);
            let promised = record.provisional.iter().flat_map(|(_, _, to)| to.iter());
            let audience = listing.chain(promised.copied()).collect();
            let shown = Shown {
                kind: record.kind,
                parent: record.parent,
                stamp: record.stamp,
                body: record.body.clone(),
                audience,
            };
            (*key, shown)
        })
        .collect()
}

fn record(key: RecordKey, shown: &Shown) -> Record {
    Record {
        key,
        kind: shown.kind,
        parent: shown.parent,
        stamp: shown.stamp,
        body: shown.body.clone(),
    }
}

/// Replays what waits, over what is confirmed.
fn check_overlay(me: MemberId, held: &Held) -> Checked {
    if held.overlay.is_empty() && held.outbox.values().all(|own| own.state != 0) {
        return Ok(());
    }
    let mut current = shown(held);
    let mut laid: BTreeMap<RecordKey, Laid> = BTreeMap::new();
    for (n, own) in held.outbox.iter().filter(|(_, own)| own.state == 0) {
        let mutation: Mutation =
            cbor::from_bytes(&own.mutation).map_err(|_| format!("{n} cannot be read"))?;
        let mut world = World::new();
        let outcome = loop {
            match apply(&world, Actor::Member(me), Now::phone(own.at), &mutation) {
                Outcome::Need(needs) => {
                    for need in needs {
                        match need {
                            Need::Record(key) => {
                                let found = current.get(&key).map(|shown| record(key, shown));
                                world.load_record(key, found);
                            }
                            Need::Children(question) => {
                                let found = current.iter().filter(|(_, shown)| {
                                    shown.kind == question.kind
                                        && question.parent.is_none_or(|p| p == shown.parent)
                                        && shown.audience.contains(&question.scope)
                                });
                                let found = found.map(|(key, shown)| record(*key, shown)).collect();
                                world.load_children(question, found);
                            }
                        }
                    }
                }
                decided => break decided,
            }
        };
        let Outcome::Done(effect) = outcome else {
            continue;
        };
        for put in effect.puts {
            let stamp = current
                .get(&put.key)
                .map_or_else(Stamp::default, |s| s.stamp);
            current.insert(
                put.key,
                Shown {
                    kind: put.kind,
                    parent: put.parent,
                    stamp,
                    body: put.body.clone(),
                    audience: put.audience.iter().copied().collect(),
                },
            );
            laid.insert(
                put.key,
                Laid {
                    kind: put.kind,
                    parent: put.parent,
                    audience: put.audience,
                    body: put.body,
                    n: *n,
                },
            );
        }
    }
    for key in laid.keys().chain(held.overlay.keys()) {
        ensure!(
            laid.get(key) == held.overlay.get(key),
            "what waits makes {key:?} another thing than the overlay says: replay by {:?}, overlay by {:?}",
            laid.get(key).map(|laid| laid.n),
            held.overlay.get(key).map(|laid| laid.n)
        );
    }
    Ok(())
}

fn check_outbox(
    phone: InstallationId,
    held: &Held,
    chronicle: &Chronicle,
    ledger: &Ledger,
) -> Checked {
    // Refused for what they hold, and with them what builds on them.
    let spilled: BTreeSet<RecordKey> = ledger
        .kept
        .iter()
        .filter(|(n, _)| was_spilled(chronicle, phone, **n))
        .filter_map(|(_, (_, intent))| wrote(intent))
        .collect();
    for (n, entered) in &ledger.kept {
        let Some(own) = held.outbox.get(n) else {
            let forgotten = *n <= chronicle.forgettable(phone) && chronicle.was_done(phone, *n);
            let removed = chronicle.lost_words(&entered.1);
            ensure!(
                forgotten || removed || ledger.discarded.contains(n),
                "{n} was kept and is lost"
            );
            continue;
        };
        let now = entry(&own.mutation)?;
        let emptied = own.state == 1
            && (chronicle.lost_words(&entered.1)
                || wrote(&entered.1).is_some_and(|key| spilled.contains(&key)))
            && now.1.name() == entered.1.name()
            && is_removed(&own.mutation);
        ensure!(now == *entered || emptied, "{n} is not what was entered");
    }
    for (n, own) in &held.outbox {
        ensure!(
            ledger.kept.contains_key(n)
                || ledger.attempted.contains(&entry(&own.mutation)?)
                || is_removed(&own.mutation),
            "{n} was never entered"
        );
        match (own.state, &own.rejection) {
            (0, _) => {}
            (1, Some(why)) => ensure!(
                chronicle.was_refused(phone, *n, why),
                "{n} is refused ({:?}), and the server never said so",
                cbor::from_bytes::<sotay_model::Rejection>(why)
            ),
            (2, _) => ensure!(
                chronicle.was_done(phone, *n),
                "{n} is carried out, and the server never did it"
            ),
            (state, _) => return Err(format!("{n} has the state {state}")),
        }
    }
    Ok(())
}

/// Whether a number was ever refused because of what it holds.
fn was_spilled(chronicle: &Chronicle, phone: InstallationId, n: i64) -> bool {
    [Field::Mutation, Field::Text].into_iter().any(|field| {
        let why = cbor::to_bytes(&Rejection::Removed { field });
        chronicle.was_refused(phone, n, &why)
    })
}

fn entry(bytes: &[u8]) -> Checked<(Timestamp, Intent)> {
    let mutation: Mutation =
        cbor::from_bytes(bytes).map_err(|_| "a mutation cannot be read".to_owned())?;
    Ok((mutation.made_at, mutation.intent))
}

/// Checks a step from one state to the next, where the phone was told `told` to its screens.
pub fn check_step(before: &Held, after: &Held, told: &Told) -> Checked {
    if told.everything {
        return Ok(());
    }
    let touched: BTreeSet<RecordKey> = told.records.iter().copied().collect();
    let looks = |held: &Held, key: &RecordKey| {
        held.overlay
            .get(key)
            .map(|laid| laid.body.clone())
            .or_else(|| held.base.get(key).map(|record| record.body.clone()))
    };
    for key in before
        .base
        .keys()
        .chain(before.overlay.keys())
        .chain(after.base.keys())
        .chain(after.overlay.keys())
    {
        ensure!(
            touched.contains(key) || looks(before, key) == looks(after, key),
            "{key:?} changed, and no screen was told"
        );
    }
    let states = |held: &Held| -> Vec<(i64, u8)> {
        // What is carried out is no longer on any screen.
        let shown = held.outbox.iter().filter(|(_, own)| own.state < 2);
        shown.map(|(n, own)| (*n, own.state)).collect()
    };
    ensure!(
        told.outbox || states(before) == states(after),
        "the outbox changed, and no screen was told"
    );
    Ok(())
}

/// Checks what a response did to a phone.
pub fn check_response(before: &Held, after: &Held, response: &SyncResponse) -> Checked {
    let complete = !response.more;
    for (key, record) in &before.base {
        if after.base.contains_key(key) {
            continue;
        }
        let shown_by = |scope: &Scope| {
            before
                .scopes
                .get(scope)
                .is_some_and(|stands| stands.listed.contains_key(key))
                || record
                    .provisional
                    .as_ref()
                    .is_some_and(|(promised, ..)| promised == scope)
        };
        ensure!(
            complete || response.revoked.iter().any(shown_by),
            "{key:?} went before the download was complete"
        );
    }
    if complete {
        for (key, record) in &after.base {
            let pages_fit = !record.unlisted;
            ensure!(
                pages_fit
                    || listed_anywhere(after, key)
                    || record.provisional.is_some()
                    || unfit(before, response),
                "{key:?} is still kept after the download"
            );
        }
    }
    for (key, record) in &after.base {
        // Where another scope listed it too, it may be on its way from that one to a third.
        let mut listed_by = before
            .scopes
            .iter()
            .filter(|(_, stands)| stands.listed.contains_key(key))
            .map(|(scope, _)| scope)
            .peekable();
        let was_revoked =
            listed_by.peek().is_some() && listed_by.all(|scope| response.revoked.contains(scope));
        ensure!(
            !was_revoked || listed_anywhere(after, key) || record.provisional.is_some(),
            "{key:?} is kept though its scope was revoked"
        );
    }
    for scope in &response.revoked {
        ensure!(
            !after.scopes.contains_key(scope),
            "{scope:?} was revoked and is still held"
        );
    }
    check_own_writes(before, after, response)
}

/// Whether a page of the response did not follow on what the phone had.
fn unfit(before: &Held, response: &SyncResponse) -> bool {
    response.pages.iter().any(|page| {
        let cursor = before
            .scopes
            .get(&page.scope)
            .map_or(0, |stands| stands.cursor);
        cursor != page.from
    })
}

/// What was carried out in this response stays on the screen.
fn check_own_writes(before: &Held, after: &Held, response: &SyncResponse) -> Checked {
    for receipt in &response.receipts {
        let n = receipt.n.cast_signed();
        let was = before.outbox.get(&n).map(|own| own.state);
        let is = after.outbox.get(&n).map(|own| own.state);
        match &receipt.verdict {
            Verdict::Done(written) if was == Some(0) => {
                ensure!(is != Some(0), "{n} was carried out and still waits");
                for written in written {
                    let Some(stands) = after.scopes.get(&written.scope) else {
                        continue;
                    };
                    if stands.cursor >= written.seq {
                        // The page has come: the feed's checks say what must be there.
                        continue;
                    }
                    let here: Option<&Confirmed> = after.base.get(&written.key);
                    ensure!(
                        here.is_some_and(|record| record.stamp >= written.stamp),
                        "{n} was carried out, and what it wrote is gone until its page comes"
                    );
                }
            }
            Verdict::Rejected(_) if was == Some(0) => {
                ensure!(is == Some(1), "{n} was refused and is not parked");
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks a phone that has reached the server, everything being quiet: it holds what the server shows its owner, and nothing
/// of its own waits.
pub fn check_at_rest(
    owner: Owner,
    held: &Held,
    chronicle: &Chronicle,
    scopes: &BTreeSet<Scope>,
) -> Checked {
    ensure!(
        held.incarnation == chronicle.now.incarnation,
        "the phone is still on an older server"
    );
    ensure!(
        held.scopes.keys().eq(scopes.iter()),
        "the phone holds {} scopes, and the member {}",
        held.scopes.len(),
        scopes.len()
    );
    let mut all = BTreeSet::new();
    for (scope, stands) in &held.scopes {
        let empty = Feed::default();
        let feed = chronicle.now.feeds.get(scope).unwrap_or(&empty);
        let expected: BTreeMap<RecordKey, u64> =
            feed.live().map(|(key, seq, _)| (*key, seq)).collect();
        let found: BTreeMap<RecordKey, u64> = stands
            .listed
            .iter()
            .map(|(key, (seq, ..))| (*key, *seq))
            .collect();
        ensure!(
            expected == found,
            "{scope:?} lists {} records, and the server {}",
            found.len(),
            expected.len()
        );
        ensure!(
            stands.sum == feed.sum && stands.cursor == feed.head(),
            "{scope:?} is not where the server is"
        );
        all.extend(expected.into_keys());
    }
    ensure!(
        held.base.keys().eq(all.iter()),
        "the phone keeps {} records, and {} are shown",
        held.base.len(),
        all.len()
    );
    for (key, record) in &held.base {
        let stands = chronicle.now.records.get(key);
        ensure!(
            stands.is_some_and(|version| version.stamp == record.stamp),
            "{key:?} is at {:?}, and the server at {:?}",
            record.stamp,
            stands.map(|version| version.stamp)
        );
        ensure!(
            record.provisional.is_none() && !record.unlisted,
            "{key:?} is not settled"
        );
    }
    ensure!(
        held.overlay.is_empty(),
        "something lies over what is confirmed"
    );
    for (n, own) in &held.outbox {
        let verdict = chronicle
            .now
            .phones
            .get(&owner.installation)
            .and_then(|numbers| numbers.verdict(n.cast_unsigned()));
        match own.state {
            0 => return Err(format!("{n} still waits")),
            2 => ensure!(
                matches!(verdict, Some(Verdict::Done(_))),
                "{n} is said to be carried out, and the server says {verdict:?}"
            ),
            _ => {}
        }
    }
    Ok(())
}
