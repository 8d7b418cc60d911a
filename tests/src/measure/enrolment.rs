//! E1: from the scanned invitation to the first screen with the next meeting, over a link as slow as 2G.
//!
//! The officer confirms at once when the six digits are shown: how long people read them out is not the program's. Bytes are those
//! of TLS, with its handshakes; what TCP and IP add is not counted. A second phone does the same by way of a relay that ends TLS and
//! counts requests.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::ground::{Ground, Text, publish};
use super::{Extent, Figure};
use crate::commune::{confirm, invitation};
use crate::fail;
use crate::failure::Failure;
use crate::network::Network;
use crate::phone::Phone;
use crate::relay::Relay;

const TARGET_SECONDS: f64 = 60.0;
const TARGET_BYTES: f64 = 200_000.0;
/// 50 kbit/s in each direction.
const BYTES_PER_SECOND: u32 = 50_000 / 8;
const ROUND_TRIP: Duration = Duration::from_millis(400);
/// Sections of documents, of 280 bytes each, that the cell holds beside its twenty members and a meeting.
const SECTIONS: usize = 200;

/// How long the phone was away from the first screen, and of that until the six digits.
struct Took {
    digits: Duration,
    whole: Duration,
}

fn enrol(ground: &Ground, name: &str, way: SocketAddr) -> Result<Took, Failure> {
    let invited = invitation(&ground.data(), "m03", &way.to_string())?.text();
    let phone = Phone::with_key_file(ground.folder(), name)?;
    let handbook = phone.handbook();
    let began = Instant::now();
    let joining = handbook.join(invited, name.to_owned())?;
    let digits = began.elapsed();
    confirm(&ground.data(), &joining.digits)?;
    if handbook.finish_joining()?.is_none() {
        fail!("confirmed, and waiting all the same");
    }
    handbook.sync()?;
    let home = handbook.home()?;
    let whole = began.elapsed();
    if home.next_meeting.is_none() {
        fail!("the first screen lacks the meeting");
    }
    Ok(Took { digits, whole })
}

pub(super) fn measure(extent: &Extent) -> Result<Figure, Failure> {
    let ground = Ground::make()?;
    let cell = ground.scopes()?[1];
    ground.load_into(&[cell], SECTIONS, Text::Syllables, drop)?;
    let secretary = ground.phone("m01", "secretary")?;
    secretary.handbook().sync()?;
    publish(&secretary)?;
    secretary.handbook().sync()?;

    let slow = Network::to(ground.address())?;
    slow.slow(BYTES_PER_SECOND, ROUND_TRIP);
    let took = enrol(&ground, "slow", slow.address())?;
    let (up, down) = slow.passed();
    let (up, down) = (up as f64, down as f64);

    let relay = Relay::to(ground.address(), &ground.data())?;
    enrol(&ground, "counted", relay.address())?;
    let requests = relay.exchanges().len() as f64;

    // Where "latency" means one way.
    let mut detail = Vec::new();
    if extent.rounds >= Extent::default().rounds {
        let slower = Network::to(ground.address())?;
        slower.slow(BYTES_PER_SECOND, ROUND_TRIP * 2);
        let took = enrol(&ground, "slower", slower.address())?;
        detail.push(("with 800 ms there and back, s", took.whole.as_secs_f64()));
    }

    let seconds = took.whole.as_secs_f64();
    Ok(Figure {
        id: "E1",
        what: "enrolment at 50 kbit/s, 400 ms there and back",
        figure: seconds,
        unit: "s",
        raw: None,
        ratio: None,
        target: TARGET_SECONDS,
        met: seconds <= TARGET_SECONDS && up + down <= TARGET_BYTES,
        detail: [
            ("of that until the six digits, s", took.digits.as_secs_f64()),
            ("bytes up and down (target 200,000)", up + down),
            ("bytes up", up),
            ("bytes down", down),
            ("connections", f64::from(slow.connections())),
            ("requests", requests),
        ]
        .into_iter()
        .chain(detail)
        .collect(),
    })
}
