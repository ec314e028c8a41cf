//! The log: plain lines on standard error, through a bounded channel.
//!
//! A reader of the log that stops reading must not stop the server. So lines are dropped when the
//! channel is full, and no request waits for the log.

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

use crate::sabotage::{self, Fault};

/// Most lines that wait to be written.
const LINES_WAITING_MAX: usize = 10_000;

/// The least severe level that is logged.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

/// Starts the log. The returned guard writes the last lines when it is dropped.
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
    // The HTTP library's messages about its own threads do not help a shop.
    let filter = Targets::new().with_default(level).with_target("actix_server", LevelFilter::WARN);
    let log = tracing_subscriber::registry().with(lines.with_filter(filter));
    // Panics go to the log: written to standard error, one could wait for a reader forever.
    std::panic::set_hook(Box::new(|panic| {
        let trace = std::backtrace::Backtrace::capture();
        tracing::error!(%panic, %trace, "a bug: please report it");
    }));
    // Tests start several logs in one process; the first one stays.
    drop(tracing::subscriber::set_global_default(log));
    guard
}
