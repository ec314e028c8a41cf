//! API clients, and the keys that sign access tokens.

use rusqlite::{Row, named_params};

use super::error::StoreError;
use super::tx::{Reader, Tx};
use crate::domain::Timestamp;
use crate::domain::ids::AccountId;
use crate::domain::scope::Scopes;

/// A stored API client.
#[derive(Debug, Clone)]
pub struct ClientRecord {
    pub client_id: String,
    pub account_id: AccountId,
    pub name: String,
    /// The SHA-256 hash of the secret; the secret itself is not stored.
    pub secret_sha256: [u8; 32],
    pub grants: Scopes,
    pub created_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
}

/// All access rights; a server keeps them in memory.
#[derive(Debug, Clone)]
pub struct AccessRecord {
    pub version: i64,
    pub clients: Vec<ClientRecord>,
}

#[derive(Clone)]
pub struct SigningKey {
    pub key_id: String,
    pub secret: [u8; 32],
}

const COLUMNS: &str = "client_id, account_id, clients.name, secret_sha256, grants,
    clients.created_at_ms, disabled_at_ms";

impl Reader<'_> {
    /// Every client, with the version of this state.
    pub fn load_access(&self) -> Result<AccessRecord, StoreError> {
        Ok(AccessRecord { version: self.load_access_version()?, clients: self.list_clients()? })
    }

    /// Every client, oldest first.
    pub fn list_clients(&self) -> Result<Vec<ClientRecord>, StoreError> {
        let sql = format!(
            "select {COLUMNS} from clients join accounts using (account_seq) order by client_seq"
        );
        self.list(sql, [], read_client)
    }

    pub fn find_client(&self, client_id: &str) -> Result<Option<ClientRecord>, StoreError> {
        let sql = format!(
            "select {COLUMNS} from clients join accounts using (account_seq)
             where client_id = :client_id"
        );
        self.find(sql, named_params! {":client_id": client_id}, read_client)
    }

    /// All signing keys, newest first.
    pub fn list_signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        let sql = "select key_id, secret from signing_keys order by created_at_ms desc, key_id";
        self.list(sql, [], |row| {
            Ok(SigningKey { key_id: row.get("key_id")?, secret: row.get("secret")? })
        })
    }
}

impl Tx<'_> {
    /// Inserts a client of the account in row `account_seq`.
    pub fn insert_client(&self, account_seq: i64, client: &ClientRecord) -> Result<(), StoreError> {
        let sql = "insert into clients
            (client_id, account_seq, name, secret_sha256, grants, created_at_ms)
            values (:client_id, :account_seq, :name, :secret_sha256, :grants, :created_at_ms)";
        self.insert(
            sql,
            named_params! {
                ":client_id": client.client_id,
                ":account_seq": account_seq,
                ":name": client.name,
                ":secret_sha256": client.secret_sha256,
                ":grants": client.grants,
                ":created_at_ms": client.created_at,
            },
        )?;
        Ok(())
    }

    /// Disables a client for good. Disabling it again keeps the first time.
    pub fn disable_client(&self, client_id: &str) -> Result<(), StoreError> {
        let sql = "update clients set disabled_at_ms = coalesce(disabled_at_ms, :now)
                   where client_id = :client_id";
        self.execute(sql, named_params! {":client_id": client_id, ":now": self.now()})?;
        Ok(())
    }

    pub fn insert_signing_key(&self, key: &SigningKey) -> Result<(), StoreError> {
        let sql = "insert into signing_keys (key_id, secret, created_at_ms)
                   values (:key_id, :secret, :created_at_ms)";
        self.execute(
            sql,
            named_params! {
                ":key_id": key.key_id,
                ":secret": key.secret,
                ":created_at_ms": self.now(),
            },
        )?;
        Ok(())
    }
}

fn read_client(row: &Row<'_>) -> rusqlite::Result<ClientRecord> {
    Ok(ClientRecord {
        client_id: row.get("client_id")?,
        account_id: row.get("account_id")?,
        name: row.get("name")?,
        secret_sha256: row.get("secret_sha256")?,
        grants: row.get("grants")?,
        created_at: row.get("created_at_ms")?,
        disabled_at: row.get("disabled_at_ms")?,
    })
}
