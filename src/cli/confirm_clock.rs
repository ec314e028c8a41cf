//! `tillbook confirm-clock`

use std::io::Write;

use clap::Args;

use super::DbArgs;
use super::error::CliError;
use crate::app::ConfirmClock;
use crate::clock::{Clock, rfc3339};
use crate::store;

#[derive(Args)]
pub struct ConfirmClockArgs {
    #[command(flatten)]
    db: DbArgs,
}

pub fn run(args: &ConfirmClockArgs) -> Result<(), CliError> {
    store::write_once_in_existing(&args.db.db, &ConfirmClock)?;
    let now = rfc3339(Clock::System.now());
    let text = format!(
        "Confirmed that it is {now} now. Orders and drafts that are due expire within a minute."
    );
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}
