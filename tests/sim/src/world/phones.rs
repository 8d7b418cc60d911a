//! Phones: looked at after every step, and opened again after whatever befell them.

use sotay_client::HandbookError;
use sotay_client::simulation::{Held, Phone};
use sotay_disk::Fault;

use super::{Message, ROOT, World};
use crate::ensure;
use crate::expected;
use crate::violation::Checked;

impl World<'_> {
    /// What a phone holds; none when power was lost meanwhile.
    pub(super) fn look(&mut self, number: usize) -> Checked<Option<Held>> {
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

    pub(super) fn check_phone(&mut self, number: usize) -> Checked {
        match self.look(number)? {
            Some(held) => self.settle_on(number, held),
            None => Ok(()),
        }
    }

    /// Compares a phone's state with what it should be, and keeps it.
    pub(super) fn settle_on(&mut self, number: usize, held: Held) -> Checked {
        self.tally.checks += 1;
        let one = &mut self.phones[number];
        expected::check(one.owner, &held, &self.chronicle, &mut one.ledger)
            .map_err(|what| format!("phone {number}: {what}"))?;
        one.held = held;
        Ok(())
    }

    /// A call on a phone failed: it must have changed nothing, and the phone goes on.
    pub(super) fn failed(&mut self, number: usize, error: &HandbookError) -> Checked {
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
    pub(super) fn lose_power(&mut self, number: usize) -> Checked {
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

    pub(super) fn open(&mut self, number: usize) -> Checked {
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

    pub(super) fn set_aside(&mut self, number: usize) -> Checked {
        // What was on its way to the database that is gone does not reach the new one.
        self.messages
            .retain(|message| !matches!(message, Message::Down { phone, .. } if *phone == number));
        let one = &mut self.phones[number];
        one.phone = None;
        one.round = None;
        one.astray.clear();
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

    pub(super) fn rebuild(&mut self, number: usize) -> Checked {
        self.log(format_args!("phone {number} begins a new database"));
        self.fault("database rebuilt");
        self.set_aside(number)?;
        self.open(number)
    }

    /// The process is killed: what it wrote stays, what it held in memory is gone.
    pub(super) fn kill(&mut self, number: usize) -> Checked {
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

    /// A bit of a closed phone's database flips.
    pub(super) fn flip(&mut self, number: usize) -> Checked {
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
}
