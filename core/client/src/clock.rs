//! What time it is: the server's time, carried on by a clock that nobody can set.
//!
//! A phone's wall clock may be years off and may be set while the app runs. The time since the phone was started cannot be
//! set and goes on while it sleeps. So the phone remembers what the server's clock said at which moment since its start; as
//! long as it is not started anew, that gives the server's time. After a new start the wall clock and its last known
//! distance to the server's have to do, and the time is *uncertain* until the next sync.
//!
//! Invariant: no clock decides about an entry. It is stamped, shown and sent whatever the time; the server alone judges.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};
use sotay_model::Timestamp;

use crate::keys;
use crate::store::locked;

/// Counts the time since the phone was started, also while it sleeps.
#[cfg(any(target_os = "linux", target_os = "android"))]
const SINCE_BOOT: ClockId = ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const SINCE_BOOT: ClockId = ClockId::Monotonic;

/// Where Linux and Android name the current start of the system.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// What the phone's clocks say at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock; it may be years off.
    pub wall: Timestamp,
    /// Milliseconds since the phone was started, sleep included.
    pub since_boot: i64,
    /// Which start that was. Where the system does not name it, every process names its own.
    pub boot: [u8; 16],
}

/// Where the phone's time comes from.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// What the clocks say now.
    fn read(&self) -> Reading;
}

/// The phone's own clocks.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn read(&self) -> Reading {
        let since_boot = clock_gettime(SINCE_BOOT);
        Reading {
            wall: wall(),
            since_boot: since_boot
                .tv_sec
                .saturating_mul(1_000)
                .saturating_add(since_boot.tv_nsec / 1_000_000),
            boot: boot(),
        }
    }
}

fn wall() -> Timestamp {
    let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    Timestamp(
        match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => ms(since),
            Err(before) => -ms(before.duration()),
        },
    )
}

fn boot() -> [u8; 16] {
    static BOOT: OnceLock<[u8; 16]> = OnceLock::new();
    *BOOT.get_or_init(|| {
        named_boot(std::fs::read_to_string(BOOT_ID).unwrap_or_default().trim())
            .or_else(|| keys::random().ok())
            .unwrap_or_default()
    })
}

/// The 32 hexadecimal digits of a boot id, with hyphens between them.
fn named_boot(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    if digits.len() != 32 {
        return None;
    }
    u128::from_str_radix(&digits, 16)
        .ok()
        .map(u128::to_be_bytes)
}

/// Clocks that tests set.
#[derive(Debug)]
pub struct SettableClock(Mutex<Reading>);

impl SettableClock {
    /// Clocks that stand at this until they are set.
    pub const fn at(reading: Reading) -> Self {
        Self(Mutex::new(reading))
    }

    /// Time passes: all clocks go on.
    pub fn advance(&self, ms: i64) {
        let mut reading = locked(&self.0);
        reading.wall.0 += ms;
        reading.since_boot += ms;
    }

    /// Somebody sets the wall clock.
    pub fn jump(&self, ms: i64) {
        locked(&self.0).wall.0 += ms;
    }

    /// The phone is started anew.
    pub fn reboot(&self) {
        let mut reading = locked(&self.0);
        reading.since_boot = 0;
        for byte in &mut reading.boot {
            *byte = byte.wrapping_add(1);
        }
    }
}

impl Clock for SettableClock {
    fn read(&self) -> Reading {
        *locked(&self.0)
    }
}

/// The server's time at one moment since the phone was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anchor {
    server: Timestamp,
    since_boot: i64,
    boot: [u8; 16],
}

impl Anchor {
    /// The server's clock said `server` when the phone's said `reading`.
    pub(crate) const fn new(server: Timestamp, reading: &Reading) -> Self {
        Self {
            server,
            since_boot: reading.since_boot,
            boot: reading.boot,
        }
    }

    /// The server's time now; none after a new start of the phone.
    fn server_time(&self, reading: &Reading) -> Option<Timestamp> {
        let passed = reading.since_boot.checked_sub(self.since_boot)?;
        // A clock that went backwards is not the one that was read then.
        (self.boot == reading.boot && passed >= 0)
            .then_some(Timestamp(self.server.0.saturating_add(passed)))
    }

    /// Whether the other one tells the same time, to a quarter of a second: it need not be written down again.
    pub(crate) const fn agrees(&self, other: &Self) -> bool {
        let (one, two) = (
            self.server.0.saturating_sub(self.since_boot),
            other.server.0.saturating_sub(other.since_boot),
        );
        one.abs_diff(two) < 250 && u128::from_be_bytes(self.boot) == u128::from_be_bytes(other.boot)
    }

    /// As it is kept in the database.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        [
            self.server.0.to_be_bytes().as_slice(),
            &self.since_boot.to_be_bytes(),
            &self.boot,
        ]
        .concat()
    }

    /// As it was kept; none where it cannot be read, which only makes the time uncertain.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (server, rest) = bytes.split_first_chunk()?;
        let (since_boot, boot) = rest.split_first_chunk()?;
        Some(Self {
            server: Timestamp(i64::from_be_bytes(*server)),
            since_boot: i64::from_be_bytes(*since_boot),
            boot: boot.try_into().ok()?,
        })
    }
}

/// What the phone knows of the server's time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// By the clock that nobody can set.
    pub(crate) anchor: Option<Anchor>,
    /// Milliseconds from the wall clock to the server's, when last both were seen.
    pub(crate) offset: i64,
}

impl Known {
    /// The best guess at the server's time, and whether it is more than a guess.
    pub(crate) fn time(&self, reading: &Reading) -> (Timestamp, bool) {
        match self.anchor.and_then(|anchor| anchor.server_time(reading)) {
            Some(time) => (time, true),
            None => (Timestamp(reading.wall.0.saturating_add(self.offset)), false),
        }
    }
}

/// The time, shared by everything on the phone that asks for it.
#[derive(Debug)]
pub(crate) struct Time {
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
    /// The latest that the server ever said; it is surely over.
    over: AtomicI64,
}

impl Time {
    /// By these clocks, and nothing known of the server's yet.
    pub(crate) fn by(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            known: Mutex::default(),
            over: AtomicI64::new(0),
        }
    }

    /// What was kept when the app last ran.
    pub(crate) fn recall(&self, known: Known, last_synced: Timestamp) {
        *locked(&self.known) = known;
        self.over.fetch_max(last_synced.0, Ordering::Relaxed);
    }

    /// The server told its time; what is to be kept of it, if that is new.
    pub(crate) fn learn(&self, server: Timestamp) -> Option<Known> {
        let reading = self.clock.read();
        let anchor = Anchor::new(server, &reading);
        self.over.fetch_max(server.0, Ordering::Relaxed);
        let mut known = locked(&self.known);
        let same = known.anchor.is_some_and(|before| before.agrees(&anchor));
        *known = Known {
            anchor: Some(anchor),
            offset: server.0.saturating_sub(reading.wall.0),
        };
        (!same).then_some(*known)
    }

    /// The best guess at the server's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.told().0
    }

    /// The best guess, and whether it is more than one.
    pub(crate) fn told(&self) -> (Timestamp, bool) {
        let reading = self.clock.read();
        locked(&self.known).time(&reading)
    }

    /// The phone's own wall clock.
    pub(crate) fn wall(&self) -> Timestamp {
        self.clock.read().wall
    }

    /// A time that is surely over: the server's, or where that is uncertain, the latest it ever said.
    pub(crate) fn surely_over(&self) -> (Timestamp, bool) {
        match self.told() {
            (time, true) => (time, true),
            (_, false) => (Timestamp(self.over.load(Ordering::Relaxed)), false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: i64 = 365 * 86_400_000;

    fn clocks() -> SettableClock {
        SettableClock::at(Reading {
            wall: Timestamp(1_800_000_000_000),
            since_boot: 50_000,
            boot: [1; 16],
        })
    }

    /// What a phone knows after the server said `server`.
    fn told(clock: &SettableClock, server: Timestamp) -> Known {
        let reading = clock.read();
        Known {
            anchor: Some(Anchor::new(server, &reading)),
            offset: server.0 - reading.wall.0,
        }
    }

    #[test]
    fn promise_15_a_wall_clock_that_jumps_ten_years_moves_nothing() {
        for years in [-10, 10] {
            let clock = clocks();
            clock.jump(years * YEAR);
            let server = Timestamp(1_795_000_000_000);
            let known = told(&clock, server);
            clock.advance(60_000);
            clock.jump(-2 * years * YEAR);
            assert_eq!(
                known.time(&clock.read()),
                (Timestamp(server.0 + 60_000), true)
            );
        }
    }

    #[test]
    fn promise_15_after_a_new_start_the_time_is_uncertain_and_goes_by_the_wall_clock() {
        let clock = clocks();
        clock.jump(3 * YEAR);
        let server = Timestamp(1_795_000_000_000);
        let known = told(&clock, server);
        clock.advance(3_600_000);
        clock.reboot();
        assert_eq!(
            known.time(&clock.read()),
            (Timestamp(server.0 + 3_600_000), false)
        );
        assert_eq!(
            told(&clock, server).time(&clock.read()),
            (server, true),
            "the next answer makes it certain again"
        );
    }

    #[test]
    fn promise_15_a_clock_that_stood_still_or_went_back_gives_a_guess_and_never_an_earlier_certainty()
     {
        let clock = clocks();
        let server = Timestamp(1_795_000_000_000);
        let known = told(&clock, server);
        assert_eq!(known.time(&clock.read()), (server, true));
        clock.advance(-10_000);
        assert!(!known.time(&clock.read()).1);
    }

    #[test]
    fn an_anchor_is_kept_and_read_as_it_is() {
        let anchor = Anchor::new(Timestamp(-5), &clocks().read());
        assert_eq!(Anchor::from_bytes(&anchor.to_bytes()), Some(anchor));
        assert_eq!(Anchor::from_bytes(&[1, 2, 3]), None);
        assert_eq!(Anchor::from_bytes(&[0; 33]), None);
    }

    #[test]
    fn an_anchor_that_tells_the_same_time_need_not_be_kept_again() {
        let clock = clocks();
        let one = Anchor::new(Timestamp(1_000_000), &clock.read());
        clock.advance(5_000);
        assert!(one.agrees(&Anchor::new(Timestamp(1_005_100), &clock.read())));
        assert!(!one.agrees(&Anchor::new(Timestamp(1_006_000), &clock.read())));
        clock.reboot();
        assert!(!one.agrees(&Anchor::new(Timestamp(950_000), &clock.read())));
    }

    #[test]
    fn the_systems_clocks_go_forward_and_name_one_start() {
        let (one, two) = (SystemClock.read(), SystemClock.read());
        assert!(two.since_boot >= one.since_boot && one.since_boot > 0);
        assert_eq!(one.boot, two.boot);
        assert_ne!(one.boot, [0; 16]);
    }

    #[test]
    fn a_boot_id_is_read_with_its_hyphens() {
        assert_eq!(
            named_boot("00010203-0405-0607-0809-0a0b0c0d0e0f").map(|id| id[15]),
            Some(15)
        );
        assert_eq!(named_boot(""), None);
        assert_eq!(named_boot("zz010203-0405-0607-0809-0a0b0c0d0e0f"), None);
    }
}
