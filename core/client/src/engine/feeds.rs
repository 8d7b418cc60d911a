//! Feeds: what each scope shows. Pages move listings, cursors and sums; nothing else does.
//!
//! A page applies only where its `from` is the stored cursor, or where it begins a download that is newer than the phone's
//! own: then the server has forgotten what was deleted since, and the scope's listings go first. A body is written when its stamp is at least the stored one,
//! so the highest wins through whatever scope it comes, and an equal one heals. Bodies that no scope lists any more are
//! swept when a download is complete, so that a record on its way from one scope to another never vanishes in between.

use std::collections::HashMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use sotay_model::defect::{self, Defect};
use sotay_model::removed::is_removed;
use sotay_model::{Kind, RecordHash, RecordKey, Scope, ScopeSum, Stamp};

use super::incoming::{IncomingContent, IncomingPage, IncomingRow};
use super::spills;
use crate::error::HandbookError;
use crate::store::rows::{DAMAGED, id_of, scope_of, unsigned_of};
use crate::store::schema::RECORD_BITS;
use crate::watch::Touched;

/// How often a scope whose sum does not fit is fetched again before the phone gives up on it.
const MAX_HEALS: i64 = 3;

/// What became of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It was written.
    Done,
    /// It does not follow on what the phone has: the next request asks from the right place.
    NotFitting,
    /// It shows a scope that the phone does not hold.
    NotHeld,
    /// Its sum does not fit: the scope is fetched again from the beginning.
    Healing,
    /// Its sum does not fit, and fetching again did not help.
    Broken,
}

/// Scopes as small numbers, made as they appear.
#[derive(Debug, Default)]
struct ScopeNumbers(HashMap<Scope, i64>);

impl ScopeNumbers {
    /// The scope's number.
    fn of(&mut self, db: &Connection, scope: Scope) -> Result<i64, HandbookError> {
        if let Some(sid) = self.0.get(&scope) {
            return Ok(*sid);
        }
        let sid = match super::overlay::scope_number(db, scope)? {
            Some(sid) => sid,
            None => {
                db.prepare_cached("INSERT INTO scope (scope) VALUES (?1)")?
                    .execute([scope.to_bytes()])?;
                db.last_insert_rowid()
            }
        };
        self.0.insert(scope, sid);
        Ok(sid)
    }
}

/// Where the phone stands in a scope.
#[derive(Debug, Clone, Copy)]
struct Place {
    epoch: u64,
    cursor: u64,
    /// Where the feed stood when it was fetched from 0.
    began: u64,
    sum: ScopeSum,
    heals: i64,
    /// How many records it has, as last told.
    total: u64,
}

impl Place {
    /// Nothing of the scope is here.
    const fn at_the_beginning(self) -> Self {
        Self {
            cursor: 0,
            began: 0,
            sum: ScopeSum { sum: 0, count: 0 },
            total: 0,
            ..self
        }
    }
}

fn place(db: &Connection, sid: i64) -> Result<Option<Place>, HandbookError> {
    let mut select = db.prepare_cached(
        "SELECT epoch, cursor, sum, count, heals, began, total FROM scope WHERE sid = ?1 AND held = 1",
    )?;
    let mut rows = select.query([sid])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(Place {
        epoch: unsigned_of(row, 0)?,
        cursor: unsigned_of(row, 1)?,
        sum: ScopeSum {
            sum: u128::from_be_bytes(*id_of(row, 2)?.as_bytes()),
            count: unsigned_of(row, 3)?,
        },
        heals: row.get(4)?,
        began: unsigned_of(row, 5)?,
        total: unsigned_of(row, 6)?,
    }))
}

fn store_place(db: &Connection, sid: i64, place: &Place) -> Result<(), HandbookError> {
    db.prepare_cached(
        "UPDATE scope SET epoch = ?2, cursor = ?3, sum = ?4, count = ?5, heals = ?6, began = ?7, total = ?8 WHERE sid = ?1",
    )?
    .execute(params![
        sid,
        place.epoch.cast_signed(),
        place.cursor.cast_signed(),
        place.sum.sum.to_be_bytes(),
        place.sum.count.cast_signed(),
        place.heals,
        place.began.cast_signed(),
        place.total.cast_signed(),
    ])?;
    Ok(())
}

/// Whether a page with `seq` of a scope is still to come.
pub(crate) fn expects(db: &Connection, sid: i64, seq: u64) -> Result<bool, HandbookError> {
    Ok(place(db, sid)?.is_some_and(|place| place.cursor < seq))
}

/// A scope that the member holds from now on.
pub(crate) fn gain(to: &mut Rows<'_>, scope: Scope) -> Result<bool, HandbookError> {
    let sid = to.number(scope)?;
    let changed = to
        .db()
        .prepare_cached(
            "UPDATE scope SET held = 1, epoch = 0, cursor = 0, sum = zeroblob(16), count = 0, heals = 0, began = 0, total = 0
             WHERE sid = ?1 AND held = 0",
        )?
        .execute([sid])?;
    Ok(changed > 0)
}

/// Every scope is fetched again, into place: listings go, bodies stay until the end of the download, and any version that
/// the server has now replaces them.
pub(crate) fn void_all(db: &Connection) -> Result<(), HandbookError> {
    db.execute_batch(
        "INSERT OR IGNORE INTO unlisted SELECT rid FROM base;
         DELETE FROM listing;
         DELETE FROM provisional;
         UPDATE base SET incarnation = 0, version = 0;
         UPDATE scope SET epoch = 0, cursor = 0, sum = zeroblob(16), count = 0, heals = 0, began = 0, total = 0",
    )?;
    Ok(())
}

/// One scope is fetched again, into place.
fn void(db: &Connection, sid: i64) -> Result<(), HandbookError> {
    let (first, last) = (sid << RECORD_BITS, (sid + 1) << RECORD_BITS);
    db.prepare_cached(
        "INSERT OR IGNORE INTO unlisted SELECT lid - ?1 FROM listing WHERE lid >= ?1 AND lid < ?2",
    )?
    .execute([first, last])?;
    db.prepare_cached("DELETE FROM listing WHERE lid >= ?1 AND lid < ?2")?
        .execute([first, last])?;
    Ok(())
}

/// A scope that the member no longer holds: what only this scope showed goes at once.
pub(crate) fn revoke(
    to: &mut Rows<'_>,
    scope: Scope,
    touched: &mut Touched,
) -> Result<(), HandbookError> {
    let db = to.db();
    let sid = to.number(scope)?;
    let shown: Vec<i64> = {
        let mut select = db.prepare_cached(
            "SELECT lid - ?1 FROM listing WHERE lid >= ?1 AND lid < ?2 UNION SELECT rid FROM provisional WHERE sid = ?3",
        )?;
        let (first, last) = (sid << RECORD_BITS, (sid + 1) << RECORD_BITS);
        select
            .query_map([first, last, sid], |row| row.get(0))?
            .collect::<Result<_, _>>()?
    };
    db.prepare_cached("DELETE FROM provisional WHERE sid = ?1")?
        .execute([sid])?;
    void(db, sid)?;
    db.prepare_cached(
        "UPDATE scope SET held = 0, epoch = 0, cursor = 0, sum = zeroblob(16), count = 0, heals = 0, began = 0, total = 0 WHERE sid = ?1",
    )?
    .execute([sid])?;
    if defect::is_on(Defect::RevokedHalf) {
        return Ok(());
    }
    delete_unlisted(db, &shown, touched)
}

/// Builds the records' indexes anew. What is deleted SQLite overwrites, but where rows were moved from one page of an index to
/// another before, the first may hold copies of ids in what is now unused space: these go with the old pages.
pub(crate) fn purge_indexes(db: &Connection) -> Result<(), HandbookError> {
    db.execute_batch("REINDEX base")?;
    Ok(())
}

/// Reads everything again and compares it with the sums; a scope that does not fit is fetched again. A page only shows that the
/// sums kept here are the server's, this shows that the records are. Whether any scope was damaged.
pub(crate) fn verify(db: &Connection) -> Result<bool, HandbookError> {
    let held: Vec<i64> = {
        let mut select = db.prepare_cached("SELECT sid FROM scope WHERE held = 1")?;
        select
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?
    };
    let mut damaged = false;
    for sid in held {
        let Some(kept) = place(db, sid)? else {
            continue;
        };
        if counted(db, sid)? != Some(kept.sum) {
            damaged = true;
            void(db, sid)?;
            store_place(db, sid, &kept.at_the_beginning())?;
        }
    }
    Ok(damaged)
}

/// What a scope's records add up to; none where a body is missing or is not the listed one.
fn counted(db: &Connection, sid: i64) -> Result<Option<ScopeSum>, HandbookError> {
    let mut select = db.prepare_cached(
        "SELECT s.scope, b.id, b.incarnation, b.version, b.body, l.hash, l.incarnation = b.incarnation AND l.version = b.version
         FROM listing l LEFT JOIN base b ON b.rid = l.lid - ?1 LEFT JOIN scope s ON s.sid = b.home
         WHERE l.lid >= ?1 AND l.lid < ?2",
    )?;
    let mut rows = select.query([sid << RECORD_BITS, (sid + 1) << RECORD_BITS])?;
    let mut sum = ScopeSum::default();
    while let Some(row) = rows.next()? {
        let hash = RecordHash(u128::from_be_bytes(*id_of(row, 5)?.as_bytes()));
        match row.get::<_, Option<bool>>(6)? {
            None => return Ok(None),
            // The body came through another scope and is newer than this scope's listing.
            Some(false) => {}
            Some(true) => {
                let key = RecordKey::new(scope_of(row, 0)?, id_of(row, 1)?);
                let stamp = Stamp {
                    incarnation: unsigned_of(row, 2)?,
                    version: unsigned_of(row, 3)?,
                };
                let body = row.get_ref(4)?.as_blob().map_err(|_| DAMAGED)?;
                if RecordHash::of(&key, stamp, body) != hash {
                    return Ok(None);
                }
            }
        }
        sum.add(hash);
    }
    Ok(Some(sum))
}

/// Deletes, at the end of a download, the bodies that no scope lists and no receipt vouches for.
pub(crate) fn sweep(db: &Connection, touched: &mut Touched) -> Result<(), HandbookError> {
    let candidates: Vec<i64> = {
        let mut select = db.prepare_cached("SELECT rid FROM unlisted")?;
        select
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?
    };
    if candidates.is_empty() {
        return Ok(());
    }
    delete_unlisted(db, &candidates, touched)?;
    db.execute_batch("DELETE FROM unlisted")?;
    Ok(())
}

fn delete_unlisted(
    db: &Connection,
    candidates: &[i64],
    touched: &mut Touched,
) -> Result<(), HandbookError> {
    for rid in candidates {
        let mut delete = db.prepare_cached(
            "DELETE FROM base WHERE rid = ?1
             AND NOT EXISTS (SELECT 1 FROM scope s JOIN listing l ON l.lid = (s.sid << 40) + ?1 WHERE s.held = 1)
             AND NOT EXISTS (SELECT 1 FROM provisional p WHERE p.rid = ?1)
             RETURNING (SELECT scope FROM scope WHERE sid = home), id, kind, parent",
        )?;
        let mut rows = delete.query([rid])?;
        while let Some(row) = rows.next()? {
            let key = RecordKey::new(scope_of(row, 0)?, id_of(row, 1)?);
            touched.record(Kind::from_code(row.get(2)?), id_of(row, 3)?, key);
        }
    }
    Ok(())
}

/// Whether the stored version of a record already lacks words that were removed.
fn removed_before(db: &Connection, rid: i64) -> Result<bool, HandbookError> {
    let mut select = db.prepare_cached("SELECT body FROM base WHERE rid = ?1")?;
    let mut rows = select.query([rid])?;
    match rows.next()? {
        Some(row) => Ok(is_removed(row.get_ref(0)?.as_blob().map_err(|_| DAMAGED)?)),
        None => Ok(false),
    }
}

/// The statements that run once for each row, prepared once for each response.
struct Statements<'d> {
    find: CachedStatement<'d>,
    insert: CachedStatement<'d>,
    update: CachedStatement<'d>,
    list: CachedStatement<'d>,
    unlist: CachedStatement<'d>,
}

/// Writes bodies and listings.
pub(crate) struct Rows<'d> {
    db: &'d Connection,
    numbers: ScopeNumbers,
    statements: Statements<'d>,
    /// The last record written was not known before.
    mostly_new: bool,
    /// What is to be done because a record came without words that were removed: see [`super::spills`].
    pub(crate) spilled: i64,
}

impl<'d> Rows<'d> {
    /// Writes through this connection.
    pub(crate) fn new(db: &'d Connection) -> Result<Self, HandbookError> {
        let statements = Statements {
            find: db.prepare_cached(
                "SELECT rid, incarnation, version FROM base WHERE id = ?1 AND home = ?2",
            )?,
            insert: db.prepare_cached(
                "INSERT INTO base (home, id, kind, parent, incarnation, version, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id, home) DO NOTHING",
            )?,
            update: db.prepare_cached(
                "UPDATE base SET kind = ?2, parent = ?3, incarnation = ?4, version = ?5, body = ?6 WHERE rid = ?1",
            )?,
            list: db.prepare_cached(
                "INSERT INTO listing (lid, seq, incarnation, version, hash) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?,
            unlist: db.prepare_cached("DELETE FROM listing WHERE lid = ?1 RETURNING hash")?,
        };
        Ok(Self {
            db,
            numbers: ScopeNumbers::default(),
            statements,
            mostly_new: true,
            spilled: 0,
        })
    }

    /// The connection.
    pub(crate) const fn db(&self) -> &'d Connection {
        self.db
    }

    /// A scope's number.
    pub(crate) fn number(&mut self, scope: Scope) -> Result<i64, HandbookError> {
        self.numbers.of(self.db, scope)
    }

    fn find(&mut self, key: &RecordKey) -> Result<Option<(i64, Stamp)>, HandbookError> {
        let home = self.numbers.of(self.db, key.home)?;
        let mut rows = self
            .statements
            .find
            .query(params![key.id.as_bytes(), home])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let stamp = Stamp {
            incarnation: unsigned_of(row, 1)?,
            version: unsigned_of(row, 2)?,
        };
        Ok(Some((row.get(0)?, stamp)))
    }

    /// Writes a body that is not there yet; its number, or none where the record is known.
    fn insert(
        &mut self,
        key: &RecordKey,
        stamp: Stamp,
        content: IncomingContent<'_>,
    ) -> Result<Option<i64>, HandbookError> {
        let home = self.numbers.of(self.db, key.home)?;
        let inserted = self.statements.insert.execute(params![
            home,
            key.id.as_bytes(),
            content.kind.code(),
            content.parent.as_bytes(),
            stamp.incarnation.cast_signed(),
            stamp.version.cast_signed(),
            content.body
        ])?;
        Ok((inserted > 0).then(|| self.db.last_insert_rowid()))
    }

    /// Writes a body unless a newer one is there; the record's number, and whether it was known before.
    pub(crate) fn write_body(
        &mut self,
        key: &RecordKey,
        stamp: Stamp,
        content: IncomingContent<'_>,
        touched: &mut Touched,
    ) -> Result<(i64, bool), HandbookError> {
        let removed = is_removed(content.body);
        // One statement where it is new, which in a download it is: looking for it first would search the index twice.
        if self.mostly_new
            && let Some(rid) = self.insert(key, stamp, content)?
        {
            touched.record(content.kind, content.parent, *key);
            if removed {
                self.spilled = self.spilled.max(spills::ENTRIES);
            }
            return Ok((rid, false));
        }
        let known = self.find(key)?;
        self.mostly_new = known.is_none();
        let rid = match known {
            Some((rid, newer)) if newer > stamp && !defect::is_on(Defect::LastBodyWins) => {
                return Ok((rid, true));
            }
            Some((rid, _)) => {
                if removed && !removed_before(self.db, rid)? {
                    self.spilled = spills::PAGES;
                }
                self.statements.update.execute(params![
                    rid,
                    content.kind.code(),
                    content.parent.as_bytes(),
                    stamp.incarnation.cast_signed(),
                    stamp.version.cast_signed(),
                    content.body
                ])?;
                rid
            }
            // Not found, so it goes in.
            None => {
                if removed {
                    self.spilled = self.spilled.max(spills::ENTRIES);
                }
                self.insert(key, stamp, content)?.ok_or(DAMAGED)?
            }
        };
        touched.record(content.kind, content.parent, *key);
        Ok((rid, known.is_some()))
    }

    /// Adds a listing to table and sum.
    fn list(
        &mut self,
        lid: i64,
        row: &IncomingRow<'_>,
        body: &[u8],
        sum: &mut ScopeSum,
    ) -> Result<(), HandbookError> {
        let hash = RecordHash::of(&row.key, row.stamp, body);
        self.statements.list.execute(params![
            lid,
            row.seq.cast_signed(),
            row.stamp.incarnation.cast_signed(),
            row.stamp.version.cast_signed(),
            hash.0.to_be_bytes()
        ])?;
        sum.add(hash);
        Ok(())
    }

    /// Takes a listing out of table and sum; whether there was one.
    fn unlist(&mut self, lid: i64, sum: &mut ScopeSum) -> Result<bool, HandbookError> {
        let hash = self
            .statements
            .unlist
            .query_row([lid], |row| row.get(0))
            .optional()?;
        let Some(hash): Option<Vec<u8>> = hash else {
            return Ok(false);
        };
        let hash = u128::from_be_bytes(hash.as_slice().try_into().map_err(|_| DAMAGED)?);
        sum.remove(RecordHash(hash));
        Ok(true)
    }
}

/// Writes a page.
pub(crate) fn apply_page(
    to: &mut Rows<'_>,
    page: &mut IncomingPage<'_>,
    touched: &mut Touched,
) -> Result<Applied, HandbookError> {
    let db = to.db();
    let Some(sid) = super::overlay::scope_number(db, page.scope)? else {
        return Ok(Applied::NotHeld);
    };
    let Some(mut place) = place(db, sid)? else {
        return Ok(Applied::NotHeld);
    };
    if place.epoch != page.epoch {
        if place.cursor != 0 || place.sum.count != 0 {
            void(db, sid)?;
        }
        place = Place {
            epoch: page.epoch,
            ..place.at_the_beginning()
        };
        store_place(db, sid, &place)?;
    }
    if page.from == 0 && place.cursor != 0 && page.began > place.cursor.max(place.began) {
        void(db, sid)?;
        place = place.at_the_beginning();
    }
    let fits = page.from == place.cursor || defect::is_on(Defect::CursorBeforePage);
    if !fits || page.to < page.from {
        return Ok(Applied::NotFitting);
    }
    // In the order of the index, so that it grows page by page and not everywhere at once.
    page.rows
        .sort_unstable_by_key(|row| (row.key.id, row.key.home, row.seq));
    for row in &page.rows {
        match row.content {
            Some(content) => {
                let (rid, known) = to.write_body(&row.key, row.stamp, content, touched)?;
                let lid = sid << RECORD_BITS | rid;
                if known {
                    to.unlist(lid, &mut place.sum)?;
                }
                to.list(lid, row, content.body, &mut place.sum)?;
            }
            None if defect::is_on(Defect::TombstoneDropped) => {}
            None => {
                if let Some((rid, _)) = to.find(&row.key)?
                    && to.unlist(sid << RECORD_BITS | rid, &mut place.sum)?
                {
                    db.prepare_cached("INSERT OR IGNORE INTO unlisted (rid) VALUES (?1)")?
                        .execute([rid])?;
                }
            }
        }
    }
    let passed = page.to.cast_signed();
    db.prepare_cached(
        "INSERT OR IGNORE INTO unlisted SELECT rid FROM provisional WHERE sid = ?1 AND seq <= ?2",
    )?
    .execute([sid, passed])?;
    db.prepare_cached("DELETE FROM provisional WHERE sid = ?1 AND seq <= ?2")?
        .execute([sid, passed])?;
    if page.from == 0 {
        place.began = page.began;
    }
    place.cursor = page.to;
    place.total = page.total.or(page.count).unwrap_or(place.total);
    let applied = check_sum(db, sid, &mut place, page)?;
    store_place(db, sid, &place)?;
    Ok(applied)
}

fn check_sum(
    db: &Connection,
    sid: i64,
    place: &mut Place,
    page: &IncomingPage<'_>,
) -> Result<Applied, HandbookError> {
    let (false, Some(sum), Some(count)) = (page.more, page.sum, page.count) else {
        return Ok(Applied::Done);
    };
    if sum == place.sum.sum.to_be_bytes() && count == place.sum.count {
        place.heals = 0;
        return Ok(Applied::Done);
    }
    if place.heals >= MAX_HEALS {
        return Ok(Applied::Broken);
    }
    void(db, sid)?;
    *place = Place {
        heals: place.heals + 1,
        ..place.at_the_beginning()
    };
    Ok(Applied::Healing)
}
