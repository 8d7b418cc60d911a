//! B7: a thousand changes of others arrive while a thousand own ones are pending: both are answers entered for members of one
//! cell, to the same hundred meetings.
//!
//! A relay holds the page back while the phone's owner goes on writing, and then lets it go. The time is from that instant to the
//! return of `sync`, or to the first byte of its next request where it carries the thousand up at once: TLS, unpacking, storing
//! the page, and the replay of the outbox over it are all in it.

use std::time::Instant;

use sotay_model::MeetingKey;
use sotay_model::meetings::Choice;

use super::ground::{Ground, publish};
use super::upload::enter;
use super::{Extent, Figure, Samples};
use crate::fail;
use crate::failure::Failure;
use crate::relay::Relay;

const TARGET: f64 = 30.0;
const MEMBERS: usize = 10;

pub(super) fn measure(extent: &Extent) -> Result<Figure, Failure> {
    let ground = Ground::make()?;
    let relay = Relay::to(ground.address(), &ground.data())?;
    let deputy = ground.phone("m02", "deputy")?;
    let secretary = ground.phone_by("m01", "secretary", relay.address())?;
    deputy.handbook().sync()?;
    let meetings = (0..(extent.queued / MEMBERS).max(1))
        .map(|_| publish(&deputy))
        .collect::<Result<Vec<MeetingKey>, _>>()?;
    deputy.handbook().sync()?;
    secretary.handbook().sync()?;
    let members = (3..3 + MEMBERS)
        .map(|number| ground.member(&format!("m{number:02}")))
        .collect::<Result<Vec<_>, _>>()?;
    let changes = meetings.len() * MEMBERS;

    let mut samples = Samples::default();
    for round in 0..(extent.rounds / 20).clamp(3, 7) {
        let (mine, theirs) = if round % 2 == 0 {
            (Choice::WillAttend, Choice::Undecided)
        } else {
            (Choice::Undecided, Choice::WillAttend)
        };
        enter(&deputy, &meetings, &members, theirs)?;
        deputy.handbook().sync()?;
        relay.forget();
        relay.hold();
        let handbook = secretary.shared();
        let syncing = std::thread::spawn(move || (handbook.sync(), Instant::now()));
        relay.wait_for_held()?;
        enter(&secretary, &meetings, &members, mine)?;
        relay.release();
        let (report, ended) = match syncing.join() {
            Ok((report, ended)) => (report?, ended),
            Err(_) => fail!("the syncing thread panicked"),
        };
        let seen = relay.exchanges();
        let Some(released) = seen.first().and_then(|exchange| exchange.released) else {
            fail!("the relay saw nothing");
        };
        let ended = seen.get(1).map_or(ended, |next| next.began);
        samples.push(ended.saturating_duration_since(released));
        // What waits goes up before the next round.
        let accepted = report.accepted + secretary.handbook().sync()?.accepted;
        if (report.received as usize) < changes || accepted as usize != changes {
            fail!("the sync brought {report:?}, and {accepted} went up");
        }
    }
    let figure = samples.percentile(50);
    Ok(Figure {
        id: "B7",
        what: "rebase of 1,000 pending over 1,000 remote changes",
        figure,
        unit: "ms",
        raw: None,
        ratio: None,
        target: TARGET,
        met: figure <= TARGET,
        detail: vec![("slowest, ms", samples.percentile(100))],
    })
}
