//! Allocations that fail: an error, never a crash, and nothing committed is lost. One test: the allocator is the process's.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{ENCRYPTED, PLAIN, add_batch, batches, connect, ledger};
use sotay_disk::{Disk, memory};

#[test]
fn a_failing_allocation_at_any_place_is_an_error_and_loses_nothing() {
    memory::install().unwrap();
    for mode in [PLAIN, ENCRYPTED] {
        let template = ledger(1, mode).snapshot();
        for lasting in [false, true] {
            let mut errors = 0;
            for at in 0.. {
                let disk = Disk::from_snapshot(at, &template);
                if lasting {
                    memory::fail_allocations_from(at);
                } else {
                    memory::fail_allocation_at(at);
                }
                let done = connect(&disk, mode).and_then(|mut db| add_batch(&mut db, 1));
                let failed = memory::stop_failing();
                let found = batches(&connect(&disk, mode).unwrap());
                match done {
                    Ok(()) => assert_eq!(found, [1], "allocation {at}"),
                    Err(_) => {
                        errors += 1;
                        assert!(failed > 0, "allocation {at}: failed for another reason");
                        assert!(found.is_empty() || found == [1], "allocation {at}");
                    }
                }
                if failed == 0 {
                    assert!(at > 100, "only {at} allocations");
                    break;
                }
            }
            assert!(
                errors > 50,
                "only {errors} allocations that failed were noticed"
            );
        }
    }
}
