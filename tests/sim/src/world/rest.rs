//! Rest: the faults end, and everybody must have everything.

use std::collections::BTreeSet;

use sotay_client::simulation::Round;
use sotay_model::defect;

use super::World;
use crate::expected;
use crate::server_disk::{holds, open_engine};
use crate::violation::Checked;

impl World<'_> {
    /// The faults end. Everybody reaches the server, and in a bounded time everybody has everything.
    pub(super) fn rest(&mut self) -> Checked {
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
            // It is on again, and was looked at since: whatever it takes in from now on is judged.
            self.phones[number].powered = true;
        }
        // What one phone sends again after a restore, another sees in its next sync; and a phone that only now meets the damage in its
        // database, and begins a new one, has to ask once more.
        for pass in 0..5 {
            let before = (self.chronicle.now.lines(), self.rebuilt());
            for number in 0..self.phones.len() {
                self.sync_to_the_end(number)?;
            }
            if pass > 0 && (self.chronicle.now.lines(), self.rebuilt()) == before {
                break;
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

    /// How many databases were begun anew.
    fn rebuilt(&self) -> Option<u64> {
        self.tally.faults.get("database rebuilt").copied()
    }

    pub(super) fn sync_to_the_end(&mut self, number: usize) -> Checked {
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
