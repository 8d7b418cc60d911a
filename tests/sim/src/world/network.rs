//! The network: requests and responses on their way, lost, doubled, overtaken, late.

use sotay_client::simulation::{Fault as Unapplied, Round};
use sotay_model::wire::{ProblemCode, SyncResponse};
use sotay_model::{Timestamp, cbor};

use super::{Message, World};
use crate::ensure;
use crate::expected;
use crate::violation::Checked;

impl World<'_> {
    /// A phone begins to sync, or gives up waiting.
    pub(super) fn go_on(&mut self, number: usize) -> Checked {
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
    pub(super) fn ask(&mut self, number: usize, mut round: Round) -> Checked {
        let one = &mut self.phones[number];
        let Some(phone) = &one.phone else {
            return Ok(());
        };
        match phone.next_request(&mut round) {
            Ok(Some(bytes)) => {
                self.requests += 1;
                let id = self.requests;
                one.round = Some((round, id));
                one.disturbed = false;
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

    pub(super) fn deliver(&mut self) -> Checked {
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

    pub(super) fn deliver_up(&mut self, place: usize) -> Checked {
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

    pub(super) fn deliver_down(&mut self, place: usize) -> Checked {
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
                one.disturbed = true;
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
    pub(super) fn take_in(
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
                ensure!(
                    !waited || self.phones[number].disturbed,
                    "phone {number}: {fault:?} from an honest server"
                );
                let after = self.look(number)?;
                ensure!(
                    after.is_none_or(|after| after == self.phones[number].held),
                    "phone {number}: a response was refused, and changed something"
                );
                Ok(false)
            }
        }
    }

    /// A response that was given up for lost arrives after all, and nobody waits for it.
    pub(super) fn find_astray(&mut self, number: usize) -> Checked {
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
}
