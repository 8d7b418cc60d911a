//! Whatever any crate says of itself by `tracing`, at every level, kept for a test to search.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static SAID: Mutex<String> = Mutex::new(String::new());

/// Writes down every field of every span and event.
struct Recorder;

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing into memory cannot fail.
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

fn say(metadata: &Metadata<'_>, line: &Line) {
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = writeln!(said, "{} {}{}", metadata.target(), metadata.name(), line.0);
}

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line(String::new());
        span.record(&mut line);
        say(span.metadata(), &line);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = Line(String::new());
        values.record(&mut line);
        SAID.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_str(&line.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        say(event.metadata(), &line);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Begins to listen, for the rest of the program.
pub fn listen() {
    // One that listens already is this one.
    drop(tracing::subscriber::set_global_default(Recorder));
}

/// What was said since.
pub fn said() -> String {
    SAID.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
