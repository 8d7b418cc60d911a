//! B4: a sync with nothing new, by a member who holds twenty scopes, over a connection that stands.
//!
//! A relay that ends TLS counts the requests and their bytes: bodies, and heads beside them. The processor time is that of all
//! threads of the phone's process, from the call of `sync` to its return.

use super::child::{Process, Work};
use super::ground::{Ground, plan_with};
use super::{Extent, Figure};
use crate::commune::{AppointmentPlan, OrganisationPlan};
use crate::examiner;
use crate::fail;
use crate::failure::Failure;
use crate::relay::Relay;

const TARGET: f64 = 1.0;
const BYTES_TARGET: f64 = 1_000.0;
const SCOPES: usize = 20;
/// Cells that the secretary follows: beside the own person, the own cell with its office, and the committee.
const FOLLOWED: usize = SCOPES - 4;

pub(super) fn measure(extent: &Extent) -> Result<Figure, Failure> {
    let mut plan = plan_with("c1");
    for number in 0..FOLLOWED {
        let code = format!("f{number:02}");
        plan.organisations.push(OrganisationPlan {
            code: code.clone(),
            name: format!("Chi bộ mẫu {number:02}"),
            level: "PartyCell".into(),
            above: Some("xa".into()),
        });
        plan.appointments.push(AppointmentPlan {
            member: "m01".into(),
            organisation: code,
            role: "CellFollower".into(),
        });
    }
    let ground = Ground::of(&plan)?;
    let relay = Relay::to(ground.address(), &ground.data())?;
    let phone = ground.phone_by("m01", "idle", relay.address())?;
    phone.handbook().sync()?;
    let scopes = examiner::contents(&phone)?.scopes.len();
    if scopes != SCOPES {
        fail!("the phone holds {scopes} scopes");
    }
    phone.handbook().shutdown()?;

    let rounds = extent.rounds.max(10);
    let mut process = Process::start(Work::SyncAgain, &phone, rounds)?;
    if process.line()? != "ready" {
        fail!("the process did not sync");
    }
    relay.forget();
    let said = process.numbers()?;
    let [spent, took, trips] = said.as_slice() else {
        fail!("the process said {said:?}");
    };
    let seen = relay.exchanges();
    let each = |total: f64| total / rounds as f64;
    let count = |of: fn(&crate::relay::Exchange) -> usize| {
        each(seen.iter().map(|exchange| of(exchange) as f64).sum())
    };
    let (up, down) = (count(|e| e.up.1), count(|e| e.down.map_or(0, |d| d.1)));
    let heads = (count(|e| e.up.0), count(|e| e.down.map_or(0, |d| d.0)));
    let (figure, requests) = (each(*spent as f64) / 1e6, each(seen.len() as f64));
    Ok(Figure {
        id: "B4",
        what: "sync with nothing new, 20 scopes, client CPU",
        figure,
        unit: "ms",
        raw: None,
        ratio: None,
        target: TARGET,
        met: figure <= TARGET
            && requests == 1.0
            && *trips == rounds as u64
            && up + down < BYTES_TARGET,
        detail: vec![
            ("requests (target 1)", requests),
            ("bodies up and down, bytes (target 1,000)", up + down),
            ("body up, bytes", up),
            ("body down, bytes", down),
            ("head up, bytes", heads.0),
            ("head down, bytes", heads.1),
            (
                "from call to return by way of the relay, ms",
                each(*took as f64) / 1e6,
            ),
        ],
    })
}
