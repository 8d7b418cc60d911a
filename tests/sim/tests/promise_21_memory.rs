//! Out of memory at each of SQLite's allocations, while a phone keeps an answer and while it applies a response. A program of its
//! own, because SQLite takes another allocator only before it is first used.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;
mod copies;

use sotay_client::HandbookError;
use sotay_disk::memory;
use sotay_model::cbor;

use common::Stage;
use copies::{place, stage_with_response, take_in};

/// Does something on a phone with no memory for each of SQLite's allocations in turn; whether the ones after it fail too.
fn without_memory(
    stage: &mut Stage,
    lasting: bool,
    act: impl Fn(&Stage) -> Result<(), HandbookError>,
) {
    let (before, ground) = (stage.held(1), stage.phones[1].disk.snapshot());
    place(stage, 1, &ground, 1);
    act(stage).unwrap();
    let after = stage.held(1);
    assert_ne!(before, after);
    let mut refused = 0;
    for at in 0.. {
        place(stage, 1, &ground, 1);
        if lasting {
            memory::fail_allocations_from(at);
        } else {
            memory::fail_allocation_at(at);
        }
        let acted = act(stage);
        let failed = memory::stop_failing();
        let found = stage.held(1);
        match acted {
            // SQLite can do without some.
            Ok(()) => assert!(found == after, "allocation {at}"),
            Err(HandbookError::StorageFull | HandbookError::StorageFailed { .. }) => {
                assert!(found == before, "something changed at allocation {at}");
                refused += 1;
                act(stage).unwrap();
                assert!(stage.held(1) == after, "another end after allocation {at}");
            }
            Err(error) => panic!("allocation {at}: {error:?}"),
        }
        // And so it is at the next opening.
        let kept = stage.phones[1].disk.snapshot();
        place(stage, 1, &kept, 1);
        assert!(
            stage.held(1) == after,
            "lost at the next opening: allocation {at}"
        );
        if failed == 0 {
            break;
        }
    }
    assert!(refused > 0);
}

#[test]
fn promise_21_every_failing_allocation_leaves_the_old_state_and_recovery_works() {
    memory::install().unwrap();
    for lasting in [false, true] {
        let (mut stage, _) = stage_with_response(true);
        let answer = stage.answer(1, stage.meeting(0, 1));
        without_memory(&mut stage, lasting, |stage| {
            stage.try_submit(1, answer.clone().into()).map(|_| ())
        });
        let (mut stage, response) = stage_with_response(true);
        let bytes = cbor::to_bytes(&response);
        without_memory(&mut stage, lasting, |stage| take_in(stage, 1, &bytes));
    }
}
