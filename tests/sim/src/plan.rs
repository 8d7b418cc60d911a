//! Which faults a seed has, and how often: every seed another mixture, so that rare ones meet.

use crate::dice::Dice;

/// The mixture.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many phones.
    pub phones: usize,
    /// Between two rests, so many steps.
    pub steps: usize,
    /// How many rests.
    pub phases: usize,
    /// Encrypted databases.
    pub cipher: bool,
    /// A file's name is on the disk only when its folder was synced.
    pub strict_folders: bool,
    /// Percent of messages lost.
    pub loss: u64,
    /// Percent of messages doubled.
    pub duplicate: u64,
    /// Percent of messages that overtake others.
    pub reorder: u64,
    /// Percent of responses applied though nobody waits.
    pub late: u64,
    /// Percent of the occasions at which a phone that waits gives up.
    pub impatience: u64,
    /// Percent of syncs that ask for a few rows at a time.
    pub small_pages: u64,
    /// Losses of power.
    pub power: bool,
    /// Full disks.
    pub full: bool,
    /// I/O errors.
    pub errors: bool,
    /// Backups and servers restored from them.
    pub restore: bool,
    /// Servers of another version.
    pub versions: bool,
    /// Partitions in one direction.
    pub partition: bool,
    /// Requests do not arrive at present.
    pub up_is_down: bool,
    /// Responses do not arrive at present.
    pub down_is_down: bool,
}

impl Plan {
    /// Draws one.
    pub fn draw(dice: &mut Dice) -> Self {
        let phones = match dice.below(10) {
            0 => 12 + dice.index(9),
            1..=3 => 6 + dice.index(5),
            _ => 3 + dice.index(3),
        };
        let some = |dice: &mut Dice, often: u64, most: u64| {
            if dice.percent(often) {
                1 + dice.below(most)
            } else {
                0
            }
        };
        Self {
            phones,
            steps: 60 + dice.index(80),
            phases: 1 + dice.index(3),
            cipher: dice.percent(12),
            strict_folders: dice.percent(50),
            loss: some(dice, 60, 25),
            duplicate: some(dice, 60, 15),
            reorder: some(dice, 60, 60),
            late: some(dice, 50, 95),
            impatience: 10 + dice.below(80),
            small_pages: [20, 60, 95][dice.index(3)],
            power: dice.percent(60),
            full: dice.percent(35),
            errors: dice.percent(35),
            restore: dice.percent(35),
            versions: dice.percent(30),
            partition: dice.percent(40),
            up_is_down: false,
            down_is_down: false,
        }
    }
}
