//! Who listens to everything that phone and server say of themselves, at every level, and to every panic.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static HEARD: Mutex<String> = Mutex::new(String::new());
static PANICS: Mutex<String> = Mutex::new(String::new());

/// See the module.
#[derive(Clone, Copy)]
pub(crate) struct Recorder;

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

fn keep(to: &Mutex<String>, line: &str) {
    let mut kept = to.lock().unwrap_or_else(PoisonError::into_inner);
    kept.push_str(line);
    kept.push('\n');
}

fn kept(of: &Mutex<String>) -> String {
    of.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

impl Recorder {
    /// From now on it hears everything.
    pub(crate) fn install() -> Self {
        tracing::subscriber::set_global_default(Self).unwrap();
        log::set_logger(&Self).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            keep(&PANICS, &panic.to_string());
            before(panic);
        }));
        Self
    }

    pub(crate) fn heard(self) -> String {
        kept(&HEARD)
    }

    pub(crate) fn panics(self) -> String {
        kept(&PANICS)
    }
}

fn say(metadata: &Metadata<'_>, line: &Line) {
    keep(
        &HEARD,
        &format!("{} {}{}", metadata.target(), metadata.name(), line.0),
    );
}

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line::default();
        span.record(&mut line);
        say(span.metadata(), &line);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = Line::default();
        values.record(&mut line);
        keep(&HEARD, &line.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        say(event.metadata(), &line);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

// Some crates below ours speak through this one.
impl log::Log for Recorder {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        keep(&HEARD, &format!("{} {}", record.target(), record.args()));
    }

    fn flush(&self) {}
}
