//! `tillbook user`

use std::io::{BufRead, IsTerminal, Write};

use clap::builder::FalseyValueParser;
use clap::{Args, Subcommand};

use super::account::parse_account_id;
use super::error::CliError;
use super::{DbArgs, JsonArgs};
use crate::app::{ChangeUser, CreateUser, UserChange};
use crate::auth::email;
use crate::auth::password::{HashMemory, Password};
use crate::auth::session::Ticket;
use crate::clock::rfc3339;
use crate::domain::email::Email;
use crate::domain::ids::AccountId;
use crate::domain::role::Role;
use crate::json::{ObjectText, Tree};
use crate::randomness::Randomness;
use crate::store::{self, StoreError, UserRecord};

#[derive(Subcommand)]
pub enum UserCommand {
    /// Make a user of the back office and print a password once, unless one is given
    Create(CreateArgs),
    /// List all users
    List(ListArgs),
    /// Disable a user, who is signed out everywhere
    Disable(ChangeArgs),
    /// Set a new password, which signs the user out everywhere
    Passwd(PasswdArgs),
}

#[derive(Args)]
pub struct CreateArgs {
    /// The user's e-mail, their name at sign-in
    #[arg(long, env = "TILLBOOK_EMAIL", value_parser = parse_email)]
    email: Email,
    /// The role: owner and manager do everything, packer captures, viewer only looks
    #[arg(long, env = "TILLBOOK_ROLE", value_parser = parse_role)]
    role: Role,
    /// An account that the user has access to; can be repeated
    #[arg(
        long = "account",
        env = "TILLBOOK_ACCOUNT",
        required = true,
        value_delimiter = ',',
        value_parser = parse_account_id
    )]
    accounts: Vec<AccountId>,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    db: DbArgs,
    #[command(flatten)]
    output: JsonArgs,
}

#[derive(Args)]
pub struct PasswordArgs {
    /// Read the password from one line of standard input; without this, one is made and printed
    #[arg(long, env = "TILLBOOK_PASSWORD_STDIN", value_parser = FalseyValueParser::new())]
    password_stdin: bool,
}

#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    db: DbArgs,
    #[command(flatten)]
    output: JsonArgs,
}

#[derive(Args)]
pub struct ChangeArgs {
    /// The user's e-mail
    #[arg(value_name = "EMAIL", value_parser = parse_email)]
    email: Email,
    #[command(flatten)]
    db: DbArgs,
}

#[derive(Args)]
pub struct PasswdArgs {
    #[command(flatten)]
    user: ChangeArgs,
    #[command(flatten)]
    password: PasswordArgs,
}

pub fn run(command: &UserCommand) -> Result<(), CliError> {
    match command {
        UserCommand::Create(args) => create(args),
        UserCommand::List(args) => list(args),
        UserCommand::Disable(args) => disable(args),
        UserCommand::Passwd(args) => passwd(args),
    }
}

fn create(args: &CreateArgs) -> Result<(), CliError> {
    let (password_hash, made_password) = choose_password(&args.password)?;
    let command = CreateUser {
        email: args.email.clone(),
        role: args.role,
        accounts: args.accounts.clone(),
        password_hash,
    };
    let user = store::write_once_in_existing(&args.db.db, &command)?;
    let mut out = std::io::stdout().lock();
    if args.output.json {
        let mut object = ObjectText::default();
        object.members_of(&user_json(&user, &args.accounts));
        if let Some(password) = &made_password {
            object.text("password", password);
        }
        return Ok(writeln!(out, "{}", object.end())?);
    }
    writeln!(out, "Made {} {}.", args.role.as_str(), user.email)?;
    tell_password(&mut out, made_password.as_deref())
}

fn list(args: &ListArgs) -> Result<(), CliError> {
    let users = store::read_once::<_, StoreError>(&args.db.db, |reader| {
        let users = reader.list_users()?.into_iter();
        let with_accounts = users.map(|user| {
            let accounts = reader.list_accounts_of(user.user_seq)?;
            let ids: Vec<AccountId> =
                accounts.into_iter().map(|account| account.account_id).collect();
            Ok((ids, user))
        });
        with_accounts.collect::<Result<Vec<_>, StoreError>>()
    })?;
    let mut out = std::io::stdout().lock();
    if args.output.json {
        let texts: Vec<String> =
            users.iter().map(|(accounts, user)| user_json(user, accounts)).collect();
        return Ok(writeln!(out, "{}", ObjectText::default().list("users", &texts).end())?);
    }
    if users.is_empty() {
        writeln!(out, "No users. `tillbook user create --help` shows how to make one.")?;
    }
    for (accounts, user) in users {
        let state = if user.disabled_at.is_some() { "disabled" } else { "enabled " };
        let accounts: Vec<&str> = accounts.iter().map(AccountId::as_str).collect();
        writeln!(out, "{}  {:8}  {state}  {}", accounts.join(","), user.role.as_str(), user.email)?;
    }
    Ok(())
}

fn disable(args: &ChangeArgs) -> Result<(), CliError> {
    let user = change(args, UserChange::Disable)?;
    Ok(writeln!(std::io::stdout().lock(), "Disabled {}.", user.email)?)
}

fn passwd(args: &PasswdArgs) -> Result<(), CliError> {
    let (password_hash, made_password) = choose_password(&args.password)?;
    let user = change(&args.user, UserChange::Password { password_hash })?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "Set a new password for {}.", user.email)?;
    tell_password(&mut out, made_password.as_deref())
}

fn change(args: &ChangeArgs, change: UserChange) -> Result<UserRecord, CliError> {
    let command = ChangeUser { email: args.email.clone(), change };
    Ok(store::write_once_in_existing(&args.db.db, &command)?)
}

/// The hash to store, and the password itself if it was made here.
fn choose_password(args: &PasswordArgs) -> Result<(String, Option<String>), CliError> {
    let (text, made) = if args.password_stdin {
        if std::io::stdin().is_terminal() {
            writeln!(std::io::stderr(), "Type the password, then Enter:")?;
        }
        let mut line = Vec::new();
        let read = std::io::stdin().lock().read_until(b'\n', &mut line);
        read.map_err(|why| CliError::Refused(format!("the password could not be read: {why}")))?;
        let line = String::from_utf8(line).map_err(|_| {
            CliError::Refused(
                "the password on standard input is not UTF-8; send it as UTF-8".into(),
            )
        })?;
        (line.trim_end_matches(['\r', '\n']).to_owned(), None)
    } else {
        let made = make_password(&Randomness::System);
        (made.clone(), Some(made))
    };
    let password = Password::new(&text).map_err(|why| CliError::Refused(why.to_string()))?;
    let hash = password.hash(&Randomness::System, &mut HashMemory::default());
    let hash = hash.ok_or_else(|| CliError::Refused("the password could not be hashed".into()))?;
    Ok((hash, made))
}

/// A password that cannot be guessed: 120 random bits in 20 characters.
pub fn make_password(randomness: &Randomness) -> String {
    Ticket::draw(randomness).reveal().chars().take(20).collect()
}

fn tell_password(out: &mut impl Write, made: Option<&str>) -> Result<(), CliError> {
    if let Some(password) = made {
        writeln!(out, "\npassword  {password}\n\nIt is shown only once.")?;
    }
    Ok(())
}

fn user_json(user: &UserRecord, accounts: &[AccountId]) -> String {
    let accounts = accounts.iter().map(|account| Tree::text(account.as_str())).collect();
    let mut object = ObjectText::default();
    object
        .text("user_id", &user.user_id)
        .text("email", user.email.as_str())
        .text("role", user.role.as_str())
        .json("accounts", &Tree::List(accounts).to_string())
        .text("created_at", &rfc3339(user.created_at));
    if let Some(disabled_at) = user.disabled_at {
        object.text("disabled_at", &rfc3339(disabled_at));
    }
    object.end()
}

fn parse_role(text: &str) -> Result<Role, String> {
    let words = Role::ALL.map(Role::as_str).join(", ");
    Role::parse(text).ok_or_else(|| format!("expected one of: {words}"))
}

fn parse_email(text: &str) -> Result<Email, String> {
    email::parse(text)
        .ok_or_else(|| "expected an e-mail address, such as kari@example.no".to_owned())
}
