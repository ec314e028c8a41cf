//! `tillbook account`

use std::io::Write;

use clap::{ArgGroup, Args, Subcommand};

use super::error::CliError;
use super::{DbArgs, JsonArgs, tell_new_book};
use crate::app::{CreateAccount, EditAccount, SESSION_ID_PLACE};
use crate::auth::client_secret::ClientSecret;
use crate::clock::rfc3339;
use crate::domain::currency::Currency;
use crate::domain::hook::SECRET_CHARS_MAX;
use crate::domain::ids::AccountId;
use crate::json::ObjectText;
use crate::randomness::Randomness;
use crate::store::{self, AccountRecord, StoreError};
use crate::wire::return_address::is_web_address;

/// Longest name, in characters.
pub const NAME_CHARS_MAX: usize = 200;

#[derive(Subcommand)]
pub enum AccountCommand {
    /// Make an account, and the book if it does not exist
    Create(CreateArgs),
    /// Change an account: the payment page of its order sessions, the secret of their callbacks
    Edit(EditArgs),
    /// List all accounts
    List(ListArgs),
}

#[derive(Args)]
pub struct CreateArgs {
    /// T (test) or P (production) and eight digits, such as T12345678
    #[arg(value_name = "ACCOUNT", value_parser = parse_account_id)]
    account_id: AccountId,
    /// The shop's name
    #[arg(long, env = "TILLBOOK_NAME", value_parser = parse_name)]
    name: String,
    /// The currency that sums are shown in, ISO 4217
    #[arg(long, env = "TILLBOOK_CURRENCY", default_value = "NOK", value_parser = parse_currency)]
    currency: Currency,
    /// The shop's time zone, an IANA name
    #[arg(
        long,
        env = "TILLBOOK_TIME_ZONE",
        default_value = "Europe/Oslo",
        value_name = "ZONE",
        value_parser = parse_time_zone
    )]
    time_zone: String,
    #[command(flatten)]
    db: DbArgs,
    #[command(flatten)]
    output: JsonArgs,
}

#[derive(Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(true))]
pub struct EditArgs {
    /// The account to change
    #[arg(value_name = "ACCOUNT", value_parser = parse_account_id)]
    account_id: AccountId,
    /// Your own payment page, with {session_id} in the place of the session's id, such as
    /// `https://shop.example/pay/{session_id}`; "none" removes it. Existing sessions keep theirs
    #[arg(
        long,
        env = "TILLBOOK_CHECKOUT_URL",
        value_name = "URL",
        value_parser = parse_checkout_url,
        group = "change"
    )]
    checkout_url: Option<CheckoutUrl>,
    /// The secret with which callbacks of sessions are signed; "new" makes one and prints it,
    /// "none" removes it, so that callbacks are not signed
    #[arg(
        long,
        env = "TILLBOOK_CALLBACK_SECRET",
        value_name = "SECRET",
        hide_env_values = true,
        value_parser = parse_callback_secret,
        group = "change"
    )]
    callback_secret: Option<CallbackSecret>,
    #[command(flatten)]
    db: DbArgs,
    #[command(flatten)]
    output: JsonArgs,
}

/// A payment page; `None` removes it.
#[derive(Debug, Clone)]
struct CheckoutUrl(Option<String>);

/// The secret of callbacks.
#[derive(Clone)]
enum CallbackSecret {
    Removed,
    Made,
    Chosen(String),
}

#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    db: DbArgs,
    #[command(flatten)]
    output: JsonArgs,
}

pub fn run(command: &AccountCommand) -> Result<(), CliError> {
    match command {
        AccountCommand::Create(args) => create(args),
        AccountCommand::Edit(args) => edit(args),
        AccountCommand::List(args) => list(args),
    }
}

fn edit(args: &EditArgs) -> Result<(), CliError> {
    let checkout_url = args.checkout_url.clone().map(|CheckoutUrl(page)| page);
    let is_page_told = checkout_url.is_some();
    let secret = args.callback_secret.clone().map(|secret| match secret {
        CallbackSecret::Removed => None,
        CallbackSecret::Chosen(text) => Some(text),
        CallbackSecret::Made => Some(ClientSecret::draw(&Randomness::System).reveal().to_owned()),
    });
    let is_made = matches!(args.callback_secret, Some(CallbackSecret::Made));
    let made = secret.clone().flatten().filter(|_| is_made);
    let callback_secret = secret.clone();
    let command =
        EditAccount { account_id: args.account_id.clone(), checkout_url, callback_secret };
    let changed = store::write_once_in_existing(&args.db.db, &command)?;
    let mut out = std::io::stdout().lock();
    if args.output.json {
        let mut object = account_json(&changed);
        if let Some(secret) = &made {
            object.text("callback_secret", secret);
        }
        return Ok(writeln!(out, "{}", object.end())?);
    }
    let id = changed.account_id;
    match changed.checkout_url {
        _ if !is_page_told => {}
        Some(page) => writeln!(out, "New sessions of account {id} are paid on {page}.")?,
        None => writeln!(out, "Account {id} has no payment page of its own.")?,
    }
    match (secret, made) {
        (None, _) => {}
        (Some(None), _) => writeln!(out, "Callbacks of account {id} are not signed.")?,
        (Some(Some(_)), None) => writeln!(out, "Callbacks of account {id} are signed.")?,
        (Some(Some(_)), Some(made)) => {
            writeln!(out, "Callbacks of account {id} are signed with the secret {made}")?;
        }
    }
    Ok(())
}

fn create(args: &CreateArgs) -> Result<(), CliError> {
    let command = CreateAccount {
        account_id: args.account_id.clone(),
        name: args.name.clone(),
        currency: args.currency.clone(),
        time_zone: args.time_zone.clone(),
    };
    let is_new = !args.db.db.exists();
    let made = store::write_once(&args.db.db, &command)?;
    if is_new {
        tell_new_book(&args.db.db)?;
    }
    let mut out = std::io::stdout().lock();
    if args.output.json {
        return Ok(writeln!(out, "{}", account_json(&made).end())?);
    }
    writeln!(out, "Made account {} ({}) in {}.", made.account_id, made.name, args.db.db.display())?;
    Ok(writeln!(
        out,
        "Next, an API client:\n  tillbook client create --account {} --name \"My website\" --grant \
         admin:shopping",
        made.account_id
    )?)
}

fn list(args: &ListArgs) -> Result<(), CliError> {
    let accounts = store::read_once::<_, StoreError>(&args.db.db, |reader| reader.list_accounts())?;
    let mut out = std::io::stdout().lock();
    if args.output.json {
        let texts: Vec<String> = accounts.iter().map(|one| account_json(one).end()).collect();
        return Ok(writeln!(out, "{}", ObjectText::default().list("accounts", &texts).end())?);
    }
    if accounts.is_empty() {
        writeln!(
            out,
            "No accounts. Make one: tillbook account create T00000001 --name \"My shop\""
        )?;
    }
    for account in accounts {
        writeln!(
            out,
            "{}  {}  {}  {}",
            account.account_id,
            account.currency.code(),
            account.time_zone,
            account.name
        )?;
    }
    Ok(())
}

fn account_json(account: &AccountRecord) -> ObjectText {
    let mut object = ObjectText::default();
    object
        .text("account", account.account_id.as_str())
        .text("name", &account.name)
        .text("currency", account.currency.code())
        .text("time_zone", &account.time_zone)
        .text("created_at", &rfc3339(account.created_at));
    if let Some(page) = &account.checkout_url {
        object.text("checkout_url", page);
    }
    object
}

/// Parses an account id on the command line.
pub fn parse_account_id(text: &str) -> Result<AccountId, String> {
    AccountId::parse(text)
        .ok_or_else(|| "expected T or P and eight digits, such as T12345678".to_owned())
}

/// Parses a name on the command line.
pub fn parse_name(text: &str) -> Result<String, String> {
    let sized = (1..=NAME_CHARS_MAX).contains(&text.chars().count());
    if sized && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(format!("expected 1 to {NAME_CHARS_MAX} characters on one line"))
}

fn parse_checkout_url(text: &str) -> Result<CheckoutUrl, String> {
    if text == "none" {
        return Ok(CheckoutUrl(None));
    }
    let has_place = text.contains(SESSION_ID_PLACE);
    // An id has the length of a UUID, which every session has.
    let filled = text.replace(SESSION_ID_PLACE, &"0".repeat(36));
    if has_place && is_web_address(&filled) {
        return Ok(CheckoutUrl(Some(text.to_owned())));
    }
    Err(format!(
        "expected \"none\", or an http or https URL with {SESSION_ID_PLACE} in it, such as \
         https://shop.example/pay/{SESSION_ID_PLACE}"
    ))
}

fn parse_callback_secret(text: &str) -> Result<CallbackSecret, String> {
    match text {
        "none" => Ok(CallbackSecret::Removed),
        "new" => Ok(CallbackSecret::Made),
        _ if text.is_empty() || SECRET_CHARS_MAX < text.chars().count() => {
            Err(format!("expected \"new\", \"none\" or 1 to {SECRET_CHARS_MAX} characters"))
        }
        _ => Ok(CallbackSecret::Chosen(text.to_owned())),
    }
}

fn parse_currency(text: &str) -> Result<Currency, String> {
    Currency::parse(text).ok_or_else(|| "expected an ISO 4217 code, such as NOK".to_owned())
}

fn parse_time_zone(text: &str) -> Result<String, String> {
    match jiff::tz::TimeZone::get(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("expected an IANA time zone, such as Europe/Oslo".to_owned()),
    }
}
