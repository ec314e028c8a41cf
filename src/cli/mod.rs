//! The command line, with one file per subcommand.

mod account;
mod client;
mod compat;
mod compat_flows;
mod confirm_clock;
mod demo;
mod demo_payment;
mod environment;
mod error;
mod hooks;
mod listen;
mod log_limit;
mod log_writer;
mod serve;
mod served_book;
mod signals;
mod telemetry;
mod trigger;
mod user;
mod verify;
mod webhook_args;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::FalseyValueParser;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

/// The order and payment book that a small merchant runs on one machine.
///
/// Tillbook keeps the orders of a shop and records what happened to the money for them:
/// authorizations, captures, refunds and cancellations. It serves a JSON API and keeps everything
/// in one SQLite file.
///
/// To try it first: `tillbook demo` makes a shop with orders and prints a curl command that
/// records a capture.
#[derive(Parser)]
#[command(
    name = "tillbook",
    after_help = "Exit codes: 0 done; 1 refused or failed, or `verify` found errors; 2 the command \
                  line is wrong; 70 the database failed and the server stopped: start it again.\n\n\
                  Every option can also be set in the environment, as shown beside it."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API and the back office from a book, which is made if it does not exist
    Serve(serve::ServeArgs),
    /// Make a demo shop with orders, serve it, and print a capture to try
    Demo(demo::DemoArgs),
    /// Check the whole book, also while a server uses it; exits with 1 if anything is wrong
    Verify(verify::VerifyArgs),
    /// Replay the public guides' flows against a server and list where its answers differ
    Compat(compat::CompatArgs),
    /// Make and list accounts: shops, each with its own orders
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Make, list and disable API clients
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// List webhooks, ping them and send their deliveries again
    #[command(subcommand)]
    Hooks(hooks::HooksCommand),
    /// Show an account's events as a running server delivers them; a webhook for the moment
    Listen(listen::ListenArgs),
    /// Cause an event of webhooks in a test account by the smallest change that does
    Trigger(trigger::TriggerArgs),
    /// Say that this machine's clock is right, so that orders expire again after it has jumped
    ConfirmClock(confirm_clock::ConfirmClockArgs),
    /// Make, list and disable users of the back office, and set passwords
    #[command(subcommand)]
    User(user::UserCommand),
}

/// The option that names the book.
#[derive(Args, Clone)]
pub struct DbArgs {
    /// The book's SQLite file
    #[arg(long, env = "TILLBOOK_DB", default_value = "./tillbook.db", value_name = "FILE")]
    pub db: PathBuf,
}

/// The option that chooses the output's format.
#[derive(Args, Clone)]
pub struct JsonArgs {
    /// Print JSON, for a script to read
    #[arg(long, env = "TILLBOOK_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// A number with its noun: `1 order`, `2 orders`.
fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Says on standard error that a book was made, since a mistyped path makes a new one too.
fn tell_new_book(db: &Path) -> std::io::Result<()> {
    let whole = std::path::absolute(db).unwrap_or_else(|_| db.to_owned());
    let text = format!(
        "Made a new book, {}. If you meant another one, name it with --db.\n",
        whole.display()
    );
    std::io::stderr().write_all(text.as_bytes())
}

/// Parses the command line, runs the command, and returns the process's exit code.
pub fn run() -> ExitCode {
    let mut command = Cli::command().version(version()).long_version(long_version());
    let cli = match command.try_get_matches_from_mut(std::env::args_os()) {
        Ok(matches) => Cli::from_arg_matches(&matches),
        Err(error) => Err(environment::name_variable(command, error)),
    };
    let cli = match cli {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let done = match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Compat(args) => compat::run(&args),
        Command::Account(command) => account::run(&command),
        Command::Client(command) => client::run(&command),
        Command::Hooks(command) => hooks::run(&command),
        Command::Listen(args) => listen::run(&args),
        Command::Trigger(args) => trigger::run(&args),
        Command::ConfirmClock(args) => confirm_clock::run(&args),
        Command::User(command) => user::run(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error::print(&error);
            error.exit_code()
        }
    }
}

/// `0.1.0 (4f1c09a7d2)`; the commit is left out if the build did not know it.
fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    match env!("TILLBOOK_BUILD_COMMIT") {
        "" => version.to_owned(),
        commit => format!("{version} ({commit})"),
    }
}

/// The version, and on a line below the version of SQLite, since some versions lose data.
fn long_version() -> String {
    format!("{}\nSQLite {}", version(), crate::store::sqlite_version())
}
