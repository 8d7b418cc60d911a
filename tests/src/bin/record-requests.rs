//! `record-requests`: what a phone sends to a server, one JSON line for each request; see `sotay_tests::recording`.

use sotay_tests::Failure;
use sotay_tests::recording::record;
use sotay_tests::server::{say, serve_if_asked};

fn main() -> Result<(), Failure> {
    if serve_if_asked()? {
        return Ok(());
    }
    for request in record()? {
        say(&request.to_string())?;
    }
    Ok(())
}
