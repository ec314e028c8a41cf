//! The log: plain lines on standard error, through a bounded channel.
//!
//! A reader of the log that stops reading must not stop the server, so that lines are dropped
//! when the channel is full, and nothing that serves a request waits for the log.

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

use crate::sabotage::{self, Fault};

/// Lines that wait for the reader of the log at most.
const LINES_WAITING_MAX: usize = 10_000;

/// How much is logged.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

/// Starts the log. What it returns writes the last lines when it is dropped.
pub fn start(level: LogLevel) -> WorkerGuard {
    let waits = sabotage::is_on(Fault::WaitForTheLog);
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(!waits)
        .buffered_lines_limit(if waits { 1 } else { LINES_WAITING_MAX })
        .thread_name("log")
        .finish(std::io::stderr());
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let lines =
        tracing_subscriber::fmt::layer().with_target(false).with_ansi(false).with_writer(writer);
    // What the HTTP library says about its own threads helps nobody who runs a shop.
    let filter = Targets::new().with_default(level).with_target("actix_server", LevelFilter::WARN);
    let log = tracing_subscriber::registry().with(lines.with_filter(filter));
    // A panic is told here too: straight to standard error it could wait for a reader for ever.
    std::panic::set_hook(Box::new(|panic| {
        let trace = std::backtrace::Backtrace::capture();
        tracing::error!(%panic, %trace, "a bug: please report it");
    }));
    // A second log in one process, as in tests, leaves the first in place.
    drop(tracing::subscriber::set_global_default(log));
    guard
}
