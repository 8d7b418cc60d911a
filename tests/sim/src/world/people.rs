//! What people do: entries on phones, what is put away, what the operator enters.

use sotay_client::HandbookError;
use sotay_model::{MemberId, Timestamp};

use super::World;
use crate::ensure;
use crate::expected;
use crate::intents::{self, Author};
use crate::violation::Checked;

impl World<'_> {
    pub(super) fn enter(&mut self, number: usize) -> Checked {
        if self.dice.percent(4) {
            return self.discard(number);
        }
        // Most of what is drawn is nothing that a person may do: a few tries, until something is kept.
        for _ in 0..4 {
            if self.enter_something(number)? {
                break;
            }
        }
        Ok(())
    }

    /// Draws an entry; whether it was more than refused.
    fn enter_something(&mut self, number: usize) -> Checked<bool> {
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
            return Ok(true);
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
                    return Ok(true);
                };
                if self.phones[number].powered {
                    expected::check_step(&self.phones[number].held, &after, &told)
                        .map_err(|what| format!("phone {number}: {what}"))?;
                }
                self.settle_on(number, after)?;
                Ok(true)
            }
            Err(HandbookError::Refused { .. }) => {
                self.log(format_args!("phone {number} may not: {name}"));
                Ok(false)
            }
            Err(error) => {
                // It may have reached the journal; it then comes back, and is sent.
                ledger.attempted.push((made_at, intent));
                self.log(format_args!("phone {number} cannot keep {name}: {error}"));
                self.failed(number, &error)?;
                Ok(true)
            }
        }
    }

    pub(super) fn discard(&mut self, number: usize) -> Checked {
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

    pub(super) fn operate(&mut self) -> Checked {
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
}
