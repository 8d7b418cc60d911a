//! Promise 28: whatever the order of threads, once things are quiet every query has delivered a generation at or after the
//! last commit that touches it, and one that nothing touched has delivered none.

#[cfg(not(feature = "shuttle"))]
mod alone {
    use super::super::*;

    fn outbox() -> Touched {
        Touched {
            outbox: true,
            ..Touched::default()
        }
    }

    fn state() -> Touched {
        Touched {
            state: true,
            ..Touched::default()
        }
    }

    #[test]
    fn promise_28_a_burst_is_delivered_once_with_its_last_generation() {
        let watches = Watches::default();
        let watch = watches.watch(Query::Outbox).unwrap();
        watches.next().unwrap();
        for _ in 0..1_000 {
            watches.committed(&outbox());
        }
        let generation = 1_000;
        assert_eq!(watches.next(), Ok(vec![Change { watch, generation }]));
    }

    #[test]
    fn promise_28_a_query_that_nothing_touched_delivers_none() {
        let watches = Watches::default();
        watches.watch(Query::Library).unwrap();
        let told = watches.watch(Query::SyncState).unwrap();
        watches.next().unwrap();
        watches.committed(&outbox());
        watches.committed(&state());
        let delivered = watches.next().unwrap();
        assert_eq!(
            delivered
                .iter()
                .map(|change| change.watch)
                .collect::<Vec<_>>(),
            [told]
        );
    }

    #[test]
    fn promise_28_after_a_pause_every_query_is_due() {
        let watches = Watches::default();
        let all = [
            watches.watch(Query::Home).unwrap(),
            watches.watch(Query::Library).unwrap(),
        ];
        watches.next().unwrap();
        watches.reopened();
        let delivered: Vec<_> = watches
            .next()
            .unwrap()
            .iter()
            .map(|change| change.watch)
            .collect();
        assert_eq!(delivered, all);
    }

    #[test]
    fn the_state_of_syncing_concerns_its_own_query_only() {
        for query in [
            Query::Home,
            Query::Meetings,
            Query::Library,
            Query::Profile,
            Query::Outbox,
        ] {
            assert!(!query.shows(&state(), &Concern::default()), "{query:?}");
        }
        assert!(Query::SyncState.shows(&state(), &Concern::default()));
    }
}

#[cfg(feature = "shuttle")]
mod interleavings {
    use std::collections::BTreeMap;

    use shuttle::thread;

    use super::super::*;
    use crate::threads::Arc;

    /// How many schedules are tried.
    const SCHEDULES: usize = 2_000;

    fn outbox() -> Touched {
        Touched {
            outbox: true,
            ..Touched::default()
        }
    }

    #[test]
    fn promise_28_the_last_commit_is_always_delivered() {
        shuttle::check_random(
            || {
                let watches = Arc::new(Watches::default());
                let untouched = watches.watch(Query::Library).unwrap();
                let touched = watches.watch(Query::Outbox).unwrap();
                let reader = {
                    let watches = Arc::clone(&watches);
                    thread::spawn(move || {
                        let (mut last, mut count) = (BTreeMap::new(), BTreeMap::new());
                        while let Ok(changes) = watches.next() {
                            for change in changes {
                                last.insert(change.watch, change.generation);
                                *count.entry(change.watch).or_insert(0) += 1;
                            }
                            // Quiet: the last of four commits was delivered.
                            if last.get(&touched) == Some(&4) && last.contains_key(&untouched) {
                                return (last, count);
                            }
                        }
                        (last, count)
                    })
                };
                let writers: Vec<_> = (0..2)
                    .map(|_| {
                        let watches = Arc::clone(&watches);
                        thread::spawn(move || {
                            watches.committed(&outbox());
                            watches.committed(&outbox());
                        })
                    })
                    .collect();
                for writer in writers {
                    writer.join().unwrap();
                }
                // Would never come back if the last commit were lost.
                let (last, count) = reader.join().unwrap();
                assert_eq!(last[&touched], 4);
                assert_eq!(count[&untouched], 1, "only the first, at the beginning");
            },
            SCHEDULES,
        );
    }

    #[test]
    fn promise_28_a_pause_between_loses_nothing() {
        shuttle::check_random(
            || {
                let watches = Arc::new(Watches::default());
                let watch = watches.watch(Query::Outbox).unwrap();
                watches.next().unwrap();
                let others: Vec<_> = [
                    (|watches: &Watches| watches.committed(&outbox())) as fn(&Watches),
                    |watches| watches.reopened(),
                ]
                .into_iter()
                .map(|what| {
                    let watches = Arc::clone(&watches);
                    thread::spawn(move || what(&watches))
                })
                .collect();
                let mut last = 0;
                while last < 2 {
                    for change in watches.next().unwrap() {
                        assert_eq!(change.watch, watch);
                        assert!(change.generation > last);
                        last = change.generation;
                    }
                }
                for other in others {
                    other.join().unwrap();
                }
            },
            SCHEDULES,
        );
    }

    #[test]
    fn the_end_ends_every_waiting_call() {
        shuttle::check_random(
            || {
                let watches = Arc::new(Watches::default());
                let waiting: Vec<_> = (0..2)
                    .map(|_| {
                        let watches = Arc::clone(&watches);
                        thread::spawn(move || while watches.next().is_ok() {})
                    })
                    .collect();
                let _ = watches.watch(Query::Home);
                watches.end();
                for call in waiting {
                    call.join().unwrap();
                }
                assert!(watches.watch(Query::Home).is_err());
            },
            SCHEDULES,
        );
    }
}
