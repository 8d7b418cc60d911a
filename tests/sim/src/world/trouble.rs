//! Which trouble comes next.

use sotay_disk::Fault;
use sotay_model::defect;

use super::{MINUTE, World};
use crate::violation::Checked;

impl World<'_> {
    pub(super) fn trouble(&mut self, number: usize) -> Checked {
        let draw = self.dice.below(100);
        let plan = self.plan.clone();
        match draw {
            0..16 if plan.power => {
                let at = self.dice.below(25);
                self.phones[number].disk.fail_at(at, Fault::Crash);
                self.log(format_args!("phone {number} will lose power"));
                Ok(())
            }
            16..24 if plan.power => {
                let at = self.dice.below(60);
                self.disk.fail_at(at, Fault::Crash);
                self.log(format_args!("the server will lose power"));
                Ok(())
            }
            24..30 => self.kill(number),
            30..34 if plan.power => self.server_loses_power(None),
            34..40 if plan.full => {
                self.fault("disk full");
                let at = self.dice.below(10);
                self.phones[number].disk.fail_at(at, Fault::Full);
                Ok(())
            }
            40..43 if plan.full => {
                self.fault("disk full");
                let at = self.dice.below(10);
                self.disk.fail_at(at, Fault::Full);
                Ok(())
            }
            43..48 if plan.errors => {
                self.fault("I/O error");
                let at = self.dice.below(10);
                self.phones[number].disk.fail_at(at, Fault::IoError);
                Ok(())
            }
            48..51 if plan.errors => {
                self.fault("I/O error");
                let at = self.dice.below(10);
                self.disk.fail_at(at, Fault::IoError);
                Ok(())
            }
            51..57 => {
                self.fault("clock jumps");
                let ten_years = 10 * 365 * 24 * 60 * MINUTE;
                self.phones[number].skew =
                    [0, ten_years, -ten_years, 25 * 60 * MINUTE][self.dice.index(4)];
                Ok(())
            }
            57..62 if plan.restore => self.back_up(),
            62..66 if plan.restore => self.restore(),
            66..72 => self.forget(),
            72..78 if plan.versions => {
                self.fault("server of another version");
                let older = self.dice.percent(50);
                defect::pretend_older_server(older);
                self.log(format_args!("the server is older: {older}"));
                Ok(())
            }
            78..84 if plan.partition => {
                let which = self.dice.below(4);
                self.plan.up_is_down = which == 1;
                self.plan.down_is_down = which == 2;
                if which == 1 || which == 2 {
                    self.fault("one direction cut");
                }
                Ok(())
            }
            84..88 => self.unknown_record(),
            88..91 if plan.cipher => self.flip(number),
            91..96 => {
                self.fault("a day passes");
                self.now = self.now.plus_minutes(24 * 60);
                Ok(())
            }
            96..98 => self.purge(),
            98 => self.expire(),
            _ => Ok(()),
        }
    }
}
