//! B6: a thousand queued mutations go up: answers that a secretary entered for ten members to each of a hundred meetings. One
//! phone, one cell, TLS, the server's disk synced.
//!
//! Half of the times another phone has cancelled one of these meetings, so that ten of the thousand are refused; the other times it
//! cancels a meeting that nobody answered, so that as much comes down. The cost of refusals is the difference. The order is
//! clean, refused, refused, clean, so that nothing that recurs every other time falls on one kind alone.

use std::time::{Duration, Instant};

use sotay_model::meetings::{Channel, Choice};
use sotay_model::{MeetingKey, MemberId};

use super::ground::{Ground, publish};
use super::{Extent, Figure, Samples};
use crate::fail;
use crate::failure::Failure;
use crate::phone::Phone;

const TARGET: f64 = 10_000.0;
const COST_TARGET: f64 = 5.0;
/// Members whose answers are entered for each meeting, one in a hundred of all.
const MEMBERS: usize = 10;

pub(super) fn measure(extent: &Extent) -> Result<Figure, Failure> {
    let queued = extent.queued;
    let meetings = (queued / MEMBERS).max(2);
    let rounds = (extent.rounds / 20).clamp(2, 4) / 2 * 2;
    let ground = Ground::make()?;
    let (secretary, deputy) = (
        ground.phone("m01", "secretary")?,
        ground.phone("m02", "deputy")?,
    );
    deputy.handbook().sync()?;
    // One is cancelled in each round, and one round more begins.
    let mut held: Vec<MeetingKey> = Vec::new();
    for _ in 0..meetings + 2 * rounds + 1 {
        held.push(publish(&deputy)?);
    }
    deputy.handbook().sync()?;
    secretary.handbook().sync()?;
    let members = (3..3 + MEMBERS)
        .map(|number| ground.member(&format!("m{number:02}")))
        .collect::<Result<Vec<_>, _>>()?;

    let (mut clean, mut refusing, mut first) = (Samples::default(), Samples::default(), None);
    for round in 0..=2 * rounds {
        let refuses = matches!(round % 4, 2 | 3);
        let choice = if round % 2 == 0 {
            Choice::WillAttend
        } else {
            Choice::Undecided
        };
        let answered: Vec<MeetingKey> = held.iter().take(meetings).copied().collect();
        enter(&secretary, &answered, &members, choice)?;
        let cancelled = if refuses { 0 } else { held.len() - 1 };
        deputy
            .handbook()
            .cancel_meeting(held.remove(cancelled), "Đo".into())?;
        deputy.handbook().sync()?;

        let began = Instant::now();
        let report = secretary.handbook().sync()?;
        let took = began.elapsed();
        let refused = if refuses { MEMBERS } else { 0 };
        if (report.accepted as usize, report.refused as usize)
            != (meetings * MEMBERS - refused, refused)
        {
            fail!("the server carried out and refused {report:?}");
        }
        match (round, refuses) {
            // New records, and everything cold.
            (0, _) => first = Some(took),
            (_, true) => refusing.push(took),
            (_, false) => clean.push(took),
        }
    }
    let rate = |milliseconds: f64| (meetings * MEMBERS) as f64 / milliseconds * 1e3;
    let (clean, refusing) = (clean.percentile(50), refusing.percentile(50));
    let cost = (refusing / clean - 1.0) * 100.0;
    let first = first.unwrap_or(Duration::ZERO).as_secs_f64() * 1e3;
    let figure = rate(refusing);
    Ok(Figure {
        id: "B6",
        what: "upload of 1,000 queued mutations, 1% refused",
        figure,
        unit: "mutations/s",
        raw: None,
        ratio: None,
        target: TARGET,
        met: figure >= TARGET && cost <= COST_TARGET,
        detail: vec![
            ("none refused, mutations/s", rate(clean)),
            ("cost of refusals, % (target 5)", cost),
            ("the first time, all records new, mutations/s", rate(first)),
        ],
    })
}

/// Enters an answer for each member to each meeting.
pub(super) fn enter(
    phone: &Phone,
    meetings: &[MeetingKey],
    members: &[MemberId],
    choice: Choice,
) -> Result<(), Failure> {
    for meeting in meetings {
        for member in members {
            phone
                .handbook()
                .respond_on_behalf(*meeting, *member, choice, Channel::PhoneCall, 1)?;
        }
    }
    Ok(())
}
