//! One run: phones, a server and what lies between them, moved step by step by one seed.
//!
//! A step is one thing: somebody enters something, a message arrives, a disk loses power, the operator restores a backup.
//! After each, whatever it touched is compared with what should be there. Now and then, and at the end, the faults stop, and
//! everybody must come to rest with everything.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use sotay_client::HandbookError;
use sotay_client::simulation::{Fault as Unapplied, Files, Held, Phone, Round};
use sotay_disk::{Disk, Fault, vfs_name};
use sotay_model::wire::{KeyAlgorithm, ProblemCode, SyncRequest, SyncResponse};
use sotay_model::{Id, InstallationId, MemberId, OrganisationId, Timestamp, cbor, defect};
use sotay_server::engine::{Asked, Engine};
use sotay_server::storage::{Installation, Storage};

use crate::chronicle::Chronicle;
use crate::dice::Dice;
use crate::ensure;
use crate::expected::{self, Ledger, Owner};
use crate::ground::{DATABASE, Ground, SimulatedDisk};
use crate::intents::{self, Author};
use crate::plan::Plan;
use crate::reference::{Reference, Said};
use crate::server_disk::{holds, open_engine};
use crate::violation::{Checked, Violation};

/// The phones' key: secrecy is not what is simulated.
const ROOT: [u8; 32] = [7; 32];
const MINUTE: i64 = 60_000;

/// What was done and looked at.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Steps.
    pub steps: u64,
    /// Comparisons of a phone or the server with what should be there.
    pub checks: u64,
    /// Mutations kept on phones.
    pub entered: u64,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.checks += other.checks;
        self.entered += other.entered;
        for (kind, count) in &other.faults {
            *self.faults.entry(kind).or_default() += count;
        }
    }
}

enum Message {
    Up {
        phone: usize,
        id: u64,
        bytes: Vec<u8>,
    },
    Down {
        phone: usize,
        id: u64,
        answer: Result<Vec<u8>, ProblemCode>,
    },
}

struct Simulated {
    owner: Owner,
    cell: OrganisationId,
    files: Files,
    disk: Disk,
    phone: Option<Phone>,
    /// A sync under way, and the request whose answer it waits for.
    round: Option<(Round, u64)>,
    /// Responses that were given up for lost.
    astray: Vec<Vec<u8>>,
    /// How wrong its clock is.
    skew: i64,
    held: Held,
    ledger: Ledger,
    /// A bit of its database was flipped.
    damaged: bool,
    /// It did not lose power in this step.
    powered: bool,
}

/// A server's database, put away.
struct Backup {
    bytes: Vec<u8>,
    reference: Reference,
}

/// See the module.
pub struct World<'g> {
    ground: &'g Ground,
    plan: Plan,
    dice: Dice,
    now: Timestamp,
    disk: Disk,
    engine: Option<Engine>,
    chronicle: Chronicle,
    /// A state that a failed commit may yet come to, when power is lost.
    uncertain: Option<Reference>,
    backups: Vec<Backup>,
    phones: Vec<Simulated>,
    messages: Vec<Message>,
    requests: u64,
    quiet: bool,
    trace: Option<Vec<String>>,
    print: u64,
    /// What was done.
    pub tally: Tally,
}

impl<'g> World<'g> {
    /// The beginning of a seed.
    pub fn new(ground: &'g Ground, seed: u64, tracing: bool) -> Checked<Self> {
        let mut dice = Dice::new(seed);
        let plan = Plan::draw(&mut dice);
        let disk = Disk::from_snapshot(dice.next(), &ground.server);
        defect::pretend_older_server(false);
        let mut world = Self {
            ground,
            plan,
            now: crate::ground::BEGINNING.plus_minutes(60),
            engine: Some(open_engine(&disk)?),
            disk,
            chronicle: Chronicle::new(ground.reference.clone()),
            uncertain: None,
            backups: Vec::new(),
            phones: Vec::new(),
            messages: Vec::new(),
            requests: 0,
            quiet: false,
            trace: tracing.then(Vec::new),
            print: 0xcbf2_9ce4_8422_2325,
            tally: Tally::default(),
            dice,
        };
        let plan = world.plan.clone();
        world.log(format_args!("{plan:?}"));
        for number in 0..world.plan.phones {
            world.add_phone(number)?;
        }
        Ok(world)
    }

    /// The log, where one was wanted.
    pub fn trace(&mut self) -> Vec<String> {
        self.trace.take().unwrap_or_default()
    }

    /// What sums up the log.
    pub const fn print(&self) -> u64 {
        self.print
    }

    fn log(&mut self, what: std::fmt::Arguments<'_>) {
        let mut line = format!("{:>5} ", self.tally.steps);
        // Writing into a text does not fail.
        let _ = line.write_fmt(what);
        for byte in line.bytes() {
            self.print = (self.print ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        if let Some(trace) = &mut self.trace {
            trace.push(line);
        }
    }

    fn fault(&mut self, kind: &'static str) {
        *self.tally.faults.entry(kind).or_default() += 1;
    }

    fn add_phone(&mut self, number: usize) -> Checked {
        let (member, cell) = self.ground.members[number % self.ground.members.len()];
        let installation = InstallationId(Id::from_bytes([number as u8 + 1; 16]));
        let disk = Disk::new(self.dice.next());
        let mut options = disk.options();
        options.strict_folders = self.plan.strict_folders;
        disk.set_options(options);
        let files = Files {
            folder: disk.path("handbook"),
            disk: Arc::new(SimulatedDisk(disk.clone())),
            cipher: self.plan.cipher,
        };
        if self.dice.percent(20) {
            files
                .make_first_schema(&ROOT)
                .map_err(|error| format!("an old database: {error}"))?;
        }
        let phone = Phone::open(&files, &ROOT).map_err(|error| format!("a phone: {error}"))?;
        phone
            .join(installation, member, cell)
            .map_err(|error| format!("joining: {error}"))?;
        // What came before the run is on the disk.
        phone.checkpoint();
        let held = phone.held().map_err(|error| format!("joining: {error}"))?;
        let ten_years = 10 * 365 * 24 * 60 * MINUTE;
        let skew = [0, 0, ten_years, -ten_years, 3 * MINUTE][self.dice.index(5)];
        self.phones.push(Simulated {
            owner: Owner {
                installation,
                member,
            },
            cell,
            files,
            disk,
            phone: Some(phone),
            round: None,
            astray: Vec::new(),
            skew,
            held,
            ledger: Ledger::default(),
            damaged: false,
            powered: true,
        });
        self.enrol(installation, member)
    }

    fn enrol(&mut self, id: InstallationId, member: MemberId) -> Checked {
        let failed = |error: &dyn std::fmt::Display| format!("enrolment: {error}");
        let engine = self.engine.as_mut().ok_or("no server")?;
        let change = engine.storage().write().map_err(|error| failed(&error))?;
        change
            .add_installation(&Installation {
                id,
                member,
                algorithm: KeyAlgorithm::Ed25519,
                public_key: vec![1; 32],
                high_water: 0,
                backed_up: 0,
                settled: 0,
                device_name: "Máy thử".into(),
                enrolled_at: self.now,
                revoked_at: None,
            })
            .map_err(|error| failed(&error))?;
        change.commit().map_err(|error| failed(&error))?;
        self.chronicle.now.add_phone(id, member);
        Ok(())
    }

    /// The whole run.
    pub fn run(&mut self) -> Result<(), Violation> {
        for _ in 0..self.plan.phases {
            for _ in 0..self.plan.steps {
                self.step().map_err(|what| self.violation(what))?;
            }
            self.rest().map_err(|what| self.violation(what))?;
        }
        Ok(())
    }

    const fn violation(&self, what: String) -> Violation {
        Violation {
            step: self.tally.steps,
            what,
        }
    }

    fn step(&mut self) -> Checked {
        self.tally.steps += 1;
        self.now = self.now.plus_minutes(1 + self.dice.below(15).cast_signed());
        let phone = self.dice.index(self.phones.len());
        for one in &mut self.phones {
            one.powered = true;
        }
        let draw = self.dice.below(100);
        match draw {
            0..40 if !self.messages.is_empty() => self.deliver(),
            0..58 => self.go_on(phone),
            58..80 => self.enter(phone),
            80..88 => self.operate(),
            88..92 if self.plan.late > 0 => self.find_astray(phone),
            _ => self.trouble(phone),
        }
    }

    // What people do.

    fn enter(&mut self, number: usize) -> Checked {
        if self.dice.percent(4) {
            return self.discard(number);
        }
        let members: Vec<MemberId> = self.ground.members.iter().map(|(id, _)| *id).collect();
        let cell = if self.dice.percent(85) {
            self.phones[number].cell
        } else {
            *self
                .dice
                .pick(&self.ground.cells)
                .ok_or("there are no cells")?
        };
        let one = &self.phones[number];
        let author = Author {
            me: one.owner.member,
            cell,
            members: &members,
            now: self.now,
        };
        let intent = intents::draw(&mut self.dice, &one.held, author);
        let name = intent.name();
        let made_at = Timestamp(self.now.0.saturating_add(one.skew));
        let Some(phone) = &one.phone else {
            return Ok(());
        };
        let submitted = phone.submit(one.owner.member, self.now, made_at, intent.clone());
        let ledger = &mut self.phones[number].ledger;
        match submitted {
            Ok((n, told)) => {
                ledger.discarded.remove(&n);
                ensure!(
                    ledger.kept.insert(n, (made_at, intent)).is_none(),
                    "phone {number}: the number {n} was given twice"
                );
                self.tally.entered += 1;
                self.log(format_args!("phone {number} enters {n}: {name}"));
                let Some(after) = self.look(number)? else {
                    return Ok(());
                };
                if self.phones[number].powered {
                    expected::check_step(&self.phones[number].held, &after, &told)
                        .map_err(|what| format!("phone {number}: {what}"))?;
                }
                self.settle_on(number, after)
            }
            Err(HandbookError::Refused { .. }) => {
                self.log(format_args!("phone {number} may not: {name}"));
                Ok(())
            }
            Err(error) => {
                // It may have reached the journal; it then comes back, and is sent.
                ledger.attempted.push((made_at, intent));
                self.log(format_args!("phone {number} cannot keep {name}: {error}"));
                self.failed(number, &error)
            }
        }
    }

    fn discard(&mut self, number: usize) -> Checked {
        let one = &self.phones[number];
        let parked: Vec<i64> = one
            .held
            .outbox
            .iter()
            .filter(|(_, own)| own.state == 1)
            .map(|(n, _)| *n)
            .collect();
        let (Some(n), Some(phone)) = (self.dice.pick(&parked).copied(), &one.phone) else {
            return Ok(());
        };
        match phone.discard(n) {
            Ok(()) => {
                self.phones[number].ledger.discarded.insert(n);
                self.log(format_args!("phone {number} discards {n}"));
                self.check_phone(number)
            }
            Err(error) => {
                // The database may have been faster than the failure.
                self.phones[number].ledger.discarded.insert(n);
                self.failed(number, &error)
            }
        }
    }

    // Phones.

    /// What a phone holds; none when power was lost meanwhile.
    fn look(&mut self, number: usize) -> Checked<Option<Held>> {
        for _ in 0..3 {
            let one = &self.phones[number];
            let Some(phone) = &one.phone else {
                return Ok(None);
            };
            match phone.held() {
                Ok(held) => return Ok(Some(held)),
                // A read that fails says nothing of what is there.
                Err(error) if self.phones[number].disk.is_down() => self.failed(number, &error)?,
                Err(HandbookError::StorageFull | HandbookError::StorageFailed { .. }) => {
                    self.phones[number].disk.make_room();
                    self.phones[number].disk.clear_faults();
                }
                Err(error) => self.failed(number, &error)?,
            }
        }
        Err("the phone cannot be read".into())
    }

    fn check_phone(&mut self, number: usize) -> Checked {
        match self.look(number)? {
            Some(held) => self.settle_on(number, held),
            None => Ok(()),
        }
    }

    /// Compares a phone's state with what it should be, and keeps it.
    fn settle_on(&mut self, number: usize, held: Held) -> Checked {
        self.tally.checks += 1;
        let one = &mut self.phones[number];
        expected::check(one.owner, &held, &self.chronicle, &mut one.ledger)
            .map_err(|what| format!("phone {number}: {what}"))?;
        one.held = held;
        Ok(())
    }

    /// A call on a phone failed: it must have changed nothing, and the phone goes on.
    fn failed(&mut self, number: usize, error: &HandbookError) -> Checked {
        let one = &mut self.phones[number];
        if one.disk.is_down() {
            return self.lose_power(number);
        }
        one.round = None;
        match error {
            HandbookError::StorageFull | HandbookError::StorageFailed { .. } => {
                if self.dice.percent(50) {
                    self.phones[number].disk.make_room();
                }
                self.phones[number].disk.clear_faults();
                let Some(after) = self.look(number)? else {
                    return Ok(());
                };
                let one = &self.phones[number];
                ensure!(
                    after == one.held,
                    "phone {number}: a call failed, and changed something"
                );
                self.settle_on(number, after)
            }
            HandbookError::DatabaseUnreadable { .. } if one.damaged => self.rebuild(number),
            error => Err(format!("phone {number}: {error:?} was not expected")),
        }
    }

    /// Power is lost: what was not synced is kept, lost or torn.
    fn lose_power(&mut self, number: usize) -> Checked {
        self.fault("phone loses power");
        self.log(format_args!("phone {number} loses power"));
        let one = &mut self.phones[number];
        (one.phone, one.round) = (None, None);
        one.disk.crash();
        one.powered = false;
        one.ledger.seen.clear();
        if self.quiet || !self.dice.percent(25) {
            one.disk.clear_faults();
        } else {
            // Again while it opens.
            let at = self.dice.below(60);
            one.disk.fail_at(at, Fault::Crash);
        }
        self.open(number)
    }

    fn open(&mut self, number: usize) -> Checked {
        for _ in 0..6 {
            let one = &mut self.phones[number];
            match Phone::open(&one.files, &ROOT) {
                Ok(phone) => {
                    one.phone = Some(phone);
                    return self.check_phone(number);
                }
                Err(_) if one.disk.is_down() => {
                    one.disk.crash();
                    one.powered = false;
                    one.ledger.seen.clear();
                }
                Err(HandbookError::DatabaseUnreadable { .. }) if one.damaged => {
                    one.disk.make_room();
                    self.set_aside(number)?;
                }
                Err(HandbookError::StorageFull | HandbookError::StorageFailed { .. }) => {
                    one.disk.make_room();
                    one.disk.clear_faults();
                }
                Err(error) => return Err(format!("phone {number} does not open: {error:?}")),
            }
        }
        Err(format!("phone {number} does not open"))
    }

    fn set_aside(&mut self, number: usize) -> Checked {
        let one = &mut self.phones[number];
        one.phone = None;
        one.round = None;
        one.disk.clear_faults();
        if one.disk.is_down() {
            one.disk.crash();
            one.powered = false;
        }
        one.damaged = false;
        one.ledger.seen.clear();
        // What was settled or put away is known to the database alone.
        let gone: Vec<i64> = one
            .held
            .outbox
            .iter()
            .filter(|(_, own)| own.state != 0)
            .map(|(n, _)| *n)
            .collect();
        one.ledger.discarded.extend(gone);
        for (from, to) in one.files.damaged() {
            if one.disk.exists(&from).unwrap_or(false) {
                one.disk
                    .rename(&from, &to)
                    .map_err(|error| format!("setting aside: {error}"))?;
            }
        }
        Ok(())
    }

    fn rebuild(&mut self, number: usize) -> Checked {
        self.log(format_args!("phone {number} begins a new database"));
        self.fault("database rebuilt");
        self.set_aside(number)?;
        self.open(number)
    }

    /// A phone begins to sync, or gives up waiting.
    fn go_on(&mut self, number: usize) -> Checked {
        if self.phones[number].round.is_some() {
            if !self.dice.percent(self.plan.impatience) {
                return Ok(());
            }
            self.phones[number].round = None;
            self.fault("time-out");
            self.log(format_args!("phone {number} gives up waiting"));
            if !self.dice.percent(self.plan.impatience) {
                return Ok(());
            }
        }
        let rows = if self.dice.percent(self.plan.small_pages) {
            [1, 1, 2, 3, 1 + self.dice.below(20) as u32][self.dice.index(5)]
        } else {
            10_000
        };
        let bytes = if self.dice.percent(80) {
            0
        } else {
            1 + self.dice.below(4_000) as u32
        };
        let lag = 1 + self.dice.below(6);
        self.ask(number, Round::new(rows, bytes, lag))
    }

    /// The next request of a round goes on its way.
    fn ask(&mut self, number: usize, mut round: Round) -> Checked {
        let one = &mut self.phones[number];
        let Some(phone) = &one.phone else {
            return Ok(());
        };
        match phone.next_request(&mut round) {
            Ok(Some(bytes)) => {
                self.requests += 1;
                let id = self.requests;
                one.round = Some((round, id));
                self.log(format_args!("phone {number} asks #{id}"));
                self.messages.push(Message::Up {
                    phone: number,
                    id,
                    bytes,
                });
                Ok(())
            }
            Ok(None) => {
                self.log(format_args!("phone {number} is through"));
                Ok(())
            }
            Err(error) => self.failed(number, &error),
        }
    }

    // The network.

    fn deliver(&mut self) -> Checked {
        let place = if self.dice.percent(self.plan.reorder) {
            self.dice.index(self.messages.len())
        } else {
            0
        };
        let up = matches!(self.messages[place], Message::Up { .. });
        let broken = if up {
            self.plan.up_is_down
        } else {
            self.plan.down_is_down
        };
        if place > 0 {
            self.fault("message overtaken");
        }
        if !self.quiet && (broken || self.dice.percent(self.plan.loss)) {
            let lost = self.messages.remove(place);
            let (kind, direction) = match &lost {
                Message::Up { .. } => ("request lost", "up"),
                Message::Down { .. } => ("response lost", "down"),
            };
            if let Message::Down {
                phone,
                answer: Ok(bytes),
                ..
            } = lost
            {
                let astray = &mut self.phones[phone].astray;
                astray.push(bytes);
                if astray.len() > 6 {
                    astray.remove(0);
                }
            }
            self.fault(kind);
            self.log(format_args!("a message {direction} is lost"));
            return Ok(());
        }
        match &self.messages[place] {
            Message::Up { .. } => self.deliver_up(place),
            Message::Down { .. } => self.deliver_down(place),
        }
    }

    fn deliver_up(&mut self, place: usize) -> Checked {
        let mut taken = vec![place];
        // Requests that are there at the same time share a transaction.
        if self.dice.percent(30) {
            for (other, message) in self.messages.iter().enumerate() {
                if other != place && matches!(message, Message::Up { .. }) && taken.len() < 4 {
                    taken.push(other);
                }
            }
        }
        let mut batch = Vec::new();
        let again = !self.quiet && self.dice.percent(self.plan.duplicate);
        for place in &taken {
            if let Message::Up { phone, id, bytes } = &self.messages[*place] {
                batch.push((*phone, *id, bytes.clone()));
            }
        }
        if again {
            self.fault("request doubled");
        } else {
            taken.sort_unstable();
            for place in taken.iter().rev() {
                self.messages.remove(*place);
            }
        }
        self.serve(batch)
    }

    fn deliver_down(&mut self, place: usize) -> Checked {
        let again = !self.quiet && self.dice.percent(self.plan.duplicate);
        let (number, id, answer) = match &self.messages[place] {
            Message::Down { phone, id, answer } => (*phone, *id, answer.clone()),
            Message::Up { .. } => return Ok(()),
        };
        if again {
            self.fault("response doubled");
        } else {
            self.messages.remove(place);
        }
        let one = &mut self.phones[number];
        let waited = one.round.as_ref().is_some_and(|(_, waits)| *waits == id);
        let mut round = match one.round.take() {
            Some((round, waits)) if waits == id => round,
            other => {
                one.round = other;
                if !self.dice.percent(self.plan.late) {
                    return Ok(());
                }
                // Whoever waited has given up; the engine must bear it all the same.
                self.fault("late response");
                Round::new(10, 0, 3)
            }
        };
        match answer {
            Ok(bytes) => {
                if !self.take_in(number, &mut round, &bytes, waited)? {
                    return Ok(());
                }
            }
            Err(problem) => {
                self.log(format_args!("phone {number} hears {problem:?}"));
                if !round.on_problem(problem) {
                    ensure!(
                        matches!(
                            problem,
                            ProblemCode::Internal | ProblemCode::Busy | ProblemCode::NumberGap
                        ),
                        "phone {number} is told {problem:?}"
                    );
                    return Ok(());
                }
            }
        }
        if waited {
            return self.ask(number, round);
        }
        Ok(())
    }

    /// Applies a response; whether the round goes on.
    fn take_in(
        &mut self,
        number: usize,
        round: &mut Round,
        bytes: &[u8],
        waited: bool,
    ) -> Checked<bool> {
        let one = &self.phones[number];
        let Some(phone) = &one.phone else {
            return Ok(false);
        };
        let wall = Timestamp(self.now.0.saturating_add(one.skew));
        let applied = phone.on_response(round, one.owner.member, bytes, wall);
        match applied {
            Ok(told) => {
                let Some(after) = self.look(number)? else {
                    return Ok(false);
                };
                let one = &self.phones[number];
                if !one.powered {
                    // It came back without what it took in, or with it: its state is checked already.
                    self.settle_on(number, after)?;
                    return Ok(false);
                }
                let response: SyncResponse =
                    cbor::from_bytes(bytes).map_err(|_| "a response cannot be read")?;
                let with_number = |what| format!("phone {number}: {what}");
                if one.held.incarnation == after.incarnation {
                    expected::check_response(&one.held, &after, &response).map_err(with_number)?;
                }
                expected::check_step(&one.held, &after, &told).map_err(with_number)?;
                ensure!(
                    round.healed() == 0 || one.damaged,
                    "phone {number}: a sum did not fit"
                );
                ensure!(
                    !round.is_broken() || !waited || one.damaged,
                    "phone {number}: pages do not fit"
                );
                self.log(format_args!(
                    "phone {number} takes in {} receipts, {} pages{}",
                    response.receipts.len(),
                    response.pages.len(),
                    if response.more { ", more waits" } else { "" }
                ));
                self.settle_on(number, after)?;
                Ok(true)
            }
            Err(Unapplied::Store(error)) => {
                self.log(format_args!("phone {number} cannot take in: {error}"));
                self.failed(number, &error)?;
                Ok(false)
            }
            Err(fault) => {
                ensure!(!waited, "phone {number}: {fault:?} from an honest server");
                let after = self.look(number)?;
                ensure!(
                    after.is_none_or(|after| after == self.phones[number].held),
                    "phone {number}: a response was refused, and changed something"
                );
                Ok(false)
            }
        }
    }

    // The server.

    fn serve(&mut self, batch: Vec<(usize, u64, Vec<u8>)>) -> Checked {
        let mut asked = Vec::new();
        let mut requests: Vec<(InstallationId, SyncRequest)> = Vec::new();
        for (phone, _, bytes) in &batch {
            let request: SyncRequest =
                cbor::from_bytes(bytes).map_err(|_| "a request cannot be read")?;
            let installation = self.phones[*phone].owner.installation;
            requests.push((installation, request.clone()));
            asked.push(Asked {
                installation,
                request,
            });
        }
        let mut next = self.chronicle.now.clone();
        let said = next.carry_out(&requests, self.now);
        let writes = requests
            .iter()
            .any(|(_, request)| !request.mutations.is_empty());
        let Some(engine) = &mut self.engine else {
            return Err("no server".into());
        };
        match engine.handle_batch(&asked, self.now) {
            Ok(answered) => {
                if writes {
                    self.uncertain = None;
                }
                self.answer(&batch, &requests, &said, next, answered.responses)
            }
            Err(error) => {
                self.log(format_args!("the server fails: {error}"));
                for (phone, id, _) in &batch {
                    self.messages.push(Message::Down {
                        phone: *phone,
                        id: *id,
                        answer: Err(ProblemCode::Internal),
                    });
                }
                self.server_failed(Some(next))
            }
        }
    }

    fn answer(
        &mut self,
        batch: &[(usize, u64, Vec<u8>)],
        requests: &[(InstallationId, SyncRequest)],
        said: &[Said],
        next: Reference,
        responses: Vec<Result<SyncResponse, ProblemCode>>,
    ) -> Checked {
        for (((installation, request), said), answer) in requests.iter().zip(said).zip(&responses) {
            self.tally.checks += 1;
            next.check_answer(*installation, request, said, answer, self.now)
                .map_err(|what| format!("the server: {what}"))?;
        }
        self.chronicle.adopt(next);
        for ((phone, id, _), answer) in batch.iter().zip(responses) {
            let what = match &answer {
                Ok(response) => format!(
                    "{} receipts, {} rows",
                    response.receipts.len(),
                    response
                        .pages
                        .iter()
                        .map(|page| page.rows.len())
                        .sum::<usize>()
                ),
                Err(problem) => format!("{problem:?}"),
            };
            self.log(format_args!("the server answers #{id}: {what}"));
            self.messages.push(Message::Down {
                phone: *phone,
                id: *id,
                answer: answer.map(|response| cbor::to_bytes(&response)),
            });
        }
        Ok(())
    }

    /// The server could not do something; it may have been done all the same.
    fn server_failed(&mut self, attempted: Option<Reference>) -> Checked {
        if !self.disk.is_down() {
            if self.dice.percent(60) || self.quiet {
                self.disk.make_room();
            }
            self.disk.clear_faults();
            // A commit whose sync failed comes true when power is lost before the next one.
            self.uncertain = attempted;
            return Ok(());
        }
        self.server_loses_power(attempted)
    }

    fn server_loses_power(&mut self, attempted: Option<Reference>) -> Checked {
        self.fault("server loses power");
        self.log(format_args!("the server loses power"));
        self.engine = None;
        self.disk.crash();
        self.disk.clear_faults();
        // Its connections are gone, and with them what was on its way down.
        self.messages
            .retain(|message| matches!(message, Message::Up { .. }));
        let candidates = [attempted, self.uncertain.take()];
        self.tally.checks += 1;
        let mut differs = match holds(&self.disk, &self.chronicle.now) {
            Ok(()) => {
                self.engine = Some(open_engine(&self.disk)?);
                return Ok(());
            }
            Err(what) => what,
        };
        for candidate in candidates.into_iter().flatten() {
            match holds(&self.disk, &candidate) {
                Ok(()) => {
                    self.chronicle.adopt(candidate);
                    self.engine = Some(open_engine(&self.disk)?);
                    return Ok(());
                }
                Err(what) => differs = what,
            }
        }
        Err(format!(
            "the server holds neither what was before nor what came after: {differs}"
        ))
    }

    fn operate(&mut self) -> Checked {
        let ground = self.ground;
        let intents = crate::operator::draw(&mut self.dice, ground, self.now)?;
        let mut next = self.chronicle.now.clone();
        let allowed = next.enter(&intents, self.now);
        let Some(engine) = &mut self.engine else {
            return Err("no server".into());
        };
        match engine.enter(intents.clone(), self.now) {
            Ok(Ok(_)) => {
                ensure!(allowed, "the server allows the operator what no rule does");
                self.uncertain = None;
                self.chronicle.adopt(next);
                self.log(format_args!("the operator enters {}", intents[0].name()));
                Ok(())
            }
            Ok(Err(_)) => {
                ensure!(!allowed, "the server refuses the operator");
                Ok(())
            }
            Err(error) => {
                self.log(format_args!("the operator cannot: {error}"));
                self.server_failed(allowed.then_some(next))
            }
        }
    }

    // Trouble.

    fn trouble(&mut self, number: usize) -> Checked {
        let draw = self.dice.below(100);
        let plan = self.plan.clone();
        match draw {
            0..16 if plan.power => {
                let at = self.dice.below(25);
                self.phones[number].disk.fail_at(at, Fault::Crash);
                self.log(format_args!("phone {number} will lose power"));
                Ok(())
            }
            16..24 if plan.power => {
                let at = self.dice.below(60);
                self.disk.fail_at(at, Fault::Crash);
                self.log(format_args!("the server will lose power"));
                Ok(())
            }
            24..30 => self.kill(number),
            30..34 if plan.power => self.server_loses_power(None),
            34..40 if plan.full => {
                self.fault("disk full");
                let at = self.dice.below(10);
                self.phones[number].disk.fail_at(at, Fault::Full);
                Ok(())
            }
            40..43 if plan.full => {
                self.fault("disk full");
                let at = self.dice.below(10);
                self.disk.fail_at(at, Fault::Full);
                Ok(())
            }
            43..48 if plan.errors => {
                self.fault("I/O error");
                let at = self.dice.below(10);
                self.phones[number].disk.fail_at(at, Fault::IoError);
                Ok(())
            }
            48..51 if plan.errors => {
                self.fault("I/O error");
                let at = self.dice.below(10);
                self.disk.fail_at(at, Fault::IoError);
                Ok(())
            }
            51..57 => {
                self.fault("clock jumps");
                let ten_years = 10 * 365 * 24 * 60 * MINUTE;
                self.phones[number].skew =
                    [0, ten_years, -ten_years, 25 * 60 * MINUTE][self.dice.index(4)];
                Ok(())
            }
            57..62 if plan.restore => self.back_up(),
            62..66 if plan.restore => self.restore(),
            66..72 => self.forget(),
            72..78 if plan.versions => {
                self.fault("server of another version");
                let older = self.dice.percent(50);
                defect::pretend_older_server(older);
                self.log(format_args!("the server is older: {older}"));
                Ok(())
            }
            78..84 if plan.partition => {
                let which = self.dice.below(4);
                self.plan.up_is_down = which == 1;
                self.plan.down_is_down = which == 2;
                if which == 1 || which == 2 {
                    self.fault("one direction cut");
                }
                Ok(())
            }
            84..88 => self.unknown_record(),
            88..91 if plan.cipher => self.flip(number),
            91..96 => {
                self.fault("a day passes");
                self.now = self.now.plus_minutes(24 * 60);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A response that was given up for lost arrives after all, and nobody waits for it.
    fn find_astray(&mut self, number: usize) -> Checked {
        let one = &mut self.phones[number];
        if one.astray.is_empty() || one.round.is_some() {
            return Ok(());
        }
        let which = self.dice.index(one.astray.len());
        let bytes = one.astray.remove(which);
        self.fault("late response");
        self.take_in(number, &mut Round::new(10, 0, 3), &bytes, false)
            .map(|_| ())
    }

    /// The process is killed: what it wrote stays, what it held in memory is gone.
    fn kill(&mut self, number: usize) -> Checked {
        self.fault("phone killed");
        let one = &mut self.phones[number];
        if self.dice.percent(50)
            && let Some(phone) = &one.phone
        {
            phone.checkpoint();
        }
        (one.phone, one.round) = (None, None);
        self.log(format_args!("phone {number} is closed"));
        if self.phones[number].disk.is_down() {
            return self.lose_power(number);
        }
        self.open(number)
    }

    fn back_up(&mut self) -> Checked {
        if self.disk.is_down() {
            self.server_loses_power(None)?;
        }
        self.disk.clear_faults();
        self.disk.make_room();
        let path = self.disk.path("backup.db");
        let _ = self.disk.remove(&path);
        let Some(engine) = &mut self.engine else {
            return Err("no server".into());
        };
        let mut reference = self.chronicle.now.clone();
        engine
            .storage()
            .back_up(&path)
            .map_err(|error| format!("the backup: {error}"))?;
        let bytes = self
            .disk
            .read(&path)
            .map_err(|error| format!("the backup: {error}"))?;
        self.backups.push(Backup {
            bytes,
            reference: reference.clone(),
        });
        if self.backups.len() > 2 {
            self.backups.remove(0);
        }
        reference.backed_up();
        self.uncertain = None;
        self.chronicle.adopt(reference);
        self.fault("backup");
        self.log(format_args!("a backup"));
        Ok(())
    }

    fn restore(&mut self) -> Checked {
        if self.backups.is_empty() {
            return Ok(());
        }
        if self.disk.is_down() {
            self.server_loses_power(None)?;
        }
        let which = self.dice.index(self.backups.len());
        let backup = self.backups.remove(which);
        self.backups.clear();
        self.disk.clear_faults();
        self.engine = None;
        self.disk.make_room();
        for ending in ["-wal", "-shm"] {
            let _ = self
                .disk
                .remove(self.disk.path(&format!("{DATABASE}{ending}")));
        }
        let path = self.disk.path(DATABASE);
        self.disk
            .replace(&path, backup.bytes.clone())
            .map_err(|error| format!("restoring: {error}"))?;
        let mut storage =
            Storage::open_in(vfs_name(), &path).map_err(|error| format!("restoring: {error}"))?;
        let incarnation = storage
            .begin_incarnation(self.chronicle.now.incarnation, Timestamp(0))
            .map_err(|error| format!("restoring: {error}"))?;
        let mut reference = backup.reference.clone();
        reference.incarnation = incarnation;
        self.engine = Some(Engine::new(storage));
        self.uncertain = None;
        self.chronicle.restored(reference);
        self.backups.push(backup);
        self.messages.clear();
        for one in &mut self.phones {
            one.round = None;
            one.astray.clear();
        }
        self.fault("server restored");
        self.log(format_args!(
            "the server is restored: incarnation {incarnation}"
        ));
        Ok(())
    }

    fn forget(&mut self) -> Checked {
        let before = self
            .now
            .plus_minutes(-(self.dice.below(3_000).cast_signed()));
        let mut next = self.chronicle.now.clone();
        next.forget_deletions(before);
        let Some(engine) = &mut self.engine else {
            return Err("no server".into());
        };
        match engine.forget_deletions(before) {
            Ok(_) => {
                self.uncertain = None;
                self.fault("deletions forgotten");
                self.chronicle.adopt(next);
                self.log(format_args!("deletions are forgotten"));
                Ok(())
            }
            Err(_) => self.server_failed(Some(next)),
        }
    }

    /// A newer server writes a record of a kind that nobody here knows.
    fn unknown_record(&mut self) -> Checked {
        let cell = *self
            .dice
            .pick(&self.ground.cells)
            .ok_or("there are no cells")?;
        let id = Id::v7(0, self.dice.ten());
        let body = self.dice.next().to_be_bytes().to_vec();
        let put = crate::server_disk::unknown(cell, id, body);
        let mut next = self.chronicle.now.clone();
        let written = next.write(
            &sotay_model::Effect {
                puts: vec![put.clone()],
            },
            self.now,
        );
        let Some(engine) = &mut self.engine else {
            return Err("no server".into());
        };
        match crate::server_disk::write_unknown(engine.storage(), &put, &written, &next, self.now) {
            Ok(()) => {
                self.uncertain = None;
                self.fault("unknown kind of record");
                self.chronicle.adopt(next);
                Ok(())
            }
            Err(_) => self.server_failed(Some(next)),
        }
    }

    /// A bit of a closed phone's database flips.
    fn flip(&mut self, number: usize) -> Checked {
        let one = &mut self.phones[number];
        if let Some(phone) = &one.phone {
            phone.checkpoint();
        }
        (one.phone, one.round) = (None, None);
        if one.disk.is_down() {
            return self.lose_power(number);
        }
        let path = one.files.database();
        let length = one.disk.contents(&path).map_or(0, |bytes| bytes.len());
        if length > 0 {
            let bit = self.dice.index(length * 8);
            one.disk
                .flip_bit(&path, bit)
                .map_err(|error| format!("flipping a bit: {error}"))?;
            one.damaged = true;
            self.fault("bit flipped");
            self.log(format_args!("phone {number}: bit {bit} flips"));
        }
        self.open(number)
    }

    // Rest.

    /// The faults end. Everybody reaches the server, and in a bounded time everybody has everything.
    fn rest(&mut self) -> Checked {
        self.quiet = true;
        self.log(format_args!("rest"));
        (self.plan.up_is_down, self.plan.down_is_down) = (false, false);
        defect::pretend_older_server(false);
        self.messages.clear();
        self.disk.clear_faults();
        self.disk.make_room();
        if self.disk.is_down() {
            self.server_loses_power(None)?;
        }
        for number in 0..self.phones.len() {
            let one = &mut self.phones[number];
            one.round = None;
            one.disk.clear_faults();
            one.disk.make_room();
            if one.disk.is_down() {
                self.lose_power(number)?;
            }
        }
        for _ in 0..2 {
            for number in 0..self.phones.len() {
                self.sync_to_the_end(number)?;
            }
        }
        self.tally.checks += 1;
        if let Some(engine) = self.engine.take() {
            drop(engine);
        }
        holds(&self.disk, &self.chronicle.now).map_err(|what| format!("the server: {what}"))?;
        self.engine = Some(open_engine(&self.disk)?);
        for number in 0..self.phones.len() {
            self.check_phone(number)?;
            let one = &self.phones[number];
            let scopes: BTreeSet<_> = self.chronicle.now.scopes(one.owner.member, self.now);
            self.tally.checks += 1;
            expected::check_at_rest(one.owner, &one.held, &self.chronicle, &scopes)
                .map_err(|what| format!("phone {number} at rest: {what}"))?;
        }
        self.quiet = false;
        Ok(())
    }

    fn sync_to_the_end(&mut self, number: usize) -> Checked {
        self.ask(number, Round::new(10_000, 0, 4))?;
        for _ in 0..400 {
            if self.messages.is_empty() {
                return Ok(());
            }
            self.deliver()?;
        }
        Err(format!("phone {number}: a sync without end"))
    }
}
