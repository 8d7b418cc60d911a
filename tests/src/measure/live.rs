//! B3: from the server's commit to a live query on another phone that syncs in the background.
//!
//! The commit is seen from outside: a thread asks the server's database again and again whether somebody has written. What
//! counts as the commit is the last time the answer was still no, so the figures err on the long side.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use sotay_client::documents::{DocumentForm, SectionForm};
use sotay_client::{Handbook, HandbookError, Query};
use sotay_model::MeetingKey;
use sotay_model::documents::{ConfidentialityLevel, DocumentKind};
use sotay_model::meetings::Choice;

use super::ground::{Ground, publish};
use super::{Extent, Figure, Samples};
use crate::fail;
use crate::failure::Failure;

const TARGET: f64 = 2.0;
const PATIENCE: Duration = Duration::from_secs(30);
/// Sections of a document; with itself and another such document 1,002 records.
const SECTIONS: u32 = 500;

pub(super) fn measure(extent: &Extent) -> Result<Figure, Failure> {
    let ground = Ground::make()?;
    let (writer, reader) = (
        ground.phone("m01", "writer")?,
        ground.phone("m02", "reader")?,
    );
    writer.handbook().sync()?;
    let meeting = publish(&writer)?;
    writer.handbook().sync()?;
    reader.handbook().sync()?;
    let commits = Commits::watch(&ground)?;

    let handle = reader.handbook().start_sync()?;
    let (mut one, mut thousand) = (Samples::default(), Samples::default());
    {
        let seen = Seen::watch(reader.shared(), Query::Answers { meeting }, move |reader| {
            state_of_answers(reader, meeting)
        })?;
        for round in 0..extent.rounds {
            let choice = if round % 2 == 0 {
                Choice::WillAttend
            } else {
                Choice::Undecided
            };
            writer.handbook().respond(meeting, choice, 1)?;
            one.push(one_round(
                &writer,
                &commits,
                &seen,
                u32::from(round % 2 == 0),
            )?);
        }
        seen.end()?;
    }
    {
        let seen = Seen::watch(reader.shared(), Query::Library, |reader| {
            Ok(reader.library(None, 1)?.count)
        })?;
        for round in 0..u32::try_from((extent.rounds / 10).max(2))? {
            for _ in 0..2 {
                writer.handbook().publish_document(document_of(SECTIONS)?)?;
            }
            thousand.push(one_round(&writer, &commits, &seen, 2 * (round + 1))?);
        }
        seen.end()?;
    }
    handle.cancel()?;
    let (p50, p99) = (one.percentile(50), one.percentile(99));
    let (many_p50, many_p99) = (thousand.percentile(50), thousand.percentile(99));
    Ok(Figure {
        id: "B3",
        what: "server commit → live query on another phone, p50",
        figure: p50,
        unit: "ms",
        raw: None,
        ratio: None,
        target: TARGET,
        met: p50 <= TARGET && p99 <= 8.0 && many_p50 <= 20.0 && many_p99 <= 40.0,
        detail: vec![
            ("1 change, p99 ms (target 8)", p99),
            ("1,000 changes, p50 ms (target 20)", many_p50),
            ("1,000 changes, p99 ms (target 40)", many_p99),
        ],
    })
}

fn state_of_answers(reader: &Handbook, meeting: MeetingKey) -> Result<u32, HandbookError> {
    Ok(reader.answers(meeting)?.will_attend)
}

/// A document with so many sections.
pub(super) fn document_of(sections: u32) -> Result<DocumentForm, Failure> {
    Ok(DocumentForm {
        title: "Tài liệu đo".into(),
        number: None,
        issuer: "Chi ủy".into(),
        kind: DocumentKind::Other,
        level: ConfidentialityLevel::Internal,
        issued_on: "2026-11-01".parse()?,
        for_meeting: None,
        sections: (1..=sections)
            .map(|number| SectionForm {
                number: number.to_string(),
                heading: "Mục".into(),
                text: "Nội dung để đo, dài vừa phải. ".repeat(6),
            })
            .collect(),
    })
}

/// Sends what the writer has, and waits until the reader shows the wanted state.
fn one_round(
    writer: &crate::phone::Phone,
    commits: &Commits,
    seen: &Seen,
    wanted: u32,
) -> Result<Duration, Failure> {
    commits.forget();
    writer.handbook().sync()?;
    let committed = commits.first()?;
    let shown = seen.wait_for(wanted)?;
    Ok(shown.saturating_duration_since(committed))
}

/// When somebody wrote to the server's database.
struct Commits {
    at: Receiver<Instant>,
    stop: Arc<AtomicBool>,
}

impl Commits {
    fn watch(ground: &Ground) -> Result<Self, Failure> {
        let storage = ground.storage()?;
        let (told, at) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        std::thread::spawn(move || {
            let mut last = storage.foreign_writes().unwrap_or_default();
            let mut before = Instant::now();
            while !stopped.load(Ordering::Relaxed) {
                let asked = Instant::now();
                match storage.foreign_writes() {
                    Ok(now) if now != last => {
                        last = now;
                        if told.send(before).is_err() {
                            return;
                        }
                    }
                    Ok(_) => before = asked,
                    Err(_) => return,
                }
                std::thread::sleep(Duration::from_micros(50));
            }
        });
        Ok(Self { at, stop })
    }

    fn forget(&self) {
        while self.at.try_recv().is_ok() {}
    }

    fn first(&self) -> Result<Instant, Failure> {
        Ok(self.at.recv_timeout(PATIENCE)?)
    }
}

impl Drop for Commits {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// What a live query on a phone showed, and when.
struct Seen {
    states: Receiver<(Instant, u32)>,
    reader: Arc<Handbook>,
    watch: i64,
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Result<(), HandbookError>>,
}

impl Seen {
    fn watch(
        reader: Arc<Handbook>,
        query: Query,
        read: impl Fn(&Handbook) -> Result<u32, HandbookError> + Send + 'static,
    ) -> Result<Self, Failure> {
        let watch = reader.watch(query)?;
        let (told, states) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, handbook) = (stop.clone(), reader.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::SeqCst) {
                handbook.next_changes()?;
                let state = read(&handbook)?;
                if told.send((Instant::now(), state)).is_err() {
                    break;
                }
            }
            Ok(())
        });
        Ok(Self {
            states,
            reader,
            watch,
            stop,
            thread,
        })
    }

    fn wait_for(&self, wanted: u32) -> Result<Instant, Failure> {
        loop {
            let (at, state) = self.states.recv_timeout(PATIENCE)?;
            if state == wanted {
                return Ok(at);
            }
        }
    }

    /// Ends the thread, which waits for a change: one is made.
    fn end(self) -> Result<(), Failure> {
        self.stop.store(true, Ordering::SeqCst);
        let last = self.reader.watch(Query::Outbox)?;
        match self.thread.join() {
            Ok(ended) => ended?,
            Err(_) => fail!("the reading thread panicked"),
        }
        self.reader.unwatch(last)?;
        self.reader.unwatch(self.watch)?;
        Ok(())
    }
}
