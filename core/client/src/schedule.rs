//! When to sync next, and why: a decision without a clock, a network or a random number of its own.
//!
//! Invariants: pauses after failures never shrink while failures go on, and never exceed [`LONGEST_PAUSE`] unless the server
//! itself asked for more; chance shortens a pause by at most half, so that phones do not come all at once; success forgets
//! all failures. What only a person, an update or the server's office can mend is not tried again by itself: something must
//! happen first, as an entry, the app coming to the front, or an explicit sync.
//!
//! It also decides how much to ask for in one answer ([`Pace`]): little at first, more while answers come fast, so that a
//! slow network brings something before the time is up.

use std::time::Duration;

use crate::error::{HandbookError, ServerFault};

/// The pause after the first failure; each further one doubles it.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause after failures.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// The longest pause that a server may ask for.
pub(crate) const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);
/// While wake-ups are heard, asked this often all the same: a wake-up may have been lost.
pub(crate) const POLL_HEARD: Duration = Duration::from_secs(30 * 60);
/// Without wake-ups, asked this often.
pub(crate) const POLL: Duration = Duration::from_secs(10 * 60);
/// On a metered network, where no wake-ups are listened to, asked this often.
pub(crate) const POLL_METERED: Duration = Duration::from_secs(60 * 60);

/// How a try to sync ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum SyncOutcome {
    /// All was sent and fetched.
    Done,
    /// The time for it was over; what was done is kept, and the next one goes on from there.
    OutOfTime,
    /// No connection.
    Unreachable,
    /// The server has too much to do, or an error of its own.
    ServerFailed {
        /// The HTTP status.
        code: u16,
    },
    /// Something answered, but not as a Sotay server does.
    Unexpected {
        /// What was wrong with the answer.
        fault: ServerFault,
    },
    /// The server does not know this phone, or it was revoked.
    PhoneNotKnown,
    /// The server speaks a newer protocol.
    AppTooOld,
    /// No handbook has been joined.
    NotJoined,
    /// The handbook was paused.
    Paused,
    /// Somebody ended it.
    Cancelled,
    /// The key store is locked, or failed.
    KeyNotThere,
    /// The phone's storage is full.
    StorageFull,
    /// The phone's storage failed, or the database cannot be read.
    StorageFailed,
    /// A defect of ours.
    Internal,
}

impl SyncOutcome {
    /// How a sync ended with this error.
    pub(crate) const fn of(error: &HandbookError) -> Self {
        match error {
            HandbookError::ServerUnreachable { .. } => Self::Unreachable,
            HandbookError::ServerUnexpected {
                fault: ServerFault::Status { code },
                ..
            } if *code == 429 || *code >= 500 => Self::ServerFailed { code: *code },
            HandbookError::ServerUnexpected { fault, .. } => Self::Unexpected { fault: *fault },
            HandbookError::PhoneNotKnown | HandbookError::Revoked => Self::PhoneNotKnown,
            HandbookError::AppTooOld => Self::AppTooOld,
            HandbookError::NotEnrolled => Self::NotJoined,
            HandbookError::Paused => Self::Paused,
            HandbookError::Cancelled => Self::Cancelled,
            HandbookError::KeyLocked
            | HandbookError::KeyFailed
            | HandbookError::KeyLost { .. }
            | HandbookError::PinNeeded { .. }
            | HandbookError::PinWrong { .. }
            | HandbookError::PinMalformed
            | HandbookError::WipedAfterTries { .. }
            | HandbookError::WrongKey => Self::KeyNotThere,
            HandbookError::StorageFull => Self::StorageFull,
            HandbookError::StorageFailed { .. }
            | HandbookError::DatabaseUnreadable { .. }
            | HandbookError::NewerDatabase { .. }
            | HandbookError::InUse => Self::StorageFailed,
            HandbookError::AlreadyEnrolled
            | HandbookError::InvitationUnreadable { .. }
            | HandbookError::InvitationUnusable
            | HandbookError::Refused { .. }
            | HandbookError::NotApproved
            | HandbookError::UpdateNeeded { .. }
            | HandbookError::DigitsMalformed
            | HandbookError::NotHere
            | HandbookError::Unsent { .. }
            | HandbookError::OutboxFull { .. }
            | HandbookError::Internal { .. } => Self::Internal,
        }
    }

    /// Whether it counts as a failure: success, and what was ended on purpose, do not.
    pub(crate) const fn failed(self) -> bool {
        !matches!(
            self,
            Self::Done | Self::OutOfTime | Self::Cancelled | Self::Paused
        )
    }
}

/// Why the next try is when it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum NextTryReason {
    /// All is well: the server is asked now and then whether there is something new.
    Poll,
    /// More waits to be fetched or sent.
    Unfinished,
    /// The last try failed; each further failure doubles the pause.
    BackOff,
    /// The server asked to be left alone until then.
    AskedByServer,
    /// Tried when something happens: the server does not know this phone.
    PhoneNotKnown,
    /// Tried when something happens: the app must be updated.
    AppTooOld,
    /// Tried when somebody joined.
    NotJoined,
    /// Tried when the handbook is resumed.
    Paused,
}

/// What the decision depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation {
    /// How the last try ended.
    pub(crate) outcome: SyncOutcome,
    /// How many failed in a row, with the last.
    pub(crate) failures: u32,
    /// How long the server asked to be left alone.
    pub(crate) asked: Option<Duration>,
    /// Wake-ups are heard.
    pub(crate) heard: bool,
    /// The network costs money by the byte.
    pub(crate) metered: bool,
    /// Entries wait to be sent.
    pub(crate) pending: bool,
}

/// When to try next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Next {
    /// After this long; none: when something happens.
    pub(crate) pause: Option<Duration>,
    /// Why.
    pub(crate) reason: NextTryReason,
}

impl Next {
    const fn when_woken(reason: NextTryReason) -> Self {
        Self {
            pause: None,
            reason,
        }
    }

    /// Whether an entry or a wake-up may come before the pause is over.
    pub(crate) const fn may_be_woken(&self) -> bool {
        !matches!(self.reason, NextTryReason::AskedByServer)
    }
}

/// Decides. `chance` is any number, all equally likely.
pub(crate) fn next(situation: &Situation, chance: u16) -> Next {
    let after = |pause: Duration, reason| Next {
        pause: Some(pause),
        reason,
    };
    match situation.outcome {
        SyncOutcome::Done => {
            let poll = match situation {
                // An entry that a server took no note of is sent again before long, whatever the network.
                Situation { pending: true, .. } => POLL,
                Situation { metered: true, .. } => POLL_METERED,
                Situation { heard: true, .. } => POLL_HEARD,
                _ => POLL,
            };
            after(jittered(poll, chance), NextTryReason::Poll)
        }
        SyncOutcome::OutOfTime => after(jittered(FIRST_PAUSE, chance), NextTryReason::Unfinished),
        SyncOutcome::PhoneNotKnown => Next::when_woken(NextTryReason::PhoneNotKnown),
        SyncOutcome::AppTooOld => Next::when_woken(NextTryReason::AppTooOld),
        SyncOutcome::NotJoined => Next::when_woken(NextTryReason::NotJoined),
        SyncOutcome::Paused => Next::when_woken(NextTryReason::Paused),
        // A call that somebody ended says nothing about the network.
        SyncOutcome::Cancelled => after(jittered(FIRST_PAUSE, chance), NextTryReason::BackOff),
        SyncOutcome::Unreachable
        | SyncOutcome::ServerFailed { .. }
        | SyncOutcome::Unexpected { .. }
        | SyncOutcome::KeyNotThere
        | SyncOutcome::StorageFull
        | SyncOutcome::StorageFailed
        | SyncOutcome::Internal => {
            let pause = jittered(back_off(situation.failures), chance);
            match situation.asked.map(|asked| asked.min(LONGEST_ASKED)) {
                // Never earlier than the server asked; later by chance, so that the phones it sent away do not return together.
                Some(asked) if asked >= pause => after(
                    asked + jittered(asked / 4, chance),
                    NextTryReason::AskedByServer,
                ),
                _ => after(pause, NextTryReason::BackOff),
            }
        }
    }
}

/// When to listen to wake-ups again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListenAgain {
    /// After this long.
    pub(crate) pause: Duration,
    /// With a sync before, which finds out what is wrong.
    pub(crate) sync_first: bool,
}

/// Decides it, once a stream of wake-ups has ended, or could not begin. One that the server ended brings no sync of its own: the
/// next one begins with a wake-up. Nor does a server that has no place for one more listener: it is asked as often as without
/// wake-ups.
pub(crate) fn listen_again(
    ended: Result<(), SyncOutcome>,
    failures: u32,
    asked: Option<Duration>,
    chance: u16,
) -> ListenAgain {
    let pause = jittered(back_off(failures), chance);
    match (ended, asked) {
        (Ok(()), _) => ListenAgain {
            pause,
            sync_first: false,
        },
        (Err(SyncOutcome::ServerFailed { .. }), Some(asked)) => {
            let asked = asked.min(LONGEST_ASKED);
            ListenAgain {
                pause: pause.max(asked + jittered(asked / 4, chance)),
                sync_first: false,
            }
        }
        (Err(_), _) => ListenAgain {
            pause,
            sync_first: true,
        },
    }
}

/// The longest that a pause after so many failures in a row may be.
pub(crate) fn back_off(failures: u32) -> Duration {
    FIRST_PAUSE
        .saturating_mul(1 << failures.saturating_sub(1).min(16))
        .min(LONGEST_PAUSE)
}

/// Between half of a duration and all of it.
pub(crate) fn jittered(duration: Duration, chance: u16) -> Duration {
    duration / 2 + duration / 2 * u32::from(chance) / u32::from(u16::MAX)
}

/// A `Retry-After` in seconds; the form with a date is of no use to a phone whose clock is off.
pub(crate) fn asked_to_wait(retry_after: &str) -> Option<Duration> {
    retry_after.trim().parse().ok().map(Duration::from_secs)
}

/// How many rows to ask for in the next answer.
///
/// The number follows the time that answers take: an answer that took a fifth of the wanted time is followed by one five
/// times as large, up to [`Pace::GROWTH`] times. Where the time is limited, an answer must also fit what is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    rows: u32,
    longest: u32,
}

impl Pace {
    /// The fewest rows worth a round trip.
    pub(crate) const FEWEST: u32 = 16;
    /// How much larger than the last one an answer may be.
    pub(crate) const GROWTH: u32 = 8;
    /// How long one answer should take.
    pub(crate) const WANTED: Duration = Duration::from_secs(1);

    /// The first answer of a sync has `first` rows, none more than `longest`.
    pub(crate) const fn starting(first: u32, longest: u32) -> Self {
        Self {
            rows: if first < longest { first } else { longest },
            longest,
        }
    }

    /// How many rows to ask for.
    pub(crate) const fn rows(&self) -> u32 {
        self.rows
    }

    /// An answer came after `took`; `left` is what remains of the time, where it is limited.
    pub(crate) fn answered(&mut self, took: Duration, left: Option<Duration>) {
        let wanted = left.map_or(Self::WANTED, |left| Self::WANTED.min(left / 3));
        let fitting = u128::from(self.rows) * wanted.as_micros() / took.as_micros().max(1);
        let most = self.rows.saturating_mul(Self::GROWTH).min(self.longest);
        self.rows = u32::try_from(fitting).unwrap_or(u32::MAX).clamp(
            Self::FEWEST.min(self.longest),
            most.max(Self::FEWEST.min(self.longest)),
        );
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn failed(failures: u32, asked: Option<Duration>) -> Situation {
        Situation {
            outcome: SyncOutcome::Unreachable,
            failures,
            asked,
            heard: false,
            metered: false,
            pending: true,
        }
    }

    fn pause(situation: &Situation, chance: u16) -> Duration {
        next(situation, chance).pause.unwrap()
    }

    const RETRIED: [SyncOutcome; 8] = [
        SyncOutcome::Unreachable,
        SyncOutcome::ServerFailed { code: 429 },
        SyncOutcome::ServerFailed { code: 503 },
        SyncOutcome::Unexpected {
            fault: ServerFault::Html,
        },
        SyncOutcome::KeyNotThere,
        SyncOutcome::StorageFull,
        SyncOutcome::StorageFailed,
        SyncOutcome::Internal,
    ];

    proptest! {
        #[test]
        fn promise_04_pauses_after_failures_grow_up_to_a_bound_and_chance_takes_at_most_half(
            failures in 1_u32..100, chance: u16, which in 0_usize..RETRIED.len(), metered: bool, heard: bool, pending: bool
        ) {
            let situation = |failures| Situation {
                outcome: RETRIED[which], failures, asked: None, heard, metered, pending,
            };
            let now = pause(&situation(failures), chance);
            prop_assert!(now <= LONGEST_PAUSE);
            prop_assert!(now >= FIRST_PAUSE / 2);
            prop_assert!(now >= back_off(failures) / 2 && now <= back_off(failures));
            prop_assert!(pause(&situation(failures + 1), chance) >= now);
            prop_assert_eq!(next(&situation(failures), chance).reason, NextTryReason::BackOff);
        }

        #[test]
        fn promise_04_a_server_that_asks_for_a_pause_gets_it_within_bounds(
            failures in 1_u32..20, chance: u16, asked in 0_u64..1_000_000
        ) {
            let asked = Duration::from_secs(asked);
            let found = next(&failed(failures, Some(asked)), chance);
            let found_pause = found.pause.unwrap();
            prop_assert!(found_pause >= asked.min(LONGEST_ASKED));
            prop_assert!(found_pause <= (LONGEST_ASKED + LONGEST_ASKED / 4).max(LONGEST_PAUSE));
            prop_assert_eq!(found.may_be_woken(), found.reason != NextTryReason::AskedByServer);
        }

        #[test]
        fn success_forgets_the_failures(chance: u16, failures: u32, heard: bool, metered: bool, pending: bool) {
            let situation = |failures| Situation {
                outcome: SyncOutcome::Done, failures, asked: None, heard, metered, pending,
            };
            prop_assert_eq!(next(&situation(failures), chance), next(&situation(0), chance));
            prop_assert!(pause(&situation(failures), chance) <= POLL_METERED);
        }

        #[test]
        fn an_answer_grows_at_most_eightfold_and_never_beyond_the_limit(
            first in 1_u32..20_000, longest in 16_u32..20_000, took in 1_u64..60_000_000, left: Option<u32>
        ) {
            let mut pace = Pace::starting(first, longest);
            let before = pace.rows();
            prop_assert!(before <= longest);
            pace.answered(Duration::from_micros(took), left.map(|ms| Duration::from_millis(ms.into())));
            prop_assert!(pace.rows() <= longest);
            prop_assert!(pace.rows() >= Pace::FEWEST);
            prop_assert!(pace.rows() <= before.saturating_mul(Pace::GROWTH).max(Pace::FEWEST));
        }
    }

    #[test]
    fn promise_04_what_nobody_here_can_mend_waits_for_something_to_happen() {
        for outcome in [
            SyncOutcome::PhoneNotKnown,
            SyncOutcome::AppTooOld,
            SyncOutcome::NotJoined,
            SyncOutcome::Paused,
        ] {
            let situation = Situation {
                outcome,
                ..failed(3, None)
            };
            assert_eq!(next(&situation, 7).pause, None, "{outcome:?}");
        }
    }

    proptest! {
        #[test]
        fn promise_04_listening_begins_again_later_each_time_and_never_before_the_server_allows(
            failures in 1_u32..100, chance: u16, asked in 0_u64..1_000_000
        ) {
            let asked = Duration::from_secs(asked);
            let busy = Err(SyncOutcome::ServerFailed { code: 503 });
            let again = listen_again(busy, failures, Some(asked), chance);
            prop_assert!(again.pause >= asked.min(LONGEST_ASKED));
            prop_assert!(again.pause <= (LONGEST_ASKED + LONGEST_ASKED / 4).max(LONGEST_PAUSE));
            prop_assert!(!again.sync_first);
            for (ended, sync_first) in [
                (Ok(()), false),
                // Something on the way failed, not the server that asks for a pause.
                (busy, true),
                (Err(SyncOutcome::Unreachable), true),
                (Err(SyncOutcome::PhoneNotKnown), true),
            ] {
                let again = listen_again(ended, failures, None, chance);
                prop_assert!(again.pause >= back_off(failures) / 2 && again.pause <= back_off(failures));
                prop_assert_eq!(again.sync_first, sync_first);
            }
        }
    }

    #[test]
    fn a_metered_network_is_asked_less_often_unless_something_waits() {
        let quiet = Situation {
            outcome: SyncOutcome::Done,
            failures: 0,
            asked: None,
            heard: true,
            metered: false,
            pending: false,
        };
        let metered = Situation {
            metered: true,
            heard: false,
            ..quiet
        };
        let pending = Situation {
            pending: true,
            ..metered
        };
        assert_eq!(pause(&quiet, u16::MAX), POLL_HEARD);
        assert_eq!(pause(&metered, u16::MAX), POLL_METERED);
        assert_eq!(pause(&pending, u16::MAX), POLL);
    }

    #[test]
    fn every_error_has_an_outcome_that_says_whether_trying_again_helps() {
        let unexpected = |fault| HandbookError::ServerUnexpected {
            address: String::new(),
            fault,
        };
        for (error, outcome) in [
            (
                unexpected(ServerFault::Status { code: 503 }),
                SyncOutcome::ServerFailed { code: 503 },
            ),
            (
                unexpected(ServerFault::Status { code: 429 }),
                SyncOutcome::ServerFailed { code: 429 },
            ),
            (
                unexpected(ServerFault::Status { code: 418 }),
                SyncOutcome::Unexpected {
                    fault: ServerFault::Status { code: 418 },
                },
            ),
            (HandbookError::PhoneNotKnown, SyncOutcome::PhoneNotKnown),
            (HandbookError::Cancelled, SyncOutcome::Cancelled),
            (HandbookError::StorageFull, SyncOutcome::StorageFull),
        ] {
            assert_eq!(SyncOutcome::of(&error), outcome);
        }
        assert!(!SyncOutcome::Cancelled.failed());
        assert!(SyncOutcome::PhoneNotKnown.failed());
    }

    #[test]
    fn retry_after_is_read_in_seconds_only() {
        assert_eq!(asked_to_wait(" 120 "), Some(Duration::from_secs(120)));
        assert_eq!(asked_to_wait("Mon, 23 Nov 2026 00:00:00 GMT"), None);
        assert_eq!(asked_to_wait("-1"), None);
    }

    #[test]
    fn a_slow_network_gets_small_answers_and_a_fast_one_large_ones_soon() {
        let mut slow = Pace::starting(Pace::FEWEST, 10_000);
        slow.answered(Duration::from_secs(2), Some(Duration::from_secs(2)));
        assert_eq!(slow.rows(), Pace::FEWEST);
        let mut fast = Pace::starting(Pace::FEWEST, 10_000);
        for _ in 0..4 {
            fast.answered(Duration::from_millis(5), Some(Duration::from_secs(5)));
        }
        assert_eq!(fast.rows(), 10_000);
    }
}
