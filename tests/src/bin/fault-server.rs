//! `fault-server --mode html|500|half|nothing|garbage|busy`: answers wrongly over TLS, under a certificate of nobody's, until its standard input
//! is closed. Prints `listening https://127.0.0.1:PORT`.

use sotay_tests::fault::{FaultServer, self_signed};
use sotay_tests::server::say;
use sotay_tests::{Failure, fail};

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, word] = arguments.as_slice() else {
        fail!("usage: fault-server --mode html|500|half|nothing|garbage|busy");
    };
    if mode != "--mode" {
        fail!("unknown argument {mode}");
    }
    let server = FaultServer::start(([127, 0, 0, 1], 0).into(), word.parse()?, self_signed()?)?;
    say(&format!("listening https://{}", server.address()))?;
    for line in std::io::stdin().lines() {
        line?;
    }
    Ok(())
}
