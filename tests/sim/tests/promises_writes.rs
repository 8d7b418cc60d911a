//! What the engine promises about writes, and some of what it promises about reads while there are writes: each numbered
//! promise as a directed test. The simulator looks for the rest by chance.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{PENDING, Stage, states, title};

#[test]
fn the_stage_syncs() {
    let mut stage = Stage::new(&[0, 6]);
    stage.sync(0);
    stage.submit(0, stage.notice(0, 1));
    assert_eq!(states(&stage.held(0)), [(1, PENDING)]);
    stage.sync(0);
    stage.sync(1);
    let meeting = stage.meeting(0, 1);
    assert_eq!(title(&stage.held(1), meeting).unwrap(), "Sinh hoạt 1");
}
