//! Phones and the server's engine in one process, without any network: seeded schedules of commands, lost requests, lost and
//! repeated and late responses, crashes, offices that begin and end, and a server restored from an old backup.
//!
//! Whenever things are quiet, each phone shows exactly what the server lists for its member, nothing waits, and every accepted
//! change happened once. The same seed gives the same schedule.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use sotay_model::meetings::{
    AbsenceReason, AcknowledgeNotice, AttendanceMark, Base, CancelMeeting, ChangeNotice, Channel,
    Choice, DecideAbsence, MarkAttendance, Meeting, MeetingKind, MeetingMode, NoticeText,
    OpenRollCall, ParticipationMode, PublishNotice, RequestAbsence, Respond,
};
use sotay_model::wire::{KeyAlgorithm, ProblemCode, SyncRequest, SyncResponse};
use sotay_model::{
    Id, InstallationId, Intent, MeetingKey, MemberId, Mutation, OrganisationId, RecordHash,
    RecordKey, Scope, Stamp, Timestamp, cbor,
};
use sotay_server::commune::{Commune, Config, DATABASE, init, read_csv};
use sotay_server::engine::{Asked, Engine};
use sotay_server::storage::{Installation, Storage};

use super::{Round, submit};
use crate::current::Current;
use crate::error::HandbookError;
use crate::identity::Identity;
use crate::keys::Keys;
use crate::store::rows::{self, Setting, Standing, id_of, scope_of, unsigned_of};
use crate::store::schema::RECORD_BITS;
use crate::store::{Store, lock};

const CONFIG: &str = r#"
hosts = ["127.0.0.1"]

[[organisation]]
code = "xa"
name = "Đảng bộ xã Mẫu"
level = "CommuneCommittee"

[[organisation]]
code = "cb1"
name = "Chi bộ Mẫu 1"
level = "PartyCell"
above = "xa"

[[organisation]]
code = "cb2"
name = "Chi bộ Mẫu 2"
level = "PartyCell"
above = "xa"

[[office]]
member = "bt"
organisation = "cb1"
role = "Secretary"
from = "2024-01-01"

[[office]]
member = "pbt"
organisation = "cb1"
role = "DeputySecretary"
from = "2024-01-01"
until = "2026-06-03"

[[office]]
member = "a"
organisation = "cb1"
role = "DeputySecretary"
from = "2026-06-05"

[[office]]
member = "x"
organisation = "cb2"
role = "Secretary"
from = "2024-01-01"
"#;

const MEMBERS: &str = "code,name,cell,status\n\
    bt,Đồng chí Mẫu 01,cb1,Official\n\
    pbt,Đồng chí Mẫu 02,cb1,Official\n\
    a,Đồng chí Mẫu 03,cb1,Official\n\
    x,Đồng chí Mẫu 04,cb2,Official\n";

/// 2026-06-01T08:00+07:00
const BEGINNING: Timestamp = Timestamp(1_780_275_600_000);

/// splitmix64: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.next() % 100 < chance
    }

    fn pick<'l, T>(&mut self, from: &'l [T]) -> Option<&'l T> {
        if from.is_empty() {
            None
        } else {
            from.get(self.below(from.len()))
        }
    }
}

struct SimPhone {
    folder: PathBuf,
    keys: Arc<Keys>,
    store: Option<Store>,
    identity: Identity,
    /// A response that is still on its way.
    late: Option<Vec<u8>>,
    /// How wrong its clock is, in milliseconds.
    skew: i64,
}

impl SimPhone {
    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn crash(&mut self) {
        self.store = None;
        let lock = lock(&self.folder).unwrap();
        self.store = Some(Store::open(&self.folder, Arc::clone(&self.keys), lock).unwrap());
    }

    fn read<T>(
        &self,
        now: Timestamp,
        view: impl FnOnce(&Current<'_>) -> Result<T, HandbookError>,
    ) -> T {
        let (me, cell) = (self.identity.member, self.identity.cell);
        self.store()
            .read(|db| {
                view(&Current {
                    db,
                    me,
                    cell,
                    now,
                    offline: false,
                })
            })
            .unwrap()
    }
}

struct Simulation {
    folder: tempfile::TempDir,
    engine: Option<Engine>,
    phones: Vec<SimPhone>,
    now: Timestamp,
    dice: Dice,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = folder.path().join("server");
        let list = read_csv(MEMBERS.as_bytes()).unwrap();
        let commune: Commune =
            init(&Config::parse(CONFIG).unwrap(), &list, &server, BEGINNING).unwrap();
        let mut engine = Engine::new(Storage::open(&server.join(DATABASE)).unwrap());
        let mut dice = Dice(seed);
        let mut phones = Vec::new();
        for (number, (code, cell)) in [
            ("bt", "cb1"),
            ("pbt", "cb1"),
            ("a", "cb1"),
            ("x", "cb2"),
            ("bt", "cb1"),
        ]
        .into_iter()
        .enumerate()
        {
            let (member, cell) = (commune.members[code], commune.organisations[cell]);
            let installation = InstallationId(Id::from_bytes([number as u8 + 1; 16]));
            add_phone(&mut engine, installation, member);
            phones.push(new_phone(
                folder.path().join(format!("phone{number}")),
                installation,
                member,
                cell,
                &mut dice,
            ));
        }
        Self {
            folder,
            engine: Some(engine),
            phones,
            now: BEGINNING,
            dice,
        }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("server").join(DATABASE)
    }

    fn ask(&mut self, phone: usize, request: &[u8]) -> Result<Vec<u8>, ProblemCode> {
        let request: SyncRequest = cbor::from_bytes(request).unwrap();
        let asked = Asked {
            installation: self.phones[phone].identity.installation,
            request,
        };
        let answered = self
            .engine
            .as_mut()
            .unwrap()
            .handle_batch(&[asked], self.now)
            .unwrap();
        answered
            .responses
            .into_iter()
            .next()
            .unwrap()
            .map(|response| cbor::to_bytes(&response))
    }

    fn apply(&mut self, phone: usize, round: &mut Round, response: &[u8]) {
        let SimPhone {
            store,
            identity,
            skew,
            ..
        } = &self.phones[phone];
        let wall = Timestamp(self.now.0 + skew);
        let mut writer = store.as_ref().unwrap().writer();
        round
            .on_response(&mut writer, identity, response, wall)
            .unwrap();
        assert!(!round.broken, "a sum does not fit");
        drop(writer);
        self.check_own_notices(phone);
    }

    /// What the secretary announced never flickers: not when it is confirmed before its page comes, not when pages are cut short,
    /// not when the server forgets it.
    fn check_own_notices(&self, phone: usize) {
        if self.phones[phone].identity.member != self.phones[0].identity.member {
            return;
        }
        self.phones[phone].read(self.now, |current| {
            let mut select = current
                .db
                .prepare("SELECT mutation FROM outbox WHERE state <> 1")?;
            let mut own = select.query([])?;
            while let Some(row) = own.next()? {
                let mutation: Mutation = cbor::from_bytes(&row.get::<_, Vec<u8>>(0)?).unwrap();
                if let Intent::PublishNotice(notice) = mutation.intent {
                    assert!(
                        current.get::<Meeting>(notice.meeting.0)?.is_some(),
                        "an own notice vanished"
                    );
                }
            }
            Ok(())
        });
    }

    /// One sync; `faults` in percent. Whether it came to its end.
    fn sync(&mut self, phone: usize, faults: u64) -> bool {
        let most = if faults == 0 {
            10_000
        } else {
            1 + self.dice.below(30) as u32
        };
        let mut round = Round::new(most);
        for _ in 0..5_000 {
            let request = round
                .next_request(&self.phones[phone].store().writer())
                .unwrap();
            let Some(request) = request else { return true };
            if self.dice.percent(faults) {
                return false;
            }
            let mut answer = self.ask(phone, &request);
            if self.dice.percent(faults) {
                answer = self.ask(phone, &request);
            }
            if self.dice.percent(faults) {
                self.phones[phone].late = answer.ok();
                return false;
            }
            if self.dice.percent(faults)
                && let Some(late) = self.phones[phone].late.take()
            {
                self.apply(phone, &mut Round::new(most), &late);
            }
            match answer {
                Ok(response) => self.apply(phone, &mut round, &response),
                Err(problem) if round.on_problem(problem) => {}
                Err(problem) => panic!("{problem:?}"),
            }
            if self.dice.percent(faults) {
                self.phones[phone].crash();
                return false;
            }
        }
        panic!("a sync without end");
    }

    /// A random entry on a phone; what the rules refuse is none.
    fn enter(&mut self, phone: usize) {
        let now = self.now;
        let meetings: Vec<(MeetingKey, Meeting, Stamp, Option<i64>)> =
            self.phones[phone].read(now, |current| {
                current
                    .all::<Meeting>()?
                    .into_iter()
                    .map(|found| {
                        let key = found.record.key;
                        Ok((
                            MeetingKey(key),
                            found.body,
                            found.record.stamp,
                            current.pending_change(key)?,
                        ))
                    })
                    .collect()
            });
        let (me, cell) = (
            self.phones[phone].identity.member,
            self.phones[phone].identity.cell,
        );
        let members: Vec<MemberId> = self
            .phones
            .iter()
            .map(|phone| phone.identity.member)
            .collect();
        let member = *self.dice.pick(&members).unwrap();
        let what = self.dice.below(12);
        let chosen = self.dice.pick(&meetings).cloned();
        let number = self.dice.next();
        let intent: Intent = match (what, chosen) {
            (0 | 1, _) | (_, None) => {
                let id = Id::v7(
                    now.0,
                    number.to_be_bytes().repeat(2)[..10].try_into().unwrap(),
                );
                PublishNotice {
                    meeting: MeetingKey(RecordKey::new(Scope::organisation(cell), id)),
                    participating: vec![cell],
                    kind: MeetingKind::Regular,
                    notice: notice(now, number),
                }
                .into()
            }
            (2 | 3, Some((meeting, _, stamp, pending))) => ChangeNotice {
                meeting,
                base: pending.map_or(Base::Confirmed(stamp), Base::After),
                notice: notice(now, number),
                urgent: number.is_multiple_of(2),
            }
            .into(),
            (4, Some((meeting, ..))) if number.is_multiple_of(16) => CancelMeeting {
                meeting,
                reason: "Lý do thử".into(),
            }
            .into(),
            (4 | 5, Some((meeting, body, ..))) => Respond {
                meeting,
                organisation: cell,
                choice: [Choice::WillAttend, Choice::Undecided][number as usize % 2],
                notice_version: body.versions.len() as u32,
            }
            .into(),
            (6, Some((meeting, ..))) => RequestAbsence {
                meeting,
                organisation: cell,
                member: me,
                reason: AbsenceReason::Work,
                note: None,
                channel: Channel::Handbook,
            }
            .into(),
            (7, Some((meeting, ..))) => DecideAbsence {
                meeting,
                organisation: cell,
                member,
                granted: number.is_multiple_of(2),
                answer: None,
            }
            .into(),
            (8, Some((meeting, ..))) if number.is_multiple_of(4) => OpenRollCall {
                meeting,
                organisation: cell,
                chair: me,
                minute_taker: None,
            }
            .into(),
            (9, Some((meeting, body, ..))) => AcknowledgeNotice {
                meeting,
                organisation: cell,
                notice_version: body.versions.len() as u32,
            }
            .into(),
            (_, Some((meeting, ..))) => MarkAttendance {
                meeting,
                organisation: cell,
                member,
                mark: [AttendanceMark::Present, AttendanceMark::AbsentUnexcused]
                    [number as usize % 2],
                mode: ParticipationMode::InRoom,
                voted: false,
            }
            .into(),
        };
        let mut writer = self.phones[phone].store().writer();
        match submit::submit(&mut writer, me, now, now, intent) {
            Ok(_) | Err(HandbookError::Refused { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }

    fn discard_a_refused_one(&mut self, phone: usize) {
        let parked: Vec<i64> = self.phones[phone].read(self.now, |current| {
            Ok(current
                .outbox()?
                .into_iter()
                .filter(|entry| entry.refusal.is_some())
                .map(|entry| entry.n)
                .collect())
        });
        if let Some(n) = self.dice.pick(&parked) {
            submit::discard(&mut self.phones[phone].store().writer(), *n).unwrap();
        }
    }

    fn back_up(&mut self) {
        self.engine = None;
        copy(&self.database(), &self.folder.path().join("backup"));
        self.engine = Some(Engine::new(Storage::open(&self.database()).unwrap()));
    }

    /// Puts the backup in the database's place, as another incarnation.
    fn restore(&mut self, incarnation: u64) {
        self.engine = None;
        copy(&self.folder.path().join("backup"), &self.database());
        let mut storage = Storage::open(&self.database()).unwrap();
        let change = storage.write().unwrap();
        change
            .set_meta("incarnation", &incarnation.to_be_bytes())
            .unwrap();
        change.commit().unwrap();
        self.engine = Some(Engine::new(storage));
    }

    fn step(&mut self, faults: u64) {
        let phone = self.dice.below(self.phones.len());
        match self.dice.below(10) {
            0..5 => self.enter(phone),
            5 if self.dice.percent(20) => self.discard_a_refused_one(phone),
            6 if self.dice.percent(50) => self.phones[phone].crash(),
            _ => {
                self.sync(phone, faults);
            }
        }
        self.now = self.now.plus_minutes(1 + self.dice.below(20) as i64);
    }

    /// Everybody reaches the server, until nobody has anything to send and everybody has everything.
    fn settle(&mut self) -> usize {
        for _ in 0..2 {
            for phone in 0..self.phones.len() {
                self.phones[phone].late = None;
                assert!(self.sync(phone, 0));
            }
        }
        self.check()
    }

    /// What must hold whenever things are quiet; how many changes of notices were carried out so far.
    fn check(&mut self) -> usize {
        let mut changes: BTreeMap<RecordKey, usize> = BTreeMap::new();
        let mut shown: BTreeMap<RecordKey, usize> = BTreeMap::new();
        for phone in 0..self.phones.len() {
            let member = self.phones[phone].identity.member;
            let engine = self.engine.as_mut().unwrap();
            let held: BTreeSet<Scope> = engine
                .scopes(member, self.now)
                .unwrap()
                .into_iter()
                .collect();
            let mut expected: BTreeMap<Scope, Listed> = BTreeMap::new();
            let transaction = engine.storage().read().unwrap();
            for scope in &held {
                let lines = expected.entry(*scope).or_default();
                transaction
                    .listing(*scope, 0, |line| {
                        if let Some((_, _, body)) = line.content {
                            lines.insert(
                                line.key,
                                (line.stamp, digest(&SHA256, &body).as_ref().to_vec()),
                            );
                        }
                        true
                    })
                    .unwrap();
            }
            drop(transaction);
            let store = self.phones[phone].store();
            let writer = store.writer();
            assert_eq!(
                listed(&writer.db),
                expected,
                "phone {phone} shows what the server lists"
            );
            let keys: BTreeSet<RecordKey> = expected
                .values()
                .flat_map(|lines| lines.keys().copied())
                .collect();
            let count = |sql: &str| {
                writer
                    .db
                    .query_row(sql, [], |row| row.get::<_, u32>(0))
                    .unwrap() as usize
            };
            assert_eq!(
                count("SELECT count(*) FROM base"),
                keys.len(),
                "phone {phone} keeps nothing else"
            );
            assert_eq!(count("SELECT count(*) FROM provisional"), 0);
            assert_eq!(count("SELECT count(*) FROM unlisted"), 0);
            assert_eq!(
                count("SELECT count(*) FROM overlay"),
                0,
                "nothing lies over what is confirmed"
            );
            assert_eq!(
                rows::standing(&writer.db, Standing::Pending).unwrap(),
                0,
                "nothing waits"
            );
            let mut accepted = writer
                .db
                .prepare("SELECT mutation FROM outbox WHERE state = 2")
                .unwrap();
            let mut found = accepted.query([]).unwrap();
            while let Some(row) = found.next().unwrap() {
                let mutation: Mutation =
                    cbor::from_bytes(&row.get::<_, Vec<u8>>(0).unwrap()).unwrap();
                if let Intent::ChangeNotice(change) = mutation.intent {
                    *changes.entry(change.meeting.0).or_default() += 1;
                }
            }
            drop(found);
            drop(accepted);
            drop(writer);
            self.phones[phone].read(self.now, |current| {
                for meeting in current.all::<Meeting>()? {
                    shown.insert(meeting.record.key, meeting.body.versions.len() - 1);
                }
                Ok(())
            });
        }
        shown.retain(|_, count| *count > 0);
        assert_eq!(changes, shown, "every accepted change happened once");
        changes.values().sum()
    }
}

type Listed = BTreeMap<RecordKey, (Stamp, Vec<u8>)>;

/// What a phone's scopes show; sums are checked against the listings on the way.
fn listed(db: &rusqlite::Connection) -> BTreeMap<Scope, Listed> {
    let mut scopes = BTreeMap::new();
    let mut select = db
        .prepare("SELECT sid, scope, sum, count FROM scope WHERE held = 1")
        .unwrap();
    let mut held = select.query([]).unwrap();
    while let Some(row) = held.next().unwrap() {
        let sid: i64 = row.get(0).unwrap();
        let mut lines = Listed::new();
        let mut sum = 0_u128;
        let mut select = db
            .prepare(
                "SELECT s.scope, b.id, l.incarnation, l.version, b.body, l.hash FROM listing l
                 JOIN base b ON b.rid = l.lid - ?1 JOIN scope s ON s.sid = b.home WHERE l.lid >= ?1 AND l.lid < ?2",
            )
            .unwrap();
        let mut listings = select
            .query([sid << RECORD_BITS, (sid + 1) << RECORD_BITS])
            .unwrap();
        while let Some(line) = listings.next().unwrap() {
            let key = RecordKey::new(scope_of(line, 0).unwrap(), id_of(line, 1).unwrap());
            let stamp = Stamp {
                incarnation: unsigned_of(line, 2).unwrap(),
                version: unsigned_of(line, 3).unwrap(),
            };
            let body: Vec<u8> = line.get(4).unwrap();
            let hash = u128::from_be_bytes(*id_of(line, 5).unwrap().as_bytes());
            assert_eq!(
                RecordHash::of(&key, stamp, &body).0,
                hash,
                "the body is the listed one"
            );
            sum = sum.wrapping_add(hash);
            lines.insert(key, (stamp, digest(&SHA256, &body).as_ref().to_vec()));
        }
        assert_eq!(u128::from_be_bytes(*id_of(row, 2).unwrap().as_bytes()), sum);
        assert_eq!(row.get::<_, u32>(3).unwrap() as usize, lines.len());
        scopes.insert(scope_of(row, 1).unwrap(), lines);
    }
    scopes
}

fn notice(now: Timestamp, number: u64) -> NoticeText {
    let starts_at = now.plus_minutes(3 * 24 * 60);
    NoticeText {
        title: format!("Sinh hoạt {}", number % 1000),
        starts_at,
        ends_at: starts_at.plus_minutes(90),
        place: "Nhà văn hóa Mẫu".into(),
        mode: MeetingMode::InRoom,
        agenda: vec!["Nội dung".into()],
        documents: Vec::new(),
        guests: Vec::new(),
        answer_by: None,
        absence_by: None,
    }
}

fn add_phone(engine: &mut Engine, id: InstallationId, member: MemberId) {
    let transaction = engine.storage().write().unwrap();
    transaction
        .add_installation(&Installation {
            id,
            member,
            algorithm: KeyAlgorithm::Ed25519,
            public_key: vec![1; 32],
            high_water: 0,
            backed_up: 0,
            settled: 0,
            device_name: "Máy thử".into(),
            enrolled_at: BEGINNING,
            revoked_at: None,
        })
        .unwrap();
    transaction.commit().unwrap();
}

fn new_phone(
    folder: PathBuf,
    installation: InstallationId,
    member: MemberId,
    cell: OrganisationId,
    dice: &mut Dice,
) -> SimPhone {
    std::fs::create_dir_all(&folder).unwrap();
    let keys = Arc::new(Keys::from_root(&[7; 32]).unwrap());
    let store = Store::open(&folder, Arc::clone(&keys), lock(&folder).unwrap()).unwrap();
    let identity = Identity {
        installation,
        member,
        member_name: "Đồng chí Mẫu".into(),
        cell,
        address: "127.0.0.1".into(),
        roots: Vec::new(),
        device_key: Vec::new(),
    };
    {
        let mut writer = store.writer();
        writer
            .journal
            .keep_identity(&cbor::to_bytes(&identity))
            .unwrap();
        rows::set(&writer.db, Setting::Identity, &cbor::to_bytes(&identity)).unwrap();
    }
    let ten_years = 10 * 365 * 24 * 3_600_000;
    let skew = [0, ten_years, -ten_years][dice.below(3)];
    SimPhone {
        folder,
        keys,
        store: Some(store),
        identity,
        late: None,
        skew,
    }
}

/// A database whose connection is closed is one file.
fn copy(from: &Path, to: &Path) {
    for ending in ["-wal", "-shm"] {
        let with_ending = |path: &Path| PathBuf::from(format!("{}{ending}", path.display()));
        let _ = std::fs::remove_file(with_ending(to));
        if with_ending(from).exists() {
            std::fs::copy(with_ending(from), with_ending(to)).unwrap();
        }
    }
    std::fs::copy(from, to).unwrap();
}

fn run(seed: u64) -> usize {
    let mut simulation = Simulation::new(seed);
    let restores = seed.is_multiple_of(3);
    let mut changes = 0;
    for phase in 0..4 {
        if restores && phase == 1 {
            simulation.back_up();
        }
        for _ in 0..40 {
            simulation.step(8);
        }
        if restores && phase == 2 {
            simulation.restore(2 * BEGINNING.0.cast_unsigned() + seed);
        }
        changes = simulation.settle();
        // Offices end and begin on other days.
        simulation.now = simulation.now.plus_minutes(24 * 60);
    }
    changes
}

#[test]
fn phones_and_server_agree_whenever_things_are_quiet() {
    // Two runs of the same seed are the same: SOTAY_SEED picks the first one, SOTAY_SEEDS how many.
    let from_environment = |name| {
        std::env::var(name)
            .ok()
            .and_then(|number| number.parse::<u64>().ok())
    };
    let first = from_environment("SOTAY_SEED");
    let count = from_environment("SOTAY_SEEDS").unwrap_or(if first.is_some() { 1 } else { 12 });
    let first = first.unwrap_or(0);
    let mut changes = 0;
    for seed in first..first + count {
        match std::panic::catch_unwind(|| run(seed)) {
            Ok(carried_out) => changes += carried_out,
            Err(cause) => {
                println!("SOTAY_SEED={seed} shows it again");
                std::panic::resume_unwind(cause);
            }
        }
    }
    assert!(
        count == 1 || changes >= 3 * count as usize,
        "the schedules did something: {changes}"
    );
}

#[test]
fn a_lost_and_a_changed_record_are_found_and_fetched_again() {
    for damage in [
        "DELETE FROM listing WHERE lid = (SELECT max(lid) FROM listing)",
        "UPDATE listing SET hash = zeroblob(16) WHERE lid = (SELECT min(lid) FROM listing);
         UPDATE base SET body = zeroblob(3) WHERE rid = (SELECT min(lid) & 1099511627775 FROM listing);
         UPDATE scope SET sum = zeroblob(16) WHERE held = 1",
        "UPDATE scope SET count = count + 1 WHERE held = 1",
    ] {
        let mut simulation = Simulation::new(5);
        simulation.settle();
        simulation.phones[0].store().writer().db.execute_batch(damage).unwrap();
        simulation.now = simulation.now.plus_minutes(25 * 60);
        simulation.settle();
    }
}

#[test]
fn a_sum_that_never_fits_ends_in_an_error_after_a_few_tries() {
    let mut simulation = Simulation::new(6);
    let mut round = Round::new(10_000);
    for _ in 0..20 {
        let request = round
            .next_request(&simulation.phones[0].store().writer())
            .unwrap();
        let Some(request) = request else {
            panic!("the phone believed it")
        };
        let mut response: SyncResponse =
            cbor::from_bytes(&simulation.ask(0, &request).unwrap()).unwrap();
        for page in &mut response.pages {
            page.sum = page.sum.as_ref().map(|_| vec![9; 16]);
        }
        let SimPhone {
            store, identity, ..
        } = &simulation.phones[0];
        let mut writer = store.as_ref().unwrap().writer();
        round
            .on_response(
                &mut writer,
                identity,
                &cbor::to_bytes(&response),
                simulation.now,
            )
            .unwrap();
        if round.broken {
            assert_eq!(round.report.round_trips, 4);
            return;
        }
    }
    panic!("it never ended");
}

#[test]
fn what_is_asked_ahead_of_storing_is_what_is_asked_after_it() {
    let mut simulation = Simulation::new(7);
    let mut round = Round::new(2);
    let (mut ahead, mut right) = (None, 0);
    loop {
        let request = round
            .next_request(&simulation.phones[0].store().writer())
            .unwrap();
        if let Some(ahead) = ahead.take() {
            assert_eq!(Some(&ahead), request.as_ref());
            right += 1;
        }
        let Some(request) = request else { break };
        let response = simulation.ask(0, &request).unwrap();
        ahead = round.request_ahead(&response);
        simulation.apply(0, &mut round, &response);
    }
    assert!(
        right >= 3,
        "{right} requests of a first download were asked ahead"
    );
}

#[test]
fn nothing_is_asked_ahead_with_mutations_or_of_another_server() {
    let simulation = Simulation::new(8);
    let mut round = Round::new(2);
    let writer = simulation.phones[0].store().writer();
    round.next_request(&writer).unwrap();
    let response = |incarnation, revoked| {
        cbor::to_bytes(&SyncResponse {
            incarnation,
            now: BEGINNING,
            receipts: vec![],
            bodies: vec![],
            pages: vec![],
            gained: vec![],
            revoked,
            more: true,
            backed_up_through: 0,
            high_water: 0,
            settled_through: 0,
        })
    };
    let last = round.last.as_mut().unwrap();
    last.incarnation = 5;
    assert!(round.request_ahead(&response(5, vec![])).is_some());
    assert!(round.request_ahead(&response(6, vec![])).is_none());
    let scope = Scope::person(MemberId(Id::from_bytes([1; 16])));
    assert!(round.request_ahead(&response(5, vec![scope])).is_none());
    assert!(round.request_ahead(b"\xa0").is_none());
    let last = round.last.as_mut().unwrap();
    last.mutations.push(sotay_model::wire::Sent {
        n: 1,
        mutation: vec![],
    });
    assert!(round.request_ahead(&response(5, vec![])).is_none());
}
