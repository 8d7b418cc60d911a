//! How often: token buckets for each address, phone, cell and invitation.
//!
//! A bucket is one number, the instant at which it will be full again (the "generic cell rate algorithm"): a request moves it
//! on by the time one token takes, and is refused while it lies further ahead than the bucket is deep. A bucket that is full
//! is forgotten, and no more than [`MAX_BUCKETS`] are remembered, so that no flood of addresses takes memory; what is
//! forgotten first never holds back anybody who did nothing. The clock is passed in, and may jump: nobody waits longer than an
//! empty bucket takes to fill.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use sotay_model::{InstallationId, OrganisationId, Timestamp};

/// The most buckets that are remembered: about 6 MiB.
pub const MAX_BUCKETS: usize = 64 << 10;
/// Locks, so that requests of different phones do not wait for each other.
const SHARDS: usize = 16;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counted {
    /// Any request from an address. An IPv6 address counts with all others of its /64: they are given out as one.
    Address(IpAddr),
    /// Requests that a phone signed.
    Phone(InstallationId),
    /// Requests that phones of members of a cell signed.
    Cell(OrganisationId),
    /// Steps of joining from an address.
    EnrolmentFrom(IpAddr),
    /// Steps of joining by members of a cell.
    EnrolmentIn(OrganisationId),
    /// Steps of joining with an invitation, by its lookup value.
    Invitation([u8; 32]),
}

/// How deep a bucket is, and how fast it fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many requests come through at once.
    pub burst: u32,
    /// How long until one more may come, in milliseconds.
    pub every_ms: u32,
}

impl Rate {
    /// So many at once and so many a second.
    pub const fn new(burst: u32, a_second: u32) -> Self {
        Self {
            burst,
            every_ms: 1_000 / a_second,
        }
    }

    /// How long an empty bucket takes to fill, in milliseconds.
    fn depth(self) -> i64 {
        i64::from(self.burst) * i64::from(self.every_ms)
    }
}

/// The rates of a server.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// All requests of an address. Many phones stand behind one address of a mobile network.
    pub address: Rate,
    /// Signed requests of a phone. A large attachment is two hundred of them.
    pub phone: Rate,
    /// Signed requests of a cell's phones together.
    pub cell: Rate,
    /// Steps of joining from an address: a whole cell in one hall joins at once.
    pub enrolment_from: Rate,
    /// Steps of joining of a cell.
    pub enrolment_in: Rate,
    /// Steps of joining with one invitation.
    pub invitation: Rate,
    /// Whether requests from the machine itself are not counted by their address.
    pub spare_loopback: bool,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            address: Rate::new(2_000, 500),
            phone: Rate::new(600, 5),
            cell: Rate::new(6_000, 100),
            enrolment_from: Rate::new(300, 5),
            enrolment_in: Rate::new(300, 5),
            invitation: Rate::new(60, 1),
            spare_loopback: true,
        }
    }
}

impl Rates {
    /// None: for measuring how fast the rest is.
    pub fn unlimited() -> Self {
        let rate = Rate {
            burst: 1,
            every_ms: 0,
        };
        Self {
            address: rate,
            phone: rate,
            cell: rate,
            enrolment_from: rate,
            enrolment_in: rate,
            invitation: rate,
            spare_loopback: true,
        }
    }
}

/// Too often: not before this many seconds have passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften {
    /// Rounded up.
    pub retry_after_s: u32,
}

/// The buckets of a server.
#[derive(Debug)]
pub struct Limiter {
    rates: Rates,
    shards: Vec<Mutex<HashMap<Counted, i64>>>,
    hasher: std::hash::RandomState,
}

impl Limiter {
    /// All of them full.
    pub fn new(rates: Rates) -> Self {
        Self {
            rates,
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: std::hash::RandomState::new(),
        }
    }

    /// Takes one token, or says when there will be one.
    pub fn allow(&self, what: Counted, now: Timestamp) -> Result<(), TooOften> {
        let Some((what, rate)) = self.rate(what) else {
            return Ok(());
        };
        if rate.every_ms == 0 {
            return Ok(());
        }
        let every = i64::from(rate.every_ms);
        let mut buckets = self
            .shard(&what)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let full_at = buckets.get(&what).copied().unwrap_or(now.0);
        let deepest = now.0 + rate.depth();
        if full_at > deepest {
            // The clock was set back: from here on it counts as empty now.
            buckets.insert(what, deepest);
        }
        let full_at = full_at.clamp(now.0, deepest);
        let after = full_at + every;
        let wait = after - rate.depth() - now.0;
        if wait > 0 {
            let seconds = wait.unsigned_abs().div_ceil(1_000);
            return Err(TooOften {
                retry_after_s: u32::try_from(seconds).unwrap_or(u32::MAX),
            });
        }
        if buckets.len() >= MAX_BUCKETS / SHARDS && !buckets.contains_key(&what) {
            make_room(&mut buckets, now);
        }
        buckets.insert(what, after);
        Ok(())
    }

    /// How many buckets are remembered.
    pub fn remembered(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len())
            .sum()
    }

    /// What is really counted, and how fast; none where it is not.
    fn rate(&self, what: Counted) -> Option<(Counted, Rate)> {
        let rates = &self.rates;
        let spared = |address: IpAddr| rates.spare_loopback && address.is_loopback();
        match what {
            Counted::Address(address) | Counted::EnrolmentFrom(address) if spared(address) => None,
            Counted::Address(address) => {
                Some((Counted::Address(network_of(address)), rates.address))
            }
            Counted::EnrolmentFrom(address) => Some((
                Counted::EnrolmentFrom(network_of(address)),
                rates.enrolment_from,
            )),
            Counted::Phone(_) => Some((what, rates.phone)),
            Counted::Cell(_) => Some((what, rates.cell)),
            Counted::EnrolmentIn(_) => Some((what, rates.enrolment_in)),
            Counted::Invitation(_) => Some((what, rates.invitation)),
        }
    }

    fn shard(&self, what: &Counted) -> &Mutex<HashMap<Counted, i64>> {
        let place = self.hasher.hash_one(what) % SHARDS as u64;
        // The remainder is a place.
        &self.shards[usize::try_from(place).unwrap_or(0)]
    }
}

/// Forgets full buckets; where none is, all but the half that took most.
fn make_room(buckets: &mut HashMap<Counted, i64>, now: Timestamp) {
    buckets.retain(|_, full_at| *full_at > now.0);
    if buckets.len() >= MAX_BUCKETS / SHARDS {
        let mut all: Vec<i64> = buckets.values().copied().collect();
        let middle = all.len() / 2;
        let (_, median, _) = all.select_nth_unstable(middle);
        let median = *median;
        buckets.retain(|_, full_at| *full_at > median);
    }
}

/// The address that is counted: of IPv6 the first 64 bits, and IPv4 as itself, however it is written.
pub(super) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sotay_model::Id;

    const NOW: Timestamp = Timestamp(1_795_316_400_000);

    fn phone(n: u8) -> Counted {
        Counted::Phone(InstallationId(Id::from_bytes([n; 16])))
    }

    fn limiter(burst: u32, a_second: u32) -> Limiter {
        let rate = Rate::new(burst, a_second);
        Limiter::new(Rates {
            address: rate,
            phone: rate,
            spare_loopback: false,
            ..Rates::default()
        })
    }

    fn after(seconds: i64) -> Timestamp {
        Timestamp(NOW.0 + seconds * 1_000)
    }

    #[test]
    fn server_a_bucket_lets_a_burst_through_and_then_one_at_a_time() {
        let limiter = limiter(3, 1);
        for _ in 0..3 {
            assert_eq!(limiter.allow(phone(1), NOW), Ok(()));
        }
        let too_often = Err(TooOften { retry_after_s: 1 });
        assert_eq!(limiter.allow(phone(1), NOW), too_often);
        assert_eq!(limiter.allow(phone(2), NOW), Ok(()), "another has its own");
        assert_eq!(limiter.allow(phone(1), after(1)), Ok(()));
        assert_eq!(limiter.allow(phone(1), after(1)), too_often);
        // Being refused costs nothing, and after a while it is full again.
        for _ in 0..3 {
            assert_eq!(limiter.allow(phone(1), after(60)), Ok(()));
        }
        assert_eq!(limiter.allow(phone(1), after(60)), too_often);
    }

    #[test]
    fn server_a_clock_that_jumps_back_keeps_nobody_away_for_long() {
        let limiter = limiter(3, 1);
        for _ in 0..3 {
            limiter.allow(phone(1), after(1_000_000)).unwrap();
        }
        assert_eq!(
            limiter.allow(phone(1), NOW),
            Err(TooOften { retry_after_s: 1 })
        );
        let mut now = NOW;
        for _ in 0..4 {
            now = Timestamp(now.0 + 1_000);
            if limiter.allow(phone(1), now).is_ok() {
                return;
            }
        }
        panic!("kept away for good");
    }

    #[test]
    fn server_ipv6_counts_by_64_bits_and_ipv4_however_written() {
        let address = |text: &str| Counted::Address(text.parse().unwrap());
        let limiter = limiter(1, 1);
        limiter.allow(address("2001:db8:1:2::1"), NOW).unwrap();
        assert!(limiter.allow(address("2001:db8:1:2:ffff::9"), NOW).is_err());
        limiter.allow(address("2001:db8:1:3::1"), NOW).unwrap();
        limiter.allow(address("203.0.113.7"), NOW).unwrap();
        assert!(limiter.allow(address("::ffff:203.0.113.7"), NOW).is_err());
        limiter.allow(address("203.0.113.8"), NOW).unwrap();
    }

    #[test]
    fn server_a_flood_of_addresses_takes_no_more_memory_and_frees_nobody_who_is_kept_away() {
        let limiter = limiter(5, 1);
        let offender = phone(1);
        while limiter.allow(offender, NOW).is_ok() {}
        for n in 0..3 * u32::try_from(MAX_BUCKETS).unwrap() {
            let address = IpAddr::V4(n.to_be_bytes().into());
            limiter.allow(Counted::Address(address), NOW).unwrap();
        }
        assert!(limiter.remembered() <= MAX_BUCKETS);
        assert!(limiter.allow(offender, NOW).is_err());
        // Once full again they are forgotten.
        for n in 0..u32::try_from(MAX_BUCKETS).unwrap() {
            let address = IpAddr::V4((n | 0xf000_0000).to_be_bytes().into());
            limiter
                .allow(Counted::Address(address), after(i64::from(n) * 60))
                .unwrap();
        }
        assert!(limiter.remembered() <= MAX_BUCKETS);
    }

    #[test]
    fn server_the_machine_itself_is_not_counted_by_its_address() {
        let limiter = Limiter::new(Rates {
            address: Rate::new(1, 1),
            ..Rates::default()
        });
        for _ in 0..10 {
            let here = Counted::Address(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
            limiter.allow(here, NOW).unwrap();
        }
    }
}
