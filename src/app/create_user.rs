//! Creating a user of the back office.

use crate::domain::email::Email;
use crate::domain::ids::AccountId;
use crate::domain::role::Role;
use crate::store::{Failed, NewUser, StoreError, Tx, UserRecord, WriteCommand};

#[derive(Debug, Clone)]
pub struct CreateUser {
    pub email: Email,
    pub role: Role,
    pub accounts: Vec<AccountId>,
    /// Already hashed: hashing is slow and must not happen inside a transaction.
    pub password_hash: String,
}

#[derive(Debug, thiserror::Error)]
pub enum CreateUserRefused {
    #[error("{0} is a user already; `tillbook user list` shows all")]
    UserExists(Email),
    #[error("there is no account {0}; make it with `tillbook account create {0} --name NAME`")]
    AccountNotFound(AccountId),
}

impl WriteCommand for CreateUser {
    const NAME: &'static str = "create_user";
    type Done = UserRecord;
    type Refused = CreateUserRefused;

    fn run(&self, tx: &Tx<'_>) -> Result<UserRecord, Failed<CreateUserRefused>> {
        if tx.find_user(&self.email)?.is_some() {
            return Err(Failed::Refused(CreateUserRefused::UserExists(self.email.clone())));
        }
        let mut account_seqs = Vec::new();
        for account_id in &self.accounts {
            let found = tx.find_account_seq(account_id)?;
            let missing =
                || Failed::Refused(CreateUserRefused::AccountNotFound(account_id.clone()));
            account_seqs.push(found.ok_or_else(missing)?);
        }
        let user_seq = tx.insert_user(&NewUser {
            email: self.email.clone(),
            role: self.role,
            password_hash: self.password_hash.clone(),
        })?;
        for account_seq in account_seqs {
            tx.insert_user_account(user_seq, account_seq)?;
        }
        let made = tx.find_user(&self.email)?;
        Ok(made.ok_or_else(|| StoreError::inconsistent("a new user cannot be found"))?)
    }
}
