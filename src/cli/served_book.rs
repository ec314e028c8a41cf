//! Finds the book of commands that are used beside a running server.

use std::path::{Path, PathBuf};

use clap::Args;

use super::account::parse_account_id;
use super::error::CliError;
use crate::domain::ids::AccountId;
use crate::store::{self, AccountRecord, StoreError};

/// The books of `serve` and `demo` unless they are told another one.
const USUAL_BOOKS: [&str; 2] = ["./tillbook.db", "./tillbook-demo.db"];

/// The option that names the book.
#[derive(Args, Clone)]
pub struct ServedBookArgs {
    /// The book's SQLite file [default: that of `serve` or `demo`, whichever runs in this folder]
    #[arg(long, env = "TILLBOOK_DB", value_name = "FILE")]
    db: Option<PathBuf>,
}

/// The option that chooses the account.
#[derive(Args, Clone)]
pub struct AccountArgs {
    /// The account [default: the book's only one]
    #[arg(long, env = "TILLBOOK_ACCOUNT", value_parser = parse_account_id)]
    account: Option<AccountId>,
}

impl ServedBookArgs {
    /// The book that is meant. Without an option it is the served one of the two usual books, or
    /// else the one that exists.
    pub fn find(&self) -> Result<PathBuf, CliError> {
        if let Some(db) = &self.db {
            return Ok(db.clone());
        }
        let existing = USUAL_BOOKS.map(PathBuf::from).into_iter().filter(|book| book.exists());
        let existing: Vec<PathBuf> = existing.collect();
        let served: Vec<&PathBuf> = existing.iter().filter(|book| store::is_locked(book)).collect();
        match served[..] {
            [] => Ok(existing.into_iter().next().unwrap_or_else(|| USUAL_BOOKS[0].into())),
            [one] => Ok(one.clone()),
            _ => Err(CliError::Refused(format!(
                "both {} and {} are served; choose one with --db",
                USUAL_BOOKS[0], USUAL_BOOKS[1]
            ))),
        }
    }
}

impl AccountArgs {
    /// The account that is meant; an error if the book does not have it.
    pub fn find(&self, db: &Path) -> Result<AccountId, CliError> {
        let accounts = store::read_once::<_, StoreError>(db, |reader| reader.list_accounts())?;
        let has = |id: &AccountId| accounts.iter().any(|account| account.account_id == *id);
        match (&self.account, &accounts[..]) {
            (Some(id), _) if has(id) => Ok(id.clone()),
            (Some(id), _) => Err(CliError::Refused(format!(
                "{} has no account {id}; {}",
                db.display(),
                listed(&accounts)
            ))),
            (None, [only]) => Ok(only.account_id.clone()),
            (None, _) => Err(CliError::Refused(format!(
                "choose an account of {} with --account; {}",
                db.display(),
                listed(&accounts)
            ))),
        }
    }
}

fn listed(accounts: &[AccountRecord]) -> String {
    let ids: Vec<&str> = accounts.iter().map(|account| account.account_id.as_str()).collect();
    if ids.is_empty() {
        return "it has none, and `tillbook account create` makes one".to_owned();
    }
    format!("it has {}", ids.join(", "))
}
