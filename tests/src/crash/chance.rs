//! Chance that can be repeated: SplitMix64 from a seed.

use std::time::Duration;

/// A source of numbers; the same seed gives the same ones.
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    /// From a seed, and what it is for.
    pub(super) fn new(seed: u64, purpose: u64) -> Self {
        let mut chance = Self(seed ^ purpose.wrapping_mul(0xd134_2543_de82_ef95));
        chance.number();
        chance
    }

    /// Any number.
    pub(super) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, and 0 below 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.number() % limit.max(1)
    }

    /// True in so many of a hundred cases.
    pub(super) fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    /// One of these.
    pub(super) fn one_of<'t, T>(&mut self, things: &'t [T]) -> Option<&'t T> {
        things.get(usize::try_from(self.below(things.len() as u64)).unwrap_or(0))
    }

    /// A duration between a microsecond and `longest`, the short ones as likely as the long ones.
    pub(super) fn moment(&mut self, longest: Duration) -> Duration {
        let share = (self.number() >> 11) as f64 / (1_u64 << 53) as f64;
        Duration::from_secs_f64(1e-6 * (longest.as_secs_f64() / 1e-6).powf(share))
    }

    /// A duration up to `longest`, all as likely.
    pub(super) fn evenly(&mut self, longest: Duration) -> Duration {
        Duration::from_nanos(self.below(u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Chance;

    #[test]
    fn the_same_seed_gives_the_same_chance() {
        let drawn = |seed, purpose| {
            let mut chance = Chance::new(seed, purpose);
            [(); 8].map(|()| chance.number())
        };
        assert_eq!(drawn(7, 1), drawn(7, 1));
        assert_ne!(drawn(7, 1), drawn(8, 1));
        assert_ne!(drawn(7, 1), drawn(7, 2));
    }

    #[test]
    fn moments_lie_within_their_bounds() {
        let mut chance = Chance::new(1, 1);
        for _ in 0..1_000 {
            let moment = chance.moment(Duration::from_millis(5));
            assert!(moment >= Duration::from_nanos(900) && moment <= Duration::from_millis(6));
        }
    }
}
