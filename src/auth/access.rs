//! Checks a verified token against what its client may do now.

use std::collections::HashMap;

use super::verified_token::VerifiedToken;
use crate::domain::ids::AccountId;
use crate::domain::scope::{Scope, Scopes};

/// An API client with a valid token. The value exists only if the token was verified and the client
/// is enabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub account_id: AccountId,
    pub client_id: String,
    scopes: Scopes,
}

/// What a client may do.
#[derive(Debug, Clone)]
pub struct ClientAccess {
    pub account_id: AccountId,
    pub grants: Scopes,
    pub enabled: bool,
}

/// All clients at one moment.
#[derive(Debug, Clone)]
pub struct AccessSnapshot {
    /// Rises with every change; tells two snapshots apart.
    pub version: i64,
    pub clients: HashMap<String, ClientAccess>,
}

impl Default for AccessSnapshot {
    /// The state before the book was read: no clients, and older than any version.
    fn default() -> AccessSnapshot {
        AccessSnapshot { version: -1, clients: HashMap::new() }
    }
}

impl AccessSnapshot {
    /// The actor of a token; `None` when its client is unknown, disabled, or of another account.
    /// Scopes that the client has lost since the token was issued are left out.
    pub fn actor(&self, token: VerifiedToken) -> Option<Actor> {
        let client = self.clients.get(&token.client_id)?;
        if !client.enabled || client.account_id != token.account_id {
            return None;
        }
        let scopes = token.scopes.in_common_with(&client.grants);
        Some(Actor { account_id: token.account_id, client_id: token.client_id, scopes })
    }
}

impl Actor {
    /// Whether the actor has at least one of these scopes.
    pub fn may(&self, any_of: &[Scope]) -> bool {
        self.scopes.has_any_of(any_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_never_grants_more_than_its_client_has_now() {
        let account_id = AccountId::parse("T12345678").unwrap();
        let grants = Scopes::new(vec![Scope::ReadShopping]);
        let client = ClientAccess { account_id: account_id.clone(), grants, enabled: true };
        let mut snapshot = AccessSnapshot::default();
        snapshot.clients.insert("c".into(), client);
        let token = |account: &str| VerifiedToken {
            client_id: "c".into(),
            account_id: AccountId::parse(account).unwrap(),
            scopes: Scopes::new(vec![Scope::ReadShopping, Scope::AdminShopping]),
        };
        let actor = snapshot.actor(token("T12345678")).unwrap();
        assert!(actor.may(&[Scope::ReadShopping]) && !actor.may(&[Scope::AdminShopping]));
        assert_eq!(snapshot.actor(token("P12345678")), None);
        snapshot.clients.get_mut("c").unwrap().enabled = false;
        assert_eq!(snapshot.actor(token("T12345678")), None);
    }
}
