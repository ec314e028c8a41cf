//! Creating an account.

use crate::domain::currency::Currency;
use crate::domain::ids::AccountId;
use crate::store::{AccountRecord, Failed, Tx, WriteCommand};

#[derive(Debug, Clone)]
pub struct CreateAccount {
    pub account_id: AccountId,
    pub name: String,
    pub currency: Currency,
    /// An IANA name; the caller has checked it.
    pub time_zone: String,
}

#[derive(Debug, thiserror::Error)]
pub enum CreateAccountRefused {
    #[error("account {0} exists already; `tillbook account list` shows it")]
    AccountExists(AccountId),
}

impl WriteCommand for CreateAccount {
    const NAME: &'static str = "create_account";
    type Done = AccountRecord;
    type Refused = CreateAccountRefused;

    fn run(&self, tx: &Tx<'_>) -> Result<AccountRecord, Failed<CreateAccountRefused>> {
        if tx.find_account_seq(&self.account_id)?.is_some() {
            return Err(Failed::Refused(CreateAccountRefused::AccountExists(
                self.account_id.clone(),
            )));
        }
        let account = AccountRecord {
            account_id: self.account_id.clone(),
            name: self.name.clone(),
            currency: self.currency.clone(),
            time_zone: self.time_zone.clone(),
            created_at: tx.now(),
            checkout_url: None,
        };
        tx.insert_account(&account)?;
        Ok(account)
    }
}
