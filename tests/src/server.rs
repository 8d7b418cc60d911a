//! A real server process on loopback, which can be killed and started again on its data.
//!
//! The program is the one that `SOTAY_SERVER` names, the ordinary `sotay-server`. Without it the calling program starts itself
//! again as a server ([`serve_if_asked`] at the beginning of its `main`): the same library, and never an outdated file.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use sotay_server::{Rates, Server, ServerConfig};

use crate::fail;
use crate::failure::Failure;

/// The word after which a program of ours is a server.
const SERVE_HERE: &str = "serve-here";

/// Which program runs as a server.
#[derive(Debug, Clone)]
pub enum Program {
    /// `sotay-server`.
    Server(PathBuf),
    /// A program that calls [`serve_if_asked`].
    Ours(PathBuf),
}

static OURS: OnceLock<PathBuf> = OnceLock::new();

/// Names the program of ours that becomes a server, for tests: their own program cannot.
pub fn use_program(path: impl Into<PathBuf>) {
    OURS.get_or_init(|| path.into());
}

impl Program {
    /// A program of ours, whatever `SOTAY_SERVER` says: a measurement wants the server it was built with.
    pub fn ours() -> Result<Self, Failure> {
        Ok(Self::Ours(match OURS.get() {
            Some(path) => path.clone(),
            None => std::env::current_exe()?,
        }))
    }

    /// How it is started to serve.
    pub fn command(&self, folder: &Path, listen: SocketAddr) -> Command {
        let (Self::Server(path) | Self::Ours(path)) = self;
        let mut command = Command::new(path);
        match self {
            Self::Server(_) => command
                .arg("serve")
                .arg("--data")
                .arg(folder)
                .arg("--listen"),
            Self::Ours(_) => command.arg(SERVE_HERE).arg(folder),
        };
        command
            .arg(listen.to_string())
            .env("SOTAY_LOG", "warn")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        command
    }

    /// What `SOTAY_SERVER` names, else a program of ours.
    pub fn find() -> Result<Self, Failure> {
        Ok(match (std::env::var_os("SOTAY_SERVER"), OURS.get()) {
            (Some(path), _) => Self::Server(path.into()),
            (None, Some(path)) => Self::Ours(path.clone()),
            (None, None) => Self::Ours(std::env::current_exe()?),
        })
    }
}

/// A server process; killed when dropped.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    address: SocketAddr,
}

impl ServerProcess {
    /// Starts it and waits until it listens. Port 0 takes a free one.
    pub fn start(program: &Program, folder: &Path, listen: SocketAddr) -> Result<Self, Failure> {
        let (Program::Server(path) | Program::Ours(path)) = program;
        let mut child = program
            .command(folder, listen)
            .spawn()
            .map_err(|error| Failure::from(error).during(path.display()))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let address = line
            .trim()
            .strip_prefix("listening https://")
            .and_then(|address| address.parse().ok());
        let Some(address) = address else {
            drop(child.kill());
            drop(child.wait());
            fail!("{} did not start, it said {line:?}", path.display());
        };
        Ok(Self { child, address })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it as a power failure does.
    pub fn kill(mut self) -> Result<(), Failure> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Already ended is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// If the program was started as a server, is one until its standard input is closed, which also happens when whoever
/// started it dies. Says whether it was.
pub fn serve_if_asked() -> Result<bool, Failure> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [word, folder, listen] = arguments.as_slice() else {
        return Ok(false);
    };
    if word != SERVE_HERE {
        return Ok(false);
    }
    let listen = listen.to_string_lossy().parse()?;
    let mut config = ServerConfig::new(folder, listen);
    // A measurement asks faster than people do; what that comes to is looked at elsewhere.
    config.limits.rates = Rates::unlimited();
    let running = Server::start(config)?;
    say(&format!("listening https://{}", running.address()))?;
    for line in std::io::stdin().lines() {
        line?;
    }
    running.shutdown();
    Ok(true)
}

/// Writes a line to standard output at once.
pub fn say(line: &str) -> Result<(), Failure> {
    use std::io::Write;
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}
