//! `tillbook hooks`

use std::io::Write;
use std::path::Path;

use clap::builder::FalseyValueParser;
use clap::{Args, Subcommand};

use super::error::CliError;
use super::served_book::ServedBookArgs;
use super::{JsonArgs, counted};
use crate::app::{OnBehalfOf, PingHook, ReplayDeliveries, TellServer};
use crate::clock::parse_rfc3339;
use crate::domain::Timestamp;
use crate::domain::ids::CreatedBy;
use crate::json::ObjectText;
use crate::store::{self, HookRecord, ReplayRange, StoreError};
use crate::wire::{hook_body, hook_view};

#[derive(Subcommand)]
pub enum HooksCommand {
    /// List the webhooks of all accounts
    List(ListArgs),
    /// Send a webhook a ping; a running server sends it within a second
    Ping(PingArgs),
    /// Send the deliveries of a webhook again, as far as they are still stored
    Replay(ReplayArgs),
}

#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    book: ServedBookArgs,
    #[command(flatten)]
    output: JsonArgs,
}

#[derive(Args)]
pub struct PingArgs {
    /// The webhook's id, as `tillbook hooks list` shows it
    #[arg(value_name = "HOOK")]
    hook_id: String,
    #[command(flatten)]
    book: ServedBookArgs,
}

#[derive(Args)]
pub struct ReplayArgs {
    /// The webhook's id, as `tillbook hooks list` shows it
    #[arg(value_name = "HOOK")]
    hook_id: String,
    /// Send deliveries made at or after this time, such as 2026-11-23T09:00:00Z
    #[arg(long, env = "TILLBOOK_SINCE", value_name = "TIME", value_parser = parse_time)]
    since: Timestamp,
    /// Send deliveries made at or before this time [default: now]
    #[arg(long, env = "TILLBOOK_UNTIL", value_name = "TIME", value_parser = parse_time)]
    until: Option<Timestamp>,
    /// Send only deliveries that have failed or were skipped
    #[arg(long, env = "TILLBOOK_FAILED_ONLY", value_parser = FalseyValueParser::new())]
    failed_only: bool,
    #[command(flatten)]
    book: ServedBookArgs,
}

pub fn run(command: &HooksCommand) -> Result<(), CliError> {
    match command {
        HooksCommand::List(args) => list(args),
        HooksCommand::Ping(args) => ping(args),
        HooksCommand::Replay(args) => replay(args),
    }
}

fn list(args: &ListArgs) -> Result<(), CliError> {
    let db = args.book.find()?;
    let hooks = store::read_once::<_, StoreError>(&db, |reader| reader.list_all_hooks())?;
    let mut out = std::io::stdout().lock();
    if args.output.json {
        let texts: Vec<String> = hooks.iter().map(hook_view::render).collect();
        return Ok(writeln!(out, "{}", ObjectText::default().list("hooks", &texts).end())?);
    }
    if hooks.is_empty() {
        writeln!(out, "No webhooks. A client makes one with POST /hooks/subscriptions.")?;
    }
    for hook in hooks {
        let state = match &hook.paused {
            Some((_, because)) => format!("paused ({})", because.as_str()),
            None => "active".to_owned(),
        };
        writeln!(
            out,
            "{}  {}  {state}  {} delivered  {} failed  {}",
            hook.id, hook.account_id, hook.delivered_count, hook.failed_count, hook.settings.url
        )?;
    }
    Ok(())
}

fn ping(args: &PingArgs) -> Result<(), CliError> {
    let db = args.book.find()?;
    let hook = find(&db, &args.hook_id)?;
    let command = PingHook {
        on_behalf_of: on_behalf_of(&hook),
        hook_id: hook.id.clone(),
        body: hook_body::ping_body(hook_view::render(&hook)),
    };
    store::write_once_in_existing(&db, &TellServer(command))?;
    Ok(writeln!(std::io::stdout().lock(), "A ping will be sent to {}.", hook.settings.url)?)
}

fn replay(args: &ReplayArgs) -> Result<(), CliError> {
    let db = args.book.find()?;
    let hook = find(&db, &args.hook_id)?;
    let range = ReplayRange {
        since: args.since,
        until: args.until.unwrap_or(Timestamp(i64::MAX)),
        failed_only: args.failed_only,
    };
    let on_behalf_of = on_behalf_of(&hook);
    let command = ReplayDeliveries { on_behalf_of, hook_id: hook.id.clone(), range };
    let count = store::write_once_in_existing(&db, &TellServer(command))?;
    let mut out = std::io::stdout().lock();
    let deliveries = counted(u64::try_from(count).unwrap_or(u64::MAX), "delivery", "deliveries");
    Ok(writeln!(out, "{deliveries} will be sent again to {}.", hook.settings.url)?)
}

fn find(db: &Path, hook_id: &str) -> Result<HookRecord, CliError> {
    let hooks = store::read_once::<_, StoreError>(db, |reader| reader.list_all_hooks())?;
    hooks.into_iter().find(|hook| hook.id == hook_id).ok_or_else(|| {
        CliError::Refused(format!("there is no webhook {hook_id}; `tillbook hooks list` shows all"))
    })
}

fn on_behalf_of(hook: &HookRecord) -> OnBehalfOf {
    let created_by = CreatedBy("command line".to_owned());
    OnBehalfOf { account_id: hook.account_id.clone(), created_by }
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    let expected = || "expected an RFC 3339 date-time, such as 2026-11-23T09:00:00Z".to_owned();
    parse_rfc3339(text).ok_or_else(expected)
}
