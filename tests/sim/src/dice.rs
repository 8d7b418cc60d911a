//! The randomness of a run: one seed, one sequence, the same on every machine.

/// splitmix64.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The sequence of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_add(1))
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a limit; 0 where the limit is 0.
    pub const fn below(&mut self, limit: u64) -> u64 {
        if limit == 0 { 0 } else { self.next() % limit }
    }

    /// An index of a list of this length.
    pub const fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// True so many times in a hundred.
    pub const fn percent(&mut self, chance: u64) -> bool {
        self.next() % 100 < chance
    }

    /// One of a list.
    pub fn pick<'l, T>(&mut self, from: &'l [T]) -> Option<&'l T> {
        let index = self.index(from.len());
        from.get(index)
    }

    /// Ten bytes, as an identifier wants them.
    pub fn ten(&mut self) -> [u8; 10] {
        let mut ten = [0; 10];
        ten[..8].copy_from_slice(&self.next().to_be_bytes());
        ten[8..].copy_from_slice(&self.next().to_be_bytes()[..2]);
        ten
    }
}
