//! What a fresh process of this program does with a phone's folder, so that its time, its memory and its processor time are a
//! phone's alone. The process says its figures on its standard output, one line of numbers.

use std::io::BufRead;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sotay_client::Handbook;

use crate::fail;
use crate::failure::Failure;
use crate::phone::{FileVault, Phone};
use crate::server::{Program, say};

/// What it is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// Open the handbook and read the first screen. Says how many nanoseconds that took.
    Open,
    /// Sync once. Says how many records came and the most memory the process ever had, in KiB.
    Sync,
    /// Sync once, wait to be told, then sync as often as the third argument says. Says the processor time of all threads and
    /// the time that passed, both in nanoseconds, and the round trips that the phone itself counted.
    SyncAgain,
}

const WORKS: [(&str, Work); 3] = [
    ("open-here", Work::Open),
    ("sync-here", Work::Sync),
    ("sync-again-here", Work::SyncAgain),
];

/// A process at work.
pub(super) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: std::io::BufReader<ChildStdout>,
}

impl Process {
    /// Starts one on the folder of a phone whose handbook is shut.
    pub(super) fn start(work: Work, phone: &Phone, rounds: usize) -> Result<Self, Failure> {
        let (Program::Ours(program) | Program::Server(program)) = Program::ours()?;
        let Some((word, _)) = WORKS.iter().find(|(_, known)| *known == work) else {
            fail!("no word for {work:?}");
        };
        let mut child = Command::new(&program)
            .arg(word)
            .arg(phone.folder())
            .arg(phone.folder().with_extension("key"))
            .arg(rounds.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let Some(output) = child.stdout.take() else {
            fail!("the process has no output");
        };
        Ok(Self {
            child,
            input,
            output: std::io::BufReader::new(output),
        })
    }

    /// Its next line.
    pub(super) fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    /// Tells it to go on.
    pub(super) fn go_on(&mut self) {
        drop(self.input.take());
    }

    /// The numbers it says at its end.
    pub(super) fn numbers(mut self) -> Result<Vec<u64>, Failure> {
        self.go_on();
        let line = self.line()?;
        if !self.child.wait()?.success() {
            fail!("the process failed, it said {line:?}");
        }
        line.split(' ')
            .map(|number| Ok(number.parse()?))
            .collect::<Result<_, Failure>>()
    }
}

/// If the program was started to work on a phone's folder, does so. Says whether it was.
pub fn worked_if_asked() -> Result<bool, Failure> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [word, folder, key, rounds] = arguments.as_slice() else {
        return Ok(false);
    };
    let Some((_, work)) = WORKS.iter().find(|(known, _)| word == known) else {
        return Ok(false);
    };
    let rounds: u32 = rounds.to_string_lossy().parse()?;
    let began = Instant::now();
    let vault = Arc::new(FileVault(Path::new(key).to_owned()));
    let handbook = Handbook::open(folder.to_string_lossy().into_owned(), vault)?;
    match work {
        Work::Open => {
            let home = handbook.home()?;
            let took = began.elapsed();
            if home.next_meeting.is_none() {
                fail!("the first screen lacks the meeting");
            }
            say(&took.as_nanos().to_string())?;
        }
        Work::Sync => {
            let report = handbook.sync()?;
            say(&format!("{} {}", report.received, peak_kib()?))?;
        }
        Work::SyncAgain => {
            handbook.sync()?;
            say("ready")?;
            std::io::stdin().lock().read_line(&mut String::new())?;
            let (began, before, mut trips) = (Instant::now(), processor_time()?, 0);
            for _ in 0..rounds {
                let report = handbook.sync()?;
                if report.received > 0 {
                    fail!("something was new");
                }
                trips += report.round_trips;
            }
            let (took, spent) = (began.elapsed(), processor_time()? - before);
            say(&format!("{} {} {trips}", spent.as_nanos(), took.as_nanos()))?;
        }
    }
    Ok(true)
}

/// The most memory this process ever had resident, in KiB.
fn peak_kib() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .map(|rest| rest.trim().trim_end_matches(" kB"));
    match peak {
        Some(peak) => Ok(peak.parse()?),
        None => fail!("this system does not say how much memory a process had"),
    }
}

/// How long the threads of this process that still live were on a processor.
fn processor_time() -> Result<Duration, Failure> {
    let mut spent = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        let first = text.split(' ').next().unwrap_or_default();
        spent += first.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(spent))
}
