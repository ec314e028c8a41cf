//! Changing an account.

use crate::domain::ids::AccountId;
use crate::store::{AccountRecord, Failed, StoreError, Tx, WriteCommand};

/// Sets or removes the merchant's own payment page and the secret of callbacks. Absent parts stay
/// as they are.
#[derive(Debug, Clone)]
pub struct EditAccount {
    pub account_id: AccountId,
    /// The caller has checked it. The inner `None` removes it.
    pub checkout_url: Option<Option<String>>,
    /// The inner `None` removes it.
    pub callback_secret: Option<Option<String>>,
}

#[derive(Debug, thiserror::Error)]
pub enum EditAccountRefused {
    #[error("there is no account {0}; `tillbook account list` shows all")]
    NotFound(AccountId),
}

impl WriteCommand for EditAccount {
    const NAME: &'static str = "edit_account";
    type Done = AccountRecord;
    type Refused = EditAccountRefused;

    fn run(&self, tx: &Tx<'_>) -> Result<AccountRecord, Failed<EditAccountRefused>> {
        if tx.find_account_seq(&self.account_id)?.is_none() {
            let account_id = self.account_id.clone();
            return Err(Failed::Refused(EditAccountRefused::NotFound(account_id)));
        }
        if let Some(page) = &self.checkout_url {
            tx.update_checkout_url(&self.account_id, page.as_deref())?;
        }
        if let Some(secret) = &self.callback_secret {
            tx.update_callback_secret(&self.account_id, secret.as_deref())?;
        }
        let changed = tx.find_account(&self.account_id)?;
        Ok(changed.ok_or_else(|| StoreError::inconsistent("a changed account is gone"))?)
    }
}
