//! Disabling an API client, which also ends its tokens.

use crate::store::{ClientRecord, Failed, Tx, WriteCommand};

/// Disables an API client for good.
#[derive(Debug, Clone)]
pub struct DisableClient {
    pub client_id: String,
}

#[derive(Debug, thiserror::Error)]
pub enum DisableClientRefused {
    #[error("there is no client {0}; `tillbook client list` shows all")]
    ClientNotFound(String),
}

impl WriteCommand for DisableClient {
    const NAME: &'static str = "disable_client";
    type Done = ClientRecord;
    type Refused = DisableClientRefused;

    fn run(&self, tx: &Tx<'_>) -> Result<ClientRecord, Failed<DisableClientRefused>> {
        let not_found =
            || Failed::Refused(DisableClientRefused::ClientNotFound(self.client_id.clone()));
        tx.find_client(&self.client_id)?.ok_or_else(not_found)?;
        tx.disable_client(&self.client_id)?;
        tx.raise_access_version()?;
        tx.find_client(&self.client_id)?.ok_or_else(not_found)
    }
}
