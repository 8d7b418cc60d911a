//! The process that is killed: it opens a phone's handbook, enters one thing after the other, syncs now and then, and says on its
//! standard output what it is about to do and what the handbook returned from.
//!
//! * `opened N`              the handbook is open, and N entries wait in it
//! * `try KIND SLOT TEXT`    it is about to enter this
//! * `kept`                  the command returned: from now on it must never be lost
//! * `sync`, `synced N`, `unsynced ERROR`, `read`, `close`, `idle`, `done`
//! * `trouble …`             an error that a kill does not excuse; the process ends

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sotay_client::{Handbook, HandbookError, ServerFault};
use sotay_model::MeetingKey;
use sotay_model::meetings::{AbsenceReason, Choice};
use sotay_model::profile::ProfileField;

use crate::fail;
use crate::failure::Failure;
use crate::phone::FileVault;

use super::chance::Chance;
use super::place::{notice, ourselves};
use super::process::Process;

/// The word after which a program of ours writes entries.
const WRITE_HERE: &str = "write-here";
/// More meetings, or more versions of a notice, would only make every screen slow.
const MAX_MEETINGS: u32 = 30;
const MAX_VERSIONS: u32 = 20;

/// How long it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Until it is killed, syncing, reading and closing now and then.
    Ever,
    /// So many entries, then, if asked, a sync, then it waits to be killed.
    Entries {
        /// How many.
        entries: u64,
        /// Whether it syncs after all but the last few of them.
        sync: bool,
    },
}

/// What one life of it is made of.
#[derive(Debug, Clone)]
pub(super) struct Life {
    /// Where the phone's folder and key lie.
    pub(super) folder: PathBuf,
    /// The phone's name.
    pub(super) name: String,
    /// Which life it is: makes its texts its own.
    pub(super) number: u64,
    /// What it does.
    pub(super) seed: u64,
    /// The meeting it answers to.
    pub(super) meeting: MeetingKey,
    /// How long.
    pub(super) extent: Extent,
}

impl Life {
    /// Starts it.
    pub(super) fn begin(&self) -> Result<Process, Failure> {
        let mut command = ourselves(WRITE_HERE)?;
        let extent = match self.extent {
            Extent::Ever => "ever".to_owned(),
            Extent::Entries { entries, sync } => {
                format!("{entries}{}", if sync { "s" } else { "" })
            }
        };
        command.arg(&self.folder).args([
            self.name.clone(),
            self.number.to_string(),
            self.seed.to_string(),
            self.meeting.to_string(),
            extent,
        ]);
        Process::start(command)
    }

    fn read(words: &[String]) -> Result<Self, Failure> {
        let [folder, name, number, seed, meeting, extent] = words else {
            fail!("{WRITE_HERE} wants a folder, a name, a number, a seed, a meeting and an extent");
        };
        Ok(Self {
            folder: folder.into(),
            name: name.clone(),
            number: number.parse()?,
            seed: seed.parse()?,
            meeting: meeting.parse()?,
            extent: match (extent.as_str(), extent.strip_suffix('s')) {
                ("ever", _) => Extent::Ever,
                (_, Some(entries)) => Extent::Entries {
                    entries: entries.parse()?,
                    sync: true,
                },
                (entries, None) => Extent::Entries {
                    entries: entries.parse()?,
                    sync: false,
                },
            },
        })
    }
}

/// If the program was started to write entries, does so. Says whether it was.
pub(super) fn write_if_asked() -> Result<bool, Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((WRITE_HERE, words)) = arguments.split_first().map(|(w, rest)| (w.as_str(), rest))
    else {
        return Ok(false);
    };
    let life = Life::read(words)?;
    let mut author = match Author::open(life) {
        Ok(author) => author,
        Err(failure) => return trouble(&failure),
    };
    let ended = match author.life.extent {
        Extent::Ever => author.live(),
        Extent::Entries { entries, sync } => author.enter_some(entries, sync),
    };
    match ended {
        Ok(()) => Ok(true),
        Err(failure) => trouble(&failure),
    }
}

fn trouble(failure: &Failure) -> Result<bool, Failure> {
    say(&format!("trouble {failure}"))?;
    Ok(true)
}

/// One system call for each line, so that a kill leaves whole lines.
fn say(line: &str) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    output.write_all(format!("{line}\n").as_bytes())?;
    Ok(output.flush()?)
}

struct Author {
    life: Life,
    handbook: Arc<Handbook>,
    chance: Chance,
    texts: u64,
}

impl Author {
    fn open(life: Life) -> Result<Self, Failure> {
        let folder = life.folder.join(&life.name);
        let vault = Arc::new(FileVault(folder.with_extension("key")));
        let handbook = Handbook::open(folder.to_string_lossy().into_owned(), vault)
            .map_err(|error| Failure::from(error).during("opening"))?;
        let unsent = handbook.outbox()?.unsent.len();
        say(&format!("opened {unsent}"))?;
        Ok(Self {
            chance: Chance::new(life.seed, life.number),
            life,
            handbook,
            texts: 0,
        })
    }

    fn live(&mut self) -> Result<(), Failure> {
        // In a quarter of its lives it also syncs in the background, as an app in the foreground does.
        let _background = if self.chance.percent(25) {
            Some(self.handbook.start_sync()?)
        } else {
            None
        };
        loop {
            match self.chance.below(100) {
                0..70 => self.enter()?,
                70..88 => self.sync()?,
                88..93 => {
                    say("read")?;
                    self.handbook.home()?;
                    self.handbook.meeting(self.life.meeting)?;
                }
                93..96 => {
                    say("close")?;
                    self.handbook.pause(2_000)?;
                    self.handbook.resume()?;
                }
                _ => {
                    say("idle")?;
                    std::thread::sleep(self.chance.moment(Duration::from_millis(10)));
                }
            }
        }
    }

    fn enter_some(&mut self, entries: u64, sync: bool) -> Result<(), Failure> {
        for entry in 0..entries {
            if sync && entry == entries / 2 {
                self.sync()?;
            }
            self.enter()?;
        }
        if sync {
            self.sync()?;
        }
        say("done")?;
        // Until it is killed, or whoever started it is gone.
        std::io::stdin().read_line(&mut String::new())?;
        Ok(())
    }

    /// A text that nobody else enters, of a length between a line and a page.
    fn text(&mut self) -> String {
        self.texts += 1;
        let number = (self.life.number, self.texts);
        format!("{} {}.{}", self.life.name, number.0, number.1)
    }

    fn padding(&mut self) -> String {
        let length = self.chance.moment(Duration::from_millis(1)).as_micros();
        "x".repeat(usize::try_from(length).unwrap_or(0))
    }

    fn enter(&mut self) -> Result<(), Failure> {
        let leads = self.life.name == super::place::NAMES[0];
        let entered = match self.chance.below(100) {
            0..55 => self.correction(),
            55..75 => self.answer(),
            75..87 => self.absence(),
            _ if !leads => self.correction(),
            87..90 => self.notice(),
            _ => self.change(),
        };
        match entered {
            Ok(()) => say("kept"),
            Err(failure) => Err(failure.during("entering")),
        }
    }

    fn correction(&mut self) -> Result<(), Failure> {
        let text = self.text();
        let whole = format!("{text} {}", self.padding());
        say(&format!("try correction - {}", whole.trim()))?;
        let field = ProfileField::Other;
        Ok(self.handbook.request_correction(field, whole)?)
    }

    fn answer(&mut self) -> Result<(), Failure> {
        let meeting = self.life.meeting;
        let choices = [
            Choice::WillAttend,
            Choice::WillAttendOnline,
            Choice::Undecided,
        ];
        let choice = *self.chance.one_of(&choices).unwrap_or(&Choice::Undecided);
        let version = self.handbook.meeting(meeting)?.notice_version;
        say(&format!("try answer {meeting} {choice:?}"))?;
        Ok(self.handbook.respond(meeting, choice, version)?)
    }

    fn absence(&mut self) -> Result<(), Failure> {
        let (meeting, text) = (self.life.meeting, self.text());
        say(&format!("try absence {meeting} {text}"))?;
        let reason = AbsenceReason::Family;
        Ok(self.handbook.request_absence(meeting, reason, Some(text))?)
    }

    fn notice(&mut self) -> Result<(), Failure> {
        if self.handbook.meetings(None, 1)?.count >= MAX_MEETINGS {
            return self.correction();
        }
        let text = self.text();
        say(&format!("try notice - {text}"))?;
        self.handbook.publish_notice(notice(&text), vec![])?;
        Ok(())
    }

    fn change(&mut self) -> Result<(), Failure> {
        let page = self.handbook.meetings(None, MAX_MEETINGS)?;
        let some = self.chance.one_of(&page.meetings);
        let Some(card) = some.filter(|card| card.notice_version < MAX_VERSIONS) else {
            return self.correction();
        };
        let meeting = card.meeting;
        let (base, mut form) = (
            self.handbook.meeting(meeting)?.base,
            self.handbook.notice_form(meeting)?,
        );
        let text = self.text();
        form.title.clone_from(&text);
        say(&format!("try change {meeting} {text}"))?;
        Ok(self.handbook.change_notice(meeting, base, form, false)?)
    }

    fn sync(&mut self) -> Result<(), Failure> {
        say("sync")?;
        match self.handbook.sync() {
            Ok(report) => say(&format!("synced {}", report.accepted)),
            Err(error) if is_excused(&error) => say(&format!("unsynced {error}")),
            Err(error) => Err(Failure::from(error).during("syncing")),
        }
    }
}

/// What a phone may see of a server that is killed in the middle of a sentence, or is not there.
pub(super) fn is_excused(error: &HandbookError) -> bool {
    matches!(
        error,
        HandbookError::ServerUnreachable { .. }
            | HandbookError::ServerUnexpected {
                fault: ServerFault::Empty | ServerFault::Truncated,
                ..
            }
    )
}
