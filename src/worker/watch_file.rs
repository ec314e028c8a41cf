//! Looks each second whether the book's file is still the one that the server has open, and logs
//! jumps of the clock.

use super::Ticks;
use crate::clock::rfc3339;
use crate::store::{ClockJump, Condition, FileLoss, FileWatch, Saved, StoreErrorKind};

/// How often the file is checked.
const PERIOD_MS: u64 = 1_000;

/// How often the writer is asked whether it has saved the book.
const SAVING_PERIOD_MS: u64 = 100;

pub(super) fn run(condition: &Condition, mut watch: FileWatch, ticks: &Ticks) {
    loop {
        if let Some(jump) = condition.take_untold_clock_jump() {
            log_clock_jump(jump);
        }
        match watch.look() {
            Ok(Some(loss)) => condition.declare_lost(loss),
            Ok(None) => {}
            Err(error) if error.kind == StoreErrorKind::Corrupt && !condition.is_damaged() => {
                condition.declare_damaged();
                tracing::error!(
                    %error,
                    "nothing is recorded any more, because the book is damaged. Stop the server, \
                     keep a copy of the file, and restore the last backup"
                );
            }
            Err(error) => tracing::debug!(%error, "could not look at the book; trying again"),
        }
        // A server that stops checks the file once more by itself.
        let goes_on = condition.loss().is_none() && ticks.wait(PERIOD_MS);
        if let Some(loss) = condition.loss() {
            return log_loss(condition, &watch, loss, ticks);
        }
        if !goes_on {
            return;
        }
    }
}

fn log_clock_jump(jump: ClockJump) {
    tracing::warn!(
        from = rfc3339(jump.from),
        to = rfc3339(jump.to),
        "the clock was wrong and went back. Earlier records have wrong times, and new ones follow \
         the clock; check that the machine sets its clock by itself"
    );
}

/// Logs the loss of the file, and later where the records were saved.
fn log_loss(condition: &Condition, watch: &FileWatch, loss: FileLoss, ticks: &Ticks) {
    let is_elsewhere = matches!(loss, FileLoss::Moved | FileLoss::Replaced);
    let moved_to = watch.moved_to().filter(|_| is_elsewhere);
    let moved_to = moved_to.map(|path| path.display().to_string());
    tracing::error!(moved_to, "nothing is recorded any more, because {loss}");
    let mut logged = None;
    loop {
        let goes_on = ticks.wait(SAVING_PERIOD_MS);
        let saved = condition.saved();
        if saved.is_some() && saved != logged {
            log_saved(loss, saved.as_ref());
            logged = saved;
        }
        if !goes_on || matches!(logged, Some(Ok(_))) {
            return;
        }
    }
}

fn log_saved(loss: FileLoss, saved: Option<&Saved>) {
    let text = match (saved, loss) {
        (None, _) => return,
        (Some(Ok(rescued)), FileLoss::Overwritten) => format!(
            "the list of the newest events was saved to {}, and the WAL beside it. The \
             overwritten pages cannot be read any more. Stop the server, put a good copy of the \
             book in place, and record again the events of the list that the copy lacks",
            rescued.display()
        ),
        (Some(Ok(rescued)), _) => format!(
            "everything that was recorded was saved to {}, a whole copy of the book. Stop the \
             server; to go on with that copy, move the files at the book's path away (-wal and \
             -shm too), put the copy there, and start again",
            rescued.display()
        ),
        (Some(Err(why)), _) => format!(
            "the records could not be saved ({why}); trying again. Do not stop the server before \
             they are saved: make room in the book's folder, and let this user write there"
        ),
    };
    tracing::error!("{text}");
}
