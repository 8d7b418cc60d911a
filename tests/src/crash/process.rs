//! A process that says on its standard output what it does, line by line, until it is killed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::failure::Failure;

#[derive(Debug, Default)]
struct Heard {
    lines: Vec<String>,
    ended: bool,
}

#[derive(Debug, Default)]
struct Ear {
    heard: Mutex<Heard>,
    more: Condvar,
}

impl Ear {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self, output: impl std::io::Read) {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        // A line that ends without its break was cut by the kill: it says nothing.
        while let Ok(1..) = output.read_until(b'\n', &mut line)
            && line.pop() == Some(b'\n')
        {
            let text = String::from_utf8_lossy(&line).into_owned();
            self.heard().lines.push(text);
            self.more.notify_all();
            line.clear();
        }
        self.heard().ended = true;
        self.more.notify_all();
    }
}

/// See the module; killed when dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    ear: Arc<Ear>,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts it.
    pub(super) fn start(mut command: Command) -> Result<Self, Failure> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Failure::from(error).during(command.get_program().display()))?;
        let ear = Arc::new(Ear::default());
        let reader = child.stdout.take().map(|output| {
            let ear = Arc::clone(&ear);
            std::thread::spawn(move || ear.listen(output))
        });
        Ok(Self { child, ear, reader })
    }

    /// How many lines it said so far.
    pub(super) fn said(&self) -> usize {
        self.ear.heard().lines.len()
    }

    /// Waits until it has said so many lines and the last ones satisfy `enough`, or has ended, or the time is over. Whether it satisfied.
    pub(super) fn wait_for(&self, longest: Duration, enough: impl Fn(&[String]) -> bool) -> bool {
        let until = Instant::now() + longest;
        let mut heard = self.ear.heard();
        loop {
            if enough(&heard.lines) {
                return true;
            }
            let rest = until.saturating_duration_since(Instant::now());
            if heard.ended || rest.is_zero() {
                return false;
            }
            heard = self
                .ear
                .more
                .wait_timeout(heard, rest)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Ends it as a power failure does, and gives back what it said.
    pub(super) fn kill(mut self) -> Result<Vec<String>, Failure> {
        self.child.kill()?;
        self.finish()
    }

    /// Waits for its end, and gives back what it said and whether it ended well.
    pub(super) fn ended(mut self) -> Result<(Vec<String>, bool), Failure> {
        let well = self.child.wait()?.success();
        Ok((self.finish()?, well))
    }

    fn finish(&mut self) -> Result<Vec<String>, Failure> {
        self.child.wait()?;
        if let Some(reader) = self.reader.take() {
            drop(reader.join());
        }
        Ok(std::mem::take(&mut self.ear.heard().lines))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already ended is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
