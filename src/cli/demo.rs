//! `tillbook demo`

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::FalseyValueParser;
use indicatif::{ProgressBar, ProgressStyle};

use super::demo_payment::make_payment;
use super::error::CliError;
use super::serve::{HttpArgs, Running, bind, one_time_link, serve};
use super::user::make_password;
use crate::app::{ChangeUser, CreateClient, CreateUser, OnBehalfOf, UserChange};
use crate::auth::client_secret::ClientSecret;
use crate::auth::password::{HashMemory, Password};
use crate::auth::verified_token::VerifiedToken;
use crate::clock::Clock;
use crate::demo::{ACCOUNT, make_shop};
use crate::domain::email::Email;
use crate::domain::ids::{AccountId, CreatedBy};
use crate::domain::ledger::Ledger;
use crate::domain::order::OrderStatus;
use crate::domain::role::Role;
use crate::domain::scope::{Scope, Scopes};
use crate::http::AppState;
use crate::json::Tree;
use crate::randomness::Randomness;
use crate::store::{self, ClientRecord, OrderQuery, OrderRecord, StoreError, StoreErrorKind};
use crate::wire::curl::Curl;

/// The seed if the command line has no `--seed`.
const SEED_DEFAULT: u64 = 1;

/// How many of the latest orders are searched for one that can be captured.
const ORDERS_LOOKED_AT: u32 = 100;

/// Shown while the shop is made.
const MAKING: &str = "Making the demo shop: 90 days of orders";

#[derive(Args)]
pub struct DemoArgs {
    /// The demo shop's SQLite file, which is made if it does not exist
    #[arg(long, env = "TILLBOOK_DB", default_value = "./tillbook-demo.db", value_name = "FILE")]
    db: PathBuf,
    /// Delete the shop and make it again; a file that `demo` did not make is never changed
    #[arg(long, env = "TILLBOOK_RESET", value_parser = FalseyValueParser::new())]
    reset: bool,
    /// The seed of the shop: the same number gives the same orders [default: 1]
    #[arg(long, env = "TILLBOOK_SEED", value_name = "NUMBER", value_parser = parse_seed)]
    seed: Option<u64>,
    #[command(flatten)]
    http: HttpArgs,
}

/// Serves the demo shop, and makes it first if it does not exist.
pub fn run(args: &DemoArgs) -> Result<(), CliError> {
    // Takes the port first, so that no time is spent on a shop that cannot be served.
    let listener = bind(args.http.listen)?;
    let seed_of_file = if args.db.exists() { Some(expect_demo(&args.db)?) } else { None };
    match (seed_of_file, args.seed) {
        (Some(made_of), Some(seed)) if !args.reset && made_of != seed => {
            return Err(CliError::Refused(format!(
                "{} has the shop of seed {made_of}; --reset replaces it by that of seed {seed}",
                args.db.display()
            )));
        }
        (Some(_), _) if !args.reset => {}
        _ => make_afresh(&args.db, args.seed.unwrap_or(SEED_DEFAULT))?,
    }
    let mut http = args.http.clone();
    http.webhooks.allow_loopback = true;
    serve(&http, listener, &args.db, announce)
}

/// The seed of a file that `demo` made; an error for any other file.
fn expect_demo(db: &Path) -> Result<u64, CliError> {
    let seed = store::read_once::<_, StoreError>(db, |reader| reader.load_demo_seed());
    match seed {
        Ok(Some(seed)) => Ok(u64::from_le_bytes(seed.to_le_bytes())),
        Ok(None) => Err(CliError::Refused(format!(
            "{} is a real book, not a demo, and was not changed. Serve it with `tillbook serve \
             --db {0}`, or name another file for the demo with --db",
            db.display()
        ))),
        // A file of another version: the error itself says what to do.
        Err(error) if error.kind == StoreErrorKind::Other => Err(error.into()),
        Err(error) => Err(CliError::Refused(format!(
            "{} was not made by `tillbook demo` ({}) and was not changed. Name another file with \
             --db",
            db.display(),
            error.source
        ))),
    }
}

/// Makes the shop in a temporary file and renames that when it is complete, so that an interrupted
/// run leaves no file that looks like a shop.
fn make_afresh(db: &Path, seed: u64) -> Result<(), CliError> {
    let _lock = store::try_lock(db)?.ok_or_else(|| {
        CliError::Refused(format!("another Tillbook serves {}; stop it first", db.display()))
    })?;
    let making = beside(db, ".making");
    remove_book(&making)?;
    let bar = progress_bar();
    make_shop(&making, seed, Clock::System.now(), |done, count| {
        bar.set_length(u64::try_from(count).unwrap_or(0));
        bar.set_position(u64::try_from(done).unwrap_or(0));
    })
    .map_err(|error| CliError::Refused(error.to_string()))?;
    bar.finish_and_clear();
    remove_book(db)?;
    std::fs::rename(&making, db)?;
    remove_book(&making)?;
    Ok(())
}

/// A progress bar on a terminal; otherwise a single line.
fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        // Standard error may be closed; then the message is not needed.
        drop(writeln!(std::io::stderr(), "{MAKING} …"));
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_message(MAKING)
}

/// Removes a closed book and SQLite's files beside it. The lock file is removed only for the
/// temporary file: another process may be waiting for the lock of a book that is in place.
fn remove_book(db: &Path) -> Result<(), CliError> {
    for ending in ["", "-wal", "-shm"] {
        remove(&beside(db, ending))?;
    }
    if db.to_string_lossy().ends_with(".making") {
        remove(&store::lock_path(db))?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), CliError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(CliError::Refused(format!("cannot remove {}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

fn beside(db: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(db);
    name.push(ending);
    PathBuf::from(name)
}

/// The text printed at the start: the shop's URL, a client, and a command that captures.
fn announce(running: &Running<'_>) -> Result<String, CliError> {
    let state = running.state;
    let url = state.links.public_url();
    let (client, secret) = make_client(state)?;
    let capture = match find_capturable(state)? {
        Some(order) => format!(
            "Record a capture on order {}: paste this\n\n{}\n",
            order.order_id.as_str(),
            capture_command(state, &client, &order)?
        ),
        None => "Nothing is left to capture; --reset makes the shop again.\n".to_owned(),
    };
    let on_behalf_of = OnBehalfOf {
        account_id: client.account_id.clone(),
        created_by: CreatedBy(client.client_id.clone()),
    };
    let payment = make_payment(state, &on_behalf_of)?;
    Ok(format!(
        "A demo shop is open on {url}\n\naccount        {ACCOUNT}\nclient_id      {}\n\
         client_secret  {}\n\n{capture}\nPay order {} as its customer would, without real \
         money:\n{}\n\n{}\nEvery route:   {url}/docs (as a document: {url}/openapi.yaml)\n\
         Stop it with Ctrl-C; --reset makes it again.\n",
        client.client_id,
        secret.reveal(),
        payment.order_id.as_str(),
        payment.url,
        people(state)?
    ))
}

/// Sets new passwords for one user per role and makes a link that signs the owner in once.
fn people(state: &AppState) -> Result<String, CliError> {
    let (mut text, mut memory) = (String::new(), HashMemory::default());
    for role in Role::ALL {
        let email = demo_email(role)?;
        let password = make_password(&Randomness::System);
        let hash = Password::new(&password).ok().and_then(|password| {
            // One memory for all of them, which the system gets back at once.
            password.hash(&Randomness::System, &mut memory)
        });
        let hash = hash.ok_or_else(|| not_made(&email, "its password could not be hashed"))?;
        set_password(state, role, &email, hash)?;
        text.push_str(&format!("{email:<22} {password}\n"));
    }
    let link = one_time_link(state, "link", Some(demo_email(Role::Owner)?))?;
    Ok(format!("The back office, signed in as the owner, once:\n{link}\n\n{text}"))
}

fn parse_seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("expected a whole number from 0 to {}", u64::MAX))
}

fn demo_email(role: Role) -> Result<Email, CliError> {
    let text = format!("{}@demo.example", role.as_str());
    let invalid = || CliError::Refused(format!("{text} is not an e-mail address"));
    Email::canonical(&text).ok_or_else(invalid)
}

fn set_password(
    state: &AppState,
    role: Role,
    email: &Email,
    password_hash: String,
) -> Result<(), CliError> {
    let writer = &state.store.writer;
    if state.store.read_blocking(|reader| reader.find_user(email))?.is_some() {
        let command =
            ChangeUser { email: email.clone(), change: UserChange::Password { password_hash } };
        let changed = writer.write_blocking(command);
        return changed.map(drop).map_err(|error| not_made(email, &error.to_string()));
    }
    let accounts = vec![account()?];
    let command = CreateUser { email: email.clone(), role, accounts, password_hash };
    let made = writer.write_blocking(command);
    made.map(drop).map_err(|error| not_made(email, &error.to_string()))
}

fn not_made(email: &Email, why: &str) -> CliError {
    CliError::Refused(format!("the user {email} could not be made: {why}"))
}

/// Makes a client to try the demo with. Its secret is not stored, so every start makes a new one.
fn make_client(state: &AppState) -> Result<(ClientRecord, ClientSecret), CliError> {
    let secret = ClientSecret::draw(&Randomness::System);
    let command = CreateClient {
        account_id: account()?,
        name: "Demo".to_owned(),
        grants: Scopes::new(vec![Scope::AdminShopping, Scope::AdminHooks, Scope::AdminBilling]),
        secret: secret.clone(),
    };
    let made = state.store.writer.write_blocking(command);
    let made = made.map_err(|error| {
        CliError::DatabaseFailed(format!("the demo's client could not be made: {error}"))
    })?;
    state.store.read_blocking(|reader| state.access.reload(reader))?;
    Ok((made, secret))
}

/// The oldest of the latest orders with a held amount, which has waited longest.
fn find_capturable(state: &AppState) -> Result<Option<OrderRecord>, CliError> {
    let account_id = account()?;
    let query = OrderQuery {
        statuses: vec![OrderStatus::Open],
        limit: ORDERS_LOOKED_AT,
        ..OrderQuery::default()
    };
    let page = state.store.read_blocking(|reader| reader.list_orders(&account_id, &query))?;
    let waits = |order: &OrderRecord| {
        !order.ledger.multiple_authorizations && first_held_line(&order.ledger).is_some()
    };
    Ok(page.orders.into_iter().rev().find(waits))
}

/// The first line with a held amount, and what can be captured on it.
fn first_held_line(ledger: &Ledger) -> Option<(i64, i128)> {
    let line = ledger.lines.iter().find(|line| 0 < line.boxes().held)?;
    Some((line.line_id().number(), ledger.remaining(line)))
}

/// A curl command that captures, with a token in it.
fn capture_command(
    state: &AppState,
    client: &ClientRecord,
    order: &OrderRecord,
) -> Result<String, CliError> {
    let token = VerifiedToken {
        client_id: client.client_id.clone(),
        account_id: client.account_id.clone(),
        scopes: client.grants.clone(),
    };
    let jti = Randomness::System.uuid();
    let token = state.tokens.issue(&token, state.clock.now(), jti);
    let token = token
        .ok_or_else(|| CliError::Refused("the book has no key that signs tokens".to_owned()))?;
    let (line_id, remaining) = first_held_line(&order.ledger).unwrap_or_default();
    let item =
        Tree::object([("line_id", Tree::integer(line_id)), ("amount", Tree::integer(remaining))]);
    let body = Tree::object([("items", Tree::List(vec![item]))]);
    let url = state.links.order(&client.account_id, &order.order_id);
    let command = Curl::post(&format!("{url}/captures"));
    Ok(command.header("Authorization", &format!("Bearer {token}")).body(&body).one_line())
}

fn account() -> Result<AccountId, CliError> {
    AccountId::parse(ACCOUNT)
        .ok_or_else(|| CliError::Refused("the demo's account id is not valid".to_owned()))
}
