//! `scenario-server SCENARIO.json`: makes the scenario's commune and serves it from a process of its own, until standard input is closed.
//! For the scenario runners of all languages; `tests/scenarios/README.md` says what it prints and understands.

use std::path::Path;

use serde_json::json;
use sotay_tests::examiner::make_newer;
use sotay_tests::network::Network;
use sotay_tests::scenario::{Place, Scenario};
use sotay_tests::server::{say, serve_if_asked};
use sotay_tests::{Failure, fail};

fn main() -> Result<(), Failure> {
    if serve_if_asked()? {
        return Ok(());
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path] = arguments.as_slice() else {
        fail!("usage: scenario-server SCENARIO.json");
    };
    let scenario = Scenario::read(Path::new(path))?;
    let mut place = Place::make(&scenario)?;
    // Whoever joins by the relay's address goes through a network that can fail.
    let relay = Network::to(place.address())?;
    let mut introduction = place.introduction();
    introduction["relay"] = json!(relay.address().to_string());
    say(&introduction.to_string())?;
    for line in std::io::stdin().lines() {
        let line = line?;
        match line.trim().split_once(' ') {
            Some(("newer", words)) => make_newer(words)?,
            Some(("relay", words)) => relay.obey(words)?,
            _ => place.turn(line.trim())?,
        }
        say(line.trim())?;
    }
    Ok(())
}
