//! Errors of commands: their text and exit codes.

use std::io::Write;
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::store::{Failed, OpenError, StoreError, StoreErrorKind};

/// How long the process waits for standard error to be read before it ends.
const PRINT_MS_MAX: u64 = 1_000;

/// A failed command. Its text tells the reader what to do.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Refused, for the reason in the text.
    #[error("{0}")]
    Refused(String),
    /// The database failed while serving.
    #[error("{0}")]
    DatabaseFailed(String),
    /// `verify` found something wrong and has printed it.
    #[error("the book has errors, which are listed above")]
    FoundProblems,
    /// `compat` found a difference and has printed it.
    #[error(
        "the answers marked FAILED above are not as expected. Check that the server and this \
             program are the same version"
    )]
    AnswersDiffer,
    #[error("{}", explain(.0))]
    Store(#[from] StoreError),
    #[error(transparent)]
    Open(OpenError),
    /// Standard output is gone, as when it is piped into `head`.
    #[error("the output could not be written: {0}")]
    Output(#[from] std::io::Error),
}

impl CliError {
    /// The process's exit code; `--help` lists them.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::DatabaseFailed(_) => ExitCode::from(70),
            Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                ExitCode::SUCCESS
            }
            _ => ExitCode::FAILURE,
        }
    }
}

impl<R: std::fmt::Display> From<Failed<R>> for CliError {
    fn from(failed: Failed<R>) -> CliError {
        match failed {
            Failed::Refused(why) => CliError::Refused(why.to_string()),
            Failed::Store(error) => error.into(),
        }
    }
}

impl From<OpenError> for CliError {
    fn from(error: OpenError) -> CliError {
        match error {
            OpenError::Store(error) => error.into(),
            OpenError::AlreadyServed(_) => CliError::Open(error),
        }
    }
}

/// Prints an error for a person. If standard error is not being read, the process still ends
/// after a moment, since a supervisor waits for its end to restart it.
pub fn print(error: &CliError) {
    if matches!(error, CliError::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe) {
        return;
    }
    let text = format!("tillbook: {error}\n");
    let (finish, finished) = channel();
    let thread = std::thread::Builder::new().name("print-error".to_owned()).spawn(move || {
        // Standard error may be closed too; then the error cannot be reported.
        drop(std::io::stderr().write_all(text.as_bytes()));
        finish.send(()).unwrap_or_default();
    });
    if thread.is_ok() {
        finished.recv_timeout(Duration::from_millis(PRINT_MS_MAX)).unwrap_or_default();
    }
}

fn explain(error: &StoreError) -> String {
    match error.kind {
        StoreErrorKind::Lost(loss) => loss.to_string(),
        StoreErrorKind::Other => error.source.to_string(),
        StoreErrorKind::Inconsistent => format!(
            "the book is inconsistent: {}. Nothing was changed. Restore the last backup; \
             `tillbook verify` lists everything that is wrong.",
            error.source
        ),
        StoreErrorKind::Corrupt => format!(
            "{error}. Nothing was changed. If it is not your book, name another file with --db; if \
             it is, stop everything that uses it and restore the last backup."
        ),
        StoreErrorKind::Machine => format!(
            "{error}. Check that the disk works and has free space, and that this user may \
             write to the file and in its folder."
        ),
        StoreErrorKind::Busy => format!("{error}; try again in a moment"),
        StoreErrorKind::DiskFull => format!("{error}; free some space and try again"),
        StoreErrorKind::Constraint => format!("{error}; this is a bug, please report it"),
    }
}
