//! The log: plain lines on standard error.
//!
//! A reader of the log that stops reading must not stop the server, and strangers must not be able
//! to fill a disk with it. So lines are dropped when too much waits to be written (`log_writer`),
//! values are cut, and there are only so many lines of one kind a minute (`log_limit`). With
//! `--log debug` every line is written: it is for looking at one thing for a while.

use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use clap::ValueEnum;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

use super::log_limit::{Limits, Verdict};
use super::log_writer::{self, LogGuard, LogWriter};
use crate::clock::{Clock, rfc3339};

/// Most characters of a value that a stranger may have sent.
const STRANGERS_CHARS_MAX: usize = 100;
/// Most characters of any other value. A panic's backtrace is the longest.
const CHARS_MAX: usize = 8_000;
/// Fields whose values are parts of a request start with this.
const REQUEST_FIELDS: &str = "http.";
/// The start of the names of our own modules. Any message of another module may contain what a
/// stranger sent.
const OWN_MODULES: &str = "tillbook";

/// The least severe level that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

/// Starts the log. The returned guard writes the last lines when it is dropped.
pub fn start(level: LogLevel) -> LogGuard {
    let max = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let limits = Arc::new(Limits::default());
    let (writer, guard) = log_writer::start(std::io::stderr(), Arc::clone(&limits));
    let lines = Lines { max, limits, writer };
    // Panics go to the log: written to standard error, one could wait for a reader forever.
    std::panic::set_hook(Box::new(|panic| {
        let trace = std::backtrace::Backtrace::capture();
        tracing::error!(%panic, %trace, "a bug: please report it");
    }));
    // Tests start several logs in one process; the first one stays.
    drop(tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines)));
    guard
}

/// Writes each event as a line.
struct Lines {
    max: LevelFilter,
    limits: Arc<Limits>,
    writer: LogWriter,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        // The HTTP library's messages about its own threads do not help a shop.
        let max = if metadata.target().starts_with("actix_server") {
            self.max.min(LevelFilter::WARN)
        } else {
            self.max
        };
        *metadata.level() <= max
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.max)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut text = EventText::new(metadata.target().starts_with(OWN_MODULES));
        event.record(&mut text);
        let level = text.level(*metadata.level());
        if self.max < level {
            return;
        }
        if self.max < LevelFilter::DEBUG
            && self.limits.count(metadata.callsite(), &text.message, Instant::now())
                == Verdict::LeaveOut
        {
            return;
        }
        let time = rfc3339(Clock::System.now());
        self.writer.write(&format!("{time} {level:>5} {}{}\n", text.message, text.fields));
    }
}

/// An event's message and its fields, each cut to its limit.
struct EventText {
    is_own: bool,
    message: String,
    fields: String,
}

impl EventText {
    fn new(is_own: bool) -> EventText {
        EventText { is_own, message: String::new(), fields: String::new() }
    }

    /// How severe the event is to a shop. A malformed request is an error to the HTTP library, but
    /// strangers send those every day.
    fn level(&self, stated: Level) -> Level {
        let is_malformed_request = !self.is_own && self.message.starts_with("stream error");
        if is_malformed_request { Level::INFO.max(stated) } else { stated }
    }

    fn record(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let is_strangers = !self.is_own || field.name().starts_with(REQUEST_FIELDS);
        let room = if is_strangers { STRANGERS_CHARS_MAX } else { CHARS_MAX };
        let into = if field.name() == "message" {
            &mut self.message
        } else {
            self.fields.push_str(&format!(" {}=", field.name()));
            &mut self.fields
        };
        let mut cut = Cut { into, room };
        // `Cut` stops the formatting with an error when it has no more room.
        if cut.write_fmt(value).is_err() {
            into.push('…');
        }
    }
}

impl Visit for EventText {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.record(field, format_args!("{value}")),
            _ => self.record(field, format_args!("{value:?}")),
        }
    }
}

/// Keeps the first characters that are written to it, then fails.
struct Cut<'a> {
    into: &'a mut String,
    room: usize,
}

impl Write for Cut<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            if self.room == 0 {
                return Err(fmt::Error);
            }
            self.room -= 1;
            self.into.push(letter);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_cut_where_its_room_ends() {
        for (text, room, kept, is_cut) in
            [("abc", 3, "abc", false), ("abcd", 3, "abc", true), ("åäö", 2, "åä", true)]
        {
            let mut into = String::new();
            let cut = Cut { into: &mut into, room }.write_str(text).is_err();
            assert_eq!((into.as_str(), cut), (kept, is_cut), "{text}");
        }
    }
}
