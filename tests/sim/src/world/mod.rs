//! One run: phones, a server and what lies between them, moved step by step by one seed.
//!
//! A step is one thing: somebody enters something, a message arrives, a disk loses power, the operator restores a backup.
//! After each, whatever it touched is compared with what should be there. Now and then, and at the end, the faults stop, and
//! everybody must come to rest with everything.

mod network;
mod people;
mod phones;
mod rest;
mod server;
mod trouble;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use sotay_client::simulation::{Files, Held, Phone, Round, SimulatedDisk};
use sotay_disk::Disk;
use sotay_model::device_key::PublicKey;
use sotay_model::wire::ProblemCode;
use sotay_model::{Id, InstallationId, MemberId, OrganisationId, Timestamp, defect};
use sotay_server::engine::Engine;
use sotay_server::storage::Installation;

use crate::chronicle::Chronicle;
use crate::dice::Dice;
use crate::expected::{Ledger, Owner};
use crate::ground::Ground;
use crate::plan::Plan;
use crate::reference::Reference;
use crate::server_disk::open_engine;
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
    /// Another answer came than the one it waits for, since it asked: what it holds may not be what it asked with.
    disturbed: bool,
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
            disturbed: false,
        });
        self.enrol(installation, member)
    }

    fn enrol(&mut self, id: InstallationId, member: MemberId) -> Checked {
        let failed = |error: &dyn std::fmt::Display| format!("enrolment: {error}");
        let engine = self.engine.as_mut().ok_or("no server")?;
        let change = engine.storage().write().map_err(|error| failed(&error))?;
        change
            .add_installation(
                &Installation::joining(
                    id,
                    member,
                    PublicKey::ed25519(&[1; 32]),
                    "Máy thử".into(),
                    self.now,
                )
                .confirmed(),
            )
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
}
