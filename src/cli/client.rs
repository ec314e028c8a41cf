//! `tillbook client`

use std::io::Write;

use clap::{Args, Subcommand};

use super::account::{parse_account_id, parse_name};
use super::error::CliError;
use super::{DbArgs, JsonArgs};
use crate::app::{CreateClient, DisableClient};
use crate::auth::client_secret::ClientSecret;
use crate::clock::rfc3339;
use crate::domain::ids::AccountId;
use crate::domain::scope::{Scope, Scopes};
use crate::json::{ObjectText, Tree};
use crate::randomness::Randomness;
use crate::store::{self, ClientRecord, StoreError};

#[derive(Subcommand)]
pub enum ClientCommand {
    /// Make an API client and print its secret once
    Create(CreateArgs),
    /// List all API clients
    List(ListArgs),
    /// Disable an API client; its tokens stop working within a second
    Disable(DisableArgs),
}

#[derive(Args)]
pub struct CreateArgs {
    /// The account whose orders the client works on
    #[arg(long, env = "TILLBOOK_ACCOUNT", value_parser = parse_account_id)]
    account: AccountId,
    /// The client's name, for people
    #[arg(long, env = "TILLBOOK_NAME", value_parser = parse_name)]
    name: String,
    /// What the client may do: admin:shopping, write:shopping, read:shopping,
    /// write:shopping:/orders/ANY/events, read:shopping:/orders/ANY/events, admin:hooks,
    /// write:hooks, read:hooks, admin:billing, write:billing or read:billing; can be repeated
    #[arg(
        long = "grant",
        env = "TILLBOOK_GRANT",
        required = true,
        num_args = 1..,
        value_name = "SCOPE",
        value_delimiter = ',',
        value_parser = parse_scope
    )]
    grants: Vec<Scope>,
    #[command(flatten)]
    db: DbArgs,
    #[command(flatten)]
    output: JsonArgs,
}

#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    db: DbArgs,
    #[command(flatten)]
    output: JsonArgs,
}

#[derive(Args)]
pub struct DisableArgs {
    /// The client's id, as `tillbook client list` shows it
    #[arg(value_name = "CLIENT")]
    client_id: String,
    #[command(flatten)]
    db: DbArgs,
    #[command(flatten)]
    output: JsonArgs,
}

pub fn run(command: &ClientCommand) -> Result<(), CliError> {
    match command {
        ClientCommand::Create(args) => create(args),
        ClientCommand::List(args) => list(args),
        ClientCommand::Disable(args) => disable(args),
    }
}

fn create(args: &CreateArgs) -> Result<(), CliError> {
    let secret = ClientSecret::draw(&Randomness::System);
    let grants = Scopes::new(args.grants.clone());
    let command = CreateClient {
        account_id: args.account.clone(),
        name: args.name.clone(),
        grants: grants.clone(),
        secret: secret.clone(),
    };
    let made = store::write_once_in_existing(&args.db.db, &command)?;
    let mut out = std::io::stdout().lock();
    if args.output.json {
        let grants = grants.words().into_iter().map(Tree::text).collect();
        let answer = Tree::object([
            ("client_id", Tree::text(&made.client_id)),
            ("client_secret", Tree::text(secret.reveal())),
            ("account", Tree::text(made.account_id.as_str())),
            ("grants", Tree::List(grants)),
        ]);
        return Ok(writeln!(out, "{answer}")?);
    }
    Ok(writeln!(
        out,
        "Made client {} of account {} with {grants}.\n\nclient_id      {}\nclient_secret  {}\n\n\
         The secret is shown only once. Keep it where the client can read it.",
        made.name,
        made.account_id,
        made.client_id,
        secret.reveal()
    )?)
}

fn list(args: &ListArgs) -> Result<(), CliError> {
    let clients = store::read_once::<_, StoreError>(&args.db.db, |reader| reader.list_clients())?;
    let mut out = std::io::stdout().lock();
    if args.output.json {
        let texts: Vec<String> = clients.iter().map(client_json).collect();
        return Ok(writeln!(out, "{}", ObjectText::default().list("clients", &texts).end())?);
    }
    if clients.is_empty() {
        writeln!(out, "No clients. `tillbook client create --help` shows how to make one.")?;
    }
    for client in clients {
        let state = if client.disabled_at.is_some() { "disabled" } else { "enabled " };
        writeln!(
            out,
            "{}  {}  {state}  {}  {}",
            client.client_id, client.account_id, client.name, client.grants
        )?;
    }
    Ok(())
}

fn disable(args: &DisableArgs) -> Result<(), CliError> {
    let command = DisableClient { client_id: args.client_id.clone() };
    let client = store::write_once_in_existing(&args.db.db, &command)?;
    let mut out = std::io::stdout().lock();
    if args.output.json {
        return Ok(writeln!(out, "{}", client_json(&client))?);
    }
    Ok(writeln!(out, "Disabled client {} ({}).", client.client_id, client.name)?)
}

fn client_json(client: &ClientRecord) -> String {
    let grants = client.grants.words().into_iter().map(Tree::text).collect();
    let mut object = ObjectText::default();
    object
        .text("client_id", &client.client_id)
        .text("account", client.account_id.as_str())
        .text("name", &client.name)
        .json("grants", &Tree::List(grants).to_string())
        .text("created_at", &rfc3339(client.created_at));
    if let Some(disabled_at) = client.disabled_at {
        object.text("disabled_at", &rfc3339(disabled_at));
    }
    object.end()
}

fn parse_scope(text: &str) -> Result<Scope, String> {
    let words = Scope::ALL.map(Scope::as_str).join(", ");
    Scope::parse(text).ok_or_else(|| format!("expected one of: {words}"))
}
