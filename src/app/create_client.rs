//! Creating an API client.

use crate::auth::client_secret::ClientSecret;
use crate::domain::ids::AccountId;
use crate::domain::scope::Scopes;
use crate::store::{ClientRecord, Failed, Tx, WriteCommand};

#[derive(Debug, Clone)]
pub struct CreateClient {
    pub account_id: AccountId,
    pub name: String,
    pub grants: Scopes,
    /// Only its hash is stored, so the caller must show the secret now or never.
    pub secret: ClientSecret,
}

#[derive(Debug, thiserror::Error)]
pub enum CreateClientRefused {
    #[error("there is no account {0}; make it with `tillbook account create {0} --name NAME`")]
    AccountNotFound(AccountId),
}

impl WriteCommand for CreateClient {
    const NAME: &'static str = "create_client";
    type Done = ClientRecord;
    type Refused = CreateClientRefused;

    fn run(&self, tx: &Tx<'_>) -> Result<ClientRecord, Failed<CreateClientRefused>> {
        let Some(account_seq) = tx.find_account_seq(&self.account_id)? else {
            return Err(Failed::Refused(CreateClientRefused::AccountNotFound(
                self.account_id.clone(),
            )));
        };
        let client = ClientRecord {
            client_id: tx.randomness().uuid(),
            account_id: self.account_id.clone(),
            name: self.name.clone(),
            secret_sha256: self.secret.sha256(),
            grants: self.grants.clone(),
            created_at: tx.now(),
            disabled_at: None,
        };
        tx.insert_client(account_seq, &client)?;
        tx.raise_access_version()?;
        Ok(client)
    }
}
