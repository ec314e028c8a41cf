//! Watches the health of the database: a check after every start, then the size of the WAL.

use super::Ticks;
use crate::store::verify::VerifyReport;
use crate::store::{Condition, StartCheck};

/// How often the size of the WAL is checked.
const PERIOD_MS: u64 = 10_000;

/// How many findings are logged; `tillbook verify` prints all.
const FINDINGS_LOGGED_MAX: usize = 20;

pub(super) fn run(condition: &Condition, check: StartCheck, ticks: &Ticks) {
    check_once(condition, check, ticks);
    loop {
        if let Some(bytes) = condition.look_at_wal() {
            tracing::warn!(
                wal.bytes = bytes,
                "the -wal file beside the book has grown large, because some program has been \
                 reading the book for a long time; end that program and the file shrinks"
            );
        }
        if !ticks.wait(PERIOD_MS) {
            return;
        }
    }
}

/// Checks the database, and tries again while it cannot be read.
fn check_once(condition: &Condition, check: StartCheck, ticks: &Ticks) {
    loop {
        match check.run() {
            Ok(Some(report)) => return judge(condition, &report),
            Ok(None) => return,
            Err(error) => tracing::warn!(%error, "the book could not be checked; trying again"),
        }
        if !ticks.wait(PERIOD_MS) {
            return;
        }
    }
}

fn judge(condition: &Condition, report: &VerifyReport) {
    if report.findings_count == 0 {
        tracing::info!(
            orders = report.orders,
            "checked the book: the file is not damaged, and the sums of every order with an \
             event in the book's last two days are right"
        );
        return;
    }
    condition.declare_damaged();
    for finding in report.findings.iter().take(FINDINGS_LOGGED_MAX) {
        tracing::error!(finding, "a problem in the book");
    }
    tracing::error!(
        findings = report.findings_count,
        "nothing is recorded any more. Stop the server, keep a copy of the file, and restore the \
         last backup; `tillbook verify` prints all problems"
    );
}
