//! `tillbook verify`

use std::io::{IsTerminal, Write};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::error::CliError;
use super::{DbArgs, JsonArgs, counted};
use crate::json::{ObjectText, Tree};
use crate::store::verify::{VerifyReport, verify};

#[derive(Args)]
pub struct VerifyArgs {
    #[command(flatten)]
    db: DbArgs,
    #[command(flatten)]
    output: JsonArgs,
}

/// Checks the book and prints the report; an error if the book has errors.
pub fn run(args: &VerifyArgs) -> Result<(), CliError> {
    let bar = progress_bar();
    let report = verify(&args.db.db, |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    let mut out = std::io::stdout().lock();
    if args.output.json {
        writeln!(out, "{}", report_json(&report))?;
    } else {
        write_report(&mut out, &report)?;
    }
    if report.findings_count == 0 { Ok(()) } else { Err(CliError::FoundProblems) }
}

fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} orders, {eta} left");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn write_report(out: &mut impl Write, report: &VerifyReport) -> std::io::Result<()> {
    writeln!(
        out,
        "Checked {}, {} with {}, {}, {}:",
        counted(report.accounts, "account", "accounts"),
        counted(report.orders, "order", "orders"),
        counted(report.lines, "line", "lines"),
        counted(report.operations, "operation", "operations"),
        counted(report.events, "event", "events")
    )?;
    writeln!(
        out,
        "  SQLite's integrity check and foreign keys\n  every sum of every line against its \
         operations\n  every payment status against its lines\n  every operation against its \
         items and its event\n  every order against its items and its names\n  every \
         idempotency key against what its answer shows"
    )?;
    for finding in &report.findings {
        writeln!(out, "ERROR  {finding}")?;
    }
    match report.findings_count {
        0 => writeln!(out, "No errors found."),
        count => {
            let errors = counted(count, "error", "errors");
            writeln!(out, "{errors} found. Keep the file unchanged, and make a copy of it.")
        }
    }
}

fn report_json(report: &VerifyReport) -> String {
    let findings = report.findings.iter().map(Tree::text).collect();
    let mut object = ObjectText::default();
    object
        .flag("ok", report.findings_count == 0)
        .integer("accounts", report.accounts)
        .integer("orders", report.orders)
        .integer("lines", report.lines)
        .integer("operations", report.operations)
        .integer("events", report.events)
        .integer("findings_count", report.findings_count)
        .json("findings", &Tree::List(findings).to_string());
    object.end()
}
