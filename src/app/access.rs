//! Who may do what: read from the database when it changes, and kept in memory for every request.

use std::sync::{Arc, PoisonError, RwLock};

use crate::auth::access::{AccessSnapshot, ClientAccess};
use crate::store::{Reader, StoreError};

/// A shared handle to the latest snapshot; cheap to clone.
#[derive(Clone, Default)]
pub struct Access {
    snapshot: Arc<RwLock<Arc<AccessSnapshot>>>,
}

impl Access {
    pub fn snapshot(&self) -> Arc<AccessSnapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the access rights again, unless their version is unchanged. True if it changed.
    pub fn reload(&self, reader: &Reader<'_>) -> Result<bool, StoreError> {
        if reader.load_access_version()? == self.snapshot().version {
            return Ok(false);
        }
        let fresh = load_access(reader)?;
        let mut held = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        // Two reloads may overlap; the slower one must not bring back an older state.
        if held.version < fresh.version {
            *held = Arc::new(fresh);
        }
        Ok(true)
    }
}

fn load_access(reader: &Reader<'_>) -> Result<AccessSnapshot, StoreError> {
    let record = reader.load_access()?;
    let clients = record.clients.into_iter().map(|client| {
        let access = ClientAccess {
            account_id: client.account_id,
            grants: client.grants,
            enabled: client.disabled_at.is_none(),
        };
        (client.client_id, access)
    });
    Ok(AccessSnapshot { version: record.version, clients: clients.collect() })
}
